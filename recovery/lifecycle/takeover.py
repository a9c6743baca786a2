"""A supervisor takes a ticket upon themselves."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User

from recovery.lifecycle.ownership import assign
from recovery.models import Ticket


def take_over(ticket: Ticket, *, by: User, at: datetime, reason: str = "") -> Ticket:
    """The ticket is theirs from now on, as if handed to them."""
    return assign(ticket, by=by, at=at, to=by, reason=reason)
