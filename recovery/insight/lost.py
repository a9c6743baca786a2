"""Customers who were lost: how many of those there were, what they were worth, and what we owed them then."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from recovery.insight.known import OPEN_AFTER, last_turn
from recovery.insight.recovery import Rate
from recovery.models import Contact
from recovery.models.contact import HEARD
from recovery.models.ticket import TicketQuerySet
from surveys.models import Customer


@dataclass(frozen=True)
class Lost:
    """`rate` is of the customers there were when the period began; `newer` came and left within it.

    `with_ticket` of all who left had a ticket in work at that time, or one on which nobody had heard them.
    """

    rate: Rate
    customers: list[int]
    newer: int
    worth: float
    without_value: int
    with_ticket: frozenset[int]
    reasons: list[tuple[str, int]]

    @property
    def owed(self) -> Rate:
        return Rate(len(self.with_ticket), len(self.customers))


def lost(
    people: QuerySet[Customer], seen: TicketQuerySet, start: datetime, end: datetime, at: datetime
) -> Lost:
    """Who was lost from `start` to before `end`, as known at `at`; in three queries.

    A customer there is from the day the product knows them.
    """
    gone = people.filter(lost_at__gte=start, lost_at__lt=end, lost_at__lte=at)
    rows = list(
        gone.order_by("-lost_at", "-pk").values_list("pk", "annual_value", "lost_reason", "created_at")
    )
    there = people.filter(Q(lost_at=None) | Q(lost_at__gte=start), created_at__lt=start).order_by().count()
    newer = sum(created_at >= start for *_rest, created_at in rows)
    return Lost(
        rate=Rate(len(rows) - newer, there),
        customers=[pk for pk, *_rest in rows],
        newer=newer,
        worth=float(sum(value for _pk, value, *_rest in rows if value is not None)),
        without_value=sum(value is None for _pk, value, *_rest in rows),
        with_ticket=owed_to(seen, gone),
        reasons=Counter(reason for _pk, _value, reason, _at in rows).most_common(),
    )


def owed_to(seen: TicketQuerySet, gone: QuerySet[Customer]) -> frozenset[int]:
    """The customers with a ticket that was open, or on which nobody had reached them, when they left."""
    left_at = OuterRef("customer__lost_at")
    heard = Contact.objects.filter(ticket=OuterRef("pk"), outcome__in=HEARD, at__lte=left_at)
    rows = seen.filter(customer__in=gone.order_by().values("pk"), opened_at__lte=F("customer__lost_at"))
    rows = rows.annotate(turn=last_turn(left_at), heard=Exists(heard)).order_by()
    owed = rows.filter(Q(turn__in=OPEN_AFTER) | Q(heard=False, merged_into=None))
    return frozenset(owed.values_list("customer_id", flat=True))
