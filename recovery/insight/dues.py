"""What became of the promises, counted by PostgreSQL: to the last one as `insight.promised` tells them.

Tickets of which a deadline was moved after the moment asked for are few: they are told one by one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from operator import attrgetter
from typing import Any, Final, NamedTuple

from django.db.models import Case, CharField, Count, F, Max, Min, Q, QuerySet, Value, When

from recovery.insight.promised import (
    DROPPED,
    FATES,
    KEPT,
    KINDS,
    LATE,
    MISSED,
    OVERDUE,
    RUNNING,
    Promise,
    Promises,
    begun,
    deadlines_of,
    dues_then,
    grouped,
    tickets_missed,
    told_then,
)
from recovery.insight.recovery import Rate
from recovery.models import Deadline, Ticket
from recovery.models.ticket import TicketQuerySet

TEAM, PRIORITY, OWNER = "team", "priority", "owner"
GROUPINGS: Final = (TEAM, PRIORITY, OWNER)


class Tally(NamedTuple):
    """The deadlines of one kind of all tickets of one team, priority and owner, by what became of them.

    `least` and `most` are the working minutes they allow, extensions not counted.
    """

    kind: str
    team: int
    priority: int
    owner: int
    kept: int
    late: int
    overdue: int
    running: int
    dropped: int
    tickets_missed: int
    least: int
    most: int


@dataclass(frozen=True)
class Dues:
    """The deadlines of a cohort that had begun by `at`. What was moved since is looked up once."""

    cohort: TicketQuerySet
    at: datetime

    def tallies(self) -> list[Tally]:
        """In two queries, besides those for what was moved. Team, priority and owner are those of today."""
        told = grouped(self.moved, attrgetter("kind", *GROUPINGS))
        return [*self._counted(), *(tally_of(rows, self.at) for rows in told.values())]

    def missed(self, kind: str) -> TicketQuerySet:
        """The tickets behind the broken promises of a kind."""
        rows = self._untouched().filter(kind=kind, fate__in=MISSED)
        told = tickets_missed((row for row in self.moved if row.kind == kind), self.at)
        counted = Q(pk__in=rows.values("ticket"))
        return Ticket.objects.filter(counted | Q(pk__in=told) if told else counted)

    @cached_property
    def moved(self) -> list[Promise]:
        """Every deadline of the tickets of which one was moved after the moment."""
        then = dues_then(self.cohort, self.at)
        tickets = {ticket for ticket, _kind, _cycle in then}
        return told_then(begun(self.cohort.filter(pk__in=tickets), self.at), then) if tickets else []

    def _untouched(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = deadlines_of(self.cohort, self.at).annotate(fate=fate_at(self.at))
        tickets = {row.ticket for row in self.moved}
        return rows.exclude(ticket__in=tickets) if tickets else rows

    def _counted(self) -> Iterable[Tally]:
        counts = {fate: Count("pk", filter=Q(fate=fate)) for fate in FATES}
        cells: Any = self._untouched().values_list(*CELL)
        repeats = self._missed_again()
        # The tickets that missed are counted apart: telling them from each other here would sort every row.
        rows = cells.annotate(**counts, tickets=Value(0), least=Min("minutes"), most=Max("minutes"))
        for each in map(Tally._make, rows):
            again = repeats.get((each.kind, each.team, each.priority, each.owner), 0)
            yield each._replace(tickets_missed=each.late + each.overdue - again)

    def _missed_again(self) -> dict[tuple[str, int, int, int], int]:
        """How many were missed by a ticket that had missed in another cycle already."""
        reopened = Deadline.objects.filter(cycle__gt=1).values("ticket")
        rows: Any = self._untouched().filter(fate__in=MISSED, ticket__in=reopened).values_list(*CELL)
        again = rows.annotate(again=Count("pk") - Count("ticket", distinct=True))
        return {tuple(cell): number for *cell, number in again}


CELL: Final = ("kind", "ticket__team_id", "ticket__priority", "ticket__owner_id")


def fate_at(at: datetime) -> Case:
    """What `Promise.fate` says of a deadline that was not moved after the moment."""
    met, passed, ended = Q(met_at__lte=at), Q(breached_at__lte=at), Q(ended_at__lte=at)
    return Case(
        When(met & (passed | Q(met_at__gt=F("due_at"))), then=Value(LATE)),
        When(met, then=Value(KEPT)),
        When(ended & passed, then=Value(LATE)),
        When(ended, then=Value(DROPPED)),
        When(passed | Q(due_at__lte=at), then=Value(OVERDUE)),
        default=Value(RUNNING),
        output_field=CharField(),
    )


def kinds_of(tallies: Iterable[Tally]) -> dict[str, Promises]:
    found = grouped(tallies, attrgetter("kind"))
    return {kind: summed(found.get(kind, [])) for kind in KINDS}


def summed(tallies: Sequence[Tally]) -> Promises:
    """A ticket is in one tally of its kind, so those that missed add up."""
    counts = {fate: sum(getattr(each, fate) for each in tallies) for fate in FATES}
    return Promises(
        kept=Rate(counts[KEPT], counts[KEPT] + counts[LATE] + counts[OVERDUE]),
        overdue=counts[OVERDUE],
        running=counts[RUNNING],
        dropped=counts[DROPPED],
        tickets_missed=sum(each.tickets_missed for each in tallies),
    )


def tally_of(rows: Sequence[Promise], at: datetime) -> Tally:
    """Of deadlines of one kind, and of tickets of one team, priority and owner."""
    fates = Counter(row.fate(at) for row in rows)
    minutes = [row.minutes for row in rows]
    first = rows[0]
    return Tally(
        kind=first.kind,
        team=first.team,
        priority=first.priority,
        owner=first.owner,
        kept=fates[KEPT],
        late=fates[LATE],
        overdue=fates[OVERDUE],
        running=fates[RUNNING],
        dropped=fates[DROPPED],
        tickets_missed=len(tickets_missed(rows, at)),
        least=min(minutes),
        most=max(minutes),
    )
