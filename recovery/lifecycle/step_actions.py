"""What a step of a ladder does besides telling: it hands the ticket over, or raises its priority."""

from __future__ import annotations

from typing import Any

from recovery.lifecycle.act import Change, name_of
from recovery.lifecycle.clock import recompute
from recovery.lifecycle.ownership import refuse_full, refuse_who_cannot
from recovery.lifecycle.recipients import Told
from recovery.lifecycle.table import Refused
from recovery.models import Deadline, Escalation, EscalationStep

ESCALATED = "escalated"


def act_on(step: EscalationStep, change: Change, row: Deadline, people: list[Told]) -> dict[str, Any]:
    """Do what the step asks for, inside the act that tells; what came of it, for the event."""
    if step.action == EscalationStep.REASSIGN and len(people) == 1:
        return hand_over(step, change, people[0])
    if step.action == EscalationStep.RAISE:
        return raise_priority(step, change, row)
    return {}


def hand_over(step: EscalationStep, change: Change, told: Told) -> dict[str, Any]:
    """By the rules of every other hand-over; where they forbid it the owner keeps it, and the event says why.

    `handed` is from whom to whom; `kept` the code of what forbade it.
    """
    ticket, before = change.ticket, change.ticket.owner
    if told.person == before:
        return {"kept": "owner_unchanged"}
    try:
        refuse_who_cannot(told.person, change.at)
        refuse_full(ticket, told.person, ticket.team)
    except Refused as refused:
        return {"kept": refused.code}
    because = {"code": ESCALATED, "before": name_of(before), "level": step.level}
    change.set(owner=told.person, awaits_room=False, assigned_because=because)
    return {"handed": {"from": name_of(before), "to": name_of(told.person)}}


def raise_priority(step: EscalationStep, change: Change, row: Deadline) -> dict[str, Any]:
    """One higher, once for each step and cycle, with the deadlines that follow from it.

    What the ladder has told stays told although this moves the deadlines: it would else climb for ever.
    """
    before = change.ticket.priority
    if before == 1 or raised_before(step, row):
        return {}
    change.set(priority=before - 1)
    moved = recompute(change, told_anew=False)
    return {"raised": {"from": before, "to": before - 1}, "deadlines": moved}


def raised_before(step: EscalationStep, row: Deadline) -> bool:
    """Whether an earlier round of this deadline has come as far as this step."""
    return Escalation.objects.filter(deadline=row, level=step.level, round__lt=row.round).exists()
