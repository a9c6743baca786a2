"""When a deadline falls due, and the ledger that explains it line by line."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from recovery.business_hours import (
    MICROSECOND,
    MINUTE,
    Wait,
    WorkingCalendar,
    WorkingTimeError,
    add_working_time,
    from_micros,
    parted,
    settled,
    taken_by_holidays,
    to_micros,
    worked,
)

WORKING, CLOSED, HOLIDAY, WAITING = "working", "closed", "holiday", "waiting"
MOST_MINUTES = 5_256_000  # ten years around the clock

Stretch = tuple[int, int, str, str]  # from and to in microseconds, why, the holiday's name


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """Half-open in time. Only a working line has minutes; a part of a minute makes them a float."""

    start: dt.datetime
    end: dt.datetime
    minutes: float
    why: str
    name: str = ""


@dataclass(frozen=True)
class Reckoning:
    """`due_at` is None while the clock stands. The lines touch and run from the start to `due_at`.

    While the clock stands they run to the beginning of the open wait, and on to `at` when that was given.
    """

    due_at: dt.datetime | None
    ledger: tuple[LedgerLine, ...]
    paused: bool


def reckon(
    calendar: WorkingCalendar,
    start: dt.datetime,
    minutes: float,
    waits: Iterable[Wait] = (),
    *,
    at: dt.datetime | None = None,
) -> Reckoning:
    """Due at the earliest instant by which `minutes` are worked outside the waits; zero are due at the start.

    A wait without an end stops the clock. Raises WorkingTimeError for naive or unusable times, for minutes
    below zero or above MOST_MINUTES, and when the deadline would lie more than a hundred years off.
    """
    known, amount = list(waits), _checked(minutes)
    due_at = add_working_time(calendar, start, amount, known)
    begins = to_micros(start)
    if due_at is not None:
        lines = _ledger(calendar, begins, to_micros(due_at), known)
        return Reckoning(due_at, _balanced(lines, minutes), paused=False)
    stands_from = max(begins, settled(known)[-1][0])
    lines = _ledger(calendar, begins, stands_from, known)
    if at is not None and to_micros(at) > stands_from:
        lines += (LedgerLine(from_micros(stands_from), from_micros(to_micros(at)), 0, WAITING),)
    return Reckoning(None, lines, paused=True)


def time_used(
    calendar: WorkingCalendar, start: dt.datetime, at: dt.datetime, waits: Iterable[Wait] = ()
) -> dt.timedelta:
    """Working time on the clock at this instant; nothing before the start."""
    return worked(calendar, start, at, waits)


def time_left(
    calendar: WorkingCalendar, start: dt.datetime, minutes: float, at: dt.datetime, waits: Iterable[Wait] = ()
) -> dt.timedelta:
    """Working time until due; below zero it is the working time by which the deadline has been missed."""
    return _checked(minutes) - worked(calendar, start, at, waits)


def ledger_to_json(ledger: Iterable[LedgerLine]) -> list[dict[str, Any]]:
    return [
        {"from": line.start.isoformat(), "to": line.end.isoformat(), "minutes": line.minutes, "why": line.why}
        | ({"name": line.name} if line.name else {})
        for line in ledger
    ]


def ledger_from_json(rows: Iterable[dict[str, Any]]) -> tuple[LedgerLine, ...]:
    return tuple(
        LedgerLine(
            dt.datetime.fromisoformat(row["from"]),
            dt.datetime.fromisoformat(row["to"]),
            row["minutes"],
            row["why"],
            row.get("name", ""),
        )
        for row in rows
    )


def _checked(minutes: float) -> dt.timedelta:
    if not 0 <= minutes <= MOST_MINUTES:
        raise WorkingTimeError(
            "bad_minutes", f"{minutes} minutes cannot be reckoned: give 0 to {MOST_MINUTES}, ten years."
        )
    return MICROSECOND * round(minutes * MINUTE)


def _ledger(calendar: WorkingCalendar, start: int, end: int, waits: Iterable[Wait]) -> tuple[LedgerLine, ...]:
    return tuple(
        LedgerLine(
            from_micros(lower),
            from_micros(upper),
            _minutes(upper - lower) if why == WORKING else 0,
            why,
            name,
        )
        for lower, upper, why, name in _joined(_explained(calendar, start, end, waits))
    )


def _explained(calendar: WorkingCalendar, start: int, end: int, waits: Iterable[Wait]) -> Iterator[Stretch]:
    """Every moment between two instants, and why it counts or does not, in order."""
    reached = start
    for opens, closes, waiting in parted(calendar, start, end, settled(waits)):
        yield from _closed(calendar, reached, opens)
        yield opens, closes, WAITING if waiting else WORKING, ""
        reached = closes
    yield from _closed(calendar, reached, end)


def _closed(calendar: WorkingCalendar, start: int, end: int) -> Iterator[Stretch]:
    reached = start
    for begins, ends, name in _holidays(calendar, start, end):
        if begins > reached:
            yield reached, begins, CLOSED, ""
        yield begins, ends, HOLIDAY, name
        reached = ends
    if end > reached:
        yield reached, end, CLOSED, ""


def _holidays(calendar: WorkingCalendar, start: int, end: int) -> list[tuple[int, int, str]]:
    """What holidays took from closed time: one stretch for days of one name, with the nights between them."""
    spells: list[tuple[int, int, str]] = []
    if start >= end or not calendar.holiday_names:
        return spells
    for begins, ends, name in taken_by_holidays(calendar, start, end):
        reached = spells[-1][1] if spells else start
        if spells and spells[-1][2] == name:
            spells[-1] = (spells[-1][0], max(reached, ends), name)
        elif ends > reached:
            spells.append((max(begins, reached), ends, name))
    return spells


def _joined(stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    """Neighbours that say the same become one."""
    last: Stretch | None = None
    for stretch in stretches:
        if last and last[2:] == stretch[2:]:
            last = (last[0], *stretch[1:])
            continue
        if last:
            yield last
        last = stretch
    if last:
        yield last


def _balanced(lines: tuple[LedgerLine, ...], minutes: float) -> tuple[LedgerLine, ...]:
    """The last line takes what rounding parts of a minute left over, so that the sum is what was asked."""
    if sum(line.minutes for line in lines) == minutes:
        return lines
    others = sum(line.minutes for line in lines[:-1])
    return (*lines[:-1], replace(lines[-1], minutes=minutes - others))


def _minutes(span: int) -> float:
    return span / MINUTE if span % MINUTE else span // MINUTE
