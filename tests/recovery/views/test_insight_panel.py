"""The pages of the same people and of what drives them: sentence, picture, table, people and file."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from recovery.insight.definitions import DEFINITIONS
from recovery.views import insight_drivers, insight_panel, insight_panel_csv, insight_panel_people
from surveys.models import Answer, FormerScale, Invitation, Question, Survey
from tests.make import DAY, MONDAY, Cast, make_response
from tests.recovery.insight.histories import low
from tests.recovery.views.conftest import SignIn
from tests.recovery.views.test_insight import table, text
from tests.surveys.make import make_survey

LATER = MONDAY + 30 * DAY
PAGES = ("panel/", "panel/people/", "panel/csv/", "drivers/", "drivers/csv/")


@pytest.fixture(autouse=True)
def _april(monkeypatch: pytest.MonkeyPatch, clock: object) -> None:
    for door in (insight_panel, insight_panel_people, insight_panel_csv, insight_drivers):
        monkeypatch.setattr(door, "now", lambda: LATER)


@pytest.fixture
def vera(cast: Cast, sign_in: SignIn) -> Client:
    """An analyst sees everybody."""
    return sign_in(cast.vera)


def say(cast: Cast, *scores: int, survey: Survey | None = None, who: Any = None) -> Any:
    """One person's answers, ten days apart."""
    who = who or cast.customer()
    for number, score in enumerate(scores):
        make_response(survey or cast.survey, score, at=MONDAY + 10 * number * DAY, customer=who)
    return who


