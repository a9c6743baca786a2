from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from dispatch import claims, engine, kinds, watch, worker
from dispatch.models import Claim, Pulse
from dispatch.watch import Subject, Waiting
from tests.dispatch.toys import DONE, MINUTE, MONDAY, SECOND, TOYS, make_toy, make_toys, toys

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("only_toys")]
DAY = timedelta(days=1)


@pytest.fixture
def canary(only_toys: None) -> None:
    kinds.register(*watch.KINDS, first=True)
    Pulse.objects.get_or_create(pk=Pulse.ONLY)


def sang() -> datetime | None:
    return Pulse.objects.values_list("canary_at", flat=True).get()


@pytest.mark.usefixtures("canary")
class TestTheCanary:
    def test_it_sings_every_half_minute_and_not_more_often(self) -> None:
        assert engine.run_all(MONDAY) == 1
        assert engine.run_all(MONDAY + 29 * SECOND) == 0
        assert sang() == MONDAY
        assert engine.run_all(MONDAY + 30 * SECOND) == 1
        assert sang() == MONDAY + 30 * SECOND

    def test_it_sings_once_after_three_days_of_silence(self) -> None:
        engine.run_all(MONDAY)
        assert engine.run_all(MONDAY + 3 * DAY) == 1
        assert engine.run_all(MONDAY + 3 * DAY) == 0

    @pytest.mark.parametrize("back", [10 * MINUTE, 25 * 60 * MINUTE])
    def test_it_sings_on_after_the_clock_was_set_back(self, back: timedelta) -> None:
        engine.run_all(MONDAY)
        assert engine.run_all(MONDAY - back) == 1
        assert watch.silence(MONDAY - back) == timedelta(0)

    def test_it_is_never_given_up_however_often_it_failed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        broken = replace(watch.KINDS[0], step=lambda pk, at: 1 / 0)
        kinds.register(broken)
        at = MONDAY
        for _ in range(2 * claims.MOST_ATTEMPTS):
            engine.run_all(at, on_error=lambda *failed: None)
            at += MINUTE
            claims.bury(at)
        assert not claims.dead().exists()
        kinds.register(*watch.KINDS)
        assert engine.run_all(at) == 1
        assert sang() == at

    def test_it_sings_before_any_other_work(self) -> None:
        assert [kind.name for kind in kinds.all_kinds()] == ["canary", "toys"]

    def test_it_tells_how_long_it_has_been_silent(self) -> None:
        engine.run_all(MONDAY)
        assert watch.silence(MONDAY + MINUTE) == MINUTE
        assert not watch.too_silent(watch.silence(MONDAY + 90 * SECOND))
        assert watch.too_silent(watch.silence(MONDAY + 91 * SECOND))


@pytest.mark.usefixtures("canary")
class TestLooks:
    @pytest.fixture(autouse=True)
    def _no_looks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(watch, "_looks", [])

    def test_it_looks_around_with_every_canary(self) -> None:
        seen: list[datetime] = []
        watch.at_each_canary(seen.append)
        engine.run_all(MONDAY)
        assert seen == [MONDAY]

    def test_it_sings_although_a_look_fails_and_undoes_what_the_look_did(self) -> None:
        def look(at: datetime) -> None:
            toys().update(address=DONE)
            raise RuntimeError("out of sight")

        make_toy(at=MONDAY + DAY)
        watch.at_each_canary(look)
        assert engine.run_all(MONDAY) == 1
        assert sang() == MONDAY
        assert not toys().filter(address=DONE).exists()


def test_it_is_too_silent_where_nothing_was_ever_dispatched() -> None:
    assert watch.silence(MONDAY) is None
    assert watch.too_silent(None)


