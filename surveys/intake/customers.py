from collections.abc import Collection
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from surveys.intake.drafts import CustomerDraft
from surveys.models import Account, Customer, CustomerIdentity
from surveys.models.fields import closest_language


def find_or_make_customer(draft: CustomerDraft, at: datetime) -> Customer | None:
    """The person any of the identities names, external id first; a new one if none does; None without any.

    What was blank is filled in, what was known stays. An identity of another person stays with that person.
    """
    if not draft.identities:
        return None
    customer = find_customer(draft)
    if customer is None:
        try:
            with transaction.atomic():
                return _make_customer(draft, at)
        except IntegrityError:
            # Somebody else has just made the same person, and has committed.
            customer = find_customer(draft)
            if customer is None:
                raise
    _fill_blanks(customer, draft)
    _add_identities(customer, draft)
    return customer


def find_customer(draft: CustomerDraft) -> Customer | None:
    """By external id, then e-mail, then phone."""
    for kind, value in draft.identities:
        found = CustomerIdentity.objects.select_related("customer").filter(kind=kind, value=value).first()
        if found:
            return found.customer
    return None


def _make_customer(draft: CustomerDraft, at: datetime) -> Customer:
    customer = Customer.objects.create(
        name=draft.name,
        account=_account(draft.account),
        annual_value=draft.annual_value,
        tier=draft.tier,
        locale=closest_language(draft.locale),
        time_zone=draft.time_zone,
        attributes=draft.attributes,
        created_at=at,
    )
    CustomerIdentity.objects.bulk_create(
        CustomerIdentity(customer=customer, kind=kind, value=value) for kind, value in draft.identities
    )
    return customer


def _fill_blanks(customer: Customer, draft: CustomerDraft) -> None:
    filled = []
    for name in ("name", "tier", "time_zone", "annual_value"):
        if getattr(customer, name) in ("", None) and getattr(draft, name) not in ("", None):
            setattr(customer, name, getattr(draft, name))
            filled.append(name)
    if customer.account_id is None and draft.account:
        customer.account = _account(draft.account)
        filled.append("account")
    if missing := {key: value for key, value in draft.attributes.items() if key not in customer.attributes}:
        customer.attributes = {**customer.attributes, **missing}
        filled.append("attributes")
    if filled:
        customer.save(update_fields=filled)


def _add_identities(customer: Customer, draft: CustomerDraft) -> None:
    told = draft.identities
    if len(told) == 1:
        return  # the one that named this person
    CustomerIdentity.objects.bulk_create(
        (CustomerIdentity(customer=customer, kind=kind, value=value) for kind, value in told),
        ignore_conflicts=True,
    )


def _account(text: str) -> Account | None:
    """By its external id, else by its name; a new one carries the text as both."""
    if not text:
        return None
    known = Account.objects.filter(external_id=text).first() or Account.objects.filter(name=text).first()
    return known or Account.objects.get_or_create(external_id=text, defaults={"name": text})[0]


class IdentityTaken(ValueError):
    """An e-mail address, phone number or external id that belongs to another person."""

    def __init__(self, kind: str) -> None:
        super().__init__(_("Another customer has this already."))
        self.kind = kind


@transaction.atomic
def change_customer(customer: Customer, draft: CustomerDraft, names: Collection[str]) -> Customer:
    """Set the named fields of the draft, also to nothing. Raises IdentityTaken; then nothing is changed."""
    for name in {"name", "tier", "time_zone", "annual_value", "attributes"}.intersection(names):
        setattr(customer, name, getattr(draft, name))
    if "locale" in names:
        customer.locale = closest_language(draft.locale)
    if "account" in names:
        customer.account = _account(draft.account)
    customer.save()
    for kind in ("external_id", "email", "phone"):
        if kind in names:
            _change_identity(customer, kind, getattr(draft, kind))
    return customer


def _change_identity(customer: Customer, kind: str, value: str) -> None:
    """The first identity of this kind becomes the value, or goes; others of the kind stay."""
    if customer.identities.filter(kind=kind, value=value).exists():
        return
    first = customer.identities.filter(kind=kind).order_by("id").first()
    if not value:
        if first:
            first.delete()
        return
    identity = first or CustomerIdentity(customer=customer, kind=kind)
    identity.value = value
    try:
        with transaction.atomic():
            identity.save()
    except IntegrityError:
        raise IdentityTaken(kind) from None
