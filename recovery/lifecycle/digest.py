"""One message to each colleague about everything they could not be told in time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import prefetch_related_objects

from dispatch.failpoints import failpoint
from recovery.lifecycle import notices
from recovery.models import DigestLine, StaffProfile, Ticket
from recovery.models.policy import DEADLINE_KINDS
from surveys.models import Message

MOST_LINES = 50


@dataclass
class Shown:
    """A line as the digest's templates see it; `since` is the promised time, in any zone."""

    kind: str
    ticket: Ticket
    url: str
    since: datetime
    facts: dict[str, Any]
    what: object = ""


# The most urgent first; each is a list in the templates.
GROUPS = ("callbacks", "passed", "soon", "tickets")


def group_of(line: DigestLine) -> str:
    if line.kind == "callback_due":
        return "callbacks"
    if line.kind == "ticket_escalated":
        return "passed" if line.facts.get("late") else "soon"
    return "tickets"


@transaction.atomic
def send_digest(user_id: int, *, at: datetime) -> Message | None:
    """Queue one message about all untold lines of this colleague and mark them told; None: nothing untold.

    The lines stay locked until the end, so no second worker tells any of them again.
    """
    untold = DigestLine.objects.filter(user=user_id, told_at=None).order_by("pk")
    lines = list(untold.select_for_update())
    if not lines:
        return None
    user = User.objects.get(pk=user_id)
    message = None
    if user.email:
        message = notices.write(user, "digest", at, f"digest:{user_id}:{lines[0].pk}", words(user, lines))
    DigestLine.objects.filter(pk__in=[line.pk for line in lines]).update(told_at=at, message=message)
    failpoint("digest_told")
    return message


def words(user: User, lines: list[DigestLine]) -> dict[str, Any]:
    """What the templates of the digest show: the most urgent lines by group, and how many more there are."""
    first = sorted(lines, key=urgency)[:MOST_LINES]
    prefetch_related_objects(first, "ticket__customer__identities")
    groups: dict[str, list[Shown]] = {name: [] for name in GROUPS}
    for line in first:
        groups[group_of(line)].append(shown(line))
    rest_url = f"{settings.PUBLIC_URL}/{page_of(user)}/"
    return {**groups, "total": len(lines), "more": len(lines) - len(first), "rest_url": rest_url}


def urgency(line: DigestLine) -> tuple[int, int, datetime, int]:
    return GROUPS.index(group_of(line)), -line.facts.get("level", 0), since(line), line.pk


def since(line: DigestLine) -> datetime:
    """The promised time the line is about: of a deadline its own, not that of the step which was due."""
    promised = line.facts.get("due_at")
    return datetime.fromisoformat(promised) if promised else line.due_at


def shown(line: DigestLine) -> Shown:
    what = dict(DEADLINE_KINDS).get(line.facts.get("deadline", ""), "")
    return Shown(line.kind, line.ticket, notices.ticket_url(line.ticket), since(line), line.facts, what)


def page_of(user: User) -> str:
    """Where the whole of it stands: agents look at their desk, who supervises at what is overdue."""
    is_agent = StaffProfile.objects.filter(user=user, role=StaffProfile.AGENT).exists()
    return "desk" if is_agent else "overdue"
