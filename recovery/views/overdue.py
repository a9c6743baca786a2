"""For supervisors: what is late, silent, waiting or at risk, by team and owner, and putting it right."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db.models import Count, Prefetch, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from dispatch.clock import now
from recovery import access, forms, lifecycle
from recovery.assignment import open_tickets_by_owner
from recovery.lifecycle import Refused
from recovery.lifecycle.act import name_of
from recovery.models import Escalation, Leave, Membership, Team, Ticket
from recovery.models.ticket import TicketQuerySet
from recovery.views import board, door
from recovery.views.rows import for_rows, nearest_first, rows_of
from recovery.views.tickets import number as number_of

PER_PAGE = 50

Cell = dict[str, Any]

TABS: list[tuple[str, str, str | Promise, str | Promise]] = [
    (
        "late",
        "is_late",
        _("Overdue"),
        _("A promise has passed and is not kept yet."),
    ),
    (
        "silent",
        "is_silent",
        _("Not contacted"),
        _("Nobody was heard yet; the first contact is late or due within 4 working hours."),
    ),
    (
        "waiting",
        "is_waiting",
        _("Waiting"),
        _("The clock stands because the customer must do something first."),
    ),
    (
        "risk",
        "is_at_risk",
        _("At risk"),
        _("A deadline falls within the next 4 working hours."),
    ),
]
FLAGS = {code: flag for code, flag, _name, _why in TABS}


@dataclass(frozen=True)
class Group:
    """A line of the table by team or by owner; `number` of each tab opens its rows."""

    pk: int
    name: str
    open: int
    counts: list[tuple[str, int]]
    load: int = 0
    capacity: int = 0
    away: bool = False


@door.staff_page(door.SUPERVISOR, door.ADMINISTRATOR, door.ANALYST)
@require_safe
def overdue(request: HttpRequest) -> HttpResponse:
    at = now()
    tab = door.asked(request, "tab") or "late"
    tab = tab if tab in FLAGS else "late"
    flagged = board.with_flags(door.seen_by(request), at)
    cells = cells_of(flagged)
    page = Paginator(rows_behind(request, flagged, tab), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "tabs": [
            {"code": code, "name": name, "why": why, "count": sum(cell[code] for cell in cells)}
            for code, _flag, name, why in TABS
        ],
        "tab": tab,
        "teams": by_team(request, cells),
        "owners": by_owner(request, cells, at),
        "page_obj": page,
        "rows": rows_of(page.object_list, at, ahead=tab == "risk" and not door.asked(request, "all")),
        "owner": number_of(door.asked(request, "owner")),
        "team": number_of(door.asked(request, "team")),
        "bulk": bulk_form(request),
        "now": at,
    }
    return render(request, "recovery/overdue.html", context)


def cells_of(flagged: TicketQuerySet) -> list[Cell]:
    """How many of each kind every owner has in every team."""
    rows: Any = flagged.order_by().values("owner", "team").annotate(**tallies())
    return list(rows)


def tallies() -> dict[str, Count]:
    counts = {code: Count("pk", filter=Q(**{flag: True})) for code, flag in FLAGS.items()}
    return {"all": Count("pk"), **counts}


def rows_behind(request: HttpRequest, flagged: TicketQuerySet, tab: str) -> TicketQuerySet:
    """The rows of a tab, of one owner or team where one was pressed; waiting ones by who waits longest."""
    rows = flagged if door.asked(request, "all") else flagged.filter(**{FLAGS[tab]: True})
    for name in ("owner", "team"):
        if door.asked(request, name):
            rows = rows.filter(**{name: number_of(door.asked(request, name))})
    told = Prefetch(
        "escalations", Escalation.objects.select_related("deadline").order_by("-id"), to_attr="told"
    )
    return for_rows(nearest_first(rows)).prefetch_related(told)


def summed(cells: Iterable[Cell], key: str) -> dict[int, dict[str, int]]:
    """The counts of all cells that share an owner, or a team."""
    totals: dict[int, dict[str, int]] = {}
    for cell in cells:
        total = totals.setdefault(cell[key], dict.fromkeys(("all", *FLAGS), 0))
        for name in total:
            total[name] += cell[name]
    return totals


def by_team(request: HttpRequest, cells: list[Cell]) -> list[Group]:
    totals = summed(cells, "team")
    teams = Team.objects.filter(Q(pk__in=door.teams_of(request)) | Q(pk__in=totals))
    return [group(team.pk, str(team), totals.get(team.pk)) for team in teams]


def by_owner(request: HttpRequest, cells: list[Cell], at: datetime) -> list[Group]:
    """Everybody who owns something here or could: load is all they carry, in whichever team."""
    totals = summed(cells, "owner")
    room = capacities(door.teams_of(request))
    people = User.objects.filter(pk__in={*totals, *room}).order_by("first_name", "username")
    load = open_tickets_by_owner([person.pk for person in people])
    away = set(
        Leave.objects.filter(user__in=people, starts_at__lte=at, ends_at__gt=at).values_list(
            "user", flat=True
        )
    )
    groups = [
        group(
            person.pk,
            name_of(person),
            totals.get(person.pk),
            load[person.pk],
            room.get(person.pk, 0),
            person.pk in away,
        )
        for person in people
    ]
    return sorted(groups, key=lambda each: [-count for _code, count in each.counts[:1]])


def capacities(teams: set[int]) -> dict[int, int]:
    """What each member of these teams can carry, summed over all their teams."""
    members = Membership.objects.filter(team__in=teams).values("user")
    found: dict[int, int] = {}
    for user, capacity in Membership.objects.filter(user__in=members).values_list("user", "capacity"):
        found[user] = found.get(user, 0) + capacity
    return found


def group(
    pk: int, name: str, totals: dict[str, int] | None, load: int = 0, capacity: int = 0, away: bool = False
) -> Group:
    counts = [(code, totals[code] if totals else 0) for code in FLAGS]
    return Group(pk, name, totals["all"] if totals else 0, counts, load, capacity, away)


def bulk_form(request: HttpRequest) -> forms.BulkForm | None:
    """None for somebody who only reads."""
    user = door.staff(request)
    return forms.BulkForm(access.colleagues_of(door.teams_of(request))) if door.may_act(user) else None


@dataclass(frozen=True)
class Result:
    """What became of one ticket of a bulk act."""

    number: str
    customer: str
    done: bool
    why: str


@require_POST
@door.staff_page(door.SUPERVISOR, door.ADMINISTRATOR)
def act_on_many(request: HttpRequest) -> HttpResponse:
    """One act on every ticket ticked, each by itself: what is refused for one stops no other."""
    picked = [each.partition(":") for each in request.POST.getlist("ticket")]
    form = forms.BulkForm(access.colleagues_of(door.teams_of(request)), request.POST)
    if not picked or not form.is_valid():
        context = {"form": form, "picked": request.POST.getlist("ticket"), "back": back(request)}
        return render(request, "recovery/bulk.html", context, status=422)
    at = now()
    results = [
        one_of_many(request, number, version, form.cleaned_data, at) for number, _colon, version in picked
    ]
    done = sum(result.done for result in results)
    context = {"results": results, "done": done, "refused": len(results) - done, "back": back(request)}
    return render(request, "recovery/bulk.html", context)


def back(request: HttpRequest) -> str:
    """The query string of the list the ticks came from."""
    return request.POST.get("back", "")


def one_of_many(
    request: HttpRequest, number: str, version: str, values: dict[str, Any], at: datetime
) -> Result:
    act = values["do"]
    try:
        ticket = access.ticket_for(door.staff(request), number, act)
    except Ticket.DoesNotExist:
        return Result(number, "", False, str(_("There is no such ticket among yours.")))
    except Refused as refused:
        return Result(number, "", False, str(refused))
    name = ticket.customer_name
    if version:
        ticket.version = number_of(version)
    try:
        BULK[act](ticket, door.staff(request), at, values)
    except Refused as refused:
        return Result(number, name, False, str(refused))
    return Result(number, name, True, "")


def hand_over(ticket: Ticket, by: User, at: datetime, values: dict[str, Any]) -> Ticket:
    to = values["owner"]
    if not access.colleagues_for(ticket).filter(pk=to.pk).exists():
        raise Refused("not_in_team", _("This colleague does not work in the ticket’s team."), field="owner")
    return lifecycle.assign(ticket, by=by, at=at, to=to, reason=values["reason"])


def extend(ticket: Ticket, by: User, at: datetime, values: dict[str, Any]) -> Ticket:
    return lifecycle.extend(
        ticket, by=by, at=at, minutes=values["minutes"], reason=values["reason"], kind=values["kind"]
    )


BULK: dict[str, Callable[[Ticket, User, datetime, dict[str, Any]], Ticket]] = {
    "assign": hand_over,
    "extend": extend,
}
