"""What they said: sentences, pictures and tables that agree, for any survey, any group and any day."""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime
from html import unescape
from itertools import count

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from recovery.insight.definitions import DEFINITIONS
from recovery.models import Target
from recovery.views import insight_survey_words as words
from recovery.views import insight_surveys, insight_surveys_csv
from surveys.estimates import Difference, Interval
from surveys.models import Customer, Invitation, Response, Source, Survey
from surveys.results import Which, breakdown_of, results_of
from tests.make import DAY, MONDAY, Cast
from tests.recovery.views.conftest import SignIn
from tests.surveys.make import make_survey

LATER = MONDAY + 30 * DAY
PAGE, FILE = "/insight/surveys/", "/insight/surveys/csv/"
_serial = count(1)


@pytest.fixture(autouse=True)
def _april(monkeypatch: pytest.MonkeyPatch, clock: object) -> None:
    for door in (insight_surveys, insight_surveys_csv):
        monkeypatch.setattr(door, "now", lambda: LATER)


@pytest.fixture
def vera(cast: Cast, sign_in: SignIn) -> Client:
    return sign_in(cast.vera)


def said(
    survey: Survey, *scores: int, at: datetime = MONDAY, customer: Customer | None = None, **fields: str
) -> None:
    source, _made = Source.objects.get_or_create(slug="file", defaults={"name": "File"})
    Response.objects.bulk_create(
        Response(
            survey=survey,
            source=source,
            external_id=f"i{next(_serial)}",
            score=score,
            band=survey.band(score),
            answered_at=at,
            received_at=at,
            payload_hash="-",
            customer=customer,
            **fields,
        )
        for score in scores
    )


def invited(cast: Cast, *states: str, at: datetime = MONDAY) -> None:
    for state in states:
        Invitation.objects.create(
            survey=cast.survey,
            customer=cast.customer(),
            state=state,
            send_at=at,
            sent_at=None if state in ("held", "planned") else at,
            reason="cooldown" if state == "held" else "",
            created_at=at,
        )


def text(client: Client, address: str = PAGE) -> str:
    """What a page says, without its markup."""
    answer = client.get(address)
    assert answer.status_code == 200
    page = answer.content.decode()
    body = page[page.index("<main") : page.index("</main>")]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body)))


def many(cast: Cast) -> None:
    """Two branches of forty, one clearly worse, and a small one."""
    said(cast.survey, *[10] * 30, *[8] * 5, *[3] * 5, touchpoint="Branch 1")
    said(cast.survey, *[10] * 8, *[8] * 8, *[3] * 24, touchpoint="Branch 4")
    said(cast.survey, *[10] * 4, *[3] * 2, touchpoint="Kiosk")


