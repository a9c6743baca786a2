"""Working minutes of many stretches of time: the open hours of a calendar are walked once for all of them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import accumulate
from typing import NamedTuple

from recovery import business_hours
from recovery.business_hours import MINUTE, to_micros
from recovery.models import Calendar


class Run(NamedTuple):
    """From the start to the end, or to the moment it can no longer be seen."""

    calendar: int
    start: datetime
    end: datetime
    seen: bool


class WorkingClock:
    """`business_hours.worked` for many questions to one calendar, inside the span the clock was made for."""

    def __init__(self, calendar: business_hours.WorkingCalendar, start: datetime, end: datetime) -> None:
        spans = [
            (to_micros(opens), to_micros(closes))
            for opens, closes in business_hours.open_spans(calendar, start, end)
        ]
        self._opens = [opens for opens, _closes in spans]
        self._lengths = [closes - opens for opens, closes in spans]
        self._before = list(accumulate(self._lengths, initial=0))

    def minutes(self, start: datetime, end: datetime) -> float:
        """Working minutes between two instants."""
        return self.minutes_between(to_micros(start), to_micros(end))

    def minutes_between(self, start: int, end: int) -> float:
        """The same between two instants in microseconds since 1970."""
        return (self._until(end) - self._until(start)) / MINUTE

    def _until(self, instant: int) -> int:
        index = bisect_right(self._opens, instant) - 1
        if index < 0:
            return 0
        return self._before[index] + min(instant - self._opens[index], self._lengths[index])


def working(run: Run, clocks: Mapping[int, WorkingClock]) -> float:
    """In minutes."""
    return clocks[run.calendar].minutes(run.start, run.end)


def clocks_for(runs: Iterable[Run]) -> dict[int, WorkingClock]:
    """A clock for each calendar in use, from its earliest start to its latest end. Three queries."""
    reach: dict[int, tuple[datetime, datetime]] = {}
    for run in runs:
        first, last = reach.get(run.calendar, (run.start, run.end))
        reach[run.calendar] = (min(first, run.start), max(last, run.end))
    return clocks_of(reach)


def clocks_of(reach: Mapping[int, tuple[datetime, datetime]]) -> dict[int, WorkingClock]:
    """By calendar, each for its span of time. Three queries."""
    calendars = Calendar.objects.filter(pk__in=reach).prefetch_related("hours", "days")
    return {row.pk: WorkingClock(row.as_working_calendar(), *reach[row.pk]) for row in calendars}
