from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from surveys.intake.record import ResponseDraft, record
from surveys.models import Customer, Question, Response, Source, Survey
from tests.surveys.make import MONDAY, make_customer, make_survey

pytestmark = pytest.mark.django_db

NOW = MONDAY + timedelta(days=7)


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_user("ann"))
    return client


@pytest.fixture
def survey() -> Survey:
    return make_survey("delivery")


def answer(
    survey: Survey,
    score: int | None,
    comment: str = "",
    *,
    at: datetime = MONDAY,
    customer: Customer | None = None,
    **fields: Any,
) -> Response:
    source, _made = Source.objects.get_or_create(slug="api", defaults={"name": "API", "kind": "api"})
    draft = ResponseDraft(
        survey=survey,
        source=source,
        external_id=f"r-{Response.objects.count()}",
        score=score,
        comment=comment,
        known_customer=customer,
        submitted_at=at,
        **fields,
    )
    return record(draft, at=at).response


def page(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


PAGES = ["/surveys/", "/surveys/delivery/", "/surveys/delivery/preview/", "/responses/", "/responses/1/"]


@pytest.mark.parametrize("url", PAGES)
def test_it_sends_a_stranger_to_the_login(client: Client, url: str) -> None:
    assert client.get(url)["Location"].startswith("/login/")


@pytest.mark.parametrize("url", PAGES[:-1])
def test_it_only_reads(staff: Client, survey: Survey, url: str) -> None:
    assert staff.post(url).status_code == 405


@pytest.mark.parametrize("url", ["/surveys/", "/surveys/delivery/", "/responses/"])
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_it_says_what_will_be_here_when_there_is_nothing(staff: Client, url: str, language: str) -> None:
    staff.cookies["django_language"] = language
    if "delivery" in url:
        make_survey("delivery")
    assert 'class="empty"' in page(staff, url)


# --- surveys ---


def test_it_shows_a_figure_with_its_interval(staff: Client, survey: Survey) -> None:
    for score in [0, 6, 7, 8, 9, 9, 10, 10, 10, 10]:
        answer(survey, score)
    html = page(staff, "/surveys/")
    assert "+40" in html
    assert "−13 to +74" in html


def test_it_shows_counts_only_below_ten_answers(staff: Client, survey: Survey) -> None:
    answer(survey, 10)
    assert "fewer than 10 answers" in page(staff, "/surveys/")
    assert "Fewer than ten answers" in page(staff, "/surveys/delivery/")


def test_it_shows_a_share_for_csat(staff: Client) -> None:
    survey = make_survey("support", kind="csat", lowest=1, highest=5, low_cut=2, high_cut=4)
    for score in [1, 2, 3, 4, 4, 5, 5, 5, 5, 5]:
        answer(survey, score)
    html = page(staff, "/surveys/support/")
    assert "70 %" in html
    assert "The mean is 3.9." in html


@pytest.mark.parametrize(("days", "count"), [("30", 1), ("90", 2), ("all", 3), ("nonsense", 2)])
def test_it_counts_the_answers_of_the_period(staff: Client, survey: Survey, days: str, count: int) -> None:
    for age in (1, 60, 500):
        answer(survey, 9, at=NOW - timedelta(days=age))
    html = page(staff, f"/surveys/?days={days}")
    assert f'href="/responses/?survey=delivery">{count}</a>' in html


def test_it_shows_the_months_and_the_questions(staff: Client, survey: Survey) -> None:
    answer(survey, 9, at=NOW - timedelta(days=40))
    answer(survey, 2)
    html = page(staff, "/surveys/delivery/")
    assert html.index("March 2026") < html.index("January 2026")
    assert "How likely are you to recommend us?" in html
    assert "您有多大可能推荐我们" in html
    assert "0 to 10, 10 is best; 6 and below is low" in html


def test_it_warns_of_an_nps_on_another_scale(staff: Client) -> None:
    answer(make_survey("shop", lowest=1), 9)
    assert "do not compare" in page(staff, "/surveys/shop/")


def test_it_lets_an_administrator_edit(client: Client, survey: Survey) -> None:
    client.force_login(User.objects.create_superuser("root"))
    assert f"/admin/surveys/survey/{survey.pk}/change/" in page(client, "/surveys/delivery/")


def test_it_previews_the_page_and_sends_nothing(staff: Client, survey: Survey) -> None:
    html = page(staff, "/surveys/delivery/preview/?lang=zh")
    assert "您有多大可能推荐我们" in html
    assert 'name="nonce"' not in html
    assert "button-send" not in html


# --- answers ---


@pytest.fixture
def answers(survey: Survey) -> dict[str, Response]:
    returns = make_survey("returns")
    wei = make_customer("Zhang Wei", external_id="c-7")
    return {
        "late": answer(survey, 2, "Two boxes missing, 送货晚了", customer=wei),
        "fine": answer(survey, 10, "ok", at=MONDAY - timedelta(days=3)),
        "none": answer(survey, None, at=MONDAY + timedelta(days=1)),
        "back": answer(returns, 8, "Zhang Wei was kind", at=MONDAY + timedelta(days=2)),
    }


FILTERS = {
    "": {"late", "fine", "none", "back"},
    "?survey=returns": {"back"},
    "?band=detractor": {"late"},
    "?state=unanswered": {"none"},
    "?state=untriaged": {"late", "fine", "back"},
    "?since=2026-03-02": {"late", "none", "back"},
    "?until=2026-03-02": {"late", "fine"},
    "?since=2026-03-02&until=2026-03-02": {"late"},
    "?since=nonsense&until=2026-02-31": {"late", "fine", "none", "back"},
    "?q=boxes": {"late"},
    "?q=送货": {"late"},
    "?q=送错": set(),
    "?q=zhang wei": {"late", "back"},
    "?q=c-7": {"late"},
    "?q=ZHANG.WEI@": {"late"},
    "?q=%00": {"late", "fine", "none", "back"},
    "?q=nobody&survey=returns": set(),
    "?page=99": {"late", "fine", "none", "back"},
}


@pytest.mark.parametrize(("query", "found"), FILTERS.items())
def test_it_lists_the_answers_asked_for(
    staff: Client, answers: dict[str, Response], query: str, found: set[str]
) -> None:
    html = page(staff, f"/responses/{query}")
    assert {name for name, each in answers.items() if f'href="/responses/{each.pk}/"' in html} == found


def test_it_shows_what_is_known_about_an_answer(staff: Client, survey: Survey) -> None:
    survey.questions.create(key="speed", kind=Question.RATING, position=2, text="Speed")
    response = answer(
        survey,
        2,
        "<b>late</b>\n\u202etwice",
        customer=make_customer(),
        answers={"speed": 1},
        contact_me=True,
        contact_channel="phone",
        contact_time="evening",
    )
    answer(survey, 9, customer=response.customer)
    html = staff.get(f"/responses/{response.pk}/").content.decode()
    for words in ("2 of 10", "1 of 5", "please contact me · phone · in the evening", "waiting for triage"):
        assert words in html
    assert "&lt;b&gt;late&lt;/b&gt;" in html


NOTES = {
    "opened ticket R-7": {"result": "opened", "ticket": "R-7"},
    "added to the open ticket R-7": {"result": "absorbed", "ticket": "R-7"},
    "outcome of ticket R-7": {"result": "outcome", "ticket": "R-7"},
    "change noted on ticket R-7": {"result": "updated", "ticket": "R-7"},
    "no ticket: the score is not low": {"result": "no_ticket", "rule": None, "ticket": None},
    "no ticket: rule “Staff”": {"result": "no_ticket", "rule": "Staff", "ticket": None},
    "no ticket: there is no score": {"result": "no_ticket", "why": "unanswered", "ticket": None},
    "no ticket: its source opens none": {"result": "no_ticket", "why": "source_opens_no_tickets"},
}


@pytest.mark.parametrize(("words", "note"), NOTES.items())
def test_it_says_what_became_of_an_answer(
    staff: Client, survey: Survey, words: str, note: dict[str, Any]
) -> None:
    response = answer(survey, 2)
    Response.objects.update(triaged_at=MONDAY, triage_note=note)
    assert words in page(staff, f"/responses/{response.pk}/")
    assert words in page(staff, "/responses/")


def test_it_shows_the_earlier_versions(staff: Client, survey: Survey) -> None:
    response = answer(survey, 9, "fine")
    changed = ResponseDraft(
        survey=survey, source=response.source, external_id=response.external_id, score=2, comment="late"
    )
    record(changed, at=NOW, replace=True)
    html = page(staff, f"/responses/{response.pk}/")
    assert "Earlier versions" in html
    assert "fine" in html


def test_it_finds_no_answer_that_is_not_there(staff: Client) -> None:
    assert staff.get("/responses/99/").status_code == 404
    assert staff.get("/surveys/none/").status_code == 404


@pytest.mark.parametrize("rows", [1, 60])
@pytest.mark.parametrize("url", ["/surveys/", "/surveys/s0/", "/responses/", "/responses/?q=kind"])
def test_it_asks_the_database_little_whatever_the_length(
    staff: Client, django_assert_max_num_queries: DjangoAssertNumQueries, url: str, rows: int
) -> None:
    surveys = [make_survey(f"s{number}") for number in range(min(rows, 8))]
    for number in range(rows):
        customer = make_customer(f"Customer {number}", email=f"{number}@example.com")
        answer(surveys[number % len(surveys)], number % 11, "kind", customer=customer)
    with django_assert_max_num_queries(12):
        page(staff, url)
