"""Rank correlation: Spearman's rho and its interval."""

import math
from collections import Counter
from collections.abc import Sequence

from surveys.estimates.interval import Interval, Z


def spearman(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Spearman's rho, ties sharing their mean rank; None where either side never varies."""
    if len(first) != len(second):
        raise ValueError("Ranks are compared in pairs.")
    ours, theirs = _centred_ranks(first), _centred_ranks(second)
    spread = math.sqrt(sum(rank**2 for rank in ours) * sum(rank**2 for rank in theirs))
    if spread == 0:
        return None
    # Rounding may carry a perfect correlation a hair past 1, where no correlation can be.
    return max(-1.0, min(1.0, sum(a * b for a, b in zip(ours, theirs, strict=True)) / spread))


def spearman_interval(rho: float, n: int) -> Interval | None:
    """Fisher's z with the variance of Bonett and Wright (2000): (1 + rho^2 / 2) / (n - 3).

    None below four pairs, and for a perfect correlation, whose z is infinite.
    """
    if not -1 <= rho <= 1:
        raise ValueError("A correlation lies between -1 and 1.")
    if n < 4 or abs(rho) == 1:
        return None
    z, margin = math.atanh(rho), Z * math.sqrt((1 + rho**2 / 2) / (n - 3))
    return Interval(math.tanh(z - margin), math.tanh(z + margin))


def _centred_ranks(values: Sequence[float]) -> list[float]:
    """Mean ranks, moved so that they sum to 0."""
    rank_of: dict[float, float] = {}
    taken = 0
    for value, count in sorted(Counter(values).items()):
        rank_of[value] = taken + (count + 1) / 2
        taken += count
    return [rank_of[value] - (taken + 1) / 2 for value in values]
