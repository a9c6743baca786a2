"""The loop of a cohort at a moment: how far it came, when people were reached, who waited, what came back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from recovery.insight.cohort import stories
from recovery.insight.cycles import Cycles, cycles
from recovery.insight.funnel import Funnel, deliveries, funnel
from recovery.insight.happened import histories
from recovery.insight.reach import Reach, reach
from recovery.insight.waiting import Waiting, waiting
from recovery.models.ticket import TicketQuerySet


@dataclass(frozen=True)
class Loop:
    funnel: Funnel
    reach: Reach
    waiting: Waiting
    cycles: Cycles


def loop(cohort: TicketQuerySet, at: datetime, as_of: datetime | None = None) -> Loop:
    """As things stand at `at`; `as_of` is the same moment where it lies in the past, else None.

    Seven queries, and those of the stories, however many tickets there are.
    """
    acts = histories(cohort, at)
    return Loop(
        funnel=funnel(stories(cohort, as_of), acts, deliveries(cohort, at)),
        reach=reach(cohort, at),
        waiting=waiting(cohort, acts, at),
        cycles=cycles(acts),
    )
