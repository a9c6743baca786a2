"""What was expected and how important it is: asked in the admin, on the page and in a file, and counted."""

from __future__ import annotations

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils.translation import override
from pytest_django import DjangoAssertNumQueries

from surveys.drivers import CORRELATED, STATED, driver_map, with_ratings
from surveys.intake.csv_file import Row
from surveys.intake.csv_mapping import profile_from_json
from surveys.intake.csv_rows import RowReader
from surveys.intake.record import record
from surveys.messages.links import make_link
from surveys.models import FormerScale, Invitation, PublicLink, Question, Response, Source, Survey
from surveys.results import Which
from tests.surveys.make import MONDAY, make_customer, make_survey
from tests.surveys.test_admin import SCORE, survey_form
from tests.surveys.test_drivers import rate

pytestmark = pytest.mark.django_db

SORTS = (Question.PERCEIVED, Question.EXPECTED, Question.IMPORTANCE)


def ask(survey: Survey, driver: str, *sorts: str) -> tuple[Question, ...]:
    """A rating of each sort, of one driver whose name is the key of the one how it was."""
    return tuple(
        survey.questions.create(
            key=driver if asks == Question.PERCEIVED else f"{driver}-{asks}",
            kind=Question.RATING,
            position=9,
            driver="" if asks == Question.PERCEIVED else driver,
            asks=asks,
            text=driver.title(),
        )
        for asks in sorts or SORTS
    )


class TestAdmin:
    @pytest.fixture
    def root(self, client: Client) -> Client:
        client.force_login(User.objects.create_superuser("root"))
        return client

    def rating(self, key: str, **fields: Any) -> dict[str, Any]:
        return {**SCORE, "key": key, "kind": "rating", **fields}

    def test_it_makes_a_driver_of_three_questions(self, root: Client) -> None:
        rows = [
            self.rating("speed"),
            self.rating("speed-before", driver="speed", asks="expected"),
            self.rating("speed-weight", driver="speed", asks="importance"),
        ]
        assert root.post("/admin/surveys/survey/add/", survey_form(SCORE, *rows)).status_code == 302
        found = Survey.objects.get().questions.filter(kind="rating")
        assert [(each.driver_key, each.asks) for each in found] == [("speed", asks) for asks in SORTS]
        page = unescape(root.get(f"/surveys/{Survey.objects.get().slug}/").content.decode())
        assert "speed: what was expected" in page

    @pytest.mark.parametrize(
        ("rows", "words"),
        [
            ([{"asks": "expected"}], "Say of which driver"),
            ([{"asks": "importance"}], "Say of which driver"),
            ([{"kind": "why", "driver": "speed"}], "Only a rating from 1 to 5 belongs to a driver"),
            ([{"kind": "why", "asks": "expected"}], "on the scale of how it was"),
            ([{"asks": "expected", "driver": "speed"}], "“speed” has no active question how it was"),
            (
                [{"key": "speed"}, {"key": "fast", "driver": "speed"}],
                "“speed” has 2 active questions of the sort “how it was”",
            ),
            (
                [
                    {"key": "speed"},
                    {"key": "a", "driver": "speed", "asks": "expected"},
                    {"key": "b", "driver": "speed", "asks": "expected"},
                ],
                "“speed” has 2 active questions of the sort “what was expected”",
            ),
        ],
    )
    def test_it_refuses_what_does_not_fit_together(
        self, root: Client, rows: list[dict[str, Any]], words: str
    ) -> None:
        asked = [self.rating(f"q{number}", **row) if "key" not in row else self.rating(**row)
                 for number, row in enumerate(rows)]  # fmt: skip
        answer = root.post("/admin/surveys/survey/add/", survey_form(SCORE, *asked))
        assert answer.status_code == 200
        assert words in unescape(answer.content.decode())
        assert not Survey.objects.exists()

    def test_a_former_question_may_be_of_the_same_driver(self, root: Client) -> None:
        rows = [self.rating("speed"), self.rating("fast", driver="speed", active="")]
        assert root.post("/admin/surveys/survey/add/", survey_form(SCORE, *rows)).status_code == 302

    def test_the_database_refuses_it_too(self) -> None:
        survey = make_survey()
        wrong: list[dict[str, Any]] = [
            {"kind": Question.WHY, "driver": "speed"},
            {"kind": Question.RATING, "asks": Question.EXPECTED},
        ]
        for fields in wrong:
            with pytest.raises(IntegrityError), transaction.atomic():
                survey.questions.create(key="x", text="x", **fields)
            with pytest.raises(ValidationError):
                Question(survey=survey, key="x", text="x", **fields).full_clean()

    def test_staff_read_which_of_them_it_is(self) -> None:
        perceived, expected, importance = ask(make_survey(), "speed")
        assert [str(each) for each in (perceived, expected, importance)] == [
            "Speed",
            "Speed (expected)",
            "Speed (importance)",
        ]
        assert expected.wording("text", "en") == "Speed", "a customer reads it below its own heading"


