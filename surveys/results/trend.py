"""The figure month by month, or week by week, broken where the scale changed or too few answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from surveys.eras import Era, Suspicion
from surveys.results.answers import Which
from surveys.results.figure import Figure

# A shorter period is drawn by weeks.
WEEKS_BELOW: Final = timedelta(weeks=14)

Step = Literal["week", "month"]
# By the first day of the stretch and its era, how often each score occurs.
Stretches = Mapping[tuple[date, Era], Counter[int]]


@dataclass(frozen=True, slots=True)
class Point:
    """A week or month, by its first day. Two eras within one are two points."""

    first: date
    era: Era
    figure: Figure


@dataclass(frozen=True, slots=True)
class Trend:
    """`breaks` are the months from which on a scale seems to have changed."""

    step: Step
    points: tuple[Point, ...]
    breaks: tuple[date, ...]

    @property
    def runs(self) -> list[list[Point]]:
        """The points with a figure that may be joined by a line."""
        runs: list[list[Point]] = []
        joined: Point | None = None
        for point in self.points:
            if point.figure.value is None:
                joined = None
                continue
            if joined is None or self.is_broken(joined, point):
                runs.append([])
            runs[-1].append(point)
            joined = point
        return runs

    def is_broken(self, before: Point, after: Point) -> bool:
        return before.era != after.era or any(before.first < each <= after.first for each in self.breaks)

    @property
    def changes(self) -> list[Point]:
        """The first points after a change of the scale, declared or suspected."""
        pairs = zip(self.points, self.points[1:], strict=False)
        return [after for before, after in pairs if self.is_broken(before, after)]


def step_of(which: Which) -> Step:
    """Weeks for a period below fourteen of them; months for a longer one, or one with an open end."""
    end = min((each for each in (which.until, which.at) if each), default=None)
    return "week" if which.since and end and end - which.since < WEEKS_BELOW else "month"


def trend_of(kind: str, step: Step, counts: Stretches, suspicions: Sequence[Suspicion]) -> Trend:
    """Every stretch from the first to the last that has answers, also those between without any."""
    by_day: dict[date, list[tuple[Era, Counter[int]]]] = {}
    for (first, era), levels in sorted(counts.items(), key=lambda item: (item[0][0], _start(item[0][1]))):
        by_day.setdefault(first, []).append((era, levels))
    points: list[Point] = []
    for day in _days(by_day, step):
        found = by_day.get(day) or [(points[-1].era, Counter[int]())]
        points += [Point(day, era, Figure.of(kind, era.scale, levels)) for era, levels in found]
    return Trend(step, tuple(points), tuple(each.month for each in suspicions))


def _start(era: Era) -> float:
    return era.since.timestamp() if era.since else -1.0


def _days(known: Iterable[date], step: Step) -> Iterator[date]:
    days = sorted(known)
    if not days:
        return
    day = days[0]
    while day <= days[-1]:
        yield day
        day = day + timedelta(days=7) if step == "week" else (day + timedelta(days=32)).replace(day=1)
