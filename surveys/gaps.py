"""How it was against what was expected, driver by driver (SERVQUAL): by people who said both. No Django."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from surveys import scoring
from surveys.estimates import MIN_ANSWERS_FOR_PERCENT, Interval, mean_interval
from surveys.weighted import Part, Weighted, weighted_mean

RATING: Final = scoring.CSAT_1_5
# The furthest two ratings can lie apart.
WIDEST: Final = float(RATING.highest - RATING.lowest)


class Pair(NamedTuple):
    """What one answer says of one driver, both on the scale of ratings."""

    response: int
    perceived: int
    expected: int

    @property
    def gap(self) -> int:
        return self.perceived - self.expected


@dataclass(frozen=True, slots=True)
class Gap:
    """Perceived less expected, of answers that say both; below 0 it fell short. Below ten, counts only."""

    pairs: tuple[Pair, ...]

    @property
    def n(self) -> int:
        return len(self.pairs)

    @property
    def value(self) -> float | None:
        return self._mean([pair.gap for pair in self.pairs])

    @property
    def perceived(self) -> float | None:
        return self._mean([pair.perceived for pair in self.pairs])

    @property
    def expected(self) -> float | None:
        return self._mean([pair.expected for pair in self.pairs])

    @property
    def interval(self) -> Interval | None:
        """Student's t of the paired differences; None below ten, or where all are the same."""
        if self.n < MIN_ANSWERS_FOR_PERCENT:
            return None
        return on_the_scale(mean_interval([pair.gap for pair in self.pairs]))

    @property
    def below(self) -> int:
        return sum(pair.gap < 0 for pair in self.pairs)

    @property
    def as_expected(self) -> int:
        return sum(pair.gap == 0 for pair in self.pairs)

    @property
    def above(self) -> int:
        return sum(pair.gap > 0 for pair in self.pairs)

    @property
    def falls_short(self) -> bool:
        return self.interval is not None and self.interval.high < 0

    @property
    def exceeds(self) -> bool:
        return self.interval is not None and self.interval.low > 0

    def _mean(self, values: Sequence[int]) -> float | None:
        return math.fsum(values) / self.n if self.n >= MIN_ANSWERS_FOR_PERCENT else None


def weighted_gap(gaps: Iterable[tuple[float, Gap]]) -> Weighted | None:
    """sum(w x gap) / sum(w) over those of ten pairs or more, each with its weight; None where none weighs.

    So it stays on the scale of one gap, from -4 to 4.
    """
    parts = [
        Part(weight, [(pair.response, float(pair.gap)) for pair in gap.pairs])
        for weight, gap in gaps
        if gap.n >= MIN_ANSWERS_FOR_PERCENT
    ]
    found = weighted_mean(parts)
    if found is None:
        return None
    return Weighted(found.value, on_the_scale(found.interval), found.answers, found.parts)


def on_the_scale(ends: Interval | None) -> Interval | None:
    return Interval(max(-WIDEST, ends.low), min(WIDEST, ends.high)) if ends else None
