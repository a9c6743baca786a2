"""Everything about what one survey's answers said in a period."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Final, Literal

from django.db.models import BooleanField, Case, Count, Q, QuerySet, Value, When
from django.db.models.functions import TruncMonth, TruncWeek
from django.utils import timezone

from surveys.eras import Era, Suspicion, suspected_changes
from surveys.estimates import Difference, Interval, nps_bounds
from surveys.models import Invitation, Response, Survey
from surveys.results.answers import VOID, Which, era_number, era_shown, given, in_era, tally, valid, within
from surveys.results.asking import Asking, asking_of
from surveys.results.figure import Figure
from surveys.results.overview import others_than
from surveys.results.trend import Step, Trend, step_of, trend_of

# A change is looked for this far back from the end of the period, or as far as it is compared.
LOOKED_BACK: Final = timedelta(days=3 * 366)

# Why there is no difference to the period before.
NotCompared = Literal["", "no_period", "few", "scale", "suspected"]


@dataclass(frozen=True, slots=True)
class Results:
    """The valid answers of the period on the scale in force at its end, and all that stands beside them.

    `former` are answers on other scales, `off_scale` those their own scale does not hold, `beside` the blank,
    withdrawn and test answers by state: none of them is in the figure. `before` is the period before, of the
    same length; where `not_compared` says why, there is no `difference` to it.
    """

    survey: Survey
    which: Which
    era: Era
    figure: Figure
    former: tuple[tuple[Era, int], ...]
    off_scale: int
    beside: Counter[str]
    trend: Trend
    before: Figure
    difference: Difference | None
    not_compared: NotCompared
    asking: Asking | None
    suspicions: tuple[Suspicion, ...]
    rows: QuerySet[Response, Any]

    @property
    def bounds(self) -> Interval | None:
        """The NPS if everybody who was asked and kept silent were a detractor, or a promoter."""
        if self.survey.kind != "nps" or self.asking is None or not self.figure.is_enough:
            return None
        return nps_bounds(self.figure.bands, self.asking.all.silent)

    @property
    def asked_again(self) -> int:
        """How many answers of the figure were given when asked again after a low score. One query."""
        scale = self.era.scale
        on_scale = Q(said__gte=scale.lowest, said__lte=scale.highest)
        return self.rows.filter(on_scale, invitation__purpose=Invitation.RESURVEY).count()

    @property
    def suspected_within(self) -> bool:
        """Whether the scale seems to have changed in the period itself: then no part compares with others."""
        days = [point.first for point in self.trend.points]
        return bool(days) and any(days[0] < each.month <= days[-1] for each in self.suspicions)


Levels = defaultdict[Era, Counter[int]]


def results_of(survey: Survey, which: Which) -> Results:
    """In five queries: the scales, the months, the period, what is beside it, and the invitations."""
    rows = given([survey], which)
    counted = valid(rows).annotate(era=era_number([survey]))
    suspicions = tuple(_suspicions(survey, counted, which))
    step = step_of(which)
    stretches, earlier = _stretches(survey, counted, which, step)
    era = era_shown(survey, which)
    by_era = _levels((each, levels) for (_day, each), levels in stretches.items())
    figure, before = (Figure.of(survey.kind, era.scale, levels[era]) for levels in (by_era, earlier))
    eras = {each for levels in (by_era, earlier) for each in levels if levels[each]}
    why = _why_not_compared(which, figure, before, eras | {era}, suspicions)
    return Results(
        survey=survey,
        which=which,
        era=era,
        figure=figure,
        former=others_than(era, by_era),
        off_scale=by_era[era].total() - figure.answered,
        beside=_beside(rows, which),
        trend=trend_of(survey.kind, step, stretches, suspicions),
        before=before,
        difference=None if why else figure.less(before),
        not_compared=why,
        asking=asking_of(survey, which),
        suspicions=suspicions,
        rows=in_era(valid(rows), era, which),
    )


def _suspicions(survey: Survey, counted: QuerySet[Response, Any], which: Which) -> Iterable[Suspicion]:
    """Changes nobody declared, looked for within each era, but not where somebody said there was none."""
    begin = which.last_moment and min(
        which.last_moment - LOOKED_BACK, which.start_before or which.last_moment
    )
    month = TruncMonth("given_at", tzinfo=timezone.get_current_timezone())
    months: defaultdict[int, list[tuple[date, Counter[int]]]] = defaultdict(list)
    counts = tally(within(counted, "given_at", begin, None).annotate(month=month), "era", "month")
    for number, first in sorted(counts, key=lambda each: each[1]):
        months[number].append((first.date(), counts[number, first]))
    eras = survey.eras
    for number, each in months.items():
        days = [timezone.localtime(moment).date() for moment in eras[number].unchanged]
        for stretch in _split(each, days):
            yield from suspected_changes(stretch)


def _split(
    months: list[tuple[date, Counter[int]]], days: list[date]
) -> Iterator[list[tuple[date, Counter[int]]]]:
    """The months before the first of these days, those up to the second, and so on."""
    ends = [date.min, *sorted(days), date.max]
    for start, end in pairwise(ends):
        yield [each for each in months if start <= each[0] < end]


def _stretches(
    survey: Survey, counted: QuerySet[Response, Any], which: Which, step: Step
) -> tuple[dict[tuple[date, Era], Counter[int]], Levels]:
    """The scores of the period by its weeks or months and by era, and those of the period before by era."""
    trunc = TruncWeek if step == "week" else TruncMonth
    first = trunc("given_at", tzinfo=timezone.get_current_timezone())
    is_earlier = [When(given_at__lt=which.since, then=Value(True))] if which.since else []
    rows = within(counted, "given_at", which.start_before or which.since, which.until).annotate(
        earlier=Case(*is_earlier, default=Value(False), output_field=BooleanField()), first=first
    )
    counts = tally(rows, "earlier", "first", "era")
    eras = survey.eras
    inside = {
        (first.date(), eras[number]): levels
        for (earlier, first, number), levels in counts.items()
        if not earlier
    }
    before = _levels((eras[number], levels) for (earlier, _day, number), levels in counts.items() if earlier)
    return inside, before


def _levels(counts: Iterable[tuple[Era, Counter[int]]]) -> Levels:
    by_era: Levels = defaultdict(Counter)
    for era, levels in counts:
        by_era[era] += levels
    return by_era


def _why_not_compared(
    which: Which, figure: Figure, before: Figure, eras: set[Era], suspicions: Iterable[Suspicion]
) -> NotCompared:
    start, end = which.start_before, which.last_moment
    if start is None or end is None:
        return "no_period"
    if len(eras) > 1:
        return "scale"
    first, last = (timezone.localtime(moment).date() for moment in (start, end))
    if any(first < each.month <= last for each in suspicions):
        return "suspected"
    return "" if figure.is_enough and before.is_enough else "few"


def _beside(rows: QuerySet[Response, Any], which: Which) -> Counter[str]:
    """What came in and is no valid answer, by what it is."""
    period = within(rows, "given_at", which.since, which.until)
    states = Case(*(When(state=each, then=Value(each)) for each in VOID), default=Value(Response.UNANSWERED))
    beside = period.filter(Q(said__isnull=True) | Q(state__in=VOID)).annotate(what=states)
    return Counter(dict(beside.values_list("what").annotate(number=Count("*"))))
