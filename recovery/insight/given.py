"""What goodwill cost, by cause, and what it cost for each customer who recovered.

Nothing here is a sample: it is all that was given on these tickets, so a sum and a mean need no interval.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Count, QuerySet, Sum

from recovery.insight.cohort import keys
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


@dataclass(frozen=True)
class Given:
    """`per_ticket` is of the tickets on which anything was given, `per_recovered` of all who recovered: what
    was given to those who did not is part of its price."""

    per_ticket: Spent
    per_recovered: Spent
    by_cause: list[SpentOnCause]


def given(cohort: TicketQuerySet, recovered: int, at: datetime) -> Given:
    """In two queries at most. A ticket counts under the cause found; `recovered` is how many did."""
    groups = (
        given_on(cohort, at)
        .values("ticket__cause_found")
        .annotate(cost=Sum("cost"), tickets=Count("ticket", distinct=True))
    )
    rows = list(groups.values_list("ticket__cause_found", "cost", "tickets"))
    named = [pk for pk, _cost, _tickets in rows if pk is not None]
    causes = Cause.objects.in_bulk(named) if named else {}
    cost = float(sum((cost for _pk, cost, _tickets in rows), Decimal()))
    return Given(
        per_ticket=Spent(cost, sum(tickets for _pk, _cost, tickets in rows)),
        per_recovered=Spent(cost, recovered),
        by_cause=dearest_first(
            SpentOnCause(causes.get(pk), Spent(float(cost), tickets)) for pk, cost, tickets in rows
        ),
    )


def given_on(cohort: TicketQuerySet, at: datetime) -> QuerySet[Goodwill]:
    """What was approved by then and not taken back."""
    rows = Goodwill.objects.filter(ticket__in=keys(cohort), state=Goodwill.GIVEN, decided_at__lte=at)
    return rows.order_by()


def dearest_first(rows: Iterable[SpentOnCause]) -> list[SpentOnCause]:
    return sorted(rows, key=lambda row: (-row.spent.cost, row.cause.pk if row.cause else 0))
