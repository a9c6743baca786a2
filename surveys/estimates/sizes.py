"""How many answers it takes to tell two shares apart."""

import math
from dataclasses import dataclass
from statistics import NormalDist

from surveys.estimates.interval import Z


@dataclass(frozen=True, slots=True)
class SampleSizes:
    first: int
    second: int


def sample_sizes(p1: float, p2: float, *, share: float, power: float) -> SampleSizes:
    """How many answers each of two groups takes, so that p1 and p2 are told apart with this `power`.

    For the two-sided test at 5 % with the pooled variance under no difference, without continuity correction
    and with unequal groups (Fleiss, Levin and Paik 2003, section 4.4); `share` of all belongs to the first
    group. Rounded up. Raises ValueError where p1 equals p2, or a value lies outside its open range.
    """
    if not (0 < p1 < 1 and 0 < p2 < 1 and 0 < share < 1 and 0.5 <= power < 1) or p1 == p2:
        raise ValueError("No size could tell these shares apart.")
    ratio = (1 - share) / share
    pooled = (p1 + ratio * p2) / (1 + ratio)
    if_equal = Z * math.sqrt(pooled * (1 - pooled) * (1 + 1 / ratio))
    if_not = NormalDist().inv_cdf(power) * math.sqrt(p1 * (1 - p1) + p2 * (1 - p2) / ratio)
    first = ((if_equal + if_not) / (p2 - p1)) ** 2
    return SampleSizes(math.ceil(first), math.ceil(first * ratio))
