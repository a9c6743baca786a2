from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.test import Client
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from surveys.intake.signals import Promise, promise_wanted, responses_recorded
from surveys.messages.links import make_link
from surveys.models import Customer, Invitation, PublicLink, Question, Response, Source
from tests.surveys.make import MONDAY, make_customer, make_survey

pytestmark = pytest.mark.django_db

TUESDAY = MONDAY + timedelta(days=1)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(TUESDAY, tick=False) as traveller:
        yield traveller


@pytest.fixture
def customer() -> Customer:
    return make_customer(phone="+442079460958", time_zone="Asia/Shanghai")


@pytest.fixture
def invitation(customer: Customer) -> Invitation:
    survey = make_survey("delivery")
    survey.questions.create(key="speed", kind=Question.RATING, position=2, text="Speed", text_zh="速度")
    survey.questions.create(
        key="what",
        kind=Question.CHOICE,
        position=3,
        text="What was it about?",
        options=[{"code": "late", "en": "Late", "zh": "晚了"}, {"code": "cold", "en": "Cold"}],
    )
    survey.questions.create(key="call", kind=Question.CONTACT_ME, position=4, text="Please contact me")
    return Invitation.objects.create(
        survey=survey,
        customer=customer,
        state="sent",
        touchpoint="delivery",
        send_at=MONDAY,
        sent_at=MONDAY,
        expires_at=MONDAY + timedelta(days=14),
        created_at=MONDAY,
    )


@pytest.fixture
def url(invitation: Invitation) -> str:
    link = make_link(
        PublicLink.SURVEY, at=MONDAY, expires_at=MONDAY + timedelta(days=14), invitation=invitation
    )
    return link.removeprefix("http://localhost:8000")


def page(client: Client, url: str) -> str:
    return unescape(client.get(url).content.decode())


def nonce(client: Client, url: str) -> str:
    found = re.search(r'name="nonce" value="([^"]+)"', page(client, url))
    assert found
    return found[1]


def send(client: Client, url: str, **typed: str) -> Any:
    return client.post(url, {"nonce": nonce(client, url), **typed})


def ticked(html: str) -> set[str]:
    return {
        f"{name}={value}"
        for name, value in re.findall(r'<input type="\w+" name="([\w-]+)" value="(\w*)" checked', html)
    }


# --- reading ---


def test_it_shows_every_question_without_a_login_or_a_cookie(client: Client, url: str) -> None:
    answer = client.get(url)
    html = unescape(answer.content.decode())
    assert answer.status_code == 200
    for text in ("How likely are you", "Why this score?", "Speed", "Late", "Please contact me"):
        assert text in html
    assert html.count('name="score"') == 11
    assert "<script" not in html
    assert not answer.cookies
    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["X-Robots-Tag"] == "noindex, nofollow"


@pytest.mark.parametrize("method", ["get", "head"])
def test_it_only_preselects_the_score_of_the_link(client: Client, url: str, method: str) -> None:
    answer = getattr(client, method)(url + "?score=2")
    assert answer.status_code == 200
    assert not Response.objects.exists()
    assert Invitation.objects.get().state == "sent"
    if method == "get":
        assert "score=2" in ticked(answer.content.decode())


@pytest.mark.parametrize("score", ["11", "abc", "\x00", "<b>"])
def test_it_preselects_nothing_from_a_strange_score(client: Client, url: str, score: str) -> None:
    answer = client.get(url, {"score": score})
    assert answer.status_code == 200
    assert not [each for each in ticked(answer.content.decode()) if each.startswith("score")]


def test_it_speaks_the_language_of_the_customer(client: Client, url: str, customer: Customer) -> None:
    Customer.objects.update(locale="zh-hans")
    answer = client.get(url, headers={"accept-language": "en"})
    assert "您有多大可能推荐我们" in answer.content.decode()
    assert answer["Content-Language"] == "zh-hans"
    switched = client.get(url + "?lang=en")
    assert "How likely are you" in switched.content.decode()
    assert not switched.cookies


def test_it_keeps_the_chosen_score_when_the_language_is_switched(client: Client, url: str) -> None:
    assert 'href="?score=3&lang=zh-hans"' in page(client, url + "?score=3")


# --- sending ---


def test_it_records_what_was_sent(client: Client, url: str, invitation: Invitation) -> None:
    answer = send(
        client,
        url,
        **{
            "score": "2",
            "comment": "送货晚了\r\n两天",
            "a-speed": "1",
            "a-what": "late",
            "contact_me": "1",
            "contact_channel": "phone",
            "contact_time": "evening",
        },
    )
    assert (answer.status_code, answer["Location"]) == (302, url + "thanks/")
    assert not answer.cookies
    response = Response.objects.get()
    assert (response.source.slug, response.source.kind) == ("page", "page")
    assert response.external_id == f"invitation:{invitation.pk}"
    assert (response.score, response.band, response.comment) == (2, "detractor", "送货晚了\n两天")
    assert {each.question.key: each.value for each in response.answers.all()} == {"speed": 1, "what": "late"}
    assert (response.contact_me, response.contact_channel, response.contact_time) == (
        True,
        "phone",
        "evening",
    )
    assert (response.customer, response.answered_at) == (invitation.customer, TUESDAY)
    invitation.refresh_from_db()
    assert (invitation.state, invitation.answered_at) == ("answered", TUESDAY)


