from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from surveys.models import Message
from tests.surveys.make import MONDAY, make_customer

pytestmark = pytest.mark.django_db

MOST_QUERIES = 12


def made(number: int = 0, **fields: Any) -> Message:
    return Message(
        **{
            "dedup_key": f"news:{number}",
            "kind": "news",
            "to_address": f"person{number}@example.com",
            "subject": f"News {number}",
            "text": "Something happened.",
            "state": Message.ACCEPTED,
            "send_at": MONDAY,
            "created_at": MONDAY,
            **fields,
        }
    )


def kept(number: int = 0, **fields: Any) -> Message:
    message = made(number, **fields)
    message.save()
    return message


def tried(message: Message, fence: int, result: str, **fields: Any) -> None:
    given = {"provider": "smtp", "started_at": MONDAY, "ended_at": MONDAY, "key": "k", **fields}
    message.deliveries.create(fence=fence, result=result, **given)


@pytest.fixture
def agent(client: Client) -> Client:
    client.force_login(User.objects.create_user("ma"))
    return client


@pytest.fixture
def supervisor() -> Client:
    user = User.objects.create_user("li")
    user.user_permissions.add(Permission.objects.get(codename="change_message"))
    client = Client()
    client.force_login(user)
    return client


class TestList:
    @pytest.mark.parametrize("address", ["/messages/", "/messages/1/"])
    def test_it_asks_who_you_are(self, client: Client, address: str) -> None:
        assert client.get(address).status_code == 302

    def test_it_says_what_would_be_here(self, agent: Client) -> None:
        assert "Nothing has been written yet" in agent.get("/messages/").text

    def test_it_shows_the_only_one(self, agent: Client) -> None:
        kept(1, state=Message.SUPPRESSED, reason="suppressed")
        page = agent.get("/messages/").text
        assert "person1@example.com" in page
        assert "the address must not be written to" in page

    def test_it_shows_ten_thousand_in_few_queries(
        self, agent: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        Message.objects.bulk_create(made(number) for number in range(10_000))
        with django_assert_max_num_queries(MOST_QUERIES):
            page = agent.get("/messages/")
        assert page.text.count("<tr>") == 51
        assert "News 9999" in page.text
        assert "News 0<" in agent.get("/messages/?page=200").text

    def test_it_puts_first_what_needs_a_person(self, agent: Client) -> None:
        kept(1, state=Message.UNCERTAIN)
        kept(2)
        page = agent.get("/messages/").text
        assert page.index("News 1") < page.index("News 2")

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("state=dead", {1}),
            ("state=needs_a_person", {1}),
            ("kind=other", {2}),
            ("channel=sms", {3}),
            ("channel=email&kind=news", {1}),
            ("channel=pigeon", set()),
            ("q=PERSON3", {3}),
            ("q=person&kind=news", {1, 3}),
            ("state=nonsense", set()),
            ("q=%00", {1, 2, 3}),
            ("q=%25", set()),
        ],
    )
    def test_it_filters(self, agent: Client, query: str, found: set[int]) -> None:
        kept(1, state=Message.DEAD)
        kept(2, kind="other")
        kept(3, channel="sms")
        page = agent.get(f"/messages/?{query}").text
        assert {number for number in (1, 2, 3) if f"News {number}" in page} == found
        assert ("No message matches" in page) is (not found)

    def test_it_shows_what_a_stranger_wrote_as_text(self, agent: Client) -> None:
        kept(1, subject="<script>alert(1)</script>")
        assert "<script>alert" not in agent.get("/messages/").text


