"""My work: who to call now, then my tickets by what falls due first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.db.models import Count, Exists, F, Max, OuterRef, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery.models import Callback, TicketEvent
from recovery.models.ticket import TicketQuerySet
from recovery.views import door
from recovery.views.rows import Row, by_next_due, for_rows, rows_of, with_news

MOST = 100
NOW = timedelta(hours=1)

BANDS: list[tuple[str, str | Promise]] = [
    ("call", _("Call now")),
    ("now", pgettext_lazy("to be done", "Now")),
    ("today", _("Today")),
    ("later", _("Later")),
]


@dataclass(frozen=True)
class Band:
    code: str
    name: str | Promise
    count: int
    rows: list[Row]


def midnight(at: datetime, days: int = 0) -> datetime:
    """The start of the reader's day that many days on."""
    here = timezone.get_current_timezone()
    day = timezone.localtime(at).date() + timedelta(days=days)
    return datetime.combine(day, time(), tzinfo=here)


def mine_in_bands(request: HttpRequest, at: datetime) -> TicketQuerySet:
    """My open tickets, each with whether it must be called now and when it is next due."""
    due = Callback.objects.filter(ticket=OuterRef("pk"), state=Callback.BOOKED, due_at__lte=at)
    mine = by_next_due(door.seen_by(request).in_work().filter(owner=door.staff(request)))
    return mine.annotate(calls=Exists(due))


def in_band(at: datetime) -> dict[str, Q]:
    """Which tickets stand in which band; every ticket stands in exactly one."""
    soon = at + NOW
    tonight = max(midnight(at, 1), soon)
    return {
        "call": Q(calls=True),
        "now": Q(calls=False, next_due__lte=soon),
        "today": Q(calls=False, next_due__gt=soon, next_due__lt=tonight),
        "later": Q(calls=False) & (Q(next_due__gte=tonight) | Q(next_due=None)),
    }


def counts(request: HttpRequest, at: datetime) -> dict[str, Any]:
    """How many stand in each band; `state` changes whenever something on the list does."""
    bands = {code: Count("pk", filter=condition) for code, condition in in_band(at).items()}
    found = mine_in_bands(request, at).aggregate(
        **bands, total=Count("pk"), versions=Sum("version"), newest=Max("pk")
    )
    shape = [*(found[code] for code in bands), found["versions"], found["newest"]]
    return {**found, "state": "-".join(str(value or 0) for value in shape)}


@door.staff_page()
@require_safe
def desk(request: HttpRequest) -> HttpResponse:
    if not door.may_act(door.staff(request)):
        return redirect("insight")  # who only reads owns no work
    at = now()
    found = counts(request, at)
    tickets = for_rows(mine_in_bands(request, at)).order_by(
        F("calls").desc(), F("next_due").asc(nulls_last=True), "priority", "pk"
    )[:MOST]
    bands = bands_of(with_news(tickets), found, at)
    context = {
        "bands": [band for band in bands if band.count],
        "counts": found,
        "tabs": tabs(found),
        "done": done_today(request, at),
        "cut": found["total"] > MOST,
        "most": MOST,
        "now": at,
    }
    return render(request, "recovery/desk.html", context)


def bands_of(tickets: list[Any], found: dict[str, Any], at: datetime) -> list[Band]:
    soon, tonight = at + NOW, max(midnight(at, 1), at + NOW)
    sorted_in: dict[str, list[Any]] = {code: [] for code, _name in BANDS}
    for ticket in tickets:
        sorted_in[band_of(ticket, soon, tonight)].append(ticket)
    return [Band(code, name, found[code], rows_of(sorted_in[code], at)) for code, name in BANDS]


def band_of(ticket: Any, soon: datetime, tonight: datetime) -> str:
    if ticket.calls:
        return "call"
    if ticket.next_due is None or ticket.next_due >= tonight:
        return "later"
    return "now" if ticket.next_due <= soon else "today"


def tabs(found: dict[str, Any]) -> list[tuple[str, str | Promise, int]]:
    return [(code, name, found[code]) for code, name in BANDS]


@door.staff_page()
@require_safe
def desk_counts(request: HttpRequest) -> HttpResponse:
    """The line of counts by itself, asked for by the open page; it says when the list below is old."""
    found = counts(request, now())
    old = door.asked(request, "state") not in ("", found["state"])
    context = {"tabs": tabs(found), "counts": found, "old": old, "shown": door.asked(request, "state")}
    return render(request, "recovery/parts/desk_counts.html", context)


def done_today(request: HttpRequest, at: datetime) -> list[Row]:
    """What I resolved since midnight, newest first."""
    resolved = TicketEvent.objects.filter(
        by=door.staff(request), kind="resolved", at__gte=midnight(at), ticket=OuterRef("pk")
    )
    tickets = for_rows(door.seen_by(request).filter(Exists(resolved), status__in=["resolved", "closed"]))
    return rows_of(tickets.order_by("-resolved_at")[:MOST], at)
