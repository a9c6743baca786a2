"""Working time: which real instants count, how many there are, and where they run out.

An instant is working when its wall clock in the calendar's zone lies in a half-open window [opens, closes) of
that local day. Nothing here converts the ends of a window to UTC: the UTC line is cut into pieces of constant
offset, and each piece is matched against the windows by itself. So an hour that a clock change repeats is
worked twice, an hour it skips is not worked, and a day that a zone skips altogether has no working time.

Every function takes aware datetimes and answers in UTC. Inside, an instant is a whole number of microseconds
since 1970, which keeps seconds and fractions exact.
"""

import datetime as dt
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import NamedTuple

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
EPOCH_DAY = EPOCH.toordinal()
EPOCH_WEEKDAY = EPOCH.weekday()
MICROSECOND = dt.timedelta(microseconds=1)
SECOND = 1_000_000
MINUTE = 60 * SECOND
DAY = 1440 * MINUTE
FARTHEST = 100 * 366 * DAY  # bounds every search, even in a calendar that is open one minute a week
LOOK_BACK = 28 * DAY
# A year of room on both sides, so that no local date leaves the range of datetime.
START_OF_TIME = (dt.datetime(2, 1, 1, tzinfo=dt.UTC) - EPOCH) // MICROSECOND
END_OF_TIME = (dt.datetime(9999, 1, 1, tzinfo=dt.UTC) - EPOCH) // MICROSECOND

Hours = tuple[tuple[int, int], ...]
Wait = tuple[dt.datetime, dt.datetime | None]


class CalendarError(ValueError):
    """A calendar that cannot be used: `where` is the path of the value to change, `code` is stable."""

    def __init__(self, where: str, code: str, message: str) -> None:
        super().__init__(message)
        self.where, self.code, self.message = where, code, message


