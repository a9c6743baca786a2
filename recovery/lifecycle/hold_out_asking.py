"""The question of a hold-out: both sides are asked it once, at the same age and in the same words."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from recovery.lifecycle import lot
from recovery.lifecycle.act import acting
from recovery.lifecycle.asking import LOOK_AGAIN, OTHER_PENDING, end_resurvey, other_pending, withdraw
from recovery.lifecycle.clock import iso
from recovery.models import HoldOutDraw, Resurvey, Ticket
from recovery.models.ticket import RESOLVED
from surveys import invitations
from surveys.models import Invitation, Response

# Why the hold-out itself did not ask.
ASKED_WITH_TICKET: Final = "asked_with_ticket"
HOLD_OUT_OVER: Final = "hold_out_over"

ANY_STATUS: Final = "note"


def plan_question(draw: HoldOutDraw) -> Resurvey:
    """Held until its time: it stands in the way of no other question before."""
    assert draw.ask_at is not None
    return Resurvey.objects.create(
        ticket=draw.ticket,
        cycle=lot.DRAWN_CYCLE,
        customer=draw.ticket.customer,
        state=Resurvey.HELD,
        due_at=draw.ask_at,
        earliest_at=draw.ask_at,
        reason=lot.BY_LOT,
    )


def ask_drawn(resurvey: Resurvey, *, at: datetime) -> Resurvey:
    """Ask now, whatever became of the ticket; a resolved one asks by itself, and that is the question.

    Called with the ticket and the resurvey locked, and its customer known.
    """
    ticket, customer = resurvey.ticket, resurvey.customer
    assert customer is not None
    own = question_of_cycle(ticket)
    if own is not None:
        return give_way(resurvey, own, at)
    draw = HoldOutDraw.objects.select_related("hold_out").get(ticket=ticket)
    assert draw.ask_at is not None
    drawn_in = draw.hold_out
    if at >= draw.ask_at + drawn_in.answer_window:
        return unasked(resurvey, HOLD_OUT_OVER, at)
    if other_pending(customer, besides=resurvey.pk):
        return put_off(resurvey, OTHER_PENDING, at + LOOK_AGAIN, at)
    answer = invitations.ask(
        customer,
        ticket.response.survey,
        at=at,
        purpose=Invitation.RESURVEY,
        touchpoint=ticket.touchpoint,
        alike=True,
        answer_days=drawn_in.answer_days,
    )
    if isinstance(answer, Invitation):
        return asked(resurvey, answer, at)
    if answer.earliest is not None:
        return put_off(resurvey, answer.reason, answer.earliest, at)
    return unasked(resurvey, answer.reason, at)


def question_of_cycle(ticket: Ticket) -> Resurvey | None:
    """The question of a resolved ticket that is planned, held or asked."""
    if ticket.status != RESOLVED:
        return None
    rows = Resurvey.objects.filter(ticket=ticket, cycle=ticket.cycle)
    return rows.exclude(state=Resurvey.ENDED).first()


def give_way(resurvey: Resurvey, own: Resurvey, at: datetime) -> Resurvey:
    if own.state == Resurvey.ASKED:
        end_resurvey(resurvey, "not_asked", at, reason=ASKED_WITH_TICKET)
    else:
        look_again(resurvey, ASKED_WITH_TICKET, at + LOOK_AGAIN)
    return resurvey


def look_again(resurvey: Resurvey, reason: str, due_at: datetime) -> None:
    resurvey.state, resurvey.reason = Resurvey.HELD, reason
    resurvey.due_at = resurvey.earliest_at = due_at
    resurvey.save(update_fields=["state", "reason", "due_at", "earliest_at"])


def put_off(resurvey: Resurvey, reason: str, earliest: datetime, at: datetime) -> Resurvey:
    """Held, with the reason and the earliest date; the timeline says it once per reason."""
    news = resurvey.reason != reason
    look_again(resurvey, reason, earliest)
    if news:
        with acting(resurvey.ticket, ANY_STATUS, by=None, at=at, any_version=True) as change:
            change.tell("held_out_asked", asked=False, reason=reason, earliest_at=iso(earliest))
    return resurvey


def asked(resurvey: Resurvey, invitation: Invitation, at: datetime) -> Resurvey:
    with acting(resurvey.ticket, ANY_STATUS, by=None, at=at, any_version=True) as change:
        resurvey.state, resurvey.invitation, resurvey.asked_at = Resurvey.ASKED, invitation, at
        resurvey.reason = ""
        resurvey.save(update_fields=["state", "invitation", "asked_at", "reason"])
        change.tell(
            "held_out_asked",
            asked=True,
            channel=invitation.channel,
            expires_at=iso(invitation.expires_at),
        )
    return resurvey


def unasked(resurvey: Resurvey, reason: str, at: datetime) -> Resurvey:
    with acting(resurvey.ticket, ANY_STATUS, by=None, at=at, any_version=True) as change:
        end_resurvey(resurvey, "not_asked", at, reason=reason)
        change.tell("held_out_asked", asked=False, reason=reason)
    return resurvey


def end_drawn(resurvey: Resurvey, *, at: datetime) -> Ticket | None:
    """The question ran out, or could not be delivered; the ticket goes on as it is. None: still running."""
    invitation = resurvey.invitation
    if invitation is None or invitation.state == Invitation.CANCELLED:
        unasked(resurvey, invitation.reason if invitation else "invitation_gone", at)
        return resurvey.ticket
    if invitation.state == Invitation.EXPIRED or (invitation.expires_at and invitation.expires_at <= at):
        end_resurvey(resurvey, "no_answer", at, reason="expired")
        return resurvey.ticket
    return None


def hear_drawn(response: Response, *, at: datetime) -> Ticket | None:
    """An answer given once the hold-out may ask ends its question, however it came. Returns its ticket."""
    if response.customer_id is None:
        return None
    awaited = Resurvey.objects.filter(
        customer=response.customer_id,
        cycle=lot.DRAWN_CYCLE,
        state__in=[Resurvey.HELD, Resurvey.ASKED],
        ticket__line=response.survey.line,
        ticket__hold_out_draw__ask_at__lte=response.answered_at,
    )
    pk = awaited.values_list("pk", flat=True).first()
    return end_heard(pk, response, at) if pk is not None else None


def end_heard(resurvey_id: int, response: Response, at: datetime) -> Ticket:
    resurvey = Resurvey.objects.select_related("ticket").get(pk=resurvey_id)
    with acting(resurvey.ticket, ANY_STATUS, by=None, at=at, any_version=True) as change:
        resurvey = Resurvey.objects.select_for_update().get(pk=resurvey_id)
        if resurvey.invitation_id != response.invitation_id:
            withdraw(resurvey, "answered_elsewhere")
        end_resurvey(resurvey, response.band, at, response=response)
        change.tell(
            "held_out_answer",
            "" if response.is_low else response.comment,
            outcome=response.band,
            score=response.score,
            before=change.ticket.response.score,
            response=response.pk,
        )
    return change.ticket
