from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from surveys.intake.parse import draft_from_json
from surveys.intake.text import InputErrors
from surveys.models import Question, Source, Survey
from tests.surveys.make import MONDAY, make_survey

pytestmark = pytest.mark.django_db


@pytest.fixture
def survey() -> Survey:
    survey = make_survey("delivery")
    survey.questions.create(key="speed", kind=Question.RATING, position=2, text="Speed")
    survey.questions.create(
        key="what",
        kind=Question.CHOICE,
        position=3,
        text="What went wrong?",
        options=[{"code": "late", "en": "Late", "zh": "晚了"}],
    )
    return survey


@pytest.fixture
def source(survey: Survey) -> Source:
    return Source.objects.create(slug="api", name="API", kind="api")


def body(**changes: Any) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "survey": "delivery",
        "external_id": "r-1",
        "score": 3,
        "customer": {"email": " Kim@Example.com "},
    }
    return {**whole, **changes}


def errors_of(given: Any, source: Source) -> list[str]:
    with pytest.raises(InputErrors) as refused:
        draft_from_json(given, source=source, at=MONDAY)
    assert all(reason for _path, reason in refused.value.errors)
    return [path for path, _reason in refused.value.errors]


def test_it_reads_a_whole_response(source: Source) -> None:
    draft = draft_from_json(
        {
            "survey": "delivery",
            "external_id": "r-1",
            "customer": {
                "external_id": "c-9",
                "name": "Kim  Lee",
                "email": " Kim@Example.com ",
                "phone": "0044 20 7946 0958",
                "locale": "zh-CN",
                "time_zone": "Asia/Shanghai",
                "account": "Acme",
                "annual_value": 48000,
                "attributes": {"tier": "Gold", "since": 2019},
            },
            "score": 4.0,
            "comment": " 送货晚了\r\n两天 ",
            "answers": {"speed": 2, "what": "late"},
            "touchpoint": "delivery",
            "channel": "web",
            "submitted_at": "2026-03-02T16:30:00.123456789+08:00",
            "updated_at": "2026-03-02T08:31:00Z",
            "contact_me": True,
        },
        source=source,
        at=MONDAY,
    )
    assert (draft.score, draft.comment) == (4, "送货晚了\n两天")
    assert draft.answers == {"speed": 2, "what": "late"}
    assert draft.submitted_at == datetime(2026, 3, 2, 8, 30, 0, 123456, tzinfo=UTC)
    assert draft.updated_at == datetime(2026, 3, 2, 8, 31, tzinfo=UTC)
    assert (draft.touchpoint, draft.channel, draft.contact_me) == ("delivery", "web", True)
    assert draft.customer is not None
    assert draft.customer.identities == [
        ("external_id", "c-9"),
        ("email", "kim@example.com"),
        ("phone", "+442079460958"),
    ]
    assert draft.customer.name == "Kim Lee"
    assert draft.customer.annual_value == Decimal("48000.00")
    assert draft.customer.attributes == {"tier": "Gold", "since": 2019}


@pytest.mark.parametrize("score", [0, 10, 9.0])
def test_it_takes_every_score_of_the_scale(source: Source, score: float) -> None:
    assert draft_from_json(body(score=score), source=source, at=MONDAY).score == score


def test_it_keeps_an_anonymous_answer(source: Source) -> None:
    anonymous = body()
    del anonymous["customer"]
    assert draft_from_json(anonymous, source=source, at=MONDAY).customer is None


