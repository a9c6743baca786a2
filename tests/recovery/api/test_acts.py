"""POST tickets/{number}/{act}/: the act with its version, or why not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from django.utils.dateparse import parse_datetime

from recovery import lifecycle
from recovery.models import Leave, Ticket
from tests.make import DAY, HOUR, MONDAY, Cast, make_policy
from tests.recovery.api.client import Client, places, reason_at

RESOLVE = {"cause_found": "late", "what_was_done": "Delivered."}


@pytest.fixture
def ticket(cast: Cast) -> Ticket:
    return cast.ticket()


def last_event(answer: Any) -> Any:
    assert answer.status_code == 200, answer.content
    return answer.json()["events"][-1]


class TestTheVersion:
    def test_it_rises_with_the_act_and_comes_back_as_etag(self, lina: Client, ticket: Ticket) -> None:
        answer = lina.act(ticket, "note", {"text": "The depot is looking."})
        assert answer.status_code == 200
        assert answer["ETag"] == f'"{ticket.version + 1}"'
        assert answer.json()["version"] == ticket.version + 1

    def test_it_is_428_without(self, lina: Client, ticket: Ticket) -> None:
        answer = lina.send(f"tickets/{ticket.number}/note/", {"text": "x"})
        assert (answer.status_code, answer.json()["code"]) == (428, "version_missing")

    def test_it_is_412_when_stale(self, lina: Client, ticket: Ticket) -> None:
        lina.act(ticket, "note", {"text": "first"})
        answer = lina.act(ticket, "priority", {"priority": 1})
        assert (answer.status_code, answer.json()["code"]) == (412, "stale")
        assert Ticket.objects.get().priority == 3

    @pytest.mark.parametrize("known", ["{v}", '"{v}"', '"9", "{v}"', "*"])
    def test_it_is_read_as_written(self, lina: Client, ticket: Ticket, known: str) -> None:
        header = known.replace("{v}", str(ticket.version))
        answer = lina.send(f"tickets/{ticket.number}/note/", {"text": "x"}, HTTP_IF_MATCH=header)
        assert answer.status_code == 200

    @pytest.mark.parametrize(("known", "status"), [("seven", 400), ('W/"1"', 412), ('"x"', 412)])
    def test_it_is_refused_when_no_version(
        self, lina: Client, ticket: Ticket, known: str, status: int
    ) -> None:
        answer = lina.send(f"tickets/{ticket.number}/note/", {"text": "x"}, HTTP_IF_MATCH=known)
        assert answer.status_code == status

    @pytest.mark.django_db(transaction=True)
    def test_it_lets_one_of_eight_at_once_win(self, cast: Cast, lina: Client) -> None:
        ticket = cast.ticket()

        def send(_number: int) -> Any:
            try:
                return Client.holding(lina.token).act(ticket, "escalate", {"reason": "Help"})
            finally:
                connections.close_all()

        with ThreadPoolExecutor(8) as threads:
            statuses = sorted(answer.status_code for answer in threads.map(send, range(8)))
        assert statuses[0] == 200
        assert set(statuses[1:]) <= {409, 412}
        assert Ticket.objects.get().version == ticket.version + 1


class TestAssign:
    def test_it_hands_over_by_username_and_by_id(self, cast: Cast, lina: Client, ticket: Ticket) -> None:
        other = cast.majun if ticket.owner == cast.lina else cast.lina
        answer = lina.act(ticket, "assign", {"owner": other.username, "reason": "Knows her"})
        assert last_event(answer)["text"] == "Knows her"
        assert answer.json()["owner"]["username"] == other.username
        ticket.refresh_from_db()
        back = lina.act(ticket, "assign", {"owner": cast.chen.pk})
        assert back.json()["owner"]["username"] == "chen"

    def test_it_hands_over_to_another_team_one_sees(self, cast: Cast, ticket: Ticket) -> None:
        answer = Client.of(cast.admin).act(ticket, "assign", {"team": "West", "owner": "ann"})
        assert (answer.json()["team"]["name"], answer.json()["owner"]["username"]) == ("West", "ann")

    @pytest.mark.parametrize(
        ("body", "path"),
        [
            ({}, "owner"),
            ({"owner": "nobody"}, "owner"),
            ({"owner": "ann"}, "owner"),
            ({"owner": 10**30}, "owner"),
            ({"owner": "a\x00"}, "owner"),
            ({"owner": "\ud800"}, "owner"),
            ({"owner": True}, "owner"),
            ({"owner": None}, "owner"),
            ({"owner": "majun", "team": "West"}, "team"),
            ({"owner": "majun", "team": "Nowhere"}, "team"),
            ({"owner": "majun", "colour": "red"}, "colour"),
        ],
    )
    def test_it_refuses(self, cast: Cast, lina: Client, ticket: Ticket, body: Any, path: str) -> None:
        answer = lina.act(ticket, "assign", body)
        assert (answer.status_code, places(answer)) == (400, {path})
        assert Ticket.objects.get().version == ticket.version

    def test_it_refuses_a_colleague_who_is_away(self, cast: Cast, lina: Client, ticket: Ticket) -> None:
        other = cast.majun if ticket.owner == cast.lina else cast.lina
        Leave.objects.create(user=other, starts_at=MONDAY, ends_at=MONDAY + DAY)
        answer = lina.act(ticket, "assign", {"owner": other.username})
        assert (answer.status_code, answer.json()["code"]) == (409, "owner_away")


class TestContact:
    def test_it_meets_the_first_deadline_once_the_customer_was_heard(
        self, lina: Client, ticket: Ticket
    ) -> None:
        missed = lina.act(ticket, "contact", {"outcome": "no_answer"}).json()
        assert missed["status"] == "open"
        assert [row["met_at"] for row in missed["deadlines"]] == [None, None]
        ticket.version = missed["version"]
        heard = lina.act(
            ticket, "contact", {"outcome": "replied", "channel": "email", "note": "Thanks"}
        ).json()
        met = {row["kind"]: row["met_at"] for row in heard["deadlines"]}
        assert parse_datetime(met["first_contact"]) == MONDAY
        assert met["resolution"] is None

    def test_it_books_what_the_cadence_proposes_in_the_same_act(self, lina: Client, ticket: Ticket) -> None:
        told = lina.act(ticket, "contact", {"outcome": "no_answer", "book_next": True}).json()
        assert told["version"] == ticket.version + 1
        assert ticket.callbacks.get().origin == "cadence"

    def test_it_gives_up_with_a_reason_while_the_cadence_has_attempts_to_make(
        self, lina: Client, ticket: Ticket
    ) -> None:
        refused = lina.act(ticket, "unreachable", {})
        assert (refused.status_code, refused.json()["code"]) == (409, "reason_missing")
        assert lina.act(ticket, "unreachable", {"reason": "The line is dead"}).status_code == 200
        assert Ticket.objects.get().unreachable_at == MONDAY

    @pytest.mark.parametrize(
        ("body", "path"),
        [
            ({}, "outcome"),
            ({"outcome": "spoke"}, "outcome"),
            ({"outcome": "\ud800"}, "outcome"),
            ({"outcome": "reached", "channel": "pigeon"}, "channel"),
            ({"outcome": "reached", "note": "a\x00b"}, "note"),
            ({"outcome": "reached", "at": "2026-01-01T00:00:00Z"}, "at"),
        ],
    )
    def test_it_refuses(self, lina: Client, ticket: Ticket, body: Any, path: str) -> None:
        answer = lina.act(ticket, "contact", body)
        assert (answer.status_code, places(answer)) == (400, {path})
        assert reason_at(answer, path)


class TestCallback:
    def test_it_is_booked_moved_and_cancelled(self, lina: Client, ticket: Ticket) -> None:
        booked = lina.act(ticket, "callback", {"local_time": "2026-03-02T18:00"}).json()
        assert booked["callbacks"][0]["time_zone"] == "Asia/Shanghai"
        assert parse_datetime(booked["callbacks"][0]["due_at"]) == MONDAY + 8 * HOUR
        move = {"action": "move", "local_time": "2026-03-02T18:00", "time_zone": "Europe/London"}
        moved = lina.act(ticket, "callback", move, booked["version"]).json()
        assert parse_datetime(moved["callbacks"][0]["due_at"]) == MONDAY + 16 * HOUR
        cancelled = lina.act(ticket, "callback", {"action": "cancel"}, moved["version"]).json()
        assert cancelled["callbacks"][0]["state"] == "cancelled"

    def test_it_is_one_at_a_time(self, lina: Client, ticket: Ticket) -> None:
        booked = lina.act(ticket, "callback", {"local_time": "2026-03-02T18:00"}).json()
        answer = lina.act(ticket, "callback", {"local_time": "2026-03-02T19:00"}, booked["version"])
        assert (answer.status_code, answer.json()["code"]) == (409, "callback_booked")

    @pytest.mark.parametrize("action", ["move", "cancel"])
    def test_it_must_be_booked_first(self, lina: Client, ticket: Ticket, action: str) -> None:
        answer = lina.act(ticket, "callback", {"action": action, "local_time": "2026-03-02T18:00"})
        assert (answer.status_code, answer.json()["code"]) == (409, "no_callback")

    def test_it_lies_ahead(self, lina: Client, ticket: Ticket) -> None:
        answer = lina.act(ticket, "callback", {"local_time": "2026-03-02T09:00"})
        assert (answer.status_code, answer.json()["code"]) == (409, "callback_in_the_past")

    @pytest.mark.parametrize(
        ("body", "path"),
        [
            ({}, "local_time"),
            ({"local_time": "2026-13-45T99:99"}, "local_time"),
            ({"local_time": "2026-03-02T18:00:00+08:00"}, "local_time"),
            ({"local_time": "0001-01-01T00:00"}, "local_time"),
            ({"local_time": "2026-03-02T18:00", "time_zone": "Mars/Base"}, "time_zone"),
            ({"local_time": "2026-03-02T18:00", "channel": "pigeon"}, "channel"),
            ({"action": "delete"}, "action"),
        ],
    )
    def test_it_refuses(self, lina: Client, ticket: Ticket, body: Any, path: str) -> None:
        answer = lina.act(ticket, "callback", body)
        assert (answer.status_code, places(answer)) == (400, {path})

    def test_it_asks_for_the_zone_where_the_customers_is_unknown(self, cast: Cast, lina: Client) -> None:
        ticket = cast.ticket(customer=cast.customer(time_zone=""))
        answer = lina.act(ticket, "callback", {"local_time": "2026-03-02T18:00"})
        assert (answer.status_code, places(answer)) == (400, {"time_zone"})


class TestWaiting:
    def test_it_stops_the_clock_until_it_is_resumed(self, lina: Client, ticket: Ticket) -> None:
        body = {"reason": "A photo", "until": "2026-03-04T09:00:00+08:00"}
        waiting = lina.act(ticket, "wait", body).json()
        assert waiting["status"] == "waiting"
        assert all(row["paused"] for row in waiting["deadlines"])
        resumed = lina.act(ticket, "resume", {"note": "It came."}, waiting["version"]).json()
        assert resumed["status"] == "open"
        assert not any(row["paused"] for row in resumed["deadlines"])

    @pytest.mark.parametrize(
        ("body", "path"),
        [
            ({}, "reason"),
            ({"reason": "  "}, "reason"),
            ({"reason": "x" * 301}, "reason"),
            ({"reason": "A photo", "until": "2026-03-04T09:00:00"}, "until"),
            ({"reason": "A photo", "until": "tomorrow"}, "until"),
            ({"reason": "A photo", "until": 1772600000}, "until"),
        ],
    )
    def test_it_refuses(self, lina: Client, ticket: Ticket, body: Any, path: str) -> None:
        answer = lina.act(ticket, "wait", body)
        assert (answer.status_code, places(answer)) == (400, {path})

    def test_it_refuses_a_time_gone_by(self, lina: Client, ticket: Ticket) -> None:
        answer = lina.act(ticket, "wait", {"reason": "A photo", "until": "2026-03-01T09:00:00+08:00"})
        assert (answer.status_code, places(answer)) == (409, {"until"})

    def test_it_cannot_resume_what_does_not_wait(self, lina: Client, ticket: Ticket) -> None:
        answer = lina.act(ticket, "resume")
        assert (answer.status_code, answer.json()["code"]) == (409, "not_allowed_now")
        assert answer.json()["detail"]


class TestPriority:
    def test_it_moves_the_deadlines(self, lina: Client, ticket: Ticket) -> None:
        body = lina.act(ticket, "priority", {"priority": 1, "reason": "Injury"}).json()
        due = {row["kind"]: parse_datetime(row["due_at"]) for row in body["deadlines"]}
        assert (body["priority"], due["first_contact"]) == (1, MONDAY + HOUR)

    @pytest.mark.parametrize("priority", [0, 5, "1", True, 1.0, None, 10**40])
    def test_it_refuses(self, lina: Client, ticket: Ticket, priority: Any) -> None:
        answer = lina.act(ticket, "priority", {"priority": priority})
        assert (answer.status_code, places(answer)) == (400, {"priority"})


class TestPolicy:
    def test_it_is_for_supervisors_and_moves_the_deadlines(
        self, lina: Client, chen: Client, ticket: Ticket
    ) -> None:
        make_policy("Gold").targets.update(first_contact_minutes=30)
        body = {"policy": "Gold", "reason": "They are a gold customer"}
        assert lina.act(ticket, "policy", body).status_code == 403
        changed = chen.act(ticket, "policy", body).json()
        due = {row["kind"]: parse_datetime(row["due_at"]) for row in changed["deadlines"]}
        assert due["first_contact"] == MONDAY + HOUR / 2

    @pytest.mark.parametrize(
        ("body", "path"), [({"policy": "None", "reason": "x"}, "policy"), ({"policy": "Standard"}, "reason")]
    )
    def test_it_refuses(self, chen: Client, ticket: Ticket, body: Any, path: str) -> None:
        answer = chen.act(ticket, "policy", body)
        assert (answer.status_code, places(answer)) == (400, {path})


class TestExtend:
    def test_it_is_for_supervisors(self, lina: Client, chen: Client, ticket: Ticket) -> None:
        body = {"minutes": 60, "reason": "The part comes tomorrow", "kind": "first_contact"}
        assert lina.act(ticket, "extend", body).status_code == 403
        extended = chen.act(ticket, "extend", body).json()
        due = {row["kind"]: parse_datetime(row["due_at"]) for row in extended["deadlines"]}
        assert due["first_contact"] == MONDAY + 5 * HOUR

    @pytest.mark.parametrize(
        ("body", "path"),
        [
            ({"minutes": 0, "reason": "x"}, "minutes"),
            ({"minutes": 10**9, "reason": "x"}, "minutes"),
            ({"minutes": 60}, "reason"),
            ({"minutes": 60, "reason": "x", "kind": "birthday"}, "kind"),
        ],
    )
    def test_it_refuses(self, chen: Client, ticket: Ticket, body: Any, path: str) -> None:
        answer = chen.act(ticket, "extend", body)
        assert (answer.status_code, places(answer)) == (400, {path})


class TestEscalate:
    def test_it_tells_the_supervisor(self, lina: Client, ticket: Ticket) -> None:
        event = last_event(lina.act(ticket, "escalate", {"reason": "She asks for more"}))
        assert (event["kind"], event["data"]["to"]) == ("escalated", "Chen Hao")

    def test_it_needs_a_reason(self, lina: Client, ticket: Ticket) -> None:
        assert places(lina.act(ticket, "escalate", {})) == {"reason"}


class TestResolve:
    def test_it_resolves_with_its_cause(self, lina: Client, ticket: Ticket) -> None:
        body = lina.act(ticket, "resolve", {**RESOLVE, "cause_said": "rude"}).json()
        assert (body["status"], body["cause_found"], body["cause_said"]) == ("resolved", "late", "rude")
        assert body["resurvey"]["state"] == "planned"

    @pytest.mark.parametrize(
        ("body", "path"),
        [
            ({"what_was_done": "Delivered."}, "cause_found"),
            ({**RESOLVE, "cause_found": "unknown"}, "cause_found"),
            ({**RESOLVE, "cause_found": None}, "cause_found"),
            ({**RESOLVE, "cause_found": "a\x00"}, "cause_found"),
            ({**RESOLVE, "cause_said": "\ud800"}, "cause_said"),
            ({"cause_found": "late"}, "what_was_done"),
            ({"cause_found": "late", "what_was_done": " "}, "what_was_done"),
        ],
    )
    def test_it_refuses(self, lina: Client, ticket: Ticket, body: Any, path: str) -> None:
        answer = lina.act(ticket, "resolve", body)
        assert (answer.status_code, places(answer)) == (400, {path})
        assert Ticket.objects.get().status == "new"

    def test_it_refuses_a_cause_no_longer_used(self, cast: Cast, lina: Client, ticket: Ticket) -> None:
        type(cast.late).objects.update(active=False)
        assert places(lina.act(ticket, "resolve", RESOLVE)) == {"cause_found"}

    def test_it_is_resolved_once(self, lina: Client, ticket: Ticket) -> None:
        resolved = lina.act(ticket, "resolve", RESOLVE).json()
        answer = lina.act(ticket, "resolve", RESOLVE, resolved["version"])
        assert (answer.status_code, answer.json()["code"]) == (409, "not_allowed_now")

    def test_it_is_reopened_with_a_reason(self, lina: Client, ticket: Ticket) -> None:
        resolved = lina.act(ticket, "resolve", RESOLVE).json()
        assert places(lina.act(ticket, "reopen", {}, resolved["version"])) == {"reason"}
        again = lina.act(ticket, "reopen", {"reason": "Broken again"}, resolved["version"]).json()
        assert (again["status"], again["cycle"]) == ("open", 2)
        assert len(again["deadlines"]) == 4


class TestMerge:
    def test_it_becomes_part_of_the_other(self, cast: Cast, lina: Client, ticket: Ticket) -> None:
        other = cast.ticket()
        body = lina.act(ticket, "merge", {"into": other.number, "reason": "One parcel"}).json()
        assert (body["status"], body["merged_into"]) == ("closed", other.number)
        assert len(lina.read(f"tickets/{other.number}/").json()["responses"]) == 2

    def test_it_refuses_a_ticket_one_does_not_see(self, cast: Cast, lina: Client, ticket: Ticket) -> None:
        hidden = cast.ticket(team=cast.west)
        for number in (hidden.number, "R-999999", "\x00", ""):
            answer = lina.act(ticket, "merge", {"into": number})
            assert (answer.status_code, places(answer)) == (400, {"into"})

    def test_it_refuses_itself(self, lina: Client, ticket: Ticket) -> None:
        answer = lina.act(ticket, "merge", {"into": ticket.number})
        assert (answer.status_code, answer.json()["code"]) == (409, "merge_with_itself")


@pytest.mark.parametrize("act", ["close", "absorb", "dance"])
def test_it_knows_no_other_act(lina: Client, ticket: Ticket, act: str) -> None:
    answer = lina.act(ticket, act)
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("body", [[], "note", 7, None])
def test_it_takes_an_object(lina: Client, ticket: Ticket, body: Any) -> None:
    answer = lina.send(f"tickets/{ticket.number}/note/", body, HTTP_IF_MATCH="*")
    assert answer.status_code == 400
    assert lifecycle.is_allowed("note", Ticket.objects.get().status)
