"""Every named failpoint kills its process once, each while work that reaches it is under way."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

from dispatch import epoch
from dispatch.clock import now
from dispatch.failpoints import KILL, NAMES
from dispatch.models import Pulse
from dispatch.nudge import silenced
from surveys.models import Response, Source
from tests.faults.journal import Journal
from tests.faults.load import Load
from tests.faults.rig import ROOT
from tests.faults.stage import Stage, say

# Where a process dies with a message in hand: once for each class of provider.
IN_HAND = ("after_intent_commit", "before_call", "request_half_sent", "provider_accepted", "before_finish")
GIVEN_BACK = {"sms": "giving_back_a", "chat": "giving_back_b", "email": "giving_back_c"}
# Reached only by a command that a person runs.
BY_COMMAND = ("import_mid_batch", "in_reconcile")
# Reached only by what is late.
BY_LATENESS = ("digest_told",)
IMPORT_ROWS = 60
PATIENCE = 60.0


def armed() -> str:
    """For the environment of the whole stack: what only a command reaches is armed there."""
    return ",".join(f"{name}={KILL}" for name in NAMES if name not in BY_COMMAND)


def play(stage: Stage) -> None:
    stage.rig.failpoints = armed()
    actions = stage.options.actions if stage.options.short else min(stage.options.actions, 2_000)
    ends = stage.load(45, actions // 2)
    late(stage)
    stage.start()
    client = stage.client(pause=0.3)
    began = time.time()
    wait_for(stage, set(NAMES) - set(BY_COMMAND) - set(GIVEN_BACK.values()) - {"asking_provider"})
    for channel, name in GIVEN_BACK.items():
        strike_in_hand(stage, channel, name)
    wait_for(stage, {*GIVEN_BACK.values(), "asking_provider"})
    stage.wait_until(ends)
    import_answers(stage)
    client.stop()
    stage.settle(max(ends, now()))
    stage.judge(every_moment(began))
    reconcile(stage)
    silent = sorted(set(NAMES) - stage.rig.fired())
    stage.report.rows.insert(0, ("failpoints fired", f"{len(NAMES) - len(silent)} of {len(NAMES)}", "all"))
    stage.report.blame("failpoints that never fired", silent)


def every_moment(began: float) -> list[float]:
    """Processes die all the time here: any moment may have been one."""
    return [began + n for n in range(int(time.time() - began) + 2)]


def wait_for(stage: Stage, names: set[str], patience: float = PATIENCE) -> None:
    ends = time.monotonic() + patience
    while time.monotonic() < ends and names - stage.rig.fired():
        time.sleep(0.5)
    left = names - stage.rig.fired()
    say(f"{len(stage.rig.fired())} fired" + (f", still to come: {', '.join(sorted(left))}" if left else ""))


def strike_in_hand(stage: Stage, channel: str, given_back: str) -> None:
    """Messages of one channel, and a death in every place between the attempt and its result."""
    if given_back in stage.rig.fired():
        return
    for name in IN_HAND:
        (stage.rig.home / "failpoints" / name).unlink(missing_ok=True)
    load = later_load(stage)
    with silenced():
        load.in_chunks(lambda customer, due: load.message(customer, due, channel), 30)
    wait_for(stage, set(IN_HAND), 30)


def later_load(stage: Stage) -> Load:
    soon = now()
    return Load(
        stage.world, Journal(stage.rig.journal("ledger")), soon, soon + timedelta(seconds=5), stage.chance
    )


def late(stage: Stage) -> None:
    """Callbacks of an hour ago: what is told so late goes into a digest."""
    at = now() - timedelta(hours=1)
    load = Load(
        stage.world, Journal(stage.rig.journal("ledger")), at, at + timedelta(minutes=5), stage.chance
    )
    with silenced():
        load.in_chunks(load.callback, 5)


# --- What a person starts ---


def import_answers(stage: Stage) -> None:
    place = answers(stage.rig.home / "answers.csv")
    Source.objects.create(slug="shop", name="Shop", kind="file", survey=stage.world.survey)
    run_twice(stage, "import_mid_batch", "import_responses", str(place), "--source", "shop")
    stored = Response.objects.filter(source__slug="shop").count()
    if stored != IMPORT_ROWS:
        stage.report.faults.append(f"{stored} of {IMPORT_ROWS} answers were imported")


def reconcile(stage: Stage) -> None:
    """As if an older copy of the database had been put in its place."""
    Pulse.objects.update(number=1)
    if not epoch.look().why:
        stage.report.faults.append("a database put back was not noticed")
    run_twice(stage, "in_reconcile", "reconcile", "--apply", "--yes")
    if epoch.look().why:
        stage.report.faults.append("sending still rests after reconciliation")


def run_twice(stage: Stage, name: str, *words: str) -> None:
    first = manage(stage, *words, failpoints=f"{name}={KILL}")
    if name not in stage.rig.fired():
        say(f"{' '.join(words)} ended with {first.returncode}: {first.stdout[-400:]}{first.stderr[-800:]}")
        return
    again = manage(stage, *words)
    if again.returncode:
        stage.report.faults.append(f"{words[0]} failed when it was run again: {again.stderr[-300:]}")


def manage(stage: Stage, *words: str, failpoints: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "FAILPOINTS": failpoints}
    command = [sys.executable, "manage.py", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)


def answers(path: Path) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["external_id", "score", "comment", "email"])
        for n in range(IMPORT_ROWS):
            writer.writerow([f"file-{n}", n % 11, "From a file", f"file{n}@example.com"])
    return path