class WorkingTimeError(ValueError):
    """A time or an amount that cannot be reckoned with; `code` is stable."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def parse_minutes(text: str, where: str = "") -> int:
    """Minutes after midnight of "HH:MM", from "00:00" to "24:00". Raises CalendarError with this `where`."""
    match = re.fullmatch(r"([0-9]{1,2}):([0-5][0-9])", text.strip())
    minutes = int(match[1]) * 60 + int(match[2]) if match else -1
    if not 0 <= minutes <= 1440:
        raise CalendarError(
            where, "bad_time", f"{text!r} is no time of day: write 00:00 to 24:00, like 09:00."
        )
    return minutes


def format_minutes(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


@dataclass(frozen=True, slots=True)
class Window:
    """Open on these days of the week (Monday is 0). `opens` and `closes` are minutes after local midnight.

    `closes` may be 1440. When it is earlier than `opens` the window runs past midnight, and all of it belongs
    to the day it opens.
    """

    days: frozenset[int]
    opens: int
    closes: int


@dataclass(frozen=True, slots=True)
class Holiday:
    """Closed on this local date, or open only during these hours, which replace the day's own.

    A date may be listed again: with more hours to be open twice that day, or closed under a second name.
    """

    date: dt.date
    name: str = ""
    opens: int | None = None
    closes: int | None = None


class Span(NamedTuple):
    start: dt.datetime
    end: dt.datetime


@dataclass(frozen=True)
class WorkingCalendar:
    """Raises CalendarError when the parts contradict each other or leave no time open.

    A day in `working_days` takes its own weekday's windows, or, if that weekday has none, those of the first
    weekday from Monday that has some.
    """

    zone: dt.tzinfo
    windows: tuple[Window, ...]
    holidays: tuple[Holiday, ...] = ()
    working_days: frozenset[dt.date] = frozenset()
    name: str = ""

    def __post_init__(self) -> None:
        _check_windows(self.windows)
        _check_holidays(self.holidays, self.working_days)

    def hours_of(self, day: int) -> Hours:
        """Half-open stretches in microseconds after the local midnight of this day, in order of opening."""
        special = self._special.get(day)
        return self._week[(day + EPOCH_WEEKDAY) % 7] if special is None else special

    def hours_on_holiday(self, day: int) -> Hours:
        """What the weekday would have been open, if this day is a holiday; else nothing."""
        return self._week[(day + EPOCH_WEEKDAY) % 7] if day in self.holiday_names else ()

    @cached_property
    def holiday_names(self) -> dict[int, str]:
        names: dict[int, list[str]] = {}
        for holiday in self.holidays:
            known = names.setdefault(_number_of(holiday.date), [])
            if holiday.name and holiday.name not in known:
                known.append(holiday.name)
        return {day: ", ".join(known) for day, known in names.items()}

    @cached_property
    def _week(self) -> tuple[Hours, ...]:
        hours: list[list[tuple[int, int]]] = [[] for _ in range(7)]
        for window in self.windows:
            for weekday in window.days:
                hours[weekday].append(_hours(window.opens, window.closes))
        return tuple(tuple(sorted(day)) for day in hours)

    @cached_property
    def _special(self) -> dict[int, Hours]:
        first_worked = next(hours for hours in self._week if hours)
        days: dict[int, Hours] = {
            _number_of(date): self._week[date.weekday()] or first_worked for date in self.working_days
        }
        for holiday in self.holidays:
            hours = days.setdefault(_number_of(holiday.date), ())
            if holiday.opens is not None and holiday.closes is not None:
                days[_number_of(holiday.date)] = tuple(
                    sorted((*hours, _hours(holiday.opens, holiday.closes)))
                )
        return days


def open_spans(
    calendar: WorkingCalendar, start: dt.datetime, until: dt.datetime | None = None
) -> Iterator[Span]:
    """Working time from `start` in order; touching stretches are one span.

    What stays open for over a year is cut into spans of about a year, so that a calendar that never closes
    answers too.
    """
    first = to_micros(start)
    last = END_OF_TIME if until is None else to_micros(until)
    for opens, closes in _merged(calendar, first, last, longest=366 * DAY):
        yield Span(from_micros(opens), from_micros(closes))


def worked(
    calendar: WorkingCalendar, start: dt.datetime, end: dt.datetime, waits: Iterable[Wait] = ()
) -> dt.timedelta:
    """Working time from `start` to `end` outside the waits; nothing when `end` comes first."""
    parts = parted(calendar, to_micros(start), to_micros(end), settled(waits))
    return MICROSECOND * sum(closes - opens for opens, closes, waiting in parts if not waiting)


def add_working_time(
    calendar: WorkingCalendar, start: dt.datetime, amount: dt.timedelta, waits: Iterable[Wait] = ()
) -> dt.datetime | None:
    """The earliest instant by which `amount` is worked outside the waits; None if an open wait comes first.

    Raises WorkingTimeError when that lies more than a hundred years off or outside the years 2 to 9998.
    """
    first, remaining, pauses = to_micros(start), _positive(amount), settled(waits)
    if not remaining:
        return from_micros(first)
    stands = bool(pauses) and pauses[-1][1] is None
    last = pauses[-1][0] if stands else min(first + FARTHEST, END_OF_TIME)
    for opens, closes, waiting in parted(calendar, first, last, pauses):
        if waiting:
            continue
        if remaining <= closes - opens:
            return from_micros(opens + remaining)
        remaining -= closes - opens
    if stands:
        return None
    raise _too_far()


def subtract_working_time(calendar: WorkingCalendar, end: dt.datetime, amount: dt.timedelta) -> dt.datetime:
    """The latest instant from which exactly `amount` of working time is left until `end`."""
    upper, remaining = to_micros(end), _positive(amount)
    if not remaining:
        return from_micros(upper)
    earliest = max(upper - FARTHEST, START_OF_TIME)
    while upper > earliest:
        lower = max(upper - LOOK_BACK, earliest)
        for opens, closes in reversed(list(_merged(calendar, lower, upper))):
            if remaining <= closes - opens:
                return from_micros(closes - remaining)
            remaining -= closes - opens
        upper = lower
    raise _too_far()


def is_open(calendar: WorkingCalendar, at: dt.datetime) -> bool:
    instant = to_micros(at)
    return any(_stretches(calendar.zone, calendar.hours_of, instant, instant + 1))


def next_opening(calendar: WorkingCalendar, at: dt.datetime) -> dt.datetime:
    """The first working instant from `at` on: `at` itself when open then."""
    instant = to_micros(at)
    last = min(instant + FARTHEST, END_OF_TIME)
    for opens, _closes, _day in _stretches(calendar.zone, calendar.hours_of, instant, last):
        return from_micros(opens)
    raise _too_far()


def to_micros(at: dt.datetime) -> int:
    """Raises WorkingTimeError for a naive time, and outside the years 2 to 9998."""
    if at.utcoffset() is None:
        raise WorkingTimeError("naive", f"{at.isoformat()} has no time zone: give an offset, like +00:00.")
    instant = (at - EPOCH) // MICROSECOND
    if not START_OF_TIME <= instant < END_OF_TIME:
        raise WorkingTimeError("out_of_range", f"{at.isoformat()} is out of range: use the years 2 to 9998.")
    return instant


def from_micros(instant: int) -> dt.datetime:
    return EPOCH + dt.timedelta(microseconds=instant)


def settled(waits: Iterable[Wait]) -> list[tuple[int, int | None]]:
    """The union of the waits in order, in microseconds; only the last may be open."""
    pauses: list[tuple[int, int | None]] = []
    for lower, upper in sorted(map(_wait_in_micros, waits), key=lambda wait: wait[0]):
        if not pauses or (pauses[-1][1] is not None and lower > pauses[-1][1]):
            pauses.append((lower, upper))
        elif pauses[-1][1] is not None and (upper is None or upper > pauses[-1][1]):
            pauses[-1] = (pauses[-1][0], upper)
    return pauses


def parted(
    calendar: WorkingCalendar, start: int, end: int, pauses: list[tuple[int, int | None]]
) -> Iterator[tuple[int, int, bool]]:
    """Working time between two instants, cut where a pause begins or ends: from, to, whether it is paused."""
    upcoming = 0
    for opens, closes in _merged(calendar, start, end):
        reached = opens
        while reached < closes:
            while upcoming < len(pauses) and _ends_by(pauses[upcoming], reached):
                upcoming += 1
            lower, upper = pauses[upcoming] if upcoming < len(pauses) else (closes, None)
            waiting = lower <= reached
            cut = min(closes, lower if not waiting else closes if upper is None else upper)
            yield reached, cut, waiting
            reached = cut


def taken_by_holidays(calendar: WorkingCalendar, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    """What would be open between two instants were it not for holidays: from, to, the holiday's name."""
    for opens, closes, day in _stretches(calendar.zone, calendar.hours_on_holiday, start, end):
        yield opens, closes, calendar.holiday_names[day]


