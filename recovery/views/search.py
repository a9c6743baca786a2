"""Finding tickets and people by what somebody on the phone would say: a number, a name, a phone, a word."""

from __future__ import annotations

import re

from django.db.models import Exists, OuterRef, Q, QuerySet

from recovery.models import TicketResponse
from recovery.models.ticket import TicketQuerySet
from surveys.models import Customer, CustomerIdentity

NUMBER = re.compile(r"(?:r-?)?(\d{1,12})", re.IGNORECASE)
PHONE = re.compile(r"[+(\d][\d\s().-]{3,}")


def digits_of(words: str) -> str:
    """The digits of what looks like a phone number, without the leading zero people dial at home; '' else."""
    return re.sub(r"\D", "", words).lstrip("0") if PHONE.fullmatch(words) else ""


def customers_like(customers: QuerySet[Customer], words: str) -> QuerySet[Customer]:
    identity = Q(value__icontains=words)
    digits = digits_of(words)
    if digits:
        identity |= Q(kind="phone", value__contains=digits)
    known = CustomerIdentity.objects.filter(identity, customer=OuterRef("pk"))
    return customers.filter(Q(name__icontains=words) | Q(account__name__icontains=words) | Exists(known))


def tickets_like(tickets: TicketQuerySet, words: str) -> TicketQuerySet:
    """Tickets whose number, customer or any of whose answers holds these words."""
    people = customers_like(Customer.objects.all(), words)
    answers = TicketResponse.objects.filter(response__comment__icontains=words)
    return tickets.filter(
        Q(number__icontains=words) | Q(customer__in=people.values("pk")) | Q(pk__in=answers.values("ticket"))
    )


def number_of(words: str) -> str:
    """R-1042 for “r-1042”, “R1042” and “1042”; '' for anything else."""
    match = NUMBER.fullmatch(words)
    return f"R-{match[1]}" if match else ""
