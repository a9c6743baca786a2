"""The loop as JSON: the counts of the page, with their intervals and definitions."""

from typing import Any

import pytest
import time_machine

from recovery.insight.definitions import DEFINITIONS
from recovery.lifecycle import start_waiting
from tests.make import DAY, HOUR, MONDAY, Cast
from tests.recovery.api.client import Client, places
from tests.recovery.insight.histories import heard, loop, low


@pytest.fixture(autouse=True)
def _later(clock: time_machine.Traveller) -> None:
    clock.move_to(MONDAY + 30 * DAY)


@pytest.fixture
def vera(cast: Cast) -> Client:
    """An analyst's token."""
    return Client.of(cast.vera)


def numbers(client: Client, **query: Any) -> Any:
    answer = client.read("insight/loop/", **query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_every_stage_is_the_next_and_its_losses(cast: Cast, vera: Client) -> None:
    loop(cast, 9)
    loop(cast, None)
    low(cast)
    found = numbers(vera)["funnel"]
    assert found["low_scores"] == 3
    stages = {stage["stage"]: stage for stage in found["stages"]}
    assert {name: stage["count"] for name, stage in stages.items()} == {
        "low": 3,
        "resolved": 2,
        "asked": 2,
        "delivered": 1,
        "answered": 1,
    }
    (loss,) = stages["asked"]["losses"]
    assert (loss["loss"], loss["reason"], loss["count"], loss["of"]) == ("undelivered", "on_its_way", 1, 2)
    assert (loss["share"], loss["low"]) == (None, None), "fewer than ten"
    assert found["definition"] == str(DEFINITIONS["loop_funnel"])


def test_reach_by_slot_and_by_attempt(cast: Cast, vera: Client) -> None:
    for number in range(12):
        heard(cast, low(cast), outcome="reached" if number < 6 else "no_answer")
    heard(cast, low(cast), outcome="replied")
    found = numbers(vera)
    (slot,) = found["reach"]["slots"]
    assert (slot["weekday"], slot["hour"], slot["count"], slot["of"], slot["tickets"]) == (0, 11, 6, 12, 12)
    assert slot["low"] < 0.5 < slot["high"]
    assert found["reach"]["replies"] == 1
    assert found["attempts"]["per_reach"]["value"] == 2
    assert found["attempts"]["by_attempt"][0]["share"] == 0.5


def test_waits_and_cycles(cast: Cast, vera: Client) -> None:
    start_waiting(low(cast), by=cast.lina, at=MONDAY, reason="photo", until=MONDAY + HOUR)
    loop(cast, 3)
    found = numbers(vera)
    assert (found["waiting"]["waits"], found["waiting"]["working_minutes"]) == (1, 60.0)
    assert (found["waiting"]["after_reply"]["count"], found["waiting"]["after_reply"]["of"]) == (0, 1)
    assert found["waiting"]["by_owner"] == {"ranked": [], "listed": [], "too_few": 1}
    assert found["cycles"]["tickets"] == [{"cycles": 1, "count": 1}, {"cycles": 2, "count": 1}]
    assert (found["cycles"]["reopened"]["count"], found["cycles"]["reopened"]["of"]) == (1, 1)
    assert found["cycles"]["by_cause"][0]["cause"] == "late"


def test_as_of_a_past_day(cast: Cast, vera: Client) -> None:
    loop(cast, 9)
    stages = numbers(vera, as_of="2026-03-02")["funnel"]["stages"]
    assert [stage["count"] for stage in stages] == [1, 0, 0, 0, 0]


def test_nobody_gets_numbers_of_tickets_they_may_not_see(cast: Cast) -> None:
    heard(cast, low(cast, team=cast.west))
    assert numbers(Client.of(cast.lina))["funnel"]["low_scores"] == 0
    assert numbers(Client.of(cast.ann))["funnel"]["low_scores"] == 1


def test_an_unknown_parameter_is_named(cast: Cast, vera: Client) -> None:
    answer = vera.read("insight/loop/", colour="red")
    assert answer.status_code == 400
    assert places(answer) == {"colour"}


def test_times_come_by_team_and_by_priority_from_ten(cast: Cast, vera: Client) -> None:
    for _ in range(10):
        heard(cast, low(cast))
    low(cast, team=cast.west, priority=1)
    found = vera.read("insight/times/").json()["first_contact"]
    (east,) = found["by_team"]
    assert (east["team"], east["in_time"]["count"], east["in_time"]["of"]) == (cast.east.pk, 10, 10)
    assert east["time"]["working_minutes"]["median"]["value"] == 60
    assert [group["priority"] for group in found["by_priority"]] == [3]
    assert (found["in_time"]["missed"], found["in_time"]["tickets_missed"]) == (1, 1)
