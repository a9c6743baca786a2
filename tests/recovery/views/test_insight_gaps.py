"""What was expected and stated importance on the page of drivers: sentence, picture, table, file, switch."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.utils.translation import override

from recovery.insight.definitions import DEFINITIONS
from recovery.views import insight_drivers
from recovery.views.insight_gaps import points_words
from surveys.estimates import Interval
from surveys.models import Answer, Question
from tests.make import DAY, MONDAY, Cast, make_response
from tests.recovery.views.conftest import SignIn
from tests.recovery.views.test_insight import queries, table, text
from tests.surveys.make import make_survey

LATER = MONDAY + 30 * DAY
ASKED_NOT = "Expectation is not asked: add a rating of the same driver"


@pytest.fixture(autouse=True)
def _april(monkeypatch: pytest.MonkeyPatch, clock: object) -> None:
    monkeypatch.setattr(insight_drivers, "now", lambda: LATER)


@pytest.fixture
def vera(cast: Cast, sign_in: SignIn) -> Client:
    return sign_in(cast.vera)


def asking(
    cast: Cast, *drivers: str, sorts: tuple[str, ...] = ("expected", "importance")
) -> dict[str, Question]:
    """By key: each driver, and what is asked beside it."""
    made = {}
    for driver in drivers:
        for asks in ("perceived", *sorts):
            key = driver if asks == "perceived" else f"{driver}-{asks}"
            beside = {} if asks == "perceived" else {"driver": driver, "asks": asks}
            made[key] = cast.survey.questions.create(
                key=key, kind=Question.RATING, position=9, text=driver.title(), **beside
            )
    return made


def said(cast: Cast, questions: dict[str, Question], score: int, **values: Any) -> None:
    response = make_response(cast.survey, score, customer=cast.customer(), at=values.pop("at", MONDAY))
    Answer.objects.bulk_create(
        Answer(response=response, question=questions[key.replace("_", "-")], value=value)
        for key, value in values.items()
    )


def test_several_drivers_of_which_all_said_the_same_are_not_all_the_same(cast: Cast, vera: Client) -> None:
    questions = asking(cast, "speed", "staff")
    speed = {"speed": 3, "speed_expected": 5, "speed_importance": 5}
    for number in range(40):
        staff = {"staff": 4, "staff_expected": 4, "staff_importance": 4}
        said(cast, questions, number % 11, **speed, **staff)
    shown = text(vera, "/insight/drivers/?from=2026-03-01")
    assert "−2.0, all the same" in shown
    assert "All together" not in shown
    assert "all, weighted" not in shown


def filled(cast: Cast, people: int = 40) -> None:
    """Speed falls short of what was expected by 1.5, staff exceeds it by 0.5; speed matters more."""
    questions = asking(cast, "speed", "staff")
    for number in range(people):
        odd = number % 2
        said(
            cast, questions, 5 * odd + number % 5,
            speed=2 + odd, speed_expected=4, speed_importance=4 + odd,
            staff=4 + odd, staff_expected=4, staff_importance=2 + odd,
        )  # fmt: skip


class TestGaps:
    def test_it_says_what_falls_short_and_draws_it(self, cast: Cast, vera: Client) -> None:
        filled(cast)
        shown = text(vera, "/insight/drivers/")
        assert "Below what was expected: Speed −1.5 (−1.7 to −1.3)." in shown
        assert "Above what was expected: Staff +0.5 (+0.3 to +0.7)." in shown
        # By hand: (4.5 x -1.5 + 2.5 x 0.5) / 7 = -5.5 / 7 = -0.79.
        assert "All together, weighted by stated importance: −0.8 (−0.9 to −0.6)." in shown
        assert "Speed 2.5 4.0 −1.5 (−1.7 to −1.3) 40 0 0 40" in shown
        assert "Staff 4.5 4.0 +0.5 (+0.3 to +0.7) 0 20 20 40" in shown
        page = vera.get("/insight/drivers/").content.decode()
        places = [
            page.index(part) for part in ('id="expected"', "Below what was", 'class="ranges', "Said both")
        ]
        assert places == sorted(places)
        for code in ("driver_gap", "weighted_gap", "driver_stated"):
            assert str(DEFINITIONS[code]) in shown

    def test_few_pairs_are_counts(self, cast: Cast, vera: Client) -> None:
        filled(cast, 9)
        shown = text(vera, "/insight/drivers/")
        assert "Fewer than ten people said of any driver both how it was and what they expected" in shown
        assert "Speed – – 9 below, 0 as expected, 0 above 9 0 0 9" in shown
        assert "All together" not in shown
        assert 'class="ranges' not in vera.get("/insight/drivers/").content.decode()

    def test_where_nothing_is_clear_it_says_so(self, cast: Cast, vera: Client) -> None:
        questions = asking(cast, "speed")
        for number in range(20):
            said(cast, questions, 5, speed=3 + number % 2, speed_expected=4 - number % 2)
        assert "No driver lies clearly below or above what was expected." in text(vera, "/insight/drivers/")

    def test_gaps_that_nothing_weighs_have_no_figure_together(self, cast: Cast, vera: Client) -> None:
        questions = asking(cast, "speed", sorts=("expected",))
        for number in range(20):
            said(cast, questions, number % 11, speed=3, speed_expected=4 + number % 2)
        shown = text(vera, "/insight/drivers/")
        assert "They cannot be weighted together: no driver has an importance above 0." in shown
        assert "all, weighted" not in shown

    def test_who_is_not_asked_is_told_what_to_do(self, cast: Cast, vera: Client) -> None:
        questions = asking(cast, "speed", sorts=())
        said(cast, questions, 5, speed=3)
        shown = text(vera, "/insight/drivers/")
        assert ASKED_NOT in shown
        assert "Gap" not in shown[: shown.index("How we know")]
        assert str(DEFINITIONS["driver_gap"]) not in shown

    def test_asked_but_never_said_is_no_figure(self, cast: Cast, vera: Client) -> None:
        questions = asking(cast, "speed")
        said(cast, questions, 5, speed=3)
        shown = text(vera, "/insight/drivers/")
        assert "Nobody has said both how it was and what they expected in this period." in shown
        assert ASKED_NOT not in shown

    def test_it_follows_the_filters_and_the_past_day(self, cast: Cast, vera: Client) -> None:
        filled(cast, 12)
        assert "Nobody has rated anything" in text(vera, "/insight/drivers/?from=2026-03-10")
        assert "Nobody has rated anything" in text(vera, "/insight/drivers/?touchpoint=moon")
        assert "Nobody has rated anything" in text(vera, "/insight/drivers/?from=2026-02-01&as_of=2026-03-01")
        other = make_survey("visits")
        assert "asks for no ratings" in text(vera, f"/insight/drivers/?survey={other.pk}")

    def test_one_gap_is_drawn_without_a_line_for_all(self, cast: Cast, vera: Client) -> None:
        questions = asking(cast, "speed")
        for number in range(12):
            said(cast, questions, number % 11, speed=2 + number % 2, speed_expected=4)
        page = vera.get("/insight/drivers/").content.decode()
        assert 'class="ranges' in page
        assert page.count("<title>all, weighted") == 0


class TestImportance:
    def test_the_map_goes_by_what_people_state_and_can_be_switched(self, cast: Cast, vera: Client) -> None:
        filled(cast)
        page, shown = vera.get("/insight/drivers/").content.decode(), text(vera, "/insight/drivers/")
        assert (
            "Improve now: Speed. People call it more important than the others, and rate it lower." in shown
        )
        assert "Stated importance Stated by" in shown
        assert "Speed 2.5 (2.3 to 2.7) 4.5 (4.3 to 4.7) 40 40 Improve now" in shown
        chosen = re.search(r'<a href="([^"]*)" aria-current="page">Importance as people state it', page)
        assert chosen
        switched = text(vera, "/insight/drivers/?importance=correlated")
        assert "Stated by" not in switched
        assert "weighted by how much each goes with the score" in switched
        assert str(DEFINITIONS["driver_importance"]) in switched
        assert str(DEFINITIONS["driver_stated"]) not in switched

    def test_an_unknown_importance_is_the_usual_one(self, cast: Cast, vera: Client) -> None:
        filled(cast)
        assert "Stated by" in text(vera, "/insight/drivers/?importance=moon")

    def test_where_nobody_asks_there_is_nothing_to_switch(self, cast: Cast, vera: Client) -> None:
        questions = asking(cast, "speed", sorts=())
        said(cast, questions, 5, speed=3)
        assert "Importance as people state it" not in text(vera, "/insight/drivers/?importance=stated")

    def test_few_statements_place_nothing(self, cast: Cast, vera: Client) -> None:
        filled(cast, 40)
        spoken = Answer.objects.filter(question__asks="importance").order_by("pk")
        Answer.objects.filter(pk__in=list(spoken.values_list("pk", flat=True)[20:])).delete()
        assert "not placed: fewer than 30 say how important it is" in text(
            vera, "/insight/drivers/?importance=stated"
        )

    def test_the_same_words_for_all_are_said(self, cast: Cast, vera: Client) -> None:
        questions = asking(cast, "speed")
        for number in range(30):
            said(cast, questions, number % 11, speed=2, speed_expected=4, speed_importance=5)
        shown = text(vera, "/insight/drivers/")
        assert "5.0, all the same" in shown
        assert "−2.0, all the same" in shown


class TestFile:
    def test_it_holds_the_numbers_of_the_page(self, cast: Cast, vera: Client) -> None:
        filled(cast)
        found = {(row[0], row[2]): row[3:9] for row in table(vera, "/insight/drivers/csv/")}
        gap = found["gap", "Speed"]
        assert gap[1:3] == ["40", "-1.5"]
        assert (round(float(gap[3]), 1), round(float(gap[4]), 1)) == (-1.7, -1.3)
        assert gap[5] == str(DEFINITIONS["driver_gap"])
        assert found["below what was expected", "Speed"][:2] == ["40", "40"]
        assert found["as expected", "Staff"][:2] == ["20", "40"]
        assert found["weighted gap", ""][1:3] == ["40", "-0.7857"]
        assert found["stated importance", "Speed"][1:3] == ["40", "4.5"]
        switched = {(row[0], row[2]) for row in table(vera, "/insight/drivers/csv/?importance=correlated")}
        assert ("importance", "Speed") in switched

    def test_the_page_links_the_file_of_its_importance(self, cast: Cast, vera: Client) -> None:
        filled(cast)
        page = vera.get("/insight/drivers/?importance=correlated").content.decode()
        assert "/insight/drivers/csv/?importance=correlated" in page


def test_many_answers_take_no_more_queries_than_few(cast: Cast, vera: Client) -> None:
    filled(cast, 1)
    few = queries(vera, "/insight/drivers/")
    questions = {each.key: each for each in cast.survey.questions.filter(kind=Question.RATING)}
    for _ in range(30):
        said(cast, questions, 5, speed=3, speed_expected=4, staff_importance=5)
    assert queries(vera, "/insight/drivers/") <= few
    assert few <= 20


def test_in_chinese_it_opens(cast: Cast, vera: Client) -> None:
    filled(cast)
    vera.cookies["django_language"] = "zh-hans"
    for importance in ("", "stated", "correlated"):
        assert vera.get(f"/insight/drivers/?importance={importance}").status_code == 200
        assert vera.get(f"/insight/drivers/csv/?importance={importance}").status_code == 200


@pytest.mark.parametrize(
    ("value", "ends", "words"),
    [
        (-1.25, Interval(-1.5, -1), "−1.2 (−1.5 to −1.0)"),
        (0.1, Interval(-0.02, 0.22), "+0.10 (−0.02 to +0.22)"),
        (0.0, Interval(-0.5, 0.5), "0.0 (−0.5 to +0.5)"),
        (-1.0, None, "−1.0, all the same"),
    ],
)
def test_each_end_shows_its_side_of_nought(value: float, ends: Interval | None, words: str) -> None:
    with override("en"):
        assert points_words(value, ends) == words