class TestPage:
    def test_it_is_a_sentence_then_the_picture_then_the_table_then_the_small_print(
        self, cast: Cast, vera: Client
    ) -> None:
        many(cast)
        page = vera.get(PAGE).content.decode()
        places = [
            page.index(part)
            for part in ('class="stat"', 'class="levels', "<table", 'id="groups"', 'id="how"')
        ]
        assert places == sorted(places)
        assert "The NPS is +13 (−6 to +31), from 86 answers." in text(vera)

    def test_it_says_how_many_were_given_when_asked_again(self, cast: Cast, vera: Client) -> None:
        """Two: one withdrawn, one given long before and one to a first invitation are none of them."""
        many(cast)
        assert "asked again after a low score." not in text(vera).split("How we know")[0]
        asked: list[tuple[str, datetime, str]] = [
            (Invitation.RESURVEY, MONDAY, "complete"),
            (Invitation.RESURVEY, MONDAY, "complete"),
            (Invitation.RESURVEY, MONDAY, Response.WITHDRAWN),
            (Invitation.RESURVEY, MONDAY - 200 * DAY, "complete"),
            (Invitation.SURVEY, MONDAY, "complete"),
        ]
        for purpose, at, state in asked:
            said(cast.survey, 10, at=at, state=state)
            answer = Response.objects.latest("pk")
            answer.invitation = Invitation.objects.create(
                survey=cast.survey,
                customer=cast.customer(),
                purpose=purpose,
                state=Invitation.ANSWERED,
                send_at=at,
                sent_at=at,
                created_at=at,
            )
            answer.save()
        page = text(vera)
        assert "from 89 answers." in page
        assert "2 of them were given when asked again after a low score." in page

    def test_it_prints_the_definition_of_every_number(self, cast: Cast, vera: Client) -> None:
        many(cast)
        invited(cast, "sent", "answered")
        page = text(vera)
        names = ("nps", "nps_bounds", "survey_response", "survey_difference", "survey_parts", "survey_scales")
        assert [name for name in names if str(DEFINITIONS[name]) not in page] == []

    def test_it_shows_how_many_gave_each_score(self, cast: Cast, vera: Client) -> None:
        many(cast)
        page = text(vera)
        assert "10 promoters 42 49 %" in page
        assert "3 detractors 31 36 %" in page
        assert "4 detractors 0 0 %" in page

    def test_the_silent_are_one_click_from_the_nps(self, cast: Cast, vera: Client) -> None:
        many(cast)
        invited(cast, *["sent"] * 14)
        page = vera.get(PAGE).content.decode()
        assert "<details" in page
        said_so = text(vera)
        assert "14 people were asked and have not answered" in said_so
        assert "the NPS would be −3 to +25" in said_so

    def test_it_says_how_it_was_in_the_period_before(self, cast: Cast, vera: Client) -> None:
        many(cast)
        said(cast.survey, *[3] * 38, *[10] * 2, at=MONDAY - 80 * DAY)
        assert "It is 103 points higher (" in text(vera)
        Response.objects.filter(answered_at__lt=MONDAY).delete()
        said(cast.survey, *[10] * 38, *[3] * 2, at=MONDAY - 80 * DAY)
        assert "It is 77 points lower (" in text(vera)
        Response.objects.filter(answered_at__lt=MONDAY).delete()
        assert "From the period before there are 0 answers, too few to compare with." in text(vera)

    def test_a_headline_is_a_group_somebody_can_act_on(self, cast: Cast, vera: Client) -> None:
        """Neither one of a dozen answers nor those of whom nothing is known, however far away they are."""
        said(cast.survey, *[10] * 60, touchpoint="Branch 1")
        said(cast.survey, *[2] * 12, touchpoint="Kiosk")
        assert "No group with a name and 30 answers or more differs clearly" not in text(vera)
        assert "Branch 1: " in text(vera).split("by account")[1].split("Groups of")[0]
        Response.objects.filter(touchpoint="Branch 1").update(touchpoint="")
        sentence = text(vera).split("by account")[1]
        assert "No group with a name and 30 answers or more differs clearly" in sentence
        assert "Kiosk: " not in sentence.split("Smaller groups")[0]

    def test_it_says_so_where_nothing_is_clear(self, cast: Cast, vera: Client) -> None:
        said(cast.survey, *[10] * 20, *[3] * 20)
        said(cast.survey, *[10] * 21, *[3] * 19, at=MONDAY - 80 * DAY)
        assert "No clear difference to the period before, of the same length (+5 from 40 answers)" in text(
            vera
        )

    @pytest.mark.parametrize("n", [1, 9])
    def test_it_gives_counts_from_fewer_than_ten(self, cast: Cast, vera: Client, n: int) -> None:
        said(cast.survey, *[10] * n, touchpoint="Branch 1")
        page = text(vera)
        assert "too few for a figure: " in page
        assert "%" not in page.split("How we know")[1].split("Who says so")[0]

    def test_it_speaks_of_satisfaction_and_effort_in_shares(self, cast: Cast, vera: Client) -> None:
        csat = make_survey("shop", kind="csat", lowest=1, highest=5, low_cut=2, high_cut=4)
        said(csat, *[5] * 30, *[1] * 10)
        page = text(vera, f"{PAGE}?survey={csat.pk}")
        assert "75 % are satisfied (60 % to 86 %), of 40 answers." in page
        # Student's t with 39 degrees of freedom: 4 ± 2.0227 x 1.7541 / sqrt(40)
        assert "The mean is 4.00 (3.44 to 4.56)." in page
        assert "kept silent" not in page
        ces = make_survey("effort", kind="ces", lowest=1, highest=7, low_cut=3, high_cut=5)
        said(ces, *[7] * 12)
        assert "100 % say it was easy" in text(vera, f"{PAGE}?survey={ces.pk}")

    def test_it_begins_with_the_survey_most_people_answered_and_names_the_others(
        self, cast: Cast, vera: Client
    ) -> None:
        said(cast.survey, *[9] * 3)
        shop = make_survey("shop", name="Shop visit")
        said(shop, *[9] * 5)
        page = text(vera)
        assert "What they said · Shop visit" in page
        assert "The other surveys Delivery · 3 answers" in page

    def test_nothing_is_said_kindly(self, cast: Cast, vera: Client) -> None:
        assert "Nobody answered in this period." in text(vera)
        make_survey("shop")
        assert "No answer in this period" in text(vera)


