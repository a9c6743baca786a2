"""The ladder of a deadline: who is told as it nears and after it passed, each level once."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from recovery.assignment import first_on_duty, supervisors_from
from recovery.business_hours import WorkingCalendar
from recovery.lifecycle import notices
from recovery.lifecycle.act import acting, locked, name_of
from recovery.lifecycle.clock import iso, next_step_at, step_time
from recovery.lifecycle.table import Refused
from recovery.models import Deadline, Escalation, EscalationStep, Ticket


def recipient_of(step: EscalationStep, ticket: Ticket, at: datetime) -> tuple[User, str]:
    """Whom the step tells, and as what; somebody above where they are away or gone."""
    if step.recipient == EscalationStep.OWNER:
        return notices.minder_of(ticket, at)
    to_manager = step.recipient == EscalationStep.MANAGER
    return notices.supervisor_of(ticket, (to_manager and ticket.team.parent) or ticket.team, at)


@transaction.atomic
def climb(deadline_id: int, *, at: datetime) -> bool:
    """Record the breach if its time has come, and tell the highest level that is due. False: nothing to do.

    After an outage several levels may be due at once: only the highest is told.
    """
    found = Deadline.objects.filter(pk=deadline_id).first()
    if found is None:
        return False
    ticket = locked(found.ticket_id)
    row = Deadline.objects.select_related("policy", "calendar").get(pk=deadline_id)
    if not row.is_running or row.due_at is None or row.next_step_at is None or row.next_step_at > at:
        raise Refused("step_not_due", _("Nothing is due for this deadline."))
    hours = row.calendar.as_working_calendar()
    step = highest_due(row, hours, at)
    newly_late = row.breached_at is None and row.due_at <= at
    if newly_late:
        row.breached_at = row.due_at
    if step is not None:
        row.level = step.level
    row.next_step_at = next_step_at(row, hours)
    row.save(update_fields=["breached_at", "level", "next_step_at"])
    if step is None and not newly_late:
        return False  # The step was moved or taken away since the sweep's time was reckoned.
    tell_step(ticket, row, step, at)
    return True


def highest_due(row: Deadline, hours: WorkingCalendar, at: datetime) -> EscalationStep | None:
    assert row.due_at is not None
    due = [
        step
        for step in row.policy.steps.all()
        if step.kind == row.kind and step.level > row.level and step_time(step, row.due_at, hours) <= at
    ]
    return max(due, key=lambda each: each.level, default=None)


def tell_step(ticket: Ticket, row: Deadline, step: EscalationStep | None, at: datetime) -> None:
    assert row.due_at is not None
    facts = {"deadline": row.kind, "due_at": iso(row.due_at), "late": row.due_at <= at}
    with acting(ticket, "escalate", by=None, at=at) as change:
        if step is None:
            change.tell("breached", **facts)
            return
        person, recipient = recipient_of(step, change.ticket, at)
        remember(change.ticket, person, step.level, at, deadline=row)
        change.set(escalation_level=max(change.ticket.escalation_level, step.level))
        change.tell("escalated", **facts, level=step.level, to=name_of(person), recipient=recipient)
        occasion = f"deadline:{row.pk}:round:{row.round}:level:{step.level}"
        notices.tell(
            person,
            "ticket_escalated",
            change.ticket,
            at,
            occasion,
            deadline=row,
            level=step.level,
            recipient=recipient,
        )


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
    """Somebody asks the supervisor for help before any deadline does; a supervisor asks whoever is above."""
    if not reason.strip():
        raise Refused("reason_missing", _("Say what help you need."), field="reason")
    with acting(ticket, "escalate", by=by, at=at) as change:
        team = change.ticket.team
        person = first_on_duty([each for each in supervisors_from(team) if each != by], at)
        if person is None:
            raise Refused("nobody_above", _("Nobody is above you here: this is yours to decide."))
        recipient = EscalationStep.SUPERVISOR if person == team.supervisor else EscalationStep.MANAGER
        level = change.ticket.escalation_level + 1
        remember(change.ticket, person, level, at, reason=reason.strip()[:300])
        change.set(escalation_level=level)
        change.tell("escalated", reason.strip(), level=level, to=name_of(person), recipient=recipient)
        occasion = f"asked:{level}:{change.ticket.version + 1}"
        notices.tell(
            person,
            "ticket_escalated",
            change.ticket,
            at,
            occasion,
            level=level,
            recipient=recipient,
            reason=reason.strip(),
            by=name_of(by),
        )
    return change.ticket
