"""Who else has this ticket open, and whether they are writing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from dispatch.clock import now
from recovery.lifecycle.act import name_of
from recovery.models import Looking, Ticket
from recovery.views import door

# What was last seen longer ago says nothing.
FRESH: Final = timedelta(seconds=60)
KEPT: Final = timedelta(days=1)
MOST: Final = 5


@dataclass(frozen=True)
class Onlooker:
    words: str
    writing: bool


@door.staff_page()
@require_POST
def keep_looking(request: HttpRequest, number: str) -> HttpResponse:
    """The open page says that it is looked at, and hears who else looks. To fetch a page is not to look."""
    at, user = now(), door.staff(request)
    ticket = door.ticket_or_404(request, number)
    note_looking(ticket, user, at, writing="writing" in request.POST)
    context = {"ticket": ticket, "onlookers": onlookers(ticket, user, at), "asked": True}
    return render(request, "recovery/parts/ticket_looking.html", context)


def note_looking(ticket: Ticket, user: User, at: datetime, *, writing: bool = False) -> None:
    """One row for each pair of ticket and person. It is no act: no event, no new version.

    Whoever looks clears away what they looked at more than a day ago.
    """
    Looking.objects.bulk_create(
        [Looking(ticket=ticket, user=user, at=at, writing=writing)],
        update_conflicts=True,
        unique_fields=["ticket", "user"],
        update_fields=["at", "writing"],
    )
    Looking.objects.filter(user=user, at__lt=at - KEPT).delete()


def onlookers(ticket: Ticket, user: User, at: datetime) -> list[Onlooker]:
    """The others, those who write first."""
    rows = Looking.objects.filter(ticket=ticket, at__gt=at - FRESH).exclude(user=user).select_related("user")
    return [onlooker(row) for row in rows.order_by("-writing", "-at")[:MOST]]


def onlooker(row: Looking) -> Onlooker:
    words = gettext("{name} is writing") if row.writing else gettext("{name} is looking")
    return Onlooker(words.format(name=name_of(row.user)), row.writing)
