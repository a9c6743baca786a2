"""POST tickets/{number}/{act}/: writing to the customer, naming the cause, deciding about goodwill."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from recovery import lifecycle
from recovery.models import Goodwill, GoodwillKind, GoodwillLimit, Reply, Ticket
from surveys.messages import send, suppress
from surveys.models import Message
from tests.make import MINUTE, MONDAY, Cast
from tests.recovery.api.client import Client, places

LETTER = {"channel": "email", "subject": "Your parcel", "text": "We are sorry."}
ACTS = ("reply", "take-back", "cause", "approve-goodwill", "refuse-goodwill", "withdraw-goodwill")


@pytest.fixture
def ticket(cast: Cast) -> Ticket:
    return cast.ticket()


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize("act", ACTS)
def test_each_asks_for_the_version_first_and_is_described(lina: Client, ticket: Ticket, act: str) -> None:
    assert code(lina.send(f"tickets/{ticket.number}/{act}/", {})) == (428, "version_missing")
    assert code(lina.act(ticket, act, {}, version=99)) == (412, "stale")
    described = lina.get("/api/v1/schema/?format=json").json()["paths"]
    post = described[f"/api/v1/tickets/{{number}}/{act}/"]["post"]
    assert post["summary"]
    assert post["requestBody"]["content"]["application/json"]["examples"]
    assert "If-Match" in {each["name"] for each in post["parameters"]}


class TestReply:
    def test_it_writes_and_tells_its_number(self, lina: Client, ticket: Ticket) -> None:
        body = lina.act(ticket, "reply", LETTER).json()
        (row,) = body["replies"]
        assert (row["direction"], row["subject"], row["text"]) == ("ours", "Your parcel", "We are sorry.")
        assert (row["state"], row["by_name"], row["id"]) == ("written", "Li Na", Reply.objects.get().pk)
        assert Message.objects.get(kind="ticket_reply").state == Message.QUEUED
        assert body["events"][-1]["kind"] == "reply_sent"

    @pytest.mark.parametrize(
        ("change", "path"),
        [
            ({"text": ""}, "text"),
            ({"text": "x" * 5001}, "text"),
            ({"channel": "phone"}, "channel"),
            ({"subject": "x" * 201}, "subject"),
            ({"to": "a@b.example"}, "to"),
        ],
    )
    def test_it_refuses(self, lina: Client, ticket: Ticket, change: Any, path: str) -> None:
        answer = lina.act(ticket, "reply", {**LETTER, **change})
        assert (answer.status_code, places(answer)) == (400, {path})
        assert not Reply.objects.exists()

    def test_it_refuses_whom_nobody_may_write_to(self, cast: Cast, lina: Client) -> None:
        ticket = cast.ticket(customer=cast.customer(email="no@example.com"))
        suppress("no@example.com", reason="unsubscribed", at=MONDAY)
        assert code(lina.act(ticket, "reply", LETTER)) == (409, "suppressed")

    def test_it_is_taken_back_in_time(self, lina: Client, ticket: Ticket) -> None:
        written = lina.act(ticket, "reply", LETTER).json()
        given = {"reply": written["replies"][0]["id"]}
        body = lina.act(ticket, "take-back", given, written["version"]).json()
        assert body["replies"][0]["state"] == "taken_back"
        assert Message.objects.get(kind="ticket_reply").state == Message.CANCELLED
        assert code(lina.act(ticket, "take-back", given, body["version"])) == (409, "taken_back_already")

    def test_it_is_not_taken_back_once_it_is_gone(self, lina: Client, ticket: Ticket) -> None:
        written = lina.act(ticket, "reply", LETTER).json()
        send(Message.objects.get(kind="ticket_reply").pk, MONDAY + MINUTE)
        given = {"reply": written["replies"][0]["id"]}
        assert code(lina.act(ticket, "take-back", given, written["version"])) == (409, "reply_gone")

    @pytest.mark.parametrize("reply", [0, 10**30, "x", None, 4711])
    def test_it_takes_back_no_other(self, lina: Client, ticket: Ticket, reply: Any) -> None:
        answer = lina.act(ticket, "take-back", {"reply": reply})
        assert (answer.status_code, places(answer)) == (400, {"reply"})

    def test_it_takes_back_none_of_another_ticket(self, cast: Cast, lina: Client, ticket: Ticket) -> None:
        lifecycle.reply(cast.ticket(), by=cast.lina, at=MONDAY, channel="email", text="Elsewhere")
        answer = lina.act(ticket, "take-back", {"reply": Reply.objects.get().pk})
        assert (answer.status_code, places(answer)) == (400, {"reply"})


class TestCause:
    def test_it_is_noted(self, lina: Client, ticket: Ticket) -> None:
        body = lina.act(ticket, "cause", {"cause": "late"}).json()
        assert (body["cause_said"], body["cause_found"]) == ("late", None)

    @pytest.mark.parametrize("given", [{}, {"cause": "unknown"}, {"cause": None}])
    def test_it_refuses(self, lina: Client, ticket: Ticket, given: Any) -> None:
        answer = lina.act(ticket, "cause", given)
        assert (answer.status_code, places(answer)) == (400, {"cause"})


class TestGoodwill:
    @pytest.fixture
    def proposal(self, cast: Cast, ticket: Ticket) -> Goodwill:
        GoodwillLimit.objects.create(role="supervisor", cost=Decimal(100))
        kind = GoodwillKind.objects.create(name="Voucher")
        changed = lifecycle.give_goodwill(ticket, by=cast.lina, at=MONDAY, kind=kind, cost=Decimal(50))
        ticket.version = changed.version
        return Goodwill.objects.get()

    def test_it_is_approved(self, cast: Cast, ticket: Ticket, proposal: Goodwill) -> None:
        body = Client.of(cast.chen).act(ticket, "approve-goodwill", {"goodwill": proposal.pk}).json()
        assert (body["goodwill"][0]["state"], body["goodwill"][0]["decided_by_name"]) == ("given", "Chen Hao")

    def test_it_is_refused_with_a_reason_only(self, cast: Cast, ticket: Ticket, proposal: Goodwill) -> None:
        chen = Client.of(cast.chen)
        assert places(chen.act(ticket, "refuse-goodwill", {"goodwill": proposal.pk})) == {"reason"}
        given = {"goodwill": proposal.pk, "reason": "Too much"}
        body = chen.act(ticket, "refuse-goodwill", given).json()
        assert (body["goodwill"][0]["state"], body["goodwill"][0]["reason"]) == ("refused", "Too much")

    def test_who_proposed_it_withdraws_and_does_not_decide(
        self, lina: Client, ticket: Ticket, proposal: Goodwill
    ) -> None:
        given = {"goodwill": proposal.pk}
        assert code(lina.act(ticket, "approve-goodwill", given)) == (409, "own_proposal")
        body = lina.act(ticket, "withdraw-goodwill", given).json()
        assert body["goodwill"][0]["state"] == "withdrawn"

    def test_nobody_decides_above_their_limit(self, cast: Cast, ticket: Ticket, proposal: Goodwill) -> None:
        majun = Client.of(cast.majun)
        assert code(majun.act(ticket, "approve-goodwill", {"goodwill": proposal.pk})) == (409, "above_limit")

    def test_who_only_reads_decides_nothing(self, cast: Cast, ticket: Ticket, proposal: Goodwill) -> None:
        answer = Client.of(cast.vera).act(ticket, "approve-goodwill", {"goodwill": proposal.pk})
        assert answer.status_code == 403

    def test_another_tickets_proposal_is_none(self, cast: Cast, proposal: Goodwill) -> None:
        answer = Client.of(cast.chen).act(cast.ticket(), "approve-goodwill", {"goodwill": proposal.pk})
        assert (answer.status_code, places(answer)) == (400, {"goodwill"})
