"""All numbers about value of some low scores at once: what the page, the API and the file of them show."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import QuerySet

from recovery.insight.cohort import Slice, low_scores
from recovery.insight.comebacks import Comebacks, comebacks
from recovery.insight.given import Given, given
from recovery.insight.lost import Lost, lost
from recovery.insight.recovery import recovery
from recovery.insight.told import Told
from recovery.insight.value import Supposed, Value, if_recovered_as_before, value_of
from recovery.models.ticket import TicketQuerySet
from surveys.models import Customer

# Of customers lost, where nobody said from when.
USUAL = timedelta(days=90)


@dataclass(frozen=True)
class Worth:
    value: Value
    lost: Lost
    comebacks: Comebacks
    given: Given


def worth_of(people: QuerySet[Customer], told: Told, at: datetime) -> Worth:
    """In fourteen queries, however many tickets there are, beside those for stories that changed lately.

    `people` are the customers the reader may see.
    """
    cohort = told.tickets()
    return Worth(
        value=value_of(told, at),
        lost=lost_of(people, told.seen, told.which, at),
        comebacks=comebacks(cohort, told.seen, at),
        given=given(cohort, recovery(told.counted()).recovered().hits, at),
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


def if_as_before(value: Value, told: Told, quarter: tuple[datetime, datetime]) -> Supposed:
    """What would be lost if as many recovered as of the low scores of that quarter."""
    before = replace(told.which, start=quarter[0], end=quarter[1])
    return if_recovered_as_before(value, Told(told.seen, before))
