"""All numbers about value of some low scores at once: what the page, the API and the file of them show."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import QuerySet

from recovery.insight.cohort import Slice, low_scores
from recovery.insight.comebacks import Comebacks, comebacks
from recovery.insight.given import Given, given
from recovery.insight.known import Past, past_of
from recovery.insight.lost import Lost, lost
from recovery.insight.value import Supposed, Value, if_recovered_as_before, value_of
from recovery.models.ticket import TicketQuerySet
from surveys.models import Customer

# Of customers lost, where nobody said from when.
USUAL = timedelta(days=90)


@dataclass(frozen=True)
class Worth:
    past: Past
    value: Value
    lost: Lost
    comebacks: Comebacks
    given: Given


def worth_of(people: QuerySet[Customer], seen: TicketQuerySet, which: Slice, at: datetime) -> Worth:
    """In twelve queries, however many tickets there are. `people` are the customers the reader may see."""
    cohort = low_scores(seen, which)
    past = past_of(cohort, at, which.as_of)
    return Worth(
        past=past,
        value=value_of(past),
        lost=lost_of(people, seen, which, at),
        comebacks=comebacks(past, seen),
        given=given(cohort, past),
    )


def lost_of(people: QuerySet[Customer], seen: TicketQuerySet, which: Slice, at: datetime) -> Lost:
    """Of all customers; where a filter narrows the low scores, of those with one it holds."""
    end = which.end or at
    start = which.start or end - USUAL
    return lost(narrowed(people, seen, which), seen, start, end, at)


def narrowed(people: QuerySet[Customer], seen: TicketQuerySet, which: Slice) -> QuerySet[Customer]:
    whenever = replace(which, start=None, end=None, as_of=None)
    if whenever == Slice():
        return people
    return people.filter(pk__in=low_scores(seen, whenever).order_by().values("customer"))


def if_as_before(
    value: Value, seen: TicketQuerySet, which: Slice, quarter: tuple[datetime, datetime], at: datetime
) -> Supposed:
    """What would be lost if as many recovered as of the low scores of that quarter; five queries."""
    before = replace(which, start=quarter[0], end=quarter[1])
    return if_recovered_as_before(value, past_of(low_scores(seen, before), at, which.as_of))
