"""What people said, over the API: one survey in full, by the functions of the page."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from surveys.estimates import nps_difference
from surveys.models import Invitation
from surveys.results import Which, breakdown_of, results_of
from surveys.scoring import BandCounts
from tests.make import DAY, MONDAY, Cast
from tests.recovery.api.client import Client, places
from tests.recovery.views.test_insight_surveys import many, said
from tests.surveys.make import make_survey

PERIOD = {"from": "2026-02-01", "to": "2026-03-31"}


@pytest.fixture(autouse=True)
def _later(clock: time_machine.Traveller) -> None:
    clock.move_to(MONDAY + 60 * DAY)


@pytest.fixture
def vera(cast: Cast) -> Client:
    return Client.of(cast.vera)


def one(client: Client, **query: Any) -> dict[str, Any]:
    answer = client.read("insight/nps/", **query)
    assert answer.status_code == 200, answer.content
    (found,) = answer.json()["surveys"]
    return dict(found)


def test_it_tells_of_one_survey_all_there_is_to_know(cast: Cast, vera: Client) -> None:
    many(cast)
    Invitation.objects.create(
        survey=cast.survey,
        customer=cast.customer(),
        state="sent",
        send_at=MONDAY,
        sent_at=MONDAY,
        created_at=MONDAY,
    )
    found = one(vera, survey="delivery", **PERIOD)
    results = results_of(cast.survey, Which())
    assert found["value"] == results.figure.value
    assert {each["score"]: each["count"] for each in found["distribution"]}[10] == 42
    assert sum(each["share"] for each in found["distribution"]) == pytest.approx(1)
    assert [(each["first_day"], each["answered"]) for each in found["trend"]["points"]] == [
        ("2026-03-02", 86)
    ]
    assert (found["response"]["count"], found["response"]["of"], found["response"]["share"]) == (0, 1, None)
    assert (found["before"]["answered"], found["before"]["not_compared"]) == (0, "few")
    assert found["breakdown"] is None
    assert found["suspected_scale_changes"] == []


def test_it_tells_groups_apart_as_the_page_does(cast: Cast, vera: Client) -> None:
    many(cast)
    found = one(vera, survey="delivery", by="touchpoint", **PERIOD)["breakdown"]
    assert [each["key"] for each in found["ranked"]] == ["Branch 1", "Branch 4"]
    part = breakdown_of(results_of(cast.survey, Which()), "touchpoint").part("Branch 4")
    assert part is not None
    assert found["ranked"][1]["against_others"]["p_holm"] == part.p
    assert found["ranked"][1]["against_others"]["is_clear"] is True
    (kiosk,) = found["not_ranked"]
    assert (kiosk["answered"], kiosk["promoters"], kiosk["value"], kiosk["against_others"]) == (
        6,
        4,
        None,
        None,
    )


def test_it_gives_the_difference_to_the_period_before(cast: Cast, vera: Client) -> None:
    said(cast.survey, *[10] * 30, *[3] * 10)
    said(cast.survey, *[10] * 10, *[3] * 30, at=MONDAY - 20 * DAY)
    found = one(vera, survey="delivery", **{"from": "2026-02-20", "to": "2026-03-10"})["before"]
    difference = nps_difference(BandCounts(30, 0, 10), BandCounts(10, 0, 30))
    assert difference is not None
    assert found["difference"] == {
        "value": difference.value,
        "low": difference.interval.low,
        "high": difference.interval.high,
        "is_clear": True,
    }


def test_it_follows_a_segment_and_a_past_day(cast: Cast, vera: Client) -> None:
    said(cast.survey, *[10] * 10, customer=cast.customer(tier="Gold"))
    said(cast.survey, *[3] * 10, at=MONDAY + 3 * DAY)
    assert one(vera, survey="delivery", segment="tier:Gold")["answered"] == 10
    assert one(vera, survey="delivery", as_of="2026-03-03")["answered"] == 10
    assert one(vera, survey="delivery")["answered"] == 20


def test_it_counts_other_scales_beside_and_names_a_suspicion(cast: Cast, vera: Client) -> None:
    said(cast.survey, *[5] * 12)
    said(cast.survey, *[0, 5, 10] * 10, at=MONDAY + 8 * DAY)
    cast.survey.former_scales.create(until=MONDAY + 7 * DAY, lowest=1, highest=5, low_cut=2, high_cut=4)
    found = one(vera, survey="delivery")
    assert found["on_former_scales"] == [{"scale": {"lowest": 1, "highest": 5, "best": 5}, "answered": 12}]
    cast.survey.former_scales.all().delete()
    said(cast.survey, *[0, 2, 4] * 15, at=MONDAY + 35 * DAY)
    (suspicion,) = one(vera, survey="delivery")["suspected_scale_changes"]
    assert suspicion == {"from": "2026-04-01", "side": "above", "limit": 4, "opens": False}


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ({"by": "touchpoint"}, "by"),
        ({"survey": "delivery", "by": "moon"}, "by"),
        ({"survey": "delivery", "by": "choice:none"}, "by"),
        ({"team": "East"}, "team"),
        ({"segment": "x"}, "segment"),
        ({"as_of": "2199-01-01"}, "as_of"),
    ],
)
def test_it_refuses_by_name_what_it_does_not_understand(
    cast: Cast, vera: Client, query: dict[str, str], place: str
) -> None:
    answer = vera.read("insight/nps/", **query)
    assert answer.status_code == 400
    assert places(answer) == {place}


def test_it_gives_every_survey_its_figure_where_none_is_named(cast: Cast, vera: Client) -> None:
    make_survey("shop")
    answer = vera.read("insight/nps/").json()
    assert [each["survey"] for each in answer["surveys"]] == ["delivery", "shop"]
    assert "trend" not in answer["surveys"][0]


def test_it_gives_the_mean_of_satisfaction_with_its_interval(cast: Cast, vera: Client) -> None:
    csat = make_survey("shop", kind="csat", lowest=1, highest=5, low_cut=2, high_cut=4)
    said(csat, *[5] * 30, *[1] * 10)
    mean = one(vera, survey="shop")["mean"]
    assert (mean["value"], round(mean["low"], 2), round(mean["high"], 2)) == (4.0, 3.44, 4.56)
    assert one(vera, survey="delivery")["mean"] is None
