"""A low score becomes a ticket, or joins the one the person already has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.contrib.auth.models import User
from django.db import connection, transaction

from recovery.assignment import choose_owner
from recovery.lifecycle import hold_out, lot, notices
from recovery.lifecycle.act import acting, name_of
from recovery.lifecycle.clock import iso, recompute, start_deadlines
from recovery.models import Playbook, SlaPolicy, Team, Ticket, TicketEvent, TicketResponse, TriageRule
from recovery.models.ticket import NEW, WAITING
from surveys.models import Response


@dataclass(frozen=True)
class Plan:
    """What triage decided: which team, under which policy and priority, and why; what the call needs."""

    team: Team
    policy: SlaPolicy
    priority: int
    reasons: list[dict[str, object]] = field(default_factory=list)
    rule: TriageRule | None = None
    playbook: Playbook | None = None
    skill: str = ""


def next_number() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('recovery_ticket_number')")
        return f"R-{cursor.fetchone()[0]}"


def said(response: Response) -> dict[str, object]:
    return {
        "response": response.pk,
        "score": response.score,
        "band": response.band,
        "comment": response.comment,
    }


@transaction.atomic
def open_ticket(response: Response, plan: Plan, *, at: datetime, by: User | None = None) -> Ticket:
    """A new ticket with its owner, both deadlines and its one `opened` event."""
    choice = choose_owner(plan.team, response.customer, at, skill=plan.skill)
    ticket = Ticket.objects.create(
        number=next_number(),
        customer=response.customer,
        response=response,
        line=response.survey.line,
        touchpoint=response.touchpoint,
        status=NEW,
        priority=plan.priority,
        severity_reasons=plan.reasons,
        team=plan.team,
        owner=choice.owner,
        assigned_because=choice.reason,
        awaits_room=choice.awaits_room,
        skill=plan.skill,
        playbook=plan.playbook,
        rule=plan.rule,
        policy=plan.policy,
        opened_at=at,
        cycle_started_at=at,
    )
    TicketResponse.objects.create(ticket=ticket, response=response, role=TicketResponse.OPENED, cycle=1)
    deadlines = start_deadlines(ticket, at)
    TicketEvent.objects.create(
        ticket=ticket,
        kind="opened",
        cycle=1,
        at=at,
        by=by,
        by_name=name_of(by),
        version=1,
        text=response.comment,
        data={
            **said(response),
            "rule": plan.rule.name if plan.rule else None,
            "reasons": plan.reasons,
            "priority": plan.priority,
            "team": plan.team.name,
            "owner": name_of(choice.owner),
            "because": choice.reason,
            "deadlines": [{"kind": row.kind, "to": iso(row.due_at)} for row in deadlines],
        },
    )
    ticket = hold_out.draw(ticket, response, at=at)
    if ticket.status == WAITING:
        return ticket  # by lot: its owner is told once there is something to do
    due_at = notices.waits_since(response, at)
    notices.tell(
        choice.owner,
        "ticket_assigned",
        ticket,
        at,
        "opened",
        due_at=due_at,
        gathered=choice.awaits_room,
        because=choice.reason,
    )
    return ticket


def absorb(ticket: Ticket, response: Response, plan: Plan, *, at: datetime) -> Ticket:
    """A repeat low score of the same person joins the open ticket and raises its priority by one.

    A resolved ticket takes what was said before it was resolved; nothing else changes, and the person will
    be asked again anyway.
    """
    with acting(ticket, "absorb", by=None, at=at, any_version=True) as change:
        ticket = change.ticket
        TicketResponse.objects.create(
            ticket=ticket, response=response, role=TicketResponse.ABSORBED, cycle=ticket.cycle
        )
        before = ticket.priority
        raised = min(max(before - 1, 1), plan.priority) if ticket.is_in_work else before
        reasons = [*ticket.severity_reasons, {"code": "repeat_low_score", "response": response.pk}]
        change.set(priority=raised, severity_reasons=reasons)
        moved = recompute(change) if raised != before else []
        change.tell(
            "absorbed", response.comment, **said(response), **{"from": before, "to": raised}, deadlines=moved
        )
        notices.tell(
            ticket.owner,
            "ticket_absorbed",
            ticket,
            at,
            f"response:{response.pk}",
            due_at=notices.waits_since(response, at),
            response=response,
        )
    return hold_out.follow_up_early(ticket, at=at, why=lot.SECOND_LOW)


def update_answer(
    ticket: Ticket, response: Response, *, at: datetime, before: Mapping[str, object]
) -> Ticket:
    """The customer changed an answer the ticket holds; it is noted, never undone."""
    with acting(ticket, "update", by=None, at=at, any_version=True) as change:
        change.tell("updated", response.comment, **said(response), before=dict(before))
    if response.contact_me:
        return hold_out.follow_up_early(change.ticket, at=at, why=lot.ASKED_FOR_CONTACT)
    return change.ticket
