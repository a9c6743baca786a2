"""The only way a door gets a ticket: what this person may see, and what they may do with it."""

from __future__ import annotations

from collections.abc import Callable, Collection

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet, Value
from django.db.models.functions import Concat
from django.utils.translation import gettext_lazy as _

from recovery.lifecycle import Refused
from recovery.lifecycle.concern import ABOUT_A_TICKET
from recovery.models import Deadline, Initiative, Membership, Reply, StaffProfile, Team, Ticket
from recovery.models.staff import role_of as role_of  # the doors ask here who somebody is
from recovery.models.ticket import TicketQuerySet
from surveys.access import EVERYTHING, Sight
from surveys.models import Customer

SUPERVISORS_ONLY = frozenset({"extend", "nudge", "policy"})


class NotPermitted(Refused):
    """This person may see the ticket, and may not do this."""


def sees_everything(role: str) -> bool:
    return role in (StaffProfile.ADMINISTRATOR, StaffProfile.ANALYST)


def teams_of(user: User) -> set[int]:
    """The teams whose tickets this person sees: their own, and those they supervise with all below."""
    return once(user, "seen", lambda: find_teams(user))


def find_teams(user: User) -> set[int]:
    if sees_everything(role_of(user)):
        return set(Team.objects.values_list("pk", flat=True))
    if role_of(user) != StaffProfile.SUPERVISOR:
        return set(user.memberships.values_list("team_id", flat=True))
    member, led = places_of(user)
    once(user, "supervised", lambda: led)
    return member | led


def places_of(user: User) -> tuple[set[int], set[int]]:
    """The teams somebody works in, and those they supervise with all below; in one query."""
    works = Exists(Membership.objects.filter(team=OuterRef("pk"), user=user))
    rows = list(Team.objects.annotate(works=works).values_list("pk", "parent_id", "supervisor_id", "works"))
    led = {pk for pk, _parent, supervisor, _works in rows if supervisor == user.pk}
    parents = [(pk, parent) for pk, parent, _supervisor, _works in rows]
    return {pk for pk, _parent, _supervisor, works in rows if works}, Team.ids_below(led, parents)


def supervised_by(user: User) -> set[int]:
    return once(user, "supervised", lambda: find_supervised(user))


def compares_people_of(user: User) -> Collection[int] | None:
    """The teams of whose tickets numbers are told to them person by person; None for all there are.

    Working in a team beside the others is no reason to see how fast each of them is.
    """
    return None if sees_everything(role_of(user)) else frozenset(supervised_by(user))


def find_supervised(user: User) -> set[int]:
    role = role_of(user)
    if role == StaffProfile.ADMINISTRATOR:
        return set(Team.objects.values_list("pk", flat=True))
    if role != StaffProfile.SUPERVISOR:
        return set()
    member, led = places_of(user)
    once(user, "seen", lambda: member | led)
    return led


def once(user: User, what: str, find: Callable[[], set[int]]) -> set[int]:
    """Found once for the user in hand, as their role is: a request sees its teams as they were at first."""
    known: dict[str, set[int]] = user.__dict__.setdefault("_teams", {})
    if what not in known:
        known[what] = find()
    return known[what]


def visible_to(user: User | AnonymousUser, teams: set[int] | None = None) -> TicketQuerySet:
    """Every ticket this person may see, and no other; `teams` are their `teams_of` where they are known."""
    role = role_of(user)
    if not role or isinstance(user, AnonymousUser):
        return Ticket.objects.none()
    if sees_everything(role):
        return Ticket.objects.all()
    return Ticket.objects.filter(Q(owner=user) | Q(team__in=teams_of(user) if teams is None else teams))


def visible_teams(user: User) -> QuerySet[Team]:
    return Team.objects.filter(pk__in=teams_of(user))


def visible_initiatives(teams: Collection[int]) -> QuerySet[Initiative]:
    """Those that concern everybody, and those of these teams (somebody's `teams_of`); the latest first."""
    rows = Initiative.objects.filter(Q(team=None) | Q(team__in=teams))
    return rows.select_related("cause", "survey", "team")


def visible_customers(user: User | AnonymousUser) -> QuerySet[Customer]:
    """The people behind the tickets this person may see; everybody for those who see everything."""
    if isinstance(user, User) and sees_everything(role_of(user)):
        return Customer.objects.all()
    return Customer.objects.filter(pk__in=visible_to(user).values("customer"))


def sight_of(user: User) -> Sight:
    """The answers and messages this person may read: those of their tickets and of the people behind them.

    An answer that belongs to a ticket is seen by who sees the ticket; a notice by whom it was written to, and
    by their supervisor.
    """
    if sees_everything(role_of(user)):
        return EVERYTHING
    people = visible_customers(user).values("pk")
    told = colleagues_of(supervised_by(user)).order_by().values("pk")
    return Sight(
        responses=Q(ticket_link__ticket__in=visible_to(user).values("pk"))
        | Q(ticket_link=None, customer__in=people),
        messages=Q(user=user)
        | Q(user__in=told)
        | Q(user=None, customer__in=people)
        | Q(inside=True, about__in=visible_to(user).values_list(Concat(Value(ABOUT_A_TICKET), "number"))),
    )


def may(user: User, act: str, ticket: Ticket) -> bool:
    """Whether this person's role allows the act on a ticket they see (not whether its status does)."""
    role = role_of(user)
    if role in ("", StaffProfile.ANALYST):
        return False
    if act in SUPERVISORS_ONLY:
        return ticket.team_id in supervised_by(user)
    return True


def for_page(tickets: TicketQuerySet) -> TicketQuerySet:
    """With everything the page of one ticket and its acts read, in five queries."""
    return tickets.select_related(
        *("customer__account", "owner", "team__calendar", "policy", "response__survey", "merged_into"),
        *("playbook", "cause_said__playbook", "cause_found__playbook"),
    ).prefetch_related(
        Prefetch("deadlines", Deadline.objects.select_related("calendar", "policy")),
        Prefetch("replies", Reply.objects.select_related("message")),
        "callbacks",
        "customer__identities",
    )


def ticket_for(user: User, number: str, act: str = "") -> Ticket:
    """The ticket of this number, for this act. Raises Ticket.DoesNotExist, NotPermitted."""
    ticket = for_page(visible_to(user)).get(number=number.upper().replace("\0", ""))
    if act and not may(user, act, ticket):
        raise NotPermitted("not_permitted", _("Your role does not allow this. Ask your supervisor."))
    return ticket


def colleagues_for(ticket: Ticket) -> QuerySet[User]:
    """Whom a ticket may be handed to: active members of its team, and its supervisor."""
    return (
        User.objects.filter(is_active=True, staff__isnull=False)
        .filter(Q(memberships__team=ticket.team_id) | Q(pk=ticket.team.supervisor_id))
        .distinct()
        .order_by("first_name", "username")
    )


def colleagues_of(teams: set[int]) -> QuerySet[User]:
    """Everybody who works in these teams or supervises one of them."""
    return (
        User.objects.filter(is_active=True, staff__isnull=False)
        .filter(Q(memberships__team__in=teams) | Q(supervised_teams__in=teams))
        .distinct()
        .order_by("first_name", "username")
    )
