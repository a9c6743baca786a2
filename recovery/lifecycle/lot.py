"""What the lot of a hold-out means for a ticket: its wait, and when its customer is asked in any case.

A drawn ticket has a resurvey of cycle 0 beside those of its cycles: the question both sides of the hold-out
are asked at the same age. The loop's numbers know nothing of it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db.models import Exists

from recovery.models import HoldOut, HoldOutDraw, Resurvey, Ticket, Wait

# The cycle of the question that the hold-out asks.
DRAWN_CYCLE: Final = 0
# The reason of a wait that the lot began, and of a drawn question that waits for its time.
BY_LOT: Final = "held_out"

RESUMED, RESOLVED, MERGED = "resumed", "resolved", "merged"
WROTE, ASKED_FOR_CONTACT, SECOND_LOW = "wrote", "asked_for_contact", "second_low"


def is_by_lot(wait: Wait) -> bool:
    return wait.reason == BY_LOT and wait.by_id is None


def lot_wait(ticket: Ticket) -> Wait | None:
    """The running wait of a ticket that is followed up later."""
    if ticket.status != "waiting":
        return None
    return Wait.objects.filter(ticket=ticket, ends_at=None, reason=BY_LOT, by=None).first()


def note_end(wait: Wait, at: datetime, why: str) -> None:
    """A wait of the lot that ends before its time: followed up early, and why; it keeps its side."""
    if is_by_lot(wait) and wait.resume_at is not None and at < wait.resume_at:
        early = HoldOutDraw.objects.filter(ticket=wait.ticket_id, released_at=None)
        early.update(released_at=at, released_why=why)


def ask_at(ticket: Ticket, at: datetime) -> datetime | None:
    """When the hold-out asks the customer, while that lies ahead."""
    ahead = HoldOutDraw.objects.filter(ticket=ticket, ask_at__gt=at)
    return ahead.values_list("ask_at", flat=True).first()


def awaited(ticket: Ticket) -> HoldOut | None:
    """The hold-out whose question is still to be asked or answered."""
    rows = Resurvey.objects.filter(ticket=ticket, cycle=DRAWN_CYCLE).exclude(state=Resurvey.ENDED)
    return HoldOut.objects.filter(draws__ticket=ticket).filter(Exists(rows)).first()
