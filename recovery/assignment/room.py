"""How much somebody carries, how much they can, and that nobody else gives them anything meanwhile.

Room is that of the membership in the ticket's team; what somebody carries is every ticket of theirs in work,
in whichever team. What only waits with a supervisor until somebody has room is carried by nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from recovery.assignment.people import supervisors_from
from recovery.models import Leave, Membership, StaffProfile, Team, Ticket
from recovery.models.ticket import TicketQuerySet


@dataclass(frozen=True)
class Room:
    """`capacity` is None for who supervises: what nobody else can take, they must."""

    load: int
    capacity: int | None

    @property
    def is_left(self) -> bool:
        return self.capacity is None or self.load < self.capacity


def carried() -> TicketQuerySet:
    return Ticket.objects.in_work().filter(awaits_room=False)


def open_tickets_by_owner(user_ids: Iterable[int]) -> Counter[int]:
    """How many tickets each of them carries."""
    counts = carried().filter(owner__in=list(user_ids)).order_by().values_list("owner").annotate(Count("pk"))
    return Counter(dict(counts))


def hold_rooms(user_ids: Iterable[int], *teams: int) -> None:
    """Nobody else gives these people anything until the transaction ends.

    Held are all teams they work in, in the order of their ids: whoever gives somebody a ticket holds all of
    that person's teams, so two who give to the same person never do it at once. Held after the ticket.
    """
    theirs = Membership.objects.filter(user__in=list(user_ids)).values_list("team", flat=True)
    wanted = {*theirs, *teams}
    list(
        Team.objects.select_for_update(no_key=True)
        .filter(pk__in=wanted)
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def hold_team(team: Team, *others: int) -> None:
    """Nobody else gives out in this team, or to its members or these others, until the transaction ends."""
    members = Membership.objects.filter(team=team).values_list("user", flat=True)
    hold_rooms([*members, *others], team.pk)


def capacity_of(user: User, team: Team) -> int | None:
    """What somebody may carry when given a ticket of this team by hand; None: as much as must be.

    Who works in other teams only may carry what the largest of them allows. Supervisors of this team or
    above have no limit in it, nor has anybody in charge who belongs to no team; any other has no room.
    """
    if user in supervisors_from(team):
        return None
    own = dict(user.memberships.values_list("team", "capacity"))
    if own:
        return own.get(team.pk, max(own.values()))
    in_charge = user.staff.role in (StaffProfile.SUPERVISOR, StaffProfile.ADMINISTRATOR)
    return None if in_charge else 0


def room_of(user: User, team: Team, *, besides: int = 0) -> Room:
    """The room somebody has for a ticket of this team; the ticket `besides` is not counted."""
    load = carried().filter(owner=user).exclude(pk=besides).count()
    return Room(load, capacity_of(user, team))


def has_room(user: User, team: Team) -> bool:
    return room_of(user, team).is_left


def keeps_room(user: User, team: Team, besides: int) -> bool:
    """Whether somebody has room for a ticket they owned before; held until the transaction ends."""
    hold_rooms([user.pk])
    return room_of(user, team, besides=besides).is_left


def with_load(places: QuerySet[Membership]) -> QuerySet[Any]:
    """With what each of these members carries, as `load`."""
    loads = carried().order_by().filter(owner=OuterRef("user")).values("owner").annotate(number=Count("pk"))
    return places.annotate(load=Coalesce(Subquery(loads.values("number"), output_field=IntegerField()), 0))


def teams_with_room(at: datetime, teams: QuerySet[Ticket, Any]) -> QuerySet[Any, Any]:
    """Of these teams, those in which somebody is there, takes new tickets and has room; as a subquery."""
    return with_load(takers(at).filter(team__in=teams)).filter(load__lt=F("capacity")).values("team")


def takers(at: datetime) -> QuerySet[Membership]:
    """The members who are there at `at` and take new tickets, whatever they carry."""
    away = Leave.objects.filter(starts_at__lte=at, ends_at__gt=at).values("user")
    works = Q(takes_new=True, user__is_active=True, user__staff__isnull=False)
    return (
        Membership.objects.filter(works)
        .exclude(user__in=away)
        .exclude(user__staff__role=StaffProfile.ANALYST)
    )
