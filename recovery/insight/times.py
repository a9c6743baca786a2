"""Promises kept, and how long people waited. Open tickets count, censored now: no mean of closed ones."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any, Final, NamedTuple

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from recovery import business_hours
from recovery.insight.cohort import keys
from recovery.insight.recovery import Rate
from recovery.models import Calendar, Deadline
from recovery.models.policy import FIRST_CONTACT, RESOLUTION
from recovery.models.ticket import TicketQuerySet
from surveys.estimates import CensoredTimes, censored_times

KINDS: Final = (FIRST_CONTACT, RESOLUTION)
RUNNING: Final = Q(met_at=None, ended_at=None)
NOTHING: Final = dict.fromkeys(("total", "judged", "missed", "overdue", "running"), 0)


@dataclass(frozen=True, slots=True)
class Promises:
    """Deadlines of one kind, of every cycle: `kept` is of those met or whose time has passed.

    `overdue` of the missed are still open. `running` are neither met nor late yet, or stand still; `dropped`
    stopped mattering before their time: the ticket was resolved without a contact, or merged.
    """

    kept: Rate
    overdue: int
    running: int
    dropped: int

    @property
    def missed(self) -> int:
        return self.kept.n - self.kept.hits


def late_at(at: datetime) -> Q:
    """Missed, also where the sweep has not seen it yet."""
    return Q(breached_at__isnull=False) | (RUNNING & Q(due_at__lte=at)) | Q(met_at__gt=F("due_at"))


def promises(cohort: TicketQuerySet, at: datetime) -> dict[str, Promises]:
    """By kind of deadline, in one query."""
    found = counted(Deadline.objects.filter(ticket__in=keys(cohort)), "kind", at)
    return {kind: promises_of({**NOTHING, **found.get(kind, {})}) for kind in KINDS}


def first_contacts_by_team(cohort: TicketQuerySet, at: datetime) -> dict[int, Promises]:
    """The first contacts of every team with low scores here, in one query."""
    rows = Deadline.objects.filter(ticket__in=keys(cohort), kind=FIRST_CONTACT)
    return {team: promises_of(row) for team, row in counted(rows, "ticket__team", at).items()}


def counted(deadlines: QuerySet[Deadline], key: str, at: datetime) -> dict[Any, dict[str, Any]]:
    met, late = Q(met_at__isnull=False), late_at(at)
    ahead = Q(breached_at=None) & (Q(due_at=None) | Q(due_at__gt=at))
    rows = deadlines.order_by().values(key)
    counts = rows.annotate(
        total=Count("pk"),
        judged=Count("pk", filter=met | late),
        missed=Count("pk", filter=late),
        overdue=Count("pk", filter=RUNNING & late),
        running=Count("pk", filter=RUNNING & ahead),
    )
    return {row[key]: row for row in counts}


def promises_of(row: dict[str, Any]) -> Promises:
    return Promises(
        kept=Rate(row["judged"] - row["missed"], row["judged"]),
        overdue=row["overdue"],
        running=row["running"],
        dropped=row["total"] - row["judged"] - row["running"],
    )


def missed(cohort: TicketQuerySet, kind: str, at: datetime) -> TicketQuerySet:
    """The tickets behind the broken promises of a kind."""
    rows = Deadline.objects.filter(late_at(at), ticket=OuterRef("pk"), kind=kind)
    return cohort.filter(Exists(rows))


# --- how long -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Waited:
    """Minutes from a ticket's opening to its first contact or resolution in cycle 1."""

    working: CensoredTimes
    calendar: CensoredTimes

    @property
    def count(self) -> int:
        return self.calendar.count

    @property
    def open(self) -> int:
        return self.calendar.count - self.calendar.events


class Run(NamedTuple):
    """From the start to the end, or to the moment it can no longer be seen."""

    kind: str
    calendar: int
    start: datetime
    end: datetime
    seen: bool


def waited(cohort: TicketQuerySet, at: datetime) -> dict[str, Waited]:
    """By kind, in working minutes of the deadline's own calendar and in minutes of the wall clock.

    A ticket that ended without the event (resolved with no contact, merged) is censored where it ended.
    Waiting for the customer is not taken off. Four queries however many tickets there are.
    """
    runs = list(runs_of(cohort, at))
    clocks = clocks_for(runs)
    return {kind: waited_of([run for run in runs if run.kind == kind], clocks) for kind in KINDS}


def runs_of(cohort: TicketQuerySet, at: datetime) -> Iterator[Run]:
    rows = Deadline.objects.filter(ticket__in=keys(cohort), cycle=1, kind__in=KINDS).order_by()
    over = rows.annotate(over_at=Coalesce("met_at", "ended_at"))
    names = ("kind", "calendar_id", "starts_at", "over_at", "met_at")
    for kind, calendar, start, over_at, met_at in over.values_list(*names):
        yield Run(kind, calendar, start, max(start, over_at or at), met_at is not None)


def waited_of(runs: list[Run], clocks: dict[int, WorkingClock]) -> Waited:
    seen = [run.seen for run in runs]
    working = [clocks[run.calendar].minutes(run.start, run.end) for run in runs]
    wall = [(run.end - run.start) / timedelta(minutes=1) for run in runs]
    return Waited(censored_times(working, seen), censored_times(wall, seen))


class WorkingClock:
    """`business_hours.worked` for many questions to one calendar: its open spans are walked once."""

    def __init__(self, calendar: business_hours.WorkingCalendar, start: datetime, end: datetime) -> None:
        spans = list(business_hours.open_spans(calendar, start, end))
        self._opens = [span.start for span in spans]
        self._lengths = [span.end - span.start for span in spans]
        self._before = list(accumulate(self._lengths, initial=timedelta()))

    def minutes(self, start: datetime, end: datetime) -> float:
        """Working minutes between two instants inside the span the clock was made for."""
        return (self._until(end) - self._until(start)) / timedelta(minutes=1)

    def _until(self, instant: datetime) -> timedelta:
        index = bisect_right(self._opens, instant) - 1
        if index < 0:
            return timedelta()
        return self._before[index] + min(instant - self._opens[index], self._lengths[index])


def clocks_for(runs: list[Run]) -> dict[int, WorkingClock]:
    """A clock for each calendar in use, from its earliest start to its latest end."""
    reach: dict[int, tuple[datetime, datetime]] = {}
    for run in runs:
        first, last = reach.get(run.calendar, (run.start, run.end))
        reach[run.calendar] = (min(first, run.start), max(last, run.end))
    calendars = Calendar.objects.filter(pk__in=reach).prefetch_related("hours", "days")
    return {row.pk: WorkingClock(row.as_working_calendar(), *reach[row.pk]) for row in calendars}
