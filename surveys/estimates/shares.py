"""Shares as fractions of 1: intervals, differences, bounds, and how a share changes over ordered classes."""

import math
from collections.abc import Sequence

from surveys.estimates.interval import (
    Difference,
    Interval,
    Z,
    refuse_impossible_share,
    refuse_negative,
)


def wilson(successes: int, n: int, z: float = Z) -> Interval | None:
    """Wilson's score interval of successes / n (Wilson 1927), inside [0, 1] by nature. None when n is 0."""
    refuse_impossible_share(successes, n)
    if n == 0:
        return None
    share, spread = successes / n, z**2 / n
    middle = share + spread / 2
    margin = z * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    # At the ends the formula gives exactly 0 and 1; floating point misses them by a hair.
    low = 0.0 if successes == 0 else (middle - margin) / (1 + spread)
    high = 1.0 if successes == n else (middle + margin) / (1 + spread)
    return Interval(low, high)


def newcombe_difference(s1: int, n1: int, s2: int, n2: int, z: float = Z) -> Difference | None:
    """s1/n1 - s2/n2 with the hybrid score interval of Newcombe (1998, method 10). None when either n is 0."""
    first, second = wilson(s1, n1, z), wilson(s2, n2, z)
    if first is None or second is None:
        return None
    p1, p2 = s1 / n1, s2 / n2
    below = math.hypot(p1 - first.low, second.high - p2)
    above = math.hypot(first.high - p1, p2 - second.low)
    return Difference(p1 - p2, Interval(p1 - p2 - below, p1 - p2 + above))


def paired_difference(gained: int, lost: int, n: int) -> Difference | None:
    """The change of a share among n people asked twice: (gained - lost) / n. None when n is 0.

    Adjusted Wald for paired proportions (Bonett and Price 2012): 1 is added to both kinds of change, 2 to n.
    """
    refuse_impossible_share(gained + lost, n)
    refuse_negative(gained, lost)
    if n == 0:
        return None
    up, down = (gained + 1) / (n + 2), (lost + 1) / (n + 2)
    centre = up - down
    margin = Z * math.sqrt((up + down - centre**2) / (n + 2))
    return Difference((gained - lost) / n, Interval(max(-1.0, centre - margin), min(1.0, centre + margin)))


def bounds(recovered: int, unanswered: int, everyone: int) -> Interval | None:
    """What recovered / everyone would be if none, and if all, of the unanswered had recovered."""
    refuse_negative(recovered, unanswered)
    refuse_impossible_share(recovered + unanswered, everyone)
    if everyone == 0:
        return None
    return Interval(recovered / everyone, (recovered + unanswered) / everyone)


def share_trend(
    levels: Sequence[float], successes: Sequence[int], totals: Sequence[int]
) -> Difference | None:
    """By how much a share changes with each step of an ordered class: the slope of a straight line.

    The slope is that of the test of Cochran (1954) and Armitage (1955), the interval that of its variance
    without a trend: it holds 0 exactly where the test sees none at 5 %, and is a little wide where there is
    one. None where all share one level, or all had the same outcome.
    """
    for hits, n in zip(successes, totals, strict=True):
        refuse_impossible_share(hits, n)
    everybody, share = sum(totals), sum(successes) / max(1, sum(totals))
    if share in (0, 1):
        return None
    middle = sum(level * n for level, n in zip(levels, totals, strict=True)) / everybody
    spread = sum(n * (level - middle) ** 2 for level, n in zip(levels, totals, strict=True))
    if spread == 0:
        return None
    slope = sum(hits * (level - middle) for level, hits in zip(levels, successes, strict=True)) / spread
    margin = Z * math.sqrt(share * (1 - share) / spread)
    return Difference(slope, Interval(slope - margin, slope + margin))
