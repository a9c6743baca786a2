"""Means: Student's t interval, and Student's t."""

import math
from collections.abc import Sequence
from functools import lru_cache
from statistics import NormalDist

from surveys.estimates.interval import Interval


def mean_interval(values: Sequence[float]) -> Interval | None:
    """Student's t interval of the mean; None for fewer than two values, or where all are the same."""
    if len(values) < 2:
        return None
    mean = math.fsum(values) / len(values)
    squares = math.fsum((value - mean) ** 2 for value in values)
    if min(values) == max(values):
        return None
    margin = student_t(len(values) - 1) * math.sqrt(squares / (len(values) - 1) / len(values))
    return Interval(mean - margin, mean + margin)


@lru_cache(maxsize=1024)
def student_t(freedom: int) -> float:
    """What Student's t exceeds in 2.5 % of cases, to about 1e-10.

    The closed form for whole degrees of freedom (Abramowitz and Stegun 26.7.3, 26.7.4) by bisection; from
    400 on their expansion 26.7.5.
    """
    if freedom < 1:
        raise ValueError("Student's t needs at least one degree of freedom.")
    if freedom >= 400:
        x = NormalDist().inv_cdf(0.975)
        first, second = (x**3 + x) / 4, (5 * x**5 + 16 * x**3 + 3 * x) / 96
        third = (3 * x**7 + 19 * x**5 + 17 * x**3 - 15 * x) / 384
        return x + first / freedom + second / freedom**2 + third / freedom**3
    low, high = 0.0, math.pi / 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _student_within(middle, freedom) < 0.95 else (low, middle)
    return math.tan(low) * math.sqrt(freedom)


def _student_within(angle: float, freedom: int) -> float:
    """The share of Student's t between -t and t, for t = tan(angle) x sqrt(freedom)."""
    odd = freedom % 2
    term = math.cos(angle) if odd else 1.0
    total = 0.0
    for k in range(1, freedom // 2 + 1):
        total += term
        term *= math.cos(angle) ** 2 * ((2 * k) / (2 * k + 1) if odd else (2 * k - 1) / (2 * k))
    if odd:
        return 2 / math.pi * (angle + math.sin(angle) * total)
    return math.sin(angle) * total
