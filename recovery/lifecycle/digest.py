"""One message to each colleague about everything they could not be told in time or in their working time."""

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
from surveys.messages import kinds
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
CALLBACKS, PASSED, SOON, TICKETS = GROUPS = ("callbacks", "passed", "soon", "tickets")


@transaction.atomic
def send_digest(user_id: int, *, at: datetime) -> Message | None:
    """Queue one message about all untold lines of this colleague once the first of them may be told, and mark
    them told; None where there is nothing to tell at `at`.

    The lines stay locked until the end, so no second worker tells any of them again.
    """
    untold = DigestLine.objects.filter(user=user_id, told_at=None)
    held = list(untold.order_by("pk").select_for_update().values_list("pk", flat=True))
    lines = read(held)
    if not any((line.send_at or line.at) <= at for line in lines):
        return None
    user = User.objects.get(pk=user_id)
    message = None
    if user.email and (useful := still_useful(lines, at)):
        message = notices.write(
            user, "digest", at, f"digest:{user_id}:{lines[0].pk}", words(user, useful, at)
        )
    DigestLine.objects.filter(pk__in=held).update(told_at=at, message=message)
    failpoint("digest_told")
    return message


def read(ids: list[int]) -> list[DigestLine]:
    rows = DigestLine.objects.filter(pk__in=ids).order_by("pk")
    return list(rows.select_related("ticket__customer", "ticket__owner", "ticket__team"))


def still_useful(lines: list[DigestLine], at: datetime) -> list[DigestLine]:
    """Without warnings of what is settled, or has passed and is told of as such."""
    prefetch_related_objects(lines, "ticket__deadlines")
    late = {about(line) for line in lines if group_of(line, at) == PASSED and line.facts.get("late")}
    return [line for line in lines if not is_warning(line) or (runs(line) and about(line) not in late)]


def is_warning(line: DigestLine) -> bool:
    return line.kind == "ticket_escalated" and not line.facts.get("late")


def about(line: DigestLine) -> tuple[int, str]:
    return line.ticket_id, line.facts.get("deadline", "")


def runs(line: DigestLine) -> bool:
    """Whether the deadline it warns of still runs."""
    kind, ticket = line.facts.get("deadline"), line.ticket
    return any(
        row.kind == kind and row.cycle == ticket.cycle and row.is_running for row in ticket.deadlines.all()
    )


def group_of(line: DigestLine, at: datetime) -> str:
    if line.kind == "callback_due":
        return CALLBACKS
    if line.kind == "ticket_escalated":
        return PASSED if line.facts.get("late") or since(line) <= at else SOON
    return TICKETS


def words(user: User, lines: list[DigestLine], at: datetime) -> dict[str, Any]:
    """What the templates of the digest show: the most urgent lines by group, and how many more there are."""
    first = sorted(lines, key=lambda line: urgency(line, at))[:MOST_LINES]
    prefetch_related_objects(first, "ticket__customer__identities")
    groups: dict[str, list[Shown]] = {name: [] for name in GROUPS}
    for line in first:
        groups[group_of(line, at)].append(shown(line))
    rest_url = f"{settings.PUBLIC_URL}/{page_of(user)}/"
    return {**groups, "total": len(lines), "more": len(lines) - len(first), "rest_url": rest_url}


def urgency(line: DigestLine, at: datetime) -> tuple[int, int, datetime, int]:
    return GROUPS.index(group_of(line, at)), -line.facts.get("level", 0), since(line), line.pk


def since(line: DigestLine) -> datetime:
    """The promised time the line is about: of a deadline its own, not that of the step which was due."""
    promised = line.facts.get("due_at")
    return datetime.fromisoformat(promised) if promised else line.due_at


def shown(line: DigestLine) -> Shown:
    deadline = line.facts.get("deadline")
    what = dict(DEADLINE_KINDS).get(deadline, "") if deadline else kinds.NAMES.get(line.kind, line.kind)
    return Shown(line.kind, line.ticket, notices.ticket_url(line.ticket), since(line), line.facts, what)


def page_of(user: User) -> str:
    """Where the whole of it stands: agents look at their desk, who supervises at what is overdue."""
    is_agent = StaffProfile.objects.filter(user=user, role=StaffProfile.AGENT).exists()
    return "desk" if is_agent else "overdue"
