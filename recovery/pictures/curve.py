"""How many are done by when: a rising staircase with the band of its interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from django.utils.html import escape
from django.utils.safestring import SafeString

from recovery.pictures.paper import FONT, LINE, Labels, is_narrow, measured, n, svg, text

_LEFT: Final = 44.0
_FOOT: Final = 24.0
_HEAD: Final = 14.0
_RIGHT: Final = 12.0


@dataclass(frozen=True, slots=True)
class Point:
    """From `x` on the share `share` is done; `low` and `high` are the ends of its interval."""

    x: float
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Curve:
    """`until` is how far the data reach. `ticks` are places on the x axis with their words; `marks` are
    moments worth a line, with their words; `goals` are where a mark should be, and how that is said: the axis
    reaches them, the curve does not."""

    points: Sequence[Point]
    until: float
    ticks: Sequence[tuple[float, str]] = ()
    marks: Sequence[tuple[float, float, str]] = ()
    goals: Sequence[tuple[float, str]] = ()

    def __post_init__(self) -> None:
        if any(first.x > second.x for first, second in pairwise(self.points)):
            raise ValueError("A curve runs from left to right.")
        if self.points and self.until < self.points[-1].x:
            raise ValueError("A curve ends where its data end.")

    @property
    def width(self) -> float:
        return max(self.until, *(value for value, _words in self.goals), 0.0)

    def band_at(self, x: float) -> tuple[float, float]:
        """The ends of the interval there; nothing is done before the first point."""
        here = next((point for point in reversed(self.points) if point.x <= x), None)
        return (here.low, here.high) if here else (0.0, 0.0)


def curve_svg(curve: Curve, labels: Labels, *, width: int = 960, ident: str = "curve") -> SafeString:
    """A curve without points, or without any length, draws nothing."""
    if not curve.points or curve.until <= 0:
        return SafeString()
    height = 200.0 if is_narrow(width) else 260.0
    paper = _Paper(width - _LEFT - _RIGHT, height - _FOOT - _HEAD, curve.width)
    parts = [
        *(_level(paper, share) for share in (0.0, 0.25, 0.5, 0.75, 1.0)),
        *_ticks(paper, curve.ticks),
        f'<path class="curve-band" d="{_band(paper, curve)}"/>',
        f'<path class="curve-line" d="{_stairs(paper, curve, [point.share for point in curve.points])}"/>',
        *(_goal(paper, *goal) for goal in curve.goals),
        *_marks(paper, curve),
    ]
    return svg("curve", width, height, labels, f"{ident}-{width}", parts)


@dataclass(frozen=True, slots=True)
class _Paper:
    width: float
    height: float
    until: float

    def x(self, value: float) -> float:
        return _LEFT + self.width * min(value, self.until) / self.until

    def y(self, share: float) -> float:
        return _HEAD + self.height * (1 - share)


def _level(paper: _Paper, share: float) -> str:
    y = paper.y(share)
    kind = "axis" if share == 0 else "grid-line"
    line = f'<path class="{kind}" d="M{n(_LEFT)} {n(y)}H{n(_LEFT + paper.width)}"/>'
    words = f'<text class="tick-label" x="{n(_LEFT - 6)}" y="{n(y + 4)}" text-anchor="end">'
    return f"{line}{words}{round(100 * share)}&#8239;%</text>"


def _ticks(paper: _Paper, ticks: Sequence[tuple[float, str]]) -> list[str]:
    """Those that fit beside one another."""
    shown: list[str] = []
    taken = -1.0
    for value, words in ticks:
        x, room = paper.x(value), measured(words) / 2
        right = _LEFT + paper.width + _RIGHT
        if value > paper.until or x - room < taken:
            continue
        anchor, at = ("end", right) if x + room > right else ("middle", x)
        y = paper.y(0)
        shown.append(
            f'<path class="axis" d="M{n(x)} {n(y)}v4"/><text class="tick-label" x="{n(at)}"'
            f' y="{n(y + 16)}" text-anchor="{anchor}">{escape(words)}</text>'
        )
        taken = x + room + 8
    return shown


def _stairs(paper: _Paper, curve: Curve, shares: Sequence[float]) -> str:
    path = f"M{n(paper.x(0))} {n(paper.y(0))}"
    for point, share in zip(curve.points, shares, strict=True):
        path += f"H{n(paper.x(point.x))}V{n(paper.y(share))}"
    return f"{path}H{n(paper.x(curve.until))}"


def _band(paper: _Paper, curve: Curve) -> str:
    """There along the upper ends, back along the lower ones."""
    there = _stairs(paper, curve, [point.high for point in curve.points])
    back = f"V{n(paper.y(curve.points[-1].low))}"
    for before, point in reversed(list(pairwise(curve.points))):
        back += f"H{n(paper.x(point.x))}V{n(paper.y(before.low))}"
    return f"{there}{back}H{n(paper.x(curve.points[0].x))}V{n(paper.y(0))}Z"


def _goal(paper: _Paper, value: float, words: str) -> str:
    """An upright line, its words at its foot: the curve has left that corner by then."""
    x = paper.x(value)
    at, anchor = _beside(paper, x, words, 6)
    return f'<path class="mark-target" d="M{n(x)} {n(_HEAD)}V{n(paper.y(0))}"/>' + text(
        "flow-label", at, paper.y(0) - 6, anchor, escape(words)
    )


def _marks(paper: _Paper, curve: Curve) -> list[str]:
    """Points on the curve; their words right below the band, or left above it where there is no room."""
    drawn: list[str] = []
    bases: list[float] = []
    for value, share, words in curve.marks:
        low, high = (paper.y(end) for end in curve.band_at(value))
        at, anchor = _beside(paper, paper.x(value), words, 8)
        foot = max(low, paper.y(share)) + FONT + 4
        beyond = anchor == "start" and at > paper.x(value)
        base = min(foot, paper.y(0) - 22) if beyond else max(FONT, high - 6)
        while any(abs(base - other) < LINE for other in bases):
            base += LINE
        bases.append(base)
        drawn.append(_mark(paper, value, share, text("flow-label", at, base, anchor, escape(words))))
    return drawn


def _mark(paper: _Paper, value: float, share: float, words: str) -> str:
    x, y = paper.x(value), paper.y(share)
    return (
        f'<path class="curve-mark" d="M{n(_LEFT)} {n(y)}H{n(x)}V{n(paper.y(0))}"/>'
        f'<circle class="spark-dot tone-accent" cx="{n(x)}" cy="{n(y)}" r="4"/>{words}'
    )


def _beside(paper: _Paper, x: float, words: str, gap: float) -> tuple[float, str]:
    """Right of x, or left of it where there is no room; across it where there is none on either side."""
    room, length = _LEFT + paper.width + _RIGHT, measured(words)
    if x + length + gap + 4 <= room:
        return x + gap, "start"
    if x - gap - length >= 0:
        return x - gap, "end"
    return max(0.0, room - length), "start"
