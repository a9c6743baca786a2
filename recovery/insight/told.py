"""What became of the low scores, from the stories that were told before and kept: PostgreSQL counts them.

The numbers are those of `cohort.stories` to the last digit. A story that may have changed since is told anew
from the ticket's own rows. As of a past day what is kept counts where nothing it turns on came later; only
the others are told as they were.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property, reduce
from operator import and_, or_
from typing import Any, Final

from django.db.models import BooleanField, Case, CharField, Count, F, Max, Q, QuerySet, Value, When
from django.db.models.functions import TruncMonth
from django.utils import timezone

from recovery.insight import segment
from recovery.insight.as_of import of_teams_then
from recovery.insight.cohort import Slice, Story, low_scores, stories
from recovery.insight.recovery import LATER, NEVER, WITHIN, wait_of
from recovery.models import Ticket, ToldTicket, UntoldChange
from recovery.models.ticket import TicketQuerySet

# What every number of a cohort is made of; a grouping adds the field it goes by.
CORE: Final = ("reached", "reached_later", "stage", "next", "now", "ever", "lasting", "why")
BESIDE: Final = ("team", "touchpoint", "tier", "cause_found", "cause_said", "undelivered")
# Told from several fields: how long people waited to be heard (`recovery.wait_of`), and whether the cause was
# found as the customer said it.
WAIT, AGREES = "wait", "agrees"
# A field of a story, and the values it may have.
Wanted = tuple[str, Collection[Any]]
# So many are told the slow way at a time.
AT_A_TIME: Final = 5_000


@dataclass(frozen=True)
class Told:
    """A reader's cohort, read once: what changed lately is looked up when it is first asked for a number."""

    seen: TicketQuerySet
    which: Slice

    def counted(self, *fields: str) -> list[Story]:
        """Stories with how many tickets share them, alike in CORE and in these fields, of BESIDE or WAIT.

        The longest `to_contact` stands for those who waited alike. Fields not asked for are left empty.
        """
        return [*self._from_kept(fields), *self.retold]

    def behind(self, wanted: Iterable[Wanted]) -> TicketQuerySet:
        """The tickets whose story has one of these values in each of these fields."""
        wanted = list(wanted)
        kept = self._kept().alias(wait=wait(), agrees=agrees())
        for name, values in wanted:
            kept = kept.filter(one_of(name, values))
        retold = [story.ticket for story in self.retold if is_wanted(story, wanted)]
        return Ticket.objects.filter(Q(pk__in=kept.values("pk")) | Q(pk__in=retold))

    def where(self, fields: Collection[str], holds: Callable[[Story], bool]) -> TicketQuerySet:
        """The tickets of whose story this holds; it may turn on CORE and on these fields, of BESIDE."""
        names = (*CORE, *fields)
        shapes = [shape for shape in self._kept().values(*names).distinct() if holds(shape_of(shape))]
        kept = [alike(shape) for shape in shapes]
        retold = [story.ticket for story in self.retold if holds(story)]
        theirs = self._kept().filter(reduce(or_, kept)) if kept else ToldTicket.objects.none()
        return Ticket.objects.filter(Q(pk__in=theirs.values("pk")) | Q(pk__in=retold))

    def tickets(self) -> TicketQuerySet:
        """All of the cohort, without telling anything: cheaper than asking each for its first event."""
        rest = low_scores(self.seen.filter(pk__in=self._changed), self.which).order_by()
        kept = Q(pk__in=self._members().values("pk"))
        return Ticket.objects.filter(kept | Q(pk__in=list(rest.values_list("pk", flat=True))))

    def _members(self) -> QuerySet[ToldTicket]:
        """Those of the cohort that are kept, steady or not: what became of them changes none of this."""
        which, rows = self.which, self._seen()
        if which.as_of is None:
            return rows if which.teams is None else rows.filter(team__in=which.teams)
        rows = rows.filter(ticket__opened_at__lte=which.as_of)
        if which.teams is None:
            return rows
        then = of_teams_then(Ticket.objects.filter(pk__in=rows.values("pk")), which.teams, which.as_of)
        return rows.filter(pk__in=then.values("pk"))

    def by_month(self, field: str) -> Counter[tuple[Any, date]]:
        """How many there are by one of BESIDE and the month of the low score, on the reader's calendar."""
        kept: Any = self._kept().annotate(month=month_given()).values_list(field, "month")
        counts = Counter(
            {(value, month.date()): count for value, month, count in kept.annotate(count=Count("pk"))}
        )
        if self.retold:
            months = self._months
            told = (story for story in self.retold if story.ticket in months)
            counts.update((getattr(story, field), months[story.ticket]) for story in told)
        return counts

    @cached_property
    def _months(self) -> dict[int, date]:
        """Of those that were told the slow way."""
        tickets = [story.ticket for story in self.retold]
        rows = low_scores(Ticket.objects.filter(pk__in=tickets), Slice()).annotate(month=month_given())
        return {pk: month.date() for pk, month in rows.order_by().values_list("pk", "month")}

    @cached_property
    def retold(self) -> list[Story]:
        """The stories of the cohort that were told the slow way."""
        tickets = sorted({*self._changed, *self._unsteady})
        return [
            story
            for start in range(0, len(tickets), AT_A_TIME)
            for story in self._told_anew(tickets[start : start + AT_A_TIME])
        ]

    def _told_anew(self, tickets: list[int]) -> list[Story]:
        which = self.which
        return stories(low_scores(self.seen.filter(pk__in=tickets), which), which.as_of)

    @cached_property
    def _changed(self) -> list[int]:
        """Read once, before anything is counted: so each ticket counts once, whatever is kept meanwhile."""
        return changed_tickets()

    @cached_property
    def _unsteady(self) -> list[int]:
        """Those of which something came after the past day asked for, or whose events tell of something
        else than their rows.
        """
        at = self.which.as_of
        if at is None:
            return []
        later = Q(steady_since__gt=at) | Q(steady_since__isnull=True)
        rows = self._seen().filter(later, given_at__lte=at)
        return list(rows.values_list("pk", flat=True))

    def _kept(self) -> QuerySet[ToldTicket]:
        """Those of the cohort that are true as they are kept. As `low_scores` narrows, so does this."""
        which, rows = self.which, self._seen()
        if which.teams is not None:
            rows = rows.filter(team__in=which.teams)
        return rows if which.as_of is None else rows.filter(steady_since__lte=which.as_of)

    def _seen(self) -> QuerySet[ToldTicket]:
        """Unchanged since they were kept, of the tickets this reader sees."""
        which = self.which
        rows = self._given(ToldTicket.objects.order_by().exclude(pk__in=self._changed))
        seen = segment.narrowed(self.seen, segment.parse(which.segment)) if which.segment else self.seen
        return rows.filter(ticket__in=seen.order_by().values("pk")) if seen.query.where else rows

    def _given(self, rows: QuerySet[ToldTicket]) -> QuerySet[ToldTicket]:
        """Narrowed by what never changes: when and where the low score was given."""
        which = self.which
        if which.start is not None:
            rows = rows.filter(given_at__gte=which.start)
        if which.end is not None:
            rows = rows.filter(given_at__lt=which.end)
        if which.survey is not None:
            rows = rows.filter(survey=which.survey)
        return rows.filter(touchpoint=which.touchpoint) if which.touchpoint else rows

    def _from_kept(self, fields: Collection[str]) -> list[Story]:
        kept: Any = self._kept().annotate(wait=wait()) if WAIT in fields else self._kept()
        rows = kept.values(*CORE, *fields).annotate(count=Count("pk"), longest=Max("to_contact"))
        return [story_of(row) for row in rows]


