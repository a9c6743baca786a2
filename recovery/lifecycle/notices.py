"""Tell a colleague, once per occasion, in their language, why they get it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Max
from django.utils import timezone

from recovery.assignment import is_available, supervisor_on_duty
from recovery.catch_up import USEFUL_FOR, is_late
from recovery.models import DigestLine, EscalationStep, StaffProfile, Team, Ticket
from recovery.models.policy import FIRST_CONTACT, RESOLUTION
from surveys.messages import queue_message
from surveys.models import Message, Response


def ticket_url(ticket: Ticket) -> str:
    return f"{settings.PUBLIC_URL}/tickets/{ticket.number}/"


def tell(
    user: User,
    kind: str,
    ticket: Ticket,
    at: datetime,
    occasion: str,
    *,
    due_at: datetime | None = None,
    facts: dict[str, Any] | None = None,
    **context: Any,
) -> None:
    """Queue one notice; nobody without an address is written to. `occasion` makes it unique.

    What should have been told at `due_at` and comes late waits for the person's digest instead, with `facts`
    (JSON) about it.
    """
    if not user.email or not user.is_active:
        return
    dedup_key = f"{kind}:{ticket.number}:{occasion}:{user.pk}"
    if due_at is not None and is_late(due_at, at):
        line = DigestLine(
            dedup_key=dedup_key, user=user, ticket=ticket, kind=kind, facts=facts or {}, due_at=due_at, at=at
        )
        DigestLine.objects.bulk_create([line], ignore_conflicts=True)
        return
    context = {"ticket": ticket, "url": ticket_url(ticket), **facts_of(ticket), **context}
    write(user, kind, at, dedup_key, context, about=f"ticket:{ticket.number}")


def write(
    user: User, kind: str, at: datetime, dedup_key: str, context: dict[str, Any], about: str = ""
) -> Message:
    """Queue a message to a colleague in their language and time; it is not sent once it is of no use."""
    profile = StaffProfile.objects.filter(user=user).first()
    with timezone.override(profile.zone if profile else UTC):
        return queue_message(
            dedup_key=dedup_key,
            kind=kind,
            to_address=user.email,
            to_name=user.get_full_name(),
            user=user,
            locale=profile.locale if profile else "en",
            about=about,
            context=context,
            at=at,
            not_after=at + USEFUL_FOR[kind],
        )


def waits_since(response: Response, at: datetime) -> datetime:
    """Since when an answer waits to be looked at: received then, or changed since."""
    if not is_late(response.received_at, at):
        return response.received_at
    changed = response.versions.aggregate(at=Max("replaced_at"))["at"]
    return max(response.received_at, changed or response.received_at)


def minder_of(ticket: Ticket, at: datetime) -> tuple[User, str]:
    """The owner, or whoever supervises while the owner is away or gone; and as what they are told."""
    if is_available(ticket.owner, at):
        return ticket.owner, EscalationStep.OWNER
    return supervisor_of(ticket, ticket.team, at)


def supervisor_of(ticket: Ticket, team: Team, at: datetime) -> tuple[User, str]:
    """Who supervises this team of the ticket, or one above it, and as what they are told."""
    person = supervisor_on_duty(team, at)
    own = person == ticket.team.supervisor
    return person, EscalationStep.SUPERVISOR if own else EscalationStep.MANAGER


def facts_of(ticket: Ticket) -> dict[str, Any]:
    """What every notice repeats, so that nobody has to open the ticket to know what it is about."""
    running = {
        row.kind: row for row in ticket.deadlines.filter(cycle=ticket.cycle, met_at=None, ended_at=None)
    }
    return {
        "customer": ticket.customer_name,
        "score": ticket.response.score,
        "highest": ticket.response.survey.highest,
        "words": ticket.response.comment,
        "first_contact": running.get(FIRST_CONTACT),
        "resolution": running.get(RESOLUTION),
    }
