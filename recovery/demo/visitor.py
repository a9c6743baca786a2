"""The customer that whoever opens the demo plays: asked as often as they like."""

from __future__ import annotations

from datetime import datetime

from recovery.models.ticket import CLOSED
from surveys import invitations
from surveys.models import Customer, CustomerIdentity, Invitation, Survey

SURVEY = "demo"
NAMES = ("Alex Reed", "Robin Lane", "Sam Carter", "Jo Ellis", "Kim Porter", "Lee Hart", "Max Stone")
ADDRESS_PREFIX, ADDRESS_DOMAIN = "you", "demo.example"
TOUCHPOINT = "Pudong store"


def addresses() -> list[str]:
    """The addresses the visitor had so far, the present one last."""
    mine = CustomerIdentity.objects.filter(
        kind="email", value__startswith=ADDRESS_PREFIX, value__endswith=f"@{ADDRESS_DOMAIN}"
    )
    return list(mine.order_by("id").values_list("value", flat=True))


def is_visitor(address: str) -> bool:
    return address.lower().endswith(f"@{ADDRESS_DOMAIN}")


def ask(at: datetime) -> Invitation:
    """A fresh invitation. The visitor is somebody else while the last person's loop is still open."""
    survey = Survey.objects.get(slug=SURVEY)
    known = addresses()
    customer = Customer.objects.filter(identities__kind="email", identities__value__in=known[-1:]).first()
    if customer is not None and not is_busy(customer):
        asked = ask_for(customer, survey, at)
        if isinstance(asked, Invitation):
            return asked
    asked = ask_for(new_customer(len(known) + 1, at), survey, at)
    assert isinstance(asked, Invitation), "a new customer was never asked before"
    return asked


def is_busy(customer: Customer) -> bool:
    """An invitation waits for an answer, or a ticket for its end: another ask would hold up the loop."""
    waiting = customer.invitations.filter(state__in=Invitation.PENDING)
    return waiting.exists() or customer.tickets.exclude(status=CLOSED).exists()


def ask_for(customer: Customer, survey: Survey, at: datetime) -> Invitation | invitations.Verdict:
    return invitations.ask(customer, survey, at=at, purpose=Invitation.SURVEY, touchpoint=TOUCHPOINT)


def new_customer(number: int, at: datetime) -> Customer:
    suffix = "" if number == 1 else str(number)
    name = NAMES[(number - 1) % len(NAMES)]
    customer = Customer.objects.create(name=name, tier="Silver", created_at=at)
    CustomerIdentity.objects.bulk_create(
        [
            CustomerIdentity(
                customer=customer, kind="email", value=f"{ADDRESS_PREFIX}{suffix}@{ADDRESS_DOMAIN}"
            ),
            CustomerIdentity(customer=customer, kind="phone", value=f"+447700900{number:03d}"),
        ]
    )
    return customer
