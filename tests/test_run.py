"""The demo keeps its parts running, and says why when it cannot."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import run
from config import embedded

Begin = Callable[[str, str], run.Part]


@pytest.fixture
def begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Begin]:
    """Starts a part that does what the Python text says."""
    monkeypatch.setattr(run, "VAR", tmp_path)
    monkeypatch.setattr(run, "PAUSE_SECONDS", 0.0)
    parts: list[run.Part] = []

    def start(name: str, text: str) -> run.Part:
        parts.append(run.Part(name, [sys.executable, "-c", text], embedded))
        return parts[-1]

    yield start
    for part in parts:
        part.stop()


def test_it_gives_up_a_part_that_ends_at_once_five_times_and_shows_its_log(
    begin: Begin, capsys: pytest.CaptureFixture[str]
) -> None:
    part = begin("broken toy", "print('no wheels'); raise SystemExit(3)")
    assert run.watch([part]) == 1
    assert part.log.read_text().splitlines() == ["no wheels"] * 5
    said = capsys.readouterr().out
    assert said.count("started again: broken toy (3)") == 4
    assert "no wheels" in said
    assert "Ended by itself 5 times: broken toy" in said


def test_it_starts_a_part_again_that_ran_for_a_while(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    part = begin("toy", "import time; time.sleep(60)")
    first = part.process
    for _each in range(2 * run.MOST_QUICK_ENDS):
        part.process.kill()
        part.process.wait()
        part.started = time.monotonic() - run.QUICK_SECONDS - 1
        assert part.start_again()
    assert part.process.pid != first.pid
    assert not part.ended()


def test_it_counts_quick_ends_anew_after_a_long_life(begin: Begin) -> None:
    part = begin("toy", "import time; time.sleep(60)")
    part.quick_ends = run.MOST_QUICK_ENDS - 1
    part.started = time.monotonic() - run.QUICK_SECONDS - 1
    part.process.kill()
    part.process.wait()
    assert part.start_again()
    assert part.quick_ends == 0


def test_it_tells_and_stops_what_runs(begin: Begin) -> None:
    part = begin("toy", "import time; time.sleep(60)")
    run.tell([part])
    part.stop()
    assert part.ended()
    run.tell([part])
