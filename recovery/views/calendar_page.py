"""The calls of one day, by owner, with the hours down the side: shared by everybody who sees the tickets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from recovery import access
from recovery.lifecycle.act import name_of
from recovery.lifecycle.calling_hours import near
from recovery.models import Callback, Membership, Team
from recovery.models.ticket import IN_WORK
from recovery.templatetags.moments import city, clock, same_clock
from recovery.views import door

DAY = timedelta(days=1)
# Hours that are shown even where nothing is booked in them.
WORKING_DAY = range(9, 18)
# More than one page of calls on a single day is no agenda any more; who has them is told how many are cut.
MOST = 300


@dataclass(frozen=True, slots=True)
class Call:
    """`there` is the customer's clock where it differs; `clashes` where the owner has another call then."""

    callback: Callback
    here: str
    there: str
    clashes: bool
    is_due: bool


@dataclass(slots=True)
class Hour:
    """One line of the day; a cell for each owner."""

    name: str
    cells: list[list[Call]] = field(default_factory=list)
    is_now: bool = False


def show_day(request: HttpRequest, at: datetime) -> HttpResponse:
    """`day` is a local date of the reader's; what is none means today. `team` narrows it to one team."""
    today = timezone.localtime(at).date()
    day = asked_day(request, today)
    teams = list(access.visible_teams(door.staff(request)).order_by("name"))
    team = next((each for each in teams if str(each.pk) == door.asked(request, "team")), None)
    calls = calls_of(request, day, team)
    owners, clashes = owners_of(calls), clashing(calls)
    agenda = [call_of(call, at, call.pk in clashes) for call in calls[:MOST]]
    context: dict[str, Any] = {
        "day": day,
        "is_today": day == today,
        "before": day - DAY,
        "after": day + DAY,
        "today": today,
        "teams": teams,
        "team": team,
        "owners": owners,
        "agenda": agenda,
        "hours": hours_of(agenda, owners, at, day),
        "number": len(agenda),
        "cut": len(calls) > MOST,
        "clashes": len(clashes),
        "free": free_on(team, owners) if team else [],
        "zone": city(timezone.get_current_timezone()),
        "reads_only": not door.may_act(door.staff(request)),
        "now": at,
    }
    return render(request, "recovery/callbacks_day.html", context)


def asked_day(request: HttpRequest, today: date) -> date:
    try:
        day = date.fromisoformat(door.asked(request, "day"))
    except ValueError:
        return today
    return day if 2000 <= day.year < 2200 else today


def bounds(day: date) -> tuple[datetime, datetime]:
    """The reader's midnights around this day."""
    zone = timezone.get_current_timezone()
    first, last = (datetime.combine(each, time(), zone) for each in (day, day + DAY))
    return first, last


def calls_of(request: HttpRequest, day: date, team: Team | None) -> list[Callback]:
    start, end = bounds(day)
    seen = door.seen_by(request).filter(status__in=IN_WORK)
    booked = Callback.objects.filter(
        state=Callback.BOOKED,
        ticket__in=seen.filter(team=team) if team else seen,
        due_at__gte=start,
        due_at__lt=end,
    )
    related = ("ticket__customer", "ticket__owner", "ticket__team", "ticket__response")
    return list(
        booked.select_related(*related)
        .prefetch_related("ticket__customer__identities")
        .order_by("due_at", "pk")[: MOST + 1]
    )


def owners_of(calls: Iterable[Callback]) -> list[User]:
    found = {call.ticket.owner_id: call.ticket.owner for call in calls}
    return sorted(found.values(), key=lambda owner: (name_of(owner), owner.pk))


def clashing(calls: list[Callback]) -> set[int]:
    """Those promised for the same quarter of an hour as another call of their owner; `calls` are in order."""
    found: set[int] = set()
    last: dict[int, Callback] = {}
    for call in calls:
        earlier = last.get(call.ticket.owner_id)
        if earlier is not None and near(earlier.due_at, call.due_at):
            found |= {earlier.pk, call.pk}
        last[call.ticket.owner_id] = call
    return found


def hours_of(agenda: list[Call], owners: list[User], at: datetime, day: date) -> list[Hour]:
    """From the first hour worth showing to the last, by the reader's clock."""
    if not agenda:
        return []
    cells: dict[tuple[int, int], list[Call]] = {}
    for call in agenda:
        hour = timezone.localtime(call.callback.due_at).hour
        cells.setdefault((hour, call.callback.ticket.owner_id), []).append(call)
    booked = [hour for hour, _owner in cells]
    local = timezone.localtime(at)
    return [
        Hour(
            f"{hour:02}:00",
            [cells.get((hour, owner.pk), []) for owner in owners],
            local.date() == day and local.hour == hour,
        )
        for hour in range(min(*booked, WORKING_DAY[0]), max(*booked, WORKING_DAY[-1]) + 1)
    ]


def call_of(callback: Callback, at: datetime, clashes: bool) -> Call:
    zone = ZoneInfo(callback.time_zone)
    there = (
        "" if same_clock(callback.due_at, zone) else f"{callback.due_at.astimezone(zone):%H:%M} {city(zone)}"
    )
    return Call(callback, clock(callback.due_at), there, clashes, callback.due_at <= at)


def free_on(team: Team, busy: list[User]) -> list[str]:
    """Who of the team has no call promised that day."""
    members = Membership.objects.filter(team=team, user__is_active=True).exclude(user__in=busy)
    return [name_of(each.user) for each in members.select_related("user").order_by("user__first_name")]
