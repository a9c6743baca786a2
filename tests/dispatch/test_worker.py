"""The dispatcher in processes of its own: they are killed, they hang, they are asked to stop."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import OperationalError, connection
from pytest_django import Settings

from dispatch import claims, engine, worker
from dispatch.models import Claim
from dispatch.watch import Waiting
from tests.dispatch.processes import alive, children, dispatcher, run_child
from tests.dispatch.toys import TOYS, make_toy, make_toys, marks, toys, waiting
from tests.post import eventually

pytestmark = pytest.mark.usefixtures("only_toys")

DAY = timedelta(days=1)
SHORT = {"DISPATCH_LEASE_SECONDS": "1.5"}


def yesterday() -> datetime:
    return datetime.now(UTC) - DAY


def all_done(pks: list[int]) -> bool:
    return not toys().filter(pk__in=pks, reason="by_hand").exists()


def child_of(pid: int) -> int:
    return eventually(lambda: (children(pid) or [0])[0], "a working child")


@pytest.mark.django_db(transaction=True)
class TestKilledAnywhere:
    @pytest.mark.parametrize(
        ("failpoint", "claimed", "attempts", "effects"),
        [
            ("before_take_commit", False, 0, 0),
            ("after_take", True, 0, 0),
            ("after_begin", True, 1, 0),
            ("step_entered", True, 1, 0),
            ("step_before_commit", True, 1, 0),
            ("step_after_commit", False, 0, 1),
        ],
    )
    def test_the_attempt_is_counted_and_the_effect_comes_once(
        self, failpoint: str, claimed: bool, attempts: int, effects: int
    ) -> None:
        pk = make_toy(at=yesterday())
        ended = run_child("--once", FAILPOINTS=f"{failpoint}=kill")
        assert ended.returncode == -signal.SIGKILL
        assert marks(pk) == effects
        assert list(Claim.objects.values_list("attempts", flat=True)) == ([attempts] if claimed else [])
        engine.run_all(datetime.now(UTC) + DAY)
        assert marks(pk) == 1

    def test_one_round_says_how_much_it_did(self) -> None:
        pks = make_toys(3, at=yesterday())
        ended = run_child("--once")
        assert (ended.returncode, ended.stdout) == (0, "3 done\n")
        assert [marks(pk) for pk in pks] == [1, 1, 1]

    def test_one_round_that_failed_says_so(self) -> None:
        pk = make_toy("broken", at=yesterday())
        ended = run_child("--once")
        assert (ended.returncode, ended.stdout) == (1, "0 done\n")
        assert f"toys {pk}: RuntimeError: this toy is" in ended.stderr


@pytest.mark.django_db(transaction=True)
class TestLoop:
    def test_a_child_that_is_killed_is_replaced_and_each_row_is_done_once(self, tmp_path: Path) -> None:
        pks = make_toys(300, at=yesterday())
        with dispatcher(tmp_path, **SHORT) as process:
            for _kill in range(2):
                child = child_of(process.pid)
                time.sleep(0.3)
                os.kill(child, signal.SIGKILL)
                eventually(lambda: child_of(process.pid) != child, "another child")  # noqa: B023
            eventually(lambda: all_done(pks), "all of them")
            assert process.poll() is None
        assert [marks(pk) for pk in pks] == [1] * 300

    def test_a_row_that_kills_is_given_up_after_five_and_delays_no_other(self, tmp_path: Path) -> None:
        deadly = make_toy("deadly", at=yesterday() - DAY)
        good = make_toys(30, at=yesterday())
        with dispatcher(tmp_path, **SHORT) as process:
            eventually(lambda: all_done(good), "the innocent")
            assert not claims.dead().exists()
            eventually(lambda: claims.dead().exists(), "the end of the deadly one")
            late = make_toy(at=yesterday())
            eventually(lambda: all_done([late]), "one that came later")
            assert process.poll() is None
        [row] = claims.dead()
        assert (row.subject, row.attempts) == (deadly, 5)
        assert [marks(pk) for pk in (*good, deadly)] == [1] * 30 + [0]
        assert waiting(datetime.now(UTC)) == Waiting("toys", 0, None)

    def test_a_child_that_hangs_is_replaced_and_the_others_go_on(self, tmp_path: Path) -> None:
        hanging = make_toy("hanging", at=yesterday() - DAY)
        good = make_toys(3, at=yesterday())
        with dispatcher(tmp_path, **SHORT) as process:
            child = child_of(process.pid)
            eventually(lambda: all_done(good), "the innocent")
            assert not alive(child)
            eventually(
                lambda: Claim.objects.filter(subject=hanging, attempts__gte=2).exists(), "a second try"
            )
            assert process.poll() is None
        assert [marks(pk) for pk in (*good, hanging)] == [1, 1, 1, 0]

    def test_a_failpoint_that_sleeps_is_a_hang_too(self, tmp_path: Path) -> None:
        pks = make_toys(3, at=yesterday())
        armed = {"FAILPOINTS": "step_entered=sleep:600", "FAILPOINTS_DIR": str(tmp_path)}
        with dispatcher(tmp_path, **SHORT, **armed):
            eventually(lambda: all_done(pks), "all of them")
        assert [marks(pk) for pk in pks] == [1, 1, 1]

    def test_it_goes_on_after_its_connection_was_cut(self, tmp_path: Path) -> None:
        with dispatcher(tmp_path, PGAPPNAME="cut-me") as process:
            child = child_of(process.pid)
            first = make_toy(at=yesterday())
            eventually(lambda: all_done([first]), "the first")
            for _cut in range(3):
                with connection.cursor() as cursor:
                    cursor.execute(
                        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                        " WHERE application_name = 'cut-me'"
                    )
                    assert cursor.fetchone()[0] > 0
                pk = make_toy(at=yesterday())
                eventually(lambda: all_done([pk]), "one more")  # noqa: B023
            assert children(process.pid) == [child]

    def test_asked_to_stop_it_ends_in_time_with_status_0(self, tmp_path: Path) -> None:
        with dispatcher(tmp_path) as process:
            child = child_of(process.pid)
            pk = make_toy(at=yesterday())
            eventually(lambda: all_done([pk]), "a row")
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
            assert time.monotonic() - began < 5
            assert not alive(child)

    def test_asked_to_stop_at_once_it_ends_too(self, tmp_path: Path) -> None:
        with dispatcher(tmp_path) as process:
            child_of(process.pid)
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0

    def test_asked_to_stop_while_its_child_hangs_it_ends_when_the_silence_is_too_long(
        self, tmp_path: Path
    ) -> None:
        make_toy("hanging", at=yesterday())
        with dispatcher(tmp_path, **SHORT) as process:
            eventually(lambda: Claim.objects.filter(attempts=1).exists(), "a row in hand")
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0

    def test_a_child_whose_parent_is_killed_ends(self, tmp_path: Path) -> None:
        with dispatcher(tmp_path) as process:
            child = child_of(process.pid)
            pk = make_toy(at=yesterday())
            eventually(lambda: all_done([pk]), "a row")
            process.kill()
            process.wait(10)
            eventually(lambda: not alive(child), "the end of the child")


@pytest.fixture
def stopping() -> Iterator[worker.Stopping]:
    before = {sign: signal.getsignal(sign) for sign in (signal.SIGTERM, signal.SIGINT)}
    yield worker.Stopping()
    for sign, handler in before.items():
        signal.signal(sign, handler)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    news, tell = os.pipe()
    yield news, tell
    for end in (news, tell):
        try:
            os.close(end)
        except OSError:
            continue


class TestParts:
    def test_a_child_may_be_silent_for_less_than_its_lease(self, settings: Settings) -> None:
        settings.DISPATCH_LEASE_SECONDS = 60.0
        assert worker.silence_allowed() == 50.0

    @pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
    def test_a_signal_asks_it_to_stop(self, stopping: worker.Stopping, sign: signal.Signals) -> None:
        assert not stopping.asked
        os.kill(os.getpid(), sign)
        assert stopping.asked

    def test_a_pause_ends_when_it_is_asked_to_stop(self, stopping: worker.Stopping) -> None:
        began = time.monotonic()
        worker.pause(0.2, stopping)
        assert 0.2 <= time.monotonic() - began < 2
        stopping.asked = True
        worker.pause(60, stopping)
        assert time.monotonic() - began < 2

    def work(
        self,
        monkeypatch: pytest.MonkeyPatch,
        stopping: worker.Stopping,
        tell: int,
        rounds: list[Callable[[], bool]],
    ) -> list[str]:
        """What `work` was told of its predecessor, round after round."""
        before: list[str] = []

        def one_round(_holder: str, predecessor: str, _tell: int, _stopping: worker.Stopping) -> bool:
            before.append(predecessor)
            act = rounds.pop(0)
            stopping.asked = not rounds
            return act()

        monkeypatch.setattr(worker, "one_round", one_round)
        monkeypatch.setattr(worker, "close_all", lambda: None)
        monkeypatch.setattr(worker, "AWAY_SECONDS", 0.01)
        assert worker.work(0.01, "me", "killed", tell, stopping) == 0
        return before

    def test_it_waits_for_a_database_that_is_away_and_frees_the_dead_ones_rows_after(
        self, monkeypatch: pytest.MonkeyPatch, stopping: worker.Stopping, pipe: tuple[int, int]
    ) -> None:
        def away() -> bool:
            raise OperationalError

        news, tell = pipe
        before = self.work(monkeypatch, stopping, tell, [away, away, lambda: True, lambda: False])
        assert before == ["killed", "killed", "killed", ""]
        assert os.read(news, 100) == b"?.?.."

    @pytest.mark.django_db
    def test_a_round_frees_what_the_dead_one_held_and_says_what_it_begins(
        self, monkeypatch: pytest.MonkeyPatch, stopping: worker.Stopping, pipe: tuple[int, int]
    ) -> None:
        monkeypatch.setattr(worker, "close_old_connections", lambda: None)
        pks = make_toys(2, at=yesterday())
        claims.take(TOYS, datetime.now(UTC), limit=2, holder="killed")
        news, tell = pipe
        assert worker.one_round("me", "killed", tell, stopping)
        assert os.read(news, 100) == b"++"
        assert [marks(pk) for pk in pks] == [1, 1]
        assert not worker.one_round("me", "", tell, stopping)

    @pytest.mark.parametrize(
        ("error", "status", "said"),
        [(None, 0, ""), (BrokenPipeError(), 1, "parent is gone"), (RuntimeError("x"), 1, "child failed")],
    )
    def test_a_child_ends_with_a_status_whatever_happens(
        self,
        monkeypatch: pytest.MonkeyPatch,
        stopping: worker.Stopping,
        caplog: pytest.LogCaptureFixture,
        error: Exception | None,
        status: int,
        said: str,
    ) -> None:
        def work(*_given: object) -> int:
            if error:
                raise error
            return 0

        def leave(status: int) -> None:
            raise SystemExit(status)

        monkeypatch.setattr(worker, "work", work)
        monkeypatch.setattr(os, "_exit", leave)
        with pytest.raises(SystemExit) as ended:
            worker.run_child(1.0, "me", "", 1, stopping)
        assert ended.value.code == status
        assert said in caplog.text
