"""POST tickets/bulk/: one act on many, each on its own."""

from __future__ import annotations

from typing import Any

import pytest

from recovery import lifecycle
from recovery.models import Ticket
from tests.make import MONDAY, Cast
from tests.recovery.api.client import Client, places


def statuses(answer: Any) -> dict[str, int]:
    assert answer.status_code == 200, answer.content
    return {row["number"]: row["status"] for row in answer.json()["results"]}


def test_it_acts_on_each_and_says_how_each_went(cast: Cast, lina: Client) -> None:
    good, resolved, hidden = cast.ticket(), cast.ticket(), cast.ticket(team=cast.west)
    lifecycle.resolve(resolved, by=None, at=MONDAY, cause_found=cast.late, what_was_done="Delivered.")
    numbers = [good.number, resolved.number, hidden.number, "R-999999", good.number]
    answer = lina.send("tickets/bulk/", {"act": "priority", "numbers": numbers, "priority": 1})
    assert statuses(answer) == {good.number: 200, resolved.number: 409, hidden.number: 404, "R-999999": 404}
    assert (answer.json()["done"], answer.json()["refused"]) == (1, 3)
    assert answer.json()["results"][1]["problem"]["code"] == "not_allowed_now"
    assert answer.json()["results"][0]["version"] == good.version + 1
    assert Ticket.objects.get(pk=good.pk).priority == 1
    assert Ticket.objects.get(pk=hidden.pk).priority == 3


def test_it_acts_on_what_a_filter_finds_among_what_one_sees(cast: Cast, lina: Client) -> None:
    mine, urgent, hidden = cast.ticket(), cast.ticket(priority=1), cast.ticket(team=cast.west)
    body = {
        "act": "note",
        "filter": {"priority": 3, "status": ["new", "open"]},
        "text": "Flood.",
    }
    assert statuses(lina.send("tickets/bulk/", body)) == {mine.number: 200}
    assert not urgent.events.filter(kind="noted").exists()
    assert not hidden.events.filter(kind="noted").exists()


def test_it_leaves_alone_what_changed_meanwhile(cast: Cast, lina: Client) -> None:
    fresh, stale = cast.ticket(), cast.ticket()
    lifecycle.note(stale, by=None, at=MONDAY, text="Meanwhile")
    body = {
        "act": "escalate",
        "numbers": [fresh.number, stale.number],
        "versions": {fresh.number: fresh.version, stale.number: stale.version},
        "reason": "Flood",
    }
    assert statuses(lina.send("tickets/bulk/", body)) == {fresh.number: 200, stale.number: 409}


def test_it_says_for_each_whether_the_role_allows_it(cast: Cast, chen: Client) -> None:
    ticket = cast.ticket()
    body = {"act": "extend", "numbers": [ticket.number], "minutes": 60, "reason": "Flood"}
    assert statuses(chen.send("tickets/bulk/", body)) == {ticket.number: 200}
    assert statuses(Client.of(cast.lina).send("tickets/bulk/", body)) == {ticket.number: 403}


@pytest.mark.parametrize(
    ("given", "event"),
    [
        ({"act": "nudge", "text": "She called me twice."}, "nudged"),
        ({"act": "take-over", "reason": "I know her"}, "assigned"),
    ],
)
def test_a_supervisor_nudges_and_takes_over_many(
    cast: Cast, chen: Client, given: dict[str, Any], event: str
) -> None:
    first, second, hidden = cast.ticket(), cast.ticket(), cast.ticket(team=cast.west)
    body = {**given, "numbers": [first.number, second.number, hidden.number]}
    assert statuses(chen.send("tickets/bulk/", body)) == {
        first.number: 200,
        second.number: 200,
        hidden.number: 404,
    }
    assert first.events.get(kind=event).by == cast.chen
    again = {"nudge": 409, "take-over": 409}[given["act"]]
    assert statuses(chen.send("tickets/bulk/", {**body, "numbers": [first.number]})) == {first.number: again}


def test_an_agent_nudges_nobody(cast: Cast, lina: Client) -> None:
    ticket = cast.ticket()
    body = {"act": "nudge", "numbers": [ticket.number], "text": "Hurry"}
    assert statuses(lina.send("tickets/bulk/", body)) == {ticket.number: 403}


def test_it_says_for_each_what_fits_that_ticket_only(cast: Cast) -> None:
    east, west = cast.ticket(), cast.ticket(team=cast.west)
    body = {"act": "assign", "numbers": [east.number, west.number], "owner": "ann"}
    answer = Client.of(cast.admin).send("tickets/bulk/", body)
    assert statuses(answer)[east.number] == 400
    assert answer.json()["results"][0]["problem"]["errors"][0]["path"] == "owner"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "act"),
        ({"act": "dance", "numbers": ["R-1"]}, "act"),
        ({"act": "note", "text": "x"}, "numbers"),
        ({"act": "note", "text": "x", "numbers": []}, "numbers"),
        ({"act": "note", "text": "x", "numbers": "R-1"}, "numbers"),
        ({"act": "note", "text": "x", "numbers": ["R-1"] * 1001}, "numbers"),
        ({"act": "note", "text": "x", "numbers": ["R-1"], "filter": {}}, "numbers"),
        ({"act": "note", "text": "x", "numbers": ["R-1"], "versions": {"R-1": "7"}}, "versions.R-1"),
        ({"act": "note", "text": "x", "filter": {"statuss": "new"}}, "filter.statuss"),
        ({"act": "note", "text": "x", "filter": {"status": "newish"}}, "filter.status"),
        ({"act": "note", "text": "x", "filter": {"overdue": "maybe"}}, "filter.overdue"),
        ({"act": "note", "numbers": ["R-1"]}, "text"),
        ({"act": "note", "numbers": ["R-1"], "text": "x", "colour": "red"}, "colour"),
        ([], ""),
    ],
)
def test_it_refuses(cast: Cast, lina: Client, body: Any, path: str) -> None:
    answer = lina.send("tickets/bulk/", body)
    assert answer.status_code == 400
    assert path in places(answer)


def test_it_filters_by_true_and_false(cast: Cast, lina: Client) -> None:
    ticket = cast.ticket()
    body = {"act": "note", "text": "x", "filter": {"overdue": True}}
    assert statuses(lina.send("tickets/bulk/", body)) == {}
    body["filter"] = {"overdue": False}
    assert statuses(lina.send("tickets/bulk/", body)) == {ticket.number: 200}
