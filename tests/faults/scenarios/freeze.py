"""A worker is stopped at each step for three leases and then wakes: it changes nothing it no longer holds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta

from django.db import connection

from dispatch.clock import now
from dispatch.failpoints import FREEZE
from dispatch.nudge import silenced
from tests.faults import janitor
from tests.faults.journal import Journal
from tests.faults.load import Load
from tests.faults.rig import DISPATCHER, ROOT
from tests.faults.stage import Stage, say

STEPS = ("after_take", "after_begin", "step_entered", "step_before_commit", "step_after_commit",
         "message_claimed", "before_intent_commit", "after_intent_commit", "before_call",
         "request_half_sent", "provider_accepted", "before_finish", "after_finish",
         "escalation_told", "resurvey_asked")  # fmt: skip
ROWS = 8
PATIENCE = 90.0


def play(stage: Stage) -> None:
    lease = stage.rig.lease or 60.0
    stage.floor = time.time()
    stale: list[str] = []
    steps = 0
    for step in STEPS:
        fill(stage)
        sleeper = Sleeper(step)
        try:
            if not sleeper.sleeps():
                stage.report.faults.append(f"nobody fell asleep at {step}")
                continue
            fell_asleep = now()
            stage.rig.start((DISPATCHER,))
            time.sleep(3 * lease)
            woke = now()
            sleeper.wake()
        finally:
            sleeper.end()
        stage.rig.stop(f"{DISPATCHER}-0")
        steps += 1
        found = taken_from_others(sleeper.name, fell_asleep, woke)
        stale += [f"{step}: {row}" for row in found]
        say(f"{step}: woke after {3 * lease:.0f} s" + (f", CHANGED {found}" if found else ""))
    stage.rig.start((DISPATCHER,))
    stage.settle(now())
    stage.judge([stage.floor + n for n in range(int(time.time() - stage.floor) + 1)])
    stage.report.rows.insert(0, ("steps at which a worker was frozen", f"{steps} of {len(STEPS)}", "all"))
    stage.report.rows.insert(1, ("rows changed that it no longer held", str(len(stale)), "0"))
    stage.report.blame("a woken worker changed what was not its own any more", stale)


def fill(stage: Stage) -> None:
    """A few things of each kind that are due at once."""
    at = now() - timedelta(seconds=30)
    ledger = Journal(stage.rig.journal("ledger"))
    load = Load(stage.world, ledger, at, at + timedelta(seconds=20), stage.chance)
    with silenced():
        for make in (load.message, load.callback, load.ladder, load.wait, load.resurvey):
            load.in_chunks(make, ROWS)


class Sleeper:
    """One round of the dispatcher, with nobody watching over it, that stops itself at a failpoint."""

    def __init__(self, step: str) -> None:
        self.name = f"sleeper-{step}"
        environment = {**os.environ, "FAILPOINTS": f"{step}={FREEZE}", "PGAPPNAME": self.name}
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "dispatch", "--once"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def sleeps(self) -> bool:
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends and self.process.poll() is None:
            if janitor.status(self.process.pid)[0] == "T":
                return True
            time.sleep(0.05)
        return False

    def wake(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            say(f"{self.name} did not end")

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


def taken_from_others(name: str, asleep: datetime, woke: datetime) -> list[str]:
    """Rows it had in hand, that others changed while it slept, and that it changed after it woke without
    taking them anew. (What it did without touching its claim shows as done twice.)"""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT concat(after.tbl, ' ', after.pk, ': ', after.was, ' to ', after.now)
            FROM faults_audit after
            WHERE after.who = %(name)s AND after.at > %(woke)s
            AND EXISTS (SELECT FROM faults_audit AS before WHERE before.tbl = after.tbl
                AND before.pk = after.pk AND before.who = %(name)s AND before.at <= %(asleep)s)
            AND EXISTS (SELECT FROM faults_audit AS others WHERE others.tbl = after.tbl
                AND others.pk = after.pk AND others.who <> %(name)s
                AND others.at BETWEEN %(asleep)s AND %(woke)s)
            AND NOT EXISTS (SELECT FROM faults_audit AS anew WHERE anew.tbl = after.tbl
                AND anew.pk = after.pk AND anew.who = %(name)s AND anew.at > %(woke)s
                AND anew.id <= after.id AND (anew.now = 'sending' OR anew.op = 'INSERT'))
            """,
            {"name": name, "asleep": asleep, "woke": woke},
        )
        return [str(row[0]) for row in cursor.fetchall()]
