"""Tell a colleague, once per occasion, in their language, why they get it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from recovery.assignment import is_available, supervisor_on_duty
from recovery.models import EscalationStep, StaffProfile, Team, Ticket
from recovery.models.policy import FIRST_CONTACT, RESOLUTION
from surveys.messages import queue_message


def ticket_url(ticket: Ticket) -> str:
    return f"{settings.PUBLIC_URL}/tickets/{ticket.number}/"


def tell(user: User, kind: str, ticket: Ticket, at: datetime, occasion: str, **context: Any) -> None:
    """Queue one notice; nobody without an address is written to. `occasion` makes it unique."""
    if not user.email or not user.is_active:
        return
    profile = StaffProfile.objects.filter(user=user).first()
    with timezone.override(profile.zone if profile else UTC):
        queue_message(
            dedup_key=f"{kind}:{ticket.number}:{occasion}:{user.pk}",
            kind=kind,
            to_address=user.email,
            to_name=user.get_full_name(),
            user=user,
            locale=profile.locale if profile else "en",
            about=f"ticket:{ticket.number}",
            context={"ticket": ticket, "url": ticket_url(ticket), **facts_of(ticket), **context},
            at=at,
        )


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
