"""Hearing the customer: attempts with their outcome, and callbacks promised for a time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from recovery.catch_up import is_late
from recovery.lifecycle import hold_out, lot, notices
from recovery.lifecycle.act import Change, acting, name_of
from recovery.lifecycle.cadence import proposal_after
from recovery.lifecycle.clock import iso, meet
from recovery.lifecycle.table import Refused
from recovery.lifecycle.wall_clock import instant_of as instant_of
from recovery.lifecycle.wall_clock import wall_time, written
from recovery.models import Callback, Contact, Ticket
from recovery.models.contact import CONTACT_OUTCOMES, HEARD
from recovery.models.policy import FIRST_CONTACT
from recovery.models.ticket import NEW, OPEN
from surveys.models.fields import CHANNELS

# Why a callback moved though nobody moved it.
ZONE_RULES = "zone_rules"


def booked_callback(ticket: Ticket) -> Callback | None:
    return Callback.objects.filter(ticket=ticket, state=Callback.BOOKED).first()


def log_contact(
    ticket: Ticket,
    *,
    by: User | None,
    at: datetime,
    outcome: str,
    channel: str = "phone",
    note: str = "",
    book_next: bool = False,
) -> Ticket:
    """An attempt and what came of it. Only *reached* and *replied* meet the first-contact deadline.

    A callback that was due is done by any attempt; one still ahead is done once the customer was heard. With
    `book_next` the attempt the cadence proposes next, if it proposes one, is promised in the same act.
    """
    if outcome not in dict(CONTACT_OUTCOMES):
        raise Refused("outcome_unknown", _("Choose one of the outcomes."), field="outcome")
    check_channel(channel)
    heard = outcome in HEARD
    with acting(ticket, "contact", by=by, at=at) as change:
        callback = booked_callback(change.ticket)
        if callback is not None and (heard or callback.due_at <= at):
            callback.state = Callback.DONE
            callback.save(update_fields=["state"])
        else:
            callback = None
        Contact.objects.create(
            ticket=change.ticket,
            cycle=change.ticket.cycle,
            at=at,
            by=by,
            by_name=name_of(by),
            channel=channel,
            outcome=outcome,
            note=note.strip(),
            callback=callback,
        )
        met = meet(change.ticket, FIRST_CONTACT, at) if heard else None
        begin_work(change)
        if heard:
            change.set(unreachable_at=None)
        booked = book_proposed(change) if book_next else None
        change.tell(
            "contacted",
            note.strip(),
            outcome=outcome,
            channel=channel,
            heard=heard,
            first_contact_met=met is not None,
            late=bool(met and met.breached_at),
            callback=callback.local_time if callback else None,
            **({"next": facts_of(booked)} if booked else {}),
        )
    return change.ticket


def begin_work(change: Change) -> None:
    if change.ticket.status == NEW:
        change.set(status=OPEN)


def book_proposed(change: Change) -> Callback | None:
    """Promise the attempt the cadence proposes; the caller's event says so."""
    proposal = proposal_after(change.ticket, change.at)
    if proposal is None or proposal.due_at is None:
        return None
    return promise(
        change.ticket,
        proposal.local_time,
        proposal.time_zone,
        proposal.due_at,
        channel=proposal.channel,
        origin=Callback.CADENCE,
    )


def check_channel(channel: str) -> None:
    if channel not in dict(CHANNELS):
        raise Refused("channel_unknown", _("Choose one of the channels."), field="channel")


def book_callback(
    ticket: Ticket,
    *,
    by: User | None,
    at: datetime,
    local_time: str,
    time_zone: str,
    channel: str = "phone",
    note: str = "",
    origin: str = Callback.STAFF,
) -> Ticket:
    """Promise a contact at a local time. A ticket has one promise at a time. `origin` says who chose it."""
    local_time, due_at = check_slot(local_time, time_zone, channel, at)
    with acting(ticket, "callback", by=by, at=at) as change:
        if booked_callback(change.ticket) is not None:
            raise Refused(
                "callback_booked", _("A callback is booked already. Move or cancel it."), field="local_time"
            )
        callback = promise(
            change.ticket, local_time, time_zone, due_at, channel=channel, origin=origin, note=note.strip()
        )
        if origin != Callback.CUSTOMER:  # what customers choose is still to be seen by a colleague
            begin_work(change)
        change.set(unreachable_at=None)
        tell_callback(change, "callback_booked", callback)
    if origin == Callback.CUSTOMER:
        return hold_out.follow_up_early(change.ticket, at=at, why=lot.ASKED_FOR_CONTACT)
    return change.ticket


def promise(
    ticket: Ticket,
    local_time: str,
    time_zone: str,
    due_at: datetime,
    *,
    channel: str,
    origin: str,
    note: str = "",
) -> Callback:
    return Callback.objects.create(
        ticket=ticket,
        cycle=ticket.cycle,
        local_time=local_time,
        time_zone=time_zone,
        due_at=due_at,
        channel=channel,
        origin=origin,
        note=note,
    )


