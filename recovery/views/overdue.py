"""For supervisors: what is late, at risk, silent, waiting too long or broken twice, by whom and where."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.core.paginator import Page, Paginator
from django.db.models import OuterRef, Prefetch
from django.db.models.functions import JSONObject
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery import forms
from recovery.insight import standing
from recovery.insight.standing import Measure
from recovery.models import Callback, Deadline, Escalation, Ticket
from recovery.models.ticket import TicketQuerySet
from recovery.views import bulk, door, groups
from recovery.views.board_tabs import more_tabs, tabs_of
from recovery.views.colleagues import labelled
from recovery.views.picked import TABS, Picked
from recovery.views.rows import nearest_first, rows_of

PER_PAGE = 50


@door.staff_page(door.SUPERVISOR, door.ADMINISTRATOR, door.ANALYST)
@require_safe
def overdue(request: HttpRequest) -> HttpResponse:
    at, picked = now(), Picked.from_query(request.GET)
    teams = door.teams_of(request)
    measured = standing.measure(teams, at)
    cells = standing.cells(door.seen_by(request), measured)
    page = page_of(request, picked, measured, picked.count(cells))
    people = groups.people_of(teams, cells, at)
    context = {
        "tabs": tabs_of(cells),
        "more": more_tabs(request, at),
        "why": TABS[picked.tab][1],
        "picked": picked,
        "owners": groups.by_owner(cells, people),
        "teams": groups.by_team(cells, measured),
        "touchpoints": groups.by_touchpoint(cells),
        "page_obj": page,
        "rows": rows_of(page.object_list, at, ahead=picked.tab == standing.RISK and not picked.every),
        "bulk": bulk_form(request, people, at),
        "every": bulk.signed_list(request, picked),
        "now": at,
    }
    return render(request, "recovery/overdue.html", context)


def bulk_form(request: HttpRequest, people: list[Any], at: datetime) -> forms.BulkForm | None:
    """None for somebody who only reads."""
    if not door.may_act(door.staff(request)):
        return None
    able = [person for person in people if person.may_own]
    for person in able:
        person.away_until = groups.away_until(person)
    return forms.BulkForm.offering(labelled(able, at))


def page_of(request: HttpRequest, picked: Picked, measured: Measure, count: int) -> Page[Ticket]:
    """A page of the rows; how many there are is known from the tables."""
    rows = with_facts(picked.rows(door.seen_by(request), measured))
    paginator = Paginator(rows, PER_PAGE)
    paginator.__dict__["count"] = count
    page = paginator.get_page(request.GET.get("page"))
    page.object_list = [filled(ticket) for ticket in page.object_list]
    return page


def with_facts(rows: TicketQuerySet) -> TicketQuerySet:
    """With everything a row of the board shows, in three queries; what falls due first comes first."""
    booked = Callback.objects.filter(ticket=OuterRef("pk"), state=Callback.BOOKED).order_by("due_at")
    escalations = Escalation.objects.filter(ticket=OuterRef("pk"), cycle=OuterRef("cycle")).order_by("-id")
    told = JSONObject(level="level", recipient_name="recipient_name", at="at", kind="deadline__kind")
    return (
        nearest_first(rows)
        .select_related("customer", "owner", "team", "response__survey")
        .prefetch_related(
            Prefetch("deadlines", Deadline.objects.select_related("calendar")), "customer__identities"
        )
        .annotate(
            call_zone=booked.values("time_zone")[:1],
            told_rows=ArraySubquery(escalations.annotate(told=told).values("told")[:2]),
        )
    )


def filled(ticket: Any) -> Ticket:
    """With what a row reads as objects: the booked callback, and whom the ladder told last."""
    call = Callback(ticket=ticket, due_at=ticket.call_due, time_zone=ticket.call_zone)
    ticket.booked = [call] if ticket.call_due else []
    ticket.told_last = [told_of(each) for each in ticket.told_rows]
    found: Ticket = ticket
    return found


def told_of(told: dict[str, Any]) -> Escalation:
    kind, at = told.pop("kind"), datetime.fromisoformat(told.pop("at"))
    return Escalation(**told, at=at, deadline=Deadline(kind=kind) if kind else None)
