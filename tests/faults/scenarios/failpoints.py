"""Every named failpoint kills its process once, each while work that reaches it is under way."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

from dispatch import epoch
from dispatch.clock import now
from dispatch.failpoints import KILL, NAMES
from dispatch.models import Pulse
from dispatch.nudge import silenced
from surveys.messages.providers.base import UNCERTAIN
from surveys.models import DeliveryAttempt, Response, Source
from tests.faults.journal import Journal
from tests.faults.load import Load
from tests.faults.rig import ROOT
from tests.faults.stage import Stage, say

# Between an attempt and its result: a process dies in each of these places once for each class of provider.
IN_HAND = ("after_intent_commit", "before_call", "request_half_sent", "provider_accepted", "before_finish")
# What such a death leads to where the provider of the channel is of class A, C, B.
FOLLOWS = {"sms": {"giving_back_a"}, "email": {"giving_back_c"}, "chat": {"giving_back_b", "asking_provider"}}
# Reached only by a command that a person runs.
BY_COMMAND = ("import_mid_batch", "in_reconcile")
IMPORT_ROWS = 60
MESSAGES = 20
MORE_ACTIONS = 30
PATIENCE = 60.0
# Over so long falls due what is put in while everything runs.
SOON = timedelta(seconds=5)
# How often the same is tried where something else met the deaths.
ROUNDS = 3


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
    under_all_kinds_of_load(stage, ends)
    import_answers(stage)
    client.stop()
    stage.settle(max(ends, now() + SOON))
    deaths = {channel: with_one_in_hand(stage, channel) for channel in FOLLOWS}
    stage.judge(every_moment(began))
    reconcile(stage)
    tell(stage, deaths)


def tell(stage: Stage, deaths: dict[str, int]) -> None:
    silent = sorted(set(NAMES) - stage.rig.fired())
    stage.report.rows.insert(0, ("failpoints fired", f"{len(NAMES) - len(silent)} of {len(NAMES)}", "all"))
    counts = ", ".join(f"{channel} {count}" for channel, count in deaths.items())
    stage.report.rows.insert(1, ("deaths with nothing but this in hand", counts, f"≥ {len(IN_HAND)} each"))
    stage.report.blame("failpoints that never fired", silent)
    spared = [channel for channel, count in deaths.items() if count < len(IN_HAND)]
    stage.report.blame("channels not met by every death", spared)


def every_moment(began: float) -> list[float]:
    """Processes die all the time here: any moment may have been one."""
    return [began + n for n in range(int(time.time() - began) + 2)]


def wait_for(stage: Stage, names: set[str], patience: float = PATIENCE) -> None:
    ends = time.monotonic() + patience
    while time.monotonic() < ends and names - stage.rig.fired():
        time.sleep(0.5)
    left = names - stage.rig.fired()
    say(f"{len(stage.rig.fired())} fired" + (f", still to come: {', '.join(sorted(left))}" if left else ""))


def under_all_kinds_of_load(stage: Stage, ends: datetime) -> None:
    """What is reached by whatever falls due, and by the answers the client sends."""
    names = set(NAMES) - set(BY_COMMAND) - set().union(*FOLLOWS.values())
    wait_for(stage, names)
    stage.wait_until(ends)
    for _ in range(ROUNDS):
        if not names - stage.rig.fired():
            return
        late(stage)
        later_load(stage).fill(MORE_ACTIONS, say=say)
        wait_for(stage, names)


def with_one_in_hand(stage: Stage, channel: str) -> int:
    """Messages of one channel and, since all else is settled, nothing besides: every death meets one of them,
    and what follows from it has happened when they are settled. Returns how many attempts a death ended."""
    since = now()
    for _ in range(ROUNDS):
        for name in IN_HAND:
            (stage.rig.home / "failpoints" / name).unlink(missing_ok=True)
        put_messages(stage, channel)
        wait_for(stage, set(IN_HAND))
        stage.settle(now())
        if died(channel, since) >= len(IN_HAND) and not FOLLOWS[channel] - stage.rig.fired():
            break
    return died(channel, since)


def put_messages(stage: Stage, channel: str) -> None:
    load = later_load(stage)
    with silenced():
        load.in_chunks(lambda customer, due: load.message(customer, due, channel), MESSAGES)


def died(channel: str, since: datetime) -> int:
    tries = DeliveryAttempt.objects.filter(message__channel=channel, started_at__gte=since)
    return tries.filter(result=UNCERTAIN, detail="sender_died").count()


def later_load(stage: Stage) -> Load:
    begins = now()
    return Load(stage.world, Journal(stage.rig.journal("ledger")), begins, begins + SOON, stage.chance)


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
