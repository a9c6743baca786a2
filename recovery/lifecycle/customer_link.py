"""The link to a customer's own page about one ticket. Who has it may act as the customer there."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.core import signing

from recovery.models import Ticket

SALT: Final = "recovery.customer_page"
LONGEST_TOKEN = 100


def customer_url(ticket: Ticket) -> str:
    """The absolute address, for mails and pages alike; the same for a ticket whenever it is asked for."""
    return f"{settings.PUBLIC_URL}/c/{token_of(ticket)}/"


def token_of(ticket: Ticket) -> str:
    return signer().sign(str(ticket.pk))


def ticket_of(token: str) -> Ticket | None:
    """The ticket of this token, or that of the same person it was merged into; None for a token nobody gave
    out. What another person said and was promised is not for whoever holds this link."""
    try:
        pk = int(signer().unsign(token[:LONGEST_TOKEN]))
    except (signing.BadSignature, ValueError):
        return None
    related = ("customer", "owner", "team__calendar", "policy", "response__survey", "merged_into")
    ticket = Ticket.objects.select_related(*related).filter(pk=pk).first()
    while ticket is not None and ticket.merged_into and is_of_same_person(ticket, ticket.merged_into):
        ticket = Ticket.objects.select_related(*related).get(pk=ticket.merged_into.pk)
    return ticket


def is_of_same_person(one: Ticket, other: Ticket) -> bool:
    return one.customer_id is not None and one.customer_id == other.customer_id


def signer() -> signing.Signer:
    return signing.Signer(salt=SALT, sep=".")
