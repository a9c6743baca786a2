"""Means of several things weighted by importance, where one answer may tell of several. Plain Python."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from surveys.estimates import Interval, student_t


@dataclass(frozen=True, slots=True)
class Part:
    """The values of one thing by the answers that gave them; a weight not above 0 leaves it out."""

    weight: float
    values: Sequence[tuple[int, float]]

    @property
    def mean(self) -> float:
        return math.fsum(value for _answer, value in self.values) / len(self.values)


@dataclass(frozen=True, slots=True)
class Weighted:
    """`interval` is None where no value differs from the mean of its part."""

    value: float
    interval: Interval | None
    answers: int
    parts: int


def weighted_mean(parts: Sequence[Part]) -> Weighted | None:
    """sum(w x mean) / sum(w); None where nothing weighs, or one answer is all there is.

    The interval takes the weights as fixed (delta method): what each answer adds to the mean is summed over
    the parts it tells of, so that values given together are not taken for independent ones. Where every
    answer tells of every part it is Student's interval of the answers' own weighted means.
    """
    weighing = [part for part in parts if part.weight > 0 and part.values]
    total = math.fsum(part.weight for part in weighing)
    added: defaultdict[int, float] = defaultdict(float)
    value = 0.0
    for part in weighing:
        share, mean = part.weight / total, part.mean
        value += share * mean
        for answer, given in part.values:
            added[answer] += share * (given - mean) / len(part.values)
    answers = len(added)
    if answers < 2:
        return None
    variance = math.fsum(each**2 for each in added.values()) * answers / (answers - 1)
    margin = student_t(answers - 1) * math.sqrt(variance)
    ends = Interval(value - margin, value + margin) if margin else None
    return Weighted(value, ends, answers, len(weighing))
