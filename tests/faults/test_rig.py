"""The harness itself: it runs, judges, and leaves nothing behind, also when it is killed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.faults import janitor
from tests.faults.rig import ROOT

START = [sys.executable, "-c", "import time; from tests.faults.rig import Rig\nwith Rig() as rig:\n"
         "    print(rig.home, flush=True)\n    time.sleep(60)"]  # fmt: skip


def started() -> tuple[subprocess.Popen[str], Path]:
    harness = subprocess.Popen(START, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert harness.stdout is not None
    home = Path(harness.stdout.readline().strip())
    assert home.exists()
    return harness, home


def left(home: Path) -> list[object]:
    """What is still there of a rig, once it had time to go."""
    ends = time.monotonic() + 90
    while time.monotonic() < ends and (home.exists() or janitor.marked(home)):
        time.sleep(0.1)
    return [*janitor.marked(home), *([home] if home.exists() else [])]


def test_it_leaves_nothing_behind_when_it_is_killed() -> None:
    harness, home = started()
    time.sleep(0.5)
    assert janitor.marked(home)
    os.killpg(harness.pid, signal.SIGKILL)
    harness.wait()
    assert left(home) == []


def test_it_leaves_nothing_behind_after_ctrl_c() -> None:
    harness, home = started()
    os.killpg(harness.pid, signal.SIGINT)
    harness.wait(90)
    assert left(home) == []


def test_it_finds_a_seed_and_tells_it() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "tests.faults.run", "--help"], cwd=ROOT, capture_output=True, text=True
    )
    assert shown.returncode == 0
    assert re.search(r"--seed", shown.stdout)
