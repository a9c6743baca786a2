"""What every scenario shares: a stage to play on, waiting until all is settled, the usual figures."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connections, transaction

from dispatch.clock import now
from tests.faults import audit, invariants
from tests.faults.client import Client
from tests.faults.journal import Journal
from tests.faults.judge import COLLEAGUES, Judge, Verdict, percentile, unsettled
from tests.faults.load import SHARES, Load, World, make_world
from tests.faults.options import Options
from tests.faults.report import Report, machine
from tests.faults.rig import Rig

# The load begins to fall due when it is expected to be in the database, and so much of its time later.
SPARE_SHARE, SPARE_SECONDS = 0.3, 6.0
# How long nothing at all may move before it counts as stuck: longer than a lease and asking a provider.
STANDSTILL_SECONDS = 240.0


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


class TakeBack(Exception):
    """Nothing of it shall stay."""


@dataclass
class Stage:
    rig: Rig
    options: Options
    chance: random.Random
    report: Report
    world: World
    floor: float = 0.0
    clients: int = 0

    @classmethod
    def build(cls, rig: Rig, options: Options, tables: Sequence[str] = ()) -> Stage:
        audit.watch(tables or audit.WATCHED)
        report = Report(options.scenario, options.seed, facts=machine())
        return cls(rig, options, random.Random(options.seed), report, make_world())

    def load(self, seconds: float, actions: int, shares: dict[str, float] = SHARES) -> datetime:
        """Things that fall due over `seconds`, from about when this returns. Returns when the last does."""
        begins = now() + timedelta(seconds=self.time_to_load(actions))
        ends = begins + timedelta(seconds=seconds)
        say(f"putting {actions} things that fall due over {seconds:.0f} s into the database")
        ledger = Journal(self.rig.journal("ledger"))
        Load(self.world, ledger, begins, ends, self.chance).fill(actions, shares, say)
        return ends

    def time_to_load(self, actions: int) -> float:
        """Seconds, going by the quicker of two trials: whatever else the machine does only adds to one."""
        # A callback stands for the third of all things that hang on a ticket of their own.
        each = min(self.trial() for _ in range(2)) / 25
        return actions * each * (1 + SPARE_SHARE) + SPARE_SECONDS

    def trial(self) -> float:
        """How long it takes to put in twenty things, which are taken back."""
        trial = Journal(self.rig.journal("trial"))
        started = time.monotonic()
        with suppress(TakeBack), transaction.atomic():
            at = now()
            shares = {"message": 0.5, "callback": 0.5}
            Load(self.world, trial, at, at + timedelta(minutes=5), self.chance).fill(
                20, shares, lambda _: None
            )
            raise TakeBack
        return time.monotonic() - started

    def start(self) -> None:
        self.rig.start()
        self.floor = time.time()
        say("everything runs")

    def client(self, pause: float = 0.5, timeout: float = 10) -> Client:
        self.clients += 1
        made = Client(
            self.rig.port,
            self.world.token,
            self.rig.journal("client"),
            pause=pause,
            timeout=timeout,
            name=f"live{self.clients}",
        )
        made.start()
        return made

    def wait_until(self, when: datetime) -> None:
        while now() < when:
            time.sleep(0.2)

    def settle(self, ends: datetime, patience: float = STANDSTILL_SECONDS) -> None:
        """Until nothing is due, taken or being sent any more."""
        connections.close_all()
        self.wait_until(ends)
        limit, told = time.monotonic() + patience, time.monotonic()
        left = unsettled()
        while left and time.monotonic() < limit:
            time.sleep(1)
            before, left = left, unsettled()
            if left != before:
                limit = max(limit, time.monotonic() + STANDSTILL_SECONDS)
            if left and time.monotonic() - told > 15:
                say(f"still unsettled: {left}")
                told = time.monotonic()
        if left:
            self.report.faults.append(f"not settled after {patience:.0f} s: {left}")
        else:
            say("all is settled")

    def judge(self, kills: Sequence[float] = ()) -> tuple[Judge, Verdict]:
        judge = Judge(self.rig, self.floor, kills)
        verdict = judge.judge()
        self.usual_figures(verdict)
        for line in invariants.violated(invariants.Evidence(rig=self.rig, settled=True)):
            self.report.faults.append(line)
        self.report.add("invariants violated", sum("invariant" in each for each in self.report.faults), "0")
        return judge, verdict

    def usual_figures(self, verdict: Verdict) -> None:
        report = self.report
        report.add("actions intended / done", f"{verdict.intended} / {verdict.done}")
        report.add("lost", len(verdict.lost), "0")
        for kind in "ABC":
            doubled = len(verdict.doubled.get(f"class {kind}", []))
            report.add(
                f"class {kind}: delivered / doubled", f"{verdict.delivered[kind]} / {doubled}", "doubled 0"
            )
        report.add("class C to colleagues, doubled", len(verdict.doubled.get(COLLEAGUES, [])))
        report.add("repeats a provider told by its key", verdict.repeats)
        ended = ", ".join(f"{state} {n}" for state, n in verdict.ends.most_common())
        report.add("how messages ended", ended)
        report.add("uncertain / sends in flight at kills", f"{verdict.uncertain} / {verdict.in_flight}")
        report.add("acknowledged / missing", f"{verdict.acknowledged} / {len(verdict.missing)}", "missing 0")
        others = {what: len(rows) for what, rows in verdict.doubled.items() if not what.startswith("class")}
        report.add("acts done twice", others or 0, "0")
        for what, times in sorted(verdict.lateness.items()):
            p50, p99 = percentile(times, 0.5), percentile(times, 0.99)
            report.add(f"late by, {what} (s): p50 / p99 / max", f"{p50:.1f} / {p99:.1f} / {max(times):.1f}")
        report.faults.extend(verdict.faults)


def lateness_of_all(verdict: Verdict) -> list[float]:
    return [late for times in verdict.lateness.values() for late in times]
