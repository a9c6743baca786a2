from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as live
from django.contrib.auth.models import User
from django.db import connection
from pytest_django import Settings

from surveys.messages import compose, find_link, make_link, queue_message, suppress, unsuppress, verdict
from surveys.models import Customer, Invitation, Message, PublicLink
from tests.surveys.make import MONDAY, make_customer, make_survey

pytestmark = pytest.mark.django_db


@pytest.fixture
def letter(settings: Settings, tmp_path: Path) -> Callable[[str, str], None]:
    """Adds a template `messages/<name>` for the length of the test."""
    settings.TEMPLATES = [{**live.TEMPLATES[0], "DIRS": [tmp_path]}]
    (tmp_path / "messages").mkdir()

    def add(name: str, text: str) -> None:
        (tmp_path / "messages" / name).write_text(text)

    return add


@pytest.fixture
def news(letter: Callable[[str, str], None]) -> None:
    letter("news.txt", "{{ word }} for you\n\nDear {{ to_name }}, {{ word }} at {{ hour|date:'H:i' }}.\n")


def queue(key: str = "news:1", **fields: Any) -> Message:
    return queue_message(
        **{
            "dedup_key": key,
            "kind": "news",
            "to_address": "zhang.wei@example.com",
            "locale": "en",
            "context": {"word": "News", "hour": MONDAY},
            "at": MONDAY,
            **fields,
        }
    )


