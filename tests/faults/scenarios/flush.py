"""Redis emptied again and again, under load: nudges and ticks are lost, nothing else."""

from __future__ import annotations

import threading

from redis import Redis

from config import embedded
from tests.faults.judge import percentile
from tests.faults.stage import Stage, lateness_of_all, say

EVERY_SECONDS = 20.0
LATE_SECONDS = 30.0


def play(stage: Stage) -> None:
    options = stage.options
    ends = stage.load(options.count * EVERY_SECONDS, options.actions)
    stage.start()
    client = stage.client()
    flushes = flush(stage, options.count)
    client.stop()
    stage.settle(ends)
    _judge, verdict = stage.judge()
    stage.report.rows.insert(0, ("FLUSHALL", str(flushes), f"every {EVERY_SECONDS:g} s"))
    stage.report.must("late, p99 of all", percentile(lateness_of_all(verdict), 0.99), LATE_SECONDS, " s")


def flush(stage: Stage, count: int) -> int:
    redis = Redis.from_url(embedded.redis_url(stage.rig.home).partition("?")[0])
    for number in range(count):
        threading.Event().wait(EVERY_SECONDS)
        redis.flushall()
        if number % 10 == 9:
            say(f"emptied {number + 1} times")
    return count
