"""Targets are judged with the interval; their numbers are those of the pages."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import ClassVar

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recovery.insight.cohort import Slice, low_scores, stories
from recovery.insight.recovery import Rate, recovery
from recovery.insight.targets import (
    AT_RISK,
    MET,
    MISSED,
    ON_TRACK,
    UNCLEAR,
    Judged,
    Number,
    Period,
    beside,
    judged,
    next_of,
    targets_for,
    verdict,
)
from recovery.insight.times import promises, waited
from recovery.models import Target, Ticket
from surveys.estimates import Interval
from surveys.results import figures_of
from tests.make import DAY, MONDAY, Cast
from tests.recovery.insight.histories import heard, loop, low

TODAY = date(2026, 4, 1)
LATER = MONDAY + 30 * DAY
PERIOD = Period(date(2026, 1, 1), TODAY, UTC)


def target(
    metric: str = "recovered", value: float = 40, by: date = TODAY + timedelta(days=9), **fields: object
) -> Target:
    return Target.objects.create(metric=metric, value=Decimal(str(value)), by_day=by, **fields)


def judge(*targets: Target, at: datetime = LATER, period: Period = PERIOD) -> list[Judged]:
    return judged(list(targets), Ticket.objects.all(), period, at)


@pytest.mark.parametrize(
    ("metric", "low", "high", "passed", "expected"),
    [
        ("recovered", 41, 60, False, ON_TRACK),
        ("recovered", 40, 60, True, MET),
        ("recovered", 20, 39, False, AT_RISK),
        ("recovered", 20, 39, True, MISSED),
        ("recovered", 20, 60, False, UNCLEAR),
        ("recovered", 20, 60, True, UNCLEAR),
        ("repeat_contact", 41, 60, False, AT_RISK),
        ("repeat_contact", 41, 60, True, MISSED),
        ("repeat_contact", 20, 40, False, ON_TRACK),
        ("repeat_contact", 20, 39, True, MET),
        ("repeat_contact", 20, 60, True, UNCLEAR),
    ],
)
def test_the_whole_interval_must_lie_on_one_side(
    metric: str, low: float, high: float, passed: bool, expected: str
) -> None:
    one = Target(metric=metric, value=Decimal(40), by_day=TODAY - timedelta(days=1) if passed else TODAY)
    assert verdict(one, Interval(low, high), TODAY) == expected


def test_without_an_interval_nobody_can_tell() -> None:
    assert verdict(Target(metric="nps", value=Decimal(0), by_day=TODAY), None, TODAY) == UNCLEAR


def test_its_rates_are_those_of_the_recovery_report(cast: Cast) -> None:
    for score in (9, 9, 9, 9, 9, 9, 9, 7, 7, 3, 3, None):
        loop(cast, score)
    low(cast)
    found = recovery(stories(low_scores(Ticket.objects.all(), Slice())))
    rates = {
        "recovered": found.recovered(),
        "converted": found.converted(),
        "reached": found.reached,
        "responded": found.responded,
    }
    for each in judge(*(target(metric) for metric in rates)):
        rate = rates[each.target.metric]
        assert (each.hits, each.n) == (rate.hits, rate.n)
        assert rate.share is not None
        assert rate.interval is not None
        assert each.value == pytest.approx(100 * rate.share)
        assert each.interval is not None
        assert each.interval.low == pytest.approx(100 * rate.interval.low)


def test_its_deadlines_are_those_of_the_page_of_times(cast: Cast) -> None:
    for _ in range(11):
        heard(cast, low(cast))
    low(cast)
    kept = promises(low_scores(Ticket.objects.all(), Slice()), LATER)
    first, resolution = judge(target("contacted_in_time"), target("resolved_in_time"))
    assert (
        (first.hits, first.n) == (kept["first_contact"].kept.hits, kept["first_contact"].kept.n) == (11, 12)
    )
    assert (resolution.hits, resolution.n) == (kept["resolution"].kept.hits, kept["resolution"].kept.n)


def test_its_nps_is_that_of_the_survey(cast: Cast) -> None:
    for score in (9, 9, 9, 9, 10, 10, 7, 8, 3, 2, 6):
        cast.response(score, customer=cast.customer(), at=MONDAY)
    figure = figures_of([cast.survey], PERIOD.start, PERIOD.end)[0].figure
    (found,) = judge(target("nps", 10, survey=cast.survey))
    assert (found.value, found.n, found.hits) == (figure.value, 11, None)
    assert found.interval == figure.interval


def test_fewer_than_ten_are_counts_and_judge_nothing(cast: Cast) -> None:
    loop(cast, 9)
    (found,) = judge(target())
    assert (found.hits, found.n, found.value, found.verdict) == (1, 1, None, UNCLEAR)


def test_a_team_s_target_counts_its_teams_below_and_a_survey_s_its_own(cast: Cast) -> None:
    low(cast)
    low(cast, team=cast.west)
    region, west, survey = judge(
        target("reached", team=cast.region),
        target("reached", team=cast.west),
        target("reached", survey=cast.survey),
    )
    assert (region.n, west.n, survey.n) == (1, 1, 2)


def test_a_target_whose_day_has_passed_is_measured_up_to_it(cast: Cast) -> None:
    low(cast)
    by = date(2026, 3, 1)
    (before,) = judge(target("reached", by=by))
    assert (before.period.last, before.period.first) == (by, by - (PERIOD.last - PERIOD.first))
    assert before.n == 0
    (after,) = judge(target("reached", by=date(2026, 3, 2)))
    assert after.n == 1


def test_many_targets_take_as_many_queries_as_few(cast: Cast) -> None:
    loop(cast, 9)
    metrics = ("recovered", "contacted_in_time", "repeat_contact", "first_contact_half")
    few = [target(metric) for metric in metrics]
    few.append(target("nps", survey=cast.survey))
    with CaptureQueriesContext(connection) as first:
        judge(*few)
    many = [*few, *(target("reached", team=cast.east) for _ in range(5)), target("reached", team=cast.west)]
    many += [target("resolution_half", 9, team=cast.west) for _ in range(3)]
    with CaptureQueriesContext(connection) as second:
        judge(*many)
    assert len(second) <= len(first) + 1, "whose teams lie below whom"
    assert len(first) <= 27


def test_a_reader_sees_the_targets_of_everybody_and_of_their_teams(cast: Cast) -> None:
    everybody, east, west = target(), target(team=cast.east), target(team=cast.west)
    assert targets_for([cast.east.pk]) == [everybody, east]
    assert targets_for([cast.east.pk, cast.west.pk], teams=[cast.west.pk]) == [west]
    assert targets_for([], survey=cast.survey.pk) == []


def test_a_chart_shows_the_next_target_else_the_last(cast: Cast) -> None:
    assert cast
    assert next_of([], TODAY) is None
    past = target(value=30, by=TODAY - timedelta(days=30))
    assert next_of([past], TODAY) == past
    today, tomorrow = target(value=40, by=TODAY), target(value=50, by=TODAY + timedelta(days=1))
    assert next_of([tomorrow, past, today], TODAY) == today


class TestBesideTheNumbersOfAPage:
    """The target of each number is judged with the number that stands there."""

    numbers: ClassVar[dict[str, Number]] = {"recovered": Rate(5, 50), "reached": Rate(45, 50)}

    def found(self, team: int | None = None, survey: int | None = None) -> dict[str, Judged]:
        return beside(self.numbers, Ticket.objects.all(), PERIOD, LATER, team=team, survey=survey)

    def test_it_judges_them_in_one_query(self, cast: Cast) -> None:
        assert cast
        target("recovered", 40)
        target("reached", 60)
        target("converted", 60)
        with CaptureQueriesContext(connection) as asked:
            found = self.found()
        assert len(asked) == 1
        assert {metric: each.verdict for metric, each in found.items()} == {
            "recovered": AT_RISK,
            "reached": ON_TRACK,
        }
        assert (found["recovered"].hits, found["recovered"].n, found["recovered"].period) == (5, 50, PERIOD)

    def test_it_takes_those_of_exactly_what_the_page_is_narrowed_to(self, cast: Cast) -> None:
        target("recovered", 1)
        target("recovered", 2, team=cast.east)
        target("recovered", 3, survey=cast.survey)
        target("recovered", 4, team=cast.east, survey=cast.survey)
        east, survey = cast.east.pk, cast.survey.pk
        asked = [(None, None), (east, None), (None, survey), (east, survey)]
        assert [float(self.found(*which)["recovered"].target.value) for which in asked] == [1, 2, 3, 4]
        assert self.found(team=cast.west.pk) == {}

    def test_it_measures_one_whose_day_has_passed_up_to_that_day(self, cast: Cast) -> None:
        low(cast)
        one = target("reached", 10, by=MONDAY.date() - timedelta(days=1))
        found = self.found()["reached"]
        assert found == judge(one)[0]
        assert (found.n, found.period.last) == (0, one.by_day)


class TestTimes:
    def test_half_of_them_is_judged_in_hours_of_working_time(self, cast: Cast) -> None:
        for minutes in (30, 60, 90, 120, 150, 180, 210, 240, 270, 300):
            heard(cast, low(cast), at=MONDAY + timedelta(minutes=minutes))
        times = waited(low_scores(Ticket.objects.all(), Slice()), LATER)["first_contact"].working
        assert times.median is not None
        (found,) = judge(target("first_contact_half", 99))
        assert found.value == pytest.approx(times.median.value / 60)
        assert found.interval is not None
        assert (60 * found.interval.low, 60 * found.interval.high) == pytest.approx(
            (times.median.low, times.median.high)
        )
        assert (found.hits, found.n, found.verdict) == (10, 10, ON_TRACK)
        assert judge(target("first_contact_half", 0.1))[0].verdict == AT_RISK
        assert judge(target("first_contact_half", times.median.value / 60))[0].verdict == UNCLEAR

    def test_an_end_the_data_do_not_reach_meets_no_target(self, cast: Cast) -> None:
        for minutes in range(30, 330, 60):
            heard(cast, low(cast), at=MONDAY + timedelta(minutes=minutes))
        for _ in range(5):
            low(cast)
        (found,) = judge(target("first_contact_half", 99))
        assert found.interval is not None
        assert math.isinf(found.interval.high)
        assert found.verdict == UNCLEAR

    @pytest.mark.parametrize(("passed", "expected"), [(False, AT_RISK), (True, MISSED)])
    def test_one_that_most_have_outwaited_is_not_met(self, cast: Cast, passed: bool, expected: str) -> None:
        """One of fourteen is heard in half an hour, the others never: nobody knows when half will be, but not
        within the eight hours all of them have waited for."""
        heard(cast, low(cast), at=MONDAY + timedelta(minutes=30))
        for _ in range(13):
            low(cast)
        times = waited(low_scores(Ticket.objects.all(), Slice()), LATER)["first_contact"].working
        by = LATER.date() - DAY if passed else LATER.date() + DAY
        (found,) = judge(target("first_contact_half", 8, by=by), period=Period(PERIOD.first, by, UTC))
        assert (found.hits, found.n, found.value, found.verdict) == (1, 14, None, expected)
        assert found.interval is not None
        assert 60 * found.interval.low == pytest.approx(max(times.left)), "as long as they have waited"
        assert math.isinf(found.interval.high)
        assert judge(target("first_contact_half", 99), at=MONDAY + 2 * DAY)[0].verdict == UNCLEAR

    def test_nobody_done_is_no_reason_to_say_nothing(self, cast: Cast) -> None:
        for _ in range(10):
            low(cast)
        (found,) = judge(target("resolution_half", 8))
        assert (found.hits, found.n, found.value, found.verdict) == (0, 10, None, AT_RISK)

    def test_fewer_than_ten_judge_nothing(self, cast: Cast) -> None:
        heard(cast, low(cast))
        (found,) = judge(target("resolution_half", 99))
        assert (found.hits, found.n, found.value, found.verdict) == (0, 1, None, UNCLEAR)


def test_nothing_is_asked_of_the_database_without_targets(cast: Cast) -> None:
    assert cast
    with CaptureQueriesContext(connection) as none:
        assert judge() == []
    assert len(none) == 0
