"""Beside each number that has a target stands the target and its verdict, and its line is on the chart."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.test import Client

from recovery.models import Target
from recovery.views import (
    insight,
    insight_board,
    insight_surveys,
    insight_targets,
    insight_tickets,
    insight_times,
    insight_value,
)
from tests.make import DAY, HOUR, MONDAY, Cast
from tests.recovery.insight.histories import heard, loop, low, put_right
from tests.recovery.views.conftest import SignIn
from tests.recovery.views.test_insight import text
from tests.recovery.views.test_insight_value import queries

LATER = MONDAY + 30 * DAY
JUNE = date(2026, 6, 30)
# Where a target of each number is said and drawn.
PLACES = {
    "reached": ("/insight/", 30),
    "responded": ("/insight/", 30),
    "recovered": ("/insight/", 30),
    "converted": ("/insight/", 30),
    "contacted_in_time": ("/insight/times/", 30),
    "resolved_in_time": ("/insight/times/", 30),
    "first_contact_half": ("/insight/times/", 30),
    "resolution_half": ("/insight/times/", 30),
    "repeat_contact": ("/insight/value/", 30),
    "nps": ("/insight/surveys/", -40),
}


@pytest.fixture(autouse=True)
def _april(monkeypatch: pytest.MonkeyPatch) -> None:
    for door in (
        *(insight, insight_board, insight_surveys, insight_targets),
        *(insight_tickets, insight_times, insight_value),
    ):
        monkeypatch.setattr(door, "now", lambda: LATER)


@pytest.fixture
def vera(cast: Cast, sign_in: SignIn) -> Client:
    return sign_in(cast.vera)


@pytest.fixture
def lived_in(cast: Cast) -> Cast:
    """A dozen loops in two weeks, ten of them come back to the better."""
    for number in range(12):
        loop(cast, 9 if number < 10 else 2, at=MONDAY + number * HOUR / 2 + (number % 2) * 7 * DAY)
    return cast


def target(metric: str, value: float, by: date = JUNE, **fields: object) -> Target:
    return Target.objects.create(metric=metric, value=Decimal(str(value)), by_day=by, **fields)


def page(client: Client, address: str) -> str:
    return client.get(address).content.decode()


@pytest.mark.parametrize("metric", PLACES)
def test_each_number_a_target_can_be_set_for_has_its_line_and_its_word(
    lived_in: Cast, vera: Client, metric: str
) -> None:
    address, value = PLACES[metric]
    assert "mark-target" not in page(vera, address)
    assert "target " not in text(vera, address)
    target(metric, value, survey=lived_in.survey if metric == "nps" else None)
    drawn = page(vera, address)
    assert len(re.findall("mark-target", drawn)) >= 2, "in the wide picture and in the narrow one"
    said = text(vera, address)
    theirs = page(vera, "/insight/targets/")
    verdict = re.search(r'<td class="nowrap"><span class="verdict tone-(\w+)">([^<]+)<', theirs)
    assert verdict
    assert f'<span class="verdict tone-{verdict[1]}">{verdict[2]}</span>' in drawn
    assert "by 30 Jun 2026" in said


def test_every_number_has_a_place() -> None:
    shares_of_a_survey = {"csat", "ces"}
    assert PLACES.keys() | shares_of_a_survey == dict(Target.METRICS).keys()


def test_the_word_is_that_of_the_number_beside_it(lived_in: Cast, vera: Client) -> None:
    target("recovered", 40)
    target("converted", 99)
    said = text(vera, "/insight/")
    assert "Recovered 83 % (55 to 95) · 10 of 12 target 40 % or more by 30 Jun 2026 on track" in said
    assert "Converted 83 % (55 to 95) · 10 of 12 target 99 % or more by 30 Jun 2026 at risk" in said
    assert "Target of the next answer" in said
    assert "Recovered: 83 % (55 to 95); target 40 % or more by 30 Jun 2026: on track" in unescape(
        page(vera, "/insight/")
    )


def test_one_that_has_passed_says_what_was_measured(lived_in: Cast, vera: Client) -> None:
    target("recovered", 40, by=MONDAY.date() - timedelta(days=1))
    assert "cannot tell yet measured" in text(vera, "/insight/")
    Target.objects.all().delete()
    target("recovered", 40, by=LATER.date() - timedelta(days=1))
    assert re.search(r"met measured [^:]*: 83 % \(55 to 95\)", text(vera, "/insight/"))


def test_a_team_has_its_own_and_a_touchpoint_none(lived_in: Cast, vera: Client) -> None:
    target("reached", 11)
    target("reached", 22, team=lived_in.east)
    assert "target 11 % or more" in text(vera, "/insight/")
    east = text(vera, f"/insight/?team={lived_in.east.pk}")
    assert "target 22 % or more" in east
    assert "target 11 % or more" not in east
    for narrowed in (f"?team={lived_in.west.pk}", "?touchpoint=Store", "?segment=channel:email"):
        assert "target " not in text(vera, f"/insight/{narrowed}")


def test_half_of_the_times_is_an_upright_line_also_beyond_the_curve(cast: Cast, vera: Client) -> None:
    for minutes in range(30, 330, 30):
        heard(cast, low(cast), at=MONDAY + timedelta(minutes=minutes))
    target("first_contact_half", 12)
    drawn = page(vera, "/insight/times/")
    assert re.search(r'class="mark-target"[^>]*/><text[^>]*>target 12 h 00 or less by 30 Jun 2026<', drawn)
    assert "on track" in text(vera, "/insight/times/")


def test_one_that_most_have_outwaited_says_how_long_they_waited(cast: Cast, vera: Client) -> None:
    heard(cast, low(cast), at=MONDAY + timedelta(minutes=30))
    for _ in range(11):
        low(cast)
    target("first_contact_half", 8)
    assert "at risk" in text(vera, "/insight/times/")
    for address in ("/insight/targets/", "/insight/board/"):
        assert re.search(r"\d+ h \d\d or more: 1 of 12 done .*at risk", text(vera, address))


def test_the_months_of_a_survey_are_held_against_its_target(lived_in: Cast, vera: Client) -> None:
    target("nps", -90, survey=lived_in.survey)
    said = text(vera, f"/insight/surveys/?survey={lived_in.survey.pk}")
    assert "at or above it" in said or "cannot tell" in said
    assert "target −90 or more by 30 Jun 2026" in said


def test_the_board_says_the_word_beside_its_figures(lived_in: Cast, vera: Client) -> None:
    target("reached", 20)
    target("nps", -100, survey=lived_in.survey)
    figures = page(vera, "/insight/board/").split('<dl class="five">')[1].split("</dl>")[0]
    assert figures.count("on track") == 2
    assert "cannot tell" not in figures


@pytest.mark.parametrize("address", ["/insight/", "/insight/times/", "/insight/value/", "/insight/surveys/"])
def test_many_targets_take_no_more_queries_than_one(lived_in: Cast, vera: Client, address: str) -> None:
    target("recovered", 10)
    few = queries(vera, address)
    for metric in PLACES:
        for days in range(3):
            survey = lived_in.survey if metric == "nps" else None
            target(metric, 20, by=JUNE + timedelta(days=days), survey=survey)
    assert queries(vera, address) == few


class TestInWorkAgain:
    """A ticket reopened by its next answer is open, and counts by that answer."""

    def test_it_says_how_many_and_opens_them(self, cast: Cast, vera: Client) -> None:
        loop(cast, 2)
        low(cast)
        said = text(vera, "/insight/")
        assert "In work, no answer yet" in said
        assert "1 more ticket is in work again after an answer: it counts by that answer." in said
        listed = text(vera, "/insight/tickets/?behind=in_work_again")
        assert listed.startswith(" Tickets behind the number 1 ")
        assert "in work again after an answer" in listed

    def test_it_is_silent_where_there_are_none(self, cast: Cast, vera: Client) -> None:
        put_right(cast, low(cast))
        low(cast)
        assert "in work again" not in text(vera, "/insight/")


class TestWhenANumberWasReckoned:
    def test_the_list_says_so_where_it_was_another_minute(
        self, cast: Cast, vera: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        low(cast)
        link = re.search(r'href="(/insight/tickets/[^"]*)"', page(vera, "/insight/"))
        assert link
        address = unescape(link[1])
        assert "The number was reckoned" not in text(vera, address)
        monkeypatch.setattr(insight_tickets, "now", lambda: LATER + timedelta(minutes=11))
        assert re.search(
            r"The number was reckoned today \d\d:\d\d; this list counts as of today \d\d:\d\d\.",
            text(vera, address),
        )

    @pytest.mark.parametrize("drawn", ["", "noon", "2026-03-02", "2999-01-01T00:00Z", "%00"])
    def test_what_is_no_moment_says_nothing(self, cast: Cast, vera: Client, drawn: str) -> None:
        low(cast)
        assert "was reckoned" not in text(vera, f"/insight/tickets/?drawn={drawn}")
