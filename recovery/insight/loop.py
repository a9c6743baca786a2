"""The loop of a cohort at a moment: how far it came, when people were reached, who waited, what came back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from recovery.insight.cycles import Cycles, cycles
from recovery.insight.funnel import PLACED, Funnel, funnel
from recovery.insight.reach import Reach, reach
from recovery.insight.told import Told
from recovery.insight.waiting import Waiting, waiting


@dataclass(frozen=True)
class Loop:
    funnel: Funnel
    reach: Reach
    waiting: Waiting
    cycles: Cycles


def loop(told: Told, at: datetime) -> Loop:
    """As things stand at `at`, the moment the cohort is told of.

    Six queries, three for calendars, and those of the stories told anew, however many tickets there are.
    """
    cohort = told.tickets()
    return Loop(
        funnel=funnel(told.counted(*PLACED)),
        reach=reach(cohort, at),
        waiting=waiting(cohort, at),
        cycles=cycles(cohort, at),
    )
