"""Reaching a customer: what the cadence proposes next, taking it, giving up, what speaks against a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery import lifecycle
from recovery.lifecycle import Proposal, Refused
from recovery.lifecycle.calling_hours import CallingHours, zone_of
from recovery.lifecycle.wall_clock import instant_of
from recovery.models import Callback, Ticket
from recovery.templatetags.moments import there_and_here
from recovery.views import door
from recovery.views.slots import day_there, in_words, warnings
from recovery.views.words import channel_word

Values = dict[str, Any]
JUST_NOW = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class NextAttempt:
    """What the page says about it; `is_fresh` where the reader has just logged the attempt before."""

    proposal: Proposal
    words: str
    why: str
    warnings: list[str]
    is_fresh: bool


def next_attempt_of(request: HttpRequest, ticket: Ticket, at: datetime) -> NextAttempt | None:
    """What the cadence proposes to somebody who may do it; None where they said not now."""
    if request.GET.get("next") == "none" or not door.may_act(door.staff(request)):
        return None
    proposal = lifecycle.proposal_after(ticket, at)
    if proposal is None:
        return None
    return NextAttempt(
        proposal=proposal,
        words=words_of(proposal, at),
        why=why_of(proposal),
        warnings=[in_words(concern, at) for concern in proposal.concerns],
        is_fresh=has_just_tried(door.staff(request), ticket, at),
    )


def words_of(proposal: Proposal, at: datetime) -> str:
    if proposal.due_at is None:
        return gettext("The cadence has no more attempts to make.")
    zone = ZoneInfo(proposal.time_zone)
    return gettext("Next: {day} {time}, by {channel}").format(
        day=day_there(proposal.due_at.astimezone(zone), at.astimezone(zone)),
        time=there_and_here(proposal.due_at, zone),
        channel=channel_word(proposal.channel),
    )


def why_of(proposal: Proposal) -> str:
    said = ngettext(
        "%(count)d attempt has reached nobody.",
        "%(count)d attempts in a row have reached nobody.",
        proposal.attempts,
    ) % {"count": proposal.attempts}
    if proposal.why == "other_channel":
        return f"{said} {gettext('Another channel may.')}"
    return said


def has_just_tried(user: User, ticket: Ticket, at: datetime) -> bool:
    return ticket.contacts.filter(by=user, at__gt=at - JUST_NOW).exists()


def book_next(ticket: Ticket, by: User, at: datetime, values: Values) -> Ticket:
    return lifecycle.book_callback(
        ticket,
        by=by,
        at=at,
        local_time=values["local_time"],
        time_zone=values["time_zone"],
        channel=values["channel"],
        origin=Callback.CADENCE,
    )


def give_up(ticket: Ticket, by: User, at: datetime, values: Values) -> Ticket:
    return lifecycle.give_up_reaching(ticket, by=by, at=at, reason=values["reason"])


def warn_of_time(request: HttpRequest, ticket: Ticket, at: datetime) -> None:
    """A promise against which something speaks is allowed, and said."""
    booked = Callback.objects.filter(ticket=ticket, state=Callback.BOOKED).first()
    if booked is None:
        return
    found = warnings(CallingHours(ticket, at, zone_of(ticket)), booked.due_at, at)
    if found:
        words = gettext("Booked all the same: {warnings}. Choose another time if you can.")
        messages.warning(request, words.format(warnings="; ".join(found)))


@door.staff_page()
@require_safe
def check_time(request: HttpRequest, number: str) -> HttpResponse:
    """What speaks against a time while it is being picked, and the same moment on the other clock."""
    ticket, at = door.ticket_or_404(request, number), now()
    found: dict[str, Any] = {"warnings": [], "both": "", "problem": ""}
    if door.asked(request, "local_time"):
        found = about(ticket, door.asked(request, "local_time"), door.asked(request, "time_zone"), at)
    return render(request, "recovery/parts/slot_check.html", found)


def about(ticket: Ticket, local_time: str, time_zone: str, at: datetime) -> dict[str, Any]:
    try:
        when = instant_of(local_time, time_zone or zone_of(ticket).key)
    except Refused as refused:
        return {"warnings": [], "both": "", "problem": str(refused)}
    if when <= at:
        return {"warnings": [], "both": "", "problem": gettext("Choose a time that is still ahead.")}
    zone = zone_of(ticket)
    found = warnings(CallingHours(ticket, at, zone), when.astimezone(UTC), at)
    both = f"{day_there(when.astimezone(zone), at.astimezone(zone))} {there_and_here(when, zone)}"
    return {"warnings": found, "both": both, "problem": ""}
