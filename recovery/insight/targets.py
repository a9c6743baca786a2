"""Targets, judged with the interval of the number and not with the number: chance meets no target.

A target is measured over the days the reader asked for; once its day has passed, over as many days up to it.
The number is that of the pages: a survey's figure, the rates of the recovery report, the deadlines kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from functools import cached_property
from typing import Final, Protocol, TypeVar

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from recovery.insight.cohort import Slice, Story
from recovery.insight.comebacks import Comebacks, comebacks
from recovery.insight.dues import Dues, Tally, summed
from recovery.insight.recovery import Rate, recovery
from recovery.insight.times import Lengths, curve_of, lengths
from recovery.insight.told import Told
from recovery.models import Target, Team
from recovery.models.policy import FIRST_CONTACT, RESOLUTION
from recovery.models.ticket import TicketQuerySet
from surveys.estimates import CensoredTimes, Interval
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
OF_STORIES: Final = ("reached", "responded", "recovered", "converted")
HALF: Final = {"first_contact_half": FIRST_CONTACT, "resolution_half": RESOLUTION}

# What a target is held against; times in minutes of working time.
Number = Rate | Figure | CensoredTimes


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
    """`value` and `interval` in the unit of the target: points of NPS, hours of working time, else percent.

    None below ten. The interval of a time has no upper end, infinity, where the data do not reach it, and
    there is no value where not half are done; `hits` of `n` are those done, of a rate or of the times.
    """

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
    them that have passed, the surveys, and, as of a past day, the teams."""
    today = at.astimezone(period.zone).date()
    periods = [(target, period.up_to(target.by_day)) for target in targets]
    of_tickets = [(target, span) for target, span in periods if target.metric not in Target.OF_A_SURVEY]
    numbers: dict[int, Number] = {
        **measure_surveys([pair for pair in periods if pair not in of_tickets], at, as_of),
        **measure_tickets(of_tickets, seen, at, as_of),
    }
    return [judge(target, span, numbers[target.pk], today) for target, span in periods]


def judge(target: Target, period: Period, number: Number, today: date) -> Judged:
    value, interval = in_unit_of(target.metric, number)
    if isinstance(number, Rate):
        hits, n = number.hits, number.n
    elif isinstance(number, CensoredTimes):
        hits, n = number.events, number.count
    else:
        hits, n = None, number.answered
    return Judged(target, period, verdict(target, interval, today), n, hits, value, interval)


def in_unit_of(metric: str, number: Number) -> tuple[float | None, Interval | None]:
    """The number and its interval as a target of it is given; both None below ten."""
    if isinstance(number, CensoredTimes):
        return half_in_hours(number)
    value = number.share if isinstance(number, Rate) else number.value
    ends, unit = number.interval, 1 if metric == "nps" else 100
    if value is None or ends is None:
        return None, None
    return unit * value, Interval(unit * ends.low, unit * ends.high)


def half_in_hours(times: CensoredTimes) -> tuple[float | None, Interval | None]:
    """Where not half are done there is no median, but an end from which its interval begins: it lies on the
    wrong side of a target exactly where the lower limit of the curve at the target lies above one half."""
    least, half = times.half_at_least, times.median
    if least is None:
        return None, None
    high = math.inf if half is None or half.high is None else half.high
    return (half.value / 60 if half else None), Interval(least / 60, high / 60)


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
class Measured:
    """The numbers of some low scores, each counted when it is first asked for: of all or of some teams.

    Teams are those the tickets have now, of what stories tell those they had then.
    """

    told: Told
    at: datetime

    def of(self, metric: str, teams: frozenset[int] | None = None) -> Rate | CensoredTimes:
        """The number of the pages."""
        if metric in KEPT:
            return summed([row for row in of_teams(self.tallies, teams) if row.kind == KEPT[metric]]).kept
        if metric in HALF:
            rows = (row for row in of_teams(self.lengths, teams) if row.kind == HALF[metric])
            return curve_of([row.working for row in rows])
        if metric == "repeat_contact":
            return self.came_back(teams)
        found = recovery(of_teams(self.stories, teams))
        rates: dict[str, Rate] = {
            "reached": found.reached,
            "responded": found.responded,
            "recovered": found.recovered(),
            "converted": found.converted(),
        }
        return rates[metric]

    def came_back(self, teams: frozenset[int] | None) -> Rate:
        if teams is None:
            return self.comebacks.rate
        rates = [rate for team, rate in self.comebacks.by_team.items() if team in teams]
        return Rate(sum(rate.hits for rate in rates), sum(rate.n for rate in rates))

    @cached_property
    def cohort(self) -> TicketQuerySet:
        return self.told.tickets()

    @cached_property
    def stories(self) -> list[Story]:
        return self.told.counted("team")

    @cached_property
    def tallies(self) -> list[Tally]:
        return Dues(self.cohort, self.at).tallies()

    @cached_property
    def lengths(self) -> list[Lengths]:
        return lengths(self.cohort, self.at)

    @cached_property
    def comebacks(self) -> Comebacks:
        return comebacks(self.cohort, self.told.seen, self.at)


