"""Senders that die or freeze at every step, against real servers whose own list is the judge."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from dispatch import epoch, failpoints
from dispatch.clock import steady
from surveys.messages import deliver as delivery
from surveys.messages import doubt, resend, send
from surveys.messages.gate import Verdict
from surveys.models import DeliveryAttempt, Message
from tests.surveys.carrier import (
    Carrier,
    Handler,
    answers,
    carrier,
    hangs_up,
    takes_and_hangs_up,
)
from tests.surveys.make import MONDAY

pytestmark = pytest.mark.django_db

SETTLED = {Message.ACCEPTED, Message.REJECTED, Message.UNCERTAIN, Message.DEAD, Message.EXPIRED}
SETTLED |= {Message.CANCELLED, Message.SUPPRESSED}
UNSENT = (Message.REJECTED, Message.DEAD, Message.EXPIRED, Message.CANCELLED, Message.SUPPRESSED)


@pytest.fixture(autouse=True)
def not_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """That a restored database says nothing is its own story, told elsewhere."""
    monkeypatch.setattr(epoch, "advance", lambda _at: True)


class Killed(BaseException):
    """Nothing catches it: the process is gone."""


@contextmanager
def at_failpoint(name: str, what: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Once, at this failpoint, `what` happens; the list says whether it was reached."""
    reached: list[str] = []

    def fire(hit: str, _what: str) -> None:
        if not reached:
            reached.append(hit)
            what()

    with monkeypatch.context() as patch:
        patch.setattr(failpoints, "_armed", {name: "x"})
        patch.setattr(failpoints, "fire", fire)
        yield reached


def die() -> None:
    raise Killed