class TestGroups:
    def test_a_branch_that_is_worse_is_named_in_the_sentence(self, cast: Cast, vera: Client) -> None:
        many(cast)
        page = text(vera)
        assert re.search(r"Branch 4: 9\d points lower \(\d+ to \d+\) than the others", page)
        assert "Kiosk detractors 2, passives 0, promoters 4" in page

    def test_two_groups_are_put_side_by_side_in_one_sentence(self, cast: Cast, vera: Client) -> None:
        many(cast)
        page = text(vera, f"{PAGE}?by=touchpoint&one=Branch+4&other=Branch+1")
        assert "Branch 4 really differs from Branch 1: 102 points lower (" in page
        few = text(vera, f"{PAGE}?by=touchpoint&one=Branch+4&other=Kiosk")
        assert "To compare them takes 10 answers of each." in few
        assert "Choose two different groups." in text(vera, f"{PAGE}?one=Kiosk&other=Kiosk")
        assert "Choose two different groups." in text(vera, f"{PAGE}?one=Kiosk&other=gone")

    def test_groups_that_do_not_differ_are_not_said_to(self, cast: Cast, vera: Client) -> None:
        said(cast.survey, *[10] * 20, *[3] * 15, touchpoint="Branch 1")
        said(cast.survey, *[10] * 18, *[3] * 15, touchpoint="Branch 4")
        assert "2 groups were compared with the others: none differs clearly." in text(vera)
        two = text(vera, f"{PAGE}?one=Branch+4&other=Branch+1")
        assert "Between Branch 4 and Branch 1 there is no clear difference (" in two

    @pytest.mark.parametrize(
        ("by", "name"),
        [
            ("tier", "Gold"),
            ("account", "Acme"),
            ("language", "简体中文"),
            ("attribute:region", "East"),
            ("choice:what", "Late"),
            ("channel", "phone"),
        ],
    )
    def test_it_tells_answers_apart_by_whatever_there_is(
        self, cast: Cast, vera: Client, by: str, name: str
    ) -> None:
        from surveys.models import Account, Answer

        acme = Account.objects.create(name="Acme")
        gold = cast.customer(tier="Gold", account=acme, attributes={"region": "East"})
        said(cast.survey, 9, 9, customer=gold, locale="zh-hans", channel="phone")
        said(cast.survey, 2)
        question = cast.survey.questions.create(
            key="what", kind="choice", text="What?", options=[{"code": "late", "en": "Late", "zh": "晚"}]
        )
        for response in Response.objects.filter(score=9):
            Answer.objects.create(response=response, question=question, value="late")
        page = text(vera, f"{PAGE}?by={by}")
        assert f"{name} detractors 0, passives 0, promoters 2" in page
        assert "not known detractors 1" in page or by in ("language",)

    def test_an_unknown_grouping_is_the_usual_one(self, cast: Cast, vera: Client) -> None:
        many(cast)
        assert "Branch 4" in text(vera, f"{PAGE}?by=nonsense")

    def test_a_hundred_groups_are_not_a_hundred_rows(self, cast: Cast, vera: Client) -> None:
        for number in range(60):
            said(cast.survey, 9, touchpoint=f"Branch {number:02}")
        assert "20 smaller groups are in the CSV file only." in text(vera)


class TestScales:
    def test_it_counts_former_scales_beside_the_figure(self, cast: Cast, vera: Client) -> None:
        said(cast.survey, *[5] * 12)
        said(cast.survey, *[10] * 12, at=MONDAY + 8 * DAY)
        cast.survey.former_scales.create(until=MONDAY + 7 * DAY, lowest=1, highest=5, low_cut=2, high_cut=4)
        page = text(vera)
        assert "The NPS is +100" in page
        assert "12 answers on another scale, 1–5, are not in it." in page
        assert "The scale has changed since the period before: the two are not compared." in page
        assert "scale changed" in vera.get(PAGE).content.decode()

    def test_it_tells_two_scales_of_the_same_ends_apart(self, cast: Cast, vera: Client) -> None:
        said(cast.survey, *[9] * 12)
        said(cast.survey, *[9] * 12, at=MONDAY + 8 * DAY)
        cast.survey.former_scales.create(until=MONDAY + 7 * DAY, lowest=0, highest=10, low_cut=5, high_cut=9)
        assert "12 answers on another scale, 0–10 (5 and worse is low), are not in it." in text(vera)

    def test_it_asks_whether_the_scale_changed_and_where_to_say_so(
        self, cast: Cast, vera: Client, sign_in: SignIn
    ) -> None:
        said(cast.survey, *[0, 5, 8, 10] * 10, at=MONDAY - 10 * DAY)
        said(cast.survey, *[0, 2, 4, 5] * 10, at=MONDAY)
        page = text(vera)
        assert "From March 2026 on nobody gave more than 5: has the scale changed?" in page
        assert "An administrator can say so" in page
        cast.admin.is_staff = True
        cast.admin.save()
        cast.admin.user_permissions.add(Permission.objects.get(codename="change_survey"))
        shown = sign_in(cast.admin).get(PAGE).content.decode()
        assert f"/admin/surveys/survey/{cast.survey.pk}/change/" in shown