class TestWhatWaits:
    def test_it_counts_what_is_due_and_knows_since_when(self) -> None:
        make_toy(at=MONDAY - 3 * MINUTE)
        make_toy(at=MONDAY)
        make_toy(at=MONDAY + SECOND)
        assert watch.waiting(MONDAY) == [Waiting("toys", 2, MONDAY - 3 * MINUTE)]
        assert watch.waiting(MONDAY)[0].lateness(MONDAY) == 3 * MINUTE

    def test_it_leaves_out_what_somebody_has_and_what_was_given_up(self) -> None:
        held, dead, free = make_toys(3)
        claims.take(TOYS, MONDAY, limit=1, holder="me", only=[held])
        Claim.objects.create(kind="toys", subject=dead, fence=1, lease_until=MONDAY, dead_at=MONDAY)
        assert [each.number for each in watch.waiting(MONDAY)] == [1]
        assert [row.pk for row in claims.waiting(TOYS, MONDAY)] == [free]

    def test_it_asks_once_for_all_kinds(self, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        kinds.register(*[replace(TOYS, name=f"toys{number}") for number in range(12)])
        make_toy()
        with django_assert_num_queries(1):
            assert [each.number for each in watch.waiting(MONDAY)] == [1] * 13

    def test_it_counts_no_further_than_it_must(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(watch, "MOST_COUNTED", 3)
        make_toys(5)
        assert watch.waiting(MONDAY)[0].number == 3

    def test_it_knows_no_lateness_where_no_column_tells(self) -> None:
        kinds.register(replace(TOYS, due_at=""))
        make_toy(at=MONDAY - DAY)
        assert watch.waiting(MONDAY) == [Waiting("toys", 1, None)]
        assert watch.waiting(MONDAY)[0].lateness(MONDAY) == timedelta(0)

    def test_it_copes_with_a_kind_of_which_nothing_can_be_due(self) -> None:
        kinds.register(replace(TOYS, name="none", due=lambda at: toys().none()))
        assert Waiting("none", 0, None) in watch.waiting(MONDAY)


class TestTurns:
    @pytest.fixture
    def round_of(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], bool]]:
        """One round of the dispatcher's child, and whether it was busy."""
        monkeypatch.setattr(worker, "now", lambda: MONDAY)
        monkeypatch.setattr(worker, "close_old_connections", lambda: None)
        monkeypatch.setattr(signal, "signal", lambda *_: None)
        with open(os.devnull, "wb") as tell:
            yield lambda: worker.one_round("me", "", tell.fileno(), worker.Stopping())

    def test_it_gives_every_kind_its_turn_however_much_another_has(
        self, round_of: Callable[[], bool], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def dawdle(pk: int, at: datetime) -> None:
            time.sleep(0.05)
            toys().filter(pk=pk).update(reason="bounced")

        monkeypatch.setattr(worker, "TURN_SECONDS", 0.2)
        many = replace(
            TOYS, name="many", due=lambda at: TOYS.due(at).filter(address__startswith="slow"), step=dawdle
        )
        few = replace(TOYS, name="few", due=lambda at: TOYS.due(at).filter(address__startswith="good"))
        monkeypatch.setattr(kinds, "_kinds", {"many": many, "few": few})
        for _each in range(20):
            make_toy("slow")
        urgent = make_toy()
        assert round_of()
        assert 1 <= toys().filter(address__startswith="slow", reason="bounced").count() < 20
        assert toys().get(pk=urgent).reason == "bounced"
        assert not Claim.objects.filter(lease_until__gt=MONDAY).exists()


class TestSubjects:
    @pytest.fixture(autouse=True)
    def _no_describers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(watch, "_describers", [])

    def test_it_asks_who_knows_once_for_all_rows(self) -> None:
        asked = []

        def describe(rows: watch.Rows) -> watch.Subjects:
            asked.append(rows)
            return {("toys", 1): Subject("a bear", "/bears/1/")}

        watch.describe_by(describe)
        found = watch.subjects([("toys", 1), ("toys", 2), ("other", 1)])
        assert found == {("toys", 1): Subject("a bear", "/bears/1/")}
        assert asked == [{"toys": [1, 2], "other": [1]}]

    def test_it_asks_nobody_about_nothing(self) -> None:
        watch.describe_by(lambda rows: pytest.fail("asked"))
        assert watch.subjects([]) == {}
