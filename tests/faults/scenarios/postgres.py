"""PostgreSQL away for a while, in three ways, while low scores keep coming in."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.faults import janitor
from tests.faults.client import ACKNOWLEDGED
from tests.faults.journal import read
from tests.faults.stage import Stage, say

BACK_SECONDS = 15.0
BETWEEN_SECONDS = 25.0


def play(stage: Stage) -> None:
    away = stage.options.seconds
    ways: dict[str, tuple[Callable[[Stage], None], Callable[[Stage], None]]] = {
        "frozen (SIGSTOP)": (freeze, thaw),
        "stopped at once (SIGQUIT)": (stop_at_once, start_again),
        "cut off": (cut, mend),
    }
    ends = stage.load(len(ways) * (away + BETWEEN_SECONDS), stage.options.actions)
    stage.start()
    clients = [stage.client(pause=0.2, timeout=40) for _ in range(3)]
    backs: dict[str, float] = {}
    for way, (begin, end) in ways.items():
        threading.Event().wait(BETWEEN_SECONDS / 2)
        say(f"PostgreSQL is {way} for {away:.0f} s")
        begin(stage)
        threading.Event().wait(away)
        end(stage)
        backs[way] = seconds_until_served(stage)
        say(f"back after {backs[way]:.1f} s")
        threading.Event().wait(BETWEEN_SECONDS / 2)
    for client in clients:
        client.stop()
    stage.settle(ends)
    stage.judge(every_second(away, ways))
    judge_answers(stage)
    for way, seconds in backs.items():
        stage.report.must(f"back after PostgreSQL was {way}", seconds, BACK_SECONDS, " s")


def every_second(away: float, ways: dict[str, Any]) -> list[float]:
    """Whatever was being sent while the database went is in flight."""
    now = time.time()
    return [now - n for n in range(int(len(ways) * (away + BETWEEN_SECONDS) + 400))]


def judge_answers(stage: Stage) -> None:
    """Only 2xx, 503 with Retry-After, or no answer at all."""
    rows = read(stage.rig.journal("client"))
    found = Counter(row["status"] for row in rows)
    stage.report.add("answers by status (0: none)", dict(sorted(found.items())), "2xx, 503 or none")
    odd = [row for row in rows if row["status"] not in (*ACKNOWLEDGED, 503, 0)]
    stage.report.blame(
        "answers that are neither", [f"{row['status']} {row.get('text', '')[:200]}" for row in odd]
    )
    mute = [row for row in rows if row["status"] == 503 and not row.get("retry_after")]
    stage.report.blame("503 without Retry-After", [row["external_id"] for row in mute])


def seconds_until_served(stage: Stage, patience: float = 60) -> float:
    """Until a low score that begins now is acknowledged."""
    began = time.time()
    while time.time() - began < patience:
        fresh = read(stage.rig.journal("client"))[-50:]
        good = [row["at"] for row in fresh if row["status"] in ACKNOWLEDGED and row["began"] > began]
        if good:
            return float(min(good) - began)
        time.sleep(0.1)
    return patience


# --- The three ways ---


def freeze(stage: Stage) -> None:
    pid = stage.rig.postmaster()
    for each in (pid, *janitor.children(pid)):
        os.kill(each, signal.SIGSTOP)


def thaw(stage: Stage) -> None:
    pid = stage.rig.postmaster()
    for each in (*janitor.children(pid), pid):
        os.kill(each, signal.SIGCONT)


def stop_at_once(stage: Stage) -> None:
    os.kill(stage.rig.postmaster(), signal.SIGQUIT)


def start_again(stage: Stage) -> None:
    stage.rig.servers()


def cut(stage: Stage) -> None:
    os.kill(stage.rig.parts["proxy"].pid, signal.SIGUSR1)


def mend(stage: Stage) -> None:
    os.kill(stage.rig.parts["proxy"].pid, signal.SIGUSR2)
