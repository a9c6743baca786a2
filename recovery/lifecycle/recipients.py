"""Whom a notice goes to and as what: never somebody on leave while anybody stands in for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User

from recovery.assignment import cover_of, is_available, is_away, supervisors_from
from recovery.lifecycle.own_time import opens_for
from recovery.models import EscalationStep, Leave, StaffProfile, Team, Ticket

# As which somebody is told from whom the ticket was taken; no step names them.
BEFORE = "before"
# Told for the ticket, as one of these: while they are away it is for whoever stands in for them.
STOOD_IN_FOR = (EscalationStep.OWNER, EscalationStep.COVER, EscalationStep.SUPERVISOR, EscalationStep.MANAGER)


@dataclass(frozen=True)
class Told:
    """`recipient` is a code of EscalationStep.RECIPIENTS, or BEFORE; `stands_for` names whom a cover
    stands in for."""

    person: User
    recipient: str
    stands_for: str = ""


def recipients_of(step: EscalationStep, ticket: Ticket, at: datetime) -> list[Told]:
    """Whom the step tells: one person, but for a team; always somebody."""
    if step.recipient == EscalationStep.TEAM:
        return team_there(step.team or ticket.team, at)
    if step.recipient == EscalationStep.OWNER:
        return [told_for_owner(ticket, at)]
    if step.recipient == EscalationStep.COVER and not is_available(ticket.owner, at):
        return [told_for_owner(ticket, at)]
    above = ticket.team.parent if step.recipient == EscalationStep.MANAGER else None
    return [told_for_supervisor(ticket, above or ticket.team, at)]


def told_for_owner(ticket: Ticket, at: datetime) -> Told:
    person = cover_of(ticket.owner, ticket.team, at)
    if person == ticket.owner:
        return Told(person, EscalationStep.OWNER)
    return as_what(ticket, person, ticket.owner)


def told_for_supervisor(ticket: Ticket, team: Team, at: datetime) -> Told:
    return as_what(ticket, cover_of(team.supervisor, team, at), team.supervisor)


def as_what(ticket: Ticket, person: User, instead_of: User) -> Told:
    """Whoever supervises the ticket is told as that, anybody else as the cover of who is away."""
    if person == ticket.team.supervisor:
        return Told(person, EscalationStep.SUPERVISOR)
    if person == instead_of or person in supervisors_from(ticket.team):
        return Told(person, EscalationStep.MANAGER)
    return Told(person, EscalationStep.COVER, instead_of.get_full_name() or instead_of.get_username())


def team_there(team: Team, at: datetime) -> list[Told]:
    """Every member who is there; where nobody is, who supervises the team."""
    away = Leave.objects.filter(starts_at__lte=at, ends_at__gt=at).values("user")
    members = User.objects.filter(memberships__team=team, is_active=True, staff__isnull=False)
    members = members.exclude(staff__role=StaffProfile.ANALYST).exclude(pk__in=away)
    told = [Told(person, EscalationStep.TEAM) for person in members.order_by("memberships__pk")]
    return told or [Told(cover_of(team.supervisor, team, at), EscalationStep.TEAM)]


def minder_of(ticket: Ticket, at: datetime) -> tuple[User, str]:
    """The owner, or whoever covers while the owner is away or gone; and as what they are told."""
    told = told_for_owner(ticket, at)
    return told.person, told.recipient


def supervisor_of(ticket: Ticket, team: Team, at: datetime) -> tuple[User, str]:
    """Who supervises this team of the ticket, or one above it, and as what they are told."""
    told = told_for_supervisor(ticket, team, at)
    return told.person, told.recipient


def told_then(told: Told, ticket: Ticket, at: datetime, not_before: datetime) -> tuple[Told, datetime]:
    """Whom to tell, and when their working time has begun: whoever stands in for who is away by then.

    Where nobody does, those away are told at the time they would begin, leave or not.
    """
    passed = set[int]()
    while True:
        send_at = max(opens_for(told.person, at, even_on_leave=True), not_before)
        passed.add(told.person.pk)
        if not is_away(told.person, send_at):
            return told, send_at
        person = cover_of(told.person, ticket.team, send_at)
        if person.pk in passed:
            return told, send_at
        told = as_what(ticket, person, told.person)
