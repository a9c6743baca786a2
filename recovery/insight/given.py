"""What goodwill cost, by cause, and what it cost for each customer who recovered.

Nothing here is a sample: it is all that was given on these tickets, so a sum and a mean need no interval.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from recovery.insight.cohort import keys
from recovery.insight.known import Past
from recovery.models import Cause, Goodwill
from recovery.models.ticket import TicketQuerySet
from surveys.estimates import MIN_ANSWERS_FOR_PERCENT


@dataclass(frozen=True, slots=True)
class Spent:
    """`cost` over `count` tickets or people; a mean of fewer than ten is not given."""

    cost: float
    count: int

    @property
    def each(self) -> float | None:
        return self.cost / self.count if self.count >= MIN_ANSWERS_FOR_PERCENT else None


@dataclass(frozen=True, slots=True)
class SpentOnCause:
    cause: Cause | None
    spent: Spent
    tickets: frozenset[int]


@dataclass(frozen=True)
class Given:
    """`per_ticket` is of the tickets on which anything was given, `per_recovered` of all who recovered: what
    was given to those who did not is part of its price. `tickets` are the ids of the first."""

    per_ticket: Spent
    per_recovered: Spent
    by_cause: list[SpentOnCause]
    tickets: frozenset[int]


def given(cohort: TicketQuerySet, past: Past) -> Given:
    """In one query; what was approved by then and not taken back. A ticket counts under the cause found."""
    rows = Goodwill.objects.filter(ticket__in=keys(cohort), state=Goodwill.GIVEN, decided_at__lte=past.at)
    cost: dict[int, float] = defaultdict(float)
    by_cause: dict[Cause | None, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for row in rows.select_related("ticket__cause_found").order_by("pk"):
        cost[row.ticket_id] += float(row.cost)
        by_cause[row.ticket.cause_found][row.ticket_id] += float(row.cost)
    return Given(
        per_ticket=Spent(sum(cost.values()), len(cost)),
        per_recovered=Spent(sum(cost.values()), len(past.recovered())),
        by_cause=dearest_first(by_cause),
        tickets=frozenset(cost),
    )


def dearest_first(by_cause: dict[Cause | None, dict[int, float]]) -> list[SpentOnCause]:
    rows = [
        SpentOnCause(cause, Spent(sum(each.values()), len(each)), frozenset(each))
        for cause, each in by_cause.items()
    ]
    return sorted(rows, key=lambda row: (-row.spent.cost, row.cause.pk if row.cause else 0))
