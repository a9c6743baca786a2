from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from itertools import permutations
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model
from pytest_django import DjangoCaptureOnCommitCallbacks

from surveys.intake.record import (
    Conflict,
    CustomerDraft,
    Recorded,
    ResponseDraft,
    find_or_make_customer,
    record,
)
from surveys.intake.signals import Promise, promise_for, promise_wanted, responses_recorded
from surveys.models import Customer, CustomerIdentity, Invitation, Question, Response, Source, Survey
from tests.surveys.make import MONDAY, make_customer, make_survey

pytestmark = pytest.mark.django_db

LATER = MONDAY + timedelta(hours=2)


@pytest.fixture
def source() -> Source:
    make_survey("delivery")
    return Source.objects.create(slug="api", name="API", kind="api")


def draft(source: Source, **changes: Any) -> ResponseDraft:
    return ResponseDraft(
        **{
            "survey": Survey.objects.get(slug="delivery"),
            "source": source,
            "external_id": "r-1",
            "score": 3,
            "comment": "late",
            **changes,
        }
    )


def versioned(source: Source, hour: int, score: int) -> ResponseDraft:
    return draft(source, score=score, updated_at=MONDAY + timedelta(hours=hour))


def outcome(recorded: Recorded) -> tuple[bool, bool]:
    return recorded.created, recorded.changed


# --- once ---


def test_it_records_an_answer_before_triage(source: Source) -> None:
    recorded = record(draft(source), at=MONDAY)
    response = Response.objects.get()
    assert outcome(recorded) == (True, False)
    assert (response.score, response.band, response.comment) == (3, "detractor", "late")
    assert (response.state, response.triaged_at, response.answered_at) == ("complete", None, MONDAY)


def test_it_records_the_same_answer_once(source: Source) -> None:
    record(draft(source), at=MONDAY)
    assert outcome(record(draft(source), at=LATER)) == (False, False)
    assert Response.objects.get().received_at == MONDAY


def test_it_refuses_another_answer_under_the_same_id(source: Source) -> None:
    record(draft(source), at=MONDAY)
    with pytest.raises(Conflict) as refused:
        record(draft(source, score=9), at=LATER)
    assert not refused.value.is_older
    assert Response.objects.get().score == 3


def test_it_refuses_an_id_that_answered_another_survey(source: Source) -> None:
    record(draft(source), at=MONDAY)
    with pytest.raises(Conflict):
        record(draft(source, survey=make_survey("returns"), updated_at=LATER), at=LATER)


def test_it_keeps_ids_apart_by_source(source: Source) -> None:
    other = Source.objects.create(slug="file", name="File")
    record(draft(source), at=MONDAY)
    assert record(draft(other, score=9), at=MONDAY).created


@pytest.mark.django_db(transaction=True)
def test_two_doors_at_once_leave_one_row() -> None:
    make_survey("delivery")
    source = Source.objects.create(slug="api", name="API", kind="api")
    together = Barrier(4)

    def post(number: int) -> tuple[bool, bool]:
        given = draft(source, customer=CustomerDraft(email="kim@example.com", phone="+442079460958"))
        together.wait(10)
        try:
            return outcome(record(given, at=MONDAY))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        outcomes = list(threads.map(post, range(4)))
    assert sorted(outcomes) == [(False, False)] * 3 + [(True, False)]
    assert (Response.objects.count(), Customer.objects.count(), CustomerIdentity.objects.count()) == (1, 1, 2)


# --- versions ---


def test_it_keeps_the_earlier_version_of_a_changed_answer(source: Source) -> None:
    survey = Survey.objects.get(slug="delivery")
    survey.questions.create(key="speed", kind=Question.RATING, position=2, text="Speed")
    first = record(draft(source, score=9, answers={"speed": 5}), at=MONDAY).response
    Response.objects.update(triaged_at=MONDAY)
    changed = record(draft(source, score=2, answers={"speed": 1}, updated_at=LATER), at=LATER)
    assert outcome(changed) == (False, True)
    response = Response.objects.get()
    assert (response.pk, response.score, response.triaged_at) == (first.pk, 2, None)
    assert [each.value for each in response.answers.all()] == [1]
    version = response.versions.get()
    assert (version.score, version.band, version.answers, version.replaced_at) == (
        9,
        "promoter",
        {"speed": 5},
        LATER,
    )


