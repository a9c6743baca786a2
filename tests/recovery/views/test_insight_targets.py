from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.test import Client

from recovery.insight.definitions import DEFINITIONS
from recovery.models import Target
from recovery.views import insight_targets, insight_tickets
from tests.make import DAY, MONDAY, Cast
from tests.recovery.insight.histories import loop, low
from tests.recovery.views.conftest import SignIn
from tests.recovery.views.test_insight import link, text
from tests.recovery.views.test_insight_value import count_on, queries

LATER = MONDAY + 30 * DAY


@pytest.fixture(autouse=True)
def _april(monkeypatch: pytest.MonkeyPatch) -> None:
    for door in (insight_targets, insight_tickets):
        monkeypatch.setattr(door, "now", lambda: LATER)


@pytest.fixture
def vera(cast: Cast, sign_in: SignIn) -> Client:
    return sign_in(cast.vera)


def target(metric: str, value: float, by: date = date(2026, 6, 30), **fields: object) -> Target:
    return Target.objects.create(metric=metric, value=Decimal(str(value)), by_day=by, **fields)


def test_it_says_the_verdict_the_interval_and_the_counts(cast: Cast, vera: Client) -> None:
    for _ in range(10):
        loop(cast, 9)
    target("recovered", 50)
    target("reached", 95)
    said = text(vera, "/insight/targets/")
    assert "2 targets: 1 cannot tell yet, 1 on track." in said
    assert "recovered everybody 50 % or more" in said
    assert "100 % (72 to 100) 10 of 10" in said
    assert str(DEFINITIONS["target"]) in said
    assert str(DEFINITIONS["recovered"]) in said
    page = vera.get("/insight/targets/").content.decode()
    places = [page.index(part) for part in ('class="stat"', "mark-target", "<table", 'class="definition"')]
    assert places == sorted(places)


def test_a_number_opens_its_tickets(cast: Cast, vera: Client) -> None:
    for _ in range(10):
        loop(cast, 9)
    loop(cast, 3)
    target("recovered", 50)
    assert count_on(vera, link(vera, "/insight/targets/", "91 % (62 to 98)")) == 10


def test_few_are_counts_and_are_not_drawn(cast: Cast, vera: Client) -> None:
    loop(cast, 9)
    target("recovered", 50)
    said = text(vera, "/insight/targets/")
    assert "1 of 1" in said
    assert "cannot tell yet" in said
    assert "mark-target" not in vera.get("/insight/targets/").content.decode()


def test_a_falling_target_and_nps_are_said_in_their_units(cast: Cast, vera: Client) -> None:
    target("repeat_contact", 5)
    target("nps", -10, survey=cast.survey)
    said = text(vera, "/insight/targets/")
    assert "5 % or less" in said
    assert "−10 or more" in said
    target("nps", 40, by=date(2026, 7, 31), survey=cast.survey)
    assert "+40 or more" in text(vera, "/insight/targets/")


def test_it_is_narrowed_to_a_team_and_to_what_the_reader_sees(
    cast: Cast, vera: Client, sign_in: SignIn
) -> None:
    target("reached", 10, team=cast.east)
    target("reached", 20, team=cast.west)
    said = text(vera, f"/insight/targets/?team={cast.west.pk}")
    assert "20 % or more" in said
    assert "10 % or more" not in said
    theirs = text(sign_in(cast.ann), "/insight/targets/")
    assert "20 % or more" in theirs
    assert "10 % or more" not in theirs


def test_filters_that_narrow_nothing_are_named(cast: Cast, vera: Client) -> None:
    target("reached", 10)
    assert "narrow nothing here" in text(vera, "/insight/targets/?touchpoint=Store")
    assert "narrow nothing here" not in text(vera, "/insight/targets/")


def test_nothing_is_said_kindly_and_only_who_may_is_shown_where_to_set_them(
    cast: Cast, vera: Client, sign_in: SignIn
) -> None:
    assert "No target is set" in text(vera, "/insight/targets/")
    assert "/admin/recovery/target/" not in vera.get("/insight/targets/").content.decode()
    assert "/admin/recovery/target/" in sign_in(cast.admin).get("/insight/targets/").content.decode()


def test_it_speaks_chinese(cast: Cast, vera: Client) -> None:
    low(cast)
    target("reached", 10)
    vera.cookies["django_language"] = "zh-hans"
    assert vera.get("/insight/targets/").status_code == 200


def test_nobody_else_comes_in(cast: Cast, client: Client) -> None:
    assert client.get("/insight/targets/").status_code == 302


def test_many_targets_take_no_more_queries_than_few(cast: Cast, vera: Client) -> None:
    loop(cast, 9)
    target("reached", 10, team=cast.east)
    target("nps", 10, survey=cast.survey)
    few = queries(vera, "/insight/targets/")
    for metric in ("reached", "recovered", "converted", "responded"):
        target(metric, 20, team=cast.west)
    assert queries(vera, "/insight/targets/") == few
