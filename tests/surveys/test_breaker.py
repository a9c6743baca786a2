"""Ten times the usual at once is held before any of it goes out, and told; once released it is no heap."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from pytest_django import DjangoAssertNumQueries

from dispatch import clock, watch
from surveys.messages import breaker, due_messages, gate, rules, send
from surveys.messages.colleague import Colleague
from surveys.models import DeliveryAttempt, Message
from tests.surveys.make import ANY_TIME, MONDAY, make_message, make_rules

pytestmark = pytest.mark.django_db

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# What is held where nothing else is usual.
LIMIT = breaker.TIMES * breaker.LEAST_USUAL


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    """What a process remembers of other tests' databases is forgotten, and it looks each time."""
    monkeypatch.setattr(breaker, "_usual", None)
    monkeypatch.setattr(breaker, "_looked", float("-inf"))
    monkeypatch.setattr(breaker, "REMEMBER_SECONDS", -1.0)
    monkeypatch.setattr(breaker, "LOOK_AGAIN_SECONDS", -1.0)
    monkeypatch.setattr(clock, "_leap", None)
    make_rules(**ANY_TIME)


@pytest.fixture
def ada(monkeypatch: pytest.MonkeyPatch) -> User:
    """The one operator there is."""
    user = User.objects.create_user("ada", "ada@staff.example", first_name="Ada")
    operator = Colleague(user, "en", ZoneInfo("Asia/Shanghai"))
    monkeypatch.setattr(breaker, "_operators", [lambda: [operator]])
    return user


def heap(number: int, **fields: Any) -> list[Message]:
    """So many messages to customers, due on Monday."""
    values = {"kind": "news", "send_at": MONDAY, "created_at": MONDAY, "text": "News", **fields}
    before = Message.objects.count()
    return Message.objects.bulk_create(
        Message(dedup_key=f"heap:{before + each}", to_address=f"p{before + each}@example.com", **values)
        for each in range(number)
    )


def history(number: int, at: datetime, state: str = Message.ACCEPTED) -> None:
    heap(number, state=state, created_at=at, send_at=at)


def ask(message: Message, at: datetime) -> gate.Verdict:
    with transaction.atomic():
        return gate.verdict(Message.objects.select_for_update(of=("self",)).get(pk=message.pk), at)


class TestVolume:
    def test_a_heap_is_held_and_what_is_usual_is_not(self) -> None:
        heap(LIMIT)
        assert not breaker.check(MONDAY)
        assert rules.rest() is None
        heap(1)
        assert breaker.check(MONDAY)
        kept = rules.current()
        assert (kept.held_at, kept.held_why) == (MONDAY, "volume")
        assert kept.held_facts == {"due": LIMIT + 1, "usual": breaker.LEAST_USUAL}

    def test_it_is_held_once(self, ada: User) -> None:
        heap(LIMIT + 1)
        assert breaker.check(MONDAY)
        assert not breaker.check(MONDAY + MINUTE)
        assert rules.current().held_at == MONDAY
        assert Message.objects.filter(kind="sending_held").count() == 1

    @pytest.mark.parametrize(
        ("name", "fields"),
        [
            ("not due yet", {"send_at": MONDAY + 10 * MINUTE}),
            ("sent", {"state": Message.ACCEPTED, "created_at": MONDAY - 29 * DAY}),
            ("cancelled", {"state": Message.CANCELLED}),
            ("waited for the quiet hours to end", {"reason": breaker.QUIET}),
            ("waited for the person to have room", {"reason": breaker.ENOUGH}),
            ("tried before", {"attempts": 1}),
        ],
    )
    def test_what_is_no_heap(self, name: str, fields: dict[str, Any]) -> None:
        heap(LIMIT + 1, **fields)
        assert not breaker.check(MONDAY)

    def test_notices_to_colleagues_are_no_heap(self) -> None:
        heap(LIMIT + 1, user=User.objects.create_user("li"))
        assert not breaker.check(MONDAY)

    def test_what_waits_for_its_slot_is_due_all_the_same(self) -> None:
        heap(LIMIT)
        heap(1, slot_at=MONDAY + 30 * SECOND, send_at=MONDAY + 30 * SECOND, reason=breaker.RATE)
        assert breaker.check(MONDAY)


