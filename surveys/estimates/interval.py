"""What every estimate is said with: an interval of 95 %, a difference, and how few are too few."""

import math
from dataclasses import dataclass
from typing import Final

Z: Final = 1.959963984540054
MIN_ANSWERS_FOR_PERCENT: Final = 10
MIN_ANSWERS_FOR_RANKING: Final = 30


@dataclass(frozen=True, slots=True)
class Interval:
    low: float
    high: float

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Difference:
    """The first minus the second. Where the interval holds 0 it is not clear: say "no clear difference"."""

    value: float
    interval: Interval

    @property
    def is_clear(self) -> bool:
        return not self.interval.holds(0)


def refuse_negative(*counts: int) -> None:
    if min(counts) < 0:
        raise ValueError("A count cannot be negative.")


def refuse_impossible_share(successes: int, n: int) -> None:
    refuse_negative(successes, n)
    if successes > n:
        raise ValueError("A part cannot be larger than its whole.")


def two_sided(z: float) -> float:
    """The p-value of a normal variate."""
    return math.erfc(z / math.sqrt(2))
