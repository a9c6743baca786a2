"""A customer has left: who supervises says so, with the day and the reason, and may take it back."""

from __future__ import annotations

import json
from datetime import datetime

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from recovery.lifecycle.table import Refused
from recovery.models import StaffProfile
from recovery.models.staff import role_of
from surveys.models import Customer

MAY_MARK = (StaffProfile.SUPERVISOR, StaffProfile.ADMINISTRATOR)
LONGEST = 300


@transaction.atomic
def mark_lost(
    customer: Customer, *, by: User, at: datetime, lost_at: datetime | None, reason: str
) -> Customer:
    """Said again, it corrects the day and the reason. The history of the admin site keeps who said it.

    It changes no ticket: what is owed to somebody who left is still owed until a colleague ends it.
    Raises Refused.
    """
    refuse_others(by)
    if lost_at is None:
        raise Refused("day_missing", _("Say on which day they left."), field="day")
    if lost_at > at:
        raise Refused("day_ahead", _("This day has not come yet: they are still a customer."), field="day")
    reason = " ".join(reason.replace("\0", "").split())
    if not reason:
        raise Refused("reason_missing", _("Say why they left, in a few words."), field="reason")
    if len(reason) > LONGEST:
        raise Refused("reason_too_long", _("Say it in 300 characters or fewer."), field="reason")
    row = Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    row.lost_at, row.lost_reason = lost_at, reason
    row.save(update_fields=["lost_at", "lost_reason"])
    keep(row, by, at)
    return row


@transaction.atomic
def take_back_lost(customer: Customer, *, by: User, at: datetime) -> Customer:
    """They are still a customer, or are one again; twice is once. Raises Refused."""
    refuse_others(by)
    row = Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    if row.lost_at is not None:
        row.lost_at, row.lost_reason = None, ""
        row.save(update_fields=["lost_at", "lost_reason"])
        keep(row, by, at)
    return row


def refuse_others(by: User) -> None:
    if role_of(by) not in MAY_MARK:
        raise Refused("not_permitted", _("Your role does not allow this. Ask your supervisor."))


def keep(customer: Customer, by: User, at: datetime) -> None:
    """Who changed it, where an administrator looks for the history of a customer."""
    LogEntry.objects.create(
        user=by,
        action_time=at,
        content_type=ContentType.objects.get_for_model(Customer),
        object_id=str(customer.pk),
        object_repr=str(customer)[:200],
        action_flag=CHANGE,
        change_message=json.dumps([{"changed": {"fields": ["lost_at", "lost_reason"]}}]),
    )
