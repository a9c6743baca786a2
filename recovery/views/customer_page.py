"""The customer's own page: what was promised, a time for a call, and a word to us. No login, no script.

Only POST changes anything: scanners follow every link in a mail.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from dispatch.clock import now
from recovery import lifecycle
from recovery.lifecycle import Refused
from recovery.lifecycle.calling_hours import DAY, HORIZON, CallingHours, zone_of
from recovery.lifecycle.contact import booked_callback
from recovery.lifecycle.customer_link import ticket_of
from recovery.lifecycle.wall_clock import instant_of
from recovery.models import Callback, Ticket
from recovery.templatetags.moments import city
from recovery.views.customer_story import AN_HOUR, story_of
from recovery.views.words import Words
from surveys.messages.compose import brand
from surveys.models.fields import closest_language
from surveys.views.survey_form import language_context, wished_language
from surveys.views.survey_page import private

# How long after the end the page still opens, and how much one person may do here in a day.
OPEN_AFTER_CLOSING = timedelta(days=90)
A_DAY, MOST_IN_A_DAY = timedelta(days=1), 20
OWN_ACTS: Final = ("callback_booked", "callback_moved", "customer_wrote")
LONGEST_WORD, LONGEST_NUMBER = 2000, 40

DONE: Final[dict[str, Words]] = {
    "time": _("Thank you. We have noted your time."),
    "word": _("Thank you. Your words have reached us."),
}


# The token in the address is the authority; there is no session to protect.
@csrf_exempt
@private
@require_http_methods(["GET", "HEAD", "POST"])
def customer_page(request: HttpRequest, token: str) -> HttpResponse:
    at = now()
    ticket = ticket_of(token, at)
    if ticket is None or (ticket.closed_at and at > ticket.closed_at + OPEN_AFTER_CLOSING):
        return gone(request)
    zone = zone_of(ticket)
    with translation.override(language_of(request, ticket)), timezone.override(zone):
        if request.method == "POST":
            return take(request, ticket, at, zone)
        return page(request, ticket, at, zone, {"done": DONE.get(request.GET.get("done", ""))})


def language_of(request: HttpRequest, ticket: Ticket | None) -> str:
    theirs = ticket.customer.locale if ticket and ticket.customer else ""
    return wished_language(request) or theirs or closest_language(translation.get_language())


def take(request: HttpRequest, ticket: Ticket, at: datetime, zone: ZoneInfo) -> HttpResponse:
    """Do what was asked, and show the page anew; or say kindly why not, with everything typed."""
    act = "word" if "word" in request.POST else "time"
    try:
        if acted_today(ticket, at) >= MOST_IN_A_DAY:
            raise Refused("too_much", _("That was a lot for one day. Please come back tomorrow."), field=act)
        if act == "word":
            write(ticket, at, typed(request, "word", LONGEST_WORD))
        else:
            choose(ticket, at, zone, typed(request, "time", 16), typed(request, "number", LONGEST_NUMBER))
    except Refused as refused:
        fresh = Ticket.objects.select_related("customer", "owner", "team__calendar", "policy", "response")
        context = {"problem": kindly(refused), "problem_of": act, "typed": request.POST}
        return page(request, fresh.get(pk=ticket.pk), at, zone, context, status=409)
    wished = wished_language(request)
    return redirect(f"{request.path}?done={act}" + (f"&lang={wished}" if wished else ""))


def typed(request: HttpRequest, name: str, longest: int) -> str:
    return request.POST.get(name, "").replace("\0", "").strip()[:longest]


def acted_today(ticket: Ticket, at: datetime) -> int:
    own = ticket.events.filter(by=None, by_name="", kind__in=OWN_ACTS)
    return own.filter(at__gt=at - A_DAY).count()


def write(ticket: Ticket, at: datetime, text: str) -> None:
    lifecycle.customer_wrote(ticket, at=at, text=text, channel="other")


def choose(ticket: Ticket, at: datetime, zone: ZoneInfo, local_time: str, number: str) -> None:
    """Book the time, or move the one that was promised. Raises Refused."""
    if not local_time:
        raise Refused("time_missing", _("Please choose a time first."), field="time")
    check_time(CallingHours(ticket, at, zone), instant_of(local_time, zone.key))
    given: dict[str, Any] = {
        "by": None,
        "at": at,
        "local_time": local_time,
        "time_zone": zone.key,
        "origin": Callback.CUSTOMER,
    }
    if booked_callback(ticket) is None:
        lifecycle.book_callback(ticket, **given, note=number)
    else:
        lifecycle.move_callback(ticket, **given, note=number)


def check_time(hours: CallingHours, when: datetime) -> None:
    """Raises Refused for what is past, further ahead than is offered, closed, at night or taken."""
    if when <= hours.at:
        raise Refused("time_past", _("That time has passed. Please choose another."), field="time")
    if when > hours.at + AN_HOUR + HORIZON:  # what is offered begins in an hour
        raise Refused("time_far", _("That is too far ahead. Please choose an earlier time."), field="time")
    if hours.why_not_open(when) or not hours.is_within(when, DAY):
        raise Refused("time_closed", _("We are not here then. Please choose another time."), field="time")
    if not hours.is_free(when):
        raise Refused("time_taken", _("That time was taken just now. Please choose another."), field="time")


def kindly(refused: Refused) -> str:
    """What somebody without a seat here can do about it."""
    if refused.code in ("stale", "not_allowed_now", "callback_booked", "no_callback"):
        return gettext("Something changed meanwhile. Please look again at what is said above.")
    if refused.code == "time_malformed":
        return gettext("Please choose a time first.")
    return str(refused)


def page(
    request: HttpRequest,
    ticket: Ticket,
    at: datetime,
    zone: ZoneInfo,
    context: dict[str, Any],
    status: int = 200,
) -> HttpResponse:
    language = translation.get_language() or "en"
    known = bool(ticket.customer and ticket.customer.time_zone)
    shown = {
        **language_context(request, language),
        **context,
        "brand": brand(),
        "ticket": ticket,
        "response": ticket.response,
        "story": story_of(ticket, at, zone),
        "city": "" if known else city(zone),
        "longest": LONGEST_WORD,
    }
    return render(request, "recovery/customer_page.html", shown, status=status)


def gone(request: HttpRequest) -> HttpResponse:
    """The same for a link nobody made, one that lost a part on its way, and one that is over."""
    language = language_of(request, None)
    with translation.override(language):
        context = {**language_context(request, language), "brand": brand()}
        return render(request, "recovery/customer_gone.html", context, status=404)
