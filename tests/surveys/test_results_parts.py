"""The figure by branch, tier or answer, against all the others, with Holm's correction for so many looks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from statsmodels.stats.multitest import multipletests

from surveys.estimates import newcombe_difference, nps_difference, nps_difference_p
from surveys.models import Account, Answer, Customer, Question, Response, Source, Survey
from surveys.results import Breakdown, Which, attributes_of, breakdown_of, choices_of, compared, results_of
from surveys.results.parts import accounts_named
from surveys.scoring import BandCounts
from tests.surveys.make import MONDAY, make_customer, make_survey

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
WEEK = Which(MONDAY, MONDAY + 7 * DAY)


def said(survey: Survey, *scores: int, customer: Customer | None = None, **fields: str) -> list[Response]:
    source, _made = Source.objects.get_or_create(slug="file", defaults={"name": "File"})
    before = Response.objects.count()
    return Response.objects.bulk_create(
        Response(
            survey=survey,
            source=source,
            external_id=f"p{before + number}",
            score=score,
            band=survey.band(score),
            answered_at=MONDAY,
            received_at=MONDAY,
            payload_hash="-",
            customer=customer,
            **fields,
        )
        for number, score in enumerate(scores)
    )


def by(survey: Survey, code: str) -> Breakdown:
    return breakdown_of(results_of(survey, WEEK), code)


def sizes(found: Breakdown) -> dict[str, int]:
    return {part.key: part.figure.answered for part in found.parts}


def test_it_puts_every_answer_into_exactly_one_part() -> None:
    survey = make_survey()
    said(survey, *[9] * 4, touchpoint="shop")
    said(survey, *[2] * 3, touchpoint="web")
    said(survey, 7)
    found = by(survey, "touchpoint")
    assert sizes(found) == {"shop": 4, "web": 3, "": 1}
    assert all(part.figure.answered + part.others.answered == 8 for part in found.parts)


def test_it_compares_a_part_with_all_the_others_together() -> None:
    survey = make_survey()
    said(survey, *[10] * 5, *[0] * 25, touchpoint="branch 4")
    said(survey, *[10] * 30, *[0] * 10, touchpoint="branch 1")
    said(survey, *[10] * 30, *[8] * 10, touchpoint="branch 2")
    part = by(survey, "touchpoint").part("branch 4")
    assert part is not None
    assert part.difference == nps_difference(BandCounts(5, 0, 25), BandCounts(60, 10, 10))
    assert part.is_clear


def test_it_ranks_from_thirty_answers_each_and_orders_the_rest_by_size() -> None:
    survey = make_survey()
    said(survey, *[0] * 30, touchpoint="worst")
    said(survey, *[10] * 30, touchpoint="best")
    said(survey, *[10] * 29, touchpoint="nearly")
    said(survey, *[10] * 9, touchpoint="few")
    found = by(survey, "touchpoint")
    assert [part.key for part in found.ranked] == ["best", "worst"]
    assert [part.key for part in found.small] == ["nearly", "few"]
    few = found.part("few")
    assert few is not None
    assert (few.figure.value, few.difference, few.is_clear) == (None, None, False)


def test_it_calls_clear_what_holms_correction_leaves() -> None:
    survey = make_survey()
    branches = {f"b{number}": (12 + number, 8 + number % 3, 10 - number % 4) for number in range(9)}
    branches["bad"] = (5, 5, 20)
    for name, (promoters, passives, detractors) in branches.items():
        said(survey, *[10] * promoters, *[8] * passives, *[3] * detractors, touchpoint=name)
    found = by(survey, "touchpoint")
    raw = [nps_difference_p(part.figure.bands, part.others.bands) for part in found.parts]
    clear, corrected, *_rest = multipletests(raw, alpha=0.05, method="holm")
    assert [part.p for part in found.parts] == pytest.approx(list(corrected))
    assert [part.is_clear for part in found.parts] == list(clear)
    assert found.compared == 10


def test_it_compares_shares_by_newcombe() -> None:
    survey = make_survey(kind="csat", lowest=1, highest=5, low_cut=2, high_cut=4)
    said(survey, *[5] * 20, *[1] * 10, channel="sms")
    said(survey, *[5] * 8, *[1] * 22, channel="email")
    part = by(survey, "channel").part("sms")
    assert part is not None
    assert part.difference == newcombe_difference(20, 30, 8, 30)


def test_it_tells_answers_apart_by_who_gave_them() -> None:
    survey = make_survey()
    acme = Account.objects.create(name="Acme")
    wei = make_customer(tier="Gold", account=acme, attributes={"region": "East", "age": 40})
    kim = make_customer("Kim", email="kim@example.com", locale="zh-hans", attributes={"region": None})
    said(survey, 9, 9, 9, customer=wei, locale="EN")
    said(survey, 2, 2, customer=kim)
    said(survey, 7)
    assert sizes(by(survey, "tier")) == {"Gold": 3, "": 3}
    assert sizes(by(survey, "account")) == {str(acme.pk): 3, "": 3}
    assert accounts_named([str(acme.pk), ""]) == {str(acme.pk): "Acme"}
    assert sizes(by(survey, "language")) == {"en": 3, "zh-hans": 2, "": 1}
    assert sizes(by(survey, "attribute:region")) == {"East": 3, "": 3}
    assert sizes(by(survey, "attribute:age")) == {"40": 3, "": 3}
    assert attributes_of(results_of(survey, WEEK).rows) == ["age", "region"]


def test_it_reads_no_attribute_of_somebody_whose_attributes_are_no_object() -> None:
    survey = make_survey()
    odd = make_customer(attributes=["East"])
    said(survey, 9, customer=odd)
    assert attributes_of(results_of(survey, WEEK).rows) == []
    assert sizes(by(survey, "attribute:region")) == {"": 1}


@pytest.mark.parametrize("name", ["a'b", "%s", "x__y", '"', "{}"])
def test_it_takes_the_name_of_an_attribute_for_a_name(name: str) -> None:
    survey = make_survey()
    said(survey, 9, customer=make_customer(attributes={name: "yes"}))
    assert attributes_of(results_of(survey, WEEK).rows) == [name]
    assert sizes(by(survey, f"attribute:{name}")) == {"yes": 1}


def test_it_tells_answers_apart_by_what_else_was_chosen() -> None:
    survey = make_survey()
    options = [{"code": "late", "en": "Late"}, {"code": "rude", "en": "Rude"}]
    question = survey.questions.create(key="what", kind=Question.CHOICE, text="What?", options=options)
    first, second, _third = said(survey, 2, 9, 10)
    Answer.objects.create(response=first, question=question, value="late")
    Answer.objects.create(response=second, question=question, value="rude")
    assert sizes(by(survey, "choice:what")) == {"late": 1, "rude": 1, "": 1}
    assert choices_of(survey) == [question]


@pytest.mark.parametrize("code", ["", "x", "score", "choice:none", "choice:why"])
def test_it_refuses_what_answers_cannot_be_told_apart_by(code: str) -> None:
    results = results_of(make_survey(), WEEK)
    with pytest.raises(ValueError, match=r"told apart|no such choice"):
        breakdown_of(results, code)


class TestTwo:
    def test_it_puts_two_side_by_side(self) -> None:
        survey = make_survey()
        said(survey, *[10] * 40, *[0] * 10, touchpoint="one")
        said(survey, *[10] * 10, *[0] * 40, touchpoint="other")
        found = compared(by(survey, "touchpoint"), "other", "one")
        assert found is not None
        assert found[2] == nps_difference(BandCounts(10, 0, 40), BandCounts(40, 0, 10))

    def test_it_has_nothing_to_say_of_one_alone_or_of_few(self) -> None:
        survey = make_survey()
        said(survey, *[10] * 40, touchpoint="one")
        said(survey, *[10] * 9, touchpoint="few")
        found = by(survey, "touchpoint")
        assert compared(found, "one", "one") is None
        assert compared(found, "one", "gone") is None
        two = compared(found, "one", "few")
        assert two is not None
        assert two[2] is None


def test_it_compares_no_parts_where_the_scale_seems_to_have_changed() -> None:
    survey = make_survey()
    for response in said(survey, *[0, 5, 8, 10] * 10, touchpoint="one"):
        response.answered_at = MONDAY - 40 * DAY
        response.save()
    said(survey, *[0, 2, 4, 5] * 10, touchpoint="other")
    results = results_of(survey, Which(MONDAY - 60 * DAY, MONDAY + 7 * DAY))
    found = breakdown_of(results, "touchpoint")
    assert results.suspected_within
    assert found.compared == 0
    assert all(part.figure.value is not None for part in found.parts)


def test_it_tells_apart_only_answers_on_the_scale_shown() -> None:
    survey = make_survey()
    said(survey, 5, 5, touchpoint="old")
    said(survey, 10, touchpoint="new")
    Response.objects.filter(touchpoint="new").update(answered_at=MONDAY + 2 * DAY)
    survey.former_scales.create(until=MONDAY + DAY, lowest=1, highest=5, low_cut=2, high_cut=4)
    with timezone.override("UTC"):
        assert sizes(by(survey, "touchpoint")) == {"new": 1}
