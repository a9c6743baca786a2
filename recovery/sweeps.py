"""What can fall due, as pairs: a sweep that picks ids, and a step that does one and may run twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q

from recovery import lifecycle
from recovery.lifecycle import Refused
from recovery.models import Callback, Deadline, Resurvey, Ticket, Wait
from recovery.models.ticket import IN_WORK
from recovery.triage import due_triage, triage
from surveys import invitations, messages
from surveys.models import Invitation

LIMIT = 500


@dataclass(frozen=True)
class Sweep:
    name: str
    due: Callable[[datetime], list[int]]
    step: Callable[[int, datetime], object]


def due_callbacks(at: datetime) -> list[int]:
    rows = Callback.objects.filter(state=Callback.BOOKED, announced_at=None, due_at__lte=at)
    return list(
        rows.filter(ticket__status__in=IN_WORK).order_by("due_at").values_list("pk", flat=True)[:LIMIT]
    )


def due_deadlines(at: datetime) -> list[int]:
    """Deadlines that near or passed, by their ladder's next step."""
    rows = Deadline.objects.filter(next_step_at__lte=at, ticket__status__in=IN_WORK)
    return list(rows.order_by("next_step_at").values_list("pk", flat=True)[:LIMIT])


def due_waits(at: datetime) -> list[int]:
    rows = Wait.objects.filter(ends_at=None, resume_at__lte=at)
    return list(rows.order_by("resume_at").values_list("ticket_id", flat=True)[:LIMIT])


def outdated_deadlines(at: datetime) -> list[int]:
    """Tickets whose running deadlines were reckoned under an older policy or calendar than today's."""
    changed = (
        ~Q(policy_version=F("policy__version"))
        | ~Q(calendar_version=F("calendar__version"))
        | ~Q(policy=F("ticket__policy"))
        | ~Q(calendar=F("ticket__team__calendar"))
    )
    rows = Deadline.objects.filter(changed, met_at=None, ended_at=None, cycle=F("ticket__cycle"))
    rows = rows.filter(ticket__status__in=IN_WORK, starts_at__lte=at)
    return list(rows.order_by("ticket_id").values_list("ticket_id", flat=True).distinct()[:LIMIT])


def due_resurveys(at: datetime) -> list[int]:
    rows = Resurvey.objects.filter(state__in=[Resurvey.PLANNED, Resurvey.HELD], due_at__lte=at)
    return list(rows.order_by("due_at").values_list("pk", flat=True)[:LIMIT])


def silent_resurveys(at: datetime) -> list[int]:
    """Asked, and the time to answer ran out or the message never arrived."""
    over = Q(invitation__expires_at__lte=at) | Q(
        invitation__state__in=[Invitation.CANCELLED, Invitation.EXPIRED]
    )
    rows = Resurvey.objects.filter(over | Q(invitation=None), state=Resurvey.ASKED)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:LIMIT])


# What somebody else's act makes of a step; any other refusal would come back for ever, and has to be heard.
SETTLED = {"not_allowed_now", "stale", "callback_not_due", "step_not_due"}


def unless_settled(act: Callable[[], object]) -> object:
    """Run a step that somebody else may have made needless in the meantime."""
    try:
        return act()
    except Refused as refused:
        if refused.code not in SETTLED:
            raise
        return None


def announce_callback(callback_id: int, at: datetime) -> object:
    return unless_settled(lambda: lifecycle.announce_callback(callback_id, at=at))


def climb(deadline_id: int, at: datetime) -> object:
    return unless_settled(lambda: lifecycle.climb(deadline_id, at=at))


def resume(ticket_id: int, at: datetime) -> object:
    """The ticket is read before its wait: who begins another wait meanwhile makes this one stale."""
    ticket = Ticket.objects.filter(pk=ticket_id).first()
    if ticket is None or not Wait.objects.filter(ticket=ticket, ends_at=None, resume_at__lte=at).exists():
        return None
    return unless_settled(lambda: lifecycle.resume(ticket, by=None, at=at))


def recompute(ticket_id: int, at: datetime) -> object:
    ticket = Ticket.objects.filter(pk=ticket_id).first()
    return ticket and unless_settled(lambda: lifecycle.recompute_deadlines(ticket, by=None, at=at))


def ask_again(resurvey_id: int, at: datetime) -> object:
    return lifecycle.ask_again(resurvey_id, at=at)


def end_unanswered(resurvey_id: int, at: datetime) -> object:
    return lifecycle.end_unanswered(resurvey_id, at=at)


def triage_one(response_id: int, at: datetime) -> object:
    return triage(response_id, at=at)


SWEEPS = [
    Sweep("triage", due_triage, triage_one),
    Sweep("callbacks", due_callbacks, announce_callback),
    Sweep("waits", due_waits, resume),
    Sweep("recompute", outdated_deadlines, recompute),
    Sweep("deadlines", due_deadlines, climb),
    Sweep("resurveys", due_resurveys, ask_again),
    Sweep("silence", silent_resurveys, end_unanswered),
]


def take_step(name: str, pk: int, at: datetime) -> bool:
    """Take one step of a sweep by name; False where there is no such sweep."""
    sweep = next((each for each in SWEEPS if each.name == name), None)
    if sweep is None:
        return False
    sweep.step(pk, at)
    return True


def run_all(at: datetime, on_error: Callable[[Sweep, int, Exception], None]) -> int:
    """Everything due at `at`, in this process, from PostgreSQL alone. One row that fails stops no other."""
    taken = 0
    for sweep in ALL_SWEEPS:
        for pk in sweep.due(at):
            try:
                sweep.step(pk, at)
                taken += 1
            except Exception as error:
                on_error(sweep, pk, error)
    return taken


# What the surveys room has due, for a dispatcher that works without Celery.
ALL_SWEEPS = [
    *SWEEPS,
    Sweep("invitations", invitations.due_invitations, invitations.send_invitation),
    Sweep("expiries", invitations.due_expiries, invitations.expire_invitation),
    Sweep("messages", messages.due_messages, messages.send),
]
