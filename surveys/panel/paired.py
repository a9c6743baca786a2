"""The same people twice, and what share of them is what: plain figures of counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from surveys.estimates import (
    MIN_ANSWERS_FOR_PERCENT,
    Difference,
    Interval,
    bounds,
    nps_paired_difference,
    paired_difference,
)
from surveys.rates import Rate
from surveys.results.figure import Figure
from surveys.scoring import DETRACTOR, PASSIVE, PROMOTER, LevelCounts, Scale, band

BANDS: Final = (PROMOTER, PASSIVE, DETRACTOR)
# What is one point up in the NPS of one person.
POINTS: Final = {PROMOTER: 1, PASSIVE: 0, DETRACTOR: -1}


class Given(NamedTuple):
    """One valid answer on the scale compared."""

    response: int
    at: datetime
    score: int
    band: str


@dataclass(frozen=True, slots=True)
class Share(Rate):
    """`hits` of the `n` who answered again, out of `everyone`."""

    everyone: int

    @property
    def bounds(self) -> Interval | None:
        """Over everyone: if none, and if all, of those without a later answer were hits too."""
        if self.everyone < MIN_ANSWERS_FOR_PERCENT:
            return None
        return bounds(self.hits, self.everyone - self.n, self.everyone)


@dataclass(frozen=True, slots=True)
class Paired:
    """The same people twice: how many gave which scores, earlier and later, on one scale."""

    kind: str
    scale: Scale
    pairs: Counter[tuple[int, int]]

    @property
    def n(self) -> int:
        return self.pairs.total()

    @property
    def earlier(self) -> Figure:
        return self._figure(0)

    @property
    def later(self) -> Figure:
        return self._figure(1)

    def _figure(self, side: int) -> Figure:
        counts: Counter[int] = Counter()
        for pair, people in self.pairs.items():
            counts[pair[side]] += people
        return Figure(self.kind, LevelCounts(self.scale, counts))

    @property
    def difference(self) -> Difference | None:
        """Later less earlier in the unit of the figure: points, or for CSAT and CES a share.

        Its interval knows that both come from the same people. None below ten.
        """
        if self.n < MIN_ANSWERS_FOR_PERCENT:
            return None
        bands: Counter[tuple[str, str]] = Counter()
        for (first, second), people in self.pairs.items():
            bands[band(first, self.scale), band(second, self.scale)] += people
        if self.kind == "nps":
            return nps_paired_difference(
                [POINTS[second] - POINTS[first] for first, second in bands.elements()]
            )
        gained = sum(people for (first, second), people in bands.items() if first != second == PROMOTER)
        lost = sum(people for (first, second), people in bands.items() if second != first == PROMOTER)
        return paired_difference(gained, lost, self.n)
