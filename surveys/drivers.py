"""What drives the score: ratings of its parts against their importance, and one satisfaction index of them.

Only answers on the scale in force at the moment looked at count: ranks of scores given on two scales would
not be of one thing.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Final, NamedTuple, TypeGuard

from surveys import scoring
from surveys.eras import Era, era_at
from surveys.estimates import (
    MIN_ANSWERS_FOR_PERCENT,
    MIN_ANSWERS_FOR_RANKING,
    Interval,
    mean_interval,
    spearman,
    spearman_interval,
    student_t,
)
from surveys.models import Question, Survey
from surveys.results.answers import Which, era_shown, given, valid, within
from surveys.scoring import LevelCounts

RATING: Final = scoring.CSAT_1_5
IMPROVE, KEEP, LOW_PRIORITY, NICE = "improve", "keep", "low_priority", "nice"
# On the map, but an interval of it holds the cut: which quarter it belongs to cannot be told.
UNCLEAR: Final = "unclear"


class Rated(NamedTuple):
    """One rating, and how good the overall score beside it was: 0 the worst of its scale, 1 the best."""

    response: int
    rating: int
    overall: float


@dataclass(frozen=True, slots=True)
class Driver:
    """One rating question. Below ten answers there is no mean; below thirty it has no place on the map."""

    question: Question
    rated: tuple[Rated, ...]
    importance: float | None

    @property
    def n(self) -> int:
        return len(self.rated)

    @property
    def levels(self) -> LevelCounts:
        return LevelCounts(RATING, Counter(each.rating for each in self.rated))

    @property
    def mean(self) -> float | None:
        return self.levels.mean if self.n >= MIN_ANSWERS_FOR_PERCENT else None

    @property
    def interval(self) -> Interval | None:
        """Student's t, kept on the scale; None below ten, or where all gave the same rating."""
        if self.n < MIN_ANSWERS_FOR_PERCENT:
            return None
        found = mean_interval([each.rating for each in self.rated])
        if found is None:
            return None
        return Interval(max(float(RATING.lowest), found.low), min(float(RATING.highest), found.high))

    @property
    def importance_interval(self) -> Interval | None:
        return None if self.importance is None else spearman_interval(self.importance, self.n)

    @property
    def is_placed(self) -> bool:
        return self.n >= MIN_ANSWERS_FOR_RANKING and self.importance is not None

    @property
    def weight(self) -> float:
        """What does not go with the overall score, or goes against it, weighs nothing."""
        return max(0.0, self.importance or 0.0)


@dataclass(frozen=True, slots=True)
class Index:
    """The mean of the drivers, weighted by importance, from 0 (all gave the worst) to 100 (all the best)."""

    value: float
    interval: Interval | None
    answers: int
    drivers: int


@dataclass(frozen=True)
class DriverMap:
    """The drivers of a survey, the most important first; those without a place stand last."""

    survey: Survey
    era: Era
    drivers: tuple[Driver, ...]
    answers: int
    elsewhere: int

    @property
    def placed(self) -> tuple[Driver, ...]:
        return tuple(driver for driver in self.drivers if driver.is_placed)

    @property
    def cuts(self) -> tuple[float, float] | None:
        """The medians of mean and of importance; None for fewer than two, who have no middle."""
        placed = self.placed
        if len(placed) < 2:
            return None
        means = [driver.levels.mean or 0.0 for driver in placed]
        return median(means), median([driver.importance or 0.0 for driver in placed])

    def place(self, driver: Driver) -> str:
        """Which quarter of the map both of its intervals lie in; '' for one without a place.

        `UNCLEAR` where either interval holds its cut, or there is none to say where it ends.
        """
        cuts = self.cuts
        if cuts is None or not driver.is_placed:
            return ""
        is_good, is_important = (
            is_above(ends, cut)
            for ends, cut in zip((driver.interval, driver.importance_interval), cuts, strict=True)
        )
        if is_good is None or is_important is None:
            return UNCLEAR
        if is_important:
            return KEEP if is_good else IMPROVE
        return NICE if is_good else LOW_PRIORITY

    @property
    def lowest_rated(self) -> Driver | None:
        """Of those on the map."""
        return min(self.placed, key=lambda driver: driver.mean or 0.0, default=None)

    @property
    def index(self) -> Index | None:
        return index_of(self.placed)


