"""Closing the loop: ask again, record what came back, close, or begin the next cycle."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from dispatch.failpoints import failpoint
from recovery.assignment import choose_owner, hold_choice, is_available, keeps_room
from recovery.lifecycle import hold_out_asking, lot, notices
from recovery.lifecycle.act import Change, acting, lock_person_of, name_of
from recovery.lifecycle.asking import (
    LOOK_AGAIN,
    OTHER_PENDING,
    end_resurvey,
    lock_in_order,
    other_pending,
    waiting_resurvey,
    withdraw,
)
from recovery.lifecycle.clock import iso, start_deadlines
from recovery.lifecycle.table import Refused
from recovery.models import Resurvey, Ticket, TicketResponse
from recovery.models.ticket import CLOSED, OPEN
from surveys import invitations, scoring
from surveys.models import Invitation, Response


@transaction.atomic
def plan_resurvey(ticket: Ticket, *, at: datetime) -> Ticket:
    """When this cycle's customer is asked again, or why not; who cannot be asked ends as *not asked*."""
    due_at = next_ask(ticket, at)
    reason = "" if ticket.customer else "unknown_customer"
    held = bool(ticket.customer and other_pending(ticket.customer))
    with acting(ticket, "resurvey", by=None, at=at) as change:
        resurvey = Resurvey.objects.create(
            ticket=change.ticket,
            cycle=change.ticket.cycle,
            customer=change.ticket.customer,
            state=Resurvey.HELD if held else Resurvey.PLANNED,
            due_at=due_at,
            earliest_at=due_at,
            reason=OTHER_PENDING if held else "",
        )
        kind = "resurvey_held" if held else "resurvey_planned"
        change.tell(kind, due_at=iso(due_at), reason=resurvey.reason or reason)
    if reason:
        return end_unasked(resurvey, at=at, reason=reason)
    return change.ticket


def next_ask(ticket: Ticket, at: datetime) -> datetime:
    """When a ticket resolved at this time asks its customer; in a hold-out, when everybody is asked."""
    by_lot = lot.ask_at(ticket, at)
    return by_lot or at + timedelta(minutes=ticket.response.survey.resurvey_after_minutes)


@transaction.atomic
def ask_again(resurvey_id: int, *, at: datetime) -> Resurvey | None:
    """Send the resurvey if it may be sent now; else hold it with the reason and the earliest date.

    Returns None where there is nothing to do (somebody was faster, or it is not due).
    """
    resurvey = waiting_resurvey(resurvey_id, at)
    if resurvey is None or resurvey.customer is None:
        return None
    if resurvey.cycle == lot.DRAWN_CYCLE:
        return hold_out_asking.ask_drawn(resurvey, at=at)
    if other_pending(resurvey.customer, besides=resurvey.pk):
        return hold(resurvey, OTHER_PENDING, at + LOOK_AGAIN, at)
    by_lot = lot.awaited(resurvey.ticket)
    answer = invitations.ask(
        resurvey.customer,
        resurvey.ticket.response.survey,
        at=at,
        purpose=Invitation.RESURVEY,
        touchpoint=resurvey.ticket.touchpoint,
        alike=by_lot is not None,
        answer_days=by_lot.answer_days if by_lot else None,
    )
    if isinstance(answer, Invitation):
        return asked(resurvey, answer, at)
    if answer.earliest is not None:
        return hold(resurvey, answer.reason, answer.earliest, at)
    end_unasked(resurvey, at=at, reason=answer.reason)
    return resurvey


def asked(resurvey: Resurvey, invitation: Invitation, at: datetime) -> Resurvey:
    with acting(resurvey.ticket, "resurvey", by=None, at=at, any_version=True) as change:
        resurvey.state, resurvey.invitation, resurvey.asked_at = Resurvey.ASKED, invitation, at
        resurvey.reason = ""
        resurvey.save(update_fields=["state", "invitation", "asked_at", "reason"])
        change.tell("resurvey_asked", channel=invitation.channel, expires_at=iso(invitation.expires_at))
    failpoint("resurvey_asked")
    return resurvey


