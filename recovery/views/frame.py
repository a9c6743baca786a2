"""What every staff page shows around its content: the menu with live counts, and what must be known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Count, IntegerField, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise, SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from dispatch import claims
from dispatch.clock import now
from recovery import access
from recovery.views import banners, board, door
from recovery.views.door import ADMINISTRATOR, AGENT, ANALYST, SUPERVISOR
from surveys.access import visible_messages
from surveys.models import Message

Questions = dict[str, QuerySet[Any]]

EVERYBODY = frozenset({AGENT, SUPERVISOR, ANALYST, ADMINISTRATOR})
WORKERS = EVERYBODY - {ANALYST}


@dataclass(frozen=True)
class Item:
    """A line of the menu: for whom, which count beside it, and whether the count is an alarm."""

    label: str | Promise
    name: str
    icon: str
    roles: frozenset[str] = EVERYBODY
    count: str = ""
    alarms: bool = False


MENU = [
    Item(_("My work"), "desk", "inbox", WORKERS, "mine"),
    Item(_("Callbacks"), "callbacks", "phone", WORKERS, "calls"),
    Item(_("Overdue"), "overdue", "clock", EVERYBODY - {AGENT}, "late"),
    Item(_("Tickets"), "tickets", "ticket"),
    Item(_("Customers"), "customers", "people"),
    Item(_("Insight"), "insight", "chart"),
    Item(_("Surveys"), "surveys", "form"),
    Item(_("Messages"), "messages", "mail", EVERYBODY, "needy", alarms=True),
    Item(_("Dispatch"), "dispatch", "pulse", banners.IN_CHARGE, "dead", alarms=True),
    Item(_("Admin"), "admin:index", "gear", frozenset({ADMINISTRATOR})),
]


def frame(request: HttpRequest) -> dict[str, Any]:
    """Menu and banners are reckoned only by pages that show them, with one query for both."""

    def facts() -> dict[str, Any]:
        return facts_of(request)

    return {
        "menu": SimpleLazyObject(lambda: menu_for(request, facts)),
        "banners": SimpleLazyObject(lambda: banners_for(request, facts)),
        "calls_due_url": SimpleLazyObject(lambda: calls_due_url(request)),
    }


def role_in(request: HttpRequest) -> str:
    user = getattr(request, "user", None)
    return access.role_of(user) if isinstance(user, User) else ""


def calls_due_url(request: HttpRequest) -> str:
    """Where the page asks whose call is due; '' for somebody who is promised to nobody."""
    return reverse("callbacks-due") if role_in(request) in WORKERS else ""


def menu_for(request: HttpRequest, facts: Callable[[], dict[str, Any]]) -> list[dict[str, Any]]:
    role = role_in(request)
    return [line_of(item, request.path, facts()) for item in MENU if role in item.roles]


def banners_for(request: HttpRequest, facts: Callable[[], dict[str, Any]]) -> list[banners.Banner]:
    return banners.raised_by(facts(), now()) if role_in(request) in banners.IN_CHARGE else []


def line_of(item: Item, path: str, counts: dict[str, Any]) -> dict[str, Any]:
    url, count = reverse(item.name), counts.get(item.count)
    alarm = item.alarms and bool(count)
    return {
        "label": item.label,
        "url": url,
        "icon": item.icon,
        "count": count if count or not item.alarms else None,
        "alarm": alarm,
        "active": path.startswith(url),
    }


def facts_of(request: HttpRequest, also: Questions | None = None) -> dict[str, Any]:
    """What menu and banners tell, asked once for a request; a page that counts more asks for it first."""
    known: dict[str, dict[str, Any]] = request.__dict__
    if "frame_facts" not in known:
        known["frame_facts"] = facts_for(request, also or {})
    return known["frame_facts"]


def facts_for(request: HttpRequest, also: Questions) -> dict[str, Any]:
    """Every count of the menu, what banners tell, and how many rows `also` has, in one query."""
    user, role = door.staff(request), role_in(request)
    wanted = {item.count for item in MENU if role in item.roles}
    told = banners.FACTS if role in banners.IN_CHARGE else {}
    at, seen = now(), door.seen_by(request)
    rows: dict[str, Callable[[], QuerySet[Any]]] = {
        "mine": lambda: seen.in_work().filter(owner=user),
        "calls": lambda: board.with_call(seen.filter(owner=user)),
        "late": lambda: board.late(seen, at),
        "needy": lambda: visible_messages(user).filter(state__in=Message.NEEDS_A_PERSON),
        "dead": claims.dead,
        "doubtful": lambda: visible_messages(user).filter(state__in=banners.DOUBTFUL),
    }
    wanted |= {"doubtful"} if told else set()
    counted = {name: how_many(question()) for name, question in rows.items() if name in wanted}
    counted |= {name: how_many(rows) for name, rows in also.items()}
    found = User.objects.filter(pk=user.pk).values(**counted, **told).first()
    return dict(found) if found else {}


def how_many(rows: QuerySet[Any]) -> Coalesce:
    """The number of rows as a part of another query."""
    grouped = (
        rows.order_by().annotate(all=Value(1)).values("all").annotate(number=Count("pk")).values("number")
    )
    return Coalesce(Subquery(grouped, output_field=IntegerField()), 0)
