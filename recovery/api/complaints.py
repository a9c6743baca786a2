"""A complaint as JSON brings it becomes a response entered by hand, and its ticket."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from recovery.models import Ticket
from recovery.triage import open_complaint
from surveys.intake.parse import draft_from_json
from surveys.intake.record import ResponseDraft, record
from surveys.intake.text import InputErrors
from surveys.models import Source

NEEDED = ("customer", "comment", "channel")
NOT_HERE = ("answers", "contact_me", "updated_at")


def by_hand() -> Source:
    return Source.objects.get_or_create(slug="manual", defaults={"name": "By hand", "kind": "manual"})[0]


@transaction.atomic
def take_complaint(body: Any, *, by: User, at: datetime) -> tuple[Ticket, bool]:
    """The ticket, and whether the complaint is new. Raises InputErrors, Conflict."""
    recorded = record(read_complaint(body, at), at=at)
    return open_complaint(recorded.response.pk, by=by, at=at), recorded.created


def read_complaint(body: Any, at: datetime) -> ResponseDraft:
    """A response whose score may be missing, and whose customer, comment and channel may not."""
    if not isinstance(body, dict):
        raise InputErrors([("", _("A complaint is an object."))])
    errors = [(name, _("There is no such field.")) for name in NOT_HERE if name in body]
    errors += [(name, _("This is required.")) for name in NEEDED if not body.get(name)]
    filled = {**body, "external_id": body.get("external_id") or str(uuid4())}
    try:
        draft = draft_from_json(filled, source=by_hand(), at=at, score_optional=True)
    except InputErrors as found:
        raise InputErrors([*errors, *found.errors]) from None
    if errors:
        raise InputErrors(errors)
    return draft
