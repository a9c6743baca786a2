"""The same people in the plain way: every answer is read, and Python sorts them. For comparison only."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from itertools import pairwise
from typing import NamedTuple

from django.utils import timezone

from surveys.eras import Era, Suspicion, era_at, suspected_changes
from surveys.models import Invitation, Survey
from surveys.panel import BANDS, NO_LATER, NOW, Given
from surveys.results.answers import VOID, Which, era_shown, given, within
from surveys.scoring import band


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
    suspicion: Suspicion | None
    members: tuple[Member, ...]
    elsewhere_only: frozenset[int]
    elsewhere_too: frozenset[int]
    blank: int
    off_scale: int
    nameless: int


@dataclass(frozen=True)
class Waves:
    suspicion: Suspicion | None
    both: tuple[tuple[int, Given, Given], ...]
    only_first: tuple[tuple[int, Given], ...]
    only_second: tuple[tuple[int, Given], ...]
    again_first: tuple[tuple[int, Given], ...]
    again_second: tuple[tuple[int, Given], ...]


def panel(survey: Survey, which: Which, era: Era | None = None) -> Panel:
    era = era or era_shown(survey, which)
    line = _line(survey.line)
    rows = list(_rows(line, which))
    read = _Reading(survey.kind, era, line).over(rows)
    if suspicion := read.suspicion:
        read = _Reading(survey.kind, era, line, suspicion).over(rows)
    members = tuple(Member(customer, tuple(given)) for customer, given in read.given.items())
    return Panel(
        suspicion=suspicion,
        members=members,
        elsewhere_only=frozenset(read.elsewhere - read.given.keys()),
        elsewhere_too=frozenset(read.elsewhere & read.given.keys()),
        blank=read.blank,
        off_scale=read.off_scale,
        nameless=read.nameless,
    )


def waves(survey: Survey, first: Which, second: Which, era: Era | None = None) -> Waves:
    assert first.until is not None
    assert second.since is not None
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