class OfTeam(Protocol):
    @property
    def team(self) -> int: ...


Row = TypeVar("Row", bound=OfTeam)


def of_teams(rows: Iterable[Row], teams: frozenset[int] | None) -> list[Row]:
    return [row for row in rows if teams is None or row.team in teams]


def measure_tickets(
    pairs: Pairs, seen: TicketQuerySet, at: datetime, as_of: datetime | None
) -> dict[int, Rate | CensoredTimes]:
    """Each of all teams at once. As of a past day that is so of stories only: they tell whose a ticket was,
    its deadlines and resolutions whose it is now."""
    below = teams_below({target.team_id for target, _span in pairs if target.team_id})
    slices: dict[Slice, Measured] = {}
    found: dict[int, Rate | CensoredTimes] = {}
    for target, span in pairs:
        teams = below.get(target.team_id or 0)
        at_once = as_of is None or target.metric in OF_STORIES
        narrowed, among = (None, teams) if at_once else (teams, None)
        which = Slice(span.start, span.end, survey=target.survey_id, teams=narrowed, as_of=as_of)
        some = slices.setdefault(which, Measured(Told(seen, which), at))
        found[target.pk] = some.of(target.metric, among)
    return found


def teams_below(teams: set[int]) -> dict[int, frozenset[int]]:
    """Each with all below it, in one query."""
    parents = list(Team.objects.values_list("pk", "parent_id")) if teams else []
    return {team: frozenset(Team.ids_below({team}, parents)) for team in teams}


# --- which targets, and their lines -------------------------------------------------------------------------


def definition_of(metric: str) -> str:
    """Where the number is defined."""
    if metric in HALF:
        return f"{HALF[metric]}_time"
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


def next_of(targets: Iterable[Target], today: date) -> Target | None:
    """The one a chart shows: the next whose day has not passed, else the last."""
    rows = sorted(targets, key=lambda each: (each.by_day, each.pk))
    ahead = [row for row in rows if row.by_day >= today]
    return ahead[0] if ahead else (rows[-1] if rows else None)


def beside(
    numbers: Mapping[str, Number],
    seen: TicketQuerySet,
    period: Period,
    at: datetime,
    as_of: datetime | None = None,
    *,
    team: int | None = None,
    survey: int | None = None,
) -> dict[str, Judged]:
    """The target of each number of a page, by what it is a target of: of exactly the team or survey the page
    is narrowed to, else of everybody.

    One query where the days of the page are those the target is measured over: then the number of the page
    is judged. A target whose day has passed within them is measured up to it, as on the page of targets.
    """
    today = at.astimezone(period.zone).date()
    rows = Target.objects.filter(metric__in=list(numbers), team=team, survey=survey)
    by_metric: dict[str, list[Target]] = {}
    for row in rows.select_related("team", "survey"):
        by_metric.setdefault(row.metric, []).append(row)
    chosen = [one for each in by_metric.values() if (one := next_of(each, today))]
    other_days = [target for target in chosen if period.up_to(target.by_day) != period]
    found = judged(other_days, seen, period, at, as_of) if other_days else []
    found += [
        judge(target, period, numbers[target.metric], today) for target in chosen if target not in other_days
    ]
    return {each.target.metric: each for each in found}
