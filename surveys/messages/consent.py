"""The ledger of who has said yes or no to being written to. The newest word counts."""

from datetime import datetime

from django.db import transaction

from surveys.models import Consent, Customer


def said(customer: Customer | None, channel: str = "email") -> bool | None:
    """Their newest yes or no; None if they were never asked."""
    words = Consent.objects.filter(customer=customer, channel=channel).order_by("-id")
    return words.values_list("given", flat=True).first() if customer else None


def is_missing(customer: Customer | None, *, required: bool, channel: str = "email") -> bool:
    """Whether this person must not be written to: they said no, or a yes is needed and there is none."""
    word = said(customer, channel)
    return not word if required else word is False


def record(
    customer: Customer,
    *,
    given: bool,
    source: str,
    at: datetime,
    channel: str = "email",
    wording: str = "",
) -> Consent | None:
    """Write a yes or a no down; saying the same again adds nothing and gives None."""
    with transaction.atomic():
        Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
        if said(customer, channel) == given:
            return None
        return Consent.objects.create(
            customer=customer, channel=channel, given=given, source=source, wording=wording, at=at
        )