def story_of(row: dict[str, Any]) -> Story:
    longest, wait = row.pop("longest"), row.pop(WAIT, None)
    return Story(ticket=0, **row, to_contact=longest if wait else None)


def shape_of(shape: dict[str, Any]) -> Story:
    return Story(ticket=0, **shape)


def alike(shape: dict[str, Any]) -> Q:
    """Of the kept stories those that have each of these values."""
    return reduce(and_, (one_of(name, [value]) for name, value in shape.items()))


def month_given() -> TruncMonth:
    return TruncMonth("given_at", tzinfo=timezone.get_current_timezone())


def wait() -> Case:
    limits = [When(to_contact__lte=limit, then=Value(name)) for name, limit in WITHIN]
    never = When(reached=False, then=Value(NEVER))
    return Case(never, *limits, default=Value(LATER), output_field=CharField())


def agrees() -> Case:
    found = When(cause_found=F("cause_said"), then=Value(True))
    return Case(found, default=Value(False), output_field=BooleanField())


def one_of(name: str, values: Collection[Any]) -> Q:
    known = Q(**{f"{name}__in": [value for value in values if value is not None]})
    return known | Q(**{f"{name}__isnull": True}) if None in values else known


def is_wanted(story: Story, wanted: Iterable[Wanted]) -> bool:
    return all(value_of(story, name) in values for name, values in wanted)


def value_of(story: Story, name: str) -> object:
    if name == WAIT:
        return wait_of(story)
    if name == AGREES:
        return story.cause_found is not None and story.cause_found == story.cause_said
    return getattr(story, name)


def changed_tickets() -> list[int]:
    """Every ticket whose kept story may not be true any more, or that has none yet; in one query."""
    marks = UntoldChange.objects.order_by()
    customers = marks.filter(customer__isnull=False).values("customer")
    named = marks.filter(ticket__isnull=False).values_list("ticket", flat=True)
    theirs = Ticket.objects.order_by().filter(customer__in=customers).values_list("pk", flat=True)
    return sorted(ticket for ticket in named.union(theirs) if ticket is not None)
