"""Real processes on the test database."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.db import connection


def database_url() -> str:
    facts = connection.settings_dict
    who = quote(facts["USER"]) + (f":{quote(facts['PASSWORD'])}" if facts["PASSWORD"] else "")
    where = quote(facts["HOST"], safe="") + (f":{facts['PORT']}" if facts["PORT"] else "")
    return f"postgresql://{who}@{where}/{facts['NAME']}"


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "DATABASE_URL": database_url(), **more}


def run_child(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """One `dispatch` process that does the toys, until it ends."""
    return subprocess.run(
        [sys.executable, "-m", "tests.dispatch.child", *words],
        cwd=settings.BASE_DIR,
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=60,
    )


@contextmanager
def dispatcher(folder: Path, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """`dispatch --loop` on the toys, in a session of its own; nothing of it is left afterwards."""
    with (folder / "dispatcher.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.dispatch.child", "--loop", "--every", "0.1"],
            cwd=settings.BASE_DIR,
            env=environment(**more),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        for pid in (*children(process.pid), process.pid):
            stop(pid)
        process.wait(10)


def children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def alive(pid: int) -> bool:
    """Whether it runs; one that ended and that nobody asked about does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def stop(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
