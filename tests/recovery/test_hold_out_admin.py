"""A hold-out as an administrator plans, starts and ends it."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from dispatch.clock import now
from recovery.lifecycle.hold_out import end, start
from recovery.models import HoldOut
from tests.make import DAY, MONDAY, Cast

PLAN = {
    "name": "Does calling at once work?",
    "share": 20,
    "days": 14,
    "difference": 10,
    "power": 80,
    "expected_recovered": 30,
    "expected_response": 40,
    "spared_priority": 2,
    "spared_value": "",
    "spared_tiers": '["Gold"]',
}


@pytest.fixture
def ada(cast: Cast, client: Client) -> Client:
    cast.admin.is_staff = cast.admin.is_superuser = True
    cast.admin.save()
    client.force_login(cast.admin)
    return client


def url(name: str, row: HoldOut | None = None) -> str:
    return reverse(f"admin:recovery_holdout_{name}", args=[row.pk] if row else [])


def draft(cast: Cast, **fields: Any) -> HoldOut:
    return HoldOut.objects.create(
        **{"name": "Calls", "survey": cast.survey, "expected_response": 40, **fields}
    )


def test_it_is_planned_and_says_what_it_takes(cast: Cast, ada: Client) -> None:
    assert ada.post(url("add"), {**PLAN, "survey": cast.survey.pk}).status_code == 302
    row = HoldOut.objects.get()
    assert (row.state, row.spared_tiers, row.key) == ("draft", ["Gold"], "")
    page = ada.get(url("change", row)).content.decode()
    assert "It takes 2,820 low scores: 565 followed up later and 2,255 at once." in page
    assert "no low score came in" in page
    assert "Start …" in page


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"expected_recovered": 60, "difference": 40}, "More than all cannot recover"),
        ({"spared_tiers": '{"Gold": 1}'}, "Write a list of names"),
        ({"share": 60}, "less than or equal to 50"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_beside_its_field(
    cast: Cast, ada: Client, change: dict[str, Any], said: str
) -> None:
    answer = ada.post(url("add"), {**PLAN, "survey": cast.survey.pk, **change})
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert not HoldOut.objects.exists()


def test_it_starts_on_purpose_from_a_page_that_says_what_that_means(cast: Cast, ada: Client) -> None:
    row = draft(cast)
    page = ada.get(url("start", row)).content.decode()
    assert "Start the hold-out?" in page
    assert "It takes 2,820 low scores" in page
    row.refresh_from_db()
    assert row.state == "draft"  # looking at the page starts nothing
    ada.post(url("start", row))
    row.refresh_from_db()
    assert (row.state, row.started_by, row.planned_later) == ("running", "Ada Min", 565)


def test_it_shows_nothing_to_change_once_it_runs(cast: Cast, ada: Client) -> None:
    row = start(draft(cast), by=cast.admin, at=MONDAY)
    page = ada.get(url("change", row)).content.decode()
    assert 'name="share"' not in page
    assert 'name="name"' in page
    assert "End …" in page
    assert "None" not in page
    assert ada.post(url("change", row), {**PLAN, "survey": cast.survey.pk, "share": 50}).status_code == 302
    row.refresh_from_db()
    assert (row.share, row.name) == (20, PLAN["name"])
    assert ada.get(reverse("admin:recovery_holdout_delete", args=[row.pk])).status_code == 403


def test_it_refuses_to_start_beside_another(cast: Cast, ada: Client) -> None:
    start(draft(cast), by=cast.admin, at=MONDAY)
    row = draft(cast)
    page = ada.post(url("start", row), follow=True).content.decode()
    assert "Another hold-out of this survey is running." in page
    row.refresh_from_db()
    assert row.state == "draft"


def test_it_ends_with_a_reason_and_not_without(cast: Cast, ada: Client) -> None:
    row = start(draft(cast), by=cast.admin, at=MONDAY)
    refused = ada.post(url("end", row), {"why": " "})
    assert refused.status_code == 400
    assert "Say why it ends" in refused.content.decode()
    ada.post(url("end", row), {"why": "The season is over"})
    row.refresh_from_db()
    assert (row.state, row.ended_why) == ("ended", "The season is over")


def test_an_ended_one_cannot_be_ended_or_started(cast: Cast, ada: Client) -> None:
    row = end(start(draft(cast), by=cast.admin, at=MONDAY), by=cast.admin, at=MONDAY + DAY, why="Over")
    assert "It is not running." in ada.post(url("end", row), {"why": "x"}, follow=True).content.decode()
    assert "It has begun already" in ada.post(url("start", row), follow=True).content.decode()


def test_it_says_when_its_size_is_out_of_reach(cast: Cast, ada: Client) -> None:
    for _ in range(3):
        cast.ticket(at=now() - DAY)
    assert (
        "that would take about 232 years: look for a larger"
        in ada.get(url("start", draft(cast))).content.decode()
    )


def test_one_that_ended_by_itself_says_so_in_words(cast: Cast, ada: Client) -> None:
    row = end(start(draft(cast), by=cast.admin, at=MONDAY), by=None, at=MONDAY, why="full")
    assert "as many as planned were drawn" in ada.get(url("change", row)).content.decode()


@pytest.mark.parametrize("name", ["start", "end"])
def test_nobody_but_an_administrator_may(cast: Cast, client: Client, name: str) -> None:
    row = draft(cast)
    client.force_login(cast.chen)
    assert client.post(url(name, row), {"why": "x"}).status_code in (302, 403)
    row.refresh_from_db()
    assert row.state == "draft"
