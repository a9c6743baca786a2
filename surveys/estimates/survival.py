"""Times some of which are not over yet: the Kaplan-Meier curve, and by when how many are done."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, compress
from operator import mul, not_

from surveys.estimates.interval import MIN_ANSWERS_FOR_PERCENT, Z

# A curve exactly at a share, as 5 of 10 is, has reached it; products of fractions miss by a hair.
HAIR = 1e-9


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
class Columns:
    """The steps of a curve side by side, in rising order of `times`."""

    times: array[float]
    events: array[int]
    at_risk: array[int]
    survival: array[float]
    greenwood: array[float]


@dataclass(frozen=True)
class CensoredTimes:
    """Both in rising order: `ended` are the times whose end was seen, `left` those that are not over yet.

    The curve is reckoned when it is first asked for, a step of it when that is looked at: of many thousand
    times no page shows more than a few hundred.
    """

    ended: array[float]
    left: array[float]

    @property
    def count(self) -> int:
        return len(self.ended) + len(self.left)

    @property
    def events(self) -> int:
        return len(self.ended)

    @property
    def times(self) -> Sequence[float]:
        """Those of the steps."""
        return self._columns.times

    @property
    def steps(self) -> tuple[SurvivalStep, ...]:
        return tuple(map(self.step, range(len(self.times))))

    @property
    def telling(self) -> tuple[SurvivalStep, ...]:
        """The steps at which ten or more were still at risk: after them a single one moves the curve far."""
        return tuple(map(self.step, range(self.telling_steps)))

    @property
    def telling_steps(self) -> int:
        """How many those are."""
        return bisect_left(self._columns.at_risk, True, key=lambda at_risk: at_risk < MIN_ANSWERS_FOR_PERCENT)

    @property
    def is_complete(self) -> bool:
        """Nobody left before the last step without the event: the curve is the plain share of all."""
        return not self.ended or not self.left or self.left[0] >= self.ended[-1]

    @property
    def median(self) -> TimeEstimate | None:
        return self.percentile(50)

    def percentile(self, percent: float) -> TimeEstimate | None:
        """The first time by which `percent` (between 0 and 100) of all are done; None when not reached.

        Its interval inverts the log-log intervals of the survival curve (Brookmeyer and Crowley 1982).
        """
        if not 0 < percent < 100:
            raise ValueError("A percentile lies between 0 and 100.")
        still_open = 1 - percent / 100 + HAIR
        times, survival = self.times, self._columns.survival
        reached = bisect_left(survival, True, key=lambda share: share <= still_open)
        if reached == len(times):
            return None
        low = self._first_low(still_open, reached)
        # The upper limit may rise again where many leave, so its first step is sought.
        upper = range(reached, len(times))
        high = next((index for index in upper if self._interval(index)[1] <= still_open), None)
        return TimeEstimate(times[reached], times[low], None if high is None else times[high])

    @property
    def half_at_least(self) -> float | None:
        """The lower end of the interval of the median, also where half are not done; None below ten.

        Where the data do not reach that end, the last time at which ten were still at risk: up to then the
        lower limit of the curve lies above one half. With nobody done it does as well: of ten who are all
        still open it is seven in ten (Clopper and Pearson 1934).
        """
        if self.count < MIN_ANSWERS_FOR_PERCENT:
            return None
        low = self._first_low(1 / 2 + HAIR, len(self.times))
        return self.times[low] if low < len(self.times) else self._last_telling

    @property
    def _last_telling(self) -> float:
        """Of ten or more times, the last at which ten were at risk."""
        latest = [*self.ended[-MIN_ANSWERS_FOR_PERCENT:], *self.left[-MIN_ANSWERS_FOR_PERCENT:]]
        return sorted(latest)[-MIN_ANSWERS_FOR_PERCENT]

    def _first_low(self, still_open: float, before: int) -> int:
        """The first step whose lower limit is at most that share; `before` where there is none earlier.

        The lower limit falls with every step as the curve does, as Z times the root of Greenwood's sum stays
        below -2 log(survival).
        """
        return bisect_left(range(before), True, key=lambda index: self._interval(index)[0] <= still_open)

    def step(self, index: int) -> SurvivalStep:
        columns, (low, high) = self._columns, self._interval(index)
        return SurvivalStep(
            columns.times[index],
            columns.survival[index],
            low,
            high,
            columns.at_risk[index],
            columns.events[index],
        )

    def _interval(self, index: int) -> tuple[float, float]:
        columns = self._columns
        if columns.events[index] < columns.at_risk[index]:
            return _log_log_interval(columns.survival[index], columns.greenwood[index])
        # Everybody is done: the variance is undefined, so the upper limit stays where it last was.
        return 0.0, self._interval(index - 1)[1] if index else 1.0

    @cached_property
    def _columns(self) -> Columns:
        by_time = Counter(self.ended)
        times, events = array("d", by_time), array("q", by_time.values())
        left_at = self.left.tolist()
        gone = [bisect_left(left_at, time) for time in by_time]
        done = zip(events, accumulate(events), gone, strict=True)
        at_risk = array("q", [self.count - (upto - now) - left for now, upto, left in done])
        pairs = list(zip(events, at_risk, strict=True))
        survival = accumulate((1 - n / of for n, of in pairs), mul)
        greenwood = accumulate(n / (of * (of - n)) if n < of else 0.0 for n, of in pairs)
        return Columns(times, events, at_risk, array("d", survival), array("d", greenwood))


def censored_times(durations: Sequence[float], observed: Sequence[bool]) -> CensoredTimes:
    """The Kaplan-Meier curve of times some of which are not over yet (`observed` False), in any unit.

    Variance by Greenwood, pointwise intervals on the log(-log) scale (Kalbfleisch and Prentice). Whoever is
    censored at the moment of an event was still at risk in it. Negative or infinite times raise ValueError.
    """
    if len(durations) != len(observed):
        raise ValueError("Every time needs a mark whether its end was seen.")
    return survival_curve(compress(durations, observed), compress(durations, map(not_, observed)))


def survival_curve(ended: Iterable[float], left: Iterable[float]) -> CensoredTimes:
    """The same from the times whose end was seen and those not over yet, each in any order."""
    return CensoredTimes(_rising(ended), _rising(left))


def _rising(times: Iterable[float]) -> array[float]:
    found = array("d", times)
    if not all(map(math.isfinite, found)) or min(found, default=0) < 0:
        raise ValueError("A time is a finite number that is not negative.")
    return array("d", sorted(found))


def _log_log_interval(survival: float, greenwood: float) -> tuple[float, float]:
    margin = Z * math.sqrt(greenwood) / -math.log(survival)
    return survival ** math.exp(margin), survival ** math.exp(-margin)