def killed(message: Message, at: datetime, point: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with at_failpoint(point, die, monkeypatch) as reached, pytest.raises(Killed):
        send(message.pk, at)
    assert reached == [point]


@pytest.fixture(params=["key", "ask", "none"])
def to(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Carrier]:
    with carrier(request.param) as made:
        settings.PROVIDERS = {"sms": made.facts}
        yield made


@contextmanager
def carried_by(kind: str, settings: Settings) -> Iterator[Carrier]:
    with carrier(kind) as made:
        settings.PROVIDERS = {"sms": made.facts}
        yield made


def queued(**fields: Any) -> Message:
    return Message.objects.create(
        **{
            "dedup_key": f"news:{Message.objects.count()}",
            "kind": "news",
            "channel": "sms",
            "to_address": "+8613800138000",
            "subject": "News",
            "text": "Something happened.\n",
            "send_at": MONDAY,
            "created_at": MONDAY,
            **fields,
        }
    )


def colleague() -> User:
    return User.objects.create_user("li")


def after(message: Message) -> Message:
    return Message.objects.get(pk=message.pk)


def next_time(message: Message, at: datetime) -> datetime:
    row = after(message)
    due = row.lease_until if row.state == Message.SENDING else row.send_at
    assert due is not None
    return max(at, due)


def settle(message: Message, at: datetime) -> Message:
    """What the other workers do, as time goes by, until nothing is left to do."""
    for _ in range(30):
        if after(message).state in SETTLED:
            return after(message)
        at = next_time(message, at)
        send(message.pk, at)
    raise AssertionError(f"still {after(message).state}: {list(message.deliveries.values())}")


A, B, C, COLLEAGUE = "A", "B", "C", "colleague of C"
KINDS = {A: "key", B: "ask", C: "none", COLLEAGUE: "none"}
# (class, where the sender dies): how often it was delivered in the end, and how the message ended.
DEATHS = {
    (A, "message_claimed"): (1, "accepted"),
    (A, "before_intent_commit"): (1, "accepted"),
    (A, "after_intent_commit"): (1, "accepted"),
    (A, "before_call"): (1, "accepted"),
    (A, "request_half_sent"): (1, "accepted"),
    (A, "provider_accepted"): (1, "accepted"),
    (A, "before_finish"): (1, "accepted"),
    (A, "after_finish"): (1, "accepted"),
    (B, "message_claimed"): (1, "accepted"),
    (B, "before_intent_commit"): (1, "accepted"),
    (B, "after_intent_commit"): (1, "accepted"),
    (B, "before_call"): (1, "accepted"),
    (B, "request_half_sent"): (1, "accepted"),
    (B, "provider_accepted"): (1, "accepted"),
    (B, "before_finish"): (1, "accepted"),
    (B, "after_finish"): (1, "accepted"),
    (C, "message_claimed"): (1, "accepted"),
    (C, "before_intent_commit"): (1, "accepted"),
    (C, "after_intent_commit"): (0, "uncertain"),
    (C, "before_call"): (0, "uncertain"),
    (C, "request_half_sent"): (0, "uncertain"),
    (C, "provider_accepted"): (1, "uncertain"),
    (C, "before_finish"): (1, "uncertain"),
    (C, "after_finish"): (1, "accepted"),
    (COLLEAGUE, "message_claimed"): (1, "accepted"),
    (COLLEAGUE, "after_intent_commit"): (1, "accepted"),
    (COLLEAGUE, "request_half_sent"): (1, "accepted"),
    # At least once: this is the window in which a colleague may hear it twice.
    (COLLEAGUE, "provider_accepted"): (2, "accepted"),
    (COLLEAGUE, "before_finish"): (2, "accepted"),
}


@pytest.mark.parametrize(("klass", "point"), DEATHS, ids=[f"{k}-{p}" for k, p in DEATHS])
def test_it_survives_a_death(
    klass: str, point: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with carried_by(KINDS[klass], settings) as to:
        message = queued(user=colleague() if klass == COLLEAGUE else None)
        killed(message, MONDAY, point, monkeypatch)
        ended = settle(message, MONDAY)
        assert (len(to.deliveries), ended.state) == DEATHS[klass, point]
        keys = {each.headers.get("Idempotency-Key") or each.json.get("reference") for each in posts(to)}
        assert keys <= {ended.key if klass in (A, B) else None}


@pytest.mark.parametrize(
    ("klass", "first", "then", "times", "state"),
    [
        (A, "provider_accepted", "giving_back_a", 1, "accepted"),
        (A, "provider_accepted", "before_finish", 1, "accepted"),
        (B, "provider_accepted", "giving_back_b", 1, "accepted"),
        (B, "provider_accepted", "asking_provider", 1, "accepted"),
        (B, "after_intent_commit", "asking_provider", 1, "accepted"),
        (C, "provider_accepted", "giving_back_c", 1, "uncertain"),
        (C, "after_intent_commit", "giving_back_c", 0, "uncertain"),
    ],
)
def test_it_survives_the_death_of_who_comes_after(
    klass: str,
    first: str,
    then: str,
    times: int,
    state: str,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with carried_by(KINDS[klass], settings) as to:
        message = queued()
        killed(message, MONDAY, first, monkeypatch)
        at = next_time(message, MONDAY)
        if then == "asking_provider":
            send(message.pk, at)
            at = next_time(message, at)
        killed(message, at, then, monkeypatch)
        ended = settle(message, at)
        assert (len(to.deliveries), ended.state) == (times, state)


def posts(to: Carrier) -> list[Any]:
    return [each for each in to.heard if each.method == "POST"]


class TestFrozen:
    """A worker stops for three leases, the others go on, then it wakes."""

    @pytest.mark.parametrize(
        ("klass", "point", "times", "state"),
        [
            (A, "message_claimed", 1, "accepted"),
            (A, "after_intent_commit", 1, "accepted"),
            (A, "before_call", 1, "accepted"),
            (A, "request_half_sent", 1, "accepted"),
            (A, "provider_accepted", 1, "accepted"),
            (A, "before_finish", 1, "accepted"),
            (B, "message_claimed", 1, "accepted"),
            (B, "after_intent_commit", 1, "accepted"),
            (B, "before_call", 1, "accepted"),
            # The one window of B: it was asked while a request stood still half way.
            (B, "request_half_sent", 2, "accepted"),
            (B, "provider_accepted", 1, "accepted"),
            (B, "before_finish", 1, "accepted"),
            (C, "message_claimed", 1, "accepted"),
            (C, "after_intent_commit", 0, "uncertain"),
            (C, "before_call", 0, "uncertain"),
            (C, "request_half_sent", 1, "uncertain"),
            (C, "provider_accepted", 1, "uncertain"),
            (C, "before_finish", 1, "uncertain"),
        ],
    )
    def test_it_changes_nothing_when_it_wakes(
        self,
        klass: str,
        point: str,
        times: int,
        state: str,
        settings: Settings,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        with carried_by(KINDS[klass], settings) as to:
            message = queued()
            before: list[Any] = []

            def others() -> None:
                settle(message, MONDAY)
                before.append(rows(message))
                slept(monkeypatch, 3 * settings.DISPATCH_LEASE_SECONDS)

            with at_failpoint(point, others, monkeypatch) as reached:
                send(message.pk, MONDAY)
            assert reached == [point]
            assert rows(message) == before[0]
            assert (len(to.deliveries), after(message).state) == (times, state)

    def test_it_leaves_the_answer_of_a_late_question_alone(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with carried_by("ask", settings) as to:
            message = queued()
            killed(message, MONDAY, "after_intent_commit", monkeypatch)
            at = next_time(message, MONDAY)
            send(message.pk, at)
            before: list[Any] = []

            def others() -> None:
                settle(message, next_time(message, at))
                before.append(rows(message))
                slept(monkeypatch, 3 * settings.DISPATCH_LEASE_SECONDS)

            with at_failpoint("asking_provider", others, monkeypatch):
                send(message.pk, next_time(message, at))
            assert rows(message) == before[0]
            assert len(to.deliveries) == 1


def rows(message: Message) -> Any:
    return [list(Message.objects.values()), list(message.deliveries.values())]


def slept(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr(delivery, "steady", lambda: steady() + seconds)


class TestKeyed:
    def test_it_repeats_with_the_same_key_while_the_provider_surely_remembers(
        self, settings: Settings
    ) -> None:
        with carried_by("key", settings) as to:
            to.tricks = [takes_and_hangs_up]
            # For a colleague, whom nobody lets sleep.
            message = queued(user=colleague())
            assert send(message.pk, MONDAY) == Message.QUEUED
            assert send(message.pk, MONDAY + timedelta(hours=19)) == Message.ACCEPTED
            assert len(to.deliveries) == 1
            assert len({each.headers["Idempotency-Key"] for each in to.heard}) == 1

    def test_it_does_not_repeat_what_the_provider_may_have_forgotten(self, settings: Settings) -> None:
        with carried_by("key", settings) as to:
            to.tricks = [takes_and_hangs_up]
            message = queued()
            send(message.pk, MONDAY)
            assert send(message.pk, MONDAY + timedelta(hours=19, minutes=12)) == Message.UNCERTAIN
            assert after(message).reason == "window_over"
            assert len(to.heard) == 1

    def test_it_counts_from_the_first_time_the_provider_heard_the_key(self, settings: Settings) -> None:
        with carried_by("key", settings) as to:
            to.tricks = [takes_and_hangs_up, hangs_up]
            message = queued(user=colleague())
            send(message.pk, MONDAY)
            assert send(message.pk, MONDAY + timedelta(hours=19)) == Message.QUEUED
            assert send(message.pk, MONDAY + timedelta(hours=20)) == Message.UNCERTAIN
            assert len(to.heard) == 2

    def test_it_may_wait_long_after_a_clear_no(self, settings: Settings) -> None:
        with carried_by("key", settings) as to:
            to.tricks = [answers(429)]
            message = queued()
            send(message.pk, MONDAY)
            assert send(message.pk, MONDAY + timedelta(days=3)) == Message.ACCEPTED

    def test_it_gives_up_as_uncertain_after_five_doubtful_tries(self, settings: Settings) -> None:
        with carried_by("key", settings) as to:
            to.tricks = [takes_and_hangs_up, *[hangs_up] * 9]
            message = queued()
            assert settle(message, MONDAY).state == Message.UNCERTAIN
            assert len(to.heard) == 5


class TestAskable:
    def test_it_asks_only_after_a_while(self, settings: Settings) -> None:
        with carried_by("ask", settings) as to:
            to.tricks = [takes_and_hangs_up]
            message = queued()
            assert send(message.pk, MONDAY) == Message.QUEUED
            waits = after(message).send_at - MONDAY
            assert timedelta(minutes=2) <= waits < timedelta(minutes=2, seconds=5)
            assert after(message).reason == "waits_to_ask"
            assert send(message.pk, MONDAY + timedelta(minutes=1)) == Message.QUEUED
            assert send(message.pk, after(message).send_at) == Message.ACCEPTED
            assert [each.method for each in to.heard] == ["POST", "GET"]
            assert [each.result for each in message.deliveries.all()] == ["uncertain", "found"]
            assert after(message).attempts == 1

    def test_it_sends_again_what_never_arrived(self, settings: Settings) -> None:
        with carried_by("ask", settings) as to:
            to.tricks = [hangs_up]
            message = queued()
            assert settle(message, MONDAY).state == Message.ACCEPTED
            assert [each.method for each in to.heard] == ["POST", "GET", "POST"]
            assert to.heard[0].body == to.heard[2].body
            assert [each.result for each in message.deliveries.all()] == ["uncertain", "absent", "accepted"]

    def test_it_asks_again_who_cannot_say_and_ends_as_uncertain(self, settings: Settings) -> None:
        with carried_by("ask", settings) as to:
            to.tricks = [takes_and_hangs_up, *[answers(500)] * 9]
            message = queued()
            ended = settle(message, MONDAY)
            assert (ended.state, ended.reason) == (Message.UNCERTAIN, "nobody_knows")
            assert [each.method for each in to.heard] == ["POST"] + ["GET"] * 5

    def test_it_does_not_ask_for_ever_what_kills_who_asks(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with carried_by("ask", settings) as to:
            to.tricks = [takes_and_hangs_up]
            message, at = queued(), MONDAY
            send(message.pk, at)
            for _ in range(5):
                at = next_time(message, at)
                while after(message).state == Message.QUEUED and after(message).send_at > at:
                    at = after(message).send_at
                killed(message, at, "asking_provider", monkeypatch)
                at = next_time(message, at)
                send(message.pk, at)
            assert after(message).state == Message.UNCERTAIN


class TestHonest:
    @pytest.mark.parametrize(
        "refusal",
        [
            Verdict(False, Message.EXPIRED, "not_after"),
            Verdict(False, Message.CANCELLED, "invitation_answered"),
            Verdict(False, Message.SUPPRESSED, "suppressed"),
        ],
        ids=lambda verdict: verdict.state,
    )
    @pytest.mark.parametrize("doubtful", [True, False])
    def test_it_calls_nothing_refused_that_may_have_arrived(
        self, refusal: Verdict, doubtful: bool, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with carried_by("key", settings) as to:
            to.tricks = [takes_and_hangs_up if doubtful else answers(503)]
            message = queued()
            send(message.pk, MONDAY)
            monkeypatch.setattr(delivery, "verdict", lambda *_: refusal)
            ended = settle(message, MONDAY)
            assert ended.state == (Message.UNCERTAIN if doubtful else refusal.state)
            assert ended.reason == refusal.reason

    def test_it_may_expire_when_the_provider_never_had_it(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with carried_by("ask", settings) as to:
            to.tricks = [hangs_up]
            message = queued(not_after=MONDAY + timedelta(minutes=1))
            send(message.pk, MONDAY)
            assert settle(message, MONDAY).state == Message.EXPIRED

    @pytest.mark.parametrize("answer", [answers(400), answers(422)])
    def test_it_takes_no_later_refusal_for_a_word_on_the_first_try(
        self, answer: Callable[[Handler], None], settings: Settings
    ) -> None:
        with carried_by("key", settings) as to:
            to.tricks = [takes_and_hangs_up, answer]
            message = queued()
            assert settle(message, MONDAY).state == Message.UNCERTAIN
            assert after(message).reason.startswith("4")

    def test_it_ends_what_another_provider_may_have_taken(self, settings: Settings) -> None:
        with carried_by("key", settings) as to:
            to.tricks = [takes_and_hangs_up]
            message = queued()
            send(message.pk, MONDAY)
        with carried_by("key", settings) as another:
            assert settle(message, MONDAY).state == Message.UNCERTAIN
            assert after(message).reason == "provider_changed"
            assert another.heard == []

    def test_it_ends_what_nobody_carries_any_more(self, settings: Settings) -> None:
        with carried_by("ask", settings) as to:
            to.tricks = [takes_and_hangs_up]
            message = queued()
            send(message.pk, MONDAY)
        settings.PROVIDERS = {}
        assert settle(message, MONDAY).state == Message.UNCERTAIN


class TestDecided:
    def test_it_is_sent_again_under_another_key(self, to: Carrier) -> None:
        to.tricks = [takes_and_hangs_up, *[hangs_up] * 9]
        li, message = colleague(), queued()
        before = settle(message, MONDAY)
        to.tricks = []
        again = resend(before, li, MONDAY + timedelta(days=1))
        assert again.key != before.key
        assert settle(message, MONDAY + timedelta(days=1)).state == Message.ACCEPTED
        assert len(to.deliveries) == 2
        assert to.known <= {before.key, again.key, ""}

    def test_it_stays_uncertain_when_refused_after_that(
        self, to: Carrier, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        to.tricks = [takes_and_hangs_up, *[hangs_up] * 9]
        li, message = colleague(), queued()
        resend(settle(message, MONDAY), li, MONDAY + timedelta(days=1))
        refusal = Verdict(False, Message.EXPIRED, "not_after")
        monkeypatch.setattr(delivery, "verdict", lambda *_: refusal)
        assert settle(message, MONDAY + timedelta(days=1)).state == Message.UNCERTAIN
        assert len(to.deliveries) == 1


class TestWaiting:
    def test_it_waits_uncounted_when_the_gate_says_later(
        self, to: Carrier, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        morning = MONDAY + timedelta(days=1)
        with monkeypatch.context() as patch:
            patch.setattr(delivery, "verdict", lambda *_: Verdict(False, reason="quiet_hours", until=morning))
            message = queued()
            assert send(message.pk, MONDAY) == Message.QUEUED
        row = after(message)
        assert (row.send_at, row.reason, row.attempts, row.lease_until) == (morning, "quiet_hours", 0, None)
        assert to.heard == []
        assert send(message.pk, morning) == Message.ACCEPTED
        assert (after(message).attempts, after(message).reason) == (1, "")

    @pytest.mark.parametrize(("restored", "reason"), [(True, "database_restored"), (False, "no_witness")])
    def test_it_calls_nobody_while_nobody_outside_remembers_it(
        self, to: Carrier, monkeypatch: pytest.MonkeyPatch, restored: bool, reason: str
    ) -> None:
        monkeypatch.setattr(epoch, "advance", lambda _at: False)
        monkeypatch.setattr(epoch, "lost_something", lambda: restored)
        message = queued()
        assert send(message.pk, MONDAY) == Message.QUEUED
        assert to.heard == []
        waits = after(message)
        assert (waits.attempts, waits.reason) == (0, reason)
        assert timedelta(minutes=1) <= waits.send_at - MONDAY < timedelta(minutes=2)
        monkeypatch.setattr(epoch, "advance", lambda _at: True)
        assert settle(message, MONDAY).state == Message.ACCEPTED

    def test_it_does_not_begin_what_cannot_end_within_the_lease(
        self, to: Carrier, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        message = queued()
        with at_failpoint("before_call", lambda: slept(monkeypatch, 31), monkeypatch):
            assert send(message.pk, MONDAY) == Message.QUEUED
        assert to.heard == []
        assert message.deliveries.get().detail == "held_up"

    def test_it_stays_away_as_long_as_the_provider_asks(self, to: Carrier) -> None:
        to.tricks = [answers(429, b"", Retry_After="600")]
        message = queued()
        send(message.pk, MONDAY)
        assert after(message).send_at >= MONDAY + timedelta(minutes=10)
        assert settle(message, MONDAY).state == Message.ACCEPTED

    def test_it_refuses_a_channel_that_nobody_carries(self, settings: Settings) -> None:
        settings.PROVIDERS = {}
        message = queued(channel="chat")
        assert send(message.pk, MONDAY) == Message.REJECTED
        assert after(message).reason == "no_provider_chat"
        assert message.deliveries.count() == 0


def test_it_gives_a_message_without_a_key_one_for_good(to: Carrier) -> None:
    message = queued(key="")
    to.tricks = [answers(503)]
    send(message.pk, MONDAY)
    key = after(message).key
    assert len(key) == 64
    settle(message, MONDAY)
    assert set(message.deliveries.values_list("key", "provider", "provider_class")) == {
        (key, f"127.0.0.1:{to.port}", to.facts["CLASS"])
    }


@pytest.mark.parametrize(
    ("results", "doubtful"),
    [
        (["uncertain"], 1),
        ([""], 1),
        (["retry", "rejected"], 0),
        (["uncertain", "retry"], 1),
        (["uncertain", "absent"], 0),
        (["uncertain", "found"], 0),
        (["uncertain", "unknown"], 1),
        (["uncertain", "absent", "uncertain"], 1),
        (["uncertain", "uncertain", "accepted"], 0),
        (["asking"], 0),
    ],
)
def test_it_knows_which_tries_are_in_doubt(results: list[str], doubtful: int) -> None:
    message = queued()
    for fence, result in enumerate(results):
        message.deliveries.create(fence=fence, provider="p", key="k", started_at=MONDAY, result=result)
    assert doubt.in_doubt(DeliveryAttempt.objects.all()).count() == doubtful