def test_it_takes_an_older_version_for_older(source: Source) -> None:
    record(versioned(source, 2, 9), at=LATER)
    with pytest.raises(Conflict) as refused:
        record(versioned(source, 1, 2), at=LATER)
    assert refused.value.is_older


def test_it_refuses_a_tie(source: Source) -> None:
    record(versioned(source, 1, 9), at=LATER)
    with pytest.raises(Conflict) as refused:
        record(versioned(source, 1, 2), at=LATER)
    assert not refused.value.is_older


HISTORIES = {
    "one change": [None, 7, 2],
    "there and back": [None, 2, 9, 2],
    "never without a version": [9, 2, 9, 9],
}


@pytest.mark.parametrize("scores", HISTORIES.values(), ids=HISTORIES.keys())
def test_it_ends_the_same_in_whatever_order_versions_come(source: Source, scores: list[int | None]) -> None:
    versions = [
        draft(source, score=9) if score is None else versioned(source, hour, score)
        for hour, score in enumerate(scores)
    ]
    ends = set()
    for order in permutations([*versions, versions[1]]):
        Response.objects.all().delete()
        for each in order:
            with suppress(Conflict):
                record(each, at=LATER)
        ends.add(Response.objects.values_list("score", "answered_at", "source_updated_at").get())
    last = MONDAY + timedelta(hours=len(scores) - 1)
    assert ends == {(scores[-1], last, last)}


def test_it_lets_the_last_answer_win_where_the_door_says_so(source: Source) -> None:
    record(draft(source), at=MONDAY)
    assert outcome(record(draft(source, score=8), at=LATER, replace=True)) == (False, True)
    assert Response.objects.get().answered_at == LATER


def test_it_leaves_a_withdrawn_answer_alone(source: Source) -> None:
    record(draft(source), at=MONDAY)
    Response.objects.update(state=Response.WITHDRAWN)
    assert outcome(record(versioned(source, 1, 9), at=LATER)) == (False, False)
    assert Response.objects.get().score == 3


def test_it_keeps_the_person_when_a_new_version_names_none(source: Source) -> None:
    record(draft(source, customer=CustomerDraft(email="kim@example.com")), at=MONDAY)
    record(versioned(source, 1, 2), at=LATER)
    assert Response.objects.get().customer == Customer.objects.get()


# --- what opens nothing ---


def test_it_keeps_an_unanswered_row_out_of_triage(source: Source) -> None:
    record(draft(source, score=None, comment=""), at=MONDAY)
    response = Response.objects.get()
    assert (response.state, response.score, response.band) == ("unanswered", None, "")
    assert (response.triaged_at, response.triage_note) == (
        MONDAY,
        {"result": "no_ticket", "why": "unanswered", "ticket": None},
    )


def test_it_sends_an_answer_to_triage_once_it_has_a_score(source: Source) -> None:
    record(draft(source, score=None, comment=""), at=MONDAY)
    record(versioned(source, 1, 0), at=LATER)
    response = Response.objects.get()
    assert (response.state, response.score, response.band, response.triaged_at) == (
        "complete",
        0,
        "detractor",
        None,
    )


def test_it_lets_triage_see_that_a_score_was_taken_back(source: Source) -> None:
    record(draft(source), at=MONDAY)
    Response.objects.update(triaged_at=MONDAY, triage_note={"result": "opened"})
    record(draft(source, score=None, updated_at=LATER), at=LATER)
    response = Response.objects.get()
    assert (response.state, response.triaged_at, response.triage_note) == ("unanswered", None, {})


def test_it_opens_nothing_from_a_source_that_opens_no_tickets(source: Source) -> None:
    Source.objects.update(opens_tickets=False)
    source.refresh_from_db()
    record(draft(source), at=MONDAY)
    assert Response.objects.get().triage_note["why"] == "source_opens_no_tickets"


# --- the nudge ---


@contextmanager
def listening() -> Iterator[list[dict[str, Any]]]:
    heard: list[dict[str, Any]] = []

    def hear(sender: type[Model], signal: Any, **said: Any) -> None:
        heard.append(said)

    responses_recorded.connect(hear)
    try:
        yield heard
    finally:
        responses_recorded.disconnect(hear)


