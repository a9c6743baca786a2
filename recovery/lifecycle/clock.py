"""The two deadlines of a cycle: started, paused, resumed, moved, met. Each keeps its ledger."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from recovery import business_hours, deadlines
from recovery.business_hours import WorkingTimeError
from recovery.lifecycle import lot, notices
from recovery.lifecycle.act import Change, acting
from recovery.lifecycle.ladder import next_step_at
from recovery.lifecycle.table import Refused
from recovery.models import Deadline, PolicyTarget, SlaPolicy, Ticket, Wait
from recovery.models.policy import DEADLINE_KINDS, FIRST_CONTACT, RESOLUTION, TEN_YEARS
from recovery.models.ticket import OPEN, WAITING

KINDS = (FIRST_CONTACT, RESOLUTION)


def target_of(policy: SlaPolicy, priority: int) -> PolicyTarget:
    """The policy's target for a priority, or for the nearest one it has."""
    targets = list(policy.targets.all())
    if not targets:
        raise Refused(
            "policy_without_targets", _("This SLA policy has no targets. Add one in the admin site.")
        )
    return min(targets, key=lambda target: (abs(target.priority - priority), target.priority))


def start_deadlines(ticket: Ticket, at: datetime) -> list[Deadline]:
    """Both deadlines of the ticket's present cycle, counted from `at`."""
    calendar = ticket.team.calendar
    target = target_of(ticket.policy, ticket.priority)
    rows = [
        Deadline(
            ticket=ticket,
            kind=kind,
            cycle=ticket.cycle,
            minutes=target.minutes(kind),
            policy=ticket.policy,
            policy_version=ticket.policy.version,
            calendar=calendar,
            calendar_version=calendar.version,
            starts_at=at,
        )
        for kind in KINDS
    ]
    hours = calendar.as_working_calendar()
    for row in rows:
        reckon(row, hours, [], at)
    return Deadline.objects.bulk_create(rows)


def waits_of(ticket_id: int) -> list[business_hours.Wait]:
    rows = Wait.objects.filter(ticket_id=ticket_id)
    return [(row.starts_at, row.ends_at) for row in rows]


def reckon(
    row: Deadline, hours: business_hours.WorkingCalendar, waits: list[business_hours.Wait], at: datetime
) -> None:
    """Set the due time, the ledger and when the ladder next has something to say.

    Raises Refused where the calendar opens so seldom that the time lies beyond reckoning.
    """
    try:
        result = deadlines.reckon(hours, row.starts_at, row.minutes + row.extra_minutes, waits, at=at)
        row.due_at = result.due_at
        row.next_step_at = next_step_at(row, hours, waits)
    except WorkingTimeError as error:
        raise Refused("deadline_too_far", _("This deadline would lie too far off to be reckoned.")) from error
    row.ledger = deadlines.ledger_to_json(result.ledger)


def running_deadlines(ticket: Ticket) -> list[Deadline]:
    """Those of the present cycle: a cycle's deadlines end with it."""
    rows = Deadline.objects.filter(ticket=ticket, met_at=None, ended_at=None)
    return list(rows.select_related("policy", "calendar"))


RECKONED = [
    "minutes",
    "extra_minutes",
    "policy",
    "policy_version",
    "calendar",
    "calendar_version",
    "due_at",
    "breached_at",
    "ledger",
    "round",
    "level",
    "next_step_at",
]


