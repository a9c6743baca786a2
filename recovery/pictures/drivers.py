"""Points on two axes, cut into four quarters; each bears a number that a list beside it explains."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.html import escape
from django.utils.safestring import SafeString

from recovery.pictures.paper import FONT, Labels, fitted, is_narrow, measured, n, svg, text

_DOT: Final = 4.0
_BADGE: Final = 9.0
_CLEAR: Final = 3.0
# By how much the own dot of a number is nearer to it than any other, where there is room for that.
_APART: Final = 8.0
# From the upper right to either side, in sixteenths of a turn: the lower left comes last.
_TURNS: Final = sorted(range(-7, 9), key=abs)
_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 12.0, 10.0, 44.0


@dataclass(frozen=True, slots=True)
class Point:
    """`told` is read out for it; its number in the picture is its place in the row of points, from 1."""

    x: float
    y: float
    told: str
    tone: str = "accent"


@dataclass(frozen=True, slots=True)
class Axis:
    """`cut` is where the quarters meet. Ticks are at whole multiples of `step`."""

    label: str
    cut: float
    step: float


@dataclass(frozen=True, slots=True)
class Quarters:
    upper_left: str
    upper_right: str
    lower_left: str
    lower_right: str


@dataclass(frozen=True, slots=True)
class _Span:
    """The part of an axis that is drawn, in its own numbers, and where it lies on paper."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        return self.start + (self.end - self.start) * (value - self.low) / (self.high - self.low)


def map_svg(
    points: Sequence[Point],
    across: Axis,
    up: Axis,
    quarters: Quarters,
    labels: Labels,
    *,
    width: int,
    ident: str = "map",
) -> SafeString:
    """No points draw nothing. A badge that would lie on another moves aside, with a line to its point."""
    if not points:
        return SafeString()
    height = 330.0 if is_narrow(width) else 420.0
    x = _span([point.x for point in points], across, _LEFT, width - _RIGHT)
    y = _span([point.y for point in points], up, height - _BOTTOM, _TOP)
    places = [(x.at(point.x), y.at(point.y)) for point in points]
    parts = [
        *_frame(x, y, across, up, width, height),
        *_quarter_names(quarters, x.at(across.cut), y.at(up.cut), x, y),
        *_points(points, places, _badges(places, (x.start, y.end, x.end, y.start))),
    ]
    return svg("driver-map", width, height, labels, f"{ident}-{width}", parts)


def _span(values: Sequence[float], axis: Axis, start: float, end: float) -> _Span:
    """From the tick below the smallest to the tick above the largest, the cut within, and never a line."""
    low = math.floor(min(*values, axis.cut) / axis.step - 0.25) * axis.step
    high = math.ceil(max(*values, axis.cut) / axis.step + 0.25) * axis.step
    return _Span(low, high, start, end)


def _frame(x: _Span, y: _Span, across: Axis, up: Axis, width: float, height: float) -> Iterator[str]:
    for value in _ticks(x, across, most=6):
        yield text("tick-label", x.at(value) - 9, y.start + 16, "start", n(value))
    for value in _ticks(y, up, most=8):
        yield text("tick-label", x.start - 6, y.at(value) + 4, "end", f"{value:.1f}")
    yield f'<path class="axis" d="M{n(x.start)} {n(y.end)}V{n(y.start)}H{n(x.end)}"/>'
    yield f'<path class="cut-line" d="M{n(x.at(across.cut))} {n(y.end)}V{n(y.start)}"/>'
    yield f'<path class="cut-line" d="M{n(x.start)} {n(y.at(up.cut))}H{n(x.end)}"/>'
    yield text("flow-label", width - _RIGHT, height - 6, "end", escape(f"{across.label} →"))
    yield text("flow-label", x.start + 8, y.end + FONT + 6, "start", escape(f"↑ {up.label}"))


def _ticks(span: _Span, axis: Axis, most: int) -> list[float]:
    first, last = round(span.low / axis.step), round(span.high / axis.step)
    every = math.ceil((last - first + 1) / most)
    return [number * axis.step for number in range(first, last + 1) if number % every == 0]


def _quarter_names(names: Quarters, cut_x: float, cut_y: float, x: _Span, y: _Span) -> Iterator[str]:
    """In the outer corners, but for the upper two, which stand below the name of the axis."""
    above, below = y.end + 2 * FONT + 12, y.start - 8
    for name, start, end, line, anchor in (
        (names.upper_left, x.start, cut_x, above, "start"),
        (names.upper_right, cut_x, x.end, above, "end"),
        (names.lower_left, x.start, cut_x, below, "start"),
        (names.lower_right, cut_x, x.end, below, "end"),
    ):
        room = end - start - 16
        if room > 40:
            where = start + 8 if anchor == "start" else end - 8
            yield text("quarter-name", where, line, anchor, escape(fitted(name, room)))


Place = tuple[float, float]


def _badges(dots: Sequence[Place], within: tuple[float, float, float, float]) -> list[Place]:
    """Where each number stands: beside its dot, as near as it finds room among dots and other numbers."""
    placed: list[Place] = []
    for dot in dots:
        rest = [other for other in dots if other != dot]
        others = [(other, _DOT) for other in rest] + [(badge, _BADGE) for badge in placed]
        free = [place for place in _around(dot, within) if _is_clear(place, others)]
        usual = (dot[0], dot[1] - _DOT - _BADGE)
        placed.append(next((each for each in free if _is_told(each, dot, rest)), next(iter(free), usual)))
    return placed


def _is_told(place: Place, dot: Place, rest: Sequence[Place]) -> bool:
    """Whether a reader takes the number for this dot's: no other is nearly as near."""
    own = math.dist(place, dot)
    return all(math.dist(place, other) >= own + _APART for other in rest)


def _around(dot: Place, within: tuple[float, float, float, float]) -> Iterator[Place]:
    left, top, right, bottom = within
    for distance in (14.0, 22.0, 32.0, 44.0, 58.0, 74.0, 92.0):
        for turn in _TURNS:
            angle = math.pi / 4 + turn * math.pi / 8
            place = dot[0] + distance * math.cos(angle), dot[1] - distance * math.sin(angle)
            if left + _BADGE < place[0] < right - _BADGE and top + _BADGE < place[1] < bottom - _BADGE:
                yield place


def _is_clear(place: Place, others: Sequence[tuple[Place, float]]) -> bool:
    return all(math.dist(place, other) >= _BADGE + size + _CLEAR for other, size in others)


def _points(points: Sequence[Point], dots: Sequence[Place], badges: Sequence[Place]) -> Iterator[str]:
    for number, (point, dot, badge) in enumerate(zip(points, dots, badges, strict=True), start=1):
        title = escape(f"{number} {point.told}")
        shown = str(number)
        yield (
            f'<g class="tone-{escape(point.tone)}"><title>{title}</title>'
            f'<path class="mark-ci" d="M{n(dot[0])} {n(dot[1])}L{n(badge[0])} {n(badge[1])}"/>'
            f'<circle class="spark-dot" cx="{n(dot[0])}" cy="{n(dot[1])}" r="{n(_DOT)}"/>'
            f'<circle class="badge-disc" cx="{n(badge[0])}" cy="{n(badge[1])}" r="{n(_BADGE)}"/>'
            + text("badge-number", badge[0] - measured(shown) / 2, badge[1] + 4, "start", shown)
            + "</g>"
        )
