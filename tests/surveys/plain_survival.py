"""The Kaplan-Meier curve as plainly as it can be said: what `surveys.estimates` must agree with."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from surveys.estimates import SurvivalStep, TimeEstimate, Z


@dataclass(frozen=True, slots=True)
class PlainTimes:
    durations: tuple[float, ...]
    count: int
    events: int
    steps: tuple[SurvivalStep, ...]

    @property
    def telling(self) -> tuple[SurvivalStep, ...]:
        return tuple(step for step in self.steps if step.at_risk >= 10)

    @property
    def is_complete(self) -> bool:
        return not self.steps or self.steps[-1].at_risk - self.steps[-1].events == self.count - self.events

    def percentile(self, percent: float) -> TimeEstimate | None:
        still_open = 1 - percent / 100
        value = self._first([step.survival for step in self.steps], still_open)
        if value is None:
            return None
        low = self._first([step.low for step in self.steps], still_open)
        high = self._first([step.high for step in self.steps], still_open)
        return TimeEstimate(value, low, high)

    @property
    def half_at_least(self) -> float | None:
        """The last time with ten at risk at which the curve is not known to have come down to one half."""
        telling = [time for time in self.durations if sum(each >= time for each in self.durations) >= 10]
        if not telling:
            return None
        down = self._first([step.low for step in self.steps], 1 / 2)
        return max(telling) if down is None else down

    def _first(self, shares: Sequence[float], still_open: float) -> float | None:
        # A curve exactly at the share, as 5 of 10 is, has reached it; products of fractions miss by a hair.
        pairs = zip(self.steps, shares, strict=True)
        return next((step.time for step, share in pairs if share <= still_open + 1e-9), None)


def plain_times(durations: Sequence[float], observed: Sequence[bool]) -> PlainTimes:
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
    return PlainTimes(tuple(durations), len(durations), events.total(), tuple(steps))


def _log_log_interval(survival: float, greenwood: float) -> tuple[float, float]:
    margin = Z * math.sqrt(greenwood) / -math.log(survival)
    return survival ** math.exp(margin), survival ** math.exp(-margin)