def hold(resurvey: Resurvey, reason: str, earliest: datetime, at: datetime) -> Resurvey:
    """Held, with the reason and the earliest date; the timeline says it once per reason."""
    news = resurvey.state != Resurvey.HELD or resurvey.reason != reason
    resurvey.state, resurvey.reason = Resurvey.HELD, reason
    resurvey.due_at = resurvey.earliest_at = earliest
    resurvey.save(update_fields=["state", "reason", "due_at", "earliest_at"])
    if news:
        with acting(resurvey.ticket, "resurvey", by=None, at=at, any_version=True) as change:
            change.tell("resurvey_held", reason=reason, earliest_at=iso(resurvey.earliest_at))
    return resurvey


@transaction.atomic
def end_unasked(resurvey: Resurvey, *, at: datetime, reason: str) -> Ticket:
    """Nobody could be asked: the loop ends as *not asked*, with why."""
    return end_silent(resurvey, "not_asked", at, reason)


@transaction.atomic
def end_unanswered(resurvey_id: int, *, at: datetime) -> Ticket | None:
    """The invitation ran out, or could not be delivered: *no answer*, or *not asked*. None: still running."""
    lock_in_order(resurvey_id)
    resurvey = (
        Resurvey.objects.select_related("ticket", "invitation")
        .filter(pk=resurvey_id, state=Resurvey.ASKED)
        .first()
    )
    if resurvey is None:
        return None
    if resurvey.cycle == lot.DRAWN_CYCLE:
        return hold_out_asking.end_drawn(resurvey, at=at)
    invitation = resurvey.invitation
    if invitation is None or invitation.state == Invitation.CANCELLED:
        return end_silent(resurvey, "not_asked", at, invitation.reason if invitation else "invitation_gone")
    if invitation.state == Invitation.EXPIRED or (invitation.expires_at and invitation.expires_at <= at):
        return end_silent(resurvey, "no_answer", at, "expired")
    return None


def end_silent(resurvey: Resurvey, outcome: str, at: datetime, reason: str) -> Ticket:
    with acting(resurvey.ticket, "outcome", by=None, at=at, any_version=True) as change:
        end_resurvey(resurvey, outcome, at, reason=reason)
        change.set(outcome=outcome)
        change.tell("outcome", outcome=outcome, reason=reason)
    return close(change.ticket, at=at)


@transaction.atomic
def record_outcome(ticket: Ticket, response: Response, *, at: datetime) -> Ticket:
    """The answer after the resolution: it counts, and then the ticket closes or begins its next cycle."""
    with acting(ticket, "outcome", by=None, at=at, any_version=True) as change:
        resurvey = Resurvey.objects.select_for_update().get(ticket=change.ticket, cycle=change.ticket.cycle)
        if resurvey.invitation_id != response.invitation_id:
            withdraw(resurvey, "answered_elsewhere")
        end_resurvey(resurvey, response.band, at, response=response)
        link_outcome(change, response)
        change.set(outcome=response.band)
        change.tell(
            "outcome",
            response.comment,
            outcome=response.band,
            score=response.score,
            before=change.ticket.response.score,
            response=response.pk,
        )
    if response.band == scoring.DETRACTOR:
        due_at = notices.waits_since(response, at)
        return reopen(change.ticket, by=None, at=at, reason="still_low", text=response.comment, due_at=due_at)
    return change.ticket if change.ticket.status == CLOSED else close(change.ticket, at=at)


def link_outcome(change: Change, response: Response) -> None:
    TicketResponse.objects.get_or_create(
        response=response,
        defaults={"ticket": change.ticket, "role": TicketResponse.OUTCOME, "cycle": change.ticket.cycle},
    )


