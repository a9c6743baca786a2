"""Putting it right: notes on the way, the resolution with its cause, and tickets that are really one."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from recovery.lifecycle import loop, lot
from recovery.lifecycle.act import acting, lock_person_of
from recovery.lifecycle.clock import end_all, end_wait, meet
from recovery.lifecycle.contact import cancel_booked
from recovery.lifecycle.request import check_answered
from recovery.lifecycle.table import Refused
from recovery.models import Cause, Request, Ticket, TicketResponse
from recovery.models.policy import RESOLUTION
from recovery.models.ticket import CLOSED, RESOLVED


def note(ticket: Ticket, *, by: User | None, at: datetime, text: str) -> Ticket:
    """An internal word that the customer never sees."""
    if not text.strip():
        raise Refused("text_missing", _("Write the note first."), field="text")
    with acting(ticket, "note", by=by, at=at, any_version=True) as change:
        change.tell("noted", text.strip())
    return change.ticket


@transaction.atomic
def resolve(
    ticket: Ticket,
    *,
    by: User | None,
    at: datetime,
    cause_found: Cause | None,
    what_was_done: str,
    cause_said: Cause | None = None,
) -> Ticket:
    """It was put right: with the cause found and what was done. The person will be asked again."""
    if cause_found is None:
        raise Refused("cause_missing", _("Choose the cause you found."), field="cause_found")
    if not what_was_done.strip():
        raise Refused("done_missing", _("Say what was done."), field="what_was_done")
    lock_person_of(ticket.pk)
    with acting(ticket, "resolve", by=by, at=at) as change:
        check_second_pair(change.ticket, by)
        check_answered(change.ticket)
        end_wait(change.ticket, at, lot.RESOLVED)
        met = meet(change.ticket, RESOLUTION, at)
        end_all(change.ticket, at)
        callback = cancel_booked(change.ticket)
        change.set(
            status=RESOLVED,
            resolved_at=at,
            cause_said=cause_said,
            cause_found=cause_found,
            what_was_done=what_was_done.strip(),
        )
        change.tell(
            "resolved",
            what_was_done.strip(),
            cause_said=cause_said.code if cause_said else None,
            cause_found=cause_found.code,
            late=bool(met and met.breached_at),
            callback_cancelled=callback.local_time if callback else None,
        )
    return loop.plan_resurvey(change.ticket, at=at)


def check_second_pair(ticket: Ticket, by: User | None) -> None:
    """Where the policy says so, nobody ends the low score of an account they own themselves."""
    account = ticket.customer.account if ticket.customer else None
    if ticket.policy.second_pair_of_eyes and account and by is not None and account.owner_id == by.pk:
        raise Refused(
            "second_pair_of_eyes",
            _("You own this customer’s account: a colleague looks at it and resolves it."),
        )


@transaction.atomic
def merge(ticket: Ticket, *, by: User | None, at: datetime, into: Ticket, reason: str = "") -> Ticket:
    """Two tickets are one matter: this one ends, its answers and history stay readable from the other."""
    if ticket.pk == into.pk:
        raise Refused("merge_with_itself", _("Choose another ticket."), field="into")
    list(Ticket.objects.select_for_update().filter(pk__in=[ticket.pk, into.pk]).order_by("pk"))
    with acting(into, "merge", by=by, at=at, any_version=True) as target:
        target.tell("merged", reason.strip(), **{"from": ticket.number})
    with acting(ticket, "merge", by=by, at=at) as change:
        check_second_pair(change.ticket, by)
        end_wait(change.ticket, at, lot.MERGED)
        end_all(change.ticket, at)
        cancel_booked(change.ticket)
        moved = TicketResponse.objects.filter(ticket=change.ticket)
        moved.update(ticket=target.ticket, role=TicketResponse.ABSORBED, cycle=target.ticket.cycle)
        asked = Request.objects.filter(ticket=change.ticket, state=Request.OPEN)
        asked.update(ticket=target.ticket, cycle=target.ticket.cycle)
        change.set(status=CLOSED, closed_at=at, merged_into=target.ticket)
        change.tell("merged", reason.strip(), into=into.number)
    return change.ticket
