"""Whose answers and messages a colleague may read, at every door."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from recovery.lifecycle import climb
from recovery.models import ApiToken, Deadline, StaffProfile, Ticket
from recovery.triage import triage
from surveys.access import visible_messages, visible_responses
from surveys.messages import queue_message
from surveys.models import Customer, Message, Response
from tests.make import HOUR, MONDAY, Cast
from tests.surveys.make import make_survey

ANSWERS = {"east", "west", "good", "nobody's", "elsewhere"}


@pytest.fixture
def answers(cast: Cast) -> dict[str, Response]:
    """A ticket of either team, a good answer of the East's customer, and two without a ticket."""
    east, west = cast.ticket(comment="East words"), cast.ticket(team=cast.west, comment="West words")
    good = cast.response(9, customer=east.customer, survey=make_survey("support"), comment="Good words")
    stranger = cast.response(9, customer=cast.customer(), comment="Strange words")
    nobody = cast.response(9, customer=None, comment="Nameless words")
    return {
        "east": east.response,
        "west": west.response,
        "good": good,
        "elsewhere": stranger,
        "nobody's": nobody,
    }


def person(cast: Cast, name: str) -> User:
    user: User = getattr(cast, name)
    return user


SEEN = [
    pytest.param("lina", {"east", "good"}, id="an agent: their team's and what its customers said otherwise"),
    pytest.param("chen", {"east", "good"}, id="a supervisor: the same"),
    pytest.param("wu", {"east", "good"}, id="the one above: what is below"),
    pytest.param("ann", {"west"}, id="another team: its own"),
    pytest.param("vera", ANSWERS, id="an analyst: everything"),
    pytest.param("admin", ANSWERS, id="an administrator: everything"),
]


@pytest.mark.parametrize(("name", "seen"), SEEN)
def test_answers_are_read_by_whom_they_concern(
    cast: Cast, client: Client, answers: dict[str, Response], name: str, seen: set[str]
) -> None:
    user = person(cast, name)
    found = visible_responses(user)
    assert {key for key, response in answers.items() if found.filter(pk=response.pk).exists()} == seen
    client.force_login(user)
    page = client.get("/responses/").content.decode()
    _row, token = ApiToken.issue(user.pk, "test")
    listed = client.get("/api/v1/responses/", headers={"Authorization": f"Bearer {token}"}).json()["results"]
    assert {row["id"] for row in listed} == {answers[key].pk for key in seen}
    for key, response in answers.items():
        assert (response.comment in page) == (key in seen)
        status = client.get(f"/responses/{response.pk}/").status_code
        assert status == (200 if key in seen else 404)


def test_an_answer_of_another_teams_ticket_stays_hidden_though_the_customer_is_known(cast: Cast) -> None:
    customer = cast.customer()
    cast.ticket(customer=customer)
    other = cast.ticket(customer=customer, team=cast.west, survey=make_survey("support"))
    assert not visible_responses(cast.lina).filter(pk=other.response_id).exists()
    assert visible_responses(cast.ann).filter(pk=other.response_id).exists()


def to_customer(customer: Customer | None, key: str) -> Message:
    assert customer is not None
    return queue_message(
        dedup_key=key,
        kind="invitation",
        to_address=customer.email,
        locale="en",
        context={"points": [(0, "")]},
        customer=customer,
        at=MONDAY,
    )


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("lina", {"to lina", "to the East's customer"}),
        ("majun", {"to the East's customer"}),
        ("chen", {"to lina", "to chen", "to the East's customer"}),
        ("ann", {"to ann", "to the West's customer"}),
        ("vera", {"to lina", "to chen", "to ann", "to the East's customer", "to the West's customer"}),
    ],
)
def test_messages_are_read_by_whom_they_concern(
    cast: Cast, client: Client, name: str, seen: set[str]
) -> None:
    east, west = cast.ticket(), cast.ticket(team=cast.west)
    row = Deadline.objects.get(ticket=east, kind="first_contact")
    Deadline.objects.filter(pk=row.pk).update(level=0, next_step_at=row.due_at)  # its owner was warned
    climb(row.pk, at=MONDAY + 4 * HOUR)
    to_customer(east.customer, "east")
    to_customer(west.customer, "west")
    names = {
        message.pk: f"to {message.user.username}"
        if message.user
        else f"to the {'East' if message.customer == east.customer else 'West'}'s customer"
        for message in Message.objects.select_related("user", "customer")
    }
    user = person(cast, name)
    assert {names[pk] for pk in visible_messages(user).values_list("pk", flat=True)} == seen
    client.force_login(user)
    for pk, whose in names.items():
        assert client.get(f"/messages/{pk}/").status_code == (200 if whose in seen else 404)


def test_a_supervisor_decides_about_their_own_messages_only(cast: Cast, client: Client) -> None:
    message = to_customer(cast.ticket().customer, "east")
    Message.objects.update(state=Message.UNCERTAIN)
    client.force_login(cast.bob)
    assert client.post(f"/messages/{message.pk}/drop/").status_code == 404
    client.force_login(cast.chen)
    assert client.post(f"/messages/{message.pk}/drop/").status_code == 302
    message.refresh_from_db()
    assert message.state != Message.UNCERTAIN


def test_the_menu_counts_what_its_page_lists(cast: Cast, client: Client) -> None:
    to_customer(cast.ticket().customer, "east")
    Message.objects.update(state=Message.UNCERTAIN)
    for user, seen in ((cast.chen, True), (cast.bob, False)):
        client.force_login(user)
        page = client.get("/messages/")
        [entry] = [entry for entry in page.context["menu"] if entry["url"] == "/messages/"]
        assert bool(entry["alarm"]) == seen


def test_somebody_without_a_role_reads_nothing(cast: Cast) -> None:
    triage(cast.response(2, customer=cast.customer()).pk, at=MONDAY)
    StaffProfile.objects.filter(user=cast.lina).delete()
    guest = User.objects.get(pk=cast.lina.pk)
    assert Ticket.objects.exists()
    assert not visible_responses(guest).exists()
    assert set(visible_messages(guest).values_list("user", flat=True)) <= {guest.pk}
