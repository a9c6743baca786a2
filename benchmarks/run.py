"""How many times the bare baseline each thing takes, both measured by turns in one run.

    python -m benchmarks.run [rounds]

A ratio holds on any machine where microseconds do not; those of the baseline stand there for orientation.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import median, quantiles
from time import perf_counter
from typing import TYPE_CHECKING

from config import embedded

if TYPE_CHECKING:
    from benchmarks.pairs import Act, Pair

ROUNDS = 30


@dataclass(frozen=True)
class Measured:
    """`low` and `high` are the quartiles of the ratio; `micros` is the median of the baseline."""

    name: str
    ratio: float
    low: float
    high: float
    micros: float


def main(rounds: int) -> None:
    """In a database of its own that is gone afterwards."""
    where = embedded.temporary_home()
    with contextlib.ExitStack() as servers:
        servers.callback(shutil.rmtree, where, ignore_errors=True)
        servers.enter_context(embedded.running(where, durable=False))
        os.environ["DATABASE_URL"] = embedded.database_url(where)
        os.environ["REDIS_URL"] = embedded.redis_url(where)
        os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
        print_table(measure_all(rounds))


def measure_all(rounds: int) -> Iterator[Measured]:
    import logging

    import django

    django.setup()
    logging.disable(logging.CRITICAL)
    from django.core.management import call_command
    from django.db import connections

    from benchmarks.pairs import pairs
    from tests.make import Cast

    call_command("migrate", verbosity=0)
    try:
        yield from (measure(pair, rounds) for pair in pairs(Cast()))
    finally:
        connections["default"].close()
        connections["default"].close_pool()  # type: ignore[attr-defined]


def measure(pair: Pair, rounds: int) -> Measured:
    for act in (pair.baseline, pair.subject):
        act()
    times = [(timed(pair.baseline), timed(pair.subject)) for _round in range(rounds)]
    ratios = [subject / baseline for baseline, subject in times]
    low, _middle, high = quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
    micros = 1e6 * median(baseline for baseline, _subject in times)
    return Measured(pair.name, median(ratios), low, high, micros)


def timed(act: Act) -> float:
    started = perf_counter()
    act()
    return perf_counter() - started


def print_table(rows: Iterable[Measured]) -> None:
    print(f"{'':46} {'ratio':>8} {'quartiles':>17} {'baseline':>12}")
    for row in rows:
        spread = f"{row.low:.2f} to {row.high:.2f}"
        print(f"{row.name:46} {row.ratio:8.2f} {spread:>17} {row.micros:9.0f} µs", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
