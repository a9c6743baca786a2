"""How sure we are: intervals, differences, censored times and rank correlation, in closed form.

Every interval is 95 %. Proportions are fractions of 1, NPS is in points. Nothing is clipped but an NPS, which
cannot leave [-100, 100], and so a difference of two. A figure that cannot be computed is None, never 0.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from surveys.scoring import BandCounts, nps

Z: Final = 1.959964
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


# --- NPS ----------------------------------------------------------------------------------------------------


def nps_interval(counts: BandCounts) -> Interval | None:
    """Adjusted Wald (Rocks 2016): n + 3, of which 3/4 to promoters and 3/4 to detractors. In points."""
    if not counts.answered:
        return None
    centre, variance = _adjusted_nps(counts)
    margin = Z * math.sqrt(variance)
    return Interval(max(-100.0, 100 * (centre - margin)), min(100.0, 100 * (centre + margin)))


def nps_difference(first: BandCounts, second: BandCounts) -> Difference | None:
    """First minus second in points; the interval is around the adjusted estimates, their variances added."""
    ours, theirs = nps(first), nps(second)
    if ours is None or theirs is None:
        return None
    (centre, variance), (other_centre, other_variance) = _adjusted_nps(first), _adjusted_nps(second)
    margin = Z * math.sqrt(variance + other_variance)
    middle = centre - other_centre
    low, high = max(-200.0, 100 * (middle - margin)), min(200.0, 100 * (middle + margin))
    return Difference(ours - theirs, Interval(low, high))


def nps_bounds(counts: BandCounts, unanswered: int) -> Interval | None:
    """The worst and the best NPS if all who were asked and kept silent were detractors, or promoters."""
    _refuse_negative(unanswered)
    worst = nps(BandCounts(counts.promoters, counts.passives, counts.detractors + unanswered))
    best = nps(BandCounts(counts.promoters + unanswered, counts.passives, counts.detractors))
    return None if worst is None or best is None else Interval(worst, best)


def _adjusted_nps(counts: BandCounts) -> tuple[float, float]:
    """The adjusted NPS and its variance, on the scale from -1 to 1."""
    n = counts.answered + 3
    promoters, detractors = (counts.promoters + 0.75) / n, (counts.detractors + 0.75) / n
    centre = promoters - detractors
    return centre, (promoters + detractors - centre**2) / n


# --- proportions --------------------------------------------------------------------------------------------


def wilson(successes: int, n: int) -> Interval | None:
    """Wilson's score interval of successes / n (Wilson 1927), inside [0, 1] by nature. None when n is 0."""
    _refuse_impossible_share(successes, n)
    if n == 0:
        return None
    share, spread = successes / n, Z**2 / n
    middle = share + spread / 2
    margin = Z * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    # At the ends the formula gives exactly 0 and 1; floating point misses them by a hair.
    low = 0.0 if successes == 0 else (middle - margin) / (1 + spread)
    high = 1.0 if successes == n else (middle + margin) / (1 + spread)
    return Interval(low, high)


def newcombe_difference(s1: int, n1: int, s2: int, n2: int) -> Difference | None:
    """s1/n1 - s2/n2 with the hybrid score interval of Newcombe (1998, method 10). None when either n is 0."""
    first, second = wilson(s1, n1), wilson(s2, n2)
    if first is None or second is None:
        return None
    p1, p2 = s1 / n1, s2 / n2
    below = math.hypot(p1 - first.low, second.high - p2)
    above = math.hypot(first.high - p1, p2 - second.low)
    return Difference(p1 - p2, Interval(p1 - p2 - below, p1 - p2 + above))


def bounds(recovered: int, unanswered: int, everyone: int) -> Interval | None:
    """What recovered / everyone would be if none, and if all, of the unanswered had recovered."""
    _refuse_negative(recovered, unanswered)
    _refuse_impossible_share(recovered + unanswered, everyone)
    if everyone == 0:
        return None
    return Interval(recovered / everyone, (recovered + unanswered) / everyone)


