"""Whether a message written a while ago is still of any concern: asked when it is about to go out."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from recovery.lifecycle.lot import DRAWN_CYCLE
from recovery.models import Callback, Resurvey, Ticket
from recovery.models.ticket import RESOLVED
from surveys.models import Invitation, Message

ABOUT_A_TICKET: Final = "ticket:"
CALLBACK_DUE: Final = "callback_due"
LAST_MESSAGE: Final = "unreachable"
# These concern somebody whatever became of the ticket meanwhile.
WHATEVER_BECAME: Final = (
    "goodwill_to_approve",
    "goodwill_decided",
    "request_answered",
    "customer_wrote",
    "request_late",
)


def about_ticket(number: str) -> str:
    """What a message about this ticket is marked with."""
    return f"{ABOUT_A_TICKET}{number}"


def why_not(message: Message, at: datetime) -> str:
    """The code of what made it needless, '' if nothing did."""
    if message.user_id and message.about.startswith(ABOUT_A_TICKET):
        return why_no_notice(message)
    if message.kind == LAST_MESSAGE:
        return why_not_last(message)
    if message.invitation and message.invitation.purpose == Invitation.RESURVEY:
        return why_not_ask(message.invitation)
    return ""


def why_not_last(message: Message) -> str:
    """That we could not reach somebody is not said to who was reached before it went out."""
    number = message.about.removeprefix(ABOUT_A_TICKET)
    gave_up = Ticket.objects.filter(number=number, unreachable_at__isnull=False).exists()
    return "" if gave_up else "reached_meanwhile"


def why_no_notice(message: Message) -> str:
    """A colleague need not hear of a ticket that asks for no work, nor of a call nobody awaits any more."""
    ticket = Ticket.objects.filter(number=message.about.removeprefix(ABOUT_A_TICKET)).first()
    if ticket is None:
        return "ticket_gone"
    if not ticket.is_in_work and message.kind not in WHATEVER_BECAME:
        return "ticket_merged" if ticket.merged_into_id else f"ticket_{ticket.status}"
    if message.kind == CALLBACK_DUE and not awaits_call(ticket, message.created_at):
        return "callback_settled"
    return ""


def awaits_call(ticket: Ticket, told_at: datetime) -> bool:
    """One that was moved is announced again, later than this notice was written."""
    booked = ticket.callbacks.filter(state=Callback.BOOKED, announced_at__lte=told_at)
    return booked.exists()


def why_not_ask(invitation: Invitation) -> str:
    resurvey = Resurvey.objects.select_related("ticket").filter(invitation=invitation).first()
    if resurvey is None:
        return ""
    ticket = resurvey.ticket
    if resurvey.cycle == DRAWN_CYCLE:  # a hold-out asks whatever became of the ticket
        return "" if resurvey.state == Resurvey.ASKED else "resurvey_over"
    if ticket.is_in_work or ticket.cycle != resurvey.cycle:
        return "ticket_reopened"
    if ticket.status != RESOLVED:
        return "ticket_closed"
    return "" if resurvey.state == Resurvey.ASKED else "resurvey_over"
