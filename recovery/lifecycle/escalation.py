"""The ladder of a deadline: who is told as it nears and after it passed, each level once."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from recovery.lifecycle import notices
from recovery.lifecycle.act import acting, name_of
from recovery.lifecycle.clock import iso, next_step_at, step_time
from recovery.lifecycle.table import Refused
from recovery.models import Deadline, Escalation, EscalationStep, Ticket


def recipient_of(step: EscalationStep, ticket: Ticket) -> User:
    if step.recipient == EscalationStep.OWNER:
        return ticket.owner
    if step.recipient == EscalationStep.MANAGER and ticket.team.parent:
        return ticket.team.parent.supervisor
    return ticket.team.supervisor


def climb(deadline_id: int, *, at: datetime) -> bool:
    """Record the breach if its time has come, and tell the highest level that is due. False: nothing to do.

    After an outage several levels may be due at once: only the highest is told.
    """
    found = Deadline.objects.select_related("ticket").filter(pk=deadline_id).first()
    if found is None:
        return False
    with acting(found.ticket, "escalate", by=None, at=at, any_version=True) as change:
        row = Deadline.objects.select_related("policy", "calendar").get(pk=deadline_id)
        if not row.is_running or row.due_at is None or row.next_step_at is None or row.next_step_at > at:
            raise Refused("step_not_due", _("Nothing is due for this deadline."))
        hours = row.calendar.as_working_calendar()
        due = [
            step
            for step in row.policy.steps.all()
            if step.kind == row.kind and step.level > row.level and step_time(step, row.due_at, hours) <= at
        ]
        newly_late = row.breached_at is None and row.due_at <= at
        if newly_late:
            row.breached_at = row.due_at
        step = max(due, key=lambda each: each.level, default=None)
        if step is not None:
            row.level = step.level
        row.next_step_at = next_step_at(row, hours)
        row.save(update_fields=["breached_at", "level", "next_step_at"])
        facts = {"deadline": row.kind, "due_at": iso(row.due_at), "late": row.due_at <= at}
        if step is None:
            change.tell("breached", **facts)
        else:
            person = recipient_of(step, change.ticket)
            remember(change.ticket, person, step.level, at, deadline=row)
            change.set(escalation_level=max(change.ticket.escalation_level, step.level))
            change.tell("escalated", **facts, level=step.level, to=name_of(person), recipient=step.recipient)
            occasion = f"deadline:{row.pk}:round:{row.round}:level:{step.level}"
            notices.tell(
                person,
                "ticket_escalated",
                change.ticket,
                at,
                occasion,
                deadline=row,
                level=step.level,
                step=step,
            )
    return True


def remember(
    ticket: Ticket,
    person: User,
    level: int,
    at: datetime,
    *,
    deadline: Deadline | None = None,
    reason: str = "",
) -> None:
    Escalation.objects.create(
        ticket=ticket,
        deadline=deadline,
        cycle=ticket.cycle,
        round=deadline.round if deadline else 1,
        level=level,
        recipient=person,
        recipient_name=name_of(person),
        at=at,
        reason=reason,
    )


def escalate(ticket: Ticket, *, by: User | None, at: datetime, reason: str) -> Ticket:
    """Somebody asks the supervisor for help before any deadline does; above the supervisor, the manager."""
    if not reason.strip():
        raise Refused("reason_missing", _("Say what help you need."), field="reason")
    with acting(ticket, "escalate", by=by, at=at) as change:
        team = change.ticket.team
        person = team.supervisor
        if by == person and team.parent:
            person = team.parent.supervisor
        level = change.ticket.escalation_level + 1
        remember(change.ticket, person, level, at, reason=reason.strip()[:300])
        change.set(escalation_level=level)
        change.tell("escalated", reason.strip(), level=level, to=name_of(person), recipient="supervisor")
        occasion = f"asked:{level}:{change.ticket.version + 1}"
        notices.tell(
            person,
            "ticket_escalated",
            change.ticket,
            at,
            occasion,
            level=level,
            reason=reason.strip(),
            by=name_of(by),
        )
    return change.ticket