def test_it_announces_a_new_answer_and_a_changed_one(
    source: Source, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with listening() as heard, django_capture_on_commit_callbacks(execute=True):
        response = record(draft(source), at=MONDAY).response
        assert heard == []
        record(draft(source), at=MONDAY)
        record(versioned(source, 1, 2), at=LATER)
    assert heard == [
        {"response_ids": [response.pk], "at": MONDAY},
        {"response_ids": [response.pk], "at": LATER},
    ]


def test_it_stays_quiet_when_the_sweep_will_find_the_rows(
    source: Source, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with listening() as heard, django_capture_on_commit_callbacks(execute=True):
        record(draft(source), at=MONDAY, nudge=False)
    assert heard == []


def test_it_survives_a_listener_that_fails(
    source: Source, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    def fail(**said: Any) -> None:
        raise RuntimeError("triage is away")

    responses_recorded.connect(fail)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            record(draft(source), at=MONDAY)
    finally:
        responses_recorded.disconnect(fail)
    assert Response.objects.get().triaged_at is None


def test_it_passes_on_the_promise_somebody_made() -> None:
    def promise(response_id: int, at: datetime, **_more: Any) -> Promise:
        return Promise("Li Na", at + timedelta(hours=response_id))

    assert promise_for(2, MONDAY) is None
    promise_wanted.connect(promise)
    try:
        assert promise_for(2, MONDAY) == Promise("Li Na", LATER)
    finally:
        promise_wanted.disconnect(promise)


# --- invitations ---


def test_it_closes_the_invitation_it_answers(source: Source) -> None:
    customer = make_customer()
    invitation = Invitation.objects.create(
        survey=Survey.objects.get(slug="delivery"),
        customer=customer,
        state="sent",
        touchpoint="delivery",
        send_at=MONDAY,
        created_at=MONDAY,
    )
    record(draft(source, invitation=invitation, known_customer=customer), at=LATER)
    invitation.refresh_from_db()
    assert (invitation.state, invitation.answered_at) == ("answered", LATER)
    response = Response.objects.get()
    assert (response.customer, response.touchpoint) == (customer, "delivery")


# --- people ---

IDENTITIES = {
    "external id": CustomerDraft(external_id="c-9", email="new@example.com"),
    "e-mail": CustomerDraft(email="kim@example.com", phone="+8613800138000"),
    "phone": CustomerDraft(phone="+442079460958"),
}


@pytest.mark.parametrize("found_by", IDENTITIES.values(), ids=IDENTITIES.keys())
def test_it_finds_a_known_person(found_by: CustomerDraft) -> None:
    kim = make_customer("Kim", email="kim@example.com", phone="+442079460958", external_id="c-9")
    assert find_or_make_customer(found_by, MONDAY) == kim
    known = set(kim.identities.values_list("kind", "value"))
    assert set(found_by.identities) <= known


def test_it_makes_a_new_person(db: None) -> None:
    customer = find_or_make_customer(
        CustomerDraft(email="li@example.com", name="Li", locale="zh-TW", account="Acme"), MONDAY
    )
    assert customer is not None
    assert (customer.name, customer.locale, customer.created_at) == ("Li", "zh-hans", MONDAY)
    assert customer.account is not None
    assert (customer.account.name, customer.account.external_id) == ("Acme", "Acme")


def test_it_fills_blanks_and_overwrites_nothing() -> None:
    kim = make_customer("Kim", email="kim@example.com", attributes={"since": 2019})
    told = CustomerDraft(
        email="kim@example.com", name="Kimberly", tier="Gold", attributes={"since": 2024, "branch": "N"}
    )
    find_or_make_customer(told, MONDAY)
    kim.refresh_from_db()
    assert (kim.name, kim.tier, kim.attributes) == ("Kim", "Gold", {"since": 2019, "branch": "N"})


def test_it_steals_no_identity_of_another_person() -> None:
    kim = make_customer("Kim", email="kim@example.com")
    lee = make_customer("Lee", email="lee@example.com", external_id="c-2")
    assert find_or_make_customer(CustomerDraft(external_id="c-2", email="kim@example.com"), MONDAY) == lee
    assert kim.identities.get().value == "kim@example.com"


def test_it_knows_nobody_without_an_identity() -> None:
    assert find_or_make_customer(CustomerDraft(name="Kim"), MONDAY) is None
    assert not Customer.objects.exists()
