from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import psycopg
import psycopg_pool
import pytest
from django.db import OperationalError, connection

from dispatch import claims, engine, epoch, failpoints, kinds
from dispatch.claims import MOST_ATTEMPTS, Taken
from dispatch.kinds import Kind
from dispatch.models import Claim
from tests.dispatch.conftest import Elsewhere
from tests.dispatch.toys import (
    LEASE,
    MINUTE,
    MONDAY,
    SECOND,
    TOYS,
    due_toys,
    make_toy,
    make_toys,
    marks,
    play,
    toys,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("only_toys")]
LATER = MONDAY + LEASE


def take_one(at: datetime = MONDAY) -> Taken:
    [taken] = claims.take(TOYS, at, limit=1, holder="me")
    return taken


def quiet(kind: Kind, subject: int, error: Exception) -> None:
    """It failed, as it was meant to."""


class TestPerform:
    def test_it_does_the_step_and_the_claim_is_over(self) -> None:
        pk = make_toy()
        assert engine.perform(TOYS, take_one(), MONDAY)
        assert marks(pk) == 1
        assert not Claim.objects.exists()

    def test_it_leaves_alone_what_it_lost_before_it_began(self) -> None:
        pk = make_toy()
        assert not engine.perform(TOYS, take_one(), LATER)
        assert marks(pk) == 0
        assert Claim.objects.get().attempts == 0

    def test_it_leaves_alone_what_it_lost_after_it_began(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pk = make_toy()
        taken, begin = take_one(), claims.begin

        def begin_and_freeze(taken: Taken, at: datetime) -> bool:
            begun = begin(taken, at)
            claims.take(TOYS, LATER, limit=1, holder="other", suspects=True)
            return begun

        monkeypatch.setattr(claims, "begin", begin_and_freeze)
        assert not engine.perform(TOYS, taken, MONDAY)
        assert marks(pk) == 0
        assert Claim.objects.get().holder == "other"

    def test_of_a_step_that_fails_nothing_stays_but_the_reason(self) -> None:
        pk = make_toy("broken")
        heard: list[object] = []
        taken = take_one()
        assert not engine.perform(TOYS, taken, MONDAY, lambda *failed: heard.append(failed[:2]))
        assert marks(pk) == 0
        row = Claim.objects.get()
        assert (row.attempts, row.error) == (1, "RuntimeError: this toy is broken")
        assert row.lease_until == MONDAY + 10 * SECOND
        assert heard == [(TOYS, pk)]

    def test_a_failure_is_logged_with_the_row(self, caplog: pytest.LogCaptureFixture) -> None:
        pk = make_toy("broken")
        engine.perform(TOYS, take_one(), MONDAY)
        [record] = [record for record in caplog.records if record.name == "dispatch.engine"]
        assert (record.kind, record.row, record.levelname) == ("toys", pk, "ERROR")  # type: ignore[attr-defined]

    @pytest.mark.parametrize(
        ("name", "effects", "attempts"),
        [
            ("after_begin", 0, 1),
            ("step_entered", 0, 1),
            ("step_before_commit", 0, 1),
            ("step_after_commit", 1, None),
        ],
    )
    def test_wherever_it_fails_the_effect_and_the_end_of_the_claim_go_together(
        self, monkeypatch: pytest.MonkeyPatch, name: str, effects: int, attempts: int | None
    ) -> None:
        pk = make_toy()
        taken = take_one()
        monkeypatch.setattr(failpoints, "_armed", {name: failpoints.ERROR})
        assert not engine.perform(TOYS, taken, MONDAY, quiet)
        assert marks(pk) == effects
        assert list(Claim.objects.values_list("attempts", flat=True)) == ([attempts] if attempts else [])

    def test_an_error_of_the_row_is_counted_though_it_comes_from_the_database(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def deadlock(pk: int, at: datetime) -> None:
            raise OperationalError("deadlock detected")

        make_toy()
        assert not engine.perform(replace(TOYS, step=deadlock), take_one(), MONDAY, quiet)
        assert Claim.objects.get().error == "OperationalError: deadlock detected"


class TestDatabaseThatGoesAway:
    def test_it_is_no_failure_of_the_row_in_hand(self, elsewhere: Elsewhere) -> None:
        gone, other = make_toy("gone"), make_toy()

        def run() -> None:
            with pytest.raises(OperationalError):
                engine.run_all(MONDAY, quiet)

        elsewhere(run)
        row = Claim.objects.get(subject=gone)
        assert (row.attempts, row.error, row.dead_at) == (1, "", None)
        assert (marks(gone), marks(other)) == (0, 0)
        toys().filter(pk=gone).update(address="good again ")
        assert engine.run_all(LATER) == 2
        assert (marks(gone), marks(other)) == (1, 1)

    def test_a_row_that_was_in_hand_a_few_times_is_not_given_up(self, elsewhere: Elsewhere) -> None:
        pk, at = make_toy("gone"), MONDAY

        def run() -> None:
            with pytest.raises(OperationalError):
                engine.run_all(at, quiet)

        for _time in range(MOST_ATTEMPTS - 1):
            elsewhere(run)
            at += LEASE
            engine.keep_house(at)
        toys().filter(pk=pk).update(address="good again ")
        assert engine.run_all(at) == 1
        assert not claims.dead().exists()

    @pytest.mark.parametrize(
        ("why", "lost"),
        [
            (psycopg.OperationalError("server closed the connection unexpectedly"), True),
            (psycopg.errors.AdminShutdown("terminating connection"), True),
            (psycopg.errors.CannotConnectNow("the database system is starting up"), True),
            (psycopg.errors.ConnectionFailure("gone"), True),
            (psycopg_pool.PoolTimeout("no connection within 5 s"), True),
            (psycopg.errors.QueryCanceled("statement timeout"), False),
            (psycopg.errors.DeadlockDetected("deadlock"), False),
            (psycopg.errors.LockNotAvailable("lock timeout"), False),
            (psycopg.DataError("text fields cannot contain NUL"), False),
            (RuntimeError("another"), False),
        ],
        ids=lambda each: type(each).__name__,
    )
    def test_it_tells_a_lost_connection_from_a_refusal(self, why: Exception, lost: bool) -> None:
        with pytest.raises(Exception) as caught, connection.wrap_database_errors:  # noqa: PT011
            raise why
        assert engine.is_lost_connection(caught.value) == lost

    def test_a_connection_that_was_closed_is_lost(self, elsewhere: Elsewhere) -> None:
        def ask() -> None:
            connection.ensure_connection()
            connection.connection.close()
            connection.cursor().execute("SELECT 1")

        with pytest.raises(OperationalError) as caught:
            elsewhere(ask)
        assert engine.is_lost_connection(caught.value)


class TestDrain:
    def test_it_does_everything_due_once_the_longest_waiting_first(self) -> None:
        young = make_toys(engine.BATCH)
        old = make_toys(1, at=MONDAY - MINUTE)
        make_toy(at=MONDAY + SECOND)
        order: list[int] = []
        done = engine.drain(lambda: MONDAY, holder="me", starting=lambda kind, subject: order.append(subject))
        assert (done.taken, done.failed) == (engine.BATCH + 1, 0)
        assert order == old + young
        assert [marks(pk) for pk in order] == [1] * len(order)
        assert engine.run_all(MONDAY) == 0

    def test_suspects_come_alone_after_each_batch_of_the_innocent(self) -> None:
        suspects = make_toys(2, at=MONDAY - MINUTE)
        for taken in claims.take(TOYS, MONDAY, limit=2, holder="killed"):
            claims.begin(taken, MONDAY)
        innocent = make_toys(engine.BATCH + 5)
        order: list[int] = []
        engine.drain(lambda: LATER, holder="me", starting=lambda kind, subject: order.append(subject))
        first, rest = innocent[: engine.BATCH], innocent[engine.BATCH :]
        assert order == [*first, suspects[0], *rest, suspects[1]]

    def test_rows_that_fail_do_not_stand_in_the_way_of_the_others(self) -> None:
        broken = [make_toy("broken", at=MONDAY - MINUTE) for _row in range(engine.BATCH + 5)]
        good = make_toy()
        failed: list[int] = []
        assert engine.run_all(MONDAY, lambda kind, pk, error: failed.append(pk)) == 1
        assert marks(good) == 1
        assert failed == broken

    def test_a_row_that_always_fails_is_given_up_after_five_and_shown(self) -> None:
        pk, at, failed = make_toy("broken"), MONDAY, 0
        for pause in (*claims.BACKOFF, MINUTE):
            failed += engine.drain(lambda: at, holder="me", on_error=quiet).failed  # noqa: B023
            assert engine.drain(lambda: at + pause - SECOND, holder="me", on_error=quiet).taken == 0  # noqa: B023
            at += pause
        assert failed == 5
        assert [row.subject for row in claims.dead()] == [pk]
        assert engine.run_all(at + 365 * 24 * 60 * MINUTE, quiet) == 0

    def test_rows_whose_step_leaves_them_due_are_done_once_and_hold_up_nobody(self) -> None:
        for _row in range(engine.BATCH + 1):
            make_toy("lazy", at=MONDAY - MINUTE)
        good = make_toy()
        assert engine.run_all(MONDAY) == engine.BATCH + 2
        assert marks(good) == 1
        assert engine.run_all(MONDAY) == 0
        assert engine.run_all(LATER) == engine.BATCH + 1

    def test_when_it_is_stopped_what_it_had_not_begun_is_free_at_once(self) -> None:
        pks = make_toys(5)
        left = [True, True, False]
        done = engine.drain(lambda: MONDAY, holder="me", may_go_on=lambda: left.pop(0))
        assert done.taken == 2
        assert not Claim.objects.filter(lease_until__gt=MONDAY).exists()
        assert engine.run_all(MONDAY) == 3
        assert [marks(pk) for pk in pks] == [1] * 5

    def test_it_keeps_to_the_kinds_it_is_given_and_knows(self) -> None:
        kinds.register(replace(TOYS, name="others"))
        pk = make_toy()
        assert engine.drain(lambda: MONDAY, holder="me", names=["nonsense", ""]).taken == 0
        order: list[str] = []
        engine.drain(
            lambda: MONDAY, holder="me", names=["others"], starting=lambda kind, _pk: order.append(kind.name)
        )
        assert order == ["others"]
        assert marks(pk) == 1

    def test_a_kind_that_claims_itself_is_tried_once_each(self) -> None:
        played: list[int] = []

        def step(pk: int, at: datetime) -> None:
            played.append(pk)
            if len(played) % 2:
                play(pk, at)

        kinds.register(Kind("toys", due_toys, step, claims_itself=True))
        pks = make_toys(engine.BATCH * 3)
        engine.drain(lambda: MONDAY, holder="me")
        assert set(played) <= set(pks)
        assert len(played) >= engine.BATCH
        for _round in range(20):
            engine.drain(lambda: MONDAY, holder="me")
        assert [marks(pk) for pk in pks] == [1] * len(pks)
        assert not Claim.objects.exists()

    def test_a_kind_that_claims_itself_and_fails_is_left_to_itself(self) -> None:
        kinds.register(replace(TOYS, claims_itself=True))
        make_toy("broken")
        done = engine.drain(lambda: MONDAY, holder="me", on_error=quiet)
        assert (done.taken, done.failed) == (1, 1)
        assert not Claim.objects.exists()


class TestDatabaseThatMayHaveForgotten:
    @pytest.fixture(autouse=True)
    def behind(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(epoch, "is_behind", lambda: True)

    def test_what_speaks_rests_and_the_others_go_on(self) -> None:
        pk = make_toy()
        kinds.register(replace(TOYS, speaks=True))
        assert engine.run_all(MONDAY) == 0
        assert not engine.run_one("toys", pk, MONDAY)
        assert not Claim.objects.exists()
        kinds.register(TOYS)
        assert engine.run_all(MONDAY) == 1


class TestOne:
    def test_it_does_the_row_if_it_is_due(self) -> None:
        pk, other = make_toys(2)
        assert engine.run_one("toys", pk, MONDAY)
        assert (marks(pk), marks(other)) == (1, 0)
        assert not engine.run_one("toys", pk, MONDAY)
        assert marks(pk) == 1

    def test_it_leaves_alone_what_is_not_due_gone_or_of_an_unknown_kind(self) -> None:
        pk = make_toy(at=MONDAY + SECOND)
        assert not engine.run_one("toys", pk, MONDAY)
        assert not engine.run_one("toys", 4711, MONDAY)
        assert not engine.run_one("format_disk", pk, LATER)
        assert marks(pk) == 0
        assert not Claim.objects.exists()

    def test_it_leaves_alone_what_somebody_has(self) -> None:
        pk = make_toy()
        take_one()
        assert not engine.run_one("toys", pk, MONDAY)
        assert marks(pk) == 0

    @pytest.mark.parametrize("subject", [0, -1, 2**31, 2**63, -(2**63) - 1, 10**40])
    def test_it_is_not_upset_by_an_id_that_cannot_be(self, subject: int) -> None:
        make_toy()
        assert not engine.run_one("toys", subject, MONDAY)

    def test_a_failure_is_counted(self) -> None:
        assert not engine.run_one("toys", make_toy("broken"), MONDAY)
        assert Claim.objects.get().attempts == 1


class TestHousekeeping:
    def test_it_buries_forgets_and_shows_a_sign_of_life(self, monkeypatch: pytest.MonkeyPatch) -> None:
        ticks: list[datetime] = []
        monkeypatch.setattr(epoch, "tick", ticks.append)
        poison, stale = make_toys(2)
        claims.take(TOYS, MONDAY, limit=2, holder="me")
        Claim.objects.filter(subject=poison).update(attempts=MOST_ATTEMPTS)
        Claim.objects.filter(subject=stale).update(lease_until=MONDAY - claims.FORGET_AFTER)
        engine.keep_house(LATER)
        assert [row.subject for row in claims.dead()] == [poison]
        assert not Claim.objects.filter(subject=stale).exists()
        assert ticks == [LATER]


class TestHolder:
    def test_each_is_unlike_any_other_and_fits(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("socket.gethostname", lambda: "host" * 60)
        names = {engine.new_holder() for _time in range(50)}
        assert len(names) == 50
        assert max(map(len, names)) <= 80


class TestKinds:
    def make(self, name: str, step: Callable[[int, datetime], object] = play) -> Kind:
        return Kind(name, due_toys, step)

    def test_they_are_worked_on_in_the_order_they_came_and_the_same_name_replaces(self) -> None:
        again = self.make("toys")
        kinds.register(self.make("more"), again)
        assert kinds.all_kinds() == [again, kinds.find("more")]
        assert kinds.find("nonsense") is None

    def test_ids_are_limited(self) -> None:
        pks = make_toys(3)
        assert TOYS.ids(MONDAY, limit=2) == pks[:2]
