"""Whether the last word on a ticket is the customer's: asked in SQL, so that lists and counts agree."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.db.models import Case, DateTimeField, F, OuterRef, Q, Subquery, When

from recovery.lifecycle.contact import ZONE_RULES
from recovery.models import Callback, Ticket, TicketEvent
from recovery.models.ticket import TicketQuerySet

# What the product does by itself, or colleagues do among themselves, answers nobody.
UNHEARD: Final = (
    "assigned",
    "breached",
    "callback_due",
    "escalated",
    "extended",
    "held_out",
    "held_out_answer",
    "held_out_asked",
    "nudged",
    "priority_changed",
    "recomputed",
    "request_answered",
    "request_late",
    "resumed",
    "resurvey_held",
)
# The customer's where nobody here did them.
CUSTOMERS_OWN: Final = (
    "absorbed",
    "updated",
    "noted",
    "callback_booked",
    "callback_moved",
    "callback_cancelled",
)
BY_ITSELF = Q(data__contains={"reason": ZONE_RULES}) | Q(by=None, data__contains={"origin": Callback.CADENCE})
BY_THEM = Q(kind="customer_wrote") | Q(kind__in=CUSTOMERS_OWN, by=None, by_name="")


def with_answers(tickets: TicketQuerySet) -> TicketQuerySet:
    """With `answered_at`: when the customer spoke, where nobody has answered since; NULL else."""
    words = TicketEvent.objects.filter(ticket=OuterRef("pk")).exclude(kind__in=UNHEARD).exclude(BY_ITSELF)
    theirs = Case(When(BY_THEM, then=F("at")), default=None, output_field=DateTimeField())
    last = words.order_by("-version").annotate(theirs=theirs).values("theirs")[:1]
    return tickets.annotate(answered_at=Subquery(last, output_field=DateTimeField()))


def answered(tickets: TicketQuerySet) -> TicketQuerySet:
    """Those of which the last word is the customer's."""
    rows: Any = with_answers(tickets)
    found: TicketQuerySet = rows.filter(answered_at__isnull=False)
    return found


def answered_at(ticket: Ticket) -> datetime | None:
    """Where the ticket was read with its answers; None else."""
    found: datetime | None = getattr(ticket, "answered_at", None)
    return found
