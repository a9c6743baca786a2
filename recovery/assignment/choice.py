"""Who gets a ticket: the account's owner, or a member as the team gives out, or who supervises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.contrib.auth.models import User
from django.db.models import Max

from recovery.assignment.room import hold_team
from recovery.assignment.roster import Roster
from recovery.models import Membership, Team
from surveys.models import Customer

ACCOUNT_OWNER, LEAST_LOADED, ROUND_ROBIN, SUPERVISOR = (
    "account_owner",
    "least_loaded",
    "round_robin",
    "supervisor",
)
# Why it is the supervisor's: as codes of their own, so that each can be said in a sentence.
NO_ROOM, NOBODY_THERE = "supervisor_no_room", "supervisor"

Picked = tuple[Membership, str]


@dataclass(frozen=True)
class Choice:
    """Who it is and why. `awaits_room`: only until somebody has room; `place`: as which member."""

    owner: User
    reason: dict[str, object]
    awaits_room: bool = False
    place: Membership | None = None


def choose_owner(
    team: Team, customer: Customer | None, at: datetime, *, skill: str = "", gone: int | None = None
) -> Choice:
    """Who gets it, other than `gone`. Nobody else gives out in this team, or to its members, until the
    transaction ends."""
    owners = hold_choice(team, customer)
    account_owner_first = team.account_owner_first
    # Read again once it is held: what was given out meanwhile, and how.
    team = Team.objects.select_related("supervisor__staff", "calendar").get(pk=team.pk)
    team.account_owner_first = account_owner_first  # as it was when those were held whom it may give to
    choice = propose(Roster.read([team.pk], at, owners, gone=gone), team, customer, skill=skill)
    if choice.place is not None:
        last = Membership.objects.filter(team=team).aggregate(last=Max("turn"))["last"] or 0
        Membership.objects.filter(pk=choice.place.pk).update(turn=last + 1)
    return choice


def hold_choice(team: Team, customer: Customer | None, *others: int) -> list[int]:
    """Hold everybody who may be chosen, and these others; the owner of the account, where they come first.

    All in one call: who holds some teams and then wants one with a lower id may wait in a circle.
    """
    account_owner = owner_of_account(customer) if team.account_owner_first else None
    owners = [account_owner.pk] if account_owner else []
    hold_team(team, *owners, *others)
    return owners


def propose(roster: Roster, team: Team, customer: Customer | None, *, skill: str = "") -> Choice:
    """Who would get it as the roster stands; nothing is held or written."""
    account_owner = owner_of_account(customer) if team.account_owner_first else None
    if account_owner and customer and customer.account and roster.is_there(account_owner):
        room = roster.room_by_rule(account_owner, team)
        if room.is_left:
            return Choice(account_owner, {"code": ACCOUNT_OWNER, "account": customer.account.name})
    with_room = roster.with_room(team)
    if not with_room:
        return supervised(roster, team)
    language = customer.locale if customer else ""
    # Who works at other hours comes after those who work now, and is not passed over where nobody does.
    at_work = roster.at_work(with_room, team) or with_room
    place, reason = STRATEGIES[team.strategy](roster, at_work, skill, language)
    reason |= {"load": roster.load[place.user_id], "capacity": place.capacity}
    if len(at_work) < len(with_room):
        reason["at_work"] = True
    return Choice(place.user, reason, place=place)


def owner_of_account(customer: Customer | None) -> User | None:
    account = customer.account if customer else None
    return account.owner if account else None


def supervised(roster: Roster, team: Team) -> Choice:
    """Nobody has room: the supervisor owns it until somebody has, if anybody works in the team at all."""
    code = NO_ROOM if roster.takers(team) else NOBODY_THERE
    return Choice(roster.supervisor_of(team), {"code": code}, awaits_room=roster.could_ever_take(team))


def least_loaded(roster: Roster, places: list[Membership]) -> Membership:
    """Who carries least; of equals, who was given one longest ago."""
    return min(places, key=lambda place: (roster.load[place.user_id], place.turn, place.pk))


Strategy = Callable[[Roster, list[Membership], str, str], tuple[Membership, dict[str, object]]]


def by_load(
    roster: Roster, places: list[Membership], skill: str, language: str
) -> tuple[Membership, dict[str, object]]:
    return least_loaded(roster, places), {"code": LEAST_LOADED}


def in_turn(
    roster: Roster, places: list[Membership], skill: str, language: str
) -> tuple[Membership, dict[str, object]]:
    return min(places, key=lambda place: (place.turn, place.pk)), {"code": ROUND_ROBIN}


def by_skill(
    roster: Roster, places: list[Membership], skill: str, language: str
) -> tuple[Membership, dict[str, object]]:
    """Who has the skill and the language; else the skill, else the language, else who carries least.

    Of those, who carries least. The reason says what nobody with room had.
    """
    skilled = [place for place in places if skill and has_skill(place, skill)]
    speaking = [place for place in places if language and speaks(place, language)]
    both = [place for place in skilled if place in speaking]
    wanted = [name for name, value in (("skill", skill), ("language", language)) if value]
    facts: dict[str, object] = {"skill": skill, "language": language}
    for fitting, had in ((both, ["skill", "language"]), (skilled, ["skill"]), (speaking, ["language"])):
        if fitting:
            return least_loaded(roster, fitting), {"code": code_of(wanted, had), **facts}
    return least_loaded(roster, places), {"code": code_of(wanted, []), **facts}


def code_of(wanted: list[str], had: list[str]) -> str:
    """What was wanted and what the chosen one has: `skill_and_language`, `skill_no_language`, `no_skill` …"""
    if not wanted:
        return LEAST_LOADED
    lacking = [name for name in wanted if name not in had]
    if not lacking:
        return "_and_".join(wanted)
    return "_".join([*had, "no", "_or_".join(lacking)])


def has_skill(place: Membership, skill: str) -> bool:
    wanted = skill.strip().casefold()
    return any(each.strip().casefold() == wanted for each in place.user.staff.skills)


def speaks(place: Membership, language: str) -> bool:
    return language in (place.user.staff.locale, *place.user.staff.languages)


STRATEGIES: Final[dict[str, Strategy]] = {
    Team.LOAD: by_load,
    Team.ROUND_ROBIN: in_turn,
    Team.SKILL: by_skill,
}
