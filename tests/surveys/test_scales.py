"""A survey whose scale changes: an answer is judged by the scale of its day, and an administrator says so."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.test import Client

from dispatch import clock
from surveys.intake.banding import band_again
from surveys.intake.csv_file import Row
from surveys.intake.csv_mapping import profile_from_json
from surveys.intake.csv_rows import RowReader
from surveys.intake.page import draft_from_page
from surveys.intake.parse import draft_from_json
from surveys.intake.record import ResponseDraft, record
from surveys.intake.text import InputError, InputErrors
from surveys.models import FormerScale, Invitation, Response, Source, Survey
from tests.surveys.make import MONDAY, make_customer, make_survey
from tests.surveys.test_results import answer

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
FIVE = {"lowest": 1, "highest": 5, "best": "max", "low_cut": 2, "high_cut": 4}


@pytest.fixture
def survey() -> Survey:
    """From 1 to 5 until Monday, from 0 to 10 since."""
    survey = make_survey()
    survey.former_scales.create(until=MONDAY, **FIVE)
    return survey


@pytest.fixture
def source() -> Source:
    return Source.objects.create(slug="shop", name="Shop")


def test_it_knows_the_scale_of_every_moment(survey: Survey) -> None:
    assert survey.scale_at(MONDAY - DAY).highest == 5
    assert survey.scale_at(MONDAY).highest == 10
    assert survey.band(5, MONDAY - DAY) == "promoter"
    assert survey.band(5, MONDAY) == survey.band(5) == "detractor"
    assert survey.band(None, MONDAY) == ""


def test_it_leaves_out_what_a_person_said_on_another_scale(survey: Survey) -> None:
    answer(survey, 5, at=MONDAY - DAY)
    answer(survey, 9, at=MONDAY)
    answer(make_survey("returns"), 3, at=MONDAY - DAY)
    scores = Response.objects.counted().on_todays_scale().order_by("score").values_list("score", flat=True)
    assert list(scores) == [3, 9]


class TestIntake:
    def sent(self, survey: Survey, source: Source, score: int, **fields: Any) -> Response:
        body = {"survey": survey.slug, "external_id": "r-1", "score": score, **fields}
        draft = draft_from_json(body, source=source, at=MONDAY + DAY)
        return record(draft, at=MONDAY + DAY).response

    def test_it_bands_an_answer_by_the_scale_of_its_day(self, survey: Survey, source: Source) -> None:
        yesterday = (MONDAY - DAY).isoformat()
        assert self.sent(survey, source, 5, submitted_at=yesterday).band == "promoter"

    def test_it_bands_an_answer_of_today_by_the_scale_of_today(self, survey: Survey, source: Source) -> None:
        assert self.sent(survey, source, 5).band == "detractor"

    def test_it_refuses_a_score_that_the_scale_of_its_day_does_not_hold(
        self, survey: Survey, source: Source
    ) -> None:
        with pytest.raises(InputErrors, match="1 to 5"):
            self.sent(survey, source, 9, submitted_at=(MONDAY - DAY).isoformat())
        assert self.sent(survey, source, 9).band == "promoter"

    def test_it_reads_a_file_by_the_scale_of_each_row(self, survey: Survey, source: Source) -> None:
        heading = ["external_id", "score", "submitted_at"]
        reader = RowReader(profile_from_json({}), heading, source, survey)
        old = reader.draft(Row(1, 2, ["a", "5", (MONDAY - DAY).isoformat()]), MONDAY + DAY)
        assert record(old, at=MONDAY + DAY).response.band == "promoter"
        with pytest.raises(InputError):
            reader.draft(Row(2, 3, ["b", "9", (MONDAY - DAY).isoformat()]), MONDAY + DAY)
        assert reader.draft(Row(3, 4, ["b", "9", MONDAY.isoformat()]), MONDAY + DAY).score == 9

    def test_it_asks_the_page_by_the_scale_of_now(self, survey: Survey) -> None:
        invitation = Invitation.objects.create(
            survey=survey, customer=make_customer(), state="sent", send_at=MONDAY, created_at=MONDAY
        )
        questions = list(survey.questions.all())
        draft = draft_from_page(invitation, questions, {"score": "9"}, language="en", at=MONDAY)
        assert draft.score == 9
        with pytest.raises(InputErrors):
            draft_from_page(invitation, questions, {"score": "9"}, language="en", at=MONDAY - DAY)

    def test_it_bands_anew_what_was_said_again_on_the_new_scale(self, survey: Survey, source: Source) -> None:
        for updated_at, band in ((MONDAY - DAY, "promoter"), (MONDAY + DAY, "detractor")):
            draft = ResponseDraft(
                survey=survey, source=source, external_id="r-2", score=5, updated_at=updated_at
            )
            assert record(draft, at=MONDAY + 2 * DAY).response.band == band


class TestBands:
    def test_it_gives_every_answer_the_band_of_its_scale(self) -> None:
        survey = make_survey()
        answer(survey, 1, 3, 5, at=MONDAY - DAY)
        answer(survey, 1, 8, 10, at=MONDAY)
        survey.former_scales.create(until=MONDAY, **FIVE)
        assert band_again(survey) == 2, "3 and 5 were low on the wide scale"
        rows = Response.objects.order_by("answered_at", "score").values_list("band", flat=True)
        assert list(rows) == ["detractor", "passive", "promoter", "detractor", "passive", "promoter"]
        assert band_again(survey) == 0

    def test_it_leaves_a_score_that_is_on_no_scale_as_it_came(self) -> None:
        survey = make_survey()
        answer(survey, 9, None, at=MONDAY - DAY)
        survey.former_scales.create(until=MONDAY, **FIVE)
        assert band_again(survey) == 0


class TestAdmin:
    @pytest.fixture
    def root(self, client: Client) -> Client:
        client.force_login(User.objects.create_superuser("root"))
        return client

    @pytest.fixture
    def plain(self) -> Survey:
        return make_survey("returns")

    def form(self, survey: Survey, *former: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """The change page as a browser sends it back."""
        form: dict[str, Any] = {
            **{name: getattr(survey, name) for name in ("name", "name_zh", "line", "kind", *FIVE)},
            **{name: getattr(survey, name) for name in ("answer_days", "cooldown_days")},
            "resurvey_after_minutes": 60,
            "active": "on",
            "questions-TOTAL_FORMS": survey.questions.count(),
            "questions-INITIAL_FORMS": survey.questions.count(),
            "former_scales-TOTAL_FORMS": len(former),
            "former_scales-INITIAL_FORMS": sum("id" in each for each in former),
            **changes,
        }
        for number, question in enumerate(survey.questions.all()):
            fields = {"id": question.pk, "survey": survey.pk, "active": "on", "options": "[]"}
            fields |= {name: getattr(question, name) for name in ("key", "kind", "position", "text", "asks")}
            form |= {f"questions-{number}-{name}": value for name, value in fields.items()}
        for number, each in enumerate(former):
            fields = {"survey": survey.pk, **each}
            form |= {f"former_scales-{number}-{name}": value for name, value in fields.items()}
        return form

    def save(self, root: Client, survey: Survey, *former: dict[str, Any], **changes: Any) -> str:
        """What the administrator is told."""
        url = f"/admin/surveys/survey/{survey.pk}/change/"
        given = root.post(url, self.form(survey, *former, **changes))
        assert given.status_code == 302, given.content.decode()
        return " ".join(str(each) for each in get_messages(given.wsgi_request))

    def test_it_keeps_the_former_scale_when_a_survey_with_answers_gets_another(
        self, root: Client, plain: Survey
    ) -> None:
        answer(plain, 9)
        said = self.save(root, plain, **FIVE)
        kept = FormerScale.objects.get()
        assert (kept.lowest, kept.highest, kept.best, kept.low_cut, kept.high_cut) == (0, 10, "max", 6, 9)
        assert abs(kept.until - clock.now()) < timedelta(minutes=1)
        assert "stay on the former scale, 0–10" in said
        plain.refresh_from_db()
        assert plain.scale.highest == 5
        assert plain.scale_at(MONDAY).highest == 10

    def test_it_keeps_the_former_cut_points_too(self, root: Client, plain: Survey) -> None:
        answer(plain, 9)
        self.save(root, plain, low_cut=5)
        assert FormerScale.objects.get().low_cut == 6

    def test_it_keeps_nothing_where_nobody_has_answered_or_nothing_changed(
        self, root: Client, plain: Survey
    ) -> None:
        self.save(root, plain, **FIVE)
        plain.refresh_from_db()
        answer(plain, 5)
        self.save(root, plain, name="Returns")
        assert not FormerScale.objects.exists()

    def test_it_takes_the_day_from_whoever_declares_it_and_bands_anew(
        self, root: Client, plain: Survey
    ) -> None:
        answer(plain, 10, at=MONDAY - DAY)
        answer(plain, 5, 4, at=MONDAY)
        day = {"until_0": MONDAY.date().isoformat(), "until_1": "00:00:00"}
        old = {"lowest": 0, "highest": 10, "best": "max", "low_cut": 6, "high_cut": 9, **day}
        said = self.save(root, plain, old, **FIVE)
        assert FormerScale.objects.count() == 1
        assert "2 answers have another band" in said
        assert list(Response.objects.order_by("id").values_list("band", flat=True)) == ["promoter"] * 3

    def test_it_refuses_a_former_scale_that_is_none_or_has_not_ended(
        self, root: Client, plain: Survey
    ) -> None:
        url = f"/admin/surveys/survey/{plain.pk}/change/"
        day = {"until_0": "2026-03-02", "until_1": "00:00:00"}
        bad = {**FIVE, **day, "low_cut": 4}
        late = {**FIVE, "until_0": "2199-03-02", "until_1": "00:00:00"}
        for row, reason in ((bad, "better than the last low"), (late, "lies in the future")):
            page = root.post(url, self.form(plain, row)).content.decode()
            assert reason in page
        assert not FormerScale.objects.exists()

    def test_it_shows_and_corrects_the_scales_of_before(self, root: Client, survey: Survey) -> None:
        page = root.get(f"/admin/surveys/survey/{survey.pk}/change/").content.decode()
        assert 'name="former_scales-0-highest"' in page
        row = survey.former_scales.get()
        day = {"until_0": "2026-02-01", "until_1": "00:00:00"}
        self.save(root, survey, {"id": row.pk, **FIVE, **day})
        row.refresh_from_db()
        assert row.until.month in (1, 2)
        assert row.until < MONDAY