class TestCompose:
    def test_it_splits_subject_from_body(self, news: None) -> None:
        message = queue(to_name="Wei")
        assert (message.subject, message.text) == ("News for you", "Dear Wei, News at 09:00.\n")
        assert (message.state, message.send_at, message.html) == (Message.QUEUED, MONDAY, "")

    def test_it_says_the_same_thing_once(self, news: None) -> None:
        assert queue().pk == queue(context={"word": "Other", "hour": MONDAY}).pk
        assert queue("news:2").pk != queue().pk
        assert Message.objects.count() == 2

    def test_it_leaves_no_second_link_for_the_same_thing(self, news: None) -> None:
        customer = make_customer()
        queue(customer=customer)
        queue(customer=customer)
        assert PublicLink.objects.count() == 1

    def test_it_does_not_escape_text_but_escapes_html(
        self, news: None, letter: Callable[[str, str], None]
    ) -> None:
        letter("news.html", "<p>{{ word }}</p>")
        message = queue(context={"word": "Tea & <b>", "hour": MONDAY})
        assert message.subject == "Tea & <b> for you"
        assert message.html == "<p>Tea &amp; &lt;b&gt;</p>"

    def test_it_keeps_a_name_from_ending_a_header(self, news: None) -> None:
        message = queue(
            to_name="Eve\r\nBcc: all@example.com\u202e", context={"word": "a\u202eb", "hour": MONDAY}
        )
        assert message.to_name == "Eve Bcc: all@example.com"
        assert message.subject == "a b for you"

    def test_it_tells_a_customer_the_hour_where_they_are(self, news: None) -> None:
        assert "17:00" in queue(customer=make_customer(time_zone="Asia/Shanghai")).text

    def test_it_gives_every_customer_the_way_out(self, news: None) -> None:
        message = queue(customer=make_customer())
        url = message.headers["List-Unsubscribe"].strip("<>")
        assert message.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert url in message.text
        link = find_link(url.rstrip("/").rsplit("/", 1)[1], PublicLink.UNSUBSCRIBE, MONDAY)
        assert link
        assert link.about == f"message:{message.pk}"

    def test_it_offers_a_colleague_no_unsubscribing(self, news: None) -> None:
        message = queue(user=User.objects.create_user("li"))
        assert message.headers == {}
        assert PublicLink.objects.count() == 0

    def test_it_nudges_the_sender_on_commit_unless_it_is_for_later(
        self, news: None, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        nudged: list[tuple[Any, ...]] = []
        monkeypatch.setattr("surveys.messages.compose.nudge", lambda *given: nudged.append(given))
        with django_capture_on_commit_callbacks(execute=True):
            now = queue()
            queue("news:later", send_at=MONDAY + timedelta(hours=1))
        assert nudged == [("messages", now.pk)]


@pytest.mark.django_db(transaction=True)
def test_it_writes_one_row_when_two_say_the_same_at_once(news: None, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    both_looked = threading.Barrier(2)

    def write(*given: Any) -> None:
        both_looked.wait(timeout=5)
        written(*given)

    written = compose._write
    monkeypatch.setattr(compose, "_write", write)

    def say() -> None:
        made.append(queue().pk)
        connection.close()

    threads = [threading.Thread(target=say) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 2
    assert len(set(made)) == 1
    assert Message.objects.count() == 1


class TestGate:
    def test_it_lets_an_ordinary_message_out(self, news: None) -> None:
        assert verdict(queue(customer=make_customer()), MONDAY).ok

    def test_it_stops_what_comes_too_late(self, news: None) -> None:
        message = queue(not_after=MONDAY)
        assert verdict(message, MONDAY).ok
        late = verdict(message, MONDAY + timedelta(seconds=1))
        assert (late.ok, late.state, late.reason) == (False, Message.EXPIRED, "not_after")

    def test_it_stops_at_a_suppressed_address_however_it_is_written(self, news: None) -> None:
        message = queue(customer=make_customer(), to_address="Zhang.Wei@Example.com")
        suppress("  zhang.wei@example.COM ", "unsubscribed", MONDAY)
        stopped = verdict(message, MONDAY)
        assert (stopped.ok, stopped.state, stopped.reason) == (False, Message.SUPPRESSED, "suppressed")
        unsuppress("zhang.wei@example.com")
        assert verdict(message, MONDAY).ok

    def test_it_keeps_a_bounced_address_suppressed_whatever_its_owner_presses(self, news: None) -> None:
        suppress("zhang.wei@example.com", "bounced", MONDAY)
        unsuppress("zhang.wei@example.com")
        assert not verdict(queue(customer=make_customer()), MONDAY).ok

    def test_it_still_tells_a_colleague_who_unsubscribed_as_a_customer(self, news: None) -> None:
        suppress("zhang.wei@example.com", "unsubscribed", MONDAY)
        assert verdict(queue(user=User.objects.create_user("li")), MONDAY).ok

    def test_it_tells_a_closed_account_nothing(self, news: None) -> None:
        message = queue(user=User.objects.create_user("li", is_active=False))
        assert verdict(message, MONDAY).reason == "colleague_left"

    @pytest.mark.parametrize(
        ("state", "ok"), [("sent", True), ("answered", False), ("expired", False), ("cancelled", False)]
    )
    def test_it_asks_nobody_whose_invitation_is_over(self, news: None, state: str, ok: bool) -> None:
        customer = make_customer()
        invitation = Invitation.objects.create(
            survey=make_survey(), customer=customer, state=state, send_at=MONDAY, created_at=MONDAY
        )
        judged = verdict(queue(customer=customer, invitation=invitation), MONDAY)
        assert judged.ok is ok
        assert judged.reason == ("" if ok else f"invitation_{state}")


class TestLinks:
    @pytest.fixture
    def customer(self) -> Customer:
        return make_customer()

    def token(self, customer: Customer) -> str:
        url = make_link(
            PublicLink.CUSTOMER, at=MONDAY, expires_at=MONDAY + timedelta(days=1), customer=customer
        )
        assert url.startswith(f"{live.PUBLIC_URL}/c/")
        return url.rstrip("/").rsplit("/", 1)[1]

    def test_it_finds_the_person_and_keeps_only_a_hash(self, customer: Customer) -> None:
        token = self.token(customer)
        link = find_link(token, PublicLink.CUSTOMER, MONDAY)
        assert link
        assert link.customer == customer
        assert len(token) >= 32
        assert not PublicLink.objects.filter(token_hash__contains=token).exists()

    def test_it_refuses_unknown_expired_revoked_and_another_purpose(self, customer: Customer) -> None:
        token = self.token(customer)
        assert find_link("unknown", PublicLink.CUSTOMER, MONDAY) is None
        assert find_link(token, PublicLink.SURVEY, MONDAY) is None
        assert find_link(token, PublicLink.CUSTOMER, MONDAY + timedelta(days=1)) is None
        PublicLink.objects.update(revoked_at=MONDAY)
        assert find_link(token, PublicLink.CUSTOMER, MONDAY) is None
