"""GET tickets/, GET tickets/{number}/, POST tickets/ and GET callbacks/."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.utils.dateparse import parse_datetime

from recovery import lifecycle
from recovery.models import Ticket
from surveys.models import Response
from tests.make import DAY, HOUR, MINUTE, MONDAY, Cast
from tests.recovery.api.client import API, Client, places

# Of a P3 ticket opened at 10:00 on Monday in Shanghai: first contact at 14:00, in 4 working hours.
FIRST_DUE = MONDAY + 4 * HOUR


def numbers(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["number"] for row in answer.json()["results"]]


class TestTheList:
    def test_it_shows_a_row_with_who_and_by_when(self, cast: Cast, lina: Client) -> None:
        ticket = cast.ticket()
        row = lina.read("tickets/").json()["results"][0]
        assert row["number"] == ticket.number
        assert row["owner"] == {"id": cast.lina.pk, "username": "lina", "name": "Li Na"}
        assert row["customer"]["name"] == "Zhang Wei"
        assert (row["survey"], row["score"], row["band"]) == ("delivery", 2, "detractor")
        first = next(each for each in row["deadlines"] if each["kind"] == "first_contact")
        assert parse_datetime(first["due_at"]) == FIRST_DUE
        assert (row["overdue"], first["breached_at"], first["paused"]) == (False, None, False)

    def test_it_shows_the_tickets_of_ones_own_team_only(self, cast: Cast, lina: Client) -> None:
        mine = cast.ticket()
        cast.ticket(team=cast.west)
        assert numbers(lina.read("tickets/")) == [mine.number]

    def test_it_says_late_before_any_sweep_has_said_so(self, cast: Cast, lina: Client, clock: Any) -> None:
        cast.ticket()
        clock.move_to(FIRST_DUE)
        row = lina.read("tickets/").json()["results"][0]
        first = next(each for each in row["deadlines"] if each["kind"] == "first_contact")
        assert row["overdue"] is True
        assert parse_datetime(first["breached_at"]) == FIRST_DUE

    def test_it_shows_a_clock_that_stands(self, cast: Cast, lina: Client, clock: Any) -> None:
        lifecycle.start_waiting(cast.ticket(), by=cast.lina, at=MONDAY, reason="A photo")
        clock.move_to(FIRST_DUE + DAY)
        row = lina.read("tickets/").json()["results"][0]
        assert (row["status"], row["overdue"]) == ("waiting", False)
        assert [(each["due_at"], each["paused"]) for each in row["deadlines"]] == [(None, True)] * 2

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({"status": "new"}, "AB"),
            ({"status": "resolved"}, "C"),
            ({"status": "new,resolved"}, "ABC"),
            ({"owner": "lina"}, "AC"),
            ({"owner": "me"}, "AC"),
            ({"owner": "nobody"}, ""),
            ({"team": "East"}, "ABC"),
            ({"team": "West"}, ""),
            ({"priority": "1"}, "B"),
            ({"priority": "1,3"}, "ABC"),
            ({"priority": ",1,"}, "B"),
            ({"overdue": "true"}, "B"),
            ({"overdue": "false"}, "AC"),
            ({"due_before": "2026-03-02T12:00:00+08:00"}, "B"),
            ({"due_before": "2026-03-03T12:00:00+08:00"}, "AB"),
            ({"customer": "C-7"}, "A"),
            ({"customer": "amy@example.com"}, "B"),
            ({"survey": "delivery"}, "ABC"),
            ({"survey": "other"}, ""),
            ({"cause": "late"}, "C"),
            ({"cause": "rude"}, ""),
            ({"q": "amy"}, "B"),
            ({"q": "broken cup"}, "A"),
            ({"q": "送货"}, "A"),
            ({"q": "送错"}, ""),
            ({"q": "c-7"}, "A"),
            ({"q": "%"}, ""),
            ({"status": "new", "owner": "lina"}, "A"),
        ],
    )
    def test_it_is_narrowed_by(self, cast: Cast, lina: Client, clock: Any, query: Any, found: str) -> None:
        a = cast.ticket(
            customer=cast.customer("Wang", external_id="C-7"), comment="The broken cup is still here 送货晚了"
        )
        b = cast.ticket(customer=cast.customer("Amy Wong", email="amy@example.com"), priority=1)
        c = cast.ticket()
        lifecycle.resolve(c, by=cast.lina, at=MONDAY, cause_found=cast.late, what_was_done="Delivered.")
        clock.move_to(MONDAY + 61 * MINUTE)
        names = {a.number: "A", b.number: "B", c.number: "C"}
        assert "".join(sorted(names[each] for each in numbers(lina.read("tickets/", **query)))) == found

    @pytest.mark.parametrize(
        ("query", "path"),
        [
            ({"statuss": "new"}, "statuss"),
            ({"status": "newish"}, "status"),
            ({"priority": "9"}, "priority"),
            ({"overdue": "maybe"}, "overdue"),
            ({"due_before": "2026-03-02T12:00:00"}, "due_before"),
            ({"due_before": "soon"}, "due_before"),
            ({"q": "a\x00b"}, "q"),
            ({"owner": "a\x00b"}, "owner"),
            ({"ordering": "colour"}, "ordering"),
            ({"cursor": "xx"}, "cursor"),
            ({"cursor": "WyJpZCIsMV0"}, "cursor"),
            ({"limit": "0"}, "limit"),
            ({"limit": "many"}, "limit"),
        ],
    )
    def test_it_refuses(self, cast: Cast, lina: Client, query: Any, path: str) -> None:
        answer = lina.read("tickets/", **query)
        assert answer.status_code == 400
        assert places(answer) == {path}

    @pytest.mark.parametrize("ordering", ["number", "-number", "due_at", "-due_at", "priority", "-opened_at"])
    def test_it_pages_through_every_ticket_once_in_order(
        self, cast: Cast, lina: Client, ordering: str
    ) -> None:
        tickets = [cast.ticket(priority=1 + n % 3, at=MONDAY + n * MINUTE) for n in range(7)]
        lifecycle.start_waiting(tickets[3], by=None, at=MONDAY + HOUR, reason="A photo")
        query: dict[str, Any] = {"ordering": ordering, "limit": 2}
        seen: list[str] = []
        answer = lina.read("tickets/", **query)
        while True:
            seen += numbers(answer)
            url = answer.json()["next"]
            if url is None:
                break
            answer = lina.get(f"{urlsplit(url).path}?{urlsplit(url).query}")
        in_one = numbers(lina.read("tickets/", ordering=ordering))
        assert seen == in_one
        assert sorted(seen) == sorted(ticket.number for ticket in tickets)
        if ordering.endswith("due_at"):
            assert seen[-1] == tickets[3].number

    def test_it_refuses_the_cursor_of_another_order(self, cast: Cast, lina: Client) -> None:
        for _ in range(3):
            cast.ticket()
        url = urlsplit(lina.read("tickets/", limit=1).json()["next"])
        assert lina.get(f"{url.path}?{url.query}").status_code == 200
        assert lina.get(f"{url.path}?{url.query}&ordering=priority").status_code == 400

    @pytest.mark.parametrize("who", ["lina", "chen", "wu", "vera", "admin"])
    def test_it_takes_twelve_queries_at_most_for_any_length(
        self, cast: Cast, who: str, django_assert_max_num_queries: Any
    ) -> None:
        for _ in range(15):
            ticket = cast.ticket()
            lifecycle.book_callback(
                ticket, by=None, at=MONDAY, local_time="2026-03-03T10:00", time_zone="Asia/Shanghai"
            )
        client = Client.of(getattr(cast, who))
        with django_assert_max_num_queries(12):
            assert len(numbers(client.read("tickets/", status="open", team="East", q="zhang"))) == 15


class TestOneTicket:
    def test_it_shows_everything(self, cast: Cast, lina: Client) -> None:
        ticket = cast.ticket()
        ticket = lifecycle.book_callback(
            ticket, by=cast.lina, at=MONDAY, local_time="2026-03-02T12:00", time_zone="Asia/Shanghai"
        )
        ticket = lifecycle.log_contact(
            ticket, by=cast.lina, at=MONDAY + HOUR, outcome="reached", note="Sorry."
        )
        ticket = lifecycle.resolve(
            ticket,
            by=cast.lina,
            at=MONDAY + 2 * HOUR,
            cause_found=cast.late,
            cause_said=cast.rude,
            what_was_done="Delivered.",
        )
        answer = lina.read(f"tickets/{ticket.number}/")
        assert answer["ETag"] == f'"{ticket.version}"'
        body = answer.json()
        assert body["version"] == ticket.version
        assert {"goodwill", "requests", "severity_reasons", "owner", "team"} <= body.keys()
        assert (body["cause_found"], body["cause_said"], body["status"]) == ("late", "rude", "resolved")
        assert body["customer"]["email"] == ticket.customer.email  # type: ignore[union-attr]
        assert [each["comment"] for each in body["responses"]] == ["Nobody called."]
        assert [(each["outcome"], each["by"]) for each in body["contacts"]] == [("reached", "Li Na")]
        assert [(each["local_time"], each["state"]) for each in body["callbacks"]] == [
            ("2026-03-02T12:00", "done")
        ]
        assert body["resurvey"]["state"] == "planned"
        kinds = [event["kind"] for event in body["events"]]
        assert kinds == ["opened", "callback_booked", "contacted", "resolved", "resurvey_planned"]

    def test_it_explains_each_deadline_line_by_line(self, cast: Cast, lina: Client) -> None:
        ticket = cast.ticket()
        body = lina.read(f"tickets/{ticket.number}/").json()
        by_kind = {each["kind"]: each for each in body["deadlines"]}
        assert sum(line["minutes"] for line in by_kind["first_contact"]["ledger"]) == 240
        assert sum(line["minutes"] for line in by_kind["resolution"]["ledger"]) == 1440
        assert {line["why"] for line in by_kind["resolution"]["ledger"]} == {"working", "closed"}
        last = by_kind["resolution"]["ledger"][-1]
        assert parse_datetime(last["to"]) == parse_datetime(by_kind["resolution"]["due_at"])

    def test_it_is_found_by_its_number_in_any_case(self, cast: Cast, lina: Client) -> None:
        ticket = cast.ticket()
        assert lina.read(f"tickets/{ticket.number.lower()}/").status_code == 200

    @pytest.mark.parametrize("number", ["R-999999", "x", "%00", "R-1%F0%9F", "1' OR 1=1"])
    def test_it_does_not_exist_under_any_other_number(self, cast: Cast, lina: Client, number: str) -> None:
        answer = lina.get(f"{API}tickets/{number}/")
        assert answer.status_code == 404
        assert answer["Content-Type"] == "application/problem+json"

    def test_it_is_not_there_for_another_team(self, cast: Cast) -> None:
        ticket = cast.ticket()
        assert Client.of(cast.ann).read(f"tickets/{ticket.number}/").status_code == 404

    def test_it_takes_the_same_queries_however_long_its_history(
        self, cast: Cast, lina: Client, django_assert_max_num_queries: Any
    ) -> None:
        ticket = cast.ticket()
        for hour in range(1, 12):
            ticket = lifecycle.log_contact(
                ticket, by=cast.lina, at=MONDAY + hour * MINUTE, outcome="no_answer"
            )
        with django_assert_max_num_queries(26):
            lina.read(f"tickets/{ticket.number}/")


COMPLAINT = {
    "survey": "delivery",
    "customer": {"name": "Zhang Wei", "phone": "+86 138 0013 8000"},
    "comment": "The parcel came open.",
    "channel": "phone",
}


def complaint(**changes: Any) -> dict[str, Any]:
    return {**COMPLAINT, **changes}


class TestAComplaint:
    def test_it_opens_a_ticket_without_a_score(self, cast: Cast, lina: Client) -> None:
        answer = lina.send("tickets/", complaint())
        assert answer.status_code == 201
        body = answer.json()
        assert (body["score"], body["status"], body["team"]["name"]) == (None, "new", "East")
        assert answer["ETag"] == '"1"'
        assert body["severity_reasons"] == [{"code": "complaint", "value": "phone"}]
        assert body["events"][0]["by"] == "Li Na"
        response = Response.objects.get()
        assert (response.state, response.source.kind, response.triaged_at) == ("unanswered", "manual", MONDAY)

    def test_it_opens_a_ticket_even_with_a_high_score(self, cast: Cast, lina: Client) -> None:
        answer = lina.send("tickets/", complaint(score=9))
        assert (answer.status_code, answer.json()["score"]) == (201, 9)

    def test_it_joins_the_ticket_the_person_has(self, cast: Cast, lina: Client) -> None:
        first = lina.send("tickets/", complaint()).json()
        second = lina.send("tickets/", complaint(comment="Still nobody.")).json()
        assert second["number"] == first["number"]
        assert [each["role"] for each in second["responses"]] == ["opened", "absorbed"]
        assert second["priority"] == first["priority"] - 1

    def test_it_reopens_the_ticket_that_was_resolved(self, cast: Cast, lina: Client) -> None:
        number = lina.send("tickets/", complaint()).json()["number"]
        ticket = Ticket.objects.get(number=number)
        lifecycle.resolve(ticket, by=cast.lina, at=MONDAY, cause_found=cast.late, what_was_done="Delivered.")
        body = lina.send("tickets/", complaint(comment="It is open again.")).json()
        assert (body["number"], body["status"], body["cycle"]) == (number, "open", 2)

    def test_it_is_taken_once_under_one_id(self, cast: Cast, lina: Client) -> None:
        first = lina.send("tickets/", complaint(external_id="call-9"))
        again = lina.send("tickets/", complaint(external_id="call-9"))
        assert (first.status_code, again.status_code) == (201, 200)
        assert again.json()["number"] == first.json()["number"]
        assert again.json()["version"] == first.json()["version"]

    @pytest.mark.parametrize(
        ("changes", "path"),
        [
            ({"survey": "nobody"}, "survey"),
            ({"customer": None}, "customer"),
            ({"customer": {"name": "Zhang Wei"}}, "customer"),
            ({"comment": ""}, "comment"),
            ({"channel": None}, "channel"),
            ({"score": 11}, "score"),
            ({"score": "abc"}, "score"),
            ({"contact_me": True}, "contact_me"),
            ({"colour": "red"}, "colour"),
        ],
    )
    def test_it_is_refused_with_the_place(self, cast: Cast, lina: Client, changes: Any, path: str) -> None:
        answer = lina.send("tickets/", complaint(**changes))
        assert answer.status_code == 400
        assert path in places(answer)
        assert not Ticket.objects.exists()
        assert not Response.objects.exists()


class TestCallbacks:
    def test_it_lists_those_booked_by_time(self, cast: Cast, lina: Client) -> None:
        tickets = [cast.ticket(), cast.ticket(), cast.ticket(team=cast.west)]
        for ticket, hour in zip(tickets, (14, 12, 13), strict=True):
            lifecycle.book_callback(
                ticket,
                by=None,
                at=MONDAY,
                local_time=f"2026-03-02T{hour}:00",
                time_zone="Asia/Shanghai",
            )
        rows = lina.read("callbacks/").json()["results"]
        assert [row["ticket"] for row in rows] == [tickets[1].number, tickets[0].number]
        soon = lina.read("callbacks/", due_before="2026-03-02T13:00:00+08:00").json()["results"]
        assert [row["local_time"] for row in soon] == ["2026-03-02T12:00"]
        assert len(lina.read("callbacks/", owner="me").json()["results"]) == sum(
            ticket.owner_id == cast.lina.pk for ticket in tickets
        )
        lifecycle.cancel_callback(Ticket.objects.get(pk=tickets[0].pk), by=None, at=MONDAY)
        assert len(lina.read("callbacks/").json()["results"]) == 1
        assert len(lina.read("callbacks/", state="cancelled").json()["results"]) == 1

    def test_it_takes_the_same_queries_for_any_length(
        self, cast: Cast, lina: Client, django_assert_max_num_queries: Any
    ) -> None:
        for minute in range(15):
            lifecycle.book_callback(
                cast.ticket(),
                by=None,
                at=MONDAY,
                local_time=f"2026-03-02T12:{minute:02}",
                time_zone="Asia/Shanghai",
            )
        with django_assert_max_num_queries(12):
            assert len(lina.read("callbacks/").json()["results"]) == 15