class TestAsked:
    def test_the_page_has_each_sort_under_its_own_heading_and_keeps_what_is_said(
        self, client: Client
    ) -> None:
        survey = make_survey()
        for driver in ("speed", "staff"):
            ask(survey, driver)
        invitation = Invitation.objects.create(
            survey=survey, customer=make_customer(), state="sent", send_at=MONDAY, created_at=MONDAY
        )
        ends = MONDAY + timedelta(days=14)
        url = make_link(PublicLink.SURVEY, at=MONDAY, expires_at=ends, invitation=invitation)
        url = url.removeprefix("http://localhost:8000")
        with time_machine.travel(MONDAY, tick=False):
            page = unescape(client.get(url).content.decode())
            heads = ("How good were these?", "How good did you expect these", "How important are these")
            places = [page.index(head) for head in heads]
            assert places == sorted(places)
            assert [page.count(head) for head in heads] == [1, 1, 1]
            assert page.count('name="a-staff-expected"') == 5
            assert places[1] < page.index('name="a-staff-expected"') < places[2]
            assert "(expected)" not in page
            said = {"a-speed": "2", "a-speed-expected": "4", "a-staff-importance": "5"}
            nonce = page.split('name="nonce" value="')[1].split('"')[0]
            wrong = client.post(url, {"nonce": nonce, "score": "3", **said, "a-speed-expected": "6"})
            assert wrong.status_code == 422 or "from 1 to 5" in unescape(wrong.content.decode())
            assert client.post(url, {"nonce": nonce, "score": "3", **said}).status_code == 302
        given = {each.question.key: each.value for each in Response.objects.get().answers.all()}
        assert given == {"speed": 2, "speed-expected": 4, "staff-importance": 5}

    def test_without_them_the_page_is_as_it_was(self, client: Client) -> None:
        survey = make_survey()
        ask(survey, "speed", Question.PERCEIVED)
        invitation = Invitation.objects.create(
            survey=survey, customer=make_customer(), state="sent", send_at=MONDAY, created_at=MONDAY
        )
        ends = MONDAY + timedelta(days=14)
        url = make_link(PublicLink.SURVEY, at=MONDAY, expires_at=ends, invitation=invitation)
        with time_machine.travel(MONDAY, tick=False):
            page = client.get(url.removeprefix("http://localhost:8000")).content.decode()
        assert "How good were these?" in page
        assert "expect these" not in page
        assert "How important" not in page

    def test_a_file_brings_them_by_their_keys(self) -> None:
        survey = make_survey()
        ask(survey, "speed")
        source = Source.objects.create(slug="shop", name="Shop", survey=survey)
        answers = {key: key for key in ("speed", "speed-expected")}
        profile = profile_from_json({"columns": {"answers": answers}})
        reader = RowReader(profile, ["external_id", "score", "speed", "speed-expected"], source, survey)
        record(reader.draft(Row(1, 2, ["a", "5", "2", "5"]), MONDAY), at=MONDAY)
        (driver,) = driver_map(survey, Which()).drivers
        assert driver.gap is not None
        assert [(pair.perceived, pair.expected) for pair in driver.gap.pairs] == [(2, 5)]


