from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Options:
    """What the command line asked for; see `run.py faults --help`."""

    scenario: str
    seed: int
    kills: int = 50
    actions: int = 10_000
    interval: float = 1.5
    lease: float | None = None
    minutes: float = 10
    seconds: float = 30
    count: int = 50
    rows: int = 100_000
    short: bool = False
