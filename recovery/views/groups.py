"""The tables of the board: counts by owner with load and leave, by team with its pace, by touchpoint."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, JSONObject
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext

from recovery.insight.standing import LATE, STANDINGS, Cell, Measure, summed
from recovery.lifecycle.act import name_of
from recovery.models import Leave, Membership, Team, Ticket
from recovery.models.policy import FIRST_CONTACT, RESOLUTION
from recovery.views.picked import NO_PLACE

MOST_PLACES = 12


@dataclass(frozen=True)
class Group:
    """A line of a table; `pk` names it in the address, and the number of each standing opens its rows."""

    pk: int | str
    name: str
    open: int
    counts: list[tuple[str, int]]
    load: int = 0
    capacity: int = 0
    away: bool = False
    until: datetime | None = None
    cover: str = ""
    lately: tuple[int | None, int | None] = (None, None)
    may_own: bool = False

    @property
    def is_over(self) -> bool:
        return self.load > self.capacity > 0


def group(pk: int | str, name: str, totals: dict[str, int] | None, **facts: Any) -> Group:
    counts = [(code, totals[code] if totals else 0) for code in STANDINGS]
    return Group(pk, name, totals["all"] if totals else 0, counts, **facts)


def worst_first(groups: list[Group]) -> list[Group]:
    return sorted(groups, key=lambda each: (-dict(each.counts)[LATE], -each.open, each.name.casefold()))


def by_team(cells: list[Cell], now: Measure) -> list[Group]:
    totals = summed(cells, "team")
    return [
        group(
            team.pk,
            str(team),
            totals.get(team.pk),
            lately=(now.lately(team.pk, FIRST_CONTACT), now.lately(team.pk, RESOLUTION)),
        )
        for team in now.teams
    ]


def by_touchpoint(cells: list[Cell]) -> list[Group]:
    """The worst dozen."""
    found = [
        group(place or NO_PLACE, place or gettext("not said"), totals)
        for place, totals in summed(cells, "touchpoint").items()
    ]
    return worst_first(found)[:MOST_PLACES]


def by_owner(cells: list[Cell], people: list[Any]) -> list[Group]:
    """Everybody who owns something here or works here: load is all they carry, in whichever team."""
    totals = summed(cells, "owner")
    here = [person for person in people if person.works or person.pk in totals]
    return worst_first([owner_line(person, totals.get(person.pk)) for person in here])


def owner_line(person: Any, totals: dict[str, int] | None) -> Group:
    leave = person.leave[0] if person.leave else None
    return group(
        person.pk,
        name_of(person),
        totals,
        load=person.load,
        capacity=person.capacity,
        away=leave is not None,
        until=away_until(person),
        cover=covered_by(leave) if leave else "",
        may_own=person.may_own and leave is None,
    )


def away_until(person: Any) -> datetime | None:
    """When the leave ends that somebody is on; None for who is there."""
    return parse_datetime(person.leave[0]["until"]) if person.leave else None


def covered_by(leave: dict[str, Any]) -> str:
    """Who covers for them; '' where that is their supervisor."""
    return f"{leave['first'] or ''} {leave['last'] or ''}".strip() or leave["username"] or ""


def people_of(teams: set[int], cells: list[Cell], at: datetime) -> list[Any]:
    """These teams' members and supervisors, and whoever else owns something here; in one query.

    Each with `load` and `capacity` in all their teams, the `leave` they are on, and whether they `may_own` a
    ticket of these teams.
    """
    colleague = Q(is_active=True, staff__isnull=False)
    works = Exists(Membership.objects.filter(user=OuterRef("pk"), team__in=teams))
    leads = Exists(Team.objects.filter(supervisor=OuterRef("pk"), pk__in=teams))
    carried = Ticket.objects.in_work().filter(owner=OuterRef("pk")).order_by().values("owner")
    room = Membership.objects.filter(user=OuterRef("pk")).order_by().values("user")
    people = User.objects.annotate(
        works=works,
        leads=leads,
        load=number_of(carried.annotate(n=Count("pk")).values("n")),
        capacity=number_of(room.annotate(n=Sum("capacity")).values("n")),
        leave=ArraySubquery(leave_of(at)),
        may_own=colleague & (Q(works=True) | Q(leads=True)),
    )
    owners = {cell["owner"] for cell in cells}
    here = Q(works=True) | Q(leads=True) | Q(pk__in=owners)
    return list(people.filter(here).order_by("first_name", "username"))


def number_of(rows: QuerySet[Any]) -> Coalesce:
    return Coalesce(Subquery(rows, output_field=IntegerField()), 0)


def leave_of(at: datetime) -> QuerySet[Any]:
    """The leave somebody is on, the one that ends last."""
    rows = Leave.objects.filter(user=OuterRef("pk"), starts_at__lte=at, ends_at__gt=at).order_by("-ends_at")
    told = JSONObject(
        until="ends_at", first="cover__first_name", last="cover__last_name", username="cover__username"
    )
    return rows.annotate(told=told).values("told")[:1]
