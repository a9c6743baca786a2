"""One survey in a period: its figure, what is beside it, its months, the period before, and any past day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db.models import Q
from pytest_django import DjangoAssertNumQueries

from surveys.eras import Suspicion
from surveys.estimates import Interval, nps_bounds, nps_difference, nps_interval
from surveys.intake.record import ResponseDraft, record
from surveys.models import Invitation, Response, Source, Survey
from surveys.results import Results, Which, results_of
from surveys.scoring import BandCounts
from tests.surveys.make import MONDAY, make_customer, make_survey
from tests.surveys.test_results import answer, invite

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
WEEK = Which(since=MONDAY, until=MONDAY + 7 * DAY)
FIVE = {"lowest": 1, "highest": 5, "low_cut": 2, "high_cut": 4}


def bands(results: Results) -> tuple[int, int, int]:
    found = results.figure.bands
    return found.promoters, found.passives, found.detractors


def test_it_counts_a_week_by_hand() -> None:
    survey = make_survey()
    answer(survey, 10, 10, 10, 9, 9, 9, 9, 8, 7, 6, 0, None, None)
    answer(survey, 10, state="withdrawn")
    answer(survey, 10, state="test")
    answer(survey, 0, 0, at=MONDAY - DAY)
    results = results_of(survey, WEEK)
    assert bands(results) == (7, 2, 2)
    assert results.figure.value == pytest.approx(100 * 5 / 11)
    assert results.figure.interval == nps_interval(BandCounts(7, 2, 2))
    assert results.beside == {"unanswered": 2, "withdrawn": 1, "test": 1}
    assert results.before.answered == 2
    assert (results.difference, results.not_compared) == (None, "few")


def test_it_says_how_much_better_it_is_than_the_period_before() -> None:
    survey = make_survey()
    answer(survey, *[10] * 40, *[0] * 10)
    answer(survey, *[10] * 20, *[0] * 30, at=MONDAY - 7 * DAY)
    answer(survey, *[0] * 50, at=MONDAY - 7 * DAY - timedelta(seconds=1))
    results = results_of(survey, WEEK)
    assert results.before.answered == 50
    assert results.difference == nps_difference(BandCounts(40, 0, 10), BandCounts(20, 0, 30))
    assert results.difference is not None
    assert results.difference.value == pytest.approx(80)


def test_it_makes_the_period_before_as_many_days_long_though_a_clock_was_changed() -> None:
    which = Which(since=datetime(2026, 3, 29, 23, tzinfo=UTC), until=datetime(2026, 4, 5, 23, tzinfo=UTC))
    from django.utils import timezone

    with timezone.override("Europe/London"):
        # A week from Monday 30 March, British Summer Time; the week before began in winter time.
        assert which.start_before == datetime(2026, 3, 23, 0, tzinfo=UTC)


def test_it_compares_nothing_without_a_period() -> None:
    survey = make_survey()
    answer(survey, *[9] * 10)
    assert results_of(survey, Which()).not_compared == "no_period"


class TestScales:
    def test_it_counts_the_scale_in_force_at_the_end_and_names_the_others(self) -> None:
        survey = make_survey()
        answer(survey, *[5] * 12, at=MONDAY)
        answer(survey, *[10] * 11, 0, at=MONDAY + 3 * DAY)
        survey.former_scales.create(until=MONDAY + 2 * DAY, **FIVE)
        results = results_of(survey, WEEK)
        assert bands(results) == (11, 0, 1)
        assert [(era.scale.highest, count) for era, count in results.former] == [(5, 12)]
        assert results.not_compared == "scale"

    def test_it_does_not_compare_with_a_period_before_on_another_scale(self) -> None:
        survey = make_survey()
        answer(survey, *[5] * 12, at=MONDAY - DAY)
        answer(survey, *[10] * 12, at=MONDAY)
        survey.former_scales.create(until=MONDAY, **FIVE)
        results = results_of(survey, WEEK)
        assert (results.difference, results.not_compared) == (None, "scale")
        assert results.former == ()

    def test_it_breaks_the_trend_where_the_scale_changed(self) -> None:
        survey = make_survey()
        for week in range(4):
            scores = [5] * 12 if week < 2 else [10] * 12
            answer(survey, *scores, at=MONDAY + 7 * week * DAY)
        survey.former_scales.create(until=MONDAY + 14 * DAY, **FIVE)
        trend = results_of(survey, Which(since=MONDAY, until=MONDAY + 28 * DAY)).trend
        assert [len(run) for run in trend.runs] == [2, 2]
        assert [point.first for point in trend.changes] == [date(2026, 3, 16)]
        assert [point.figure.value for point in trend.points] == [100, 100, 100, 100], "each on its own scale"

    def test_it_counts_what_is_on_no_scale_beside_the_figure(self) -> None:
        survey = make_survey()
        answer(survey, *[10] * 10)
        Response.objects.filter(pk=Response.objects.first().pk).update(score=11)  # type: ignore[union-attr]
        results = results_of(survey, WEEK)
        assert (results.figure.answered, results.off_scale) == (9, 1)


class TestSuspicions:
    @pytest.fixture
    def survey(self) -> Survey:
        """Up to 10 in January, up to 5 from February on, and nobody has said so."""
        survey = make_survey()
        for month, scores in ((1, [0, 5, 8, 10]), (2, [0, 2, 4, 5]), (3, [1, 3, 4, 5])):
            answer(survey, *scores * 10, at=datetime(2026, month, 10, tzinfo=UTC))
        return survey

    def test_it_asks_whether_the_scale_has_changed(self, survey: Survey) -> None:
        results = results_of(survey, WEEK)
        assert results.suspicions == (Suspicion(date(2026, 2, 1), "above", 5, opens=False),)

    def test_it_compares_nothing_across_it(self, survey: Survey) -> None:
        march = Which(datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
        assert results_of(survey, march).not_compared == "suspected"
        quarter = Which(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 4, 30, tzinfo=UTC))
        results = results_of(survey, quarter)
        assert results.suspected_within
        assert [len(run) for run in results.trend.runs] == [1, 2]

    def test_it_asks_no_more_once_it_is_declared(self, survey: Survey) -> None:
        survey.former_scales.create(
            until=datetime(2026, 2, 1, tzinfo=UTC), lowest=0, highest=10, low_cut=6, high_cut=9
        )
        survey.highest, survey.low_cut, survey.high_cut = 5, 2, 4
        survey.save()
        results = results_of(
            survey, Which(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 4, 30, tzinfo=UTC))
        )
        assert results.suspicions == ()
        assert [count for _era, count in results.former] == [40]
        assert [len(run) for run in results.trend.runs] == [1, 2]

    def test_it_asks_no_more_once_somebody_says_it_stayed_the_same(self, survey: Survey) -> None:
        same = {"lowest": 0, "highest": 10, "low_cut": 6, "high_cut": 9}
        survey.former_scales.create(until=datetime(2026, 2, 1, tzinfo=UTC), **same)
        results = results_of(
            survey, Which(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 4, 30, tzinfo=UTC))
        )
        assert results.suspicions == ()
        assert results.former == ()
        assert results.figure.answered == 120
        assert [len(run) for run in results.trend.runs] == [3]


class TestTrend:
    def test_it_goes_by_weeks_below_fourteen_of_them_and_by_months_above(self) -> None:
        survey = make_survey()
        answer(survey, *[9] * 10)
        steps = [
            results_of(survey, Which(MONDAY, MONDAY + days * DAY)).trend.step for days in (7, 97, 98, 365)
        ]
        assert steps == ["week", "week", "month", "month"]
        assert results_of(survey, Which()).trend.step == "month"

    def test_it_leaves_a_gap_where_fewer_than_ten_answered(self) -> None:
        survey = make_survey()
        for week, count in enumerate((10, 10, 9, 0, 12, 11)):
            answer(survey, *[9] * count, at=MONDAY + 7 * week * DAY)
        trend = results_of(survey, Which(MONDAY, MONDAY + 42 * DAY)).trend
        assert [point.figure.answered for point in trend.points] == [10, 10, 9, 0, 12, 11]
        assert [len(run) for run in trend.runs] == [2, 2]
        assert trend.changes == []

    def test_it_is_empty_where_nobody_answered(self) -> None:
        results = results_of(make_survey(), WEEK)
        assert (results.trend.points, results.trend.runs) == ((), [])
        assert results.figure.answered == 0
        assert results.bounds is None

    def test_its_points_add_up_to_the_figure(self) -> None:
        survey = make_survey()
        for day in range(0, 60, 3):
            answer(survey, day % 11, at=MONDAY + day * DAY)
        results = results_of(survey, Which(MONDAY + DAY, MONDAY + 50 * DAY))
        assert sum(point.figure.answered for point in results.trend.points) == results.figure.answered == 16


class TestAsking:
    def test_it_relates_answers_to_those_really_asked_by_channel_and_touchpoint(self) -> None:
        survey = make_survey()
        invite(survey, "sent", "answered", "expired", "answered", "planned", "cancelled")
        Invitation.objects.filter(state="answered").update(touchpoint="shop", channel="sms")
        Invitation.objects.filter(state="cancelled").update(reason="no_address", sent_at=None)
        asking = results_of(survey, WEEK).asking
        assert asking is not None
        assert (asking.all.answered, asking.all.delivered, asking.all.silent) == (2, 4, 2)
        assert asking.all.share is None, "from four no percentage"
        assert [(name, rate.answered, rate.delivered) for name, rate in asking.channels] == [
            ("email", 0, 2),
            ("sms", 2, 2),
        ]
        assert {name: rate.delivered for name, rate in asking.touchpoints} == {"shop": 2, "": 2}
        assert {(each.state, each.reason): count for each, count in asking.unasked} == {
            ("planned", ""): 1,
            ("cancelled", "no_address"): 1,
        }

    def test_it_counts_nobody_as_asked_who_could_not_be_reached(self) -> None:
        survey = make_survey()
        invite(survey, "sent", "cancelled")
        Invitation.objects.filter(state="cancelled").update(reason="message_dead")
        asking = results_of(survey, WEEK).asking
        assert asking is not None
        assert asking.all.delivered == 1
        assert [(each.reason, count) for each, count in asking.unasked] == [("message_dead", 1)]

    def test_it_bounds_the_nps_by_what_the_silent_could_have_said(self) -> None:
        survey = make_survey()
        answer(survey, *[10] * 25, *[8] * 10, *[3] * 15)
        invite(survey, *["sent"] * 50)
        assert results_of(survey, WEEK).bounds == Interval(-40, 60) == nps_bounds(BandCounts(25, 10, 15), 50)

    def test_it_says_nothing_of_those_asked_where_the_filter_cannot(self) -> None:
        survey = make_survey()
        answer(survey, *[10] * 10)
        results = results_of(survey, Which(answers=Q(channel="page"), asked=None))
        assert (results.asking, results.bounds) == (None, None)


class TestAnyDay:
    def given(self, survey: Survey, score: int, *, at: datetime, replace: bool = False) -> None:
        source, _made = Source.objects.get_or_create(slug="api", defaults={"name": "API"})
        draft = ResponseDraft(survey=survey, source=source, external_id="r-1", score=score)
        record(draft, at=at, replace=replace)

    def score_on(self, survey: Survey, at: datetime) -> tuple[int, int, int]:
        return bands(results_of(survey, Which(MONDAY, MONDAY + 90 * DAY, at=at)))

    def test_it_leaves_out_what_was_answered_later(self) -> None:
        survey = make_survey()
        answer(survey, 10, at=MONDAY)
        answer(survey, 0, at=MONDAY + 2 * DAY)
        assert self.score_on(survey, MONDAY + DAY) == (1, 0, 0)
        assert self.score_on(survey, MONDAY + 2 * DAY) == (1, 0, 1), "the very moment counts"

    def test_it_leaves_out_what_came_in_later_though_it_was_answered_before(self) -> None:
        survey = make_survey()
        answer(survey, 10, at=MONDAY)
        Response.objects.update(received_at=MONDAY + 5 * DAY)
        assert self.score_on(survey, MONDAY + DAY) == (0, 0, 0)

    def test_it_counts_a_changed_answer_as_it_stood_then(self) -> None:
        survey = make_survey()
        self.given(survey, 2, at=MONDAY)
        self.given(survey, 8, at=MONDAY + 3 * DAY, replace=True)
        self.given(survey, 10, at=MONDAY + 6 * DAY, replace=True)
        days = [self.score_on(survey, MONDAY + day * DAY) for day in (-1, 0, 2, 3, 5, 6)]
        assert days == [(0, 0, 0), (0, 0, 1), (0, 0, 1), (0, 1, 0), (0, 1, 0), (1, 0, 0)]
        assert bands(results_of(survey, WEEK)) == (1, 0, 0)

    def test_it_counts_a_changed_answer_in_the_week_it_was_given(self) -> None:
        survey = make_survey()
        self.given(survey, 2, at=MONDAY)
        self.given(survey, 10, at=MONDAY + 30 * DAY, replace=True)
        then = results_of(survey, Which(MONDAY, MONDAY + 7 * DAY, at=MONDAY + 29 * DAY))
        assert bands(then) == (0, 0, 1)
        assert bands(results_of(survey, WEEK)) == (0, 0, 0), "today it is an answer of April"

    def test_it_counts_a_score_that_was_taken_back_later(self) -> None:
        survey = make_survey()
        self.given(survey, 9, at=MONDAY)
        source = Source.objects.get(slug="api")
        record(
            ResponseDraft(survey=survey, source=source, external_id="r-1", score=None),
            at=MONDAY + 3 * DAY,
            replace=True,
        )
        assert self.score_on(survey, MONDAY + DAY) == (1, 0, 0)
        assert self.score_on(survey, MONDAY + 3 * DAY) == (0, 0, 0)

    def test_it_counts_replies_that_had_come_by_then(self) -> None:
        survey = make_survey()
        customer = make_customer()
        Invitation.objects.create(
            survey=survey,
            customer=customer,
            state="answered",
            send_at=MONDAY,
            sent_at=MONDAY,
            answered_at=MONDAY + 3 * DAY,
            created_at=MONDAY,
        )
        for day, answered in ((1, 0), (3, 1)):
            asking = results_of(survey, Which(at=MONDAY + day * DAY)).asking
            assert asking is not None
            assert (asking.all.answered, asking.all.delivered) == (answered, 1)

    def test_it_uses_the_scale_of_that_day(self) -> None:
        survey = make_survey()
        answer(survey, *[5] * 10, at=MONDAY)
        survey.former_scales.create(until=MONDAY + 5 * DAY, **FIVE)
        assert self.score_on(survey, MONDAY + DAY) == (10, 0, 0)
        assert self.score_on(survey, MONDAY + 6 * DAY) == (0, 0, 0)


@pytest.mark.parametrize("answers", [0, 3, 60])
def test_it_asks_the_database_five_times_however_many_answers(
    django_assert_num_queries: DjangoAssertNumQueries, answers: int
) -> None:
    survey = make_survey()
    answer(survey, *[9] * answers)
    with django_assert_num_queries(5):
        results_of(survey, WEEK)
