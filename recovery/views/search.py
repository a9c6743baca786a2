"""Finding tickets and people by what somebody on the phone would say: a number, a name, a phone, a word."""

from __future__ import annotations

import re
from typing import Any

from django.db.models import Q, QuerySet

from recovery.models import Ticket
from recovery.models.ticket import TicketQuerySet
from surveys.models import Account, Customer, Response
from surveys.models.lookup import any_of, is_indexed, is_pair

NUMBER = re.compile(r"(?:r-?)?(\d{1,12})", re.IGNORECASE)
EVERY = 1_000_000_000
PHONE = re.compile(r"[+(\d][\d\s().-]{3,}")


def digits_of(words: str) -> str:
    """The digits of what looks like a phone number, without the leading zero people dial at home; '' else."""
    return re.sub(r"\D", "", words).lstrip("0") if PHONE.fullmatch(words) else ""


def who(words: str, person: str = "") -> list[Q]:
    """What somebody may say of a person; `person` is the way to the customer, with its underscores."""
    identities = f"{person}identities__"
    accounts = apart(Account.objects.filter(name__icontains=words))
    told = [Q(**{f"{person}name__holds": words}), Q(**{f"{person}account__in": accounts})]
    if is_pair(words):
        return told  # no phone number or address is written so
    told.append(Q(**{f"{identities}value__icontains": words}))
    digits = digits_of(words)
    phone = {f"{identities}kind": "phone", f"{identities}value__icontains": digits}
    return [*told, Q(**phone)] if digits else told


def apart(rows: QuerySet[Any]) -> QuerySet[Any, Any]:
    """Looked up from their own index first: the limit keeps the planner from trying row by row of a join."""
    return rows.order_by().values("pk")[:EVERY]


def customers_like(customers: QuerySet[Customer], words: str) -> QuerySet[Customer]:
    """Words too short for an index are looked for among those with open work only: see `looks_everywhere`."""
    if not is_indexed(words):
        customers = customers.filter(pk__in=Ticket.objects.in_work().values("customer"))
    return any_of(customers, *who(words))


def tickets_like(tickets: TicketQuerySet, words: str) -> TicketQuerySet:
    """Tickets whose number, customer or any of whose answers holds these words.

    Words too short for an index are looked for in open work only: see `looks_everywhere`.
    """
    if not is_indexed(words):
        tickets = tickets.in_work()
    number = number_of(words)
    numbers = [Q(number=number), Q(number__icontains=words)] if number else []
    answers = Q(ticket_responses__response__comment__holds=words)
    if is_pair(words):
        answers = Q(ticket_responses__response__in=apart(Response.objects.filter(comment__holds=words)))
    found = any_of(tickets, answers, *numbers, *who(words, "customer__"))
    assert isinstance(found, TicketQuerySet)
    return found


def looks_everywhere(words: str) -> bool:
    """Whether a search for these words reaches closed tickets, too."""
    return not words or is_indexed(words)


def number_of(words: str) -> str:
    """R-1042 for “r-1042”, “R1042” and “1042”; '' for anything else."""
    match = NUMBER.fullmatch(words)
    return f"R-{match[1]}" if match else ""