BAD = {
    "score above the scale": ({"score": 11}, ["score"]),
    "score below the scale": ({"score": -1}, ["score"]),
    "score with a fraction": ({"score": 9.5}, ["score"]),
    "score as a word": ({"score": "abc"}, ["score"]),
    "score as text": ({"score": "7"}, ["score"]),
    "score null": ({"score": None}, ["score"]),
    "score true": ({"score": True}, ["score"]),
    "score infinite": ({"score": float("inf")}, ["score"]),
    "score of a thousand digits": ({"score": 10**1000}, ["score"]),
    "score in a list": ({"score": [7]}, ["score"]),
    "unknown survey": ({"survey": "nobody-asks"}, ["survey"]),
    "survey left out": ({"survey": None}, ["survey"]),
    "survey as a number": ({"survey": 1}, ["survey"]),
    "id empty": ({"external_id": "  "}, ["external_id"]),
    "id as a number": ({"external_id": 17}, ["external_id"]),
    "id too long": ({"external_id": "x" * 201}, ["external_id"]),
    "malformed time": ({"submitted_at": "yesterday"}, ["submitted_at"]),
    "impossible date": ({"submitted_at": "2026-02-30T10:00:00Z"}, ["submitted_at"]),
    "time as a number": ({"submitted_at": 1772442000}, ["submitted_at"]),
    "time without a zone": ({"submitted_at": "2026-03-02T09:00:00"}, ["submitted_at"]),
    "time to come": ({"submitted_at": "2026-03-03T09:00:00Z"}, ["submitted_at"]),
    "time before everything": ({"submitted_at": "1970-01-01T00:00:00Z"}, ["submitted_at"]),
    "time out of range": ({"updated_at": "0001-01-01T00:00:00+23:59"}, ["updated_at"]),
    "NUL in the comment": ({"comment": "a\x00b"}, ["comment"]),
    "lone surrogate in the comment": ({"comment": "a\ud800b"}, ["comment"]),
    "NUL in the id": ({"external_id": "\x00"}, ["external_id"]),
    "comment as a list": ({"comment": ["late"]}, ["comment"]),
    "comment too long": ({"comment": "x" * 32_001}, ["comment"]),
    "customer without identity": ({"customer": {"name": "Kim"}}, ["customer"]),
    "customer empty": ({"customer": {}}, ["customer"]),
    "customer as text": ({"customer": "Kim"}, ["customer"]),
    "no e-mail address": ({"customer": {"email": "kim at example"}}, ["customer.email"]),
    "no phone number": ({"customer": {"phone": "call me"}}, ["customer.phone"]),
    "no language": ({"customer": {"email": "a@b.example", "locale": "日本"}}, ["customer.locale"]),
    "no time zone": ({"customer": {"email": "a@b.example", "time_zone": "Mars"}}, ["customer.time_zone"]),
    "value below zero": (
        {"customer": {"email": "a@b.example", "annual_value": -1}},
        ["customer.annual_value"],
    ),
    "value true": ({"customer": {"email": "a@b.example", "annual_value": True}}, ["customer.annual_value"]),
    "value not a number": (
        {"customer": {"email": "a@b.example", "annual_value": "NaN"}},
        ["customer.annual_value"],
    ),
    "attributes nested": (
        {"customer": {"email": "a@b.example", "attributes": {"a": {}}}},
        ["customer.attributes"],
    ),
    "NUL in an attribute": (
        {"customer": {"email": "a@b.example", "attributes": {"a": "\x00"}}},
        ["customer.attributes"],
    ),
    "unknown field": ({"colour": "red"}, ["colour"]),
    "unknown field of the customer": ({"customer": {"email": "a@b.example", "age": 3}}, ["customer.age"]),
    "unknown question": ({"answers": {"taste": 3}}, ["answers.taste"]),
    "rating above five": ({"answers": {"speed": 6}}, ["answers.speed"]),
    "rating as text": ({"answers": {"speed": "5"}}, ["answers.speed"]),
    "choice nobody offered": ({"answers": {"what": "cold"}}, ["answers.what"]),
    "the score among the answers": ({"answers": {"score": 3}}, ["answers.score"]),
    "the comment among the answers": ({"answers": {"why": "late"}}, ["answers.why"]),
    "answers as a list": ({"answers": [3]}, ["answers"]),
    "contact_me as text": ({"contact_me": "false"}, ["contact_me"]),
    "everything at once": (
        {"survey": "x", "external_id": None, "comment": 7, "customer": {"name": "K"}, "colour": 1},
        ["colour", "survey", "external_id", "customer", "comment"],
    ),
}


@pytest.mark.parametrize(("changes", "paths"), BAD.values(), ids=BAD.keys())
def test_it_refuses(source: Source, changes: dict[str, Any], paths: list[str]) -> None:
    assert errors_of(body(**changes), source) == paths


@pytest.mark.parametrize("whole", [None, [], "text", 7], ids=["null", "list", "text", "number"])
def test_it_refuses_a_body_that_is_no_object(source: Source, whole: Any) -> None:
    assert errors_of(whole, source) == [""]


def test_it_refuses_a_body_without_a_score(source: Source) -> None:
    unscored = body()
    del unscored["score"]
    assert errors_of(unscored, source) == ["score"]


def test_it_says_the_scale_of_the_survey(source: Source) -> None:
    make_survey("shop", lowest=1, low_cut=6)
    with pytest.raises(InputErrors, match="from 1 to 10"):
        draft_from_json(body(survey="shop", score=0), source=source, at=MONDAY)
