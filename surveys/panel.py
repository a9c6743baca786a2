"""The same people asked again: how they began, what they say now, and two waves of them side by side.

Answers are compared only where they were given on one and the same scale; by default that is the scale in
force at the moment looked at. What somebody answered on another scale is left out and counted beside it, as
if the period began with the scale. Where a scale seems to have changed and nobody has declared it, the same
holds from that month on.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from functools import cached_property
from itertools import pairwise
from typing import Final, NamedTuple

from django.utils import timezone

from surveys.eras import Era, Suspicion, era_at, suspected_changes
from surveys.estimates import (
    MIN_ANSWERS_FOR_PERCENT,
    Difference,
    Interval,
    bounds,
    nps_paired_difference,
    paired_difference,
)
from surveys.models import Invitation, Survey
from surveys.rates import Rate
from surveys.results.answers import VOID, Which, era_shown, given, within
from surveys.results.figure import Figure
from surveys.scoring import DETRACTOR, PASSIVE, PROMOTER, LevelCounts, Scale, band

BANDS: Final = (PROMOTER, PASSIVE, DETRACTOR)
NO_LATER: Final = "no_later"
# What may have become of somebody: exactly one of these holds for each.
STATES: Final = (*BANDS, NO_LATER)
NOW, EVER = "now", "ever"
COLUMNS: Final = (NOW, EVER)
NOT_LOW: Final = (PROMOTER, PASSIVE)
# What is one point up in the NPS of one person.
POINTS: Final = {PROMOTER: 1, PASSIVE: 0, DETRACTOR: -1}


class Given(NamedTuple):
    """One valid answer on the scale compared."""

    response: int
    at: datetime
    score: int
    band: str


@dataclass(frozen=True, slots=True)
class Share(Rate):
    """`hits` of the `n` who answered again, out of `everyone`."""

    everyone: int

    @property
    def bounds(self) -> Interval | None:
        """Over everyone: if none, and if all, of those without a later answer were hits too."""
        if self.everyone < MIN_ANSWERS_FOR_PERCENT:
            return None
        return bounds(self.hits, self.everyone - self.n, self.everyone)


@dataclass(frozen=True, slots=True)
class Paired:
    """The same people twice: their scores, earlier and later, on one scale."""

    kind: str
    scale: Scale
    scores: tuple[tuple[int, int], ...]

    @property
    def n(self) -> int:
        return len(self.scores)

    @property
    def earlier(self) -> Figure:
        return Figure(self.kind, LevelCounts(self.scale, Counter(first for first, _ in self.scores)))

    @property
    def later(self) -> Figure:
        return Figure(self.kind, LevelCounts(self.scale, Counter(second for _, second in self.scores)))

    @property
    def difference(self) -> Difference | None:
        """Later less earlier in the unit of the figure: points, or for CSAT and CES a share.

        Its interval knows that both come from the same people. None below ten.
        """
        if self.n < MIN_ANSWERS_FOR_PERCENT:
            return None
        bands = [(band(first, self.scale), band(second, self.scale)) for first, second in self.scores]
        if self.kind == "nps":
            return nps_paired_difference([POINTS[second] - POINTS[first] for first, second in bands])
        gained = sum(first != PROMOTER and second == PROMOTER for first, second in bands)
        lost = sum(first == PROMOTER and second != PROMOTER for first, second in bands)
        return paired_difference(gained, lost, self.n)


@dataclass(frozen=True, slots=True)
class Member:
    """One person with the valid answers they gave in the period, the earliest first; at least one."""

    customer: int
    answers: tuple[Given, ...]

    @property
    def first(self) -> Given:
        return self.answers[0]

    @property
    def latest(self) -> Given:
        return self.answers[-1]

    @property
    def answered_again(self) -> bool:
        return len(self.answers) > 1

    def state(self, column: str) -> str:
        """By the latest answer ("now"), or the best of the later ones ("ever"); without any, `NO_LATER`."""
        later = [given.band for given in self.answers[1:]]
        if not later:
            return NO_LATER
        return later[-1] if column == NOW else min(later, key=BANDS.index)


@dataclass(frozen=True)
class Panel:
    """Everybody with a valid answer on one scale in the period.

    Beside them, in no cell: people who answered on another scale only, of the members those who did so too,
    blank answers, answers that do not lie on their scale, and answers of nobody known. `suspicion` is a
    change of scale that nobody declared: what was answered before it counts as given on another scale.
    """

    survey: Survey
    era: Era
    suspicion: Suspicion | None
    members: tuple[Member, ...]
    elsewhere_only: frozenset[int]
    elsewhere_too: frozenset[int]
    blank: int
    off_scale: int
    nameless: int

    @property
    def size(self) -> int:
        return len(self.members)

    @cached_property
    def again(self) -> tuple[Member, ...]:
        return tuple(member for member in self.members if member.answered_again)

    @cached_property
    def cells(self) -> dict[str, Counter[tuple[str, str]]]:
        """How many by (first band, state), for either column."""
        return {
            column: Counter((member.first.band, member.state(column)) for member in self.members)
            for column in COLUMNS
        }

    def count(self, firsts: Iterable[str] = BANDS, states: Iterable[str] = STATES, column: str = NOW) -> int:
        states = tuple(states)
        return sum(self.cells[column][first, state] for first in firsts for state in states)

    def who(
        self, firsts: Iterable[str] = BANDS, states: Iterable[str] = STATES, column: str = NOW
    ) -> list[Member]:
        """The people that `count` counts."""
        began, became = frozenset(firsts), frozenset(states)
        return [
            member for member in self.members if member.first.band in began and member.state(column) in became
        ]

    def share(self, column: str, states: Iterable[str], firsts: Iterable[str] = BANDS) -> Share:
        """Of those who began so and answered again, how many are, or ever were, in one of these states."""
        firsts = tuple(firsts)
        return Share(
            self.count(firsts, states, column), self.count(firsts, BANDS), self.count(firsts, STATES)
        )

    @property
    def change(self) -> Paired:
        """From the first to the latest answer of those who answered again."""
        scores = tuple((member.first.score, member.latest.score) for member in self.again)
        return Paired(self.survey.kind, self.era.scale, scores)


@dataclass(frozen=True)
class Waves:
    """Who answered in both of two windows, each by their first valid answer in it, and who in one only.

    What somebody answered when asked again after a low score is no part of it, so that both waves are asked
    in the same way; `again_first` and `again_second` are those who have no other answer in that wave.
    """

    survey: Survey
    era: Era
    suspicion: Suspicion | None
    both: tuple[tuple[int, Given, Given], ...]
    only_first: tuple[tuple[int, Given], ...]
    only_second: tuple[tuple[int, Given], ...]
    again_first: tuple[tuple[int, Given], ...]
    again_second: tuple[tuple[int, Given], ...]

    @property
    def paired(self) -> Paired:
        scores = tuple((first.score, second.score) for _customer, first, second in self.both)
        return Paired(self.survey.kind, self.era.scale, scores)


# --- asking the database ------------------------------------------------------------------------------------


def eras_of(survey: Survey, which: Which) -> list[Era]:
    """The scales the survey had up to the end of the period, the earliest first; the last is compared on."""
    last = survey.eras.index(era_shown(survey, which))
    return survey.eras[: last + 1]


def panel(survey: Survey, which: Which, era: Era | None = None) -> Panel:
    """Who answered the survey, or another of its line, on the scale of an era. Four queries at most."""
    era = era or era_shown(survey, which)
    line = _line(survey.line)
    rows = list(_rows(line, which))
    read = _Reading(survey.kind, era, line).over(rows)
    if suspicion := read.suspicion:
        read = _Reading(survey.kind, era, line, suspicion).over(rows)
    members = tuple(Member(customer, tuple(given)) for customer, given in read.given.items())
    return Panel(
        survey=survey,
        era=era,
        suspicion=suspicion,
        members=members,
        elsewhere_only=frozenset(read.elsewhere - read.given.keys()),
        elsewhere_too=frozenset(read.elsewhere & read.given.keys()),
        blank=read.blank,
        off_scale=read.off_scale,
        nameless=read.nameless,
    )


def waves(survey: Survey, first: Which, second: Which, era: Era | None = None) -> Waves:
    """Raises ValueError where the waves overlap: one answer cannot stand on both sides."""
    if first.until is None or second.since is None or first.until > second.since:
        raise ValueError("The first wave ends before the second begins.")
    era = era or era_shown(survey, second)
    line = _line(survey.line)
    rows = list(_rows(line, replace(second, since=first.since)))
    suspicion = _Reading(survey.kind, era, line).over(rows).suspicion
    sides = [row for row in rows if row.at < first.until], [row for row in rows if row.at >= second.since]

    def first_answers(side: list[_Row], *, again: bool) -> dict[int, Given]:
        rows = (row for row in side if (row.purpose == Invitation.RESURVEY) is again)
        return _Reading(survey.kind, era, line, suspicion).over(rows).first

    earlier, later = (first_answers(side, again=False) for side in sides)
    again_earlier, again_later = (first_answers(side, again=True) for side in sides)
    return Waves(
        survey=survey,
        era=era,
        suspicion=suspicion,
        both=tuple((who, given, later[who]) for who, given in earlier.items() if who in later),
        only_first=_without(earlier, later),
        only_second=_without(later, earlier),
        again_first=_without(again_earlier, earlier),
        again_second=_without(again_later, later),
    )


def _without(some: Mapping[int, Given], others: Container[int]) -> tuple[tuple[int, Given], ...]:
    return tuple((who, given) for who, given in some.items() if who not in others)


class _Row(NamedTuple):
    response: int
    customer: int | None
    survey: int
    score: int | None
    at: datetime
    purpose: str | None


def _line(line: str) -> dict[int, Survey]:
    return {each.pk: each for each in Survey.objects.filter(line=line).prefetch_related("former_scales")}


def _rows(line: Mapping[int, Survey], which: Which) -> Iterator[_Row]:
    """In the order they were given; of one moment, in the order they came in: that of the lines of a file."""
    rows = within(given(list(line.values()), which), "given_at", which.since, which.until)
    names = ("pk", "customer_id", "survey_id", "said", "given_at", "invitation__purpose")
    for row in rows.exclude(state__in=VOID).order_by("given_at", "pk").values_list(*names):
        yield _Row(*row)


class _Reading:
    """Sorts answers into those on the scale compared, by person, and what stands beside them."""

    def __init__(
        self, kind: str, era: Era, line: Mapping[int, Survey], suspicion: Suspicion | None = None
    ) -> None:
        self.era, self.scale = era, era.scale
        # Two surveys of one line, or two eras of one survey, may share a scale.
        self.eras = {pk: survey.eras for pk, survey in line.items() if survey.kind == kind}
        self.since = _beginning(suspicion.month) if suspicion else None
        self.given: defaultdict[int, list[Given]] = defaultdict(list)
        self.elsewhere: set[int] = set()
        self.blank = self.off_scale = self.nameless = 0

    def over(self, rows: Iterable[_Row]) -> _Reading:
        for row in rows:
            self.take(row)
        return self

    @property
    def first(self) -> dict[int, Given]:
        return {customer: given[0] for customer, given in self.given.items()}

    def take(self, row: _Row) -> None:
        if row.score is None:
            self.blank += 1
        elif row.customer is None:
            self.nameless += 1
        elif not self._is_comparable(row):
            self.elsewhere.add(row.customer)
        elif not self.scale.holds(row.score):
            self.off_scale += 1
        else:
            answer = Given(row.response, row.at, row.score, band(row.score, self.scale))
            self.given[row.customer].append(answer)

    def _is_comparable(self, row: _Row) -> bool:
        if row.survey not in self.eras or (self.since and row.at < self.since):
            return False
        return era_at(self.eras[row.survey], row.at).scale == self.scale

    @property
    def suspicion(self) -> Suspicion | None:
        """The latest change that nobody declared, as far as these answers show one."""
        settled = [timezone.localtime(moment).date() for moment in self.era.unchanged]
        ends = [date.min, *sorted(settled), date.max]
        months = self._months()
        found = [
            suspicion
            for start, end in pairwise(ends)
            for suspicion in suspected_changes([each for each in months if start <= each[0] < end])
        ]
        return found[-1] if found else None

    def _months(self) -> list[tuple[date, Counter[int]]]:
        levels: defaultdict[date, Counter[int]] = defaultdict(Counter)
        for answers in self.given.values():
            for answer in answers:
                levels[timezone.localtime(answer.at).date().replace(day=1)][answer.score] += 1
        return sorted(levels.items())


def _beginning(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))
