"""For supervisors: everything a colleague has goes on to others when they leave, seen before it is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from dispatch.clock import now
from recovery import access
from recovery.lifecycle import Refused, hand_over
from recovery.lifecycle.hand_over import Moved
from recovery.models import Callback, StaffProfile, Team, Ticket
from recovery.views import door
from recovery.views.colleagues import with_leave
from recovery.views.filters import number as number_of
from recovery.views.words import because_words

RULES = "rules"


@dataclass(frozen=True)
class Row:
    moved: Moved
    because: str


@dataclass(frozen=True)
class Has:
    """What somebody would leave behind."""

    tickets: int
    calls: int
    accounts: int
    places: int
    teams: int

    @property
    def is_nothing(self) -> bool:
        return not any((self.tickets, self.calls, self.accounts, self.places, self.teams))


def people_for(user: User) -> QuerySet[User]:
    """Whose work this person may hand over: whoever works in their teams and in no others, but for
    administrators. Also people who left already, while they own anything open there."""
    staff = User.objects.filter(staff__isnull=False).order_by("first_name", "username")
    if access.role_of(user) == door.ADMINISTRATOR:
        return staff
    teams = access.supervised_by(user)
    open_there = Ticket.objects.in_work().filter(team__in=teams).values("owner")
    theirs = staff.filter(Q(memberships__team__in=teams) | Q(pk__in=open_there))
    elsewhere = Team.objects.exclude(pk__in=teams)
    return (
        staff.filter(pk__in=theirs.order_by().values("pk"), is_superuser=False)
        .exclude(staff__role=StaffProfile.ADMINISTRATOR)
        .exclude(memberships__team__in=elsewhere.values("pk"))
        .exclude(supervised_teams__in=elsewhere.values("pk"))
        .exclude(pk__in=Ticket.objects.in_work().exclude(team__in=teams).values("owner"))
    )


def reach_of(user: User) -> set[int] | None:
    """The teams with which an account must have to do for this person to hand it over; None: any."""
    return None if access.role_of(user) == door.ADMINISTRATOR else access.supervised_by(user)


def successors(user: User, person: User) -> QuerySet[User]:
    able = User.objects.filter(is_active=True, staff__isnull=False).exclude(staff__role=StaffProfile.ANALYST)
    if access.role_of(user) != door.ADMINISTRATOR:
        teams = access.supervised_by(user)
        able = able.filter(pk__in=access.colleagues_of(teams).order_by().values("pk"))
    return able.exclude(pk=person.pk).order_by("first_name", "username")


@door.staff_page(door.SUPERVISOR, door.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def hand_over_page(request: HttpRequest) -> HttpResponse:
    """Whom, to whom, what would become of each; and done once it is confirmed."""
    user, at = door.staff(request), now()
    people = with_leave(people_for(user), at)
    given = request.POST if request.method == "POST" else request.GET
    context: dict[str, Any] = {"people": people, "now": at}
    if not given.get("user"):
        return render(request, "recovery/hand_over.html", context)
    person = people.filter(pk=number_of(given["user"])).first()
    if person is None:
        context["refused"] = _("You have nothing of theirs to hand over, or they work in other teams too.")
        return render(request, "recovery/hand_over.html", context, status=403)
    able = list(with_leave(successors(user, person), at))
    wanted = given.get("to", "")
    to = next((each for each in able if str(each.pk) == wanted), None)
    chosen = to is not None or wanted == RULES
    context |= {"person": person, "able": able, "to": to, "wanted": wanted, "chosen": chosen}
    try:
        if request.method == "POST" and chosen:
            done = hand_over.everything(person, by=user, at=at, to=to, teams=reach_of(user))
            context |= {"done": done, "rows": rows_of(done.tickets), "has": what_has(person, reach_of(user))}
            return render(request, "recovery/hand_over.html", context, status=200)
        context["rows"] = rows_of(hand_over.preview(person, at=at, to=to)) if chosen else []
    except Refused as refused:
        context["refused"] = str(refused)
    context["has"] = what_has(person, reach_of(user))
    return render(request, "recovery/hand_over.html", context, status=409 if "refused" in context else 200)


def rows_of(moved: list[Moved]) -> list[Row]:
    """What stays first: that is what somebody must still decide."""
    rows = [Row(each, because_words(each.because) if each.because else each.refused) for each in moved]
    return sorted(rows, key=lambda row: row.moved.to is not None)


def what_has(person: User, teams: set[int] | None) -> Has:
    tickets = hand_over.tickets_of(person)
    return Has(
        tickets=tickets.count(),
        calls=Callback.objects.filter(ticket__in=tickets.order_by(), state=Callback.BOOKED).count(),
        accounts=hand_over.accounts_of(person, teams).count(),
        places=person.memberships.count(),
        teams=person.supervised_teams.count(),
    )
