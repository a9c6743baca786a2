"""Targets, judged with the interval of the number and not with the number: chance meets no target.

A target is measured over the days the reader asked for; once its day has passed, over as many days up to it.
The number is that of the pages: a survey's figure, the rates of the recovery report, the deadlines kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final

from django.db.models import F, Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from recovery.insight.cohort import Slice, Story, low_scores, stories
from recovery.insight.comebacks import Comebacks, comebacks
from recovery.insight.recovery import Rate, recovery
from recovery.insight.times import Promise as Deadline
from recovery.insight.times import by_kind, promised
from recovery.models import Target, Team
from recovery.models.policy import FIRST_CONTACT, RESOLUTION
from recovery.models.ticket import TicketQuerySet
from surveys.estimates import Interval
from surveys.results import Figure, Which, figures_for

MET, MISSED, ON_TRACK, AT_RISK, UNCLEAR = "met", "missed", "on_track", "at_risk", "unclear"
VERDICTS: Final = (MISSED, AT_RISK, UNCLEAR, ON_TRACK, MET)
VERDICT_NAMES: Final[dict[str, str | Promise]] = {
    MISSED: _("missed"),
    AT_RISK: _("at risk"),
    UNCLEAR: _("cannot tell yet"),
    ON_TRACK: _("on track"),
    MET: _("met"),
}
KEPT: Final = {"contacted_in_time": FIRST_CONTACT, "resolved_in_time": RESOLUTION}


@dataclass(frozen=True, slots=True)
class Period:
    """Both days belong to it, in the reader's zone."""

    first: date
    last: date
    zone: tzinfo

    @property
    def start(self) -> datetime:
        return datetime.combine(self.first, time(), tzinfo=self.zone)

    @property
    def end(self) -> datetime:
        return datetime.combine(self.last + timedelta(days=1), time(), tzinfo=self.zone)

    def up_to(self, day: date) -> Period:
        """As many days, of which `day` is the last, if it lies before the end of this one."""
        days = self.last - self.first
        return self if day >= self.last else Period(day - days, day, self.zone)


@dataclass(frozen=True, slots=True)
class Judged:
    """`value` and `interval` in the unit of the target: points of NPS, else percent. None below ten."""

    target: Target
    period: Period
    verdict: str
    n: int
    hits: int | None
    value: float | None
    interval: Interval | None


def verdict(target: Target, interval: Interval | None, today: date) -> str:
    """Missed and at risk where the whole interval lies on the wrong side of the target, met and on track
    where it lies on the right one; while it holds the target, or there are too few for one, nobody can tell.
    """
    goal, passed = float(target.value), today > target.by_day
    if interval is None:
        return UNCLEAR
    good = interval.high <= goal if target.falls else interval.low >= goal
    bad = interval.low > goal if target.falls else interval.high < goal
    if good:
        return MET if passed else ON_TRACK
    if bad:
        return MISSED if passed else AT_RISK
    return UNCLEAR


def judged(
    targets: Sequence[Target],
    seen: TicketQuerySet,
    period: Period,
    at: datetime,
    as_of: datetime | None = None,
) -> list[Judged]:
    """Each by itself, in a number of queries that does not grow with the targets: only with the days among
    them that have passed."""
    today = at.astimezone(period.zone).date()
    periods = [(target, period.up_to(target.by_day)) for target in targets]
    of_tickets = [(target, span) for target, span in periods if target.metric not in Target.OF_A_SURVEY]
    numbers: dict[int, Rate | Figure] = {
        **measure_surveys([pair for pair in periods if pair not in of_tickets], at, as_of),
        **measure_tickets(of_tickets, seen, at, as_of),
    }
    return [judge(target, span, numbers[target.pk], today) for target, span in periods]


def judge(target: Target, period: Period, number: Rate | Figure, today: date) -> Judged:
    unit = 1 if target.metric == "nps" else 100
    value, ends = (number.share if isinstance(number, Rate) else number.value), number.interval
    interval = Interval(unit * ends.low, unit * ends.high) if ends else None
    return Judged(
        target=target,
        period=period,
        verdict=verdict(target, interval, today),
        n=number.n if isinstance(number, Rate) else number.answered,
        hits=number.hits if isinstance(number, Rate) else None,
        value=None if value is None else unit * value,
        interval=interval,
    )


# --- what surveys say ---------------------------------------------------------------------------------------

Pairs = Sequence[tuple[Target, Period]]