class TestCounted:
    def test_only_answers_that_say_both_are_paired(self) -> None:
        survey = make_survey()
        was, expected, importance = ask(survey, "speed")
        rate(survey, 5, {was: 2, expected: 4, importance: 5})
        rate(survey, 5, {was: 5})
        rate(survey, 5, {expected: 1})
        rate(survey, 5, {importance: 3})
        rate(survey, 5, {was: 3, expected: 9})
        rate(survey, 5, {was: 2, expected: 4}, state="withdrawn")
        found = driver_map(survey, Which())
        (driver,) = found.drivers
        assert driver.gap is not None
        assert [pair.gap for pair in driver.gap.pairs] == [-2]
        assert (driver.n, driver.stated, found.answers) == (3, (5, 3), 3)

    def test_what_was_expected_of_another_driver_is_not(self) -> None:
        survey = make_survey()
        speed, expected, _importance = ask(survey, "speed")
        (staff,) = ask(survey, "staff", Question.PERCEIVED)
        for _ in range(10):
            rate(survey, 5, {speed: 2, staff: 5, expected: 4})
        by_key = {driver.question.key: driver for driver in driver_map(survey, Which()).drivers}
        assert by_key["staff"].gap is None
        assert by_key["speed"].gap is not None
        assert by_key["speed"].gap.value == -2

    def test_the_questions_beside_are_no_drivers(self) -> None:
        survey, other = make_survey(), make_survey("other")
        ask(survey, "speed")
        ask(other, "staff", Question.EXPECTED)
        assert [each.question.key for each in driver_map(survey, Which()).drivers] == ["speed"]
        assert with_ratings([survey, other]) == [survey]

    def test_what_was_said_on_a_former_scale_is_left_out(self) -> None:
        survey = make_survey()
        FormerScale.objects.create(survey=survey, until=MONDAY, lowest=1, highest=5, low_cut=2, high_cut=4)
        was, expected, importance = ask(survey, "speed")
        rate(survey, 5, {was: 1, expected: 5, importance: 1}, at=MONDAY - timedelta(days=1))
        rate(survey, 5, {was: 4, expected: 5, importance: 5})
        found = driver_map(Survey.objects.get(pk=survey.pk), Which())
        assert found.drivers[0].gap is not None
        assert [pair.gap for pair in found.drivers[0].gap.pairs] == [-1]
        assert (found.drivers[0].stated, found.elsewhere) == ((5,), 1)

    def test_it_follows_the_period_the_touchpoint_and_the_past_day(self) -> None:
        survey = make_survey()
        was, expected, _importance = ask(survey, "speed")
        rate(survey, 5, {was: 1, expected: 5})
        rate(survey, 5, {was: 4, expected: 5}, at=MONDAY + timedelta(days=3), touchpoint="store")

        def gaps(**which: Any) -> list[int]:
            found = driver_map(survey, Which(**which)).drivers[0].gap
            return [pair.gap for pair in found.pairs] if found else []

        assert gaps() == [-4, -1]
        assert gaps(since=MONDAY + timedelta(days=1)) == [-1]
        assert gaps(touchpoint="store") == [-1]
        assert gaps(at=MONDAY + timedelta(days=1)) == [-4]

    def test_a_question_that_replaced_another_goes_on_with_its_pairs(self) -> None:
        survey = make_survey()
        was, former, _importance = ask(survey, "speed")
        rate(survey, 5, {was: 1, former: 2})
        Question.objects.filter(pk=former.pk).update(active=False)
        now = survey.questions.create(
            key="before", kind=Question.RATING, driver="speed", asks=Question.EXPECTED, text="Before"
        )
        rate(survey, 5, {was: 1, now: 3})
        rate(survey, 5, {was: 1, now: 4, former: 1})
        (driver,) = driver_map(survey, Which()).drivers
        assert driver.gap is not None
        assert sorted(pair.gap for pair in driver.gap.pairs) == [-3, -2, -1]


class TestStatedImportance:
    def filled(self, people: int = 40) -> Survey:
        """Speed matters most to people but does not go with the score; with staff it is the other way."""
        survey = make_survey()
        speed, _expected, speed_weight = ask(survey, "speed")
        staff, _expected, staff_weight = ask(survey, "staff")
        for number in range(people):
            rate(
                survey,
                number % 11,
                {
                    speed: 1 + number % 3,
                    speed_weight: 4 + number % 2,
                    staff: 1 + (number % 11) // 3,
                    staff_weight: 2 + number % 2,
                },
            )
        return survey

    def test_where_it_is_asked_the_map_goes_by_it(self) -> None:
        survey = self.filled()
        found = driver_map(survey, Which())
        assert (found.by, found.is_stated) == (STATED, True)
        assert [(each.question.key, each.importance) for each in found.drivers] == [
            ("speed", 4.5),
            ("staff", 2.5),
        ]
        ends = found.drivers[0].importance_interval
        assert ends is not None
        assert ends.low < 4.5 < ends.high
        other = driver_map(survey, Which(), CORRELATED)
        assert [each.question.key for each in other.drivers] == ["staff", "speed"]
        assert other.by == CORRELATED

    def test_the_index_and_the_gap_are_weighted_by_it(self) -> None:
        found = driver_map(self.filled(), Which())
        speed, staff = found.drivers
        assert found.index is not None
        assert speed.mean is not None
        assert staff.mean is not None
        mean = (4.5 * speed.mean + 2.5 * staff.mean) / 7
        assert found.index.value == pytest.approx(25 * (mean - 1))

    def test_few_statements_leave_it_to_the_correlation_unless_asked_for(self) -> None:
        survey = self.filled(29)
        assert driver_map(survey, Which()).by == CORRELATED
        by_wish = driver_map(survey, Which(), STATED)
        assert by_wish.by == STATED
        assert not by_wish.placed

    def test_below_ten_it_has_no_figure(self) -> None:
        found = driver_map(self.filled(9), Which(), STATED)
        assert [(each.importance, each.importance_interval, each.weight) for each in found.drivers] == [
            (None, None, 0.0),
            (None, None, 0.0),
        ]

    def test_what_nobody_asks_cannot_be_chosen(self) -> None:
        survey = make_survey()
        ask(survey, "speed", Question.PERCEIVED)
        found = driver_map(survey, Which(), STATED)
        assert (found.by, found.is_stated) == (CORRELATED, False)

    def test_it_asks_the_database_no_more_often(
        self, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        survey = self.filled()
        with django_assert_max_num_queries(4):
            assert len(driver_map(survey, Which()).drivers) == 2


def test_in_chinese_it_is_one_sentence() -> None:
    _was, expected, _importance = ask(make_survey(), "speed")
    with override("zh-hans"):
        assert "Speed" in str(expected)