class TestUsual:
    @pytest.mark.parametrize(
        ("name", "number", "ago", "state", "usual"),
        [
            ("a busy hour", 60, 3 * DAY, "accepted", 60),
            ("given up", 60, 3 * DAY, "dead", 60),
            ("too long ago", 60, 29 * DAY, "accepted", breaker.LEAST_USUAL),
            ("a quiet hour", 40, 3 * DAY, "accepted", breaker.LEAST_USUAL),
            ("never tried", 60, 3 * DAY, "queued", breaker.LEAST_USUAL),
            ("dropped from an earlier heap", 60, 3 * DAY, "cancelled", breaker.LEAST_USUAL),
        ],
    )
    def test_it_is_the_busiest_hour_of_four_weeks(
        self, name: str, number: int, ago: timedelta, state: str, usual: int
    ) -> None:
        history(number, MONDAY - ago, state)
        history(55, MONDAY - 4 * DAY, Message.SUPPRESSED)
        assert breaker.usual_at(MONDAY) == usual

    def test_more_is_a_heap_only_beyond_ten_times_that(self) -> None:
        history(60, MONDAY - 3 * DAY)
        heap(600)
        assert not breaker.check(MONDAY)
        heap(1)
        assert breaker.check(MONDAY)
        assert rules.current().held_facts == {"due": 601, "usual": 60}

    def test_it_is_read_again_only_after_a_while(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(breaker, "REMEMBER_SECONDS", 3600.0)
        assert breaker.remembered_usual(MONDAY) == breaker.LEAST_USUAL
        history(60, MONDAY - 3 * DAY)
        assert breaker.remembered_usual(MONDAY) == breaker.LEAST_USUAL
        monkeypatch.setattr(breaker, "REMEMBER_SECONDS", -1.0)
        assert breaker.remembered_usual(MONDAY) == 60


class TestAtTheGate:
    def test_not_one_of_a_heap_slips_out(self) -> None:
        rows = heap(LIMIT + 10)
        found = [ask(message, MONDAY) for message in rows[:5]]
        assert {(each.ok, each.reason, each.until) for each in found} == {(False, "sending_held", MONDAY)}
        assert not due_messages(MONDAY).exists()

    def test_it_heeds_what_somebody_else_held_a_moment_ago(self, ada: User) -> None:
        rows, outdated = heap(LIMIT + 1), rules.current()
        rules.hold("volume", {}, MONDAY)
        found = gate.later(rows[0], outdated, MONDAY)
        assert found
        assert found.reason == "sending_held"
        assert not Message.objects.filter(kind="sending_held").exists(), "who held it has told"

    def test_what_is_usual_goes(self) -> None:
        rows = heap(LIMIT)
        assert ask(rows[0], MONDAY).ok
        assert due_messages(MONDAY).count() == LIMIT

    def test_a_stop_by_hand_comes_first(self) -> None:
        rows = heap(LIMIT + 1)
        rules.stop(User.objects.create_user("ada"), "", MONDAY)
        assert ask(rows[0], MONDAY).reason == "sending_stopped"
        assert rules.current().held_at is None

    @pytest.mark.django_db(transaction=True)
    def test_of_ten_thousand_at_once_none_is_tried(self) -> None:
        rows = heap(10_000)
        for message in rows[:20]:
            assert send(message.pk, MONDAY) == Message.QUEUED
        assert not DeliveryAttempt.objects.exists()
        assert rules.current().held_facts == {"due": 9_999, "usual": breaker.LEAST_USUAL}
        assert not due_messages(MONDAY + DAY).exists()


class TestRelease:
    @pytest.fixture
    def released(self) -> list[Message]:
        rows = heap(LIMIT + 1)
        assert breaker.check(MONDAY)
        assert rules.release(User.objects.create_user("bob"), MONDAY + HOUR)
        return rows

    def test_what_was_released_goes(self, released: list[Message]) -> None:
        assert due_messages(MONDAY + HOUR).count() == LIMIT + 1
        assert ask(released[0], MONDAY + HOUR).ok

    @pytest.mark.parametrize(
        ("name", "put_off"),
        [
            ("untouched", {}),
            ("booked", {"slot_at": MONDAY + 2 * HOUR, "send_at": MONDAY + 2 * HOUR, "reason": "rate"}),
            ("kept for the morning", {"send_at": MONDAY + 2 * HOUR, "reason": "quiet_hours"}),
        ],
    )
    def test_it_is_no_heap_again(
        self, released: list[Message], name: str, put_off: dict[str, object]
    ) -> None:
        if put_off:
            Message.objects.update(**put_off)
        assert not breaker.check(MONDAY + 2 * HOUR)

    def test_another_heap_is_held_again(self, released: list[Message], ada: User) -> None:
        heap(LIMIT + 1, send_at=MONDAY + 2 * HOUR, created_at=MONDAY + 2 * HOUR)
        assert breaker.check(MONDAY + 2 * HOUR)
        assert rules.current().held_facts["due"] == LIMIT + 1

    def test_what_piles_up_during_a_stop_is_no_heap_once_somebody_let_it_go(self) -> None:
        user = User.objects.create_user("eve")
        rules.stop(user, "", MONDAY - HOUR)
        heap(LIMIT + 1)
        rules.resume(user, MONDAY + HOUR)
        assert not breaker.check(MONDAY + HOUR)


class TestClock:
    def test_a_leap_holds_everything_to_customers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(clock, "_leap", timedelta(hours=1))
        message = make_message()
        assert ask(message, MONDAY).reason == "sending_held"
        assert (rules.current().held_why, rules.current().held_facts) == ("clock", {"seconds": 3600})

    def test_a_leap_while_sending_is_stopped_holds_once_it_goes_on(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        user = User.objects.create_user("eve")
        rules.stop(user, "", MONDAY - HOUR)
        monkeypatch.setattr(clock, "_leap", timedelta(hours=25))
        assert not breaker.check(MONDAY)
        rules.resume(user, MONDAY)
        assert breaker.check(MONDAY)
        assert rules.current().held_why == "clock"

    def test_without_one_it_goes(self) -> None:
        assert ask(make_message(), MONDAY).ok


class TestNotice:
    def test_each_operator_is_told_the_numbers_and_where_to_go(self, ada: User) -> None:
        heap(LIMIT + 1)
        breaker.check(MONDAY)
        notice = Message.objects.get(kind="sending_held")
        assert (notice.user, notice.to_address) == (ada, "ada@staff.example")
        for words in ("501", "Up to 50", "/messages/sending/", "17:00"):
            assert words in notice.text
        assert ask(notice, MONDAY).ok, "the notice itself must not wait"

    def test_of_a_leap_it_says_how_far(self, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(clock, "_leap", timedelta(minutes=-10))
        breaker.check(MONDAY)
        assert "-600 seconds" in Message.objects.get(kind="sending_held").text

    def test_without_operators_it_is_held_all_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(breaker, "_operators", [])
        heap(LIMIT + 1)
        assert breaker.check(MONDAY)

    def test_the_canary_looks(self, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
        assert breaker.look in watch._looks
        with django_assert_max_num_queries(2):
            breaker.look(MONDAY)
        heap(LIMIT + 1)
        breaker.look(MONDAY)
        assert rules.rest()
