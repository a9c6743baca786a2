"""One owner's closed tickets, a fair sample of them, and the marks they were given. Nobody is ranked here."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import CharField, Count, IntegerField, Min, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import MD5, Cast, Coalesce, Concat, TruncMonth

from recovery.insight.recovery import Rate
from recovery.models import Contact, QualityCheck
from recovery.models.contact import HEARD
from recovery.models.ticket import CLOSED, TicketQuerySet

SAMPLE: Final = 5
GOOD: Final = (4, 5)


def closed(tickets: TicketQuerySet, owner: int, start: datetime, end: datetime) -> TicketQuerySet:
    """Those of an owner closed in a time, the newest first; merged ones ended elsewhere."""
    rows = tickets.filter(owner=owner, status=CLOSED, merged_into=None)
    return rows.filter(closed_at__gte=start, closed_at__lt=end).order_by("-closed_at", "-pk")


def with_story(tickets: TicketQuerySet) -> TicketQuerySet:
    """Each with when the customer was first `heard_at`, and how many `attempts` it took in all."""
    contacts = Contact.objects.filter(ticket=OuterRef("pk")).order_by().values("ticket")
    heard = contacts.filter(outcome__in=HEARD).annotate(at=Min("at")).values("at")
    attempts = contacts.annotate(n=Count("pk")).values("n")
    return tickets.annotate(
        heard_at=Subquery(heard), attempts=Coalesce(Subquery(attempts, output_field=IntegerField()), 0)
    )


def week_before(at: datetime) -> tuple[datetime, datetime]:
    """From Monday to Monday, by the clock of `at`."""
    monday = (at - timedelta(days=at.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    return monday - timedelta(days=7), monday


def sample(tickets: TicketQuerySet, owner: int, at: datetime) -> TicketQuerySet:
    """Up to five tickets the owner closed in the week before, the same all week for everybody.

    By the hash of week, owner and ticket: nobody picks, and one that is reopened moves no other.
    """
    start, end = week_before(at)
    ticket = Concat(Value(f"{start.date().isoformat()}/{owner}/"), Cast("pk", CharField()))
    return closed(tickets, owner, start, end).annotate(lot=MD5(ticket)).order_by("lot", "pk")[:SAMPLE]


@dataclass(frozen=True)
class Month:
    """The marks given in a month: how many of each, and of how many the good ones are."""

    start: date
    marks: list[int]
    good: Rate


def trend(checks: QuerySet[QualityCheck], zone: Any) -> list[Month]:
    """By month of the reader's calendar, the newest first, in one query."""
    months = checks.order_by().annotate(month=TruncMonth("at", tzinfo=zone)).values_list("month", "mark")
    counts: dict[date, Counter[int]] = {}
    for month, mark, number in months.annotate(number=Count("pk")):
        counts.setdefault(month.date(), Counter())[mark] += number
    return [month_of(start, counts[start]) for start in sorted(counts, reverse=True)]


def month_of(start: date, counts: Counter[int]) -> Month:
    good = sum(counts[mark] for mark in GOOD)
    return Month(start, [counts[mark] for mark in range(1, 6)], Rate(good, counts.total()))
