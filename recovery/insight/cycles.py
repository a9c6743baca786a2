"""How often a ticket had to be begun again, and after which cause."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce

from recovery.insight.cohort import keys
from recovery.insight.recovery import Rate
from recovery.models import TicketEvent
from recovery.models.ticket import TicketQuerySet
from surveys.results.statements import found_by, over

OPENED, RESOLVED, REOPENED = "opened", "resolved", "reopened"
CAUSE: Final = KeyTextTransform("cause_found", "data")


@dataclass(frozen=True, slots=True)
class Course:
    """Tickets alike in their cycles, and in what was found at the first resolution; `count` is how many.

    `cause` is the code of it; empty before there was a resolution, and where none was named.
    """

    cycles: int
    resolved: bool
    cause: str
    count: int

    @property
    def reopened(self) -> bool:
        """Only what was resolved can be reopened."""
        return self.cycles > 1


@dataclass(frozen=True)
class Cycles:
    courses: list[Course]

    @property
    def size(self) -> int:
        return sum(course.count for course in self.courses)

    @property
    def distribution(self) -> Counter[int]:
        """How many tickets have had so many cycles."""
        found: Counter[int] = Counter()
        for course in self.courses:
            found[course.cycles] += course.count
        return found

    @property
    def reopened(self) -> Rate:
        return reopened_of(self.courses)

    @property
    def by_cause(self) -> dict[str, Rate]:
        """Of the tickets ever resolved, by the cause found then."""
        found: dict[str, list[Course]] = defaultdict(list)
        for course in self.courses:
            if course.resolved:
                found[course.cause].append(course)
        return {cause: reopened_of(courses) for cause, courses in found.items()}


def reopened_of(courses: Iterable[Course]) -> Rate:
    resolved = [course for course in courses if course.resolved]
    return Rate(
        sum(course.count for course in resolved if course.reopened), sum(course.count for course in resolved)
    )


COUNTED: Final = """
WITH acts (ticket, version, kind, cause) AS ({rows}),
tickets AS (
    SELECT ticket, 1 + count(*) FILTER (WHERE kind = 'reopened') AS cycles,
        array_agg(cause ORDER BY version) FILTER (WHERE kind = 'resolved') AS causes
    FROM acts GROUP BY ticket
)
SELECT cycles, causes IS NOT NULL AS resolved, coalesce(causes[1], '') AS cause, count(*)
FROM tickets GROUP BY cycles, resolved, cause ORDER BY cycles, cause
"""


def cycles(cohort: TicketQuerySet, at: datetime) -> Cycles:
    """How it had come by `at`, in one query."""
    kinds = (OPENED, RESOLVED, REOPENED)
    acts = TicketEvent.objects.filter(ticket__in=keys(cohort), kind__in=kinds, at__lte=at).order_by()
    rows = acts.annotate(cause=CAUSE).values_list("ticket_id", "version", "kind", "cause")
    return Cycles([Course(*row) for row in found_by(over(rows, COUNTED))])


# --- the tickets behind them --------------------------------------------------------------------------------


def of_so_many(cohort: TicketQuerySet, at: datetime, number: int) -> TicketQuerySet:
    """The tickets that have had so many cycles."""
    if number == 1:
        begun, begun_again = (Exists(acts_of_ticket(kind, at)) for kind in (OPENED, REOPENED))
        return cohort.filter(begun, ~begun_again)
    again = TicketEvent.objects.filter(kind=REOPENED, at__lte=at).order_by().values("ticket")
    return cohort.filter(pk__in=again.annotate(times=Count("pk")).filter(times=number - 1).values("ticket"))


def reopened(cohort: TicketQuerySet, at: datetime) -> TicketQuerySet:
    return cohort.filter(
        pk__in=TicketEvent.objects.filter(kind=REOPENED, at__lte=at).order_by().values("ticket")
    )


def reopened_after(cohort: TicketQuerySet, at: datetime, cause: str) -> TicketQuerySet:
    """Those at whose first resolution this was found; empty is no cause that was named."""
    first = acts_of_ticket(RESOLVED, at).order_by("version").values(found=CAUSE)[:1]
    named = Coalesce(Subquery(first), Value(""), output_field=TextField())
    return reopened(cohort, at).alias(first_cause=named).filter(first_cause=cause)


def acts_of_ticket(kind: str, at: datetime) -> QuerySet[TicketEvent]:
    return TicketEvent.objects.filter(ticket=OuterRef("pk"), kind=kind, at__lte=at)
