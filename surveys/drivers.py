"""What drives the score: ratings of its parts against their importance, and one satisfaction index of them.

Importance is what people state where the survey asks for it, else how much a rating goes with the score.

Only answers on the scale in force at the moment looked at count: ranks of scores given on two scales would
not be of one thing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import median
from typing import Final, NamedTuple, TypeGuard

from surveys.eras import Era, era_at
from surveys.estimates import (
    MIN_ANSWERS_FOR_PERCENT,
    MIN_ANSWERS_FOR_RANKING,
    Interval,
    mean_interval,
    spearman,
    spearman_interval,
)
from surveys.gaps import RATING, Gap, Pair, weighted_gap
from surveys.models import Question, Survey
from surveys.results.answers import Which, era_shown, given, valid, within
from surveys.scoring import LevelCounts
from surveys.weighted import Part, Weighted, weighted_mean

STATED, CORRELATED = "stated", "correlated"
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
    """One rating question. Below ten answers there is no mean; below thirty it has no place on the map.

    `stated` are the answers to how important it is, `gap` is None where nobody asks what was expected.
    """

    question: Question
    rated: tuple[Rated, ...]
    correlation: float | None
    stated: tuple[int, ...] = ()
    gap: Gap | None = None
    by: str = CORRELATED

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
        return mean_on_scale([each.rating for each in self.rated])

    @property
    def importance(self) -> float | None:
        """The mean of what is stated, from 1 to 5, or Spearman's rho; None from fewer than ten answers."""
        if self.by == CORRELATED:
            return self.correlation
        if self.importance_n < MIN_ANSWERS_FOR_PERCENT:
            return None
        return sum(self.stated) / len(self.stated)

    @property
    def importance_n(self) -> int:
        return len(self.stated) if self.by == STATED else self.n

    @property
    def importance_interval(self) -> Interval | None:
        if self.by == STATED:
            return mean_on_scale(self.stated)
        return None if self.correlation is None else spearman_interval(self.correlation, self.n)

    @property
    def is_placed(self) -> bool:
        enough = min(self.n, self.importance_n) >= MIN_ANSWERS_FOR_RANKING
        return enough and self.importance is not None

    @property
    def weight(self) -> float:
        """What does not go with the overall score, or goes against it, weighs nothing."""
        return max(0.0, self.importance or 0.0)


def mean_on_scale(ratings: Sequence[int]) -> Interval | None:
    if len(ratings) < MIN_ANSWERS_FOR_PERCENT:
        return None
    found = mean_interval(ratings)
    if found is None:
        return None
    return Interval(max(float(RATING.lowest), found.low), min(float(RATING.highest), found.high))


@dataclass(frozen=True, slots=True)
class Index:
    """The mean of the drivers, weighted by importance, from 0 (all gave the worst) to 100 (all the best)."""

    value: float
    interval: Interval | None
    answers: int
    drivers: int


@dataclass(frozen=True)
class DriverMap:
    """The drivers of a survey, the most important first; those without a place stand last.

    `by` is the importance it goes by; `is_stated` whether the survey asks for importance at all.
    """

    survey: Survey
    era: Era
    drivers: tuple[Driver, ...]
    answers: int
    elsewhere: int
    by: str = CORRELATED
    is_stated: bool = False

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

    @property
    def gaps(self) -> tuple[tuple[Driver, Gap], ...]:
        """Of the drivers of which somebody asks what was expected."""
        return tuple((driver, driver.gap) for driver in self.drivers if driver.gap is not None)

    @property
    def gap(self) -> Weighted | None:
        """Of all drivers together, weighted by the importance the map goes by."""
        return weighted_gap((driver.weight, gap) for driver, gap in self.gaps)


def is_above(ends: Interval | None, cut: float) -> bool | None:
    """Whether all of the interval lies above the cut (False: below); None where it cannot be told."""
    if ends is None or ends.low <= cut <= ends.high:
        return None
    return ends.low > cut


def index_of(drivers: Sequence[Driver]) -> Index | None:
    """sum(w x mean) / sum(w), with w the importance where it is positive; None where nothing weighs.

    Its interval is that of `weighted_mean`: the weights are taken as fixed.
    """
    found = weighted_mean([part_of(driver) for driver in drivers])
    if found is None:
        return None
    ends = found.interval
    if ends is not None:
        ends = Interval(max(0.0, _percent(ends.low)), min(100.0, _percent(ends.high)))
    return Index(_percent(found.value), ends, found.answers, found.parts)


