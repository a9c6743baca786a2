"""Value and targets as JSON: the numbers of their pages."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from recovery.insight.definitions import DEFINITIONS
from recovery.models import Target
from tests.make import DAY, MONDAY, Cast
from tests.recovery.api.client import Client
from tests.recovery.insight.histories import loop, low


@pytest.fixture(autouse=True)
def _later(clock: time_machine.Traveller) -> None:
    clock.move_to(MONDAY + 30 * DAY)


def numbers(client: Client, name: str, **query: Any) -> Any:
    answer = client.read(f"insight/{name}/", **query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_value_has_its_range_its_counts_and_its_definitions(cast: Cast) -> None:
    low(cast, customer=cast.customer(annual_value=Decimal(1000)))
    low(cast)
    found = numbers(Client.of(cast.vera), "value")
    risk = found["at_risk"]
    assert (risk["value"], risk["low"], risk["high"]) == (975, 950, 1000)
    assert (risk["customers"], risk["without_value"], risk["annual_value"]) == (2, 1, 1000)
    assert risk["definition"] == str(DEFINITIONS["value_at_risk"])
    assert found["kept"]["value"] is None
    assert len(found["expected_retention"]["levels"]) == 5
    assert "assumption" in found["expected_retention"]["definition"]
    assert found["lost"]["customers"] == 0
    assert found["repeat_contact"]["of"] == 0
    assert found["goodwill"]["per_ticket"] == {"cost": 0, "count": 0, "each": None}


def test_targets_are_judged_with_their_interval(cast: Cast) -> None:
    for _ in range(10):
        loop(cast, 9)
    Target.objects.create(metric="recovered", value=50, by_day=date(2026, 6, 30))
    Target.objects.create(metric="contacted_in_time", value=50, by_day=date(2026, 6, 30), team=cast.west)
    found = numbers(Client.of(cast.vera), "targets")
    assert found["definition"] == str(DEFINITIONS["target"])
    first = next(each for each in found["targets"] if each["metric"] == "recovered")
    assert (first["verdict"], first["value"], first["count"], first["of"]) == ("on_track", 100, 10, 10)
    assert 72 < first["low"] < 73
    assert (first["from"], first["to"], first["by"]) == ("2026-01-02", "2026-04-01", "2026-06-30")
    assert [each["team"] for each in numbers(Client.of(cast.vera), "targets", team="West")["targets"]] == [
        "West"
    ]
    assert len(numbers(Client.of(cast.lina), "targets")["targets"]) == 1


def test_everybody_gets_the_numbers_of_what_they_see(cast: Cast) -> None:
    low(cast, customer=cast.customer(annual_value=Decimal(1000)), team=cast.west)
    assert numbers(Client.of(cast.lina), "value")["at_risk"]["customers"] == 0
    assert numbers(Client.of(cast.ann), "value")["at_risk"]["customers"] == 1


def test_what_is_not_known_is_refused(cast: Cast) -> None:
    vera = Client.of(cast.vera)
    assert vera.read("insight/value/", colour="red").status_code == 400
    assert vera.read("insight/targets/", touchpoint="x").status_code == 400
    assert vera.read("insight/targets/", **{"from": "2026-05-01"}).status_code == 400


@pytest.mark.parametrize(
    ("name", "left_out"),
    [
        ("recovery", "Left out: since the beginning; the pages show the last 90 days"),
        ("times", "Left out: since the beginning; the pages show the last 90 days"),
        ("value", "Customers lost are those of the last 90 days even so"),
        ("targets", "Left out: 90 days, as on the page"),
    ],
)
def test_the_schema_says_what_no_first_day_means(cast: Cast, name: str, left_out: str) -> None:
    low(cast, at=MONDAY - 200 * DAY)
    client = Client.of(cast.vera)
    paths = client.get("/api/v1/schema/?format=json").json()["paths"]
    described = {each["name"]: each for each in paths[f"/api/v1/insight/{name}/"]["get"]["parameters"]}
    assert left_out in described["from"]["description"]
    assert set(described) >= {"from", "to", "as_of"}
    if name == "recovery":
        assert numbers(client, name)["low_scores"]["count"] == 1
        assert numbers(client, name, **{"from": "2026-01-01"})["low_scores"]["count"] == 0
