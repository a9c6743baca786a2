"""Files that only grow: one JSON object a line, on the disk before whoever wrote it answers."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any


class Journal:
    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def write(self, **facts: Any) -> None:
        line = json.dumps({"at": time.time(), **facts}, ensure_ascii=False, default=str)
        os.write(self._handle, f"{line}\n".encode())
        os.fsync(self._handle)

    def write_many(self, rows: list[dict[str, Any]]) -> None:
        lines = [json.dumps({"at": time.time(), **row}, default=str) for row in rows]
        os.write(self._handle, "".join(f"{line}\n" for line in lines).encode())
        os.fsync(self._handle)


def read(path: Path) -> list[dict[str, Any]]:
    """Every whole line; a writer that died may have left half of one."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
