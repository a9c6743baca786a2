"""Who is there, who covers for whom, and who supervises."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from django.contrib.auth.models import User

from recovery.models import Leave, StaffProfile, Team


def leaves_at(at: datetime) -> dict[int, int | None]:
    """Everybody away at `at`, with who covers for them; of two leaves one with a cover counts."""
    rows = Leave.objects.filter(starts_at__lte=at, ends_at__gt=at).order_by("pk")
    found: dict[int, int | None] = {}
    for user, cover in rows.values_list("user", "cover"):
        found[user] = found.get(user) or cover
    return found


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


def first_there(people: list[User], is_there: Callable[[User], bool]) -> User | None:
    """The first who is there; where all are away, the first who works here at all."""
    there = (person for person in people if is_there(person))
    return next(there, None) or next((person for person in people if person.is_active), None)


def first_on_duty(people: list[User], at: datetime) -> User | None:
    return first_there(people, lambda person: is_available(person, at))


def supervisor_on_duty(team: Team, at: datetime) -> User:
    """The team's supervisor, or the nearest above who is there."""
    return first_on_duty(list(supervisors_from(team)), at) or team.supervisor


def cover_of(user: User, team: Team, at: datetime) -> User:
    """Who minds what this person owns in this team: they themselves while they are there, else who covers.

    Covers who are away themselves are followed to their own cover; where the chain ends, comes round to
    somebody it passed before, or leads to somebody who does not see this team's tickets, it is the team's
    supervisor.
    """
    if is_available(user, at):
        return user
    cover = end_of_chain(user.pk, leaves_at(at))
    found = User.objects.select_related("staff").filter(pk=cover).first() if cover else None
    return found if found and may_mind(found, team) else supervisor_on_duty(team, at)


def may_mind(user: User, team: Team) -> bool:
    """Whether somebody works on the tickets of this team: as its member, or supervising it."""
    if not works_on_tickets(user):
        return False
    return user in supervisors_from(team) or user.memberships.filter(team=team).exists()


def end_of_chain(user: int, away: dict[int, int | None]) -> int | None:
    """Who is there at the end of the covers of somebody away; None where that is nobody."""
    passed: set[int] = set()
    person: int | None = user
    while person is not None and person in away and person not in passed:
        passed.add(person)
        person = away[person]
    return None if person in passed or person == user else person


def covered_by(user: User, at: datetime) -> set[int]:
    """The ids of those away at `at` whose tickets this person minds by their leave, chains followed; of
    theirs those in teams whose tickets this person sees (`cover_of` asks by team)."""
    away = leaves_at(at)
    if user.pk in away or not works_on_tickets(user):
        return set()
    return {person for person in away if end_of_chain(person, away) == user.pk}
