"""Every ticket this person may see, filtered by the address of the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery.lifecycle.act import name_of
from recovery.models import Membership
from recovery.models.policy import PRIORITIES
from recovery.models.ticket import IN_WORK, STATUSES, TicketQuerySet
from recovery.views import board, door
from recovery.views.rows import for_rows, nearest_first, rows_of
from recovery.views.search import number_of, tickets_like
from surveys.models import Survey
from surveys.views.pages import Pages

PER_PAGE = 50
NEWEST = "newest"
ANY, IN_HAND, ME = "any", "open_work", "me"
FILTERS = ("status", "owner", "team", "priority", "survey", "overdue", "q")


@dataclass(frozen=True)
class Choice:
    value: str
    name: Any
    chosen: bool


@door.staff_page()
@require_safe
def list_tickets(request: HttpRequest) -> HttpResponse:
    at, words = now(), door.asked(request, "q")
    found = jump(request, words)
    if found:
        return redirect("ticket", found)
    tickets = narrowed(request, door.seen_by(request))
    page = Pages(ordered(request, tickets), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page_obj": page,
        "rows": rows_of(page.object_list, at),
        "filters": choices(request),
        "words": words,
        "overdue": door.asked(request, "overdue"),
        "filtered": any(door.asked(request, name) for name in FILTERS),
        "order": order_of(request),
        "now": at,
    }
    return render(request, "recovery/tickets.html", context)


def jump(request: HttpRequest, words: str) -> str:
    """The ticket whose number was typed, if this person may see it."""
    number = number_of(words)
    if not number or len(request.GET) > 1:
        return ""
    return door.seen_by(request).filter(number=number).values_list("number", flat=True).first() or ""


def narrowed(request: HttpRequest, tickets: TicketQuerySet) -> TicketQuerySet:
    """Only what every filter in the address allows; a value that does not exist finds nothing."""
    words, status = door.asked(request, "q"), status_of(request)
    if status == IN_HAND:
        tickets = tickets.filter(status__in=IN_WORK)
    elif status != ANY:
        tickets = tickets.filter(status=status)
    if door.asked(request, "overdue"):
        tickets = board.late(tickets, now())
    tickets = by_ids(request, tickets)
    return tickets_like(tickets, words) if words else tickets


def status_of(request: HttpRequest) -> str:
    return door.asked(request, "status") or (ANY if door.asked(request, "q") else IN_HAND)


def order_of(request: HttpRequest) -> str:
    """By what falls due first; the newest first where that was asked, or where little or nothing is due."""
    nothing_due = status_of(request) not in (IN_HAND, *IN_WORK) and not door.asked(request, "overdue")
    return NEWEST if nothing_due else door.asked(request, "order")


def by_ids(request: HttpRequest, tickets: TicketQuerySet) -> TicketQuerySet:
    owner = door.asked(request, "owner")
    if owner == ME:
        tickets = tickets.filter(owner=door.staff(request))
    elif owner:
        tickets = tickets.filter(owner=number(owner))
    for name, column in (("team", "team"), ("priority", "priority"), ("survey", "response__survey")):
        value = door.asked(request, name)
        if value:
            tickets = tickets.filter(**{column: number(value)})
    return tickets


def number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def ordered(request: HttpRequest, tickets: TicketQuerySet) -> TicketQuerySet:
    if order_of(request) == NEWEST:
        return for_rows(tickets).order_by("-pk")
    return for_rows(nearest_first(tickets))


def choices(request: HttpRequest) -> list[dict[str, Any]]:
    """The menus above the list, with what stands in the address chosen."""
    teams, people = teams_and_people(door.teams_of(request))
    status = [(IN_HAND, _("in work")), *STATUSES, (ANY, _("any"))]
    usual = ANY if door.asked(request, "q") else IN_HAND
    return [
        menu(request, "status", _("Status"), status, usual),
        menu(request, "owner", _("Owner"), [("", _("anybody")), (ME, _("me")), *people]),
        menu(request, "team", _("Team"), [("", _("all my teams")), *teams]),
        menu(request, "priority", _("Priority"), [("", _("any")), *PRIORITIES]),
        menu(
            request,
            "survey",
            _("Survey"),
            [("", _("any")), *((each.pk, str(each)) for each in Survey.objects.all())],
        ),
    ]


def menu(
    request: HttpRequest, name: str, label: Any, options: list[tuple[Any, Any]], usual: str = ""
) -> dict[str, Any]:
    asked = door.asked(request, name) or usual
    return {
        "name": name,
        "label": label,
        "options": [Choice(str(value), text, str(value) == asked) for value, text in options],
    }


def teams_and_people(team_ids: set[int]) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """The teams this person sees, and who works or supervises in them, in one query."""
    rows = Membership.objects.filter(team__in=team_ids).select_related("team__supervisor", "user")
    teams: dict[int, str] = {}
    people: dict[int, str] = {}
    for row in rows:
        teams[row.team_id] = str(row.team)
        for each in (row.user, row.team.supervisor):
            people[each.pk] = name_of(each)
    return by_name(teams), by_name(people)


def by_name(names: dict[int, str]) -> list[tuple[int, str]]:
    return sorted(names.items(), key=lambda item: item[1].casefold())
