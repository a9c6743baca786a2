"""What may be chosen from above a list of tickets, and which views one has: everything in one query."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import BigIntegerField, CharField, F, Q, QuerySet, Value
from django.db.models.functions import Cast, Coalesce, Concat, NullIf, Trim

from recovery import access
from recovery.assignment.people import end_of_chain
from recovery.models import Cause, Leave, SavedView, Team
from recovery.models.named import in_language
from recovery.models.ticket import TicketQuerySet
from surveys.models import Survey

# Of places and tiers, more than a menu can show.
MOST = 200
MOST_VIEWS = 50


@dataclass(frozen=True)
class Named:
    pk: int
    name: str


@dataclass(frozen=True)
class Kept:
    """A saved view: whose it is, and the team it is shared with, 0 for nobody."""

    pk: int
    name: str
    query: str
    user: int
    team: int
    position: int


@dataclass
class Choices:
    teams: list[Named] = field(default_factory=list)
    people: list[Named] = field(default_factory=list)
    surveys: list[Named] = field(default_factory=list)
    causes: list[Named] = field(default_factory=list)
    touchpoints: list[str] = field(default_factory=list)
    tiers: list[str] = field(default_factory=list)
    views: list[Kept] = field(default_factory=list)
    covered: list[Named] = field(default_factory=list)


def choices_for(user: User, seen: TicketQuerySet, at: datetime) -> Choices:
    """For this reader, of the tickets they see."""
    parts = [*who_and_what(user), *places(seen), views_of(user), away(at)]
    return sorted_out(parts[0].union(*parts[1:], all=True), user)


NOTHING = Value("", output_field=CharField())
ITSELF = F("pk")
NOBODY = Value(0, output_field=BigIntegerField())


def line(
    rows: QuerySet[Any], kind: str, name: Any, *, pk: Any = ITSELF, text: Any = NOTHING, **numbers: Any
) -> QuerySet[Any, Any]:
    """Seven columns, alike for every kind: kind, id, name, text, user, other, position."""
    told = (numbers.get(key, NOBODY) for key in ("user", "other", "position"))
    return rows.order_by().values_list(
        Value(kind, output_field=CharField()),
        Cast(pk, BigIntegerField()),
        Cast(name, CharField()),
        Cast(text, CharField()),
        *(Cast(each, BigIntegerField()) for each in told),
    )


def full_name(person: str = "") -> Any:
    """As `name_of` says it; `person` is the way to the user, with its underscores."""
    spelt = Trim(Concat(f"{person}first_name", Value(" "), f"{person}last_name"))
    return Coalesce(NullIf(spelt, Value("")), F(f"{person}username"))


def who_and_what(user: User) -> Iterable[QuerySet[Any, Any]]:
    teams = Team.objects.all()
    people = User.objects.filter(Q(memberships__isnull=False) | Q(supervised_teams__isnull=False))
    if not access.sees_everything(access.role_of(user)):
        mine = access.teams_of(user)
        teams = teams.filter(pk__in=mine)
        people = User.objects.filter(Q(memberships__team__in=mine) | Q(supervised_teams__in=mine))
    people = User.objects.filter(pk__in=people.order_by().values("pk"))
    yield line(teams, "team", F("name"), text=F("name_zh"))
    yield line(people, "person", full_name())
    yield line(Survey.objects.all(), "survey", F("name"), text=F("name_zh"))
    yield line(Cause.objects.all(), "cause", F("name"), text=F("name_zh"), position=F("position"))


def places(seen: TicketQuerySet) -> Iterable[QuerySet[Any, Any]]:
    """The touchpoints and tiers of open work."""
    at_work = seen.in_work()
    touchpoints, tiers = at_work.exclude(touchpoint=""), at_work.exclude(customer__tier="")
    yield line(touchpoints, "touchpoint", F("touchpoint"), pk=Value(0)).distinct()[:MOST]
    yield line(tiers.exclude(customer=None), "tier", F("customer__tier"), pk=Value(0)).distinct()[:MOST]


def views_of(user: User) -> QuerySet[Any, Any]:
    """One's own, and those shared with a team one sees."""
    teams = Q(team__isnull=False)
    if not access.sees_everything(access.role_of(user)):
        teams = Q(team__in=access.teams_of(user))
    rows = SavedView.objects.filter(Q(user=user, team=None) | teams)
    facts = {"user": F("user_id"), "other": F("team_id"), "position": F("position")}
    return line(rows, "view", F("name"), text=F("query"), **facts)[:MOST_VIEWS]


def away(at: datetime) -> QuerySet[Any, Any]:
    """Who is away now, and who covers for them."""
    leaves = Leave.objects.filter(starts_at__lte=at, ends_at__gt=at)
    name = full_name("user__")
    return line(leaves, "away", name, pk=F("user_id"), other=F("cover_id"), position=F("pk"))


def sorted_out(rows: Iterable[tuple[Any, ...]], user: User) -> Choices:
    found = Choices()
    named = {
        "team": found.teams,
        "person": found.people,
        "survey": found.surveys,
        "cause": found.causes,
    }
    gone: dict[int, tuple[str, int | None]] = {}
    for kind, pk, name, text, whose, other, position in sorted(rows, key=in_order):
        if kind in named:
            named[kind].append(Named(pk, in_language(name, text)))
        elif kind == "view":
            found.views.append(Kept(pk, name, text, whose, other or 0, position))
        elif kind == "away":
            gone[pk] = (name, gone.get(pk, ("", None))[1] or other)
        else:
            (found.touchpoints if kind == "touchpoint" else found.tiers).append(name)
    found.covered = covered(gone, user)
    return found


def in_order(row: tuple[Any, ...]) -> tuple[int, str]:
    return row[6] or 0, row[2].casefold()


def covered(gone: dict[int, tuple[str, int | None]], user: User) -> list[Named]:
    """Those away whose tickets this reader minds, chains of covers followed."""
    covers = {pk: cover for pk, (_name, cover) in gone.items()}
    if user.pk in covers:
        return []
    return [Named(pk, name) for pk, (name, _cover) in gone.items() if end_of_chain(pk, covers) == user.pk]
