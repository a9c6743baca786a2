import pytest
from django.contrib.auth.models import AnonymousUser, User

from recovery.access import (
    NotPermitted,
    colleagues_for,
    colleagues_of,
    may,
    role_of,
    teams_of,
    ticket_for,
    visible_customers,
    visible_teams,
    visible_to,
)
from recovery.lifecycle import assign
from recovery.models import StaffProfile, Team, Ticket
from tests.make import MONDAY, Cast, join

EVERYBODY = ["lina", "majun", "chen", "wu", "ann", "bob", "vera", "admin"]


def person(cast: Cast, name: str) -> User:
    user: User = getattr(cast, name)
    return user


@pytest.mark.parametrize(
    ("name", "sees"),
    [
        pytest.param("lina", {"east"}, id="an agent sees their team"),
        pytest.param("ann", {"west"}, id="another agent sees another team"),
        pytest.param("chen", {"east"}, id="a supervisor sees what they supervise"),
        pytest.param("wu", {"east", "region"}, id="and all below it"),
        pytest.param("bob", {"west"}, id="and nothing beside it"),
        pytest.param("vera", {"east", "west", "region"}, id="an analyst sees everything"),
        pytest.param("admin", {"east", "west", "region"}, id="an administrator sees everything"),
    ],
)
def test_everybody_sees_their_teams_and_no_other(cast: Cast, name: str, sees: set[str]) -> None:
    teams: dict[str, Team] = {"east": cast.east, "west": cast.west, "region": cast.region}
    tickets = {key: cast.ticket(team=team) for key, team in teams.items()}
    seen = {
        key for key, ticket in tickets.items() if visible_to(person(cast, name)).filter(pk=ticket.pk).exists()
    }
    assert seen == sees
    assert {team.pk for team in visible_teams(person(cast, name))} == {teams[key].pk for key in sees}


def test_an_owner_sees_their_ticket_in_whatever_team(cast: Cast) -> None:
    ticket = cast.ticket(team=cast.west)
    assert not visible_to(cast.lina).exists()
    assign(ticket, by=cast.bob, at=MONDAY, to=cast.lina)
    assert visible_to(cast.lina).get() == ticket


@pytest.mark.parametrize("who", ["anonymous", "inactive", "without a profile"])
def test_nobody_else_sees_anything(cast: Cast, who: str) -> None:
    cast.ticket()
    people: dict[str, User | AnonymousUser] = {
        "anonymous": AnonymousUser(),
        "inactive": cast.admin,
        "without a profile": User.objects.create(username="guest"),
    }
    user = people[who]
    if who == "inactive":
        cast.admin.is_active = False
    assert role_of(user) == ""
    assert not visible_to(user).exists()


def test_a_superuser_without_a_profile_is_an_administrator(cast: Cast) -> None:
    root = User.objects.create(username="root", is_superuser=True)
    cast.ticket()
    assert role_of(root) == StaffProfile.ADMINISTRATOR
    assert visible_to(root).count() == 1


def test_an_agent_who_is_named_as_a_supervisor_stays_an_agent(cast: Cast) -> None:
    cast.west.supervisor = cast.lina
    cast.west.save()
    assert teams_of(cast.lina) == {cast.east.pk}


@pytest.mark.parametrize(
    ("name", "act", "allowed"),
    [
        ("lina", "contact", True),
        ("lina", "assign", True),
        ("lina", "extend", False),
        ("chen", "extend", True),
        ("wu", "extend", True),
        ("bob", "extend", False),
        ("admin", "extend", True),
        ("vera", "note", False),
        ("vera", "extend", False),
    ],
)
def test_a_role_allows_some_acts(cast: Cast, name: str, act: str, allowed: bool) -> None:
    assert may(person(cast, name), act, cast.ticket()) == allowed


def test_a_ticket_is_got_by_number_for_an_act(cast: Cast) -> None:
    ticket = cast.ticket()
    assert ticket_for(cast.lina, ticket.number.lower(), "contact") == ticket
    with pytest.raises(NotPermitted):
        ticket_for(cast.lina, ticket.number, "extend")
    with pytest.raises(NotPermitted):
        ticket_for(cast.vera, ticket.number, "note")
    assert ticket_for(cast.vera, ticket.number) == ticket


@pytest.mark.parametrize("name", ["ann", "bob"])
def test_another_teams_ticket_is_not_there_at_all(cast: Cast, name: str) -> None:
    with pytest.raises(Ticket.DoesNotExist):
        ticket_for(person(cast, name), cast.ticket().number)


def test_a_ticket_is_handed_to_its_team_or_its_supervisor(cast: Cast) -> None:
    cast.majun.is_active = False
    cast.majun.save()
    assert {user.username for user in colleagues_for(cast.ticket())} == {"lina", "chen"}


@pytest.mark.parametrize(
    ("name", "sees"),
    [
        ("lina", {"Of East"}),
        ("ann", {"Of West"}),
        ("wu", {"Of East"}),
        ("vera", {"Of East", "Of West", "Of nobody"}),
        ("admin", {"Of East", "Of West", "Of nobody"}),
    ],
)
def test_everybody_sees_the_people_behind_their_tickets(cast: Cast, name: str, sees: set[str]) -> None:
    cast.ticket(customer=cast.customer("Of East"))
    cast.ticket(customer=cast.customer("Of West"), team=cast.west)
    cast.customer("Of nobody")
    assert {customer.name for customer in visible_customers(person(cast, name))} == sees
    assert not visible_customers(AnonymousUser()).exists()


def test_tickets_of_teams_that_are_known_already_are_the_same(cast: Cast) -> None:
    mine, other = cast.ticket(), cast.ticket(team=cast.west)
    assert set(visible_to(cast.lina, teams_of(cast.lina))) == {mine}
    assert set(visible_to(cast.lina, {cast.west.pk})) == {mine, other}
    assert set(visible_to(cast.majun, set())) == set()


def test_colleagues_of_teams_are_their_members_and_supervisors(cast: Cast) -> None:
    cast.ann.is_active = False
    cast.ann.save()
    join(cast.east, User.objects.create(username="guest"))
    assert [user.username for user in colleagues_of({cast.east.pk, cast.west.pk})] == [
        "bob",
        "chen",
        "lina",
        "majun",
    ]
    assert {user.username for user in colleagues_of({cast.region.pk})} == {"wu"}
    assert "guest" not in {user.username for user in colleagues_for(cast.ticket())}


def test_who_does_not_work_here_may_do_nothing(cast: Cast) -> None:
    assert not may(User.objects.create(username="guest"), "contact", cast.ticket())
