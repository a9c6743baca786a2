"""Who is there with how much room, read once, however many tickets are looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Q

from recovery import business_hours
from recovery.assignment.people import first_there, leaves_at, supervisors_from, works_on_tickets
from recovery.assignment.room import Room, with_load
from recovery.models import Calendar, Membership, StaffProfile, Team


@dataclass
class Roster:
    """`places` are all memberships by team, whoever is away; `load` what each of them carries; `gone` gets
    nothing, and supervises nothing any more. `opens` are the calendars, read where anybody has hours of their
    own, and whether it is working time there."""

    at: datetime
    away: set[int] = field(default_factory=set)
    gone: int | None = None
    places: dict[int, list[Membership]] = field(default_factory=dict)
    teams_of: dict[int, dict[int, Membership]] = field(default_factory=dict)
    load: Counter[int] = field(default_factory=Counter)
    opens: dict[int, bool] = field(default_factory=dict)

    @classmethod
    def read(
        cls,
        teams: Iterable[int],
        at: datetime,
        account_owners: Iterable[int] = (),
        *,
        gone: int | None = None,
    ) -> Roster:
        """Of these teams, and wherever the owners of accounts work; in two queries, five where anybody has
        working hours of their own."""
        theirs = Q(team__in=list(teams)) | Q(user__in=list(account_owners))
        rows = with_load(Membership.objects.filter(theirs)).select_related("user__staff").order_by("pk")
        roster = cls(at, set(leaves_at(at)), gone)
        for row in rows:
            roster.places.setdefault(row.team_id, []).append(row)
            roster.teams_of.setdefault(row.user_id, {})[row.team_id] = row
            roster.load[row.user_id] = row.load
        own = {row.user.staff.calendar_id for row in rows if hasattr(row.user, "staff")} - {None}
        if own:
            roster.opens = opens_at(Q(pk__in=own) | Q(teams__in=list(teams)), at)
        return roster

    def is_there(self, user: User) -> bool:
        return works_on_tickets(user) and user.pk not in self.away and user.pk != self.gone

    def takers(self, team: Team) -> list[Membership]:
        """The members who are there and take new tickets, whatever they carry."""
        places = self.places.get(team.pk, [])
        return [place for place in places if place.takes_new and self.is_there(place.user)]

    def with_room(self, team: Team) -> list[Membership]:
        return [place for place in self.takers(team) if self.load[place.user_id] < place.capacity]

    def at_work(self, places: list[Membership], team: Team) -> list[Membership]:
        """Those whose own working hours, or the team's, run now."""
        hours = ((place, place.user.staff.calendar_id or team.calendar_id) for place in places)
        return [place for place, calendar in hours if self.opens.get(calendar, True)]

    def could_ever_take(self, team: Team) -> bool:
        """Whether waiting for room in this team makes sense: somebody works in it."""
        places = self.places.get(team.pk, [])
        return any(works_on_tickets(place.user) and place.user_id != self.gone for place in places)

    def room_by_rule(self, user: User, team: Team) -> Room:
        """What the owner of an account may carry: as in this team, or else in the largest of their own.

        Who is in charge and works in no team has no limit; who takes no new tickets has no room.
        """
        own = self.teams_of.get(user.pk, {})
        load = self.load[user.pk]
        if not own:
            in_charge = user.staff.role in (StaffProfile.SUPERVISOR, StaffProfile.ADMINISTRATOR)
            return Room(load, None if in_charge else 0)
        places = [own[team.pk]] if team.pk in own else list(own.values())
        return Room(load, max((place.capacity for place in places if place.takes_new), default=0))

    def supervisor_of(self, team: Team) -> User:
        """The team's supervisor, or the nearest above who is there."""
        above = [person for person in supervisors_from(team) if person.pk != self.gone]
        return first_there(above, self.is_there) or team.supervisor

    def give(self, place: Membership) -> None:
        """As if this member had been given one more."""
        self.load[place.user_id] += 1
        place.turn = 1 + max(each.turn for each in self.places[place.team_id])


def opens_at(which: Q, at: datetime) -> dict[int, bool]:
    """Whether it is working time under each of these calendars; one still without hours closes nobody out."""
    calendars = Calendar.objects.filter(which).distinct().prefetch_related("hours", "days")
    return {calendar.pk: is_open(calendar, at) for calendar in calendars}


def is_open(calendar: Calendar, at: datetime) -> bool:
    try:
        return business_hours.is_open(calendar.as_working_calendar(), at)
    except (business_hours.CalendarError, business_hours.WorkingTimeError):
        return True