def close(ticket: Ticket, *, at: datetime) -> Ticket:
    """The loop is closed, with its outcome. Nobody closes by hand: what was asked would stay unanswered."""
    with acting(ticket, "close", by=None, at=at) as change:
        change.set(status=CLOSED, closed_at=at)
        change.tell("closed", outcome=change.ticket.outcome)
    return change.ticket


@transaction.atomic
def reopen(
    ticket: Ticket,
    *,
    by: User | None,
    at: datetime,
    reason: str,
    text: str = "",
    due_at: datetime | None = None,
) -> Ticket:
    """The next cycle: new deadlines, the same history, the same owner if they are there and have room.

    `due_at` is when it should have been, where that was not now.
    """
    if not reason.strip():
        raise Refused("reason_missing", _("Say why it is reopened."), field="reason")
    lock_person_of(ticket.pk)
    with acting(ticket, "reopen", by=by, at=at) as change:
        ticket = change.ticket
        refuse_merged(ticket)
        refuse_second_open(ticket)
        leave_unasked(ticket, at)
        owner = keep_or_choose(change, at)
        change.set(
            status=OPEN,
            cycle=ticket.cycle + 1,
            cycle_started_at=at,
            closed_at=None,
            resolved_at=None,
            unreachable_at=None,
            owner=owner,
            outcome="",
            escalation_level=0,
        )
        deadlines = start_deadlines(ticket, at)
        change.tell(
            "reopened",
            text or ("" if by is None else reason.strip()),
            reason=reason.strip() if by is None else "by_hand",
            owner=name_of(owner),
            deadlines=[{"kind": row.kind, "to": iso(row.due_at)} for row in deadlines],
        )
        if owner != by:
            notices.tell(owner, "ticket_reopened", ticket, at, f"cycle:{ticket.cycle}", due_at=due_at)
    return ticket


def keep_or_choose(change: Change, at: datetime) -> User:
    """The owner as before if they are there and have room, else whom the rules choose."""
    ticket = change.ticket
    hold_choice(ticket.team, ticket.customer, ticket.owner_id)
    if is_available(ticket.owner, at) and keeps_room(ticket.owner, ticket.team, besides=ticket.pk):
        change.set(awaits_room=False)
        return ticket.owner
    choice = choose_owner(ticket.team, ticket.customer, at, skill=ticket.skill)
    change.set(assigned_because=choice.reason, awaits_room=choice.awaits_room)
    return choice.owner


def refuse_merged(ticket: Ticket) -> None:
    if ticket.merged_into is not None:
        raise Refused(
            "merged", _("It became part of %(number)s: work there.") % {"number": ticket.merged_into.number}
        )


def refuse_second_open(ticket: Ticket) -> None:
    if ticket.customer_id is None:
        return
    others = Ticket.objects.filter(customer=ticket.customer_id, line=ticket.line).exclude(status=CLOSED)
    other = others.exclude(pk=ticket.pk).first()
    if other is not None:
        raise Refused(
            "another_is_open",
            _("%(number)s is open for this person: work there.") % {"number": other.number},
        )


def leave_unasked(ticket: Ticket, at: datetime) -> None:
    """A resurvey not yet answered is moot once the ticket is worked on again."""
    mine = Resurvey.objects.select_for_update().filter(ticket=ticket).exclude(cycle=lot.DRAWN_CYCLE)
    for resurvey in mine.exclude(state=Resurvey.ENDED):
        withdraw(resurvey, "reopened")
        end_resurvey(resurvey, "no_answer" if resurvey.asked_at else "not_asked", at, reason="reopened")


def begin_anew(ticket: Ticket, response: Response, *, at: datetime) -> Ticket:
    """A low answer to a question asked after the loop had closed: the same matter, its next cycle."""
    due_at = notices.waits_since(response, at)
    ticket = reopen(ticket, by=None, at=at, reason="still_low", text=response.comment, due_at=due_at)
    TicketResponse.objects.create(
        ticket=ticket, response=response, role=TicketResponse.ABSORBED, cycle=ticket.cycle
    )
    return ticket
