"""A number's target as the pages say it: where it should be, by when, and whether it is there."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext

from recovery.insight.definitions import DEFINITIONS
from recovery.insight.targets import (
    AT_RISK,
    MET,
    MISSED,
    ON_TRACK,
    UNCLEAR,
    VERDICT_NAMES,
    Judged,
    Number,
    Period,
    beside,
    definition_of,
    next_of,
)
from recovery.models import Target
from recovery.views.insight_slice import Asked
from recovery.views.insight_words import working_span

TONES: Final = {MISSED: "late", AT_RISK: "soon", UNCLEAR: "paused", ON_TRACK: "met", MET: "met"}


@dataclass(frozen=True)
class Row:
    """One target as the page says it."""

    found: Judged
    url: str = ""
    # The target is measured over other days than the number it stands beside.
    other_days: bool = False

    @property
    def name(self) -> str:
        return str(self.found.target.get_metric_display())

    @property
    def whose(self) -> str:
        target = self.found.target
        return " · ".join(str(each) for each in (target.team, target.survey) if each) or gettext("everybody")

    @property
    def label(self) -> str:
        return f"{self.name} · {self.whose}"

    @property
    def value(self) -> float:
        return float(self.found.target.value)

    @property
    def goal(self) -> str:
        target = self.found.target
        said = in_unit(target.metric, self.value)
        if target.falls:
            return gettext("{value} or less").format(value=said)
        return gettext("{value} or more").format(value=said)

    @property
    def aim(self) -> str:
        """target 40 % or more by 30 June 2026: what is written on its line."""
        return gettext("target {goal} by {day}").format(goal=self.goal, day=self.by_day)

    @property
    def told(self) -> str:
        return gettext("{aim}: {verdict}").format(aim=self.aim, verdict=self.verdict)

    @property
    def over(self) -> str:
        """The number the verdict is about, where it is not the one it stands beside."""
        if not self.other_days:
            return ""
        return gettext("measured {period}: {number}").format(period=self.period, number=self.number)

    @property
    def number(self) -> str:
        return number_words(self.found)

    @property
    def verdict(self) -> str | Promise:
        return VERDICT_NAMES[self.found.verdict]

    @property
    def tone(self) -> str:
        return TONES[self.found.verdict]

    @property
    def period(self) -> str:
        span = self.found.period
        return gettext("{first} to {last}").format(
            first=date_format(span.first, "SHORT_DATE_FORMAT"),
            last=date_format(span.last, "SHORT_DATE_FORMAT"),
        )

    @property
    def by_day(self) -> str:
        return date_format(self.found.target.by_day, "DATE_FORMAT")

    @property
    def definition(self) -> str | Promise:
        return DEFINITIONS[definition_of(self.found.target.metric)]


def in_unit(metric: str, value: float) -> str:
    if metric in Target.IN_HOURS:
        return working_span(60 * value)
    return signed(value) if metric == "nps" else gettext("{n} %").format(n=f"{value:g}")


def signed(value: float) -> str:
    """+41, −7.5, 0: as the pages say an NPS."""
    said = f"{value:g}".replace("-", "−")
    return f"+{said}" if value > 0 else said


def number_words(found: Judged) -> str:
    """42 % (36 to 49); the counts where they are few, or where not half are done."""
    if found.interval is None:
        return few_words(found)
    metric, ends = found.target.metric, found.interval
    if found.value is None:
        words = gettext("{low} or more: {hits} of {n} done")
        return words.format(low=in_unit(metric, ends.low), hits=f"{found.hits or 0:,}", n=f"{found.n:,}")
    if metric in Target.IN_HOURS:
        value, low = in_unit(metric, found.value), in_unit(metric, ends.low)
        if math.isinf(ends.high):
            return gettext("{value} ({low} or more)").format(value=value, low=low)
        high = in_unit(metric, ends.high)
    else:
        say = signed if metric == "nps" else str
        value = in_unit(metric, round(found.value))
        low, high = (say(round(end)) for end in (ends.low, ends.high))
    return gettext("{value} ({low} to {high})").format(value=value, low=low, high=high)


def few_words(found: Judged) -> str:
    if not found.n:
        return "–"
    if found.hits is not None:
        return gettext("{hits} of {n}").format(hits=found.hits, n=found.n)
    return ngettext("{n} answer", "{n} answers", found.n).format(n=found.n)


# --- beside the numbers of a page ---------------------------------------------------------------------------

Goals = Mapping[str, Row]


def goals_for(asked: Asked, numbers: Mapping[str, Number], *, of_answers: bool = False) -> Goals:
    """The targets of the numbers a page shows, by what they are targets of.

    A target holds for all touchpoints and segments: beside the numbers of one of them there is none. Figures
    `of_answers` belong to no team.
    """
    if asked.touchpoint or asked.segment:
        return {}
    team = asked.team.pk if asked.team and not of_answers else None
    survey = asked.survey.pk if asked.survey else None
    period = period_of(asked)
    found = beside(numbers, asked.seen, period, asked.at, asked.as_of, team=team, survey=survey)
    return {metric: row_beside(each, period) for metric, each in found.items()}


def goals_among(judged: Iterable[Judged], asked: Asked, *, survey: int | None = None) -> Goals:
    """The same of targets judged already; with `survey`, those of its own figure."""
    if asked.touchpoint or asked.segment:
        return {}
    team = asked.team.pk if asked.team and survey is None else None
    survey = survey or (asked.survey.pk if asked.survey else None)
    period, today = period_of(asked), timezone.localtime(asked.at).date()
    mine = {
        each.target: each
        for each in judged
        if each.target.team_id == team and each.target.survey_id == survey
    }
    by_metric = groupby(sorted(mine, key=lambda each: each.metric), key=lambda each: each.metric)
    chosen = {metric: next_of(targets, today) for metric, targets in by_metric}
    return {metric: row_beside(mine[target], period) for metric, target in chosen.items() if target}


def period_of(asked: Asked) -> Period:
    return Period(asked.first, asked.last, timezone.get_current_timezone())


def row_beside(found: Judged, period: Period) -> Row:
    return Row(found, other_days=found.period != period)


def goals_told(goals: Iterable[Row]) -> str:
    """For whoever does not see the lines: each target and its verdict."""
    said = (gettext("{name}: {told}").format(name=row.name, told=row.told) for row in goals)
    return gettext("; ").join(said)
