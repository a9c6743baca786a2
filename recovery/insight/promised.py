"""What was promised, deadline by deadline, as each stood at a moment: what came later has not happened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeVar

from django.db.models import QuerySet

from recovery.insight.cohort import keys
from recovery.insight.recovery import Rate
from recovery.models import Deadline, TicketEvent
from recovery.models.policy import FIRST_CONTACT, RESOLUTION
from recovery.models.ticket import TicketQuerySet

KINDS: Final = (FIRST_CONTACT, RESOLUTION)

# What became of a promise: exactly one of these.
KEPT, LATE, OVERDUE, RUNNING, DROPPED = "kept", "late", "overdue", "running", "dropped"
FATES: Final = (KEPT, LATE, OVERDUE, RUNNING, DROPPED)
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
    """A deadline as it stood at a moment. Team, priority and owner are those the ticket has now."""

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
    owner: int
    minutes: int

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


def told_then(rows: Iterable[Promise], then: Mapping[tuple[int, str, int], Then]) -> list[Promise]:
    return [row._replace(**then[row.key]._asdict()) if row.key in then else row for row in rows]


def begun(cohort: TicketQuerySet, at: datetime) -> list[Promise]:
    """The deadlines that had begun, with the due time they have now."""
    names = ("ticket_id", "kind", "cycle", "ticket__team_id", "ticket__priority", "calendar_id", "starts_at")
    ends = ("due_at", "met_at", "breached_at", "ended_at")
    others = ("ticket__closed_at", "ticket__merged_into_id", "ticket__owner_id", "minutes")
    return [
        Promise(*row[:8], *(None if end is None or end > at else end for end in row[8:12]), *row[12:])
        for row in deadlines_of(cohort, at).values_list(*names, *ends, *others)
    ]


def deadlines_of(cohort: TicketQuerySet, at: datetime) -> QuerySet[Any]:
    return Deadline.objects.filter(ticket__in=keys(cohort), kind__in=KINDS, starts_at__lte=at).order_by()


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


def tickets_missed(rows: Iterable[Promise], at: datetime) -> set[int]:
    return {row.ticket for row in rows if row.fate(at) in MISSED}


def grouped(rows: Iterable[Row], key: Callable[[Row], Key]) -> dict[Key, list[Row]]:
    found: dict[Key, list[Row]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return found
