from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from billiard.exceptions import TimeLimitExceeded, WorkerLostError
from celery import Celery
from celery.contrib.testing.worker import start_worker
from celery.signals import task_failure
from django.conf import settings as live

from config.celery import app
from dispatch import claims, engine, kinds, tasks
from dispatch.models import Claim
from tests.dispatch.toys import LEASE, MONDAY, SECOND, TOYS, due_toys, make_toy, make_toys, marks, waiting
from tests.post import eventually

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("only_toys")]
LATER = MONDAY + LEASE


@pytest.fixture
def monday() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(MONDAY, tick=False) as traveller:
        yield traveller


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What would have gone to the broker."""
    sent: list[tuple[Any, ...]] = []
    monkeypatch.setattr(
        app, "send_task", lambda name, args, expires, retry: sent.append((name, args, expires, retry))
    )
    return sent


@pytest.fixture
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    celery = Celery("away", broker="redis://127.0.0.1:1/0", set_as_current=False)
    celery.conf.broker_transport_options = live.CELERY_BROKER_TRANSPORT_OPTIONS
    monkeypatch.setattr(tasks, "current_app", celery)


@pytest.mark.usefixtures("monday")
class TestTick:
    def test_it_wakes_a_drain_for_each_kind_that_has_something_due_and_does_nothing_itself(
        self, sent: list[Any]
    ) -> None:
        kinds.register(replace(TOYS, name="idle", due=lambda at: due_toys(at).none()))
        pk = make_toy()
        make_toy(at=MONDAY + SECOND)
        tasks.tick()
        assert sent == [("dispatch.tasks.drain", ("toys",), tasks.DRAIN_EXPIRES, False)]
        assert marks(pk) == 0

    def test_with_nothing_due_it_sends_nothing(self, sent: list[Any]) -> None:
        make_toy(at=MONDAY + SECOND)
        tasks.tick()
        assert sent == []

    def test_it_keeps_house(self, sent: list[Any]) -> None:
        make_toy()
        claims.take(TOYS, MONDAY - LEASE, limit=1, holder="me")
        make_toy(at=MONDAY - LEASE)
        claims.take(TOYS, MONDAY - LEASE, limit=1, holder="me")
        Claim.objects.update(attempts=5)
        tasks.tick()
        assert claims.dead().count() == 1

    def test_without_a_broker_it_does_what_is_due_itself(self, no_broker: None) -> None:
        due, later = make_toy(), make_toy(at=MONDAY + SECOND)
        began = time.monotonic()
        tasks.tick()
        assert (marks(due), marks(later)) == (1, 0)
        assert time.monotonic() - began < 5

    def test_a_second_beat_changes_nothing(self, no_broker: None) -> None:
        pk = make_toy()
        tasks.tick()
        tasks.tick()
        assert marks(pk) == 1


@pytest.mark.usefixtures("monday")
class TestDrain:
    def test_it_does_what_is_due_of_its_kind(self) -> None:
        pks = make_toys(30)
        later = make_toy(at=MONDAY + SECOND)
        tasks.drain.apply(args=("toys",), throw=True)
        assert [marks(pk) for pk in (*pks, later)] == [1] * 30 + [0]

    def test_it_holds_rows_under_its_own_id(self, monkeypatch: pytest.MonkeyPatch) -> None:
        make_toys(2)
        monkeypatch.setattr(engine, "perform", lambda *_: True)
        tasks.drain.apply(args=("toys",), task_id="task-7", throw=True)
        assert set(Claim.objects.values_list("holder", flat=True)) == {"task-7"}

    def test_it_ends_when_its_time_is_up_and_frees_the_rest(self, monkeypatch: pytest.MonkeyPatch) -> None:
        make_toys(2)
        monkeypatch.setattr(tasks, "DRAIN_SECONDS", -1.0)
        tasks.drain.apply(args=("toys",), throw=True)
        assert waiting(MONDAY).number == 2

    @pytest.mark.parametrize("forged", ["format_disk", "", None, 7, ["toys"], {"toys": 1}, "toys' OR 1=1"])
    def test_a_forged_one_does_nothing(self, forged: Any) -> None:
        pk = make_toy()
        tasks.drain.apply(args=(forged,), throw=True)
        assert marks(pk) == 0
        assert not Claim.objects.exists()


@pytest.mark.usefixtures("monday")
class TestStep:
    def test_it_does_one_row_once(self) -> None:
        pk, other = make_toys(2)
        for _time in range(3):
            tasks.step("toys", pk)
        assert (marks(pk), marks(other)) == (1, 0)

    def test_it_takes_no_orders_beside_the_name_and_the_id(self) -> None:
        pk = make_toy()
        tasks.step("toys", pk, "more", {"at": "2099-01-01"})
        assert marks(pk) == 1

    @pytest.mark.parametrize("forged", [None, "1", "1; DROP TABLE", 1.5, [1], {}, 0, -1, 10**40, 2**63])
    def test_a_forged_id_does_nothing(self, forged: Any) -> None:
        pk = make_toy()
        tasks.step("toys", forged)
        assert marks(pk) == 0
        assert not Claim.objects.exists()

    @pytest.mark.parametrize("forged", [None, "format_disk", "", 7, ["toys"], {"toys": 1}])
    def test_a_forged_name_does_nothing(self, forged: Any) -> None:
        pk = make_toy()
        tasks.step(forged, pk)
        assert marks(pk) == 0

    def test_it_does_nothing_before_its_time(self) -> None:
        pk = make_toy(at=MONDAY + SECOND)
        tasks.step("toys", pk)
        assert marks(pk) == 0

    def test_it_takes_nothing_from_who_has_it(self) -> None:
        pk = make_toy()
        claims.take(TOYS, MONDAY, limit=1, holder="other")
        tasks.step("toys", pk)
        assert marks(pk) == 0


@pytest.mark.usefixtures("monday")
class TestLettingGo:
    @pytest.mark.parametrize("error", [WorkerLostError("killed"), TimeLimitExceeded(50)])
    def test_what_a_lost_child_had_not_begun_is_freed(self, sent: list[Any], error: Exception) -> None:
        make_toys(3)
        taken = claims.take(TOYS, MONDAY, limit=3, holder="task-7")
        claims.begin(taken[0], MONDAY)
        task_failure.send(sender=tasks.drain, task_id="task-7", exception=error)
        assert [(name, args) for name, args, *_ in sent] == [("dispatch.tasks.let_go", ("task-7",))]
        tasks.let_go("task-7")
        assert waiting(MONDAY).number == 2

    def test_another_failure_frees_nothing(self, sent: list[Any]) -> None:
        task_failure.send(sender=tasks.drain, task_id="task-7", exception=RuntimeError())
        assert sent == []

    @pytest.mark.parametrize("forged", [None, "", "nobody", 7, ["task-7"], {}])
    def test_a_forged_one_does_nothing(self, forged: Any) -> None:
        make_toy()
        claims.take(TOYS, MONDAY, limit=1, holder="task-7")
        tasks.let_go(forged)
        assert waiting(MONDAY).number == 0


class TestTimes:
    def test_a_drain_ends_before_its_limit_and_the_limit_before_the_lease(self) -> None:
        assert tasks.DRAIN_SECONDS < live.CELERY_TASK_TIME_LIMIT < live.DISPATCH_LEASE_SECONDS

    def test_it_may_go_on_until_its_time_is_up(self) -> None:
        assert tasks.within(5)()
        assert not tasks.within(0)()


@pytest.mark.django_db(transaction=True)
class TestQueue:
    def test_an_unknown_task_and_forged_words_do_nothing_and_the_next_is_done(self) -> None:
        app.control.purge()
        due = datetime.now(UTC) - timedelta(days=1)
        first, second = make_toy(at=due), make_toy(at=due)
        with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=30):
            app.send_task("dispatch.tasks.format_disk", args=(first,))
            app.send_task("dispatch.tasks.step", args=("toys", str(first)))
            app.send_task("dispatch.tasks.step", args=(), kwargs={"subject": first})
            app.send_task("dispatch.tasks.drain", args=("__import__('os')",))
            app.send_task("dispatch.tasks.step", args=("toys", second))
            eventually(lambda: marks(second) == 1, "the step that was no forgery")
        assert marks(first) == 0
