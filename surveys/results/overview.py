"""The figures of many surveys at once, and the months of one."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Q, prefetch_related_objects
from django.db.models.functions import TruncMonth
from django.utils import timezone

from surveys.eras import Era
from surveys.models import Invitation, Survey
from surveys.results.answers import VOID, Which, era_number, era_shown, given, in_era, tally, valid, within
from surveys.results.figure import Figure

ASKED = (Invitation.SENT, Invitation.ANSWERED, Invitation.EXPIRED)


@dataclass(frozen=True, slots=True)
class Month:
    first: date
    figure: Figure


@dataclass(frozen=True, slots=True)
class SurveyFigures:
    """`former` are the answers of the period that were given on another scale: they are not in the figure."""

    survey: Survey
    figure: Figure
    former: tuple[tuple[Era, int], ...]
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
    return figures_for(surveys, Which(since, until, touchpoint))


def figures_for(surveys: Sequence[Survey], which: Which) -> list[SurveyFigures]:
    """One for each survey, in four queries for all of them; five as of a past moment."""
    prefetch_related_objects(surveys, "former_scales")
    answers = within(given(surveys, which), "given_at", which.since, which.until)
    counts = tally(valid(answers).annotate(era=era_number(surveys)), "survey_id", "era")
    blank = answers.filter(said__isnull=True).exclude(state__in=VOID)
    unanswered = dict(blank.values_list("survey_id").annotate(number=Count("*")))
    asked = _asked(surveys, which)
    return [
        SurveyFigures(
            survey=each,
            figure=Figure.of(each.kind, era_shown(each, which).scale, by_era[era_shown(each, which)]),
            former=others_than(era_shown(each, which), by_era),
            unanswered=unanswered.get(each.pk, 0),
            invited=asked[each.pk][0],
            replied=asked[each.pk][1],
        )
        for each in surveys
        for by_era in [_by_era(each, counts)]
    ]


def others_than(era: Era, by_era: Mapping[Era, Counter[int]]) -> tuple[tuple[Era, int], ...]:
    """How many answers each other era has, the earliest first."""
    found = [(each, levels.total()) for each, levels in by_era.items() if each != era and levels]
    return tuple(sorted(found, key=lambda pair: pair[0].since.timestamp() if pair[0].since else 0.0))


def _by_era(
    survey: Survey, counts: defaultdict[tuple[int, int], Counter[int]]
) -> defaultdict[Era, Counter[int]]:
    eras = survey.eras
    by_era: defaultdict[Era, Counter[int]] = defaultdict(Counter)
    for (survey_id, number), levels in counts.items():
        if survey_id == survey.pk:
            by_era[eras[number]] += levels
    return by_era


def monthly(survey: Survey, since: datetime | None = None, until: datetime | None = None) -> list[Month]:
    """The calendar months of the current time zone that have answers on the scale, the earliest first."""
    which = Which(since, until)
    era = era_shown(survey, which)
    month = TruncMonth("given_at", tzinfo=timezone.get_current_timezone())
    counts = tally(in_era(valid(given([survey], which)), era, which).annotate(month=month), "month")
    return [
        Month(first.date(), Figure.of(survey.kind, era.scale, counts[(first,)]))
        for (first,) in sorted(counts)
    ]


def most_answered(surveys: Sequence[Survey], which: Which) -> list[tuple[Survey, int]]:
    """The surveys that have valid answers, with how many, the most first. One query; two as of the past."""
    answers = within(valid(given(surveys, which)), "given_at", which.since, which.until)
    counts = dict(answers.values_list("survey_id").annotate(number=Count("*")))
    found = [(each, counts[each.pk]) for each in surveys if each.pk in counts]
    return sorted(found, key=lambda each: -each[1])


def _asked(surveys: Sequence[Survey], which: Which) -> dict[int, tuple[int, int]]:
    """How many were asked, and how many of them have answered, by survey."""
    found = {each.pk: (0, 0) for each in surveys}
    if which.asked is None:
        return found
    sent = Invitation.objects.filter(which.asked, survey__in=surveys, state__in=ASKED, sent_at__isnull=False)
    if which.touchpoint:
        sent = sent.filter(touchpoint=which.touchpoint)
    rows = within(sent, "sent_at", which.since, which.until).order_by()
    if which.at:
        rows = rows.filter(sent_at__lte=which.at)
    numbers = rows.values_list("survey_id").annotate(
        all=Count("*"), replied=Count("pk", filter=replied(which.at))
    )
    return found | {pk: (asked, answered) for pk, asked, answered in numbers}


def replied(at: datetime | None) -> Q:
    """Invitations that had been answered by then."""
    answered = Q(state=Invitation.ANSWERED)
    return answered & (Q(answered_at__isnull=True) | Q(answered_at__lte=at)) if at else answered