def move_callback(
    ticket: Ticket,
    *,
    by: User | None,
    at: datetime,
    local_time: str,
    time_zone: str,
    reason: str = "",
    origin: str = Callback.STAFF,
    note: str = "",
) -> Ticket:
    """Promise another time instead; the promise it replaces stays in the history.

    A `note` takes the place of the one kept with it. What a customer chooses is a call, whatever was planned.
    """
    local_time, due_at = check_slot(local_time, time_zone, "phone", at)
    with acting(ticket, "callback", by=by, at=at) as change:
        callback = the_booked(change.ticket)
        before = callback.due_at
        callback.local_time, callback.time_zone, callback.due_at = local_time, time_zone, due_at
        callback.announced_at, callback.origin = None, origin
        callback.note = note.strip() or callback.note
        if origin == Callback.CUSTOMER:
            callback.channel = "phone"
        callback.save()
        tell_callback(change, "callback_moved", callback, reason, **{"from": iso(before)})
    return change.ticket


def keep_wall_time(callback_id: int, *, at: datetime) -> bool:
    """The rules of its zone are others than when it was booked: what was promised is the time on the clock.

    False where its instant is right, or nothing is booked any more. Raises Refused, Stale.
    """
    callback = Callback.objects.select_related("ticket").filter(pk=callback_id).first()
    if callback is None:
        return False
    with acting(callback.ticket, "callback", by=None, at=at, any_version=True) as change:
        callback.refresh_from_db()
        before, due_at = callback.due_at, instant_of(callback.local_time, callback.time_zone)
        if callback.state != Callback.BOOKED or callback.announced_at or due_at == before:
            raise Refused("callback_not_due", _("This callback is not due now."))
        callback.due_at = due_at
        callback.save(update_fields=["due_at"])
        tell_callback(change, "callback_moved", callback, "", reason=ZONE_RULES, **{"from": iso(before)})
    return True


def cancel_callback(ticket: Ticket, *, by: User | None, at: datetime, reason: str = "") -> Ticket:
    with acting(ticket, "callback", by=by, at=at) as change:
        callback = the_booked(change.ticket)
        callback.state = Callback.CANCELLED
        callback.save(update_fields=["state"])
        tell_callback(change, "callback_cancelled", callback, reason)
    return change.ticket


def announce_callback(callback_id: int, *, at: datetime) -> bool:
    """Its time has come: one event and one notice. Raises Refused where it is not due (any more).

    One whose time passed while nobody looked was missed: it is still owed, and told with its true time.
    """
    ticket = Ticket.objects.filter(callbacks=callback_id).first()
    if ticket is None:
        return False
    with acting(ticket, "callback", by=None, at=at, any_version=True) as change:
        waiting = Callback.objects.filter(state=Callback.BOOKED, announced_at=None, due_at__lte=at)
        callback = waiting.filter(pk=callback_id).first()
        if callback is None:
            raise Refused("callback_not_due", _("This callback is not due now."))
        callback.announced_at = at
        callback.save(update_fields=["announced_at"])
        missed: dict[str, Any] = {"missed": True} if is_late(callback.due_at, at) else {}
        tell_callback(change, "callback_due", callback, **missed)
        person, recipient = notices.minder_of(change.ticket, at)
        notices.tell(
            person,
            "callback_due",
            change.ticket,
            at,
            f"callback:{callback_id}:{iso(callback.due_at)}",
            due_at=callback.due_at,
            facts={"local_time": callback.local_time, "time_zone": callback.time_zone},
            callback=callback,
            recipient=recipient,
        )
    return True


def check_slot(local_time: str, time_zone: str, channel: str, at: datetime) -> tuple[str, datetime]:
    """The wall time written in one way, and its instant."""
    check_channel(channel)
    due_at = instant_of(local_time, time_zone)
    if due_at <= at:
        raise Refused("callback_in_the_past", _("Choose a time that is still ahead."), field="local_time")
    return written(wall_time(local_time)), due_at


def the_booked(ticket: Ticket) -> Callback:
    callback = booked_callback(ticket)
    if callback is None:
        raise Refused("no_callback", _("No callback is booked."))
    return callback


def facts_of(callback: Callback) -> dict[str, Any]:
    """A promise as an event keeps it."""
    return {
        "local_time": callback.local_time,
        "time_zone": callback.time_zone,
        "due_at": iso(callback.due_at),
        "channel": callback.channel,
        "origin": callback.origin,
    }


def tell_callback(change: Change, kind: str, callback: Callback, text: str = "", **data: object) -> None:
    change.tell(kind, text.strip() or callback.note, **{**facts_of(callback), **data})


def cancel_booked(ticket: Ticket) -> Callback | None:
    """What was promised is moot once the ticket is resolved or merged; the caller's event says so."""
    callback = booked_callback(ticket)
    if callback is not None:
        callback.state = Callback.CANCELLED
        callback.save(update_fields=["state"])
    return callback
