"""What every question to a customer about a ticket shares: one at a time, claimed once, withdrawn, ended."""

from __future__ import annotations

from datetime import datetime, timedelta

from recovery.lifecycle.act import lock_person_of
from recovery.models import Resurvey, Ticket
from surveys.models import Customer, Invitation, Response

OTHER_PENDING = "other_pending"
LOOK_AGAIN = timedelta(days=1)


def other_pending(customer: Customer, besides: int = 0) -> bool:
    pending = Resurvey.objects.filter(customer=customer, state__in=[Resurvey.PLANNED, Resurvey.ASKED])
    return pending.exclude(pk=besides).exists()


def lock_in_order(resurvey_id: int) -> None:
    ticket_id = Resurvey.objects.filter(pk=resurvey_id).values_list("ticket", flat=True).first()
    if ticket_id is None:
        return
    lock_person_of(ticket_id)
    Ticket.objects.select_for_update().only("pk").get(pk=ticket_id)
    Resurvey.objects.select_for_update().only("pk").get(pk=resurvey_id)


def waiting_resurvey(resurvey_id: int, at: datetime) -> Resurvey | None:
    lock_in_order(resurvey_id)
    return (
        Resurvey.objects.select_related("customer", "ticket__response__survey")
        .filter(pk=resurvey_id, state__in=[Resurvey.PLANNED, Resurvey.HELD], due_at__lte=at)
        .first()
    )


def end_resurvey(
    resurvey: Resurvey, outcome: str, at: datetime, *, reason: str = "", response: Response | None = None
) -> None:
    resurvey.state, resurvey.outcome, resurvey.outcome_at = Resurvey.ENDED, outcome, at
    resurvey.reason, resurvey.response = reason, response
    resurvey.save(update_fields=["state", "outcome", "outcome_at", "reason", "response"])


def withdraw(resurvey: Resurvey, reason: str) -> None:
    """What was asked need not be answered any more."""
    pending = Invitation.objects.filter(resurvey=resurvey, state__in=Invitation.PENDING)
    pending.update(state=Invitation.CANCELLED, reason=reason)