def _refuse_negative(*counts: int) -> None:
    if min(counts) < 0:
        raise ValueError("A count cannot be negative.")


def _refuse_impossible_share(successes: int, n: int) -> None:
    _refuse_negative(successes, n)
    if successes > n:
        raise ValueError("A part cannot be larger than its whole.")


# --- censored times -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SurvivalStep:
    """From `time` on, the share `survival` is still open; `low` and `high` are its pointwise interval."""

    time: float
    survival: float
    low: float
    high: float
    at_risk: int
    events: int


@dataclass(frozen=True, slots=True)
class TimeEstimate:
    """An end of the interval is None when the data do not reach it: say "or more", not a number."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class CensoredTimes:
    count: int
    events: int
    steps: tuple[SurvivalStep, ...]

    @property
    def median(self) -> TimeEstimate | None:
        return self.percentile(50)

    def percentile(self, percent: float) -> TimeEstimate | None:
        """The first time by which `percent` (between 0 and 100) of all are done; None when not reached.

        Its interval inverts the log-log intervals of the survival curve (Brookmeyer and Crowley 1982).
        """
        if not 0 < percent < 100:
            raise ValueError("A percentile lies between 0 and 100.")
        still_open = 1 - percent / 100
        value = self._first([step.survival for step in self.steps], still_open)
        if value is None:
            return None
        low = self._first([step.low for step in self.steps], still_open)
        high = self._first([step.high for step in self.steps], still_open)
        return TimeEstimate(value, low, high)

    def _first(self, shares: Sequence[float], still_open: float) -> float | None:
        # A curve exactly at the share, as 5 of 10 is, has reached it; products of fractions miss by a hair.
        pairs = zip(self.steps, shares, strict=True)
        return next((step.time for step, share in pairs if share <= still_open + 1e-9), None)


def censored_times(durations: Sequence[float], observed: Sequence[bool]) -> CensoredTimes:
    """The Kaplan-Meier curve of times some of which are not over yet (`observed` False), in any unit.

    Variance by Greenwood, pointwise intervals on the log(-log) scale (Kalbfleisch and Prentice). Whoever is
    censored at the moment of an event was still at risk in it. Negative or infinite times raise ValueError.
    """
    _refuse_impossible_times(durations, observed)
    events = Counter(time for time, seen in zip(durations, observed, strict=True) if seen)
    leavers = Counter(durations)
    at_risk, survival, greenwood, high = len(durations), 1.0, 0.0, 1.0
    steps: list[SurvivalStep] = []
    for time in sorted(leavers):
        if ended := events[time]:
            survival *= 1 - ended / at_risk
            if ended < at_risk:
                greenwood += ended / (at_risk * (at_risk - ended))
                low, high = _log_log_interval(survival, greenwood)
            else:
                # Everybody is done: the variance is undefined, so the upper limit stays where it last was.
                survival = low = 0.0
            steps.append(SurvivalStep(time, survival, low, high, at_risk, ended))
        at_risk -= leavers[time]
    return CensoredTimes(len(durations), events.total(), tuple(steps))


def _log_log_interval(survival: float, greenwood: float) -> tuple[float, float]:
    margin = Z * math.sqrt(greenwood) / -math.log(survival)
    return survival ** math.exp(margin), survival ** math.exp(-margin)


def _refuse_impossible_times(durations: Sequence[float], observed: Sequence[bool]) -> None:
    if len(durations) != len(observed):
        raise ValueError("Every time needs a mark whether its end was seen.")
    if any(not math.isfinite(time) or time < 0 for time in durations):
        raise ValueError("A time is a finite number that is not negative.")


# --- ranks --------------------------------------------------------------------------------------------------


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


def _centred_ranks(values: Sequence[float]) -> list[float]:
    """Mean ranks, moved so that they sum to 0."""
    rank_of: dict[float, float] = {}
    taken = 0
    for value, count in sorted(Counter(values).items()):
        rank_of[value] = taken + (count + 1) / 2
        taken += count
    return [rank_of[value] - (taken + 1) / 2 for value in values]