class TestDetail:
    def test_it_shows_the_text_and_every_attempt(
        self, agent: Client, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        message = kept(1, state=Message.REJECTED, reason="550 no", customer=make_customer())
        for fence in range(5):
            message.deliveries.create(
                fence=fence, provider="smtp", started_at=MONDAY, result="retry", detail=f"45{fence} later"
            )
        with django_assert_max_num_queries(MOST_QUERIES):
            page = agent.get(f"/messages/{message.pk}/").text
        assert "Something happened." in page
        assert "550 no" in page
        assert all(f"45{fence} later" in page for fence in range(5))

    def test_it_says_what_is_known_of_a_doubtful_one(self, supervisor: Client) -> None:
        message = kept(1, state=Message.UNCERTAIN, reason="window_over", channel="sms")
        tried(message, 1, "retry", detail="503 busy")
        tried(message, 2, "resent", provider="by_hand", detail="Li Na")
        tried(message, 3, "uncertain", detail="sender_died", provider="sms.example", provider_class="A")
        page = supervisor.get(f"/messages/{message.pk}/").text
        assert "What is known" in page
        assert "2 of 2" in page
        assert "sms.example" in page
        assert "A: knows a repetition by its key" in page
        assert "the sender stopped half way" in page
        assert "the provider no longer knows a repetition" in page
        assert "Sent again, it may arrive twice." in page

    def test_it_warns_of_nothing_that_the_provider_has_denied(self, supervisor: Client) -> None:
        message = kept(1, state=Message.DEAD, reason="too_many_attempts")
        tried(message, 1, "uncertain", provider="chat.example", provider_class="B")
        tried(message, 2, "absent", provider="chat.example", provider_class="B")
        page = supervisor.get(f"/messages/{message.pk}/").text
        assert "What is known" not in page
        assert "asked: the provider never had it" in page
        assert "may arrive twice" not in page

    def test_it_says_so_in_chinese_too(self, supervisor: Client) -> None:
        message = kept(1, state=Message.UNCERTAIN, reason="sender_died")
        tried(message, 1, "uncertain", detail="sender_died")
        supervisor.cookies["django_language"] = "zh-hans"
        answer = supervisor.get(f"/messages/{message.pk}/")
        assert answer.status_code == 200
        assert 'lang="zh-' in answer.text

    def test_it_tells_an_administrator_what_to_set(self, agent: Client) -> None:
        message = kept(1, state=Message.REJECTED, reason="no_provider_chat", channel="chat")
        assert "an administrator sets CHAT_URL" in agent.get(f"/messages/{message.pk}/").text

    def test_it_keeps_the_customers_links_to_the_customer(self, agent: Client) -> None:
        message = kept(1, text=f"http://localhost:8000/s/{'a' * 32}/")
        page = agent.get(f"/messages/{message.pk}/").text
        assert "a" * 32 not in page
        assert "http://localhost:8000/s/…/" in page

    def test_it_knows_no_other(self, agent: Client) -> None:
        assert agent.get("/messages/7/").status_code == 404

    def test_it_offers_decisions_to_those_who_may_and_only_where_needed(
        self, agent: Client, supervisor: Client
    ) -> None:
        doubtful, done = kept(1, state=Message.UNCERTAIN), kept(2)
        assert "resend" in supervisor.get(f"/messages/{doubtful.pk}/").text
        assert "resend" not in agent.get(f"/messages/{doubtful.pk}/").text
        assert "resend" not in supervisor.get(f"/messages/{done.pk}/").text


class TestActs:
    @pytest.mark.parametrize(
        ("act", "becomes"),
        [("resend", Message.QUEUED), ("mark-sent", Message.ACCEPTED), ("drop", Message.CANCELLED)],
    )
    def test_it_does_what_a_person_decided(self, supervisor: Client, act: str, becomes: str) -> None:
        message = kept(1, state=Message.UNCERTAIN)
        answer = supervisor.post(f"/messages/{message.pk}/{act}/", follow=True)
        message.refresh_from_db()
        assert message.state == becomes
        assert "by a colleague" in answer.text

    def test_it_changes_nothing_twice(self, supervisor: Client) -> None:
        message = kept(1, state=Message.UNCERTAIN)
        supervisor.post(f"/messages/{message.pk}/drop/")
        answer = supervisor.post(f"/messages/{message.pk}/resend/", follow=True)
        message.refresh_from_db()
        assert message.state == Message.CANCELLED
        assert "Nothing was changed" in answer.text

    @pytest.mark.parametrize("act", ["resend", "mark-sent", "drop"])
    def test_it_refuses_those_who_may_not(self, agent: Client, act: str) -> None:
        message = kept(1, state=Message.UNCERTAIN)
        assert agent.post(f"/messages/{message.pk}/{act}/").status_code == 403
        message.refresh_from_db()
        assert message.state == Message.UNCERTAIN

    def test_it_refuses_a_stranger_a_visit_and_an_unknown_act(
        self, client: Client, supervisor: Client
    ) -> None:
        message = kept(1, state=Message.UNCERTAIN)
        assert client.post(f"/messages/{message.pk}/drop/").status_code == 302
        assert supervisor.get(f"/messages/{message.pk}/drop/").status_code == 405
        assert supervisor.post(f"/messages/{message.pk}/burn/").status_code == 404
        assert supervisor.post("/messages/7/drop/").status_code == 404
        message.refresh_from_db()
        assert message.state == Message.UNCERTAIN
