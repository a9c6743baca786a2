"""Redis killed under load and gone for minutes: the dispatcher does the work itself."""

from __future__ import annotations

import os
import signal
import threading

from redis import Redis

from config import embedded
from tests.faults.judge import percentile
from tests.faults.stage import Stage, lateness_of_all, say

LATE_SECONDS = 60.0
BEFORE_AND_AFTER = 15.0


def play(stage: Stage) -> None:
    away = stage.options.minutes * 60
    ends = stage.load(away + 2 * BEFORE_AND_AFTER, stage.options.actions)
    stage.start()
    client = stage.client()
    rest(BEFORE_AND_AFTER)
    redis = Redis.from_url(embedded.redis_url(stage.rig.home).partition("?")[0])
    os.kill(int(redis.info("server")["process_id"]), signal.SIGKILL)
    say(f"Redis is gone for {away:.0f} s")
    rest(away)
    stage.rig.servers()
    say("Redis is back, and empty")
    client.stop()
    stage.settle(ends)
    _judge, verdict = stage.judge()
    stage.report.rows.insert(0, ("Redis away", f"{away:.0f} s", ""))
    stage.report.must("late, p99 of all", percentile(lateness_of_all(verdict), 0.99), LATE_SECONDS, " s")


def rest(seconds: float) -> None:
    threading.Event().wait(seconds)
