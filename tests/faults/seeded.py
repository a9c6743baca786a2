"""Do the tests bite? Faults that lose or repeat things are put into copies of the product, one by one.

    python -m tests.faults.seeded [--only NAME ...] [--jobs 2]

For each fault the tests named with it must fail. Prints a table; ends with 1 if more than one fault was not
noticed. The list is `tests/faults/fault_list.py`; a test holds that each of its places still exists.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

from config import embedded
from tests.faults.fault_list import FAULTS, Fault

ROOT = Path(__file__).resolve().parent.parent.parent
MAY_SURVIVE = 1
PATIENCE = 900.0  # seconds


@dataclass(frozen=True)
class Found:
    """What the tests made of one fault: the first test that failed, '' if none did."""

    fault: Fault
    by: str
    seconds: float


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    words.add_argument("--only", nargs="*", default=[], help="names of faults (all)")
    words.add_argument("--jobs", type=int, default=2, help="how many copies at once (2)")
    chosen = words.parse_args()
    faults = [fault for fault in FAULTS if not chosen.only or fault.name in chosen.only]
    copies: Queue[Path] = Queue()
    with ExitStack() as stack:
        for _ in range(chosen.jobs):
            copies.put(stack.enter_context(copy_of_the_product()))
        with ThreadPoolExecutor(chosen.jobs) as pool:
            found = list(pool.map(lambda fault: report(try_fault(fault, copies)), faults))
    survived = [each for each in found if not each.by]
    print(f"\n{len(found) - len(survived)} of {len(found)} faults noticed.")
    return 1 if len(survived) > MAY_SURVIVE else 0


@contextmanager
def copy_of_the_product() -> Iterator[Path]:
    """A copy of what is under version control, with servers of its own."""
    with tempfile.TemporaryDirectory(prefix="seeded-") as name, ExitStack() as servers:
        copy = Path(name)
        listed = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True)
        for path in filter(None, listed.split("\0")):
            if (ROOT / path).exists():
                (copy / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / path, copy / path)
        where = embedded.temporary_home()
        servers.callback(shutil.rmtree, where, ignore_errors=True)
        servers.enter_context(embedded.running(where, durable=False))
        (copy / ".servers").write_text(str(where))
        yield copy


def try_fault(fault: Fault, copies: Queue[Path]) -> Found:
    copy, started = copies.get(), time.monotonic()
    place = copy / fault.path
    sound = place.read_text()
    try:
        assert sound.count(fault.before) == 1, f"{fault.name}: its place in {fault.path} is gone"
        place.write_text(sound.replace(fault.before, fault.after))
        return Found(fault, failing_test(copy, fault.tests), time.monotonic() - started)
    finally:
        place.write_text(sound)
        copies.put(copy)


def failing_test(copy: Path, tests: tuple[str, ...]) -> str:
    where = Path((copy / ".servers").read_text())
    environment = {
        **os.environ,
        "DATABASE_URL": embedded.database_url(where),
        "REDIS_URL": embedded.redis_url(where),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-n0", "--no-header", "-p", "no:cacheprovider"]
    command += ["--reuse-db", *tests]
    try:
        done = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        return ""  # It may be the fault that hangs or a slow machine: nobody can say that it was noticed.
    if done.returncode == 0:
        return ""
    if done.returncode != 1:
        raise RuntimeError(f"the tests did not run:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    lines = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return lines[0].split(" - ")[0] if lines else "a test"


def report(found: Found) -> Found:
    verdict = found.by or "NOT NOTICED"
    print(f"{found.fault.name:<44} {found.seconds:5.0f} s  {verdict}", flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main())
