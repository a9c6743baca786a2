"""What went wrong, the commonest first; what the customer said and what was found are kept apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from recovery.insight.cohort import Story
from recovery.models import Cause

FOUND, SAID = "found", "said"
SIDES: Final = (FOUND, SAID)


@dataclass(frozen=True, slots=True)
class CauseCount:
    """`share` is of the tickets whose cause is known, `upto` that of this cause and all commoner ones."""

    cause: Cause
    count: int
    share: float
    upto: float


@dataclass(frozen=True, slots=True)
class Pareto:
    rows: list[CauseCount]
    known: int
    unknown: int


def pareto(told: Sequence[Story], side: str) -> Pareto:
    """Counts of the present cause of each ticket; where none is set yet it is unknown. One query."""
    counts = Counter(story.cause_found if side == FOUND else story.cause_said for story in told)
    unknown = counts.pop(None, 0)
    known = counts.total()
    causes = Cause.objects.in_bulk([pk for pk in counts if pk is not None])
    rows, upto = [], 0
    for pk, count in sorted(counts.items(), key=lambda item: (-item[1], item[0] or 0)):
        upto += count
        rows.append(CauseCount(causes[pk or 0], count, count / known, upto / known))
    return Pareto(rows, known, unknown)
