"""What counts as late or due to be called: the same question for counts, menus and lists."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef

from recovery.insight import standing
from recovery.models import Callback
from recovery.models.ticket import TicketQuerySet


def late(tickets: TicketQuerySet, at: datetime) -> TicketQuerySet:
    """A promise has passed and is not kept yet."""
    return tickets.in_work().filter(standing.is_late(at))


def with_call(tickets: TicketQuerySet) -> TicketQuerySet:
    """Open work whose customer was promised a callback that is still to come or to be made."""
    booked = Callback.objects.filter(ticket=OuterRef("pk"), state=Callback.BOOKED)
    return tickets.in_work().filter(Exists(booked))
