from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from dispatch import clock
from dispatch.clock import Look, leap, now, steady

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has looked yet."""
    monkeypatch.setattr(clock, "_look", None)
    monkeypatch.setattr(clock, "_leap", None)


@pytest.fixture
def database_clock(db: None, settings: Settings) -> None:
    settings.DATABASE_CLOCK = True


def database_now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        found = cursor.fetchone()[0]
    assert isinstance(found, datetime)
    return found


def looked(said: datetime, seconds_ago: float) -> Look:
    return Look(said, steady() - seconds_ago)


class TestDatabaseClock:
    def test_it_is_the_databases_time_in_utc(self, database_clock: None) -> None:
        before = database_now()
        found = now()
        assert before <= found <= database_now()
        assert found.utcoffset() == timedelta(0)

    @pytest.mark.parametrize("hours", [25, -25, 24 * 365 * 10])
    def test_whatever_the_clock_of_this_machine_says(self, database_clock: None, hours: int) -> None:
        before = now()
        with time_machine.travel(datetime.now(UTC) + hours * HOUR, tick=True):
            assert abs(datetime.now(UTC) - before) > 20 * HOUR
            assert abs(now() - before) < timedelta(seconds=1)
            clock._look = None
            assert abs(now() - before) < timedelta(seconds=1)
        assert leap() is None

    def test_it_asks_once_and_carries_the_time_on_by_itself(self, database_clock: None) -> None:
        with CaptureQueriesContext(connection) as queries:
            times = [now() for _time in range(100)]
        assert len(queries) == 1
        assert times == sorted(times)

    def test_it_asks_again_after_a_while(self, database_clock: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(clock, "_look", looked(database_now(), clock.LOOK_AGAIN_SECONDS - 1))
        with CaptureQueriesContext(connection) as queries:
            now()
            monkeypatch.setattr(clock, "_look", looked(database_now(), clock.LOOK_AGAIN_SECONDS + 1))
            now()
        # One of the three is this test's own look at the clock.
        assert len(queries) == 2


class TestLeap:
    @pytest.mark.parametrize("moved", [HOUR, -HOUR, timedelta(seconds=62), timedelta(seconds=-62)])
    def test_it_is_told_once(
        self, database_clock: None, monkeypatch: pytest.MonkeyPatch, moved: timedelta
    ) -> None:
        monkeypatch.setattr(clock, "_look", looked(database_now() - moved - timedelta(seconds=11), 11))
        assert abs(now() - database_now()) < timedelta(seconds=1)
        found = leap()
        assert found is not None
        assert abs(found - moved) < timedelta(seconds=1)
        assert leap() is None
        now()
        assert leap() is None

    @pytest.mark.parametrize("moved", [timedelta(0), timedelta(seconds=58), timedelta(seconds=-58)])
    def test_a_drift_is_none(
        self, database_clock: None, monkeypatch: pytest.MonkeyPatch, moved: timedelta
    ) -> None:
        monkeypatch.setattr(clock, "_look", looked(database_now() - moved - timedelta(seconds=11), 11))
        assert abs(now() - database_now()) < timedelta(seconds=1)
        assert leap() is None

    def test_the_first_look_is_none(self, database_clock: None) -> None:
        now()
        assert leap() is None


def test_tests_travel_in_time_on_their_own(settings: Settings) -> None:
    assert not settings.DATABASE_CLOCK
    with time_machine.travel("2026-03-02T02:00:00Z", tick=False):
        assert now() == datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


def test_the_steady_clock_counts_on(settings: Settings) -> None:
    with time_machine.travel(0, tick=False):
        assert steady() - steady() + 1 >= 0
        before = steady()
    assert steady() >= before
