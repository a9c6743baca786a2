"""Cleans up after a rig whose harness is gone, however it went: ends its processes, removes its folder.

Every process of a rig carries the rig's folder in its environment; nothing else is touched.
Run as `python -m tests.faults.janitor FOLDER` with a pipe from the harness as its input.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

MARK = "FAULTS_RIG"


def pids() -> Iterator[int]:
    return (int(entry) for entry in os.listdir("/proc") if entry.isdigit())


def marked(home: Path) -> list[int]:
    """Processes that carry this rig's mark, but not this one."""
    mark, found = f"{MARK}={home}".encode(), []
    for pid in pids():
        with contextlib.suppress(OSError):
            if pid != os.getpid() and mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                found.append(pid)
    return found


def children(parent: int) -> list[int]:
    return [pid for pid in pids() if status(pid)[1] == parent]


def status(pid: int) -> tuple[str, int]:
    """(state letter, parent), ('', 0) for a process that is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "", 0
    return fields[0], int(fields[1])


def postmaster(home: Path) -> int | None:
    try:
        return int((home / "postgres-18" / "postmaster.pid").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None


def send(sign: signal.Signals, *targets: int) -> None:
    for pid in targets:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, sign)


def end_postgres(home: Path) -> None:
    pid = postmaster(home)
    if pid is None or str(home) not in cmdline(pid):
        return
    send(signal.SIGCONT, pid, *children(pid))
    send(signal.SIGQUIT, pid)
    for _ in range(50):
        if not status(pid)[0].strip("Z"):
            return
        time.sleep(0.1)
    send(signal.SIGKILL, pid)


def cmdline(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def clean(home: Path) -> None:
    for _ in range(20):
        left = marked(home)
        if not left:
            break
        send(signal.SIGKILL, *left)
        time.sleep(0.1)
    end_postgres(home)
    shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdin.read()
    clean(Path(sys.argv[1]))
