"""Means of several things weighted by importance, where one answer may tell of several. Plain Python."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
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
    """sum(w x mean) / sum(w); None where nothing weighs, or a part that does has one value only.

    The interval takes the weights as fixed (delta method). Each part has the variance of its own mean,
    s^2 / n, and two parts covary by the answers that tell of both: what an answer adds to the mean is summed
    over the parts it tells of. Student's t with the degrees of freedom of `freedom_of`. Where every answer
    tells of every part it is Student's interval of the answers' own weighted means; where none tells of two
    it is Welch's.
    """
    weighing = [part for part in parts if part.weight > 0 and part.values]
    if not weighing or any(len(part.values) < 2 for part in weighing):
        return None
    total = math.fsum(part.weight for part in weighing)
    added: defaultdict[int, float] = defaultdict(float)
    value = 0.0
    for part in weighing:
        share, mean, n = part.weight / total, part.mean, len(part.values)
        value += share * mean
        # So that the squares of one part sum to the square of its weight times s^2 / n.
        unit = share / math.sqrt(n * (n - 1))
        for answer, given in part.values:
            added[answer] += unit * (given - mean)
    spread = math.sqrt(math.fsum(each**2 for each in added.values()))
    margin = student_t(freedom_of(weighing, added)) * spread if spread else 0.0
    ends = Interval(value - margin, value + margin) if margin else None
    return Weighted(value, ends, len(added), len(weighing))


def freedom_of(parts: Sequence[Part], added: Mapping[int, float]) -> int:
    """Degrees of freedom, rounded down: V^2 / sum(V_g^2 / d_g) (Satterthwaite 1946; Welch 1947).

    V_g is the variance that the answers telling of the same parts add. They are as many as there are, less
    what the means of their parts have taken from them: d_g = m x (1 - 1 / n), n of the smallest part. Like
    Welch's they are never fewer than those of the smallest part alone.
    """
    told: defaultdict[int, list[int]] = defaultdict(list)
    for number, part in enumerate(parts):
        for answer, _value in part.values:
            told[answer].append(number)
    groups: defaultdict[tuple[int, ...], list[float]] = defaultdict(list)
    for answer, numbers in told.items():
        groups[tuple(numbers)].append(added[answer] ** 2)
    least = min(len(part.values) for part in parts) - 1
    whole = pieces = 0.0
    for theirs, squares in groups.items():
        smallest = min(len(parts[number].values) for number in theirs)
        variance = math.fsum(squares)
        whole += variance
        pieces += variance**2 / (len(squares) * (1 - 1 / smallest))
    # What is a whole number but for rounding errors stays that number.
    return max(least, math.floor(whole**2 / pieces + 1e-9)) if pieces else least
