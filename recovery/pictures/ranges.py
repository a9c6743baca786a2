"""Several figures under each other, each a point on the line of its interval, on one axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    measured,
    measured_bold,
    n,
    svg,
    text,
)
from recovery.pictures.trend import Goal, axis_values

_POINT: Final = 4.0
_FOOT: Final = 22.0
_HEAD: Final = 18.0


@dataclass(frozen=True, slots=True)
class Range:
    """A figure with the ends of its interval; `text` is the number as people read it."""

    label: str
    value: float
    low: float
    high: float
    text: str
    tone: str = "neutral"


def ranges_svg(
    ranges: Sequence[Range],
    labels: Labels,
    *,
    width: int,
    tick: Callable[[float], str],
    middle: float | None = None,
    floor: float = -100,
    ceiling: float = 100,
    ident: str = "ranges",
    goal: Goal | None = None,
) -> SafeString:
    """The ranges from top to bottom; an upright line at `middle`, a broken one at the goal, with its words.

    Drawn narrow, labels stand above.
    `tick` writes a value of the axis, which never leaves floor to ceiling. No ranges draw nothing.
    """
    if not ranges:
        return SafeString()
    ends = [end for each in ranges for end in (each.low, each.high)] + ([] if middle is None else [middle])
    ends += [goal.value] if goal else []
    ticks = axis_values(min(ends), max(ends), floor, ceiling)
    narrow = is_narrow(width)
    names = 0.0 if narrow else min(width * 0.4, max(measured(each.label) for each in ranges) + SPACE)
    numbers = max(measured_bold(each.text) for each in ranges) + SPACE
    # Half a tick's words and a point need room beside either end of the axis.
    room = max(measured(tick(end)) / 2 for end in (ticks[0], ticks[-1])) + _POINT
    paper = _Paper(names + room, width - names - numbers - 2 * room, ticks, 40.0 if narrow else 26.0)
    head = _HEAD if goal else 0.0
    height = head + paper.row * len(ranges) + _FOOT
    parts = [
        *(_tick(paper, value, height, tick) for value in ticks),
        _middle(paper, middle, height),
        _goal(paper, goal, height, width) if goal else "",
        *(_range(paper, each, head + place * paper.row, narrow, width) for place, each in enumerate(ranges)),
    ]
    return svg("ranges", width, height, labels, f"{ident}-{width}", parts)


@dataclass(frozen=True, slots=True)
class _Paper:
    left: float
    length: float
    ticks: Sequence[float]
    row: float

    def x(self, value: float) -> float:
        return self.left + self.length * (value - self.ticks[0]) / (self.ticks[-1] - self.ticks[0])


def _tick(paper: _Paper, value: float, height: float, tick: Callable[[float], str]) -> str:
    x, words = paper.x(value), tick(value)
    kind = "axis" if value == 0 else "grid-line"
    line = f'<path class="{kind}" d="M{n(x)} 0V{n(height - _FOOT)}"/>'
    return line + text("tick-label", x - measured(words) / 2, height - 6, "start", escape(words))


def _middle(paper: _Paper, middle: float | None, height: float) -> str:
    if middle is None:
        return ""
    return f'<path class="trend-change" d="M{n(paper.x(middle))} 0V{n(height - _FOOT)}"/>'


def _goal(paper: _Paper, goal: Goal, height: float, width: float) -> str:
    x, words = paper.x(goal.value), measured(goal.told)
    at = min(max(0.0, x - words / 2), max(0.0, width - words))
    return f'<path class="mark-target" d="M{n(x)} {n(_HEAD - 2)}V{n(height - _FOOT)}"/>' + text(
        "tick-label", at, FONT, "start", escape(goal.told)
    )


def _range(paper: _Paper, each: Range, top: float, narrow: bool, width: float) -> str:
    y = top + (28 if narrow else 13)
    name_room, name_y = (width, top + FONT + 2) if narrow else (paper.left - SPACE, y + 4)
    low, point, high = (paper.x(value) for value in (each.low, each.value, each.high))
    ends = f"M{n(low)} {n(y - 4)}V{n(y + 4)}M{n(high)} {n(y - 4)}V{n(y + 4)}"
    return (
        f'<g class="tone-{escape(each.tone)}"><title>{escape(f"{each.label}: {each.text}")}</title>'
        + text("flow-label", 0, name_y, "start", escape(fitted(each.label, name_room)))
        + f'<path class="mark-ci" d="M{n(low)} {n(y)}H{n(high)}{ends}"/>'
        + f'<circle class="spark-dot" cx="{n(point)}" cy="{n(y)}" r="{n(_POINT)}"/>'
        + text("flow-value", width, y + 4, "end", escape(each.text))
        + "</g>"
    )
