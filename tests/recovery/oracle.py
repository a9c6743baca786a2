"""Working time the slow way: walk real minutes, look at the clock on the wall, ask whether the shop is open.

Shares no code with recovery.business_hours beyond the classes that describe a calendar.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence

from recovery.business_hours import Wait, WorkingCalendar

MINUTE = dt.timedelta(minutes=1)
DAY = dt.timedelta(days=1)
PATIENCE = dt.timedelta(days=120)

Opening = tuple[dt.datetime, dt.datetime]  # naive, on the local clock


class Oracle:
    def __init__(self, calendar: WorkingCalendar) -> None:
        self.calendar = calendar
        self.days: dict[dt.date, list[Opening]] = {}
        self.minutes: dict[dt.datetime, bool] = {}

    def is_open(self, at: dt.datetime) -> bool:
        """Every offset since 1970 is a whole number of minutes, so a minute is open or closed as a whole."""
        minute = at.replace(second=0, microsecond=0)
        if minute not in self.minutes:
            wall = minute.astimezone(self.calendar.zone).replace(tzinfo=None)
            self.minutes[minute] = any(
                opens <= wall < closes for opens, closes in self.openings_near(wall.date())
            )
        return self.minutes[minute]

    def holiday_that_closes(self, at: dt.datetime) -> str | None:
        """The holiday without which this instant would be open, by the weekday's own windows."""
        if self.is_open(at):
            return None
        wall = at.astimezone(self.calendar.zone).replace(tzinfo=None)
        for date in (wall.date() - DAY, wall.date()):
            names = [holiday.name for holiday in self.calendar.holidays if holiday.date == date]
            if names and any(opens <= wall < closes for opens, closes in self.weekly(date, date.weekday())):
                return ", ".join(dict.fromkeys(name for name in names if name))
        return None

    def worked(self, start: dt.datetime, end: dt.datetime, waits: Sequence[Wait] = ()) -> dt.timedelta:
        total = dt.timedelta()
        for begins, ends in cells(start, end, waits):
            if self.is_open(begins) and not is_waiting(begins, waits):
                total += ends - begins
        return total

    def due(self, start: dt.datetime, minutes: float, waits: Sequence[Wait] = ()) -> dt.datetime | None:
        missing = dt.timedelta(minutes=minutes)
        if not missing:
            return start
        stands = min((begins for begins, ends in waits if ends is None), default=None)
        for begins, ends in cells(start, start + PATIENCE, waits):
            if stands is not None and begins >= stands:
                return None
            if self.is_open(begins) and not is_waiting(begins, waits):
                if missing <= ends - begins:
                    return begins + missing
                missing -= ends - begins
        raise AssertionError("no deadline within the oracle's patience")

    def next_opening(self, at: dt.datetime) -> dt.datetime:
        return next(begins for begins, _ in cells(at, at + PATIENCE, ()) if self.is_open(begins))

    def openings_near(self, date: dt.date) -> list[Opening]:
        if date not in self.days:
            self.days[date] = [*self.openings(date - DAY), *self.openings(date)]
        return self.days[date]

    def openings(self, date: dt.date) -> list[Opening]:
        special = [holiday for holiday in self.calendar.holidays if holiday.date == date]
        if special:
            return [
                opening(date, holiday.opens, holiday.closes)
                for holiday in special
                if holiday.opens is not None and holiday.closes is not None
            ]
        if date in self.calendar.working_days:
            candidates = (self.weekly(date, weekday) for weekday in (date.weekday(), *range(7)))
            return next(openings for openings in candidates if openings)
        return self.weekly(date, date.weekday())

    def weekly(self, date: dt.date, weekday: int) -> list[Opening]:
        return [
            opening(date, window.opens, window.closes)
            for window in self.calendar.windows
            if weekday in window.days
        ]


def opening(date: dt.date, opens: int, closes: int) -> Opening:
    midnight = dt.datetime.combine(date, dt.time())
    next_day = DAY if closes < opens else dt.timedelta()
    return midnight + opens * MINUTE, midnight + closes * MINUTE + next_day


def is_waiting(at: dt.datetime, waits: Iterable[Wait]) -> bool:
    return any(begins <= at and (ends is None or at < ends) for begins, ends in waits)


def cells(
    start: dt.datetime, end: dt.datetime, waits: Iterable[Wait]
) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    """From start to end, cut at every full minute and where a wait begins or ends."""
    edges = sorted(edge for wait in waits for edge in wait if edge is not None)
    while start < end:
        following = start.replace(second=0, microsecond=0) + MINUTE
        cut = min([following, end, *(edge for edge in edges if edge > start)])
        yield start, cut
        start = cut
