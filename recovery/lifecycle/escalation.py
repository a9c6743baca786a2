"""The ladder of a deadline: who is told as it nears and after it passed, each level once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dispatch.failpoints import failpoint
from recovery.assignment import first_on_duty, supervisors_from
from recovery.business_hours import Wait
from recovery.catch_up import is_late
from recovery.lifecycle import notices
from recovery.lifecycle.act import acting, locked, name_of
from recovery.lifecycle.clock import iso, waits_of
from recovery.lifecycle.ladder import next_step_at, steps_due
from recovery.lifecycle.recipients import BEFORE, Told, recipients_of
from recovery.lifecycle.step_actions import act_on
from recovery.lifecycle.table import Refused
from recovery.models import Deadline, Escalation, EscalationStep, Ticket


@dataclass(frozen=True)
class Settled:
    """A deadline whose due steps all count as reached; `steps` are those it had not reached before."""

    row: Deadline
    steps: list[tuple[EscalationStep, datetime]]
    has_passed: bool
    newly_late: bool

    def worth_telling(self) -> list[EscalationStep]:
        """A warning is of no use once what it warns of has happened."""
        due_at = self.row.due_at
        assert due_at is not None
        return [step for step, when in self.steps if when >= due_at or not self.has_passed]


@transaction.atomic
def climb(deadline_id: int, *, at: datetime) -> bool:
    """Record the breach if its time has come, and tell the highest level that is due. False: nothing to do.

    After an outage several levels, of both deadlines, may be due at once: all are settled in one act, and
    only the highest of them is told.
    """
    ticket_id = Deadline.objects.filter(pk=deadline_id).values_list("ticket", flat=True).first()
    if ticket_id is None:
        return False
    ticket = locked(ticket_id)
    due = due_rows(ticket, at)
    mine = [row for row in due if row.pk == deadline_id]
    if not mine:
        raise Refused("step_not_due", _("Nothing is due for this deadline."))
    since = min(row.next_step_at for row in due if row.next_step_at is not None)
    waits = waits_of(ticket_id)
    settled = [settle(row, waits, at) for row in (due if is_late(since, at) else mine)]
    told = highest(settled)
    if told is None and not any(each.newly_late for each in settled):
        return False  # The step was moved or taken away since the sweep's time was reckoned.
    say(ticket, settled, told, at, since)
    failpoint("escalation_told")
    return True


def due_rows(ticket: Ticket, at: datetime) -> list[Deadline]:
    """The running deadlines of this locked ticket that have something to say at `at`, the first due first."""
    rows = Deadline.objects.filter(ticket=ticket, met_at=None, ended_at=None, next_step_at__lte=at)
    rows = rows.exclude(due_at=None).select_related("policy", "calendar")
    return list(
        rows.prefetch_related("policy__steps__team", "calendar__hours", "calendar__days").order_by("due_at")
    )


def settle(row: Deadline, waits: list[Wait], at: datetime) -> Settled:
    """Keep the breach with its true time, and count every step that fell due as reached."""
    assert row.due_at is not None
    hours = row.calendar.as_working_calendar()
    steps = steps_due(row, hours, waits, at)
    has_passed = row.due_at <= at
    newly_late = has_passed and row.breached_at is None
    if newly_late:
        row.breached_at = row.due_at
    row.level = max([row.level, *(step.level for step, _when in steps)])
    row.next_step_at = next_step_at(row, hours, waits)
    row.save(update_fields=["breached_at", "level", "next_step_at"])
    return Settled(row, steps, has_passed, newly_late)


def highest(settled: list[Settled]) -> tuple[Settled, EscalationStep] | None:
    """The highest step worth telling, a passed deadline's first; of equals that of the one due first."""
    steps = [(each, step) for each in settled for step in each.worth_telling()]
    return max(steps, key=lambda pair: (pair[0].has_passed, pair[1].level), default=None)


def say(
    ticket: Ticket,
    settled: list[Settled],
    told: tuple[Settled, EscalationStep] | None,
    at: datetime,
    since: datetime,
) -> None:
    """One event, which also says what was passed over; one notice where there is a step to tell."""
    if told is not None:
        main, step = told
        tell_step(ticket, main.row, step, at, since, passed_over(settled, main, step))
        return
    main = next(each for each in settled if each.newly_late)
    with acting(ticket, "escalate", by=None, at=at) as change:
        change.tell("breached", **facts_of(main.row, at), **passed_over(settled, main, None))


def passed_over(settled: list[Settled], main: Settled, told: EscalationStep | None) -> dict[str, Any]:
    """What this act settled and did not tell: per deadline its due time, and the levels nobody heard of."""
    over = []
    for each in settled:
        levels = [step.level for step, _when in each.steps if step != told]
        if levels or (each is not main and each.newly_late):
            facts = {"deadline": each.row.kind, "due_at": iso(each.row.due_at), "late": each.has_passed}
            over.append({**facts, "levels": sorted(levels)})
    return {"passed_over": over} if over else {}


def facts_of(row: Deadline, at: datetime) -> dict[str, Any]:
    assert row.due_at is not None
    return {"deadline": row.kind, "due_at": iso(row.due_at), "late": row.due_at <= at}


def tell_step(
    ticket: Ticket, row: Deadline, step: EscalationStep, at: datetime, since: datetime, over: dict[str, Any]
) -> None:
    """One event about what the step told and did; a notice to each whom it tells, and to whose it was."""
    facts = {**facts_of(row, at), "level": step.level}
    with acting(ticket, "escalate", by=None, at=at) as change:
        before, people = change.ticket.owner, recipients_of(step, change.ticket, at)
        done = act_on(step, change, row, people)
        handed_on = [Told(before, BEFORE)] if "handed" in done else []
        for told in people:
            remember(change.ticket, told.person, step.level, at, deadline=row)
        change.set(escalation_level=max(change.ticket.escalation_level, step.level))
        change.tell("escalated", **facts, **named(step, change.ticket, people), **done, **over)
        for told in [*people, *handed_on]:
            notices.tell(
                told.person,
                "ticket_escalated",
                change.ticket,
                at,
                f"deadline:{row.pk}:round:{row.round}:level:{step.level}",
                due_at=since,
                facts=facts,
                at_once=step.urgent,
                deadline=row,
                late=facts["late"],
                done=done,
                **why(told, step, change.ticket),
            )


def named(step: EscalationStep, ticket: Ticket, people: list[Told]) -> dict[str, Any]:
    """Who was told, as the event keeps it: a team by its name and all of theirs."""
    if step.recipient != EscalationStep.TEAM:
        return {"to": name_of(people[0].person), "recipient": people[0].recipient}
    names = [name_of(told.person) for told in people]
    return {"to": (step.team or ticket.team).name, "recipient": EscalationStep.TEAM, "people": names}


def why(told: Told, step: EscalationStep, ticket: Ticket) -> dict[str, Any]:
    """What the notice says about why this person gets it: as what, and by which step of which policy."""
    return {
        "recipient": told.recipient,
        "stands_for": told.stands_for,
        "told_team": (step.team or ticket.team).name,
        "policy": ticket.policy.name,
        "level": step.level,
        "share": step.share,
        "minutes": abs(step.minutes_after),
        "before": step.minutes_after < 0,
    }


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
            at_once=True,
            level=level,
            recipient=recipient,
            reason=reason.strip(),
            by=name_of(by),
        )
    return change.ticket
