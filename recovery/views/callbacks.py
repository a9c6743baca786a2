"""Every callback that is promised: in order, by day and owner, and those whose time has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery.models import Callback
from recovery.models.ticket import IN_WORK
from recovery.templatetags.moments import Chip, chip_until, city, clock, same_clock
from recovery.views import door
from recovery.views.calendar_page import show_day

PER_PAGE = 100
TEAMS = "teams"
# A call is news for as long as somebody may have looked away; after that the menu and My work show it.
NEWS = timedelta(minutes=5)


@dataclass(frozen=True)
class Call:
    """`there` is the customer's clock where it differs from the reader's."""

    callback: Callback
    here: str
    there: str
    late: Chip | None


@door.staff_page()
@require_safe
def list_callbacks(request: HttpRequest) -> HttpResponse:
    at, user = now(), door.staff(request)
    if "day" in request.GET:
        return show_day(request, at)
    theirs = door.asked(request, "of") == TEAMS or not door.may_act(user)
    seen = door.seen_by(request).filter(status__in=IN_WORK)
    booked = Callback.objects.filter(state=Callback.BOOKED, ticket__in=seen)
    mine = booked.filter(ticket__owner=user)
    shown = (booked if theirs else mine).select_related(
        "ticket__customer", "ticket__owner", "ticket__team", "ticket__response"
    )
    page = Paginator(shown.order_by("due_at", "pk"), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page_obj": page,
        "calls": [call_of(each, at) for each in page.object_list],
        "mine": mine.count(),
        "all": booked.count(),
        "theirs": theirs,
        "reads_only": not door.may_act(user),
        "now": at,
    }
    return render(request, "recovery/callbacks.html", context)


def call_of(callback: Callback, at: datetime) -> Call:
    zone = ZoneInfo(callback.time_zone)
    there = (
        "" if same_clock(callback.due_at, zone) else f"{callback.due_at.astimezone(zone):%H:%M} {city(zone)}"
    )
    late = chip_until(callback.due_at, at, zone) if callback.due_at <= at else None
    return Call(callback, clock(callback.due_at), there, late)


@door.staff_page(*door.WORKERS)
@require_safe
def due_now(request: HttpRequest) -> HttpResponse:
    """Asked for by every open page: whom to call now, said once, and the count of the menu.

    204 while nothing has changed since the `known` state, so that nothing is read aloud twice.
    """
    at, user = now(), door.staff(request)
    mine = Callback.objects.filter(
        state=Callback.BOOKED, ticket__owner=user, ticket__status__in=IN_WORK
    ).select_related("ticket__customer")
    booked = list(mine.order_by("due_at", "pk"))
    fresh = [each for each in booked if at - NEWS < each.due_at <= at]
    state = "-".join(str(number) for number in (len(booked), *(each.pk for each in fresh)))
    if state == door.asked(request, "known"):
        return HttpResponse(status=204)
    context = {"fresh": fresh, "state": state, "number": len(booked), "now": at}
    return render(request, "recovery/parts/calls_due.html", context)
