"""Giving up the search for somebody who cannot be reached: said on the ticket, and told to them once."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from recovery.lifecycle.act import Change, acting
from recovery.lifecycle.cadence import cadence_of, unheard_in_a_row
from recovery.lifecycle.concern import LAST_MESSAGE, about_ticket
from recovery.lifecycle.contact import begin_work, cancel_booked
from recovery.lifecycle.customer_link import customer_url
from recovery.lifecycle.table import Refused
from recovery.models import Ticket
from surveys.messages import queue_message

USEFUL_FOR = timedelta(days=7)


def give_up_reaching(ticket: Ticket, *, by: User | None, at: datetime, reason: str = "") -> Ticket:
    """No further attempts: the ticket may be resolved without having heard the customer.

    Before the cadence says so a reason is needed. Whoever has an e-mail address is told once, with the link
    to their own page, where they can still choose a time; choosing one, or being heard, takes this back.
    """
    with acting(ticket, "unreachable", by=by, at=at) as change:
        if change.ticket.unreachable_at is not None:
            raise Refused("unreachable_already", _("The attempts were given up already."))
        attempts = len(unheard_in_a_row(change.ticket))
        if not reason.strip() and not is_time_to_give_up(change.ticket, attempts):
            raise Refused(
                "reason_missing",
                _("The cadence still has attempts to make. Say why they would be of no use."),
                field="reason",
            )
        begin_work(change)
        change.set(unreachable_at=at)
        callback = cancel_booked(change.ticket)
        change.tell(
            "unreachable",
            reason.strip(),
            attempts=attempts,
            told=write_once_more(change, at),
            callback_cancelled=callback.local_time if callback else None,
        )
    return change.ticket


def is_time_to_give_up(ticket: Ticket, attempts: int) -> bool:
    cadence = cadence_of(ticket)
    return cadence is not None and attempts >= cadence.unreachable_after


def write_once_more(change: Change, at: datetime) -> bool:
    """One mail that says we tried, and how they reach us; whether there is an address to write to."""
    ticket = change.ticket
    customer = ticket.customer
    if customer is None or not customer.email:
        return False
    queue_message(
        dedup_key=f"{LAST_MESSAGE}:{ticket.number}:{ticket.version + 1}",
        kind=LAST_MESSAGE,
        to_address=customer.email,
        to_name=customer.name,
        customer=customer,
        locale=customer.locale,
        about=about_ticket(ticket.number),
        context={"url": customer_url(ticket, at), "owner": ticket.owner.get_full_name()},
        at=at,
        not_after=at + USEFUL_FOR,
    )
    return True
