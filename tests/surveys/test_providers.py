"""Against a real HTTP server on a free port that is told how to misbehave."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from config.checks import deployment_facts
from config.env import http_provider, http_providers
from surveys.messages.email import Mail
from surveys.messages.providers.base import (
    ABSENT,
    ACCEPTED,
    FOUND,
    REJECTED,
    RETRY,
    UNCERTAIN,
    UNKNOWN,
    Outcome,
)
from surveys.messages.providers.chosen import provider_of
from surveys.messages.providers.http import HttpProvider
from surveys.models import Message
from tests.surveys.carrier import (
    TOKEN,
    Carrier,
    Handler,
    answers,
    carrier,
    drips,
    hangs,
    hangs_up,
    takes_and_breaks_off,
    takes_and_hangs_up,
    talks_garbage,
)
from tests.surveys.make import MONDAY

KEY = "k" * 64
Trick = Callable[[Handler], None]


@pytest.fixture
def keyed() -> Iterator[Carrier]:
    with carrier("key") as made:
        yield made


@pytest.fixture
def askable() -> Iterator[Carrier]:
    with carrier("ask") as made:
        yield made


@pytest.fixture
def blind() -> Iterator[Carrier]:
    with carrier("none") as made:
        yield made


def letter(**fields: Any) -> Message:
    return Message(
        **{
            "dedup_key": "news:1",
            "kind": "news",
            "channel": "email",
            "to_address": "zhang.wei@example.com",
            "subject": "消息",
            "text": "Something happened.\n",
            "html": "<p>Something happened.</p>",
            "headers": {"List-Unsubscribe": "<https://x.test/u/1/>"},
            "send_at": MONDAY,
            "created_at": MONDAY,
            **fields,
        }
    )


def deliver(to: Carrier, message: Message | None = None) -> Outcome:
    return HttpProvider.of(to.facts).deliver(message or letter(), KEY)


class TestWhatItIsSent:
    def test_it_sends_the_whole_message_with_token_and_key(self, keyed: Carrier, settings: Settings) -> None:
        settings.DEFAULT_FROM_EMAIL = "Harbour Bank <care@harbour.example>"
        assert deliver(keyed) == Outcome(ACCEPTED)
        [heard] = keyed.heard
        assert heard.path == "/messages"
        assert heard.headers["Authorization"] == f"Bearer {TOKEN}"
        assert heard.headers["Idempotency-Key"] == KEY
        assert heard.headers["Content-Type"] == "application/json"
        assert heard.json == {
            "from": "Harbour Bank <care@harbour.example>",
            "to": ["zhang.wei@example.com"],
            "subject": "消息",
            "text": "Something happened.\n",
            "html": "<p>Something happened.</p>",
            "headers": {"List-Unsubscribe": "<https://x.test/u/1/>"},
        }

    def test_it_sends_a_reference_to_whom_it_can_ask(self, askable: Carrier) -> None:
        deliver(askable)
        [heard] = askable.heard
        assert heard.json["reference"] == KEY
        assert "Idempotency-Key" not in heard.headers

    def test_it_sends_no_key_where_nobody_would_read_it(self, blind: Carrier) -> None:
        deliver(blind)
        [heard] = blind.heard
        assert "Idempotency-Key" not in heard.headers
        assert "reference" not in heard.json

    def test_it_sends_plain_text_by_sms_from_the_name(self, keyed: Carrier, settings: Settings) -> None:
        settings.DEFAULT_FROM_EMAIL = "Harbour Bank <care@harbour.example>"
        deliver(keyed, letter(channel="sms", to_address="+8613800138000", html="", headers={}))
        body = keyed.heard[0].json
        assert (body["from"], body["to"]) == ("Harbour Bank", ["+8613800138000"])
        assert not {"html", "headers"} & set(body)

    def test_it_sends_the_same_bytes_again(self, keyed: Carrier) -> None:
        keyed.tricks = [takes_and_hangs_up]
        assert deliver(keyed).result == UNCERTAIN
        assert deliver(keyed).result == ACCEPTED
        first, second = keyed.heard
        assert (first.body, first.headers) == (second.body, second.headers)
        assert len(keyed.deliveries) == 1


class TestAnswers:
    @pytest.mark.parametrize(
        ("kind", "trick", "result"),
        [
            ("key", answers(200), ACCEPTED),
            ("key", answers(202), ACCEPTED),
            ("key", takes_and_breaks_off, ACCEPTED),
            ("key", answers(302, Location="http://127.0.0.1/"), REJECTED),
            ("key", answers(400), REJECTED),
            ("key", answers(401), RETRY),
            ("none", answers(403), RETRY),
            ("key", answers(404), REJECTED),
            ("key", answers(422), REJECTED),
            ("key", answers(408), RETRY),
            ("key", answers(425), RETRY),
            ("key", answers(429), RETRY),
            ("key", answers(503), RETRY),
            ("key", answers(409, b'{"name": "concurrent_idempotent_requests"}'), RETRY),
            ("key", answers(409, b'{"name": "invalid_idempotent_request"}'), REJECTED),
            ("ask", answers(409), UNCERTAIN),
            ("none", answers(409), REJECTED),
            ("key", answers(500), UNCERTAIN),
            ("key", answers(502), UNCERTAIN),
            ("key", answers(504), UNCERTAIN),
            ("key", talks_garbage, UNCERTAIN),
            ("key", hangs_up, UNCERTAIN),
            ("none", takes_and_hangs_up, UNCERTAIN),
        ],
    )
    def test_it_says_no_more_than_it_knows(self, kind: str, trick: Trick, result: str) -> None:
        with carrier(kind) as made:
            made.tricks = [trick]
            assert deliver(made).result == result
            assert len(made.heard) == 1

    @pytest.mark.parametrize("trick", [hangs, drips])
    def test_it_hangs_up_in_time(self, keyed: Carrier, trick: Trick, settings: Settings) -> None:
        settings.DISPATCH_LEASE_SECONDS = 2.0
        keyed.tricks = [trick]
        started = time.monotonic()
        assert deliver(keyed).result == UNCERTAIN
        assert 0.4 < time.monotonic() - started < 1.0

    def test_it_believes_a_yes_whose_rest_never_comes(self, keyed: Carrier, settings: Settings) -> None:
        settings.DISPATCH_LEASE_SECONDS = 2.0

        def stalls(line: Handler) -> None:
            line.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")
            hangs(line)

        keyed.tricks = [stalls]
        assert deliver(keyed).result == ACCEPTED

    def test_it_reads_a_refusal_from_who_hangs_up_before_the_end(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            refuse_early(server)
            url = f"http://127.0.0.1:{server.getsockname()[1]}/"
            provider = HttpProvider.of({"URL": url, "TOKEN": "", "CLASS": "A", "WINDOW_HOURS": 24})
            assert provider.deliver(letter(text="x" * 50_000_000), KEY).result in (REJECTED, UNCERTAIN)

    def test_it_tries_again_where_nobody_listens(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        facts = {"URL": f"http://127.0.0.1:{port}/", "TOKEN": "", "CLASS": "C", "WINDOW_HOURS": 24}
        outcome = HttpProvider.of(facts).deliver(letter(), KEY)
        assert outcome.result == RETRY
        assert "refused" in outcome.detail

    def test_it_says_nothing_to_whom_it_cannot_trust(self, keyed: Carrier) -> None:
        facts = {**keyed.facts, "URL": keyed.facts["URL"].replace("http:", "https:")}
        assert HttpProvider.of(facts).deliver(letter(), KEY).result == RETRY
        assert keyed.heard == []

    def test_it_never_shows_the_token(self, keyed: Carrier) -> None:
        keyed.tricks = [answers(401, f'{{"error": "wrong token {TOKEN}\\u202e"}}'.encode())]
        outcome = deliver(keyed)
        assert "wrong token …" in outcome.detail
        assert TOKEN not in outcome.detail + repr(HttpProvider.of(keyed.facts))

    @pytest.mark.parametrize(
        ("headers", "wait"),
        [
            ({"Retry_After": "120"}, timedelta(minutes=2)),
            ({"Retry_After": "999999999999"}, timedelta(minutes=30)),
            ({"Retry_After": "Mon, 02 Mar 2026 09:05:00 GMT"}, None),
            ({"Retry_After": "soon"}, None),
            ({"Retry_After": "²"}, None),
            ({}, None),
        ],
    )
    def test_it_stays_away_as_long_as_asked(
        self, keyed: Carrier, headers: dict[str, str], wait: timedelta | None
    ) -> None:
        keyed.tricks = [answers(429, b"", **headers)]
        outcome = deliver(keyed)
        # By the server's own clock that date is past.
        assert (outcome.wait or None) == wait

    def test_it_counts_to_a_date_by_the_clock_of_who_named_it(self, keyed: Carrier) -> None:
        keyed.tricks = [lambda line: line.answer(503, Retry_After=formatdate(time.time() + 600, usegmt=True))]
        wait = deliver(keyed).wait
        assert wait
        assert abs(wait - timedelta(minutes=10)) <= timedelta(seconds=2)


def refuse_early(server: socket.socket) -> None:
    def serve() -> None:
        line, _ = server.accept()
        line.recv(1000)
        line.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        line.close()

    threading.Thread(target=serve, daemon=True).start()


class TestAsking:
    @pytest.mark.parametrize(
        ("trick", "said"),
        [
            (answers(200, b'{"state": "accepted"}'), FOUND),
            (answers(200, b'{"state": "delivered", "reference": "%s"}' % KEY.encode()), FOUND),
            (answers(200, b'[{"state": "failed"}, {"state": "sent"}]'), FOUND),
            (answers(404), ABSENT),
            (answers(200, b"[]"), ABSENT),
            (answers(200, b'{"state": "queued"}'), UNKNOWN),
            (answers(200, b'[{"state": "accepted", "reference": "another"}]'), UNKNOWN),
            (answers(200, b"<html>"), UNKNOWN),
            (answers(200, b"[" * 50_000), UNKNOWN),
            (answers(200, b"7"), UNKNOWN),
            (answers(401), UNKNOWN),
            (answers(500), UNKNOWN),
            (talks_garbage, UNKNOWN),
            (hangs_up, UNKNOWN),
        ],
    )
    def test_it_takes_only_a_clear_word_for_one(self, askable: Carrier, trick: Trick, said: str) -> None:
        askable.tricks = [trick]
        assert HttpProvider.of(askable.facts).ask(KEY) == said
        [heard] = askable.heard
        assert (heard.method, heard.path) == ("GET", f"/messages?reference={KEY}")
        assert heard.headers["Authorization"] == f"Bearer {TOKEN}"

    def test_it_finds_what_was_taken(self, askable: Carrier) -> None:
        askable.tricks = [takes_and_hangs_up]
        assert deliver(askable).result == UNCERTAIN
        assert HttpProvider.of(askable.facts).ask(KEY) == FOUND
        assert HttpProvider.of(askable.facts).ask("another") == ABSENT

    def test_it_knows_nothing_where_nobody_listens(self) -> None:
        facts = {"URL": "http://127.0.0.1:9/", "TOKEN": "", "CLASS": "B", "WINDOW_HOURS": 24}
        assert HttpProvider.of(facts).ask(KEY) == UNKNOWN


class TestConfiguration:
    def test_it_reads_the_facts_from_the_url(self) -> None:
        assert http_provider(
            "SMS_URL", "https://a%2Fb@sms.example:8443/v1/send?class=key&window_hours=12"
        ) == {
            "URL": "https://sms.example:8443/v1/send",
            "TOKEN": "a/b",
            "CLASS": "A",
            "WINDOW_HOURS": 12.0,
        }

    @pytest.mark.parametrize(
        ("words", "klass"), [("", "C"), ("?class=none", "C"), ("?class=ask", "B"), ("?class=key", "A")]
    )
    def test_it_counts_on_nothing_it_was_not_told(self, words: str, klass: str) -> None:
        assert http_provider("SMS_URL", f"https://sms.example/{words}")["CLASS"] == klass

    @pytest.mark.parametrize(
        "url",
        [
            "sms.example/send",
            "ftp://s3cret@sms.example/",
            "https://s3cret@/send",
            "https://s3cret:more@sms.example/",
            "https://s3cret@sms.example:port/",
            "https://s3cret@sms.example/?class=best",
            "https://s3cret@sms.example/?class=key&window_hours=ever",
            "https://s3cret@sms.example/?class=key&window_hours=0",
            "https://s3cret@sms.example/?class=key&window_hours=nan",
            "https://s3cret@sms.example/?klass=key",
            "https://s3cret%0a@sms.example/",
            "https://s3cret@sms.example/发送",
        ],
    )
    def test_it_refuses_a_url_it_does_not_understand_without_repeating_it(self, url: str) -> None:
        with pytest.raises(ImproperlyConfigured) as refused:
            http_provider("SMS_URL", url)
        assert "SMS_URL must look like" in str(refused.value)
        assert "s3cret" not in str(refused.value)

    def test_it_reads_each_channel_and_files_too(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        kept = tmp_path / "sms"
        kept.write_text("https://s3cret@sms.example/?class=key\n")
        monkeypatch.setenv("SMS_URL_FILE", str(kept))
        monkeypatch.setenv("CHAT_URL", "http://chat.example/?class=ask")
        monkeypatch.setenv("EMAIL_URL", "smtp://mail.example:25")
        found = http_providers()
        assert {channel: facts["CLASS"] for channel, facts in found.items()} == {"sms": "A", "chat": "B"}
        assert found["sms"]["TOKEN"] == "s3cret"
        monkeypatch.setenv("EMAIL_URL", "https://key@mail.example/emails?class=key")
        assert http_providers()["email"]["URL"] == "https://mail.example/emails"

    def test_it_takes_who_was_named_for_the_channel(self, settings: Settings) -> None:
        settings.PROVIDERS = {}
        mail = provider_of("email")
        assert isinstance(mail, Mail)
        assert (mail.name, mail.klass, mail.ask(KEY)) == ("smtp", "C", UNKNOWN)
        assert provider_of("sms") is None
        settings.PROVIDERS = {"email": http_provider("EMAIL_URL", "https://k@mail.example/emails?class=key")}
        named = provider_of("email")
        assert named
        assert (named.name, named.klass, named.window) == ("mail.example", "A", timedelta(hours=24))

    def test_it_says_at_deployment_what_nobody_carries_and_what_goes_in_the_open(
        self, monkeypatch: pytest.MonkeyPatch, settings: Settings
    ) -> None:
        monkeypatch.delenv("SMS_URL", raising=False)
        settings.PROVIDERS = {"chat": http_provider("CHAT_URL", "http://s3cret@chat.example/")}
        said = {message.id: str(message.msg) for message in deployment_facts(None)}
        assert "SMS_URL is not set" in said["redress.I001"]
        assert "redress.I002" not in said
        assert "CHAT_URL does not start with https://" in said["redress.W022"]
        settings.PROVIDERS = {"chat": http_provider("CHAT_URL", "https://s3cret@chat.example/")}
        assert "redress.W022" not in {message.id for message in deployment_facts(None)}
