"""How fast customers are written to: slots for the whole installation, and room for one person."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from math import ceil
from typing import Any

import pytest
from django.db import connection, transaction

from surveys.messages import gate, pace
from surveys.models import DeliveryAttempt, Message, Pace
from tests.surveys.make import MONDAY, make_message, make_rules

pytestmark = pytest.mark.django_db

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
WORKERS = 8


@pytest.fixture(autouse=True)
def rules() -> None:
    make_rules()


def ask(message: Message, at: datetime) -> gate.Verdict:
    """As a worker does: the row locked, and the transaction ended with what came of it."""
    with transaction.atomic():
        locked = Message.objects.select_for_update(of=("self",)).get(pk=message.pk)
        found = gate.verdict(locked, at)
        if found.ok:
            write_down(locked, at)
        elif found.until:
            Message.objects.filter(pk=message.pk).update(send_at=found.until, reason=found.reason)
    return found


def write_down(message: Message, at: datetime, result: str = "accepted", **fields: Any) -> DeliveryAttempt:
    message.fence += 1
    Message.objects.filter(pk=message.pk).update(fence=message.fence, state=Message.ACCEPTED)
    return DeliveryAttempt.objects.create(
        **{
            "message": message,
            "fence": message.fence,
            "provider": "smtp",
            "started_at": at,
            "result": result,
            **fields,
        }
    )


def most_within(times: list[datetime], window: timedelta) -> int:
    """The most in any half-open window; one that begins with an event is enough to look at."""
    return max(sum(start <= each < start + window for each in times) for start in times)


class TestSlots:
    def test_the_first_goes_at_once_and_the_next_in_turn(self) -> None:
        first, second, third = make_message(), make_message(), make_message()
        assert ask(first, MONDAY).ok
        step = pace.apart(60)
        for number, message in enumerate((second, third), start=1):
            found = ask(message, MONDAY)
            assert (found.ok, found.reason, found.until) == (False, "rate", MONDAY + number * step)
            message.refresh_from_db()
            assert message.slot_at == message.send_at == found.until

    def test_at_its_slot_it_goes_and_takes_no_other(self) -> None:
        ask(make_message(), MONDAY)
        message = make_message()
        slot = ask(message, MONDAY).until
        assert slot
        booked = Pace.objects.get().next_slot_at
        assert ask(message, slot).ok
        assert Pace.objects.get().next_slot_at == booked
        message.refresh_from_db()
        assert message.slot_at is None

    @pytest.mark.parametrize(
        ("name", "after_slot", "goes"),
        [
            ("two seconds early", -2 * SECOND, False),
            ("a second early", -SECOND, True),
            ("as late as a tick may be", 15 * SECOND, True),
            ("later than that", 16 * SECOND, False),
            ("after an outage", 3 * HOUR, False),
        ],
    )
    def test_a_slot_is_good_for_seconds(self, name: str, after_slot: timedelta, goes: bool) -> None:
        slot = MONDAY + MINUTE
        message = make_message(slot_at=slot, send_at=slot)
        at = slot + after_slot
        Pace.objects.create(next_slot_at=at + 5 * SECOND)
        found = ask(message, at)
        assert found.ok == goes
        if not goes:
            assert found.until == (slot if after_slot < timedelta(0) else at + 5 * SECOND)

    def test_a_second_try_needs_a_slot_of_its_own(self) -> None:
        message = make_message()
        assert ask(message, MONDAY).ok
        Message.objects.filter(pk=message.pk).update(state=Message.QUEUED)
        assert ask(message, MONDAY).until == MONDAY + pace.apart(60)

    def test_after_an_outage_there_is_no_burst(self) -> None:
        messages = [make_message() for _each in range(20)]
        for message in messages:
            ask(message, MONDAY)
        later = MONDAY + 3 * HOUR
        found = [ask(message, later) for message in messages[1:]]
        assert [each.ok for each in found].count(True) == 1
        assert len({each.until for each in found}) == len(found)

    def test_colleagues_need_no_slot(self, django_user_model: Any) -> None:
        Pace.objects.create(next_slot_at=MONDAY + HOUR)
        colleague = django_user_model.objects.create_user("li")
        assert ask(make_message(user=colleague), MONDAY).ok
        assert not ask(make_message(), MONDAY).ok

    def test_what_cannot_go_anyway_takes_no_slot(self) -> None:
        make_rules(consent_required=True)
        assert not ask(make_message(), MONDAY).ok
        assert not Pace.objects.exists()

    @pytest.mark.parametrize("rate", [1, 7, 59, 60, 61, 1000])
    def test_no_minute_sees_more_than_the_rate_however_late_slots_are_used(self, rate: int) -> None:
        """The worst there is: all late ones at the last moment, and then all others a second early."""
        slots = [MONDAY + number * pace.apart(rate) for number in range(4 * rate)]
        turn = MONDAY + 2 * MINUTE
        used = [
            max(slot, turn) if turn - slot <= pace.USED_LATE and slot <= turn else slot - pace.EARLY
            for slot in slots
        ]
        assert most_within(used, MINUTE) <= rate


class TestPickable:
    def test_it_leaves_who_has_no_slot_while_all_are_given_out(self, django_user_model: Any) -> None:
        colleague = django_user_model.objects.create_user("li")
        rows = {
            "no slot": make_message(),
            "its slot has come": make_message(slot_at=MONDAY),
            "tried before": make_message(attempts=1),
            "a colleague's": make_message(user=colleague),
            "a department's": make_message(inside=True),
            "past its time": make_message(not_after=MONDAY - SECOND),
        }

        def picked() -> set[str]:
            found = set(Message.objects.filter(gate.pickable(MONDAY)).values_list("pk", flat=True))
            return {name for name, row in rows.items() if row.pk in found}

        Pace.objects.create(next_slot_at=MONDAY + pace.AHEAD)
        assert picked() == set(rows)
        Pace.objects.update(next_slot_at=MONDAY + pace.AHEAD + SECOND)
        assert picked() == set(rows) - {"no slot"}


def in_threads(work: Callable[[int], None]) -> None:
    failures: list[BaseException] = []

    def run(number: int) -> None:
        try:
            work(number)
        except BaseException as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[number]) for number in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures, failures


@pytest.mark.django_db(transaction=True)
class TestWorkers:
    def test_eight_workers_never_exceed_the_rate(self) -> None:
        """Each with its own connection; the times are those at which the gate let a message go."""
        rate, count = 30, 120
        make_rules(per_minute=rate)
        rows = [make_message() for _each in range(count)]
        gone: list[datetime] = []
        clock = [MONDAY] * WORKERS

        def work(number: int) -> None:
            mine = rows[number::WORKERS]
            while mine:
                at = clock[number]
                for message in mine[:]:
                    message.refresh_from_db()
                    if message.send_at <= at and ask(message, at).ok:
                        gone.append(at)
                        mine.remove(message)
                # Each looks after its own pace, as often as a slow tick.
                clock[number] = at + (2 + number) * SECOND

        in_threads(work)
        assert len(gone) == count
        assert most_within(gone, MINUTE) <= rate
        # And it is no slower than it must be.
        assert max(gone) - min(gone) <= ceil(count / rate) * 2 * MINUTE

    def test_nobody_gets_a_slot_twice(self) -> None:
        given: list[datetime] = []

        def work(number: int) -> None:
            for _each in range(25):
                given.append(pace.book(MONDAY, 60))

        in_threads(work)
        step = pace.apart(60)
        assert sorted(given) == [MONDAY + number * step for number in range(25 * WORKERS)]

    def test_two_messages_at_once_do_not_both_find_room(self) -> None:
        make_rules(per_person_per_day=1, per_minute=60_000)
        rows = [make_message(to_address="li@example.com") for _each in range(WORKERS)]
        gone: list[bool] = []
        in_threads(lambda number: gone.append(ask(rows[number], MONDAY).ok))
        assert sorted(gone) == [False] * (WORKERS - 1) + [True]


class TestOnePerson:
    TO = "li@example.com"

    def written(self, *hours_ago: float, **fields: Any) -> None:
        for hours in hours_ago:
            message = make_message(**{"to_address": self.TO, **fields})
            write_down(message, MONDAY - hours * HOUR)

    def test_the_third_of_a_day_goes_and_the_fourth_waits_for_the_oldest(self) -> None:
        self.written(20, 2)
        assert ask(make_message(to_address=self.TO), MONDAY).ok
        found = ask(make_message(to_address=self.TO), MONDAY + SECOND)
        assert (found.reason, found.until) == ("enough_for_a_day", MONDAY + 4 * HOUR)

    def test_an_address_is_the_same_however_it_is_capitalised(self) -> None:
        self.written(20, 10, 2, to_address="Li@Example.com")
        assert ask(make_message(to_address=self.TO), MONDAY).until == MONDAY + 4 * HOUR

    def test_a_day_later_there_is_room(self) -> None:
        self.written(24, 2, 1)
        assert ask(make_message(to_address=self.TO), MONDAY).ok

    def test_a_lower_limit_waits_for_as_many_as_are_over(self) -> None:
        make_rules(per_person_per_day=1)
        self.written(20, 10, 2)
        assert ask(make_message(to_address=self.TO), MONDAY).until == MONDAY + 22 * HOUR

    def test_it_expires_when_it_would_be_too_late_then(self) -> None:
        self.written(3, 2, 1)
        late = make_message(to_address=self.TO, not_after=MONDAY + 20 * HOUR)
        found = ask(late, MONDAY)
        assert (found.ok, found.state, found.until) == (False, Message.EXPIRED, None)
        in_time = make_message(to_address=self.TO, not_after=MONDAY + 21 * HOUR)
        assert ask(in_time, MONDAY).until == MONDAY + 21 * HOUR

    @pytest.mark.parametrize(
        ("name", "result", "provider", "counts"),
        [
            ("arrived", "accepted", "smtp", True),
            ("may have arrived", "uncertain", "smtp", True),
            ("under way", "", "smtp", True),
            ("will be tried again", "retry", "smtp", True),
            ("a colleague's decision", "resent", "by_hand", False),
        ],
    )
    def test_whatever_was_tried_counts(self, name: str, result: str, provider: str, counts: bool) -> None:
        for _each in range(3):
            write_down(make_message(to_address=self.TO), MONDAY - HOUR, result, provider=provider)
        assert ask(make_message(to_address=self.TO), MONDAY).ok != counts

    def test_its_own_tries_and_other_peoples_messages_do_not_count(self, django_user_model: Any) -> None:
        self.written(3, 2, 1, to_address="ma@example.com")
        self.written(3, 2, 1, user=django_user_model.objects.create_user("li"))
        self.written(3, 2, 1, channel="sms")
        message = make_message(to_address=self.TO)
        for _each in range(3):
            write_down(message, MONDAY - HOUR, "uncertain")
        assert ask(message, MONDAY).ok
