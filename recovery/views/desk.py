"""My work: one list, nearest deadline first, in bands of now, today and later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, Count, Exists, F, IntegerField, Max, OuterRef, Q, Sum, Value, When
from django.db.models.functions import Least
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_safe

from dispatch import clock
from dispatch.clock import now
from recovery.models import Callback, TicketEvent
from recovery.models.ticket import TicketQuerySet
from recovery.views import door
from recovery.views.news import with_answers
from recovery.views.nudged import with_nudges
from recovery.views.rows import Row, by_next_due, fetched, rows_of

# Nobody carries more; who does is told how many are not shown.
MOST = 300
SOON = timedelta(hours=1)

NOW, TODAY, LATER = range(3)
BANDS: list[tuple[str, str | Promise, str | Promise]] = [
    (
        "now",
        pgettext_lazy("to be done", "Now"),
        _("Calls that are due, customers who answered, and what is late or due within the hour."),
    ),
    ("today", _("Today"), _("What falls due before midnight.")),
    ("later", _("Later"), _("What falls due another day, or waits for the customer.")),
]


@dataclass(frozen=True)
class Band:
    code: str
    name: str | Promise
    why: str | Promise
    count: int
    rows: list[Row]


def midnight(at: datetime, days: int = 0) -> datetime:
    """The start of the reader's day that many days on."""
    return clock.midnight(timezone.localtime(at).date() + timedelta(days=days))


def mine_in_bands(request: HttpRequest, at: datetime) -> TicketQuerySet:
    """My open tickets, each with the `band` it stands in: the one question behind the counts and the list."""
    due = Callback.objects.filter(ticket=OuterRef("pk"), state=Callback.BOOKED, due_at__lte=at)
    mine = with_answers(by_next_due(door.seen_by(request).in_work().filter(owner=door.staff(request))))
    soon = at + SOON
    now = Q(calls=True) | Q(next_due__lte=soon) | Q(answered_at__isnull=False)
    band = Case(
        When(now, then=Value(NOW)),
        When(next_due__lt=max(midnight(at, 1), soon), then=Value(TODAY)),
        default=Value(LATER),
        output_field=IntegerField(),
    )
    return mine.annotate(calls=Exists(due)).annotate(band=band)


def in_turn(tickets: Any) -> Any:
    """Calls that are due first; then by what fell due or was said first."""
    waits_since = Least("next_due", "answered_at")
    return tickets.order_by("band", F("calls").desc(), waits_since.asc(nulls_last=True), "priority", "pk")


def counts(request: HttpRequest, at: datetime) -> dict[str, Any]:
    """How many stand in each band; `state` changes whenever something on the list does."""
    tallies = {"count": Count("pk"), "versions": Sum("version"), "newest": Max("pk")}
    mine: Any = mine_in_bands(request, at)
    rows = mine.order_by("band").values("band").annotate(**tallies)
    found = {code: 0 for code, _name, _why in BANDS}
    shape = []
    for row in rows:
        found[BANDS[row["band"]][0]] = row["count"]
        shape += [row["band"], row["count"], row["versions"], row["newest"]]
    return {**found, "total": sum(found.values()), "state": "-".join(map(str, shape)) or "0"}


@door.staff_page()
@require_safe
def desk(request: HttpRequest) -> HttpResponse:
    if not door.may_act(door.staff(request)):
        return redirect("insight")  # who only reads owns no work
    at = now()
    found = counts(request, at)
    rows = with_nudges(mine_in_bands(request, at))
    mine, done = fetched(in_turn(rows)[:MOST], done_today(request, at)[:MOST])
    context = {
        "bands": [band for band in bands_of(mine, found, at) if band.count],
        "counts": found,
        "tabs": tabs(found),
        "done": rows_of(done, at),
        "cut": found["total"] > MOST,
        "most": MOST,
        "now": at,
    }
    return render(request, "recovery/desk.html", context)


def bands_of(tickets: list[Any], found: dict[str, Any], at: datetime) -> list[Band]:
    return [
        Band(code, name, why, found[code], rows_of([each for each in tickets if each.band == place], at))
        for place, (code, name, why) in enumerate(BANDS)
    ]


def tabs(found: dict[str, Any]) -> list[tuple[str, str | Promise, str | Promise, int]]:
    return [(code, name, why, found[code]) for code, name, why in BANDS]


@door.staff_page()
@require_safe
def desk_counts(request: HttpRequest) -> HttpResponse:
    """The line of counts by itself, asked for by the open page; it says when the list below is old."""
    found = counts(request, now())
    old = door.asked(request, "state") not in ("", found["state"])
    context = {"tabs": tabs(found), "counts": found, "old": old, "shown": door.asked(request, "state")}
    return render(request, "recovery/parts/desk_counts.html", context)


def done_today(request: HttpRequest, at: datetime) -> TicketQuerySet:
    """What I resolved since midnight, newest first."""
    resolved = TicketEvent.objects.filter(
        by=door.staff(request), kind="resolved", at__gte=midnight(at), ticket=OuterRef("pk")
    )
    done = door.seen_by(request).filter(Exists(resolved), status__in=["resolved", "closed"])
    return done.order_by("-resolved_at")
