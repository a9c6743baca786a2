from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from html import unescape

import pytest
from django.test import Client

from recovery.models import HoldOut, ReportMail, Target
from recovery.views import (
    insight,
    insight_board,
    insight_mails,
    insight_surveys,
    insight_targets,
    insight_tickets,
    insight_times,
    insight_value_people,
)
from tests.kept import kept
from tests.make import DAY, MONDAY, Cast
from tests.recovery.insight.histories import ended_hold_out, loop, low, put_right
from tests.recovery.views.conftest import SignIn
from tests.recovery.views.test_insight import text
from tests.recovery.views.test_insight_same import count_of
from tests.recovery.views.test_insight_value import count_on, queries
from tests.surveys.make import make_survey

LATER = MONDAY + 30 * DAY
DOORS = (
    insight_board,
    insight_mails,
    insight_surveys,
    insight_targets,
    insight_tickets,
    insight_times,
    insight_value_people,
)


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
        loop(cast, 3, reached=False)
    put_right(cast, low(cast))
    low(cast, customer=cast.customer(annual_value=Decimal(1000)))
    Target.objects.create(metric="recovered", value=40, by_day=date(2026, 6, 30))


class TestPage:
    def test_it_has_a_sentence_a_picture_five_figures_targets_causes_and_how_we_know(
        self, cast: Cast, vera: Client
    ) -> None:
        filled(cast)
        page = vera.get("/insight/board/").content.decode()
        parts = (
            'class="stat"',
            "picture-wide",
            'class="five"',
            "board-targets",
            "board-causes",
            "definition method",
        )
        places = [page.index(part) for part in parts]
        assert places == sorted(places)
        said = text(vera, "/insight/board/")
        assert "22 low scores came in. We reached 10 of these customers" in said
        assert "15 points" not in said
        assert "100 points more" in said
        assert "Recovered 50 % (30 to 70) 10 of 20" in said
        assert "Value at risk 975 (950 to 1,000)" in said
        assert "Late delivery 21 of 21" in said
        assert "cannot tell yet" in said
        assert "How we know: every low score counts" in said

    def test_its_numbers_open_what_they_count(self, cast: Cast, vera: Client) -> None:
        filled(cast)
        page = vera.get("/insight/board/").content.decode()
        for address in sorted(set(re.findall(r'href="(/insight/(?:tickets|value/customers)[^"]*)"', page))):
            assert vera.get(unescape(address)).status_code == 200, address

    def test_filters_and_the_past_hold(self, cast: Cast, vera: Client) -> None:
        low(cast)
        low(cast, team=cast.west)
        assert "1 low score came in" in text(vera, f"/insight/board/?team={cast.west.pk}")
        assert "As it stood on" in text(vera, "/insight/board/?from=2026-03-01&as_of=2026-03-02")

    def test_nothing_is_said_kindly(self, vera: Client) -> None:
        said = text(vera, "/insight/board/")
        for words in ("No low score came in.", "No target is set", "No cause is known yet."):
            assert words in said

    def test_it_speaks_chinese(self, cast: Cast, vera: Client) -> None:
        filled(cast)
        vera.cookies["django_language"] = "zh-hans"
        assert vera.get("/insight/board/").status_code == 200

    def test_nobody_else_comes_in(self, cast: Cast, client: Client) -> None:
        for page in ("board", "mails"):
            assert client.get(f"/insight/{page}/").status_code == 302

    def test_it_asks_the_database_as_often_for_many_as_for_few(self, cast: Cast, vera: Client) -> None:
        filled(cast)
        few = queries(vera, "/insight/board/")
        filled(cast)
        assert queries(vera, "/insight/board/") == few
        assert few <= 45


RANDOMISED = (
    "Do calls help? · Randomised: of those followed up at once who answered, 80 % are no longer detractors,"
    " of those followed up later 40 %: no clear difference (+40 points, −2 to +67)."
)


