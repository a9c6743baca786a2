"""Lying bars, or points on a line where the numbers have intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.html import escape
from django.utils.safestring import SafeString

from recovery.pictures.paper import (
    FONT,
    SPACE,
    Labels,
    fitted,
    is_narrow,
    linked,
    measured,
    measured_bold,
    n,
    rect,
    svg,
    text,
)

_POINT: Final = 4.0


@dataclass(frozen=True, slots=True)
class Bar:
    """`text` is the number as people read it. With an interval it is drawn as a point on a line: a bar would
    look certain.
    """

    label: str
    value: float
    text: str
    tone: str = "neutral"
    low: float | None = None
    high: float | None = None
    # Where the number should be: a stroke across its row, and how that is said.
    mark: float | None = None
    goal: str = ""
    # What it counts.
    href: str = ""

    def __post_init__(self) -> None:
        if min(self.value, *self.ends) < 0:
            raise ValueError("A bar starts at nothing and has no negative length.")

    @property
    def ends(self) -> tuple[float, ...]:
        return tuple(end for end in (self.value, self.low, self.high, self.mark) if end is not None)

    @property
    def told(self) -> str:
        return "; ".join(part for part in (f"{self.label}: {self.text}", self.goal) if part)


def bar_svg(
    bars: Sequence[Bar], labels: Labels, *, width: int = 640, full: float | None = None, ident: str = "bars"
) -> SafeString:
    """Lying bars, their number behind them. `full` is the value of a whole track; by default the longest bar.

    Drawn narrow, labels stand above their bars. No bars draw nothing. One beyond `full` raises ValueError.
    """
    if not bars:
        return SafeString()
    longest = max(max(bar.ends) for bar in bars)
    if full is not None and longest > full:
        raise ValueError("A bar is longer than its track.")
    narrow = is_narrow(width)
    names = 0.0 if narrow else min(width * 0.4, max(measured(str(bar.label)) for bar in bars) + SPACE)
    numbers = max(measured_bold(bar.text) for bar in bars) + SPACE
    track = _Track(names, width - names - numbers, full or longest or 1)
    row = 40.0 if narrow else 24.0
    parts = [_row_svg(bar, track, index * row, row, width) for index, bar in enumerate(bars)]
    return svg("bars", width, row * len(bars), labels, f"{ident}-{width}", parts)


@dataclass(frozen=True, slots=True)
class _Track:
    x: float
    length: float
    full: float

    def upto(self, value: float) -> float:
        return self.length * value / self.full


def _bar_svg(bar: Bar, track: _Track, top: float, narrow: bool) -> str:
    y = top + (20 if narrow else 5)
    name_room, name_y = (track.length, top + FONT + 2) if narrow else (track.x - SPACE, y + FONT - 1)
    if bar.low is None or bar.high is None:
        mark = _bar_mark(track, y, bar.value)
    else:
        mark = _point_mark(track, y, bar.value, bar.low, bar.high)
    return (
        f'<g class="tone-{escape(bar.tone)}"><title>{escape(bar.told)}</title>'
        + text("flow-label", 0, name_y, "start", escape(fitted(str(bar.label), name_room)))
        + mark
        + _target_mark(track, y, bar.mark)
        + text("flow-value", track.x + track.length + 8, y + FONT - 1, "start", escape(bar.text))
        + "</g>"
    )


def _row_svg(bar: Bar, track: _Track, top: float, row: float, width: float) -> str:
    """The whole row of a bar that leads somewhere can be pressed, and shows when it has the focus."""
    area = rect("part-area", 1, top + 1, width - 2, row - 2) if bar.href else ""
    return linked(bar.href, bar.told, area + _bar_svg(bar, track, top, is_narrow(width)))


def _target_mark(track: _Track, y: float, value: float | None) -> str:
    if value is None:
        return ""
    x = track.x + _POINT + _Track(0, track.length - 2 * _POINT, track.full).upto(value)
    return f'<path class="mark-target" d="M{n(x)} {n(y - 3)}V{n(y + 17)}"/>'


def _bar_mark(track: _Track, y: float, value: float) -> str:
    whole = rect("bar-track", track.x, y, track.length, 14)
    return whole + rect("bar-fill", track.x, y, track.upto(value), 14)


def _point_mark(track: _Track, y: float, value: float, low: float, high: float) -> str:
    # A point at either end of the track needs the space of half a point beside it.
    inner = _Track(track.x + _POINT, track.length - 2 * _POINT, track.full)
    left, point, right = (inner.x + inner.upto(share) for share in (low, value, high))
    middle = y + 7
    ends = f"M{n(left)} {n(y + 3)}V{n(y + 11)}M{n(right)} {n(y + 3)}V{n(y + 11)}"
    return (
        rect("bar-track", track.x, middle - 1, track.length, 2)
        + f'<path class="mark-ci" d="M{n(left)} {n(middle)}H{n(right)}{ends}"/>'
        + f'<circle class="spark-dot" cx="{n(point)}" cy="{n(middle)}" r="{n(_POINT)}"/>'
    )
