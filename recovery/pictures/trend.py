"""A figure over time: a line with its interval as a band, broken where two points cannot be compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.html import escape
from django.utils.safestring import SafeString

from recovery.pictures.paper import SPACE, Labels, is_narrow, measured, n, svg, text

_HEIGHT: Final = 220.0
_HEIGHT_NARROW: Final = 200.0
_FOOT: Final = 22.0
_HEAD: Final = 18.0
_MOST_TICKS: Final = 6
_TICKS: Final = (1.0, 2.0, 5.0, 10.0, 20.0, 25.0, 50.0, 100.0)


@dataclass(frozen=True, slots=True)
class Mark:
    """A week or month: its name on the axis, and what is told on pointing at it. Without a value it is a gap.

    If it `joins`, the line comes from the mark before. `change` is what is written on the line between the
    two where they cannot be compared.
    """

    name: str
    told: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    joins: bool = False
    change: str = ""


@dataclass(frozen=True, slots=True)
class Goal:
    """Where the figure should be, and how that is said."""

    value: float
    told: str


def trend_svg(
    marks: Sequence[Mark],
    labels: Labels,
    *,
    width: int,
    tick: Callable[[float], str],
    ident: str = "trend",
    floor: float = -100,
    ceiling: float = 100,
    goal: Goal | None = None,
) -> SafeString:
    """The marks from left to right. `tick` writes a value of the axis, which never leaves floor to ceiling.

    A goal is a broken line across. Nothing is drawn where no mark has a value.
    """
    known = [end for mark in marks for end in (mark.value, mark.low, mark.high) if end is not None]
    if not known:
        return SafeString()
    if goal is not None:
        known.append(goal.value)
    paper = _Paper.of(width, len(marks), axis_values(min(known), max(known), floor, ceiling), tick)
    parts = [
        _grid(paper, tick),
        _names(paper, marks),
        _goal(paper, goal) if goal else "",
        *(_change(paper, place, mark.change) for place, mark in enumerate(marks) if mark.change),
        '<g class="tone-accent">',
        *(_run(paper, run) for run in _runs(marks)),
        *(_dot(paper, place, mark) for place, mark in enumerate(marks)),
        "</g>",
    ]
    return svg("trend", width, paper.height, labels, f"{ident}-{width}", parts)


def axis_values(least: float, most: float, floor: float, ceiling: float) -> list[float]:
    """Round values around all that is drawn, six at most."""
    span = most - least
    step = next((each for each in _TICKS if span / each <= _MOST_TICKS - 2), _TICKS[-1])
    first, last = math.floor(least / step), math.ceil(most / step)
    if first == last:
        last += 1
    ticks = [max(floor, min(ceiling, place * step)) for place in range(first, last + 1)]
    return sorted(set(ticks))


@dataclass(frozen=True, slots=True)
class _Paper:
    width: float
    height: float
    left: float
    step: float
    ticks: Sequence[float]

    @classmethod
    def of(cls, width: float, count: int, ticks: Sequence[float], tick: Callable[[float], str]) -> _Paper:
        left = max(measured(tick(each)) for each in ticks) + SPACE
        height = _HEIGHT_NARROW if is_narrow(width) else _HEIGHT
        return cls(width, height, left, (width - left) / count, ticks)

    def x(self, place: float) -> float:
        return self.left + self.step * (place + 0.5)

    def y(self, value: float) -> float:
        room = self.height - _FOOT - _HEAD
        return _HEAD + room * (self.ticks[-1] - value) / (self.ticks[-1] - self.ticks[0])


def _grid(paper: _Paper, tick: Callable[[float], str]) -> str:
    lines = []
    for value in paper.ticks:
        kind = "axis" if value == 0 else "grid-line"
        lines.append(f'<path class="{kind}" d="M{n(paper.left)} {n(paper.y(value))}H{n(paper.width)}"/>')
        lines.append(text("tick-label", paper.left - 6, paper.y(value) + 4, "end", escape(tick(value))))
    return "".join(lines)


def _names(paper: _Paper, marks: Sequence[Mark]) -> str:
    """As many names as find room, the first among them."""
    widest = max(measured(mark.name) for mark in marks) + SPACE
    every = max(1, math.ceil(widest / paper.step))
    said = []
    for place in range(0, len(marks), every):
        name = marks[place].name
        x = min(max(paper.x(place) - measured(name) / 2, 0.0), paper.width - measured(name))
        said.append(text("tick-label", x, paper.height - 6, "start", escape(name)))
    return "".join(said)


def _goal(paper: _Paper, goal: Goal) -> str:
    """Across the whole width, its words above it, or below where there is no room above."""
    y = paper.y(goal.value)
    above = y > _HEAD + 14
    return f'<path class="mark-target" d="M{n(paper.left)} {n(y)}H{n(paper.width)}"/>' + text(
        "tick-label", paper.width, y - 5 if above else y + 14, "end", escape(goal.told)
    )


def _change(paper: _Paper, place: int, words: str) -> str:
    """An upright line before the mark, with what it means."""
    x = paper.x(place - 0.5)
    end = x + 6 + measured(words) > paper.width
    return f'<path class="trend-change" d="M{n(x)} 4V{n(paper.height - _FOOT)}"/>' + text(
        "tick-label", x - 6 if end else x + 6, 12, "end" if end else "start", escape(words)
    )


def _runs(marks: Sequence[Mark]) -> list[list[tuple[int, Mark]]]:
    runs: list[list[tuple[int, Mark]]] = []
    for place, mark in enumerate(marks):
        if mark.value is None:
            continue
        if not (mark.joins and runs):
            runs.append([])
        runs[-1].append((place, mark))
    return runs


def _run(paper: _Paper, run: Sequence[tuple[int, Mark]]) -> str:
    """The band and the line of marks that join; one alone has the ends of its interval instead."""
    if len(run) == 1:
        return _whiskers(paper, *run[0])
    line = " ".join(f"{n(paper.x(place))},{n(paper.y(mark.value or 0.0))}" for place, mark in run)
    upper = [(place, mark.high) for place, mark in run]
    lower = [(place, mark.low) for place, mark in reversed(run)]
    band = " ".join(
        f"{n(paper.x(place))},{n(paper.y(end))}" for place, end in upper + lower if end is not None
    )
    return f'<polygon class="spark-band" points="{band}"/><polyline class="spark-line" points="{line}"/>'


def _whiskers(paper: _Paper, place: int, mark: Mark) -> str:
    if mark.low is None or mark.high is None:
        return ""
    x, low, high = paper.x(place), paper.y(mark.low), paper.y(mark.high)
    ends = f"M{n(x - 4)} {n(low)}H{n(x + 4)}M{n(x - 4)} {n(high)}H{n(x + 4)}"
    return f'<path class="mark-ci" d="M{n(x)} {n(low)}V{n(high)}{ends}"/>'


def _dot(paper: _Paper, place: int, mark: Mark) -> str:
    if mark.value is None:
        return ""
    radius = 2 if paper.step < 10 else 3
    return (
        f'<circle class="spark-dot" cx="{n(paper.x(place))}" cy="{n(paper.y(mark.value))}" r="{radius}">'
        f"<title>{escape(mark.told)}</title></circle>"
    )
