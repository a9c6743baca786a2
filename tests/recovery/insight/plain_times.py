"""How fast, told deadline by deadline in Python: what `recovery.insight.times` must agree with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from recovery.insight.promised import (
    DROPPED,
    KEPT,
    LATE,
    OVERDUE,
    RUNNING,
    Promise,
    Promises,
    begun,
    dues_then,
    grouped,
    told_then,
)
from recovery.insight.promised import tickets_missed as missed_among
from recovery.insight.recovery import Rate
from recovery.insight.times import KINDS, Pace, Waited
from recovery.insight.working_clock import Run, WorkingClock, clocks_for
from recovery.models.ticket import TicketQuerySet
from tests.surveys.plain_survival import PlainTimes, plain_times

GROUPED: dict[str, Callable[[Promise], int]] = {
    "team": lambda row: row.team,
    "priority": lambda row: row.priority,
    "owner": lambda row: row.owner,
}


@dataclass(frozen=True)
class Plain:
    """What of one kind and group: `allowed` are the fewest and the most minutes promised."""

    promises: Promises
    working: PlainTimes
    calendar: PlainTimes
    closed_unheard: int
    merged: int
    allowed: tuple[int, int] | None


def plainly(cohort: TicketQuerySet, at: datetime) -> dict[tuple[str, str, int], Plain]:
    """By kind and group; everybody is the group "" with the key 0."""
    rows = promised(cohort, at)
    groups = {("", 0): rows}
    for name, key in GROUPED.items():
        groups |= {(name, value): some for value, some in grouped(rows, key).items()}
    return {
        (kind, *group): told([row for row in some if row.kind == kind], at)
        for group, some in groups.items()
        for kind in KINDS
    }


def told(rows: list[Promise], at: datetime, clocks: dict[int, WorkingClock] | None = None) -> Plain:
    firsts = [row for row in rows if row.cycle == 1]
    runs = [run_of(row, at) for row in firsts]
    clocks, seen = clocks or clocks_for(runs), [run.seen for run in runs]
    unmet = [row for row in firsts if row.met_at is None and row.ended_at is not None]
    merged = sum(row.was_merged for row in unmet)
    minutes = [row.minutes for row in rows]
    return Plain(
        counted(rows, at),
        plain_times([clocks[run.calendar].minutes(run.start, run.end) for run in runs], seen),
        plain_times([(run.end - run.start) / timedelta(minutes=1) for run in runs], seen),
        len(unmet) - merged,
        merged,
        (min(minutes), max(minutes)) if minutes else None,
    )


def run_of(row: Promise, at: datetime) -> Run:
    end = row.met_at or (row.ended_at if row.was_merged else None) or at
    return Run(row.calendar, row.starts_at, max(row.starts_at, end), row.met_at is not None)


def agree(found: Pace, plain: Plain) -> None:
    assert found.promises == plain.promises
    assert found.allowed == plain.allowed
    same_times(found.waited, plain)


def same_times(found: Waited, plain: Plain) -> None:
    assert (found.closed_unheard, found.merged) == (plain.closed_unheard, plain.merged)
    for ours, theirs in ((found.working, plain.working), (found.calendar, plain.calendar)):
        assert (ours.count, ours.steps) == (theirs.count, theirs.steps)
        for percent in (20, 50, 80):
            assert ours.percentile(percent) == theirs.percentile(percent)


def tickets_missed(rows: Iterable[Promise], kind: str, at: datetime) -> set[int]:
    return {row.ticket for row in rows if row.kind == kind and row.fate(at) in ("late", "overdue")}


def promised(cohort: TicketQuerySet, at: datetime) -> list[Promise]:
    """Every deadline that had begun, under the due time that was in force. Two queries, three of the past."""
    return told_then(begun(cohort, at), dues_then(cohort, at))


def by_kind(rows: Iterable[Promise], at: datetime) -> dict[str, Promises]:
    found = grouped(rows, lambda row: row.kind)
    return {kind: counted(found.get(kind, []), at) for kind in KINDS}


def counted(rows: list[Promise], at: datetime) -> Promises:
    fates = Counter(row.fate(at) for row in rows)
    return Promises(
        kept=Rate(fates[KEPT], fates[KEPT] + fates[LATE] + fates[OVERDUE]),
        overdue=fates[OVERDUE],
        running=fates[RUNNING],
        dropped=fates[DROPPED],
        tickets_missed=len(missed_among(rows, at)),
    )
