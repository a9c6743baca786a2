"""Mail to a colleague, in their language and their time, whichever room it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from surveys.messages.compose import queue_message
from surveys.models import Message


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody of the staff as a reader; whoever knows their profile says in which language and zone."""

    user: User
    locale: str
    zone: tzinfo


def write_to(
    colleague: Colleague,
    kind: str,
    *,
    at: datetime,
    dedup_key: str,
    context: dict[str, Any],
    about: str = "",
    not_after: datetime | None = None,
) -> Message:
    """Queue a message to them; everything else is as `queue_message` says."""
    user = colleague.user
    with timezone.override(colleague.zone):
        return queue_message(
            dedup_key=dedup_key,
            kind=kind,
            to_address=user.email,
            to_name=user.get_full_name(),
            user=user,
            locale=colleague.locale,
            about=about,
            context=context,
            at=at,
            not_after=not_after,
        )
