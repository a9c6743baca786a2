"""A worker that has gone deaf ends itself; one that is idle, busy, frozen or without its broker does not."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from dispatch import selfwatch, tasks
from tests.dispatch.processes import children, stop

DEAF = selfwatch.EX_SOFTWARE


class Ended(Exception):
    pass


class Worker:
    """Answers as told for each look, and hears its ping or not."""

    def __init__(self, *looks: str) -> None:
        self.looks = list(looks)

    def send(self) -> bool:
        look = self.looks.pop(0)
        if look == "heard":
            selfwatch.note_begin()
        return look != "away"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    def end(status: int) -> None:
        raise Ended(status)

    monkeypatch.setattr(selfwatch, "LOOK_SECONDS", 0.001)
    monkeypatch.setattr(selfwatch, "_stopping", threading.Event())
    monkeypatch.setattr(os, "_exit", end)
    monkeypatch.setattr(logging, "shutdown", lambda: None)


def looks_before_it_ends(*looks: str) -> int:
    """How many of these it took; where it did not end, it asks for one more than there are."""
    worker = Worker(*looks)
    with pytest.raises(Ended) as ended:
        selfwatch.watch(worker.send)
    assert ended.value.args == (DEAF,)
    return len(looks) - len(worker.looks)


def lives_through(*looks: str) -> None:
    with pytest.raises(IndexError):
        selfwatch.watch(Worker(*looks).send)


def test_it_ends_after_six_looks_at_which_nothing_was_heard() -> None:
    assert looks_before_it_ends(*["unheard"] * 9) == 6


def test_it_lives_while_any_ping_is_heard() -> None:
    lives_through(*(["unheard"] * 5 + ["heard"]) * 4)


def test_it_lives_without_its_broker_and_counts_anew_after_that() -> None:
    lives_through(*["away"] * 50)
    lives_through(*["unheard"] * 5, "away", *["unheard"] * 5)
    assert looks_before_it_ends(*["unheard"] * 5, "away", *["unheard"] * 9) == 12


def test_it_looks_no_more_once_it_was_asked_to_stop() -> None:
    selfwatch._stopping.set()
    worker = Worker(*["unheard"] * 9)
    selfwatch.watch(worker.send)
    assert len(worker.looks) == 8


def test_it_takes_any_task_for_a_sign() -> None:
    before = selfwatch.last_begun()
    tasks.ping.apply()
    assert selfwatch.last_begun() > before


# --- With a real worker ---


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []

    def begin(*words: str) -> subprocess.Popen[bytes]:
        with (tmp_path / "log").open("wb") as log:
            command = [sys.executable, "-m", "tests.dispatch.ears", *words]
            process = subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=log, stderr=log)
        started.append(process)
        return process

    yield begin
    for process in started:
        for pid in (*children(process.pid), process.pid):
            stop(pid)
        process.wait(10)


def log_has(folder: Path, words: str, process: subprocess.Popen[bytes]) -> bool:
    ends = time.monotonic() + 30
    while time.monotonic() < ends and process.poll() is None:
        if words in (folder / "log").read_text():
            return True
        time.sleep(0.1)
    return words in (folder / "log").read_text()


def test_a_worker_that_went_deaf_ends_and_leaves_no_child(
    start: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    worker = start("deaf")
    assert log_has(tmp_path, "ready", worker)
    pool = children(worker.pid)
    assert len(pool) == 2
    assert worker.wait(20) == DEAF
    assert "hands this worker nothing" in (tmp_path / "log").read_text()
    ends = time.monotonic() + 5
    while time.monotonic() < ends and any(Path(f"/proc/{pid}").exists() for pid in pool):
        time.sleep(0.05)
    assert not any(Path(f"/proc/{pid}").exists() for pid in pool)


def test_a_worker_that_nobody_sends_anything_lives_and_stops_when_asked(
    start: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    worker = start()
    assert log_has(tmp_path, "ready", worker)
    time.sleep(2 * 6 * 0.5)
    assert worker.poll() is None, (tmp_path / "log").read_text()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 0