class TestHoldOut:
    def test_the_randomised_answer_stands_before_the_observed_one(self, cast: Cast, vera: Client) -> None:
        filled(cast)
        ended_hold_out(cast)
        said = text(vera, "/insight/board/")
        observed = said.index("Of those who answered again")
        assert said.index(RANDOMISED) < observed
        assert said.index("Not randomised: people who can be reached may differ.") > observed
        assert "By lot: while a hold-out runs, a keyed hash" in said
        page = vera.get("/insight/board/").content.decode()
        sentences = re.findall(r'<p class="([^"]*)">(?:(?!</p>).)*(?:andomised)', page, re.DOTALL)
        assert sentences[:2] == ["stat-sentence", "stat-sentence"], "both in the same size"

    def test_it_says_what_the_report_says(
        self, cast: Cast, vera: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(insight, "now", lambda: LATER)
        ended_hold_out(cast)
        link = re.search(r'href="([^"]*#hold-out)"', vera.get("/insight/board/").content.decode())
        assert link
        assert RANDOMISED in text(vera, unescape(link[1]).partition("#")[0])

    def test_one_ended_by_hand_says_so(self, cast: Cast, vera: Client) -> None:
        ended_hold_out(cast, planned=50)
        said = text(vera, "/insight/board/")
        assert "Do calls help? · Randomised, but ended by hand after 10 of 50" in said

    @pytest.mark.parametrize(
        ("ended_at", "query"),
        [
            pytest.param(LATER + DAY, "", id="it runs"),
            pytest.param(MONDAY + DAY, "?from=2026-03-02&as_of=2026-03-17", id="some may still answer"),
            pytest.param(MONDAY + DAY, "?from=2026-03-10", id="over before the period"),
        ],
    )
    def test_what_is_not_to_be_judged_is_not_on_the_sheet(
        self, cast: Cast, vera: Client, ended_at: datetime, query: str
    ) -> None:
        ended_hold_out(cast, ended_at=ended_at)
        HoldOut.objects.create(name="Planned", survey=cast.survey)
        said = text(vera, f"/insight/board/{query}")
        assert "Do calls help?" not in said
        assert "By lot" not in said

    def test_it_takes_five_queries_more_however_many_were_drawn(self, cast: Cast, vera: Client) -> None:
        filled(cast)
        for _ in range(20):
            low(cast)
        without = queries(vera, "/insight/board/")
        ended_hold_out(cast)
        assert queries(vera, "/insight/board/") <= without + 5
        ended_hold_out(cast)
        assert queries(vera, "/insight/board/") <= without + 5


LINK = re.compile(r'<a[^>]*href="([^"]*)"[^>]*>(.*?)</a>((?:</b>)?\s*(?:<span[^>]*>)?[^<]*)', re.DOTALL)
PAST = "?from=2026-03-01&to=2026-03-04&as_of=2026-03-04"


class TestTheNumberBehind:
    """Whatever number is opened, the page that opens says the same one."""

    @pytest.mark.parametrize("query", ["", PAST, "?touchpoint=Pudong+store"])
    def test_it_is_the_same_for_every_number_of_the_page(self, cast: Cast, vera: Client, query: str) -> None:
        filled(cast)
        for score in (10, 10, 9, 9, 10, 8, 7, 9, 3, 10, 9, 9):
            cast.response(score, at=MONDAY, touchpoint="Pudong store")
        cast.response(1, at=MONDAY - 200 * DAY)
        Target.objects.create(metric="nps", value=40, by_day=date(2026, 6, 30), survey=cast.survey)
        Target.objects.create(metric="contacted_in_time", value=90, by_day=date(2026, 6, 30))
        page = vera.get(f"/insight/board/{query}").content.decode()
        opened = 0
        for url, shown, after in LINK.findall(page[page.index("<article") : page.index("</article>")]):
            address, number = unescape(url), unescape(shown).strip()
            if address.startswith("/insight/surveys/"):
                figure, ends = re.fullmatch(r"(\S+) \((.*)\)", number).groups()  # type: ignore[union-attr]
                said = text(vera, address)
                beside = re.search(r"([\d,]+) answers", after)
                assert f"The NPS is {figure} ({ends}), from" in said
                assert not beside or f"from {beside[1]} answers" in said
            elif address.startswith("/insight/times/"):
                assert f"Contacted in time: {number}" in text(vera, address)
            elif address.startswith("/insight/value/"):
                customers = re.search(r"(\d+) customers?\b", after)
                assert customers
                assert count_on(vera, address) == int(customers[1])
            elif address.startswith("/insight/tickets/"):
                assert count_on(vera, address) == count_of(shown, after), address
            else:
                raise AssertionError(address)
            opened += 1
        assert opened >= (3 if "touchpoint" in query else 9), "no low score came from that touchpoint"

    def test_the_nps_has_its_sign_and_all_filters_go_with_it(self, cast: Cast, vera: Client) -> None:
        for score in (10, 10, 9, 9, 10, 8, 7, 9, 3, 10):
            cast.response(score, at=MONDAY)
        page = vera.get(f"/insight/board/{PAST}&segment=tier:Gold&team={cast.east.pk}").content.decode()
        assert "no answers" in page, "nobody of them is Gold"
        page = vera.get(f"/insight/board/{PAST}&team={cast.east.pk}").content.decode()
        found = re.search(r'href="(/insight/surveys/[^"]*)">([^<]*)<', page[page.index("<article") :])
        assert found
        query = {*unescape(found[1]).partition("?")[2].split("&")}
        assert query == {*PAST[1:].split("&"), f"team={cast.east.pk}", f"survey={cast.survey.pk}"}
        assert found[2].startswith("+60 (")

    def test_where_nobody_answered_no_survey_is_named_by_chance(self, cast: Cast, vera: Client) -> None:
        make_survey("another")
        said = text(vera, "/insight/board/?from=2025-01-01&to=2025-01-31")
        figures = said[: said.index("Reached")]
        assert "NPS – no answers" in figures
        assert str(cast.survey) not in figures[figures.rindex("NPS") :]
        asked_for = text(vera, f"/insight/board/?from=2025-01-01&to=2025-01-31&survey={cast.survey.pk}")
        assert f"{cast.survey} · 0 answers" in asked_for


class TestMails:
    def test_it_is_asked_for_from_the_page_listed_and_stopped(self, cast: Cast, vera: Client) -> None:
        page = vera.get(f"/insight/board/?team={cast.west.pk}&from=2026-03-01").content.decode()
        query = re.search(r'name="query" value="([^"]*)"', page)
        assert query
        fields = {"rhythm": "monthly", "query": unescape(query[1])}
        answer = vera.post("/insight/mails/", fields, follow=True)
        assert "The report will come to vera@staff.example." in answer.content.decode()
        row = ReportMail.objects.get()
        assert (row.user, row.rhythm, row.query) == (cast.vera, "monthly", f"team={cast.west.pk}")
        said = text(vera, "/insight/mails/")
        assert "on the first of the month West · all surveys · all touchpoints" in said
        vera.post(f"/insight/mails/{row.pk}/stop/")
        assert not ReportMail.objects.exists()
        assert "No report comes to you" in text(vera, "/insight/mails/")

    def test_a_refusal_stands_above_the_list(self, vera: Client) -> None:
        answer = vera.post("/insight/mails/", {"rhythm": "daily"})
        assert answer.status_code == 422
        assert "Choose when the report is to come." in answer.content.decode()

    def test_somebody_else_s_report_does_not_exist(self, cast: Cast, vera: Client, sign_in: SignIn) -> None:
        vera.post("/insight/mails/", {"rhythm": "weekly"})
        row = ReportMail.objects.get()
        lina = sign_in(cast.lina)
        assert "No report comes to you" in text(lina, "/insight/mails/")
        assert lina.post(f"/insight/mails/{row.pk}/stop/").status_code == 404
        assert lina.get(f"/insight/mails/{row.pk}/stop/").status_code == 405
        assert ReportMail.objects.exists()
