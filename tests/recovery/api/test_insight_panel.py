"""The same people and what drives them, as JSON: the numbers of the pages; nothing unknown is accepted."""

from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User

from recovery.insight.definitions import DEFINITIONS
from surveys.models import Answer, Question
from tests.make import DAY, MONDAY, Cast, make_response
from tests.recovery.api.client import Client, reason_at
from tests.surveys.make import make_survey


@pytest.fixture(autouse=True)
def _later(clock: time_machine.Traveller) -> None:
    clock.move_to(MONDAY + 30 * DAY)


@pytest.fixture
def vera(cast: Cast) -> Client:
    return Client.of(cast.vera)


def numbers(client: Client, name: str, **query: Any) -> Any:
    answer = client.read(f"insight/{name}/", **query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def say(cast: Cast, *scores: int) -> None:
    who = cast.customer()
    for number, score in enumerate(scores):
        make_response(cast.survey, score, at=MONDAY + 10 * number * DAY, customer=who)


def test_the_panel_has_counts_intervals_and_definitions(cast: Cast, vera: Client) -> None:
    for scores in [(3, 9)] * 10 + [(9, 9)] * 4 + [(8,)] * 5:
        say(cast, *scores)
    found = numbers(vera, "panel", survey="delivery")
    assert (found["survey"], found["people"], found["answered_again"]) == ("delivery", 19, 14)
    assert found["matrix"]["passive"]["no_later"] == 5
    promoter = found["now"]["detractor"]["promoter"]
    assert (promoter["count"], promoter["of"], promoter["share"], promoter["bounds"]["of"]) == (10, 10, 1, 10)
    assert found["change"]["difference"] == pytest.approx(1000 / 7)
    assert found["change"]["definition"] == str(DEFINITIONS["panel_change"])
    assert found["waves"] is None


def test_two_waves_are_asked_for_by_four_days(cast: Cast, vera: Client) -> None:
    for _ in range(10):
        say(cast, 3, 9)
    say(cast, 3)
    days = {"first_from": "2026-03-01", "first_to": "2026-03-05", "second_from": "2026-03-06"}
    found = numbers(vera, "panel", **days, second_to="2026-03-20")["waves"]
    assert (found["people"], found["only_first"], found["only_second"]) == (10, 1, 0)
    assert (found["only_asked_again_in_first"], found["only_asked_again_in_second"]) == (0, 0)
    assert found["difference"] == 200
    missing = vera.read("insight/panel/", **days)
    assert missing.status_code == 400
    assert reason_at(missing, "second_to") == "This is required."
    assert (
        vera.read("insight/panel/", **{**days, "first_to": "2026-03-07"}, second_to="2026-03-20").status_code
        == 400
    )
    assert vera.read("insight/panel/", **days, second_to="soon").status_code == 400


def test_the_drivers_have_their_place_and_the_index(cast: Cast, vera: Client) -> None:
    keys = ("speed", "staff")
    questions = [cast.survey.questions.create(key=key, kind=Question.RATING, text=key) for key in keys]
    for number in range(40):
        response = make_response(cast.survey, number % 11)
        values = (1 + (number % 11) // 4, 4 + number % 2)
        Answer.objects.bulk_create(
            Answer(response=response, question=question, value=value)
            for question, value in zip(questions, values, strict=True)
        )
    found = numbers(vera, "drivers")
    assert (found["survey"], found["answers"]) == ("delivery", 40)
    speed, staff = found["drivers"]
    assert (speed["question"], speed["place"], speed["ratings"]) == ("speed", "improve", 40)
    assert staff["place"] == "nice"
    assert staff["mean"]["low"] < 4.5 < staff["mean"]["high"]
    assert speed["importance"]["low"] < speed["importance"]["value"] < speed["importance"]["high"]
    assert 0 <= found["index"]["low"] < found["index"]["value"] < found["index"]["high"] <= 100
    assert found["index"]["definition"] == str(DEFINITIONS["satisfaction_index"])


def test_gaps_and_stated_importance_come_with_counts_and_intervals(cast: Cast, vera: Client) -> None:
    keys = ("speed", "speed-expected", "speed-importance")
    sorts = ("perceived", "expected", "importance")
    questions = [
        cast.survey.questions.create(
            key=key, kind=Question.RATING, text=key, asks=asks, driver="" if key == "speed" else "speed"
        )
        for key, asks in zip(keys, sorts, strict=True)
    ]
    missing = vera.read("insight/drivers/", importance="stated")
    assert missing.status_code == 200, "it is asked, though nobody has said it"
    for number in range(40):
        response = make_response(cast.survey, number % 11)
        Answer.objects.bulk_create(
            Answer(response=response, question=question, value=value)
            for question, value in zip(questions, (2 + number % 2, 4, 5), strict=True)
        )
    found = numbers(vera, "drivers")
    assert (found["importance_by"], found["importance_is_asked"], found["expectation_is_asked"]) == (
        "stated",
        True,
        True,
    )
    (speed,) = found["drivers"]
    assert (speed["importance"]["value"], speed["importance"]["answers"]) == (5, 40)
    assert speed["importance"]["definition"] == str(DEFINITIONS["driver_stated"])
    gap = speed["gap"]
    assert (gap["value"], gap["pairs"], gap["below"], gap["perceived"], gap["expected"]) == (
        -1.5,
        40,
        40,
        2.5,
        4,
    )
    assert gap["low"] < -1.5 < gap["high"] < 0
    assert (found["gap"]["value"], found["gap"]["drivers"], found["gap"]["answers"]) == (-1.5, 1, 40)
    by_rank = numbers(vera, "drivers", importance="correlated")
    assert by_rank["importance_by"] == "correlated"
    assert vera.read("insight/drivers/", importance="moon").status_code == 400


def test_importance_that_nobody_asks_for_is_refused_by_name(cast: Cast, vera: Client) -> None:
    cast.survey.questions.create(key="speed", kind=Question.RATING, text="Speed")
    refused = vera.read("insight/drivers/", importance="stated")
    assert refused.status_code == 400
    assert reason_at(refused, "importance") == "This survey does not ask how important anything is."
    found = numbers(vera, "drivers")
    assert (found["expectation_is_asked"], found["drivers"][0]["gap"], found["gap"]["value"]) == (
        False,
        None,
        None,
    )


@pytest.mark.parametrize("name", ["panel", "drivers"])
def test_what_is_not_known_is_refused_by_name(cast: Cast, vera: Client, name: str) -> None:
    cast.survey.questions.create(key="speed", kind=Question.RATING, text="Speed")
    for query in ({"team": "East"}, {"colour": "red"}, {"survey": "none"}, {"from": "soon"}):
        answer = vera.read(f"insight/{name}/", **query)
        assert answer.status_code == 400, query
    assert numbers(vera, name, touchpoint="store", segment="tier:Gold")["touchpoint"] == "store"


def test_a_scale_is_named_by_its_number(cast: Cast, vera: Client) -> None:
    say(cast, 3)
    assert numbers(vera, "panel", scale="1")["people"] == 1
    for wrong in ("2", "0", "x", "-1"):
        assert vera.read("insight/panel/", scale=wrong).status_code == 400


def test_without_a_survey_it_is_said(cast: Cast, vera: Client) -> None:
    assert reason_at(vera.read("insight/drivers/"), "survey") == "There is no such survey."
    cast.survey.delete()
    assert reason_at(vera.read("insight/panel/"), "survey") == "There is no such survey."


def test_figures_are_everybodys_who_works_here(cast: Cast) -> None:
    say(cast, 3, 9)
    assert numbers(Client.of(cast.lina), "panel")["people"] == 1
    outsider = User.objects.create(username="outsider")
    assert Client.of(outsider).read("insight/panel/").status_code == 403
    assert Client().read("insight/panel/").status_code == 401


def test_the_most_answered_survey_is_taken(cast: Cast, vera: Client) -> None:
    other = make_survey("visits")
    make_response(other, 3, customer=cast.customer())
    assert numbers(vera, "panel")["survey"] == "visits"