def _merged(
    calendar: WorkingCalendar, start: int, end: int, longest: int = 7 * DAY
) -> Iterator[tuple[int, int]]:
    """Working stretches with overlaps counted once. One that lasts is cut whenever it exceeds `longest`."""
    opened = closed = start
    for opens, closes, _day in _stretches(calendar.zone, calendar.hours_of, start, end):
        if opens > closed or closed - opened > longest:
            if opened < closed:
                yield opened, closed
            opened = closed = max(opens, closed)
        closed = max(closed, closes)
    if opened < closed:
        yield opened, closed


def _stretches(
    zone: dt.tzinfo, hours_of: Callable[[int], Hours], start: int, end: int
) -> Iterator[tuple[int, int, int]]:
    """Every stretch of these hours between two instants, by its beginning, with its local day's number."""
    for begins, ends, offset in _pieces_between(zone, start, end):
        first, last = max(begins, start) + offset, min(ends, end) + offset
        # From the day before, because its hours may run past midnight.
        for day in range(first // DAY - 1, (last - 1) // DAY + 1):
            midnight = day * DAY
            for opens, closes in hours_of(day):
                lower, upper = (max(midnight + opens, first), min(midnight + closes, last))
                if lower < upper:
                    yield lower - offset, upper - offset, day


def _pieces_between(zone: dt.tzinfo, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    if start >= end:
        return
    for year in range(from_micros(start).year, from_micros(end - 1).year + 1):
        for piece in _pieces(zone, year):
            if piece[0] < end and piece[1] > start:
                yield piece


@lru_cache(maxsize=8192)
def _pieces(zone: dt.tzinfo, year: int) -> tuple[tuple[int, int, int], ...]:
    """The UTC year cut where the zone's offset changes: from, to, offset.

    Looks every third day: no zone in the tz database changes its offset twice within six days.
    """
    begins, ends = ((dt.datetime(y, 1, 1, tzinfo=dt.UTC) - EPOCH) // MICROSECOND for y in (year, year + 1))
    marks = [*range(begins, ends, 3 * DAY), ends]
    pieces, offset = [], _offset(zone, begins)
    for before, after in pairwise(marks):
        if _offset(zone, after) != offset:
            change = _first_second_without(zone, offset, before, after)
            pieces.append((begins, change, offset))
            begins, offset = change, _offset(zone, after)
    if begins < ends:
        pieces.append((begins, ends, offset))
    return tuple(pieces)


def _first_second_without(zone: dt.tzinfo, offset: int, before: int, after: int) -> int:
    seconds = range(before, after + 1, SECOND)
    return seconds[bisect_right(seconds, False, key=lambda instant: _offset(zone, instant) != offset)]


def _offset(zone: dt.tzinfo, instant: int) -> int:
    return (from_micros(instant).astimezone(zone).utcoffset() or dt.timedelta()) // MICROSECOND


def _number_of(date: dt.date) -> int:
    return date.toordinal() - EPOCH_DAY


def _hours(opens: int, closes: int) -> tuple[int, int]:
    return opens * MINUTE, (closes if closes > opens else closes + 1440) * MINUTE


def _wait_in_micros(wait: Wait) -> tuple[int, int | None]:
    lower, upper = to_micros(wait[0]), None if wait[1] is None else to_micros(wait[1])
    if upper is not None and upper < lower:
        raise WorkingTimeError("wait_reversed", f"The wait from {wait[0]} ends before it begins.")
    return lower, upper


def _ends_by(pause: tuple[int, int | None], instant: int) -> bool:
    return pause[1] is not None and pause[1] <= instant


def _positive(amount: dt.timedelta) -> int:
    if amount < dt.timedelta():
        raise WorkingTimeError("negative", "Working time cannot be negative: give zero or more.")
    return amount // MICROSECOND


def _too_far() -> WorkingTimeError:
    return WorkingTimeError(
        "too_far", "This lies more than a hundred years away: ask for less working time, or open longer."
    )


def _check_windows(windows: tuple[Window, ...]) -> None:
    if not windows:
        raise CalendarError("windows", "no_open_time", "This calendar is never open: add a window.")
    for index, window in enumerate(windows):
        where = f"windows[{index}]"
        if not window.days:
            raise CalendarError(f"{where}.days", "no_days", "This window has no days: choose at least one.")
        if not window.days <= set(range(7)):
            raise CalendarError(f"{where}.days", "bad_day", "Days go from 0 for Monday to 6 for Sunday.")
        _check_hours(where, window.opens, window.closes)


def _check_holidays(holidays: tuple[Holiday, ...], working_days: frozenset[dt.date]) -> None:
    closed: dict[dt.date, bool] = {}
    for index, holiday in enumerate(holidays):
        where, day = f"holidays[{index}]", holiday.date.isoformat()
        if holiday.date in working_days:
            raise CalendarError(
                f"{where}.date", "contradiction", f"{day} is a holiday and a working day: keep one."
            )
        if closed.setdefault(holiday.date, holiday.opens is None) != (holiday.opens is None):
            raise CalendarError(f"{where}.date", "contradiction", f"{day} is closed and has hours: keep one.")
        if (holiday.opens is None) != (holiday.closes is None):
            missing = "open" if holiday.opens is None else "close"
            raise CalendarError(
                f"{where}.{missing}", "half_hours", "Give both hours, or none for a closed day."
            )
        if holiday.opens is not None and holiday.closes is not None:
            _check_hours(where, holiday.opens, holiday.closes)


def _check_hours(where: str, opens: int, closes: int) -> None:
    if not 0 <= opens < 1440:
        raise CalendarError(f"{where}.open", "bad_time", "Open at a time from 00:00 to 23:59.")
    if not 0 <= closes <= 1440:
        raise CalendarError(f"{where}.close", "bad_time", "Close at a time from 00:00 to 24:00.")
    if opens == closes:
        raise CalendarError(
            f"{where}.close",
            "empty_window",
            "This opens and closes at the same time: close later, or use 00:00 to 24:00 for a whole day.",
        )
