"""Who should own a ticket, and why. A team chooses one owner at a time: nobody gets more than they carry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Max

from recovery.models import Leave, Membership, StaffProfile, Team, Ticket
from surveys.models import Customer

ACCOUNT_OWNER, LEAST_LOADED, SUPERVISOR = "account_owner", "least_loaded", "supervisor"


@dataclass(frozen=True)
class Choice:
    owner: User
    reason: dict[str, object]


def is_away(user: User, at: datetime) -> bool:
    return Leave.objects.filter(user=user, starts_at__lte=at, ends_at__gt=at).exists()


def works_on_tickets(user: User) -> bool:
    """Analysts read; who has no profile does not work here."""
    return user.is_active and hasattr(user, "staff") and user.staff.role != StaffProfile.ANALYST


def is_available(user: User, at: datetime) -> bool:
    return works_on_tickets(user) and not is_away(user, at)


def supervisors_from(team: Team) -> Iterator[User]:
    """Whoever supervises the team, then the team above it, and so on."""
    above: Team | None = team
    while above is not None:
        yield above.supervisor
        above = above.parent


def first_on_duty(people: list[User], at: datetime) -> User | None:
    """The first who is there; where all are away, the first who works here at all."""
    there = (person for person in people if is_available(person, at))
    return next(there, None) or next((person for person in people if person.is_active), None)


def supervisor_on_duty(team: Team, at: datetime) -> User:
    """The team's supervisor, or the nearest above who is there."""
    return first_on_duty(list(supervisors_from(team)), at) or team.supervisor


def open_tickets_by_owner(user_ids: list[int]) -> Counter[int]:
    return Counter(Ticket.objects.in_work().filter(owner__in=user_ids).values_list("owner", flat=True))


def available_members(team: Team, at: datetime) -> list[Membership]:
    away = Leave.objects.filter(starts_at__lte=at, ends_at__gt=at).values("user")
    return list(
        Membership.objects.filter(team=team, takes_new=True, user__is_active=True, user__staff__isnull=False)
        .exclude(user__in=away)
        .exclude(user__staff__role=StaffProfile.ANALYST)
        .select_related("user")
    )


def choose_owner(team: Team, customer: Customer | None, at: datetime) -> Choice:
    """The account owner if available, else the least loaded available member, else who supervises the team.

    Holds a lock on the team until the transaction ends.
    """
    Team.objects.select_for_update(of=("self",)).get(pk=team.pk)
    account = customer.account if customer else None
    if account and account.owner and is_available(account.owner, at):
        return Choice(account.owner, {"code": ACCOUNT_OWNER, "account": account.name})
    least = least_loaded(available_members(team, at))
    if least is not None:
        member, load = least
        return Choice(member.user, {"code": LEAST_LOADED, "load": load, "capacity": member.capacity})
    return Choice(supervisor_on_duty(team, at), {"code": SUPERVISOR, "why": "nobody_available"})


def least_loaded(members: list[Membership]) -> tuple[Membership, int] | None:
    """The member with the fewest open tickets who has room; of equals, who was given one longest ago."""
    ids = [member.user_id for member in members]
    load = open_tickets_by_owner(ids)
    last = dict(
        Ticket.objects.filter(owner__in=ids)
        .values_list("owner")
        .annotate(Max("id"))
        .values_list("owner", "id__max")
    )
    with_room = [member for member in members if load[member.user_id] < member.capacity]
    if not with_room:
        return None
    least = min(with_room, key=lambda member: (load[member.user_id], last.get(member.user_id, 0), member.pk))
    return least, load[least.user_id]
