"""How many customers of a level of satisfaction are expected to stay: an assumption, and said to be one.

Five levels, from 1 (very dissatisfied) to 5 (very satisfied). A score's level is read from how far it lies
from the worst end of its scale: on a scale of five points the level is the point itself; on any other, nine
tenths of the way and more are 5, seven 4, five 3, three 2, and less is 1. So of 0 to 10, where 10 is best:

    0-2 very dissatisfied, 3-4 dissatisfied, 5-6 neutral, 7-8 satisfied, 9-10 very satisfied
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from recovery.models import ExpectedRetention
from surveys.scoring import Scale

LEVELS: Final = (5, 4, 3, 2, 1)
# The classic table of five levels, in percent; a row of the admin site takes the place of its level.
CLASSIC: Final = {5: (92, 97), 4: (80, 85), 3: (60, 65), 2: (15, 20), 1: (0, 5)}
STEPS: Final = ((0.9, 5), (0.7, 4), (0.5, 3), (0.3, 2))
HAIR: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Retention:
    """From `low` to `high`, as fractions of 1; the figure goes by the middle."""

    level: int
    low: float
    high: float

    @property
    def middle(self) -> float:
        return (self.low + self.high) / 2


Table = Mapping[int, Retention]


def retention_table() -> dict[int, Retention]:
    """The best level first, in one query."""
    set_here = {row.level: (row.low, row.high) for row in ExpectedRetention.objects.all()}
    ends = {level: set_here.get(level, CLASSIC[level]) for level in LEVELS}
    return {level: Retention(level, low / 100, high / 100) for level, (low, high) in ends.items()}


def level_of(score: int, scale: Scale) -> int:
    """The level of a score; one beyond its scale counts as that scale's end."""
    goodness = scale.goodness(score)
    if scale.highest - scale.lowest == 4:
        return max(1, min(5, round(4 * goodness) + 1))
    return next((level for least, level in STEPS if goodness >= least - HAIR), 1)


def scores_of(level: int, scale: Scale) -> list[int]:
    """The scores of a scale that belong to a level, in order; for the printed table."""
    return [score for score in range(scale.lowest, scale.highest + 1) if level_of(score, scale) == level]
