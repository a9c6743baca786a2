"""Who may do what: seven people at every door. Another team's ticket is not there at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from recovery.models import ApiToken, Ticket
from tests.kept import kept
from tests.make import MONDAY, Cast, make_policy
from tests.recovery.api.client import API, Client

PEOPLE = ("anonymous", "agent", "agent of another team", "supervisor", "analyst", "administrator", "revoked")

LOW = {"survey": "delivery", "score": 2}
COMPLAINT = {
    "survey": "delivery",
    "customer": {"email": "new@example.com"},
    "comment": "Broken.",
    "channel": "phone",
}
PREVIEW = {
    "calendar": {"time_zone": "UTC", "windows": [{"days": [0], "open": "09:00", "close": "17:00"}]},
    "start": "2026-03-02T09:00:00Z",
    "minutes": 60,
}

READ = (401, 200, 200, 200, 200, 200, 401)
COMPUTE = READ
WRITE = (401, 201, 201, 201, 403, 201, 401)
READ_ITS = (401, 200, 404, 200, 200, 200, 401)
CHANGE_ITS = (401, 200, 404, 200, 403, 200, 401)
SUPERVISE_ITS = (401, 403, 404, 200, 403, 200, 401)
MANY = (401, 200, 200, 200, 403, 200, 401)

# Method, path ({n}: a ticket of the East team, {c}: its customer), body, and what each of the seven is told.
DOORS: list[tuple[str, str, Any, tuple[int, ...]]] = [
    ("get", "responses/", None, READ),
    ("post", "responses/", LOW, WRITE),
    ("post", "responses/batch/", [LOW], MANY),
    ("get", "tickets/", None, READ),
    ("post", "tickets/", COMPLAINT, WRITE),
    ("get", "tickets/{n}/", None, READ_ITS),
    ("post", "tickets/{n}/assign/", {"owner": "chen"}, CHANGE_ITS),
    ("post", "tickets/{n}/contact/", {"outcome": "reached"}, CHANGE_ITS),
    ("post", "tickets/{n}/callback/", {"local_time": "2026-03-02T18:00"}, CHANGE_ITS),
    ("post", "tickets/{n}/note/", {"text": "x"}, CHANGE_ITS),
    ("post", "tickets/{n}/wait/", {"reason": "x"}, CHANGE_ITS),
    ("post", "tickets/{n}/priority/", {"priority": 1}, CHANGE_ITS),
    ("post", "tickets/{n}/policy/", {"policy": "Gold", "reason": "x"}, SUPERVISE_ITS),
    ("post", "tickets/{n}/extend/", {"minutes": 60, "reason": "x"}, SUPERVISE_ITS),
    ("post", "tickets/{n}/escalate/", {"reason": "x"}, CHANGE_ITS),
    ("post", "tickets/{n}/resolve/", {"cause_found": "late", "what_was_done": "x"}, CHANGE_ITS),
    ("post", "tickets/bulk/", {"act": "note", "numbers": ["{n}"], "text": "x"}, MANY),
    ("post", "deadlines/preview/", PREVIEW, COMPUTE),
    ("get", "callbacks/", None, READ),
    ("get", "customers/", None, READ),
    ("post", "customers/", {"email": "new@example.com"}, WRITE),
    ("get", "customers/{c}/", None, READ_ITS),
    ("patch", "customers/{c}/", {"name": "New"}, CHANGE_ITS),
    ("get", "invitations/", None, READ),
    ("get", "surveys/", None, READ),
]


@dataclass
class Stage:
    ticket: Ticket
    clients: dict[str, Client]


@kept
def opened(cast: Cast) -> None:
    make_policy("Gold")
    cast.ticket()


@pytest.fixture
def stage(cast: Cast) -> Stage:
    opened(cast)
    revoked = Client.of(cast.majun)
    ApiToken.objects.update(revoked_at=MONDAY)
    holders = (cast.lina, cast.ann, cast.chen, cast.vera, cast.admin)
    clients = [Client(), *(Client.of(user) for user in holders), revoked]
    return Stage(Ticket.objects.get(), dict(zip(PEOPLE, clients, strict=True)))


def knock(stage: Stage, who: str, method: str, path: str, body: Any) -> Any:
    number, customer = stage.ticket.number, str(stage.ticket.customer_id)
    if isinstance(body, dict) and "numbers" in body:
        body = {**body, "numbers": [number]}
    url = API + path.replace("{n}", number).replace("{c}", customer)
    headers = {"HTTP_IF_MATCH": f'"{stage.ticket.version}"'} if "{n}" in path else {}
    return getattr(stage.clients[who], method)(url, body, **headers)


@pytest.mark.parametrize("place", range(len(PEOPLE)), ids=PEOPLE)
@pytest.mark.parametrize("door", DOORS, ids=[f"{method} {path}" for method, path, *_rest in DOORS])
def test_who_may_open_it(stage: Stage, door: tuple[str, str, Any, tuple[int, ...]], place: int) -> None:
    method, path, body, expected = door
    answer = knock(stage, PEOPLE[place], method, path, body)
    assert answer.status_code == expected[place], answer.content
    if answer.status_code >= 400:
        assert answer["Content-Type"] == "application/problem+json"
        stage.ticket.refresh_from_db()
        assert stage.ticket.version == 1


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("agent", 1),
        ("agent of another team", 0),
        ("supervisor", 1),
        ("analyst", 1),
        ("administrator", 1),
    ],
)
@pytest.mark.parametrize("path", ["tickets/", "customers/"])
def test_a_list_holds_what_one_may_see(stage: Stage, who: str, seen: int, path: str) -> None:
    assert len(stage.clients[who].read(path).json()["results"]) == seen


def test_another_teams_ticket_is_not_there_for_a_bulk_act(stage: Stage) -> None:
    body = {"act": "note", "numbers": [stage.ticket.number], "text": "x"}
    rows = stage.clients["agent of another team"].send("tickets/bulk/", body).json()["results"]
    assert rows[0]["status"] == 404
    filtered = {"act": "note", "filter": {}, "text": "x"}
    assert stage.clients["agent of another team"].send("tickets/bulk/", filtered).json()["results"] == []


def test_another_teams_customer_cannot_be_asked_or_found_out(stage: Stage) -> None:
    customer = stage.ticket.customer
    assert customer is not None
    stranger, friend = stage.clients["agent of another team"], stage.clients["agent"]
    ask = {"survey": "delivery", "customer": customer.pk}
    assert stranger.send("invitations/", ask).status_code == 400
    assert friend.send("invitations/", ask).status_code == 201
    assert stranger.read("invitations/").json()["results"] == []
    assert len(friend.read("invitations/").json()["results"]) == 1
    found = stranger.send("customers/", {"email": customer.email})
    assert found.status_code == 400
    assert customer.name not in found.content.decode()
    assert friend.send("customers/", {"email": customer.email}).json()["name"] == customer.name


def test_a_complaint_for_another_team_says_who_has_it_and_no_more(stage: Stage) -> None:
    customer = stage.ticket.customer
    assert customer is not None
    body = {**COMPLAINT, "customer": {"email": customer.email}}
    answer = stage.clients["agent of another team"].send("tickets/", body)
    assert answer.status_code == 201
    assert answer.json().keys() == {"number", "owner", "team"}
    assert answer.json()["number"] == stage.ticket.number
    assert len(stage.clients["agent"].send("tickets/", body).json()["responses"]) == 3


def test_somebody_without_a_place_here_sees_nothing(cast: Cast) -> None:
    cast.lina.staff.delete()
    assert Client.of(cast.lina).read("tickets/").status_code == 403


def test_a_supervisor_sees_the_teams_below(stage: Stage, cast: Cast) -> None:
    assert Client.of(cast.wu).read(f"tickets/{stage.ticket.number}/").status_code == 200
    assert Client.of(cast.bob).read(f"tickets/{stage.ticket.number}/").status_code == 404


def test_a_person_signed_in_on_the_site_may_read_here_too(stage: Stage, cast: Cast) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(cast.lina)
    assert browser.read("tickets/").status_code == 200
    refused = browser.send("responses/", LOW)
    assert refused.status_code == 403
    assert refused["Content-Type"] == "application/problem+json"