def recompute(change: Change, *, told_anew: bool = True) -> list[dict[str, str | None]]:
    """Reckon the running deadlines anew under today's policy, calendar and waits; say what moved.

    Time already used and pauses carry over, since every reckoning starts at the cycle's start. A due time
    that moved and lies ahead may be told about again, unless the ladder itself moved it (`told_anew`); what
    was late before it moved stays late. A step is not late because this moved it to before now.
    """
    ticket = change.ticket
    moved: list[dict[str, str | None]] = []
    calendar = ticket.team.calendar
    target = target_of(ticket.policy, ticket.priority)
    hours, waits = calendar.as_working_calendar(), waits_of(ticket.pk)
    for row in running_deadlines(ticket):
        before, planned = row.due_at, row.next_step_at
        row.minutes = target.minutes(row.kind)
        row.policy, row.policy_version = ticket.policy, ticket.policy.version
        row.calendar, row.calendar_version = calendar, calendar.version
        reckon(row, hours, waits, change.at)
        if row.due_at != before:
            if row.breached_at is None and before is not None and before < change.at:
                row.breached_at = before
            if told_anew and row.level >= 0 and row.due_at is not None and row.due_at > change.at:
                row.round, row.level = row.round + 1, -1
            row.next_step_at = next_step_at(row, hours, waits)
            if before and row.due_at and row.next_step_at and row.due_at < before:
                row.next_step_at = max(row.next_step_at, min(change.at, planned or change.at))
            moved.append({"kind": row.kind, "from": iso(before), "to": iso(row.due_at)})
        row.save(update_fields=RECKONED)
    return moved


def iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def meet(ticket: Ticket, kind: str, at: datetime) -> Deadline | None:
    """The running deadline of this kind is met; late if its time had passed. None when it was met before."""
    for row in running_deadlines(ticket):
        if row.kind == kind:
            row.met_at = at
            end(row, at)
            return row
    return None


def end(row: Deadline, at: datetime) -> None:
    """Stop the ladder; what was late at `at` stays late."""
    if row.breached_at is None and row.due_at is not None and row.due_at < at:
        row.breached_at = row.due_at
    if row.met_at is None:
        row.ended_at = at
    row.next_step_at = None
    row.save(update_fields=["met_at", "ended_at", "breached_at", "next_step_at"])


def end_all(ticket: Ticket, at: datetime) -> None:
    for row in running_deadlines(ticket):
        end(row, at)


def end_wait(ticket: Ticket, at: datetime, why: str) -> Wait | None:
    """The running wait ends now, or ended at the time given for it, however late somebody looks.

    `why` is kept with the draw of a hold-out that ends early.
    """
    wait = Wait.objects.filter(ticket=ticket, ends_at=None).first()
    if wait is not None:
        wait.ends_at = max(wait.starts_at, min(at, wait.resume_at or at))
        wait.save(update_fields=["ends_at"])
        lot.note_end(wait, at, why)
    return wait


def start_waiting(
    ticket: Ticket, *, by: User | None, at: datetime, reason: str, until: datetime | None = None
) -> Ticket:
    """Stop the clock because the customer must do something first; it resumes by itself at `until`."""
    if not reason.strip():
        raise Refused("reason_missing", _("Say what the customer must do first."), field="reason")
    if until is not None and until <= at:
        raise Refused("until_in_the_past", _("Choose a time that is still ahead."), field="until")
    with acting(ticket, "wait", by=by, at=at) as change:
        Wait.objects.create(
            ticket=change.ticket,
            cycle=change.ticket.cycle,
            starts_at=at,
            resume_at=until,
            reason=reason.strip(),
            by=by,
        )
        change.set(status=WAITING)
        moved = recompute(change)
        change.tell("waiting", reason.strip(), until=iso(until), deadlines=moved)
    return change.ticket


def resume(ticket: Ticket, *, by: User | None, at: datetime, note: str = "", early: str = "") -> Ticket:
    """Let the clock run again; only the working time inside the wait is not counted.

    What waited by the lot of a hold-out becomes its owner's work now; `early` says why before its time.
    """
    with acting(ticket, "resume", by=by, at=at) as change:
        wait = end_wait(change.ticket, at, early or lot.RESUMED)
        change.set(status=OPEN)
        moved = recompute(change)
        by_lot = wait is not None and lot.is_by_lot(wait)
        told = {"lot": early or ("over" if by is None else lot.RESUMED)} if by_lot else {}
        since = iso(wait.starts_at if wait else None)
        change.tell("resumed", note.strip(), since=since, **told, deadlines=moved)
    if by_lot and by != change.ticket.owner:
        hand_to_owner(change.ticket, at)
    return change.ticket


