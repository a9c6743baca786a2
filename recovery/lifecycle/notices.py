"""Tell a colleague, once per occasion, in their language, why they get it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User

from recovery.models import StaffProfile, Ticket
from surveys.messages import queue_message


def ticket_url(ticket: Ticket) -> str:
    return f"{settings.PUBLIC_URL}/tickets/{ticket.number}/"


def tell(user: User, kind: str, ticket: Ticket, at: datetime, occasion: str, **context: Any) -> None:
    """Queue one notice; nobody without an address is written to. `occasion` makes it unique."""
    if not user.email or not user.is_active:
        return
    profile = StaffProfile.objects.filter(user=user).first()
    queue_message(
        dedup_key=f"{kind}:{ticket.number}:{occasion}:{user.pk}",
        kind=kind,
        to_address=user.email,
        to_name=user.get_full_name(),
        user=user,
        locale=profile.locale if profile else "en",
        about=f"ticket:{ticket.number}",
        context={
            "ticket": ticket,
            "url": ticket_url(ticket),
            "zone": profile.zone if profile else None,
            **context,
        },
        at=at,
    )