def part_of(driver: Driver) -> Part:
    return Part(driver.weight, [(each.response, float(each.rating)) for each in driver.rated])


def _percent(mean: float) -> float:
    return 100 * (mean - RATING.lowest) / (RATING.highest - RATING.lowest)


# --- asking the database ------------------------------------------------------------------------------------


def with_ratings(surveys: Iterable[Survey]) -> list[Survey]:
    """Those that ask for ratings of how it was. One query."""
    perceived = Question.objects.filter(kind=Question.RATING, asks=Question.PERCEIVED)
    asking = set(perceived.values_list("survey_id", flat=True))
    return [survey for survey in surveys if survey.pk in asking]


def driver_map(survey: Survey, which: Which, by: str = "") -> DriverMap:
    """The ratings beside valid answers. Four queries at most.

    `by` is STATED or CORRELATED; left out, importance is as stated where thirty have stated it for a driver.
    What the survey does not ask cannot be stated: it is then CORRELATED whatever is asked for.
    """
    era, said = era_shown(survey, which), _said(survey, which)
    asked = [question for question in said.questions if question.active or said.values[question.pk]]
    is_stated = any(question.asks == Question.IMPORTANCE for question in asked)
    expecting = {question.driver_key for question in asked if question.asks == Question.EXPECTED}
    found = [
        _driver(question, said, question.driver_key in expecting)
        for question in asked
        if question.asks == Question.PERCEIVED
    ]
    enough = any(len(driver.stated) >= MIN_ANSWERS_FOR_RANKING for driver in found)
    if not is_stated or not by:
        by = STATED if is_stated and enough else CORRELATED
    drivers = sorted((replace(driver, by=by) for driver in found), key=_most_important_first)
    return DriverMap(survey, era, tuple(drivers), len(said.used), len(said.elsewhere), by, is_stated)


@dataclass(slots=True)
class _Said:
    """What was answered to each rating question, by answer; and how good the score beside it was.

    `used` rate how it was; `elsewhere` are answers whose score is on another scale, which count nowhere.
    """

    questions: list[Question]
    values: defaultdict[int, dict[int, int]]
    overall: dict[int, float]
    used: set[int]
    elsewhere: set[int]

    def beside(self, driver: str, asks: str) -> dict[int, int]:
        """To all questions of one sort about a driver; where an answer has two, to the one still asked."""
        of_sort = [each for each in self.questions if (each.driver_key, each.asks) == (driver, asks)]
        found: dict[int, int] = {}
        for question in sorted(of_sort, key=lambda each: each.active):
            found.update(self.values[question.pk])
        return found


def _said(survey: Survey, which: Which) -> _Said:
    era, eras = era_shown(survey, which), survey.eras
    said = _Said(list(survey.questions.filter(kind=Question.RATING)), defaultdict(dict), {}, set(), set())
    perceived = {question.pk for question in said.questions if question.asks == Question.PERCEIVED}
    for row in _rows(survey, which):
        if era_at(eras, row.at).scale != era.scale or not era.scale.holds(row.score):
            said.elsewhere.add(row.response)
        elif _is_rating(row.value):
            said.values[row.question][row.response] = row.value
            said.overall[row.response] = era.scale.goodness(row.score)
            if row.question in perceived:
                said.used.add(row.response)
    return said


def _driver(question: Question, said: _Said, is_expecting: bool) -> Driver:
    values = said.values[question.pk]
    rated = tuple(Rated(answer, value, said.overall[answer]) for answer, value in values.items())
    expected = said.beside(question.driver_key, Question.EXPECTED)
    return Driver(
        question,
        rated,
        _correlation(rated),
        tuple(said.beside(question.driver_key, Question.IMPORTANCE).values()),
        Gap(_pairs(values, expected)) if is_expecting else None,
    )


def _correlation(rated: Sequence[Rated]) -> float | None:
    if len(rated) < MIN_ANSWERS_FOR_PERCENT:
        return None
    return spearman([each.rating for each in rated], [each.overall for each in rated])


def _pairs(perceived: Mapping[int, int], expected: Mapping[int, int]) -> tuple[Pair, ...]:
    both = (answer for answer in perceived if answer in expected)
    return tuple(Pair(answer, perceived[answer], expected[answer]) for answer in both)


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
