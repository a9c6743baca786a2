"""When a colleague leaves: their tickets with the calls they promised, accounts, places and teams go on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from recovery.assignment import Choice, Roster, choose_owner, propose, supervisors_from, works_on_tickets
from recovery.assignment.room import capacity_of, open_tickets_by_owner
from recovery.lifecycle.act import acting, name_of
from recovery.lifecycle.ownership import assign, full, refuse_who_cannot, tell_assigned
from recovery.lifecycle.table import Refused
from recovery.models import Membership, StaffProfile, Team, Ticket
from recovery.models.ticket import TicketQuerySet
from surveys.models import Account

# One run moves this many; what is left is moved by the next.
MOST = 500


@dataclass(frozen=True)
class Moved:
    """What became of one ticket, or would: who has it now and because of what, or why it stayed."""

    ticket: Ticket
    to: User | None = None
    because: dict[str, object] = field(default_factory=dict)
    refused: str = ""


@dataclass(frozen=True)
class HandedOver:
    """`accounts` went to whoever took over, or have no owner now; `unsupervised` nobody else could take."""

    tickets: list[Moved]
    accounts: list[Account]
    places: int
    teams: list[Team]
    unsupervised: list[Team]

    @property
    def moved(self) -> list[Moved]:
        return [each for each in self.tickets if each.to is not None]

    @property
    def left_behind(self) -> list[Moved]:
        return [each for each in self.tickets if each.to is None]


def tickets_of(user: User) -> TicketQuerySet:
    """What somebody has in work, the oldest first."""
    rows = Ticket.objects.in_work().filter(owner=user)
    related = ("customer__account__owner__staff", "owner", "team__supervisor__staff", "team__calendar")
    return rows.select_related(*related).order_by("opened_at", "pk")


def refuse_successor(user: User, to: User | None, at: datetime) -> None:
    if to is None:
        return
    if to == user:
        raise Refused("successor_same", _("Choose somebody else to take over."), field="to")
    try:
        refuse_who_cannot(to, at)
    except Refused as refused:
        raise Refused(refused.code, refused.reason, field="to") from None


def everything(
    user: User, *, by: User | None, at: datetime, to: User | None = None, teams: set[int] | None = None
) -> HandedOver:
    """Hand over all of it to one person, or by the rules; a ticket nobody may be given stays, with why.
    Of the accounts those whose customers have tickets in these `teams`; None: all of them.

    First they get nothing new any more, then each ticket moves in a transaction of its own: where this ends
    half-way, what is left is still theirs, and it may be run again. Raises Refused.
    """
    refuse_successor(user, to, at)
    accounts, places = give_up_accounts(user, to, teams), leave_teams(user)
    led, unsupervised = hand_teams_on(user, to)
    moved = [move(ticket, user, by, at, to) for ticket in tickets_of(user)[:MOST]]
    return HandedOver(moved, accounts, places, led, unsupervised)


def move(ticket: Ticket, user: User, by: User | None, at: datetime, to: User | None) -> Moved:
    because: dict[str, object] = {"code": "handed_over", "before": name_of(user), "by": name_of(by)}
    try:
        if to is not None:
            waits = to in supervisors_from(ticket.team)
            assign(ticket, by=by, at=at, to=to, because=because, still_waits=waits)
            return Moved(ticket, to, because)
        choice = move_by_rules(ticket, user, by, at)
    except Refused as refused:
        return Moved(ticket, refused=str(refused))
    return Moved(ticket, choice.owner, choice.reason)


def move_by_rules(ticket: Ticket, user: User, by: User | None, at: datetime) -> Choice:
    with acting(ticket, "assign", by=by, at=at) as change:
        team = change.ticket.team
        choice = choose_owner(team, change.ticket.customer, at, skill=change.ticket.skill, gone=user.pk)
        if choice.owner == user:
            raise nobody_else(team)
        change.set(owner=choice.owner, awaits_room=choice.awaits_room, assigned_because=choice.reason)
        tell_assigned(change, user, team, because=choice.reason)
    return choice


def nobody_else(team: Team) -> Refused:
    words = _("Nobody else works in or above %(team)s: choose one person.")
    return Refused("nobody_else", words % {"team": team})


def accounts_of(user: User, teams: set[int] | None) -> QuerySet[Account]:
    """Theirs, where customers have tickets in these teams; None: all of theirs."""
    accounts = Account.objects.filter(owner=user)
    if teams is None:
        return accounts
    return accounts.filter(pk__in=Ticket.objects.filter(team__in=teams).values("customer__account"))


@transaction.atomic
def give_up_accounts(user: User, to: User | None, teams: set[int] | None) -> list[Account]:
    accounts = list(accounts_of(user, teams).select_for_update(of=("self",)))
    Account.objects.filter(pk__in=[each.pk for each in accounts]).update(owner=to)
    return accounts


def leave_teams(user: User) -> int:
    return Membership.objects.filter(user=user).delete()[0]


def hand_teams_on(user: User, to: User | None) -> tuple[list[Team], list[Team]]:
    """The teams they supervised go to whoever takes over and may supervise, else to who is above; those that
    nobody could take are the second list."""
    handed, left = [], []
    for team in Team.objects.filter(supervisor=user):
        heir = successor_of(team, user, to)
        if heir is None:
            left.append(team)
            continue
        Team.objects.filter(pk=team.pk, supervisor=user).update(supervisor=heir)
        team.supervisor = heir
        handed.append(team)
    return handed, left


def successor_of(team: Team, user: User, to: User | None) -> User | None:
    in_charge = (StaffProfile.SUPERVISOR, StaffProfile.ADMINISTRATOR)
    if to is not None and to.staff.role in in_charge:
        return to
    above = (person for person in supervisors_from(team) if person != user and works_on_tickets(person))
    return next(above, None)


def preview(user: User, *, at: datetime, to: User | None = None) -> list[Moved]:
    """What would become of each ticket, one after the other, with nothing written. Raises Refused."""
    refuse_successor(user, to, at)
    tickets = list(tickets_of(user)[:MOST])
    return given_to(to, user, tickets) if to is not None else by_rules(tickets, user, at)


def given_to(to: User, user: User, tickets: list[Ticket]) -> list[Moved]:
    load, capacities = open_tickets_by_owner([to.pk])[to.pk], dict[int, int | None]()
    moved = []
    for ticket in tickets:
        if ticket.team_id not in capacities:
            capacities[ticket.team_id] = capacity_of(to, ticket.team)
        capacity = capacities[ticket.team_id]
        if capacity is not None and load >= capacity:
            moved.append(Moved(ticket, refused=str(full(to, load, capacity))))
            continue
        load += 1
        moved.append(Moved(ticket, to))
    return moved


def by_rules(tickets: list[Ticket], user: User, at: datetime) -> list[Moved]:
    accounts = (each.customer.account for each in tickets if each.customer)
    owners = {each.owner_id for each in accounts if each and each.owner_id}
    roster = Roster.read({each.team_id for each in tickets}, at, owners, gone=user.pk)
    moved, teams = [], dict[int, Team]()
    for ticket in tickets:
        ticket.team = teams.setdefault(ticket.team_id, ticket.team)  # who is above it is looked up once
        choice = propose(roster, ticket.team, ticket.customer, skill=ticket.skill)
        if choice.place is not None:
            roster.give(choice.place)
        elif choice.reason.get("code") == "account_owner":
            roster.load[choice.owner.pk] += 1
        there = choice.owner != user
        moved.append(
            Moved(ticket, choice.owner, choice.reason)
            if there
            else Moved(ticket, refused=str(nobody_else(ticket.team)))
        )
    return moved
