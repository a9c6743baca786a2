"""The link to a customer's own page about one ticket. Who has it may act as the customer there.

The token of a ticket is derived, so that mails and pages name the same address; it opens the page only
while its row says so. Once an administrator has revoked it, the next one asked for is another.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from typing import Final

from django.conf import settings
from django.db.models import Value
from django.db.models.functions import Substr

from recovery.lifecycle.concern import ABOUT_A_TICKET, about_ticket
from recovery.models import Ticket
from surveys.messages.links import derived_token, hashed
from surveys.models import PublicLink

SALT: Final = "recovery.customer_page"
LASTS: Final = timedelta(days=730)


def customer_url(ticket: Ticket, at: datetime) -> str:
    """The absolute address, for mails and pages alike; the same until it is revoked or over."""
    return f"{settings.PUBLIC_URL}/c/{live_token(ticket, at)}/"


def live_token(ticket: Ticket, at: datetime) -> str:
    """The first of the ticket's tokens that is neither revoked nor over; its row is made where none is."""
    about = about_ticket(ticket.number)
    given = {"purpose": PublicLink.CUSTOMER, "customer": ticket.customer, "about": about, "created_at": at}
    tokens = (derived_token(SALT, f"{ticket.pk}:{turn}") for turn in count(1))
    for token in tokens:
        link, _made = PublicLink.objects.get_or_create(
            token_hash=hashed(token), defaults={**given, "expires_at": at + LASTS}
        )
        if link.is_live(at):
            return token
    raise AssertionError("tokens never end")


def ticket_of(token: str, at: datetime) -> Ticket | None:
    """The ticket of this token, or that of the same person it was merged into; None for a token nobody gave
    out, one that is over and one that was revoked. What another person said and was promised is not for
    whoever holds this link."""
    links = PublicLink.objects.filter(token_hash=hashed(token), purpose=PublicLink.CUSTOMER)
    number = Substr("about", Value(len(ABOUT_A_TICKET) + 1))
    live = links.filter(revoked_at=None, expires_at__gt=at).annotate(number=number).values("number")
    related = ("customer", "owner", "team__calendar", "policy", "response__survey", "merged_into")
    ticket = Ticket.objects.select_related(*related).filter(number__in=live).first()
    while ticket is not None and ticket.merged_into and is_of_same_person(ticket, ticket.merged_into):
        ticket = Ticket.objects.select_related(*related).get(pk=ticket.merged_into.pk)
    return ticket


def is_of_same_person(one: Ticket, other: Ticket) -> bool:
    return one.customer_id is not None and one.customer_id == other.customer_id
