"""Promises kept, and how long people waited. Open tickets count, censored now: no mean of closed ones.

Everything is told as it stood `at` a moment, which may lie in the past: what came later has not happened yet.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Final, NamedTuple, TypeVar

from django.db.models import QuerySet

from recovery import business_hours
from recovery.insight.cohort import keys
from recovery.insight.recovery import Rate
from recovery.models import Calendar, Deadline, TicketEvent
from recovery.models.policy import FIRST_CONTACT, RESOLUTION
from recovery.models.ticket import TicketQuerySet
from surveys.estimates import MIN_ANSWERS_FOR_PERCENT, CensoredTimes, censored_times

KINDS: Final = (FIRST_CONTACT, RESOLUTION)

# What became of a promise: exactly one of these.
KEPT, LATE, OVERDUE, RUNNING, DROPPED = "kept", "late", "overdue", "running", "dropped"
MISSED: Final = (LATE, OVERDUE)

Key = TypeVar("Key", bound=Hashable)
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Promises:
    """Deadlines of one kind, of every cycle: `kept` is of those met or whose time has passed.

    `overdue` of the missed are still open. `running` are neither met nor late yet, or stand still; `dropped`
    stopped mattering before their time: the ticket was resolved without a contact, or merged. A ticket that
    missed in several cycles is one of `tickets_missed`.
    """

    kept: Rate
    overdue: int
    running: int
    dropped: int
    tickets_missed: int = 0

    @property
    def missed(self) -> int:
        return self.kept.n - self.kept.hits


class Promise(NamedTuple):
    """A deadline as it stood at a moment. Team and priority are those the ticket has now."""

    ticket: int
    kind: str
    cycle: int
    team: int
    priority: int
    calendar: int
    starts_at: datetime
    due_at: datetime | None
    met_at: datetime | None
    breached_at: datetime | None
    ended_at: datetime | None
    closed_at: datetime | None
    merged_into: int | None

    @property
    def was_merged(self) -> bool:
        """Ended by a merge: a merge closes the ticket for good, a resolution in an earlier cycle does not."""
        return self.ended_at is not None and self.merged_into is not None and self.closed_at == self.ended_at

    @property
    def key(self) -> tuple[int, str, int]:
        return self.ticket, self.kind, self.cycle

    def fate(self, at: datetime) -> str:
        """Missed, also where the sweep has not seen it yet."""
        passed = self.breached_at is not None
        if self.met_at is not None:
            return LATE if passed or (self.due_at is not None and self.met_at > self.due_at) else KEPT
        if self.ended_at is not None:
            return LATE if passed else DROPPED
        return OVERDUE if passed or (self.due_at is not None and self.due_at <= at) else RUNNING


def promises(cohort: TicketQuerySet, at: datetime) -> dict[str, Promises]:
    """By kind of deadline, in two queries, three of the past."""
    return by_kind(promised(cohort, at), at)


def by_kind(rows: Iterable[Promise], at: datetime) -> dict[str, Promises]:
    found = grouped(rows, lambda row: row.kind)
    return {kind: counted(found.get(kind, []), at) for kind in KINDS}


def first_contacts_by_team(cohort: TicketQuerySet, at: datetime) -> dict[int, Promises]:
    """The first contacts of every team with low scores here, in two queries."""
    rows = (row for row in promised(cohort, at) if row.kind == FIRST_CONTACT)
    return {team: counted(found, at) for team, found in grouped(rows, lambda row: row.team).items()}


def missed(cohort: TicketQuerySet, kind: str, at: datetime) -> TicketQuerySet:
    """The tickets behind the broken promises of a kind."""
    return cohort.filter(pk__in=missed_of(promised(cohort, at), kind, at))


def missed_of(rows: Iterable[Promise], kind: str, at: datetime) -> set[int]:
    return tickets_missed((row for row in rows if row.kind == kind), at)


def tickets_missed(rows: Iterable[Promise], at: datetime) -> set[int]:
    return {row.ticket for row in rows if row.fate(at) in MISSED}


def promised(cohort: TicketQuerySet, at: datetime) -> list[Promise]:
    """Every deadline that had begun, under the due time that was in force. Two queries, three of the past."""
    then = dues_then(cohort, at)
    rows = begun(cohort, at)
    return [row._replace(**then[row.key]._asdict()) if row.key in then else row for row in rows]


def begun(cohort: TicketQuerySet, at: datetime) -> list[Promise]:
    """The deadlines that had begun, with the due time they have now."""
    rows = Deadline.objects.filter(ticket__in=keys(cohort), kind__in=KINDS, starts_at__lte=at).order_by()
    names = ("ticket_id", "kind", "cycle", "ticket__team_id", "ticket__priority", "calendar_id", "starts_at")
    ends = ("due_at", "met_at", "breached_at", "ended_at")
    of_ticket = ("ticket__closed_at", "ticket__merged_into_id")
    return [
        Promise(*row[:8], *(None if end is None or end > at else end for end in row[8:12]), *row[12:])
        for row in rows.values_list(*names, *ends, *of_ticket)
    ]


class Then(NamedTuple):
    """What a deadline was before it was moved: due when, None where the clock stood; and late since when."""

    due_at: datetime | None
    breached_at: datetime | None


class Move(NamedTuple):
    """A deadline got another due time at `at`; it had been due at `before`."""

    key: tuple[int, str, int]
    at: datetime
    before: datetime | None


def dues_then(cohort: TicketQuerySet, at: datetime) -> dict[tuple[int, str, int], Then]:
    """Each deadline that was moved after `at`, as it stood then, by ticket, kind and cycle.

    The first move after `at` says when it was due; a time that had passed when it was moved before stays
    missed. A breach the row tells of may be that of a time nobody knew then.
    """
    moved = TicketEvent.objects.filter(ticket__in=keys(cohort), data__has_key="deadlines").order_by("version")
    later = {move.key: move.before for move in reversed(moves(moved.filter(at__gt=at)))}
    if not later:
        return {}
    earlier = moves(moved.filter(at__lte=at, ticket__in={ticket for ticket, _kind, _cycle in later}))
    missed = {move.key: move.before for move in earlier if move.before and move.before < move.at}
    return {key: Then(due_at, missed.get(key)) for key, due_at in later.items()}


def moves(events: QuerySet[TicketEvent]) -> list[Move]:
    """In the order of the events; a deadline that begins is not moved."""
    return [
        Move((ticket, moved["kind"], cycle), at, read(moved["from"]))
        for ticket, cycle, at, data in events.values_list("ticket_id", "cycle", "at", "data")
        for moved in data["deadlines"]
        if "from" in moved
    ]


def read(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def counted(rows: list[Promise], at: datetime) -> Promises:
    fates = Counter(row.fate(at) for row in rows)
    return Promises(
        kept=Rate(fates[KEPT], fates[KEPT] + fates[LATE] + fates[OVERDUE]),
        overdue=fates[OVERDUE],
        running=fates[RUNNING],
        dropped=fates[DROPPED],
        tickets_missed=len(tickets_missed(rows, at)),
    )


def grouped(rows: Iterable[Row], key: Callable[[Row], Key]) -> dict[Key, list[Row]]:
    found: dict[Key, list[Row]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return found


# --- how long -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Waited:
    """Minutes from a ticket's opening to its first contact or resolution in cycle 1.

    `closed_unheard` were resolved without anybody hearing the customer, and count as not heard however long
    ago that was. `merged` count until they became part of another ticket.
    """

    working: CensoredTimes
    calendar: CensoredTimes
    closed_unheard: int = 0
    merged: int = 0

    @property
    def count(self) -> int:
        return self.calendar.count

    @property
    def open(self) -> int:
        return self.calendar.count - self.calendar.events - self.closed_unheard - self.merged


class Run(NamedTuple):
    """From the start to the end, or to the moment it can no longer be seen."""

    calendar: int
    start: datetime
    end: datetime
    seen: bool


def waited(cohort: TicketQuerySet, at: datetime) -> dict[str, Waited]:
    """By kind, in working minutes of the deadline's own calendar and in minutes of the wall clock.

    A ticket resolved with no contact will never have one: it stays at risk for as long as it could have been
    seen, to `at`, so the curve is the cumulative incidence with that end as a competing one (Fine and Gray
    1999, for complete censoring). A merged ticket is censored at the merge: its matter goes on elsewhere.
    Waiting for the customer is not taken off. Four queries however many tickets there are.
    """
    return waited_by_kind(begun(cohort, at), at)


def waited_by_kind(rows: list[Promise], at: datetime) -> dict[str, Waited]:
    clocks = clocks_for(run_of(row, at) for row in firsts(rows))
    return {kind: waited_of([row for row in rows if row.kind == kind], clocks, at) for kind in KINDS}


def firsts(rows: Iterable[Promise]) -> list[Promise]:
    return [row for row in rows if row.cycle == 1]


def run_of(row: Promise, at: datetime) -> Run:
    end = row.met_at or (row.ended_at if row.was_merged else None) or at
    return Run(row.calendar, row.starts_at, max(row.starts_at, end), row.met_at is not None)


def waited_of(rows: Iterable[Promise], clocks: dict[int, WorkingClock], at: datetime) -> Waited:
    timed = firsts(rows)
    runs = [run_of(row, at) for row in timed]
    seen = [run.seen for run in runs]
    wall = [(run.end - run.start) / timedelta(minutes=1) for run in runs]
    unmet = [row for row in timed if row.met_at is None and row.ended_at is not None]
    merged = sum(row.was_merged for row in unmet)
    return Waited(
        censored_times([working(run, clocks) for run in runs], seen),
        censored_times(wall, seen),
        closed_unheard=len(unmet) - merged,
        merged=merged,
    )


def working(run: Run, clocks: dict[int, WorkingClock]) -> float:
    return clocks[run.calendar].minutes(run.start, run.end)


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


def clocks_for(runs: Iterable[Run]) -> dict[int, WorkingClock]:
    """A clock for each calendar in use, from its earliest start to its latest end. Three queries."""
    reach: dict[int, tuple[datetime, datetime]] = {}
    for run in runs:
        first, last = reach.get(run.calendar, (run.start, run.end))
        reach[run.calendar] = (min(first, run.start), max(last, run.end))
    calendars = Calendar.objects.filter(pk__in=reach).prefetch_related("hours", "days")
    return {row.pk: WorkingClock(row.as_working_calendar(), *reach[row.pk]) for row in calendars}


# --- all of it, and by group --------------------------------------------------------------------------------

TEAM, PRIORITY = "team", "priority"
GROUPED: Final[dict[str, Callable[[Promise], int]]] = {
    TEAM: lambda row: row.team,
    PRIORITY: lambda row: row.priority,
}


@dataclass(frozen=True, slots=True)
class Pace:
    """Both numbers of one kind of deadline, for a group or for everybody."""

    promises: Promises
    waited: Waited

    @property
    def is_enough(self) -> bool:
        return max(self.promises.kept.n, self.waited.count) >= MIN_ANSWERS_FOR_PERCENT


@dataclass(frozen=True, slots=True)
class Times:
    """By kind of deadline: of everybody, and of each group by what it is grouped by and its key."""

    all: dict[str, Pace]
    by: dict[str, dict[str, dict[int, Pace]]]


def times(cohort: TicketQuerySet, at: datetime) -> Times:
    """Promises and waiting of all, of every team and of every priority, in five queries; six of the past."""
    rows = promised(cohort, at)
    clocks = clocks_for(run_of(row, at) for row in firsts(rows))

    def pace(some: list[Promise]) -> Pace:
        return Pace(counted(some, at), waited_of(some, clocks, at))

    kinds = {kind: [row for row in rows if row.kind == kind] for kind in KINDS}
    by = {
        name: {
            kind: {group: pace(some) for group, some in sorted(grouped(of_kind, key).items())}
            for kind, of_kind in kinds.items()
        }
        for name, key in GROUPED.items()
    }
    return Times({kind: pace(of_kind) for kind, of_kind in kinds.items()}, by)