def is_above(ends: Interval | None, cut: float) -> bool | None:
    """Whether all of the interval lies above the cut (False: below); None where it cannot be told."""
    if ends is None or ends.low <= cut <= ends.high:
        return None
    return ends.low > cut


def index_of(drivers: Sequence[Driver]) -> Index | None:
    """sum(w x mean) / sum(w), with w the importance where it is positive; None where nothing weighs.

    The interval takes the weights as fixed (delta method): what each answer adds to the index is summed over
    the drivers it rates, so that ratings given together are not taken for independent ones. With one driver
    it is Student's interval of its mean.
    """
    weighing = [driver for driver in drivers if driver.weight > 0]
    total = sum(driver.weight for driver in weighing)
    if not total:
        return None
    added: defaultdict[int, float] = defaultdict(float)
    value = 0.0
    for driver in weighing:
        share, mean = driver.weight / total, driver.levels.mean or 0.0
        value += share * mean
        for each in driver.rated:
            added[each.response] += share * (each.rating - mean) / driver.n
    answers = len(added)
    variance = math.fsum(part**2 for part in added.values()) * answers / (answers - 1)
    margin = student_t(answers - 1) * math.sqrt(variance)
    ends = Interval(max(0.0, _percent(value - margin)), min(100.0, _percent(value + margin)))
    return Index(_percent(value), ends if margin else None, answers, len(weighing))


def _percent(mean: float) -> float:
    return 100 * (mean - RATING.lowest) / (RATING.highest - RATING.lowest)


# --- asking the database ------------------------------------------------------------------------------------


def with_ratings(surveys: Iterable[Survey]) -> list[Survey]:
    """Those that ask for ratings. One query."""
    asking = set(Question.objects.filter(kind=Question.RATING).values_list("survey_id", flat=True))
    return [survey for survey in surveys if survey.pk in asking]


def driver_map(survey: Survey, which: Which) -> DriverMap:
    """The ratings beside valid answers. Four queries at most."""
    era, eras = era_shown(survey, which), survey.eras
    rated: defaultdict[int, list[Rated]] = defaultdict(list)
    used: set[int] = set()
    elsewhere: set[int] = set()
    for row in _rows(survey, which):
        if era_at(eras, row.at).scale != era.scale or not era.scale.holds(row.score):
            elsewhere.add(row.response)
        elif _is_rating(row.value):
            used.add(row.response)
            rated[row.question].append(Rated(row.response, row.value, era.scale.goodness(row.score)))
    questions = survey.questions.filter(kind=Question.RATING)
    # One that is asked no longer is shown as long as it has ratings.
    asked = [question for question in questions if question.active or rated[question.pk]]
    drivers = sorted((_driver(question, rated[question.pk]) for question in asked), key=_most_important_first)
    return DriverMap(survey, era, tuple(drivers), len(used), len(elsewhere))


def _driver(question: Question, rated: Sequence[Rated]) -> Driver:
    importance = None
    if len(rated) >= MIN_ANSWERS_FOR_PERCENT:
        importance = spearman([each.rating for each in rated], [each.overall for each in rated])
    return Driver(question, tuple(rated), importance)


def _most_important_first(driver: Driver) -> tuple[bool, float, int]:
    return not driver.is_placed, -(driver.importance or 0.0), -driver.n


def _is_rating(value: object) -> TypeGuard[int]:
    return type(value) is int and RATING.holds(value)


class _Row(NamedTuple):
    response: int
    question: int
    value: object
    score: int
    at: datetime


def _rows(survey: Survey, which: Which) -> Iterator[_Row]:
    answers = within(valid(given([survey], which)), "given_at", which.since, which.until)
    rows = answers.filter(answers__question__kind=Question.RATING).order_by("pk", "answers__pk")
    names = ("pk", "answers__question_id", "answers__value", "said", "given_at")
    return (_Row(*row) for row in rows.values_list(*names))
