"""The files of How fast, Causes and Targets: the numbers of their pages, a row each."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.test import Client

from recovery.insight.definitions import DEFINITIONS
from recovery.lifecycle import resolve
from recovery.models import Cause, Target
from recovery.views import (
    insight_causes,
    insight_causes_csv,
    insight_targets,
    insight_targets_csv,
    insight_times,
    insight_times_csv,
)
from tests.kept import kept
from tests.make import DAY, HOUR, MONDAY, Cast
from tests.recovery.insight.histories import heard, loop, low, put_right
from tests.recovery.views.conftest import SignIn
from tests.recovery.views.test_insight import queries, table, text

LATER = MONDAY + 30 * DAY
DOORS = (
    insight_causes,
    insight_causes_csv,
    insight_targets,
    insight_targets_csv,
    insight_times,
    insight_times_csv,
)
FILES = ("times", "causes", "targets")


@pytest.fixture(autouse=True)
def _april(monkeypatch: pytest.MonkeyPatch) -> None:
    for door in DOORS:
        monkeypatch.setattr(door, "now", lambda: LATER)


@pytest.fixture
def vera(cast: Cast, sign_in: SignIn) -> Client:
    return sign_in(cast.vera)


@kept
def filled(cast: Cast) -> None:
    for _ in range(10):
        loop(cast, 9)
    put_right(cast, low(cast, at=MONDAY - 9 * DAY), at=MONDAY - 8 * DAY)
    heard(cast, low(cast), at=MONDAY + 30 * HOUR)
    low(cast)
    Target.objects.create(metric="recovered", value=Decimal(40), by_day=date(2026, 6, 30))


def test_how_fast_has_the_promises_and_the_times_of_the_page(cast: Cast, vera: Client) -> None:
    filled(cast)
    rows = {(row[0], row[1], row[2]): row for row in table(vera, "/insight/times/csv/")}
    in_time = rows["Contacted in time", "", ""]
    share, low_end, high_end = (round(100 * float(each)) for each in in_time[5:8])
    said = text(vera, "/insight/times/")
    assert f"Contacted in time: {share} % ({low_end} to {high_end})" in said
    assert f"{in_time[3]} of {in_time[4]}" in said
    half = [row for row in table(vera, "/insight/times/csv/") if row[0] == "First contact: half within"]
    groups = {("By team", "East"), ("By priority", "P3 normal")}
    people = {("By owner", "Li Na"), ("By owner", "Ma Jun")}
    assert {(row[1], row[2]) for row in half} == {("", ""), *groups, *people}
    assert [float(row[5]) for row in half if not row[1]] == [60, 60]
    assert [row[8] for row in half if not row[1]] == ["working minutes", "minutes"]
    assert "half within 1 h 00" in said
    assert (rows["First contact: still waiting", "", ""][3], in_time[9] != "") == ("1", True)


def test_causes_have_their_months_those_not_known_and_all(cast: Cast, vera: Client) -> None:
    filled(cast)
    rows = {(row[0], row[1], row[2]): row[3:9] for row in table(vera, "/insight/causes/csv/")}
    found = "What we found"
    assert rows[found, "Late delivery", ""][:3] == ["11", "11", "1.0"]
    assert rows[found, "Late delivery", "2026-02"][:2] == ["1", "1"]
    assert rows[found, "Late delivery", "2026-03"][:2] == ["10", "12"]
    assert rows[found, "cause not known yet", ""][:2] == ["2", "13"]
    assert rows[found, "cause not known yet", "2026-03"][:2] == ["2", "12"]
    assert rows[found, "all low scores", ""][0] == "13"
    said = text(vera, "/insight/causes/")
    assert "Late delivery 1 10 cause not known yet 0 2 all low scores 1 12" in said


def test_targets_have_their_number_and_their_verdict(cast: Cast, vera: Client) -> None:
    filled(cast)
    (row,) = table(vera, "/insight/targets/csv/")[1:]
    assert row[:7] == ["recovered", "everybody", "40.0", "at least", "2026-06-30", "10", "10"]
    assert [float(each) for each in row[7:10]] == [100, 72.25, 100]
    assert row[12] == "on track"
    assert "100 % (72 to 100)" in text(vera, "/insight/targets/")


@pytest.mark.parametrize("name", FILES)
def test_each_page_offers_its_file_with_its_filters(cast: Cast, vera: Client, name: str) -> None:
    filled(cast)
    query = f"from=2026-03-01&team={cast.east.pk}"
    page = vera.get(f"/insight/{name}/?{query}").content.decode()
    if name == "targets":
        Target.objects.create(metric="reached", value=40, by_day=date(2026, 6, 30), team=cast.east)
        page = vera.get(f"/insight/{name}/?{query}").content.decode()
    address = f"/insight/{name}/csv/?{query}"
    assert address.replace("&", "&amp;") in page
    answer = vera.get(address)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert f'filename="{name}-2026-03-01-' in answer["Content-Disposition"]
    assert len(table(vera, address)) > 1


@pytest.mark.parametrize("name", FILES)
def test_it_stands_at_the_day_asked_for(cast: Cast, vera: Client, name: str) -> None:
    filled(cast)
    query = "?from=2026-02-01&as_of=2026-03-02"
    assert "-as-of-2026-03-02.csv" in vera.get(f"/insight/{name}/csv/{query}")["Content-Disposition"]
    if name == "causes":
        rows = {tuple(row[:3]): row for row in table(vera, f"/insight/causes/csv/{query}")}
        assert rows["What we found", "Late delivery", ""][3] == "1"


@pytest.mark.parametrize("name", FILES)
def test_it_says_it_in_chinese_and_with_nothing_in_it(vera: Client, name: str) -> None:
    assert table(vera, f"/insight/{name}/csv/")[0]
    vera.cookies["django_language"] = "zh-hans"
    assert vera.get(f"/insight/{name}/csv/").status_code == 200
    assert f"/insight/{name}/csv/" not in vera.get(f"/insight/{name}/").content.decode()


@pytest.mark.parametrize("name", FILES)
def test_nobody_sees_others_numbers_in_it(cast: Cast, client: Client, sign_in: SignIn, name: str) -> None:
    assert client.get(f"/insight/{name}/csv/").status_code == 302
    put_right(cast, low(cast, team=cast.west))
    Target.objects.create(metric="reached", value=40, by_day=date(2026, 6, 30), team=cast.west)
    rows = table(sign_in(cast.lina), f"/insight/{name}/csv/")[1:]
    assert not [row for row in rows if "West" in row or "Late delivery" in row]
    if name == "times":
        assert {row[3] for row in rows} == {"0"}


def test_no_name_is_run_as_a_formula(cast: Cast, vera: Client) -> None:
    Cause.objects.filter(pk=cast.late.pk).update(name="=1+1")
    put_right(cast, low(cast))
    names = [row[1] for row in table(vera, "/insight/causes/csv/")]
    assert "'=1+1" in names
    assert "=1+1" not in names


@pytest.mark.parametrize("name", FILES)
def test_many_tickets_take_no_more_queries_than_few(cast: Cast, vera: Client, name: str) -> None:
    filled(cast)
    few = queries(vera, f"/insight/{name}/csv/")
    for _ in range(5):
        loop(cast, 3)
    assert queries(vera, f"/insight/{name}/csv/") == few


@kept
def changing(cast: Cast) -> None:
    """Late in 2, 5 and 8 of 10: in December, in January and in February."""
    for month, late in ((80, 2), (50, 5), (20, 8)):
        for number in range(10):
            ticket = low(cast, at=MONDAY - month * DAY + number * HOUR)
            cause = cast.late if number < late else cast.rude
            resolve(ticket, by=cast.lina, at=ticket.opened_at + DAY, cause_found=cause, what_was_done="x")


def test_a_trend_is_said_on_the_page_and_in_its_file(cast: Cast, vera: Client) -> None:
    changing(cast)
    query = "?from=2025-12-01&to=2026-03-31"
    said = text(vera, f"/insight/causes/{query}")
    assert "More often from month to month: Late delivery." in said
    assert "Less often from month to month: " in said
    assert "From 30 tickets whose cause is known, December 2025 to February 2026." in said
    part = text(vera, "/insight/causes/?from=2025-12-05&to=2026-03-31")
    assert "takes three whole months with low scores; this period has 2." in part
    assert "Left out, as not all of its days are in it: December 2025." in part
    # 0.3 ± 1.96 x root of (1/4 : 20)
    assert "more often: +30 points a month (+8 to +52)" in said
    rows = {(row[0], row[1], row[2]): row for row in table(vera, f"/insight/causes/csv/{query}")}
    row = rows["What we found", "Late delivery", "change a month"]
    assert (row[3:5], row[5]) == (["15", "30"], "0.3")
    assert row[8].startswith("more often")
    assert row[9] == str(DEFINITIONS["cause_trend"])


def test_too_few_months_are_said_and_have_no_column(cast: Cast, vera: Client) -> None:
    filled(cast)
    page = vera.get("/insight/causes/?from=2026-02-01&to=2026-03-31").content.decode()
    assert "takes three whole months with low scores; this period has 2." in page
    assert "Trend of its share" not in page
    assert 'href="/insight/causes/?from=2025-09-01&amp;to=2026-03-31"' in page
    assert "change a month" not in vera.get("/insight/causes/csv/?from=2026-02-01").content.decode()
