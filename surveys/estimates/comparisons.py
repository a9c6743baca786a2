"""The p-values that belong to the differences, and what is left of them where many are looked at."""

import math
from collections.abc import Sequence

from surveys.estimates.interval import Z, two_sided
from surveys.estimates.nps import adjusted_nps
from surveys.estimates.shares import newcombe_difference, share_trend
from surveys.scoring import BandCounts


def nps_difference_p(first: BandCounts, second: BandCounts) -> float | None:
    """The two-sided p-value that belongs to `nps_difference`: below 0.05 where its interval leaves out 0."""
    if not (first.answered and second.answered):
        return None
    (centre, variance), (other_centre, other_variance) = adjusted_nps(first), adjusted_nps(second)
    return two_sided(abs(centre - other_centre) / math.sqrt(variance + other_variance))


def share_difference_p(s1: int, n1: int, s2: int, n2: int) -> float | None:
    """The two-sided p-value that belongs to `newcombe_difference`: the level at which its end touches 0."""
    if s1 * n2 < s2 * n1:
        s1, n1, s2, n2 = s2, n2, s1, n1
    if newcombe_difference(s1, n1, s2, n2) is None:
        return None
    low, high = 0.0, 40.0  # a normal variate beyond 40 has a p-value of 0 in floating point
    for _ in range(60):
        z = (low + high) / 2
        found = newcombe_difference(s1, n1, s2, n2, z)
        low, high = (z, high) if found and found.interval.low > 0 else (low, z)
    return two_sided(low)


def share_trend_p(levels: Sequence[float], successes: Sequence[int], totals: Sequence[int]) -> float | None:
    """The two-sided p-value that belongs to `share_trend`: below 0.05 where its interval leaves out 0."""
    found = share_trend(levels, successes, totals)
    if found is None:
        return None
    return two_sided(Z * abs(found.value) / (found.interval.high - found.value))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values adjusted for looking at so many at once (Holm 1979), in the order given.

    Calling clear what stays at or below 0.05 goes wrong, for one or more of them, in 5 % of cases at most.
    """
    adjusted = [1.0] * len(p_values)
    least = 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=lambda index: p_values[index])):
        least = max(least, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = least
    return adjusted
