"""POST responses/: one body, one response, one ticket; or what is wrong, where, and nothing stored."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest import mock

import pytest
from django.db import connection, connections

from recovery.models import Ticket, TicketResponse
from surveys.models import Customer, Response
from tests.due import due
from tests.make import MONDAY, Cast
from tests.recovery.api.client import Client, places, reason_at

WEI = {"external_id": "C-1", "name": "Zhang Wei", "email": "wei@example.com"}


def low(**changes: Any) -> dict[str, Any]:
    return {
        "survey": "delivery",
        "external_id": "crm-1",
        "customer": WEI,
        "score": 2,
        "comment": "Late.",
        **changes,
    }


@pytest.fixture
def posted(lina: Client, django_capture_on_commit_callbacks: Any) -> Any:
    """Sends a body, and lets happen what happens after commit."""

    def send(body: Any, path: str = "responses/") -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            return lina.send(path, body)

    return send


@pytest.mark.django_db(transaction=True)
class TestALowScore:
    def test_it_answers_with_its_ticket(self, cast: Cast, lina: Client) -> None:
        answer = lina.send("responses/", low())
        assert answer.status_code == 201
        ticket = Ticket.objects.get()
        assert answer.json() == {
            "id": Response.objects.get().pk,
            "survey": "delivery",
            "band": "detractor",
            "score": 2,
            "state": "complete",
            "ticket": ticket.number,
        }
        assert ticket.opened_at == MONDAY
        assert ticket.deadlines.count() == 2

    def test_it_is_the_same_response_when_sent_again(self, cast: Cast, lina: Client) -> None:
        first = lina.send("responses/", low())
        again = lina.send("responses/", low())
        assert (again.status_code, again.json()) == (200, first.json())
        assert (Response.objects.count(), Ticket.objects.count()) == (1, 1)

    def test_it_refuses_another_body_under_the_same_id(self, cast: Cast, lina: Client) -> None:
        lina.send("responses/", low())
        answer = lina.send("responses/", low(score=9))
        assert answer.status_code == 409
        assert answer.json()["code"] == "conflict"
        assert Response.objects.get().score == 2

    def test_it_takes_a_newer_body_under_the_same_id(self, cast: Cast, lina: Client) -> None:
        lina.send("responses/", low(updated_at="2026-03-02T01:00:00Z"))
        answer = lina.send("responses/", low(score=3, updated_at="2026-03-02T01:30:00Z"))
        assert answer.status_code == 200
        assert answer.json()["score"] == 3
        assert Ticket.objects.count() == 1

    def test_it_is_another_response_each_time_without_an_id(self, cast: Cast, lina: Client) -> None:
        body = {name: value for name, value in low().items() if name != "external_id"}
        answers = [lina.send("responses/", body) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [201, 201]
        assert len({answer.json()["id"] for answer in answers}) == 2
        assert len({answer.json()["ticket"] for answer in answers}) == 1

    def test_it_is_kept_without_its_ticket_when_triage_fails(self, cast: Cast, lina: Client) -> None:
        with mock.patch("recovery.triage.decide", side_effect=RuntimeError):
            answer = lina.send("responses/", low())
        assert (answer.status_code, answer.json()["ticket"]) == (201, None)
        assert due("triage", MONDAY) == [answer.json()["id"]]

    def test_it_has_its_ticket_when_sent_again_after_triage_failed(self, cast: Cast, lina: Client) -> None:
        with mock.patch("recovery.triage.decide", side_effect=RuntimeError):
            lina.send("responses/", low())
            failed = lina.send("responses/", low())
        assert (failed.status_code, failed.json()["ticket"]) == (200, None)
        again = lina.send("responses/", low())
        assert (again.status_code, again.json()["ticket"]) == (200, Ticket.objects.get().number)

    def test_it_is_kept_without_a_customer(self, cast: Cast, lina: Client) -> None:
        answer = lina.send("responses/", low(customer=None))
        assert answer.status_code == 201
        assert Ticket.objects.get(number=answer.json()["ticket"]).customer is None

    def test_it_is_one_response_and_one_ticket_for_eight_senders_at_once(
        self, cast: Cast, lina: Client
    ) -> None:

        def send(_number: int) -> Any:
            try:
                return Client.holding(lina.token).send("responses/", low())
            finally:
                connections.close_all()

        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(send, range(8)))
        assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
        assert len({json.dumps(answer.json()) for answer in answers}) == 1
        assert (Response.objects.count(), Ticket.objects.count(), Customer.objects.count()) == (1, 1, 1)
        assert answers[0].json()["ticket"] == Ticket.objects.get().number


def test_a_high_score_opens_no_ticket(cast: Cast, posted: Any) -> None:
    answer = posted(low(score=10))
    assert answer.status_code == 201
    assert (answer.json()["band"], answer.json()["ticket"]) == ("promoter", None)
    assert not Ticket.objects.exists()


def bad(name: str, path: str, **changes: Any) -> Any:
    return pytest.param(low(**changes), path, id=name)


BAD_BODIES = [
    bad("score above the scale", "score", score=11),
    bad("score below the scale", "score", score=-1),
    bad("score with a fraction", "score", score=9.5),
    bad("score as text", "score", score="abc"),
    bad("score null", "score", score=None),
    bad("score true", "score", score=True),
    bad("score of 4,000 digits", "score", score=10**3999),
    bad("survey unknown", "survey", survey="nobody"),
    bad("survey missing", "survey", survey=None),
    bad("survey a list", "survey", survey=["delivery"]),
    bad("time malformed", "submitted_at", submitted_at="yesterday"),
    bad("time of no day", "submitted_at", submitted_at="2026-02-30T10:00:00Z"),
    bad("time without its zone", "submitted_at", submitted_at="2026-03-02T09:00:00"),
    bad("time beyond the calendar", "submitted_at", submitted_at="0001-01-01T00:00:00+14:00"),
    bad("time in the future", "submitted_at", submitted_at="2027-03-02T09:00:00Z"),
    bad("NUL in the comment", "comment", comment="a\x00b"),
    bad("lone surrogate in the comment", "comment", comment="a\ud800b"),
    bad("NUL in the id", "external_id", external_id="a\x00b"),
    bad("id a number", "external_id", external_id=7),
    bad("comment too long", "comment", comment="x" * 32_001),
    bad("customer without identity", "customer", customer={"name": "Zhang Wei"}),
    bad("customer a text", "customer", customer="Zhang Wei"),
    bad("customer's address malformed", "customer.email", customer={"email": "nobody"}),
    bad("customer's unknown field", "customer.shoe", customer={**WEI, "shoe": 42}),
    bad("customer's zone unknown", "customer.time_zone", customer={**WEI, "time_zone": "Mars/Base"}),
    bad("unknown field", "scores", scores=[1]),
    bad("field named by a surrogate", "\\ud800", **{"\ud800": 1}),
    bad("answer to no question", "answers.colour", answers={"colour": "red"}),
    bad("answers a list", "answers", answers=[]),
    bad("contact_me as text", "contact_me", contact_me="yes"),
    bad("answer nested 200 deep", "answers.why", answers={"why": json.loads("[" * 200 + "]" * 200)}),
    pytest.param([low()], "", id="a list"),
    pytest.param("low", "", id="a text"),
    pytest.param(7, "", id="a number"),
]


@pytest.mark.parametrize(("body", "path"), BAD_BODIES)
def test_it_says_what_is_wrong_where_and_stores_nothing(
    cast: Cast, lina: Client, body: Any, path: str
) -> None:
    answer = lina.send("responses/", body)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert path in places(answer)
    assert reason_at(answer, path)
    assert answer.json()["detail"]
    assert not Response.objects.exists()
    assert not Customer.objects.exists()


def test_it_says_everything_that_is_wrong_at_once(cast: Cast, lina: Client) -> None:
    answer = lina.send("responses/", low(score=11, submitted_at="never", colour="red"))
    assert places(answer) == {"score", "submitted_at", "colour"}


UNREADABLE = [
    pytest.param(b'{"survey": ', 400, id="cut off"),
    pytest.param(b"", 400, id="empty"),
    pytest.param(b"\xff\xfe", 400, id="not UTF-8"),
    pytest.param(b'{"score": NaN}', 400, id="NaN"),
    pytest.param(b'{"score": ' + b"1" * 5000 + b"}", 400, id="a number of 5,000 digits"),
    pytest.param(b'{"score": 9, "score": 2}', 400, id="a name twice"),
    pytest.param(
        b'{"customer": {"email": "a@b.example", "email": "c@d.example"}}', 400, id="a name twice inside"
    ),
    pytest.param(b"[" * 200_000, 400, id="nested too deeply"),
    pytest.param(b'{"comment": "' + b"x" * 1024 * 1024 + b'"}', 413, id="over a megabyte"),
]


@pytest.mark.parametrize(("body", "status"), UNREADABLE)
def test_it_refuses_what_it_cannot_read(cast: Cast, lina: Client, body: bytes, status: int) -> None:
    answer = lina.raw("responses/", body)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"]


def test_it_reads_a_body_just_under_a_megabyte(cast: Cast, lina: Client) -> None:
    padding = " " * (1024 * 1024 - len(json.dumps(low())))
    answer = lina.raw("responses/", (json.dumps(low()) + padding).encode())
    assert answer.status_code == 201


@pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data; boundary=x", "application/xml"])
def test_it_reads_json_only(cast: Cast, lina: Client, content_type: str) -> None:
    answer = lina.raw("responses/", b"{}", content_type)
    assert answer.status_code == 415
    assert not Response.objects.exists()


class TestABatch:
    def test_it_answers_for_each_in_order_and_leaves_triage_to_the_sweep(
        self, cast: Cast, posted: Any
    ) -> None:
        bodies = [low(), low(score=11, external_id="crm-2"), low(), low(external_id="crm-3"), low(score=9)]
        with mock.patch("recovery.api.views.responses.nudge") as nudge:
            answer = posted(bodies, "responses/batch/")
        assert answer.status_code == 200
        results = answer.json()["results"]
        assert [row["status"] for row in results] == [201, 400, 200, 201, 409]
        assert results[1]["problem"]["errors"][0]["path"] == "score"
        assert results[0]["id"] == results[2]["id"]
        nudge.assert_called_once_with("triage")
        assert not Ticket.objects.exists()
        assert len(due("triage", MONDAY)) == 2

    def test_it_refuses_more_than_a_thousand(self, cast: Cast, lina: Client) -> None:
        answer = lina.send("responses/batch/", [{}] * 1001)
        assert answer.status_code == 400
        assert not Response.objects.exists()

    def test_it_refuses_what_is_no_list(self, cast: Cast, lina: Client) -> None:
        assert lina.send("responses/batch/", low()).status_code == 400


class TestTheList:
    def test_it_shows_what_came_newest_first_with_the_ticket_one_may_see(
        self, cast: Cast, lina: Client
    ) -> None:
        ticket = cast.ticket()
        hidden = cast.ticket(team=cast.west)
        high = cast.response(10, customer=ticket.customer)
        rows = lina.read("responses/").json()["results"]
        assert [row["id"] for row in rows] == [high.pk, ticket.response_id]
        assert [row["ticket"] for row in rows] == [None, ticket.number]
        assert TicketResponse.objects.filter(response=hidden.response).exists()

    def test_it_is_narrowed_by_band_and_survey(self, cast: Cast, lina: Client) -> None:
        mine = cast.ticket().customer
        high = cast.response(10, customer=mine)
        assert [row["id"] for row in lina.read("responses/", band="promoter").json()["results"]] == [high.pk]
        assert lina.read("responses/", survey="other").json()["results"] == []
        assert lina.read("responses/", band="golden").status_code == 400

    def test_it_takes_the_same_queries_for_any_length(
        self, cast: Cast, lina: Client, django_assert_max_num_queries: Any
    ) -> None:
        mine = cast.ticket().customer
        for _ in range(19):
            cast.response(9, customer=mine)
        with django_assert_max_num_queries(12, connection=connection):
            assert len(lina.read("responses/").json()["results"]) == 20
