"""Every callback that is promised, day by day, on the reader's clock and the customer's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
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

PER_PAGE = 100
TEAMS = "teams"


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