def hand_to_owner(ticket: Ticket, at: datetime) -> None:
    """Its owner was not told when it was opened: there was nothing to do."""
    notices.tell(ticket.owner, "ticket_assigned", ticket, at, "by_lot", because=ticket.assigned_because)


def change_priority(
    ticket: Ticket, *, by: User | None, at: datetime, priority: int, reason: str = ""
) -> Ticket:
    """Set the priority (1 urgent to 4 low) and move the deadlines with it."""
    if priority not in (1, 2, 3, 4):
        raise Refused("priority_unknown", _("A priority is 1, 2, 3 or 4."), field="priority")
    with acting(ticket, "priority", by=by, at=at) as change:
        before = change.ticket.priority
        if before == priority:
            raise Refused("priority_unchanged", _("The ticket has this priority already."), field="priority")
        change.set(priority=priority)
        moved = recompute(change)
        change.tell("priority_changed", reason.strip(), **{"from": before, "to": priority}, deadlines=moved)
    return change.ticket


def extend(
    ticket: Ticket, *, by: User | None, at: datetime, minutes: int, reason: str, kind: str = RESOLUTION
) -> Ticket:
    """Allow more working minutes for one deadline of this cycle, with a reason that stays on the ticket."""
    if kind not in dict(DEADLINE_KINDS):
        raise Refused("kind_unknown", _("Choose first contact or resolution."), field="kind")
    if not 1 <= minutes <= TEN_YEARS // 10:
        raise Refused("minutes_out_of_range", _("Extend by 1 minute to 1 year."), field="minutes")
    if not reason.strip():
        raise Refused("reason_missing", _("Say why more time is needed."), field="reason")
    with acting(ticket, "extend", by=by, at=at) as change:
        row = next((each for each in running_deadlines(change.ticket) if each.kind == kind), None)
        if row is None:
            raise Refused("deadline_over", _("This deadline is met already."), field="kind")
        row.extra_minutes += minutes
        row.save(update_fields=["extra_minutes"])
        moved = recompute(change)
        change.tell("extended", reason.strip(), deadline=kind, minutes=minutes, deadlines=moved)
    return change.ticket


def change_policy(ticket: Ticket, *, by: User | None, at: datetime, policy: SlaPolicy, reason: str) -> Ticket:
    """Put the ticket under another policy, and its running deadlines with it."""
    if not reason.strip():
        raise Refused("reason_missing", _("Say why it goes under another policy."), field="reason")
    with acting(ticket, "policy", by=by, at=at) as change:
        before = change.ticket.policy
        if before == policy:
            raise Refused("policy_unchanged", _("The ticket is under this policy already."), field="policy")
        change.set(policy=policy)
        tell_recomputed(change, reason.strip(), policy_from=before.name)
    return change.ticket


def recompute_deadlines(ticket: Ticket, *, by: User | None, at: datetime) -> Ticket:
    """Bring the deadlines under the present policy and calendar; one event with the old and new times."""
    with acting(ticket, "recompute", by=by, at=at, any_version=True) as change:
        tell_recomputed(change, changed=what_changed(change.ticket))
    return change.ticket


def what_changed(ticket: Ticket) -> list[str]:
    """Why the running deadlines are out of date: `policy` or `calendar` is another one, or `…_edited`."""
    policy, calendar = ticket.policy, ticket.team.calendar
    found = set()
    for row in running_deadlines(ticket):
        found.add(change_of("policy", row.policy != policy, row.policy_version != policy.version))
        found.add(change_of("calendar", row.calendar != calendar, row.calendar_version != calendar.version))
    return sorted(found - {""})


def change_of(name: str, is_another: bool, is_edited: bool) -> str:
    return name if is_another else f"{name}_edited" if is_edited else ""


def tell_recomputed(change: Change, text: str = "", **why: Any) -> None:
    ticket = change.ticket
    moved = recompute(change)
    change.tell(
        "recomputed",
        text,
        policy=ticket.policy.name,
        policy_version=ticket.policy.version,
        calendar=ticket.team.calendar.name,
        deadlines=moved,
        **why,
    )
