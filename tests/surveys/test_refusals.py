"""A provider that refuses everything: its messages wait, nobody else's do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from pytest_django import DjangoAssertNumQueries, Settings

from dispatch import engine, epoch, watch
from surveys.messages import breaker, due_messages, refusals, send
from surveys.messages.deliver import untaken_messages
from surveys.messages.providers.base import ACCEPTED, REJECTED, RETRY, UNCERTAIN, Outcome
from surveys.messages.refusals import FEW, REST, note
from surveys.models import Message, Pace, Refusal
from tests.surveys.carrier import Carrier, answers, carrier
from tests.surveys.make import ANY_TIME, MONDAY, make_customer, make_rules

pytestmark = pytest.mark.django_db

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
NO = Outcome(RETRY, "503 out of order")


@pytest.fixture(autouse=True)
def _not_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epoch, "advance", lambda _at: True)


@pytest.fixture
def to(settings: Settings) -> Iterator[Carrier]:
    with carrier("key") as made:
        settings.PROVIDERS = {"sms": made.facts}
        yield made


def queued(channel: str = "sms", **fields: Any) -> Message:
    number = Message.objects.count()
    return Message.objects.create(
        **{
            "dedup_key": f"news:{number}",
            "kind": "news",
            "channel": channel,
            "to_address": f"+861380013{number:04}" if channel == "sms" else f"li{number}@example.com",
            "subject": "News",
            "text": "Something happened.\n",
            "send_at": MONDAY,
            "created_at": MONDAY,
            **fields,
        }
    )


def refuse(times: int = FEW, at: datetime = MONDAY, channel: str = "sms") -> None:
    for _ in range(times):
        note(channel, "carrier", NO, at)


class TestWhatIsKept:
    def test_it_keeps_since_when_a_provider_refuses_and_its_last_words(self) -> None:
        refuse(1)
        note("sms", "carrier", Outcome(RETRY, "401 who are you"), MONDAY + HOUR)
        row = Refusal.objects.get()
        assert (row.since, row.tried_at, row.in_a_row) == (MONDAY, MONDAY + HOUR, 2)
        assert (row.provider, row.words) == ("carrier", "401 who are you")

    def test_it_is_over_once_it_takes_something(self) -> None:
        refuse()
        refuse(channel="email")
        note("sms", "carrier", Outcome(ACCEPTED), MONDAY)
        assert Refusal.objects.get().channel == "email"

    @pytest.mark.parametrize("result", [REJECTED, UNCERTAIN])
    def test_what_says_nothing_about_the_next_message_changes_nothing(self, result: str) -> None:
        note("sms", "carrier", Outcome(result, "no"), MONDAY)
        assert not Refusal.objects.exists()
        refuse()
        note("sms", "carrier", Outcome(result, "no"), MONDAY)
        assert Refusal.objects.get().in_a_row == FEW

    def test_another_provider_begins_anew(self) -> None:
        refuse()
        note("sms", "another", NO, MONDAY + HOUR)
        row = Refusal.objects.get()
        assert (row.provider, row.since, row.in_a_row) == ("another", MONDAY + HOUR, 1)

    def test_a_try_that_was_not_made_is_no_refusal(
        self, to: Carrier, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(epoch, "advance", lambda _at: False)
        send(queued().pk, MONDAY)
        assert not Refusal.objects.exists()
        monkeypatch.setattr("surveys.messages.deliver.held_up", lambda _started: True)
        monkeypatch.setattr(epoch, "advance", lambda _at: True)
        send(queued().pk, MONDAY)
        assert not Refusal.objects.exists()


class TestItsMessages:
    @pytest.fixture(autouse=True)
    def _no_other_reason_to_wait(self, db: None) -> None:
        make_rules(**ANY_TIME)

    def test_one_a_minute_is_tried_while_it_refuses(self, to: Carrier) -> None:
        to.tricks = [answers(503)] * 100
        for _ in range(FEW + 10):
            queued()
        engine.run_all(MONDAY)
        assert len(to.heard) == FEW
        for minutes in (1, 2, 3):
            # Those refused before wait for times of their own.
            at = MONDAY + minutes * 70 * SECOND
            engine.run_all(at)
            engine.run_all(at + 10 * SECOND)
            assert len(to.heard) == FEW + minutes

    def test_all_go_out_once_it_takes_one_again(self, to: Carrier) -> None:
        to.tricks = [answers(503)] * FEW
        rows = [queued() for _ in range(FEW + 10)]
        engine.run_all(MONDAY)
        engine.run_all(MONDAY + HOUR)
        for seconds in range(0, 60, 10):
            engine.run_all(MONDAY + HOUR + seconds * SECOND)
        assert len(to.deliveries) == len(rows)
        assert not Refusal.objects.exists()

    def test_nobody_elses_message_waits(self, to: Carrier, mailoutbox: list[Any]) -> None:
        to.tricks = [answers(503)] * 1000
        for _ in range(300):
            queued(send_at=MONDAY - HOUR)
        mails = [queued("email") for _ in range(10)]
        at = MONDAY
        for _ in range(4):
            engine.run_all(at)
            at += 10 * SECOND
        assert len(mailoutbox) == len(mails)
        assert len(to.heard) == FEW

    def test_who_waits_for_its_provider_uses_up_neither_try_nor_turn(self, to: Carrier) -> None:
        refuse()
        message = queued()
        assert send(message.pk, MONDAY + SECOND) == Message.QUEUED
        message.refresh_from_db()
        assert (message.attempts, message.fence, message.send_at, to.heard) == (0, 0, MONDAY, [])
        assert not Pace.objects.exists()

    def test_who_lost_the_turn_between_two_looks_is_put_back_unharmed(
        self, to: Carrier, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        refuse()
        monkeypatch.setattr(refusals, "is_resting", lambda *_: False)
        message = queued()
        assert send(message.pk, MONDAY + SECOND) == Message.QUEUED
        message.refresh_from_db()
        assert (message.attempts, message.send_at, message.lease_until, to.heard) == (0, MONDAY, None, [])

    @pytest.mark.parametrize(("times", "due"), [(FEW - 1, 1), (FEW, 0)])
    def test_a_few_refusals_keep_nobody_waiting(self, times: int, due: int) -> None:
        queued()
        refuse(times)
        assert due_messages(MONDAY).count() == due

    @pytest.mark.parametrize(("after", "due"), [(REST - SECOND, 0), (REST, 1), (-HOUR, 1)])
    def test_it_rests_for_a_minute_by_whatever_clock(self, after: timedelta, due: int) -> None:
        queued(send_at=MONDAY - HOUR)
        refuse()
        assert due_messages(MONDAY + after).count() == due

    def test_a_sender_that_died_is_not_forgotten_meanwhile(self) -> None:
        refuse()
        message = queued(state=Message.SENDING, fence=1, attempts=1, lease_until=MONDAY)
        assert list(due_messages(MONDAY)) == [message]
        send(message.pk, MONDAY)
        assert Message.objects.get().state == Message.QUEUED

    def test_what_waits_for_its_provider_is_no_heap_until_it_takes_it(self) -> None:
        customer = make_customer()
        breaker._looked = float("-inf")
        Message.objects.bulk_create(
            Message(
                dedup_key=f"heap:{each}",
                kind="news",
                channel="sms",
                to_address=f"+8613{each:09}",
                customer=customer,
                send_at=MONDAY,
                created_at=MONDAY,
            )
            for each in range(breaker.TIMES * breaker.LEAST_USUAL + 1)
        )
        refuse()
        assert not breaker.check(MONDAY)
        assert not breaker.check(MONDAY + REST)
        note("sms", "carrier", Outcome(ACCEPTED), MONDAY + REST)
        assert breaker.check(MONDAY + REST)


@pytest.mark.django_db(transaction=True)
def test_only_one_of_many_workers_has_the_turn() -> None:
    refuse()
    won: list[bool] = []
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        with transaction.atomic():
            won.append(refusals.may_try("sms", MONDAY + REST))
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(won) == [False, False, False, True]


class TestNotLate:
    def waiting(self, at: datetime) -> int:
        [found] = [each.number for each in watch.waiting(at) if each.kind == "messages"]
        assert untaken_messages(at).count() == found
        return found

    def test_what_waits_for_a_provider_that_refuses_is_not_late_also_while_one_is_tried(self) -> None:
        queued()
        assert self.waiting(MONDAY) == 1
        refuse()
        assert self.waiting(MONDAY) == 0
        assert self.waiting(MONDAY + 2 * REST) == 0
        assert self.waiting(MONDAY + HOUR) == 1

    def test_what_waits_for_its_turn_is_not_late_while_turns_are_given_out(self) -> None:
        queued()
        Pace.objects.create(next_slot_at=MONDAY + SECOND)
        assert due_messages(MONDAY).exists()
        assert self.waiting(MONDAY) == 0
        # Nobody gives out turns any more: it waits for a worker.
        assert self.waiting(MONDAY + SECOND) == 1

    def test_what_has_its_turn_and_is_not_sent_is_late(self) -> None:
        queued(slot_at=MONDAY)
        queued(attempts=1)
        Pace.objects.create(next_slot_at=MONDAY + MINUTE)
        assert self.waiting(MONDAY) == 2

    def test_it_asks_no_more_than_what_is_due(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(2):
            list(untaken_messages(MONDAY))