def test_it_takes_a_score_and_nothing_else(client: Client, url: str) -> None:
    assert send(client, url, score="0").status_code == 302
    response = Response.objects.get()
    assert (response.score, response.contact_me, response.contact_time) == (0, False, "")


def test_it_sends_the_answer_to_triage_at_once(
    client: Client, url: str, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    heard: list[Any] = []

    def hear(response_ids: list[int], **_more: Any) -> None:
        heard.extend(response_ids)

    responses_recorded.connect(hear)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            send(client, url, score="2")
    finally:
        responses_recorded.disconnect(hear)
    assert heard == [Response.objects.get().pk]


BAD = {
    "no score": {},
    "score off the scale": {"score": "11"},
    "score below": {"score": "-1"},
    "score as a word": {"score": "abc"},
    "score with a fraction": {"score": "9.5"},
    "NUL in the comment": {"score": "2", "comment": "kept\x00"},
    "comment too long": {"score": "2", "comment": "x" * 5001},
    "rating off its scale": {"score": "2", "a-speed": "6"},
    "choice nobody offered": {"score": "2", "a-what": "stolen"},
}


@pytest.mark.parametrize("typed", BAD.values(), ids=BAD.keys())
def test_it_shows_the_page_again_and_keeps_what_was_typed(
    client: Client, url: str, typed: dict[str, str]
) -> None:
    answer = send(client, url, **{"comment": "two boxes missing", **typed})
    html = unescape(answer.content.decode())
    assert answer.status_code == 422
    assert 'class="error"' in html
    assert (typed.get("comment") or "two boxes missing")[:17] in html
    assert not Response.objects.exists()
    assert answer["Cache-Control"] == "no-store"


def test_it_shows_markup_as_text(client: Client, url: str) -> None:
    answer = send(client, url, comment="<script>alert(1)</script>")
    assert "<script>" not in answer.content.decode()


@pytest.mark.parametrize("given", ["", "1:abc:def"], ids=["none", "forged"])
def test_it_takes_nothing_without_the_nonce_of_the_page(client: Client, url: str, given: str) -> None:
    answer = client.post(url, {"nonce": given, "score": "2", "comment": "kept"})
    assert answer.status_code == 422
    assert ">kept</textarea>" in answer.content.decode()
    assert not Response.objects.exists()


def test_it_takes_no_nonce_of_another_page(client: Client, url: str, invitation: Invitation) -> None:
    other = make_link(
        PublicLink.SURVEY, at=MONDAY, expires_at=MONDAY + timedelta(days=14), invitation=invitation
    )
    foreign = nonce(client, other.removeprefix("http://localhost:8000"))
    assert client.post(url, {"nonce": foreign, "score": "2"}).status_code == 422
    assert not Response.objects.exists()


def test_it_asks_again_when_the_page_was_open_for_days(
    client: Client, url: str, clock: time_machine.Traveller
) -> None:
    old = nonce(client, url)
    clock.shift(timedelta(days=2))
    assert client.post(url, {"nonce": old, "score": "2"}).status_code == 422
    assert not Response.objects.exists()


def test_it_refuses_a_body_of_more_than_64_kb(client: Client, url: str) -> None:
    answer = client.post(url, {"nonce": nonce(client, url), "score": "2", "comment": "x" * 66_000})
    assert answer.status_code == 413
    assert not Response.objects.exists()


def test_it_offers_only_ways_we_can_be_in_touch(client: Client, url: str, customer: Customer) -> None:
    assert 'value="phone"' in page(client, url)
    customer.identities.filter(kind="phone").delete()
    assert 'value="phone"' not in page(client, url)
    send(client, url, score="2", contact_me="1", contact_channel="phone")
    assert Response.objects.get().contact_channel == ""


# --- changing ---


def test_it_shows_the_earlier_answer_and_until_when_it_can_change(client: Client, url: str) -> None:
    send(client, url, **{"score": "2", "comment": "late", "a-speed": "1", "contact_me": "1"})
    html = page(client, url)
    assert {"score=2", "a-speed=1", "contact_me=1"} <= ticked(html)
    assert ">late</textarea>" in html
    assert "You can change it until 16 Mar 2026" in html


def test_it_updates_the_same_response_within_the_window(
    client: Client, url: str, clock: time_machine.Traveller
) -> None:
    send(client, url, score="9")
    clock.move_to(TUESDAY + timedelta(days=3))
    assert send(client, url, score="2").status_code == 302
    response = Response.objects.get()
    assert (response.score, response.versions.get().score) == (2, 9)


def test_it_changes_nothing_when_the_same_is_sent_twice(client: Client, url: str) -> None:
    send(client, url, score="9", comment="fine")
    send(client, url, score="9", comment="fine")
    assert not Response.objects.get().versions.exists()


# --- links that do not work ---


def test_it_says_the_same_of_unknown_expired_and_revoked_links(
    client: Client, url: str, clock: time_machine.Traveller
) -> None:
    unknown = client.get("/s/" + "x" * 32 + "/")
    PublicLink.objects.update(revoked_at=TUESDAY)
    revoked = client.get(url)
    PublicLink.objects.update(revoked_at=None)
    clock.move_to(MONDAY + timedelta(days=14))
    expired = client.get(url)
    assert {each.status_code for each in (unknown, revoked, expired)} == {404}
    assert unknown.content == revoked.content == expired.content
    assert "open the link in our message again" in unknown.content.decode()
    assert expired["Cache-Control"] == "no-store"


def test_it_records_nothing_after_the_window(client: Client, url: str, clock: time_machine.Traveller) -> None:
    signed = nonce(client, url)
    clock.move_to(MONDAY + timedelta(days=14))
    assert client.post(url, {"nonce": signed, "score": "2"}).status_code == 404
    assert not Response.objects.exists()


def test_it_opens_no_survey_with_an_unsubscribe_link(client: Client, customer: Customer) -> None:
    link = make_link(
        PublicLink.UNSUBSCRIBE, at=MONDAY, expires_at=MONDAY + timedelta(days=14), customer=customer
    )
    token = link.rstrip("/").rsplit("/", 1)[1]
    assert client.get(f"/s/{token}/").status_code == 404
    assert client.get(f"/s/{token}/thanks/").status_code == 404


# --- afterwards ---


@contextmanager
def promising(promise: Promise | None) -> Iterator[None]:
    def answer(response_id: int, at: datetime, **_more: Any) -> Promise | None:
        return promise

    promise_wanted.connect(answer)
    try:
        yield
    finally:
        promise_wanted.disconnect(answer)


TODAY = Promise("Li Na", TUESDAY + timedelta(hours=2))
TOMORROW = Promise("Li Na", TUESDAY + timedelta(hours=23))
PAST = Promise("Li Na", TUESDAY - timedelta(minutes=1))
PROMISES = {
    "by phone today, in the zone of the customer": (TODAY, "phone", "Li Na will call you by today 19:00."),
    "by mail tomorrow": (TOMORROW, "email", "Li Na will write to you by 4 March, 16:00."),
    "in words of the desk": (Promise("Li Na", TUESDAY, "Li Na is on her way."), "", "Li Na is on her way."),
    "by nobody yet": (None, "phone", "Somebody will contact you."),
    "in the past": (PAST, "phone", "Somebody will contact you."),
}


@pytest.mark.parametrize(("promise", "channel", "sentence"), PROMISES.values(), ids=PROMISES.keys())
def test_it_is_sorry_and_says_who_will_be_in_touch(
    client: Client, url: str, promise: Promise | None, channel: str, sentence: str
) -> None:
    send(client, url, score="2", contact_me="1", contact_channel=channel)
    with promising(promise):
        html = page(client, url + "thanks/")
    assert "We are sorry." in html
    assert sentence in html


def test_it_leads_to_where_the_time_can_be_changed(client: Client, url: str) -> None:
    send(client, url, score="2")
    with promising(Promise("Li Na", TUESDAY + timedelta(hours=2), url="https://desk.example/c/1.x/")):
        assert 'href="https://desk.example/c/1.x/"' in page(client, url + "thanks/")
    with promising(TODAY):
        assert "Change the time" not in page(client, url + "thanks/")


@pytest.mark.parametrize("score", ["8", "10"], ids=["passive", "promoter"])
def test_it_only_thanks_after_a_good_score(client: Client, url: str, score: str) -> None:
    send(client, url, score=score)
    with promising(TODAY):
        html = page(client, url + "thanks/")
    assert "Thank you." in html
    assert "sorry" not in html
    assert "Li Na" not in html


def test_it_keeps_its_word_to_a_happy_customer_who_asked_for_a_call(client: Client, url: str) -> None:
    send(client, url, score="10", contact_me="1", contact_channel="phone")
    with promising(TODAY):
        assert "Li Na will call you by today 19:00." in page(client, url + "thanks/")


def test_it_thanks_nobody_before_the_answer(client: Client, url: str) -> None:
    assert client.get(url + "thanks/")["Location"] == url


def test_it_keeps_the_language_over_the_redirect(client: Client, url: str) -> None:
    answer = client.post(url + "?lang=zh", {"nonce": nonce(client, url), "score": "9"})
    assert answer["Location"] == url + "thanks/?lang=zh-hans"
    assert Response.objects.get().locale == "zh-hans"


def test_it_needs_few_queries(
    client: Client, url: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(8):
        client.get(url)
    assert not Source.objects.exists()
