"""Every ticket this person may see, filtered by the address of the page: a view is an address."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery import access
from recovery.models.policy import PRIORITIES
from recovery.models.ticket import STATUSES, TicketQuerySet
from recovery.views import columns, door, seeded
from recovery.views.choices import Choices, Named, choices_for
from recovery.views.filters import ANY, BOOKED, DUE, IN_HAND, ME, NONE, Asked, number
from recovery.views.rows import for_rows, nearest_first, rows_of
from recovery.views.search import looks_everywhere, number_of
from surveys.views.pages import Pages

__all__ = ["list_tickets", "number"]

PER_PAGE = 50
# Shown at once; the others open where one of them is used, or when somebody asks for more.
FIRST = ("status", "owner", "team", "priority")


@dataclass(frozen=True)
class Choice:
    value: str
    name: Any
    chosen: bool


@dataclass(frozen=True)
class Menu:
    """A filter as a field: one to choose from where it has `options`, else one to fill in."""

    name: str
    label: Any
    options: list[Choice]
    value: str = ""
    kind: str = ""
    error: Any = ""

    @property
    def is_first(self) -> bool:
        return self.name in FIRST

    @property
    def is_used(self) -> bool:
        return bool(self.value)


@door.staff_page()
@require_safe
def list_tickets(request: HttpRequest) -> HttpResponse:
    asked = asked_by(request)
    found = jump(request, asked.words)
    if found:
        return redirect("ticket", found)
    seen = door.seen_by(request)
    tickets = asked.narrowed(seen)
    choices = choices_for(asked.user, seen, asked.at)
    views, total = seeded.counted(
        views_for(request, choices), seen, asked, {"page": seeded.bounded(tickets, asked)}
    )
    pages = Pages(ordered(tickets, asked), PER_PAGE)
    pages.counted = total["page"]
    page = pages.get_page(request.GET.get("page"))
    menus, shown = list(menus_of(asked, choices)), columns.chosen(request.GET)
    context = {
        "page_obj": page,
        "rows": rows_of(page.object_list, asked.at),
        "asked": asked,
        "menus": menus,
        "more_used": [menu for menu in menus if not menu.is_first and menu.is_used],
        "views": views,
        "columns": shown,
        "shows_tier": "tier" in {column.code for column in shown},
        "all_columns": columns.COLUMNS,
        "kept": seeded.as_kept(request.GET),
        "hidden": seeded.pairs_of(request.GET, "cols"),
        "besides": seeded.pairs_of(request.GET, *(menu.name for menu in menus), "q", "order"),
        "shares_with": shares_with(asked.user, choices),
        "everywhere": looks_everywhere(asked.words),
        "now": asked.at,
    }
    return render(request, "recovery/tickets.html", context)


def asked_by(request: HttpRequest) -> Asked:
    return Asked(request.GET, door.staff(request), now())


def views_for(request: HttpRequest, choices: Choices) -> list[seeded.View]:
    """Everybody's and one's own, those of one's role only."""
    user = door.staff(request)
    everybodys = seeded.seeded(choices, works=door.may_act(user), leads=door.leads(user))
    return [*everybodys, *seeded.saved(choices)]


def shares_with(user: User, choices: Choices) -> list[Named]:
    """The teams this person may share a view with."""
    if access.role_of(user) == door.ADMINISTRATOR:
        return choices.teams
    return [team for team in choices.teams if team.pk in access.supervised_by(user)]


def jump(request: HttpRequest, words: str) -> str:
    """The ticket whose number was typed, if this person may see it."""
    found = number_of(words)
    if not found or len(request.GET) > 1:
        return ""
    return door.seen_by(request).filter(number=found).values_list("number", flat=True).first() or ""


def ordered(tickets: TicketQuerySet, asked: Asked) -> TicketQuerySet:
    if asked.newest_first:
        return for_rows(tickets).order_by("-pk")
    return for_rows(nearest_first(tickets))


Options = Iterable[tuple[Any, Any]]


def menus_of(asked: Asked, choices: Choices) -> Iterator[Menu]:
    """The fields above the list, with what stands in the address chosen."""
    any_of: list[tuple[Any, Any]] = [("", _("any"))]
    usual = ANY if asked.words else IN_HAND
    status = [(IN_HAND, _("in work")), *STATUSES, (ANY, _("any"))]
    people = [("", _("anybody")), (ME, _("me")), *pairs(choices.people)]
    calls = [(DUE, _("due now")), (BOOKED, _("promised")), (NONE, _("none"))]
    yield choose(asked, "status", _("Status"), status, usual)
    yield choose(asked, "owner", _("Owner"), people)
    yield choose(asked, "team", _("Team"), [("", _("all my teams")), *pairs(choices.teams)])
    yield choose(asked, "priority", _("Priority"), [*any_of, *PRIORITIES])
    yield choose(asked, "survey", _("Survey"), [*any_of, *pairs(choices.surveys)])
    yield choose(asked, "cause", _("Cause"), [*any_of, *pairs(choices.causes)])
    yield choose(asked, "touchpoint", _("Touchpoint"), [*any_of, *alike(choices.touchpoints)])
    yield choose(asked, "tier", _("Tier"), [*any_of, *alike(choices.tiers)])
    yield choose(asked, "callback", _("Callback"), [*any_of, *calls])
    yield choose(asked, "contacted", _("Heard"), [*any_of, ("yes", _("yes")), ("no", _("not yet"))])
    yield fill(asked, "due_before", _("Due by"), "date")
    yield fill(asked, "opened_from", _("Opened from"), "date")
    yield fill(asked, "opened_to", _("Opened until"), "date")
    yield tick(asked, "overdue", _("only overdue"))
    yield tick(asked, "answered", _("the customer answered"))
    yield tick(asked, "breached", _("breached twice"), "2")
    yield tick(asked, "room", _("nobody had room"))


def pairs(named: Iterable[Named]) -> Options:
    return [(each.pk, each.name) for each in named]


def alike(texts: Iterable[str]) -> Options:
    return [(text, text) for text in texts]


def choose(asked: Asked, name: str, label: Any, options: Options, usual: str = "") -> Menu:
    """What the address asks for is always among the options, whether it exists or not."""
    wanted = asked.many(name) or [usual]
    known = [Choice(str(value), text, str(value) in wanted) for value, text in options]
    missing = set(wanted) - {choice.value for choice in known}
    others = [Choice(value, value, chosen=True) for value in sorted(missing)]
    return Menu(name, label, [*known, *others], asked.one(name), "choose" if len(wanted) < 2 else "several")


def fill(asked: Asked, name: str, label: Any, kind: str) -> Menu:
    return Menu(name, label, [], asked.one(name), kind, asked.errors.get(name, ""))


def tick(asked: Asked, name: str, label: Any, value: str = "1") -> Menu:
    return Menu(name, label, [Choice(value, label, bool(asked.one(name)))], asked.one(name), "tick")