def measure_surveys(pairs: Pairs, at: datetime, as_of: datetime | None) -> dict[int, Figure]:
    found: dict[int, Figure] = {}
    for span in dict.fromkeys(span for _target, span in pairs):
        mine = [target for target, theirs in pairs if theirs == span and target.survey is not None]
        surveys = list({target.survey_id: target.survey for target in mine if target.survey}.values())
        figures = figures_for(surveys, Which(span.start, min(span.end, at), at=as_of))
        by_survey = {each.survey.pk: each.figure for each in figures}
        found |= {target.pk: by_survey[target.survey_id] for target in mine if target.survey_id}
    return found


# --- what became of low scores ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Widest:
    """All low scores any target asks for, told once; each target then counts its own."""

    stories: dict[int, Story]
    given: dict[int, tuple[datetime, int]]
    promises: list[Deadline]
    comebacks: Comebacks | None
    below: dict[int, frozenset[int]]

    def of(self, target: Target, span: Period) -> frozenset[int]:
        teams = self.below.get(target.team_id or 0)
        return frozenset(
            ticket
            for ticket, (at, survey) in self.given.items()
            if span.start <= at < span.end
            and (target.survey_id is None or survey == target.survey_id)
            and (teams is None or self.stories[ticket].team in teams)
        )


def measure_tickets(
    pairs: Pairs, seen: TicketQuerySet, at: datetime, as_of: datetime | None
) -> dict[int, Rate]:
    if not pairs:
        return {}
    spans = [span for _target, span in pairs]
    which = Slice(min(span.start for span in spans), max(span.end for span in spans), as_of=as_of)
    widest = told(low_scores(seen, which), seen, at, as_of, [target for target, _span in pairs])
    return {target.pk: measured(target.metric, widest, widest.of(target, span), at) for target, span in pairs}


def told(
    cohort: TicketQuerySet,
    seen: TicketQuerySet,
    at: datetime,
    as_of: datetime | None,
    targets: Iterable[Target],
) -> Widest:
    metrics = {target.metric for target in targets}
    rows = cohort.annotate(given=F("given_at")).order_by().values_list("pk", "given", "response__survey_id")
    return Widest(
        stories={story.ticket: story for story in stories(cohort, as_of)},
        given={pk: (given_at, survey) for pk, given_at, survey in rows},
        promises=promised(cohort, at) if metrics & KEPT.keys() else [],
        comebacks=comebacks(cohort, seen, at) if "repeat_contact" in metrics else None,
        below=teams_below({target.team_id for target in targets if target.team_id}),
    )


def teams_below(teams: set[int]) -> dict[int, frozenset[int]]:
    """Each with all below it, in one query."""
    parents = list(Team.objects.values_list("pk", "parent_id")) if teams else []
    return {team: frozenset(Team.ids_below({team}, parents)) for team in teams}


def measured(metric: str, widest: Widest, tickets: frozenset[int], at: datetime) -> Rate:
    """The number of the pages, of these tickets."""
    if metric in KEPT:
        return by_kind((row for row in widest.promises if row.ticket in tickets), at)[KEPT[metric]].kept
    if metric == "repeat_contact":
        return widest.comebacks.among(tickets) if widest.comebacks else Rate(0, 0)
    found = recovery([widest.stories[ticket] for ticket in tickets])
    rates = {
        "reached": found.reached,
        "responded": found.responded,
        "recovered": found.recovered(),
        "converted": found.converted(),
    }
    return rates[metric]


# --- which targets, and their lines -------------------------------------------------------------------------


def definition_of(metric: str) -> str:
    """Where the number is defined."""
    return f"{KEPT[metric]}_kept" if metric in KEPT else metric


def targets_for(
    seen: Iterable[int], *, teams: Iterable[int] | None = None, survey: int | None = None
) -> list[Target]:
    """Those a reader who sees these teams may see: for everybody, or for a team of theirs; of some teams or
    one survey where that is asked for. The next day first, one query."""
    rows = Target.objects.filter(Q(team=None) | Q(team__in=list(seen))).select_related("team", "survey")
    if teams is not None:
        rows = rows.filter(team__in=list(teams))
    if survey is not None:
        rows = rows.filter(survey=survey)
    return list(rows)


@dataclass(frozen=True, slots=True)
class Line:
    """Where a chart draws its target: points of NPS, else percent."""

    value: float
    by_day: date


def line_for(metric: str, survey: int | None = None, *, team: int | None = None, today: date) -> Line | None:
    """The target a chart of this number shows: the next one whose day has not passed, else the last; None
    where there is none. One query."""
    rows = list(Target.objects.filter(metric=metric, survey=survey, team=team).order_by("by_day"))
    ahead = [row for row in rows if row.by_day >= today]
    row = ahead[0] if ahead else (rows[-1] if rows else None)
    return Line(float(row.value), row.by_day) if row else None
