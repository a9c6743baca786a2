from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from surveys.intake.record import ResponseDraft, record
from surveys.models import Customer, Invitation, Message, Response, Source, Suppression, Survey
from tests.surveys.make import MONDAY, make_customer, make_survey

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


@pytest.fixture
def response() -> Response:
    survey = make_survey("delivery")
    source = Source.objects.create(slug="shop", name="Shop", survey=survey)
    customer = make_customer()
    invitation = Invitation.objects.create(
        survey=survey, customer=customer, state="sent", send_at=MONDAY, sent_at=MONDAY, created_at=MONDAY
    )
    Message.objects.create(
        dedup_key="x",
        kind="x",
        to_address="a@b.example",
        subject="s",
        text="t",
        send_at=MONDAY,
        created_at=MONDAY,
    )
    Suppression.objects.create(address="a@b.example", reason="by_hand", created_at=MONDAY)
    draft = ResponseDraft(
        survey=survey,
        source=source,
        external_id="r-1",
        score=2,
        known_customer=customer,
        invitation=invitation,
    )
    return record(draft, at=MONDAY).response


MODELS = ["survey", "customer", "account", "source", "invitation", "suppression", "response", "message"]


@pytest.mark.parametrize("model", MODELS)
def test_it_lists_and_finds(root: Client, response: Response, model: str) -> None:
    assert root.get(f"/admin/surveys/{model}/").status_code == 200
    assert root.get(f"/admin/surveys/{model}/?q=zhang").status_code == 200


@pytest.mark.parametrize("row", [Survey, Customer, Source, Invitation, Suppression, Response, Message])
def test_it_opens_a_row(root: Client, response: Response, row: Any) -> None:
    url = f"/admin/surveys/{row._meta.model_name}/{row.objects.get().pk}/change/"
    assert root.get(url).status_code == 200


@pytest.mark.parametrize("row", [Response, Message, Invitation])
def test_it_only_shows_what_came_in_and_went_out(root: Client, response: Response, row: Any) -> None:
    url = f"/admin/surveys/{row._meta.model_name}/"
    assert root.get(f"{url}add/").status_code == 403
    assert root.post(f"{url}{row.objects.get().pk}/change/", {"comment": "better"}).status_code == 403
    assert root.post(f"{url}{row.objects.get().pk}/delete/", {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("row", [Survey, Customer, Source])
def test_it_deletes_nothing_that_history_hangs_on(root: Client, response: Response, row: Any) -> None:
    url = f"/admin/surveys/{row._meta.model_name}/"
    pk = row.objects.get().pk
    assert root.post(f"{url}{pk}/delete/", {"post": "yes"}).status_code == 403
    root.post(url, {"action": "delete_selected", "_selected_action": [pk], "post": "yes"})
    assert row.objects.filter(pk=pk).exists()


def survey_form(*questions: dict[str, Any], **changes: Any) -> dict[str, Any]:
    form: dict[str, Any] = {
        "name": "Returns",
        "slug": "returns",
        "line": "returns",
        "kind": "nps",
        "lowest": 0,
        "highest": 10,
        "best": "max",
        "low_cut": 6,
        "high_cut": 9,
        "active": "on",
        "answer_days": 14,
        "cooldown_days": 30,
        "resurvey_after_minutes": 60,
        "questions-TOTAL_FORMS": len(questions),
        "questions-INITIAL_FORMS": 0,
        **changes,
    }
    for number, question in enumerate(questions):
        form |= {f"questions-{number}-{name}": value for name, value in question.items()}
    return form


SCORE = {
    "key": "score",
    "kind": "score",
    "position": 0,
    "text": "How likely?",
    "active": "on",
    "options": "[]",
    "asks": "perceived",
}
CALL = {**SCORE, "key": "call", "kind": "contact_me"}


def test_it_makes_a_survey(root: Client) -> None:
    answer = root.post("/admin/surveys/survey/add/", survey_form(SCORE, CALL))
    assert answer.status_code == 302
    assert Survey.objects.get().questions.count() == 2


BAD_SURVEYS = {
    "without a score question": survey_form(CALL),
    "with an inactive score question": survey_form({**SCORE, "active": ""}),
    "that asks twice to be contacted": survey_form(SCORE, CALL, {**CALL, "key": "call2"}),
    "whose scale has no middle": survey_form(SCORE, low_cut=9),
    "whose cut is off the scale": survey_form(SCORE, low_cut=-1),
    "with a choice of nothing": survey_form(SCORE, {**SCORE, "key": "what", "kind": "choice"}),
}


@pytest.mark.parametrize("form", BAD_SURVEYS.values(), ids=BAD_SURVEYS.keys())
def test_it_makes_no_survey(root: Client, form: dict[str, Any]) -> None:
    answer = root.post("/admin/surveys/survey/add/", form)
    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert not Survey.objects.exists()


def test_it_keeps_the_kind_once_there_are_answers(root: Client, response: Response) -> None:
    url = f"/admin/surveys/survey/{response.survey_id}/change/"
    assert 'name="kind"' not in root.get(url).content.decode()
    other = make_survey("returns")
    assert 'name="kind"' in root.get(f"/admin/surveys/survey/{other.pk}/change/").content.decode()


def test_it_refuses_a_mapping_the_import_would_refuse(root: Client) -> None:
    form = {"slug": "shop", "name": "Shop", "kind": "file", "time_zone": "UTC", "mapping": '{"colums": {}}'}
    answer = root.post("/admin/surveys/source/add/", form)
    assert "colums" in answer.content.decode()
    assert not Source.objects.exists()
    assert root.post("/admin/surveys/source/add/", {**form, "mapping": "{}"}).status_code == 302


def customer_form(kind: str, value: str) -> dict[str, Any]:
    return {
        "name": "Kim",
        "locale": "en",
        "attributes": "{}",
        "identities-TOTAL_FORMS": 1,
        "identities-INITIAL_FORMS": 0,
        "identities-0-kind": kind,
        "identities-0-value": value,
    }


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [("email", " Kim@Example.com", "kim@example.com"), ("phone", "+44 20 7946 0958", "+442079460958")],
)
def test_it_writes_an_identity_as_answers_find_it(root: Client, kind: str, value: str, kept: str) -> None:
    root.post("/admin/surveys/customer/add/", customer_form(kind, value))
    assert Customer.objects.get().identities.get().value == kept


def test_it_refuses_an_address_that_is_none(root: Client) -> None:
    root.post("/admin/surveys/customer/add/", customer_form("email", "kim at home"))
    assert not Customer.objects.exists()


def test_it_suppresses_an_address_as_the_gate_compares_it(root: Client) -> None:
    root.post(
        "/admin/surveys/suppression/add/",
        {"channel": "email", "address": " Kim@Example.COM", "reason": "by_hand"},
    )
    assert Suppression.objects.get().address == "kim@example.com"
