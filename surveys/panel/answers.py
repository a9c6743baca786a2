"""Which answers of a line are compared: those on one scale. They are counted where they lie, never read."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, reduce
from itertools import pairwise
from operator import or_
from typing import Any

from django.db.models import BooleanField, Case, CharField, Count, Q, QuerySet, Value, When
from django.db.models.functions import TruncMonth
from django.utils import timezone

from dispatch.clock import midnight
from surveys.eras import Era, Suspicion, suspected_changes
from surveys.models import Response, Survey
from surveys.results.answers import VOID, Which, era_shown, given, within

# What an answer is: exactly one of these. One that does not lie on its scale is `HERE` too.
BLANK, NAMELESS, HERE, ELSEWHERE = "blank", "nameless", "here", "elsewhere"

Line = Mapping[int, Survey]


def line_of(survey: Survey) -> dict[int, Survey]:
    """The surveys of its line with the scales they had, in two queries."""
    rows = Survey.objects.filter(line=survey.line).prefetch_related("former_scales")
    return {each.pk: each for each in rows}


def eras_of(survey: Survey, which: Which) -> list[Era]:
    """The scales the survey had up to the end of the period, the earliest first; the last is compared on."""
    last = survey.eras.index(era_shown(survey, which))
    return survey.eras[: last + 1]


@dataclass(frozen=True)
class Answers:
    """The answers of a line in a period, looked at on the scale of one era."""

    survey: Survey
    era: Era
    which: Which
    line: Line

    @cached_property
    def rows(self) -> QuerySet[Response, Any]:
        """What is withdrawn or a test is no answer."""
        rows = within(
            given(list(self.line.values()), self.which), "given_at", self.which.since, self.which.until
        )
        return rows.exclude(state__in=VOID)

    @cached_property
    def counts(self) -> Counts:
        """One query."""
        blank, nameless = Q(said__isnull=True), Q(customer__isnull=True)
        is_what = Case(
            When(blank, then=Value(BLANK)),
            When(nameless, then=Value(NAMELESS)),
            When(self._on_the_scale, then=Value(HERE)),
            default=Value(ELSEWHERE),
            output_field=CharField(),
        )
        month = TruncMonth("given_at", tzinfo=timezone.get_current_timezone())
        rows = self.rows.annotate(what=is_what, month=month).values_list("what", "month", "said")
        found = Counts(self.era)
        for what, begins, score, number in rows.annotate(number=Count("*")):
            found.add(what, begins.date(), score, number)
        return found

    @property
    def suspicion(self) -> Suspicion | None:
        """The latest change that nobody declared, as far as these answers show one."""
        return self.counts.suspicion

    @property
    def compared(self) -> QuerySet[Response, Any]:
        """Valid answers of people who are known, on the scale, since it seems to have changed if it does."""
        found: QuerySet[Response, Any] = self._scored.filter(self._compared)
        return found

    @property
    def by_place(self) -> QuerySet[Response, Any]:
        """All answers of people who are known: whether one is compared (`here`), or on another scale."""
        return self._scored.annotate(
            here=Case(When(self._compared, then=True), default=False, output_field=BooleanField()),
            elsewhere=Case(When(self._on_this_side, then=False), default=True, output_field=BooleanField()),
        ).values("customer_id", "here", "elsewhere")

    @property
    def _scored(self) -> QuerySet[Response, Any]:
        rows: Any = self.rows
        found: QuerySet[Response, Any] = rows.filter(said__isnull=False, customer__isnull=False)
        return found

    @property
    def _compared(self) -> Q:
        scale = self.era.scale
        return self._on_this_side & Q(said__gte=scale.lowest, said__lte=scale.highest)

    @property
    def _on_this_side(self) -> Q:
        found = self.suspicion
        return self._on_the_scale & Q(given_at__gte=midnight(found.month)) if found else self._on_the_scale

    @cached_property
    def _on_the_scale(self) -> Q:
        """Two surveys of one line, or two eras of one survey, may share a scale."""
        parts = [
            Q(survey=pk) & during(era)
            for pk, survey in self.line.items()
            if survey.kind == self.survey.kind
            for era in survey.eras
            if era.scale == self.era.scale
        ]
        return reduce(or_, parts) if parts else Q(pk__in=[])


def during(era: Era) -> Q:
    since = Q(given_at__gte=era.since) if era.since else Q()
    return since & Q(given_at__lt=era.until) if era.until else since


@dataclass
class Counts:
    """How many answers are what; those on the scale by month and score, whether they lie on it or not."""

    era: Era
    what: Counter[str] = field(default_factory=Counter)
    months: defaultdict[date, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))

    def add(self, what: str, month: date, score: int | None, number: int) -> None:
        self.what[what] += number
        if what == HERE and score is not None:
            self.months[month][score] += number

    @property
    def blank(self) -> int:
        return self.what[BLANK]

    @property
    def nameless(self) -> int:
        return self.what[NAMELESS]

    @property
    def off_scale(self) -> int:
        return sum(
            number
            for month, levels in self.months.items()
            if self._is_compared(month)
            for score, number in levels.items()
            if not self.era.scale.holds(score)
        )

    @property
    def has_elsewhere(self) -> bool:
        """Whether anybody answered on another scale."""
        return bool(self.what[ELSEWHERE]) or not all(map(self._is_compared, self.months))

    def _is_compared(self, month: date) -> bool:
        return self.suspicion is None or month >= self.suspicion.month

    @cached_property
    def suspicion(self) -> Suspicion | None:
        settled = [timezone.localtime(moment).date() for moment in self.era.unchanged]
        ends = [date.min, *sorted(settled), date.max]
        months = [(month, levels) for month, levels in sorted(self._on_scale()) if levels]
        found = [
            suspicion
            for start, end in pairwise(ends)
            for suspicion in suspected_changes([each for each in months if start <= each[0] < end])
        ]
        return found[-1] if found else None

    def _on_scale(self) -> Iterable[tuple[date, Counter[int]]]:
        holds = self.era.scale.holds
        for month, levels in self.months.items():
            yield month, Counter({score: number for score, number in levels.items() if holds(score)})