class TestFilters:
    def test_each_narrows_but_the_team_which_says_so(self, cast: Cast, vera: Client) -> None:
        gold = cast.customer(tier="Gold")
        said(cast.survey, *[10] * 10, customer=gold, channel="page", locale="en")
        said(cast.survey, *[3] * 10, at=MONDAY + DAY, touchpoint="Kiosk", channel="file", locale="zh-hans")
        for query, answers in (
            ("", 20),
            ("to=2026-03-02", 10),
            ("from=2026-03-03", 10),
            ("touchpoint=Kiosk", 10),
            ("segment=tier:Gold", 10),
            ("segment=channel:file", 10),
            ("segment=language:EN", 10),
            ("as_of=2026-03-02", 10),
            (f"team={cast.west.pk}", 20),
        ):
            assert f"from {answers} answers." in text(vera, f"{PAGE}?{query}"), query
        assert "An answer belongs to no team" in text(vera, f"{PAGE}?team={cast.west.pk}")

    def test_a_segment_by_attribute_narrows_answers_and_invitations(self, cast: Cast, vera: Client) -> None:
        said(cast.survey, *[10] * 10, customer=cast.customer(attributes={"region": "East"}))
        said(cast.survey, *[3] * 10)
        invited(cast, "sent")
        page = text(vera, f"{PAGE}?segment=attribute:region%3DEast")
        assert "from 10 answers." in page
        assert "Nobody was asked by invitation in this period." in page

    def test_a_channel_says_nothing_of_those_who_kept_silent(self, cast: Cast, vera: Client) -> None:
        said(cast.survey, *[10] * 10, channel="page")
        invited(cast, "sent")
        page = text(vera, f"{PAGE}?segment=channel:page")
        assert "kept silent" not in page
        assert "Who was asked" not in page

    def test_a_past_day_shows_what_stood_then(self, cast: Cast, vera: Client) -> None:
        said(cast.survey, *[10] * 10)
        said(cast.survey, *[3] * 10, at=MONDAY + 5 * DAY)
        assert "The answers themselves" in text(vera)
        page = text(vera, f"{PAGE}?as_of=2026-03-04")
        assert "The answers themselves" not in page, "that list knows no past day"
        assert "As it stood on" in page
        assert "The NPS is +100" in page


class TestAsking:
    def test_it_says_who_was_asked_and_who_never_was(self, cast: Cast, vera: Client) -> None:
        said(cast.survey, 9)
        invited(cast, *["answered"] * 6, *["sent"] * 6, "held", "planned")
        page = text(vera)
        assert "Response 50 % (25 to 75) · 6 of 12 asked" in page
        assert "Never asked, because:" in page
        assert "will be asked when it is due (1)" in page


class TestCsv:
    def rows(self, client: Client, query: str = "") -> list[list[str]]:
        answer = client.get(f"{FILE}?{query}")
        assert answer.status_code == 200
        return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))

    def test_it_holds_the_numbers_of_the_page(self, cast: Cast, vera: Client) -> None:
        many(cast)
        invited(cast, *["answered"] * 6, *["sent"] * 6)
        rows = self.rows(vera)
        results = results_of(cast.survey, Which(MONDAY - 60 * DAY, LATER))
        interval = results.figure.interval
        assert interval is not None
        numbers = [str(round(each, 4)) for each in (results.figure.value or 0, interval.low, interval.high)]
        assert rows[1][:7] == ["NPS", "", "", "86", *numbers]
        found = {tuple(row[:3]): row[3:8] for row in rows}
        assert found["score", "", "10"][:2] == ["42", str(round(42 / 86, 4))]
        assert found["response", "", ""][:2] == ["6", "0.5"]
        assert found["NPS", "by touchpoint", "Kiosk"][:4] == ["6", "", "", ""], "fewer than ten"
        part = breakdown_of(results, "touchpoint").part("Branch 4")
        assert part is not None
        assert part.difference is not None
        assert found["against all the others", "by touchpoint", "Branch 4"][1] == str(
            round(part.difference.value, 4)
        )
        assert all(row[8] for row in rows)

    def test_it_follows_the_filters_of_the_page(self, cast: Cast, vera: Client) -> None:
        many(cast)
        page = vera.get(f"{PAGE}?touchpoint=Kiosk&by=tier").content.decode()
        assert "csv/?touchpoint=Kiosk&amp;by=tier" in page
        assert self.rows(vera, "touchpoint=Kiosk&by=tier")[1][3] == "6"

    def test_no_name_is_run_as_a_formula(self, cast: Cast, vera: Client) -> None:
        said(cast.survey, 9, touchpoint="=1+1")
        assert "'=1+1" in [row[2] for row in self.rows(vera)]

    def test_it_is_empty_but_for_its_heading_where_there_is_nothing(self, cast: Cast, vera: Client) -> None:
        make_survey("shop")
        assert len(self.rows(vera)) == 1


