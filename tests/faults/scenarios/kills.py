"""SIGKILL of a random process at random times, under load, many times."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from contextlib import suppress

from tests.faults.judge import percentile
from tests.faults.rig import Rig
from tests.faults.stage import Stage, say

ROLES = ("web parent", "web child", "worker parent", "worker child", "dispatcher parent", "dispatcher child",
         "beat")  # fmt: skip
RECOVERED_SECONDS = 90.0
# The stack may take this long to start while the first things fall due already.
START_SECONDS = 20.0


def play(stage: Stage) -> None:
    options = stage.options
    ends = stage.load(options.kills * options.interval + START_SECONDS, options.actions)
    stage.start()
    client = stage.client()
    kills, by_role = kill(stage.rig, stage.chance, options.kills, options.interval)
    client.stop()
    stage.settle(ends)
    judge, verdict = stage.judge(kills)
    report = stage.report
    report.rows.insert(0, ("kills", f"{len(kills)} ({told(by_role)})", ""))
    fresh, flying = judge.recoveries()
    report.add("kills after which something new fell due", len(fresh), "most of them")
    if len(fresh) < len(kills) / 2:
        report.faults.append("the load fell due too early to judge how soon all was back: give it more time")
    report.add("back after a kill (s): p50 / p99 / max", shown(fresh))
    # A figure, not a verdict: it holds the queue of a machine that cannot send as fast as the load fills it,
    # and with a kill a second the same row is met again and again.
    report.add("settled what was in flight (s): p50 / p99 / max", shown(flying))
    report.must("back after a kill, p99", percentile(fresh, 0.99), RECOVERED_SECONDS, " s")
    report.must("uncertain beyond the sends in flight", max(0, verdict.uncertain - verdict.in_flight), 0)


def kill(rig: Rig, chance: random.Random, count: int, interval: float) -> tuple[list[float], Counter[str]]:
    """The choices (when, which role, which of them) come from the seed alone."""
    kills: list[float] = []
    by_role: Counter[str] = Counter()
    while len(kills) < count:
        pause, role, which = chance.uniform(0.2, 2 * interval - 0.2), chance.choice(ROLES), chance.random()
        time.sleep(pause)
        pids = rig.targets().get(role, [])
        if not pids:  # just being started again: the next best process that runs
            pids = [pid for others in rig.targets().values() for pid in others]
            role = "whoever ran"
        at = time.time()
        with suppress(ProcessLookupError):
            os.kill(pids[int(which * len(pids))], signal.SIGKILL)
            kills.append(at)
            by_role[role] += 1
        if len(kills) % 25 == 0:
            say(f"{len(kills)} kills")
    return kills, by_role


def told(by_role: Counter[str]) -> str:
    return ", ".join(f"{role} {count}" for role, count in sorted(by_role.items()))


def shown(times: list[float]) -> str:
    return f"{percentile(times, 0.5):.1f} / {percentile(times, 0.99):.1f} / {max(times, default=0.0):.1f}"
