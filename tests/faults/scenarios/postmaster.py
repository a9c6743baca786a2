"""kill -9 of the postmaster in the middle of commits, again and again: what was acknowledged is there."""

from __future__ import annotations

import os
import signal
import threading
import time

from config.embedded import DidNotStart
from tests.faults.stage import Stage, say

PATIENCE = 60.0


def play(stage: Stage) -> None:
    options = stage.options
    each = 6.0
    ends = stage.load(options.count * each, options.actions)
    stage.start()
    clients = [stage.client(pause=0.05) for _ in range(4)]
    kills = []
    for number in range(options.count):
        threading.Event().wait(stage.chance.uniform(1, 2 * each - 3))
        kills.append(time.time())
        os.kill(stage.rig.postmaster(), signal.SIGKILL)
        start_again(stage)
        if number % 10 == 9:
            say(f"{number + 1} postmasters killed")
    for client in clients:
        client.stop()
    stage.settle(ends)
    stage.judge([kill + n for kill in kills for n in range(12)])
    stage.report.rows.insert(0, ("postmaster killed", str(len(kills)), ""))


def start_again(stage: Stage) -> None:
    """Once the last of its children has seen that it is gone."""
    ends = time.monotonic() + PATIENCE
    while True:
        try:
            return stage.rig.servers()
        except DidNotStart:
            if time.monotonic() > ends:
                raise
            time.sleep(0.5)
