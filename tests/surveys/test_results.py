from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from surveys.estimates import nps_interval, wilson
from surveys.models import Invitation, Response, Source, Survey
from surveys.results import Which, figures_of, monthly, most_answered, survey_figures
from surveys.scoring import BandCounts, Scale
from tests.surveys.make import MONDAY, make_customer, make_survey

pytestmark = pytest.mark.django_db


def answer(survey: Survey, *scores: int | None, at: datetime = MONDAY, state: str = "complete") -> None:
    source, _made = Source.objects.get_or_create(slug="file", defaults={"name": "File"})
    before = Response.objects.count()
    Response.objects.bulk_create(
        Response(
            survey=survey,
            source=source,
            external_id=f"r{before + number}",
            state="unanswered" if score is None else state,
            score=score,
            band=survey.band(score),
            answered_at=at,
            received_at=at,
            payload_hash="-",
        )
        for number, score in enumerate(scores)
    )


def invite(survey: Survey, *states: str, at: datetime = MONDAY) -> None:
    for number, state in enumerate(states):
        customer = make_customer(email=f"{survey.slug}{number}{at:%d}@example.com")
        sent = None if state == "planned" else at
        Invitation.objects.create(
            survey=survey, customer=customer, state=state, send_at=at, sent_at=sent, created_at=at
        )


def test_it_counts_the_bands_and_computes_the_nps() -> None:
    survey = make_survey()
    answer(survey, 0, 6, 7, 8, 9, 9, 10, 10, 10, 10)
    figures = survey_figures(survey)
    assert figures.figure.bands == BandCounts(promoters=6, passives=2, detractors=2)
    assert figures.figure.value == pytest.approx(40)
    assert figures.figure.interval == nps_interval(BandCounts(6, 2, 2))


def test_it_gives_counts_only_below_ten_answers() -> None:
    survey = make_survey()
    answer(survey, *[10] * 9)
    figure = survey_figures(survey).figure
    assert (figure.answered, figure.value, figure.interval, figure.mean) == (9, None, None, None)
    answer(survey, 10)
    assert survey_figures(survey).figure.value == 100


def test_it_computes_the_share_of_the_satisfied_for_csat() -> None:
    survey = make_survey(kind="csat", lowest=1, highest=5, low_cut=2, high_cut=4)
    answer(survey, 1, 2, 3, 4, 4, 5, 5, 5, 5, 5)
    figure = survey_figures(survey).figure
    assert (figure.value, figure.mean) == (0.7, 3.9)
    assert figure.interval == wilson(7, 10)


def test_it_counts_neither_unanswered_nor_withdrawn_nor_test_answers() -> None:
    survey = make_survey()
    answer(survey, 10, 0, None, None)
    answer(survey, 0, state="withdrawn")
    answer(survey, 0, state="test")
    figures = survey_figures(survey)
    assert (figures.answered, figures.unanswered) == (2, 2)


def test_it_takes_the_start_of_the_period_in_and_leaves_its_end_out() -> None:
    survey = make_survey()
    for hours in (-1, 0, 23, 24):
        answer(survey, 9, at=MONDAY + timedelta(hours=hours))
    assert survey_figures(survey, MONDAY, MONDAY + timedelta(days=1)).answered == 2


def test_it_relates_answers_to_those_who_were_really_asked() -> None:
    survey = make_survey()
    invite(survey, "sent", "answered", "expired", "answered", "planned", "cancelled")
    figures = survey_figures(survey)
    assert (figures.invited, figures.replied, figures.response_rate) == (4, 2, 0.5)


def test_it_has_no_rate_where_nobody_was_asked() -> None:
    assert survey_figures(make_survey()).response_rate is None


def test_it_splits_months_by_the_calendar_of_the_reader() -> None:
    survey = make_survey()
    answer(survey, 9, at=datetime(2026, 2, 28, 15, 59, tzinfo=UTC))
    answer(survey, 2, 3, at=datetime(2026, 2, 28, 16, 0, tzinfo=UTC))
    with timezone.override("Asia/Shanghai"):
        months = monthly(survey)
    assert [(each.first, each.figure.answered) for each in months] == [
        (date(2026, 2, 1), 1),
        (date(2026, 3, 1), 2),
    ]
    with timezone.override("UTC"):
        assert [each.figure.answered for each in monthly(survey)] == [3]


def test_it_leaves_out_scores_that_a_changed_scale_no_longer_has() -> None:
    survey = make_survey()
    answer(survey, 0, 10)
    survey.lowest = 1
    assert survey_figures(survey).answered == 1


def test_it_counts_the_answers_of_the_scale_in_force_and_names_those_of_others() -> None:
    survey = make_survey()
    answer(survey, 1, 5, 5, at=MONDAY - timedelta(days=1))
    answer(survey, 9, 10, at=MONDAY)
    survey.former_scales.create(until=MONDAY, lowest=1, highest=5, low_cut=2, high_cut=4)
    figures = survey_figures(survey)
    assert (figures.answered, figures.figure.bands.promoters) == (2, 2)
    assert [(era.scale, count) for era, count in figures.former] == [(Scale(1, 5, "max", 2, 4), 3)]
    past = survey_figures(survey, until=MONDAY)
    assert past.figure.bands == BandCounts(promoters=2, detractors=1), "a period that ended before the change"
    assert past.former == ()


def test_it_shows_the_months_of_one_scale_only() -> None:
    survey = make_survey()
    answer(survey, 5, at=MONDAY - timedelta(days=40))
    answer(survey, 9, at=MONDAY)
    survey.former_scales.create(until=MONDAY, lowest=1, highest=5, low_cut=2, high_cut=4)
    assert [each.first for each in monthly(survey)] == [date(2026, 3, 1)]


def test_it_puts_the_survey_with_the_most_answers_first() -> None:
    few, many, _none = (make_survey(slug) for slug in ("few", "many", "none"))
    answer(few, 9)
    answer(many, 2, 3)
    assert most_answered([few, many, _none], Which()) == [(many, 2), (few, 1)]


def test_it_asks_four_questions_for_any_number_of_surveys(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    surveys = [make_survey(f"s{number}") for number in range(5)]
    for each in surveys:
        answer(each, 9)
        invite(each, "sent")
    with django_assert_num_queries(4):
        figures = figures_of(surveys)
    assert [each.answered for each in figures] == [1] * 5
