"""Hearing the customer: attempts with their outcome, and callbacks promised for a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from recovery.catch_up import is_late
from recovery.lifecycle import notices
from recovery.lifecycle.act import Change, acting, name_of
from recovery.lifecycle.clock import iso, meet
from recovery.lifecycle.table import Refused
from recovery.models import Callback, Contact, Ticket
from recovery.models.contact import CONTACT_OUTCOMES, HEARD
from recovery.models.policy import FIRST_CONTACT
from recovery.models.ticket import NEW, OPEN
from surveys.models.fields import CHANNELS, is_time_zone

# What lies outside is a slip of the pen, and at the ends of the calendar no instant at all.
EARLIEST_YEAR, END_OF_YEARS = 2000, 2200
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
) -> Ticket:
    """An attempt and what came of it. Only *reached* and *replied* meet the first-contact deadline.

    A callback that was due is done by any attempt; one still ahead is done once the customer was heard.
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
        if change.ticket.status == NEW:
            change.set(status=OPEN)
        change.tell(
            "contacted",
            note.strip(),
            outcome=outcome,
            channel=channel,
            heard=heard,
            first_contact_met=met is not None,
            late=bool(met and met.breached_at),
            callback=callback.local_time if callback else None,
        )
    return change.ticket


def check_channel(channel: str) -> None:
    if channel not in dict(CHANNELS):
        raise Refused("channel_unknown", _("Choose one of the channels."), field="channel")


def instant_of(local_time: str, time_zone: str) -> datetime:
    """The instant of a local wall time: in a gap the first valid instant after it, in an overlap the first.

    Raises Refused for a malformed time ("2026-03-02T18:00") or an unknown zone.
    """
    if not is_time_zone(time_zone):
        raise Refused("time_zone_unknown", _("Choose a time zone such as Asia/Shanghai."), field="time_zone")
    wall, zone = wall_time(local_time), ZoneInfo(time_zone)
    first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) == wall:
        return first
    return end_of_gap(first, wall, zone)


def wall_time(local_time: str) -> datetime:
    try:
        wall = datetime.strptime(local_time, "%Y-%m-%dT%H:%M")  # noqa: DTZ007 (a wall time has no zone yet)
    except ValueError:
        wall = datetime.min  # noqa: DTZ901
    if not EARLIEST_YEAR <= wall.year < END_OF_YEARS:
        raise Refused(
            "time_malformed", _("Give date and time, such as 2026-03-02T18:00."), field="local_time"
        )
    return wall


def end_of_gap(guess: datetime, wall: datetime, zone: ZoneInfo) -> datetime:
    """The first instant whose wall clock is past a wall time that does not exist."""
    low, high = guess - timedelta(days=2), guess + timedelta(days=2)
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).replace(tzinfo=None) < wall:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def book_callback(
    ticket: Ticket,
    *,
    by: User | None,
    at: datetime,
    local_time: str,
    time_zone: str,
    channel: str = "phone",
    note: str = "",
) -> Ticket:
    """Promise a contact at a local time. A ticket has one promise at a time."""
    local_time, due_at = check_slot(local_time, time_zone, channel, at)
    with acting(ticket, "callback", by=by, at=at) as change:
        if booked_callback(change.ticket) is not None:
            raise Refused(
                "callback_booked", _("A callback is booked already. Move or cancel it."), field="local_time"
            )
        callback = Callback.objects.create(
            ticket=change.ticket,
            cycle=change.ticket.cycle,
            local_time=local_time,
            time_zone=time_zone,
            due_at=due_at,
            channel=channel,
            note=note.strip(),
        )
        if change.ticket.status == NEW:
            change.set(status=OPEN)
        tell_callback(change, "callback_booked", callback)
    return change.ticket


def move_callback(
    ticket: Ticket, *, by: User | None, at: datetime, local_time: str, time_zone: str, reason: str = ""
) -> Ticket:
    """Promise another time instead; the promise it replaces stays in the history."""
    local_time, due_at = check_slot(local_time, time_zone, "phone", at)
    with acting(ticket, "callback", by=by, at=at) as change:
        callback = the_booked(change.ticket)
        before = callback.due_at
        callback.local_time, callback.time_zone, callback.due_at = local_time, time_zone, due_at
        callback.announced_at = None
        callback.save(update_fields=["local_time", "time_zone", "due_at", "announced_at"])
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
    return wall_time(local_time).isoformat(timespec="minutes"), due_at


def the_booked(ticket: Ticket) -> Callback:
    callback = booked_callback(ticket)
    if callback is None:
        raise Refused("no_callback", _("No callback is booked."))
    return callback


def tell_callback(change: Change, kind: str, callback: Callback, text: str = "", **data: object) -> None:
    change.tell(
        kind,
        text.strip() or callback.note,
        local_time=callback.local_time,
        time_zone=callback.time_zone,
        due_at=iso(callback.due_at),
        channel=callback.channel,
        **data,
    )


def cancel_booked(ticket: Ticket) -> Callback | None:
    """What was promised is moot once the ticket is resolved or merged; the caller's event says so."""
    callback = booked_callback(ticket)
    if callback is not None:
        callback.state = Callback.CANCELLED
        callback.save(update_fields=["state"])
    return callback