class TestWords:
    @pytest.mark.parametrize(
        ("value", "low", "high", "words_said"),
        [
            (-12.2, -21, -3, "12 points lower (3 to 21)"),
            (1.2, 0.6, 3, "1 point higher (1 to 3)"),
            (5, 1, 9, "5 points higher (1 to 9)"),
            (5, 0.4, 9.6, "5.0 points higher (0.4 to 9.6)"),
            (-5, -9.6, -0.4, "5.0 points lower (0.4 to 9.6)"),
        ],
    )
    def test_a_clear_difference_is_said_without_signs(
        self, value: float, low: float, high: float, words_said: str
    ) -> None:
        difference = Difference(value, Interval(low, high))
        assert words.higher_or_lower("nps", difference) == words_said
        share = Difference(value / 100, Interval(low / 100, high / 100))
        assert words.higher_or_lower("csat", share) == words_said

    def test_an_unclear_one_with_them(self) -> None:
        assert words.unclear("nps", Difference(-4, Interval(-12, 4))) == "−4 points, −12 to +4"


class TestWhoSees:
    def test_figures_are_everybodys(self, cast: Cast, sign_in: SignIn) -> None:
        many(cast)
        for user in (cast.lina, cast.ann, cast.wu, cast.vera):
            assert "from 86 answers." in text(sign_in(user))

    @pytest.mark.parametrize("address", [PAGE, FILE])
    def test_nobody_else_comes_in(self, cast: Cast, client: Client, address: str) -> None:
        assert client.get(address).status_code == 302
        assert client.post(address).status_code in (302, 405)

    @pytest.mark.parametrize("query", ["", "by=tier", "one=Kiosk&other=Branch+4", "segment=x", "from=%00"])
    def test_it_speaks_chinese_and_breaks_nowhere(self, cast: Cast, vera: Client, query: str) -> None:
        many(cast)
        vera.cookies["django_language"] = "zh-hans"
        assert vera.get(f"{PAGE}?{query}").status_code == 200
        assert vera.get(f"{FILE}?{query}").status_code == 200
        with override("zh-hans"):
            assert words.headline(results_of(cast.survey, Which()).figure)


@pytest.mark.parametrize("query", ["", "by=account", "by=choice:what", "as_of=2026-03-04"])
@pytest.mark.parametrize("address", [PAGE, FILE])
def test_it_asks_the_database_as_often_for_many_as_for_few(
    cast: Cast, vera: Client, address: str, query: str
) -> None:
    cast.survey.questions.create(key="what", kind="choice", text="What?", options=[{"code": "a", "en": "A"}])
    said(cast.survey, 9)
    few = queries(vera, f"{address}?{query}")
    many(cast)
    for number in range(20):
        said(cast.survey, *[number % 11] * 5, at=MONDAY - 7 * number * DAY, touchpoint=f"T{number}")
    assert queries(vera, f"{address}?{query}") == few <= 22


def test_the_trend_has_the_surveys_next_target_as_a_line(cast: Cast, vera: Client) -> None:
    for week in range(2):
        said(cast.survey, *[10] * 8, *[2] * 4, at=MONDAY + 7 * week * DAY)
    assert "mark-target" not in vera.get(PAGE).content.decode()
    Target.objects.create(metric="nps", survey=cast.survey, value=60, by_day=LATER.date())
    page = vera.get(PAGE).content.decode()
    assert page.count("mark-target") == 2  # the wide picture and the narrow one
    assert "target +60 or more by 1 Apr 2026" in page


def test_the_numbers_of_the_page_take_at_most_twelve_queries(cast: Cast, vera: Client) -> None:
    many(cast)
    make_survey("shop")
    everything = queries(vera, f"{PAGE}?by=account&as_of=2026-03-30")
    frame = queries(vera, f"{PAGE}?to=1999-01-01")
    assert everything - frame <= 12


def queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        client.get(address)
    return len(captured)
