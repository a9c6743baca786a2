"""`run.py faults`: kills the real stack's processes, takes its servers away, judges what became of it.

    python3 run.py faults --kills 1000           1,000 kills under load
    python3 run.py faults --short                50 kills and every failpoint once
    python3 run.py faults --scenario postgres    one of: kills failpoints flush redis-away postgres postmaster
                                                 freeze crowd outage, or all of them

Every run prints its seed; `--seed` repeats its choices. The figures go to var/faults-<scenario>.md and .json.
"""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import subprocess
import sys
from importlib import import_module
from typing import Any

from tests.faults.options import Options
from tests.faults.rig import ROOT, Rig

SCENARIOS = (
    "kills",
    "failpoints",
    "flush",
    "redis-away",
    "postgres",
    "postmaster",
    "freeze",
    "crowd",
    "outage",
)
SHORT = ("kills", "failpoints")
SHORT_ACTIONS = 600
# What was in flight is taken up again after a lease; CI does not wait for a whole minute.
SHORT_LEASE = 20.0

# How many of what, and what else the rig needs, where it is not one of each.
SHAPES: dict[str, dict[str, Any]] = {
    "failpoints": {"lease": 6.0},
    "freeze": {"lease": 4.0, "web": 0, "workers": 0, "beats": 0},
    "postgres": {"through_proxy": True},
    "crowd": {"web": 0, "workers": 2, "children_each": 4, "beats": 2, "dispatchers": 5},
}


def main(words: list[str]) -> int:
    options = parse(words)
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    try:
        return several(options, words) if options.scenario in ("all", "short") else one(options)
    except KeyboardInterrupt:
        print("\nStopped.", flush=True)
        return 130


def leave(*_: object) -> None:
    raise KeyboardInterrupt


def parse(words: list[str]) -> Options:
    parser = argparse.ArgumentParser(
        prog="run.py faults", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenario", choices=[*SCENARIOS, "all"], default="kills")
    parser.add_argument("--short", action="store_true", help="50 kills and every failpoint once")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--actions", type=int, help="how much falls due over the run (10,000; short: 600)")
    parser.add_argument("--interval", type=float, default=1.5, help="mean seconds between two kills (1.5)")
    parser.add_argument("--lease", type=float, help="seconds a row stays with its taker (60)")
    parser.add_argument("--minutes", type=float, default=10, help="how long Redis is away (10)")
    parser.add_argument("--seconds", type=float, default=30, help="how long PostgreSQL is away (30)")
    parser.add_argument(
        "--count", type=int, default=50, help="how often Redis is emptied, the postmaster killed"
    )
    parser.add_argument("--rows", type=int, default=100_000, help="due rows of the crowd (100,000)")
    facts = vars(parser.parse_args(words))
    if facts["actions"] is None:
        facts["actions"] = SHORT_ACTIONS if facts["short"] else 10_000
    if facts["short"] and "--scenario" not in words:
        facts["scenario"] = "short"
    if facts["short"] and facts["lease"] is None and facts["scenario"] == "kills":
        facts["lease"] = SHORT_LEASE
    return Options(**facts)


def several(options: Options, words: list[str]) -> int:
    """Each in a process of its own, with the same further words."""
    words = [*words, "--seed", str(options.seed)]
    failed = []
    for name in SHORT if options.scenario == "short" else SCENARIOS:
        command = [sys.executable, "-m", "tests.faults.run", *words, "--scenario", name]
        process = subprocess.Popen(command, cwd=ROOT)
        try:
            if process.wait():
                failed.append(name)
        except BaseException:
            process.terminate()
            process.wait()
            raise
    print(f"\nfaults: {', '.join(failed)} failed" if failed else "\nfaults: all well", flush=True)
    return 1 if failed else 0


def one(options: Options) -> int:
    print(f"faults: {options.scenario}, seed {options.seed}", flush=True)
    shape = {"lease": options.lease, **SHAPES.get(options.scenario, {})}
    if options.lease:
        shape["lease"] = options.lease
    with Rig(**shape) as rig:
        rig.migrate()
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        import django

        django.setup()
        stage = import_module("tests.faults.stage")
        scenario = import_module(f"tests.faults.scenarios.{options.scenario.replace('-', '_')}")
        made = stage.Stage.build(rig, options, getattr(scenario, "TABLES", ()))
        scenario.play(made)
        made.report.write()
        print(f"\n{made.report.as_text()}", flush=True)
        return 0 if made.report.passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
