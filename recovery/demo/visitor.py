"""The customer that whoever opens the demo plays: asked as often as they like."""

from __future__ import annotations

from datetime import datetime

from surveys import invitations
from surveys.models import Customer, CustomerIdentity, Invitation, Survey

SURVEY = "demo"
NAME = "Alex Reed"
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
    """A fresh invitation; where the rules forbid to ask this customer again, the visitor becomes another."""
    survey = Survey.objects.get(slug=SURVEY)
    known = addresses()
    if known:
        customer = Customer.objects.get(identities__kind="email", identities__value=known[-1])
        asked = ask_for(customer, survey, at)
        if isinstance(asked, Invitation):
            return asked
    asked = ask_for(new_customer(len(known) + 1, at), survey, at)
    assert isinstance(asked, Invitation), "nobody may be told that a new customer was asked too often"
    return asked


def ask_for(customer: Customer, survey: Survey, at: datetime) -> Invitation | invitations.Verdict:
    return invitations.ask(customer, survey, at=at, purpose=Invitation.SURVEY, touchpoint=TOUCHPOINT)


def new_customer(number: int, at: datetime) -> Customer:
    suffix = "" if number == 1 else str(number)
    customer = Customer.objects.create(name=f"{NAME} {suffix}".strip(), tier="Silver", created_at=at)
    CustomerIdentity.objects.bulk_create(
        [
            CustomerIdentity(
                customer=customer, kind="email", value=f"{ADDRESS_PREFIX}{suffix}@{ADDRESS_DOMAIN}"
            ),
            CustomerIdentity(customer=customer, kind="phone", value=f"+447700900{number:03d}"),
        ]
    )
    return customer
