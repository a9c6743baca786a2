"""What people answered, as numbers: the survey's figure with its interval, its bands, its months."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncMonth
from django.utils import timezone

from surveys import scoring
from surveys.estimates import MIN_ANSWERS_FOR_PERCENT, Interval, nps_interval, wilson
from surveys.models import Invitation, Response, Survey
from surveys.scoring import BandCounts, LevelCounts

ASKED = (Invitation.SENT, Invitation.ANSWERED, Invitation.EXPIRED)


@dataclass(frozen=True, slots=True)
class Figure:
    """The valid answers of one survey, or of a part of it.

    `value` is the NPS in points, for CSAT and CES the share 0 to 1 of high answers ("satisfied", "made it
    easy"); `interval` is its 95 % interval in the same unit. Both are None below ten answers.
    """

    kind: str
    levels: LevelCounts

    @property
    def answered(self) -> int:
        return self.levels.answered

    @property
    def bands(self) -> BandCounts:
        return self.levels.bands

    @property
    def is_enough(self) -> bool:
        return self.answered >= MIN_ANSWERS_FOR_PERCENT

    @property
    def value(self) -> float | None:
        if not self.is_enough:
            return None
        return scoring.nps(self.bands) if self.kind == "nps" else scoring.csat(self.levels)

    @property
    def interval(self) -> Interval | None:
        if not self.is_enough:
            return None
        return nps_interval(self.bands) if self.kind == "nps" else wilson(self.levels.high, self.answered)

    @property
    def mean(self) -> float | None:
        """In the numbers of the scale."""
        return self.levels.mean if self.is_enough else None


@dataclass(frozen=True, slots=True)
class Month:
    first: date
    figure: Figure


@dataclass(frozen=True, slots=True)
class SurveyFigures:
    survey: Survey
    figure: Figure
    unanswered: int
    invited: int
    replied: int

    @property
    def answered(self) -> int:
        return self.figure.answered

    @property
    def response_rate(self) -> float | None:
        """Of those asked in the period, the share 0 to 1 who have answered; None if nobody was asked."""
        return self.replied / self.invited if self.invited else None


def survey_figures(
    survey: Survey, since: datetime | None = None, until: datetime | None = None
) -> SurveyFigures:
    """The answers given, and the invitations sent, in [since, until)."""
    return figures_of([survey], since, until)[0]


def figures_of(
    surveys: Sequence[Survey],
    since: datetime | None = None,
    until: datetime | None = None,
    touchpoint: str = "",
) -> list[SurveyFigures]:
    """One for each survey, of one touchpoint if it is named, in three queries for all of them."""
    given = _at(Response.objects.filter(survey__in=surveys), touchpoint)
    answers = _within(given, "answered_at", since, until)
    counts = _levels(answers.counted().values_list("survey_id", "score"))
    unanswered = _count(answers.filter(state=Response.UNANSWERED))
    asked = _asked(surveys, since, until, touchpoint)
    return [
        SurveyFigures(
            survey=each,
            figure=_figure(each, counts[each.pk]),
            unanswered=unanswered.get(each.pk, 0),
            invited=sum(asked[each.pk].values()),
            replied=asked[each.pk][Invitation.ANSWERED],
        )
        for each in surveys
    ]


def monthly(survey: Survey, since: datetime | None = None, until: datetime | None = None) -> list[Month]:
    """The calendar months of the current time zone that have answers, the earliest first."""
    answers = _within(Response.objects.counted().filter(survey=survey), "answered_at", since, until)
    month = TruncMonth("answered_at", tzinfo=timezone.get_current_timezone())
    counts = _levels(answers.annotate(month=month).values_list("month", "score"))
    return [Month(first.date(), _figure(survey, counts[first])) for first in sorted(counts)]


def _within(rows: QuerySet[Any], moment: str, since: datetime | None, until: datetime | None) -> Any:
    if since:
        rows = rows.filter(**{f"{moment}__gte": since})
    return rows.filter(**{f"{moment}__lt": until}) if until else rows


def _at(rows: QuerySet[Any], touchpoint: str) -> Any:
    return rows.filter(touchpoint=touchpoint) if touchpoint else rows


def _levels(pairs: QuerySet[Any, Any]) -> defaultdict[Any, Counter[int]]:
    """How often each score occurs, by what it is grouped by."""
    levels: defaultdict[Any, Counter[int]] = defaultdict(Counter)
    for group, score, number in pairs.order_by().annotate(number=Count("*")):
        levels[group][score] += number
    return levels


def _count(rows: QuerySet[Response]) -> dict[int, int]:
    return dict(rows.order_by().values_list("survey_id").annotate(number=Count("*")))


def _asked(
    surveys: Iterable[Survey], since: datetime | None, until: datetime | None, touchpoint: str
) -> defaultdict[int, Counter[str]]:
    sent = Invitation.objects.filter(survey__in=surveys, state__in=ASKED, sent_at__isnull=False)
    rows = _within(_at(sent, touchpoint), "sent_at", since, until).order_by()
    states: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for survey_id, state, number in rows.values_list("survey_id", "state").annotate(number=Count("*")):
        states[survey_id][state] = number
    return states


def _figure(survey: Survey, counts: Counter[int]) -> Figure:
    # A scale may have been changed after answers came in; what no longer lies on it cannot be counted.
    on_scale = {score: number for score, number in counts.items() if survey.scale.holds(score)}
    return Figure(survey.kind, LevelCounts(survey.scale, on_scale))