def rated(cast: Cast, people: int = 40) -> list[Question]:
    """Speed goes with the score and is rated low, staff is rated high whatever the score, price by few."""
    keys = ("speed", "staff", "price")
    questions = [
        cast.survey.questions.create(key=key, kind=Question.RATING, position=9, text=key.title())
        for key in keys
    ]
    for number in range(people):
        response = make_response(cast.survey, number % 11, customer=cast.customer())
        values = [1 + (number % 11) // 4, 4 + number % 2, 1 + number % 5]
        Answer.objects.bulk_create(
            Answer(response=response, question=question, value=value)
            for question, value in zip(questions, values, strict=True)
            if question.key != "price" or number < 12
        )
    return questions


class TestPanel:
    def test_it_is_a_sentence_then_the_picture_then_the_table(self, cast: Cast, vera: Client) -> None:
        say(cast, 3, 9)
        page = vera.get("/insight/panel/").content.decode()
        places = [page.index(part) for part in ('class="stat"', "picture-wide", "<table", 'id="how"')]
        assert places == sorted(places)
        said = text(vera, "/insight/panel/")
        assert "1 person answered on the scale 0–10; 1 of them answered again." in said
        assert "1 person answered twice: too few for a figure" in said
        assert "not why" in said
        assert all(str(DEFINITIONS[code]) in said for code in ("panel_people", "panel_now", "panel_change"))

    def test_it_says_how_the_same_people_changed(self, cast: Cast, vera: Client) -> None:
        for scores in [(3, 9)] * 10 + [(9, 9)] * 4 + [(8,)] * 5:
            say(cast, *scores)
        said = text(vera, "/insight/panel/")
        assert (
            "The same 14 people: NPS −43 at first, +100 by their latest answer: 143 points higher (" in said
        )
        assert "no longer detractors: 100 % (72 to 100)." in said

    def test_the_most_answered_survey_is_shown_unless_another_is_asked_for(
        self, cast: Cast, vera: Client
    ) -> None:
        other = make_survey("visits", name="Visits")
        say(cast, 3, 9)
        say(cast, 3, survey=other)
        assert "The same people · Delivery" in text(vera, "/insight/panel/")
        said = text(vera, f"/insight/panel/?survey={other.pk}")
        assert "The same people · Visits" in said
        assert "1 person answered" in said
        assert "Nobody has answered again yet" in said

    def test_a_satisfaction_survey_speaks_of_high_and_low(self, cast: Cast, vera: Client) -> None:
        csat = make_survey("help", kind="csat", lowest=1, highest=5, low_cut=2, high_cut=4)
        for scores in [(1, 5)] * 6 + [(4, 4)] * 6:
            say(cast, *scores, survey=csat)
        said = text(vera, f"/insight/panel/?survey={csat.pk}")
        assert "50 % were satisfied at first, 100 % by their latest answer: 50 points higher" in said
        assert "Began low" in said
        assert "etractor" not in said[: said.index("How we know", said.index("Two waves"))]

    def test_each_scale_can_be_looked_at(self, cast: Cast, vera: Client) -> None:
        FormerScale.objects.create(
            survey=cast.survey, until=MONDAY + 5 * DAY, lowest=1, highest=5, low_cut=2, high_cut=4
        )
        who = say(cast, 5)
        make_response(cast.survey, 7, at=MONDAY + 10 * DAY, customer=who)
        said = text(vera, "/insight/panel/")
        assert "1 person answered on the scale 0–10; 0 of them answered again." in said
        assert "1 people above who answered on another scale too" in said
        assert "scale 1–5, until 7 Mar 2026" in said
        former = text(vera, "/insight/panel/?scale=1")
        assert "1 person answered on the scale 1–5" in former
        assert "no such scale" in text(vera, "/insight/panel/?scale=3")
        assert "no such scale" in text(vera, "/insight/panel/?scale=x")

    def test_a_scale_that_seems_to_have_changed_is_asked_about_and_not_compared_across(
        self, cast: Cast, vera: Client
    ) -> None:
        for number in range(40):
            who = cast.customer()
            make_response(cast.survey, number % 11, at=MONDAY, customer=who)
            make_response(cast.survey, number % 6, at=MONDAY - 10 * DAY, customer=who)
        said = text(vera, "/insight/panel/")
        assert "Before March 2026 nobody gave more than 5: has the scale changed?" in said
        assert "Only answers from that month on are compared here." in said
        assert "40 people answered on the scale 0–10; 0 of them answered again." in said
        assert "An administrator can say so" in said
        names = [row[0] for row in table(vera, "/insight/panel/csv/")]
        assert "Before March 2026 nobody gave more than 5: has the scale changed?" in names

    def test_two_waves_are_chosen_on_the_page(self, cast: Cast, vera: Client) -> None:
        for _ in range(12):
            say(cast, 3, 9)
        say(cast, 3)
        days = "first_from=2026-03-01&first_to=2026-03-05&second_from=2026-03-06&second_to=2026-03-20"
        said = text(vera, f"/insight/panel/?{days}")
        assert "The same 12 people: NPS −100 in the first wave, +100 in the second: 200 points higher" in said
        assert "Answered in both waves: 12 ; in the first only: 1 ; in the second only: 0" in said
        people = text(vera, f"/insight/panel/people/?{days}&wave=only_first")
        assert "answered in the first wave only" in people
        assert people.count("Score 3") == 1

    def test_who_answered_in_a_wave_only_when_asked_again_is_counted_beside_it(
        self, cast: Cast, vera: Client
    ) -> None:
        """Thirteen said 3 and then 9, one of them when asked again: twelve are compared."""
        for _ in range(12):
            say(cast, 3, 9)
        who = say(cast, 3)
        again = Invitation.objects.create(
            survey=cast.survey,
            customer=who,
            purpose=Invitation.RESURVEY,
            state=Invitation.ANSWERED,
            send_at=MONDAY,
            created_at=MONDAY,
        )
        make_response(cast.survey, 9, at=MONDAY + 10 * DAY, customer=who, invitation=again)
        days = "first_from=2026-03-01&first_to=2026-03-05&second_from=2026-03-06&second_to=2026-03-20"
        said = text(vera, f"/insight/panel/?{days}")
        assert "The same 13 people: NPS −100 at first" in said
        assert "The later answers include those to being asked again after a low score." in said
        assert "The same 12 people: NPS −100 in the first wave" in said
        assert "answers to being asked again after a low score are left out here" in said
        assert "in the second only: 0 ; only asked again in the second: 1" in said
        people = text(vera, f"/insight/panel/people/?{days}&wave=again_second")
        assert "answered in the second wave only when asked again" in people
        assert people.count("Score 9") == 1
        rows = {row[0]: row[3] for row in table(vera, f"/insight/panel/csv/?{days}")}
        assert rows["answered in the second wave only when asked again"] == "1"

    def test_the_waves_are_the_halves_of_the_period_unless_others_are_asked_for(
        self, cast: Cast, vera: Client
    ) -> None:
        say(cast, 3, 9)
        page = vera.get("/insight/panel/?from=2026-03-01&to=2026-03-20").content.decode()
        for day in ("2026-03-01", "2026-03-10", "2026-03-11", "2026-03-20"):
            assert f'value="{day}"' in page

    def test_waves_that_overlap_are_refused_beside_what_was_typed(self, cast: Cast, vera: Client) -> None:
        say(cast, 3, 9)
        days = "first_from=2026-03-01&first_to=2026-03-10&second_from=2026-03-10&second_to=2026-03-20"
        said = text(vera, f"/insight/panel/?{days}")
        assert "the first ends before the second begins" in said
        assert "in the first wave" not in said
        page = vera.get(f"/insight/panel/?{days}").content.decode()
        assert 'name="second_to" value="2026-03-20"' in page
        assert "is no day" in text(vera, "/insight/panel/?first_from=monday")

    def test_nothing_is_said_kindly(self, cast: Cast, vera: Client) -> None:
        assert "Nobody has answered in this period" in text(vera, "/insight/panel/")
        assert "Nobody to show behind this number" in text(vera, "/insight/panel/people/")
        cast.survey.delete()
        assert "There is no survey yet" in text(vera, "/insight/panel/")
        assert "Nobody to show" in text(vera, "/insight/panel/people/")
        assert len(table(vera, "/insight/panel/csv/")) == 1


class TestPeople:
    def test_a_cell_opens_whom_it_counts(self, cast: Cast, vera: Client) -> None:
        up, same = say(cast, 3, 9, 5), say(cast, 3, 4)
        say(cast, 9)
        now = vera.get("/insight/panel/people/?first=detractor&state=detractor").content.decode()
        assert f"/customers/{up.pk}/" in now
        assert f"/customers/{same.pk}/" in now
        ever = vera.get("/insight/panel/people/?first=detractor&state=promoter&column=ever").content.decode()
        assert f"/customers/{up.pk}/" in ever
        assert f"/customers/{same.pk}/" not in ever
        assert "Nobody to show" in text(vera, "/insight/panel/people/?state=nonsense")
        assert "Nobody to show" in text(vera, "/insight/panel/people/?wave=third")

    def test_an_agent_sees_their_own_people_only_and_how_many_there_are(
        self, cast: Cast, sign_in: SignIn
    ) -> None:
        mine, theirs = low(cast), low(cast, team=cast.west)
        say(cast, 3)
        page = sign_in(cast.lina).get("/insight/panel/people/").content.decode()
        assert f"/customers/{mine.customer_id}/" in page
        assert f"/customers/{theirs.customer_id}/" not in page
        assert "2 of them are not shown" in page
        assert "3 people answered" in text(sign_in(cast.lina), "/insight/panel/")

    def test_an_answer_of_somebody_elses_ticket_tells_nothing(self, cast: Cast, sign_in: SignIn) -> None:
        who = low(cast, survey=make_survey("visits")).customer
        low(cast, customer=who, team=cast.west, score=1)
        page = sign_in(cast.lina).get(f"/insight/panel/people/?survey={cast.survey.pk}").content.decode()
        assert "Score 1" not in page
        assert "1 of them is not shown" in page

    def test_nobody_else_comes_in(self, cast: Cast, client: Client) -> None:
        for page in PAGES:
            assert client.get(f"/insight/{page}").status_code == 302


class TestDrivers:
    def test_it_says_what_to_improve_and_what_is_not_placed(self, cast: Cast, vera: Client) -> None:
        rated(cast)
        said = text(vera, "/insight/drivers/")
        assert "Improve now: Speed." in said
        assert "Satisfaction index: " in said
        assert "From 40 answers with ratings" in said
        assert "not placed: fewer than 30 ratings" in said
        page = vera.get("/insight/drivers/").content.decode()
        places = [page.index(part) for part in ('class="stat"', "driver-map", "<table", 'id="how"')]
        assert places == sorted(places)
        for code in ("driver_mean", "driver_importance", "driver_map", "satisfaction_index"):
            assert str(DEFINITIONS[code]) in said

    def test_where_intervals_overlap_the_middle_page_file_and_picture_give_no_order(
        self, cast: Cast, vera: Client
    ) -> None:
        """Both follow the score; Speed has two in forty rated a point lower."""
        questions = [
            cast.survey.questions.create(key=key, kind=Question.RATING, position=9, text=key.title())
            for key in ("speed", "staff")
        ]
        for number in range(40):
            response = make_response(cast.survey, number % 11, customer=cast.customer())
            staff = 2 + (number % 11) // 4 + number % 2
            for question, value in zip(questions, (staff - (number in (3, 7)), staff), strict=True):
                Answer.objects.create(response=response, question=question, value=value)
        page = vera.get("/insight/drivers/").content.decode()
        said = text(vera, "/insight/drivers/")
        headline = "No driver stands out: their intervals overlap the middle. The lowest rated is Speed, "
        assert headline in said
        assert "Improve now:" not in said
        assert "Keep it up:" not in said
        # In the table, and in both pictures for each of the two.
        assert page.count("too close to tell") >= 6
        assert page.count('class="tone-silent"') == 4
        rows = [row[0] for row in table(vera, "/insight/drivers/csv/")]
        assert rows.count("too close to tell") == 2

    def test_one_driver_is_listed_without_a_picture(self, cast: Cast, vera: Client) -> None:
        _speed, staff, _price = rated(cast)
        Answer.objects.filter(question=staff).delete()
        said = text(vera, "/insight/drivers/")
        assert "1 driver has the 30 ratings it takes to be placed; a map needs two." in said
        assert "not placed: it stands alone" in said
        assert "driver-map" not in vera.get("/insight/drivers/").content.decode()

    def test_few_ratings_have_no_figure(self, cast: Cast, vera: Client) -> None:
        rated(cast, people=9)
        said = text(vera, "/insight/drivers/")
        assert "0 drivers have the 30 ratings" in said
        assert "Satisfaction index: " not in said[: said.index("How we know")]

    def test_nothing_is_said_kindly(self, cast: Cast, vera: Client) -> None:
        assert "asks for no ratings" in text(vera, "/insight/drivers/")
        assert len(table(vera, "/insight/drivers/csv/")) == 1
        cast.survey.questions.create(key="speed", kind=Question.RATING, position=9, text="Speed")
        assert "Nobody has rated anything" in text(vera, "/insight/drivers/")


class TestFiles:
    def test_the_file_of_the_panel_holds_the_numbers_of_the_page(self, cast: Cast, vera: Client) -> None:
        for scores in [(3, 9)] * 10 + [(9, 9)] * 4 + [(8,)] * 5:
            say(cast, *scores)
        rows = table(vera, "/insight/panel/csv/")
        found = {tuple(row[:3]): row[3:8] for row in rows}
        assert found["Promoter", "", "Began as detractors"][:2] == ["10", "10"]
        assert found["No later answer", "", "Began as passives"][:2] == ["5", "5"]
        assert found["Promoter now", "", "All"][:3] == ["14", "14", "1.0"]
        assert found["Promoter now", "bounds", "All"][1:] == ["19", "", "0.7368", "1.0"]
        assert found["first answer", "", ""][2] == "-42.8571"
        assert ["change", "142.8571"] in [[row[0], row[5]] for row in rows]
        assert all(row[8] for row in rows)

    def test_the_file_of_the_drivers_holds_the_numbers_of_the_page(self, cast: Cast, vera: Client) -> None:
        rated(cast)
        rows = table(vera, "/insight/drivers/csv/")
        found = {(row[0], row[2]): row[3:8] for row in rows}
        assert found["mean rating", "Staff"][1:3] == ["40", "4.5"]
        assert found["Improve now", "Speed"][1] == "40"
        assert found["not placed: fewer than 30 ratings", "Price"][1] == "12"
        assert ("satisfaction index", "") in found


@pytest.mark.parametrize("page", PAGES)
def test_it_asks_the_database_as_often_for_many_as_for_few(cast: Cast, vera: Client, page: str) -> None:
    say(cast, 3, 9)
    rated(cast, people=1)
    few = queries(vera, f"/insight/{page}")
    for _ in range(9):
        say(cast, 3, 9, 4)
    assert queries(vera, f"/insight/{page}") <= few
    assert few <= 20


@pytest.mark.parametrize("page", ["panel/", "panel/people/", "drivers/"])
def test_the_numbers_of_a_page_take_at_most_twelve_queries(cast: Cast, vera: Client, page: str) -> None:
    rated(cast, people=12)
    say(cast, 3, 9)
    frame = queries(vera, "/insight/causes/?to=1999-01-01")
    assert queries(vera, f"/insight/{page}") - frame <= 12


def queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def test_both_languages_work(cast: Cast, vera: Client) -> None:
    rated(cast, people=31)
    for _ in range(12):
        say(cast, 3, 9)
    vera.cookies["django_language"] = "zh-hans"
    for page in PAGES:
        assert vera.get(f"/insight/{page}").status_code == 200


def test_a_period_of_one_day_has_no_halves(cast: Cast, vera: Client) -> None:
    say(cast, 3)
    day = date(2026, 3, 2)
    assert "1 person answered" in text(vera, f"/insight/panel/?from={day}&to={day}")
    after = day + timedelta(days=1)
    typed = f"first_from={day}&first_to={day}&second_from={after}&second_to={after}"
    assert "Nobody answered in both waves" in text(vera, f"/insight/panel/?from={day}&to={day}&{typed}")
