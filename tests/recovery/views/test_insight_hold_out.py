"""The hold-out on the report and in the API, on the ticket and on the customer's page."""

import re
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils.translation import override

from recovery.insight.hold_out import HoldOutFigures, Side
from recovery.lifecycle import hold_out
from recovery.lifecycle.hold_out import end, start
from recovery.models import HoldOut, HoldOutDraw, Ticket
from recovery.views import hold_out_words, insight, insight_tickets, ticket
from recovery.views.customer_story import story_of
from tests.make import DAY, HOUR, MONDAY, SHANGHAI, Cast
from tests.recovery.api.client import Client as ApiClient
from tests.recovery.insight.histories import answer, low
from tests.recovery.insight.test_hold_out import ask_all
from tests.recovery.views.conftest import SignIn
from tests.surveys.make import make_survey

ASK_AT = MONDAY + 14 * DAY
LATER = MONDAY + 30 * DAY


@pytest.fixture(autouse=True)
def _later(monkeypatch: pytest.MonkeyPatch, _monday: None) -> None:
    for door in (insight, insight_tickets, ticket):
        monkeypatch.setattr(door, "now", lambda: LATER)


@pytest.fixture
def running(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> HoldOut:
    """Drawn by turns: now, later, now, later."""
    turns = iter(range(1000))
    monkeypatch.setattr(hold_out, "fraction_of", lambda _key, _number: 1 - next(turns) % 2)
    row = HoldOut.objects.create(name="Does it work?", survey=cast.survey, days=14, share=50)
    return start(row, by=cast.admin, at=MONDAY - DAY)


def figures(**fields: Any) -> HoldOutFigures:
    known = {
        "hold_out": HoldOut(name="Calls", share=20, planned_later=120),
        "state": "running",
        "now": Side(150, 140, 100, 46),
        "later": Side(37, 36, 30, 9),
        "spared": {},
        "early": 0,
        "taken": 37,
        "preliminary": True,
        "cut_short": False,
        **fields,
    }
    return HoldOutFigures(**known)


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    page = answer.content.decode()
    body = page[page.index("<main") : page.index("</main>")]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body)))


class TestWords:
    def test_it_is_preliminary_with_its_interval_until_it_ends(self) -> None:
        assert hold_out_words.verdict(figures()) == (
            "Preliminary: 37 of 120 are drawn to be followed up later. It is not to be judged before it ends."
            " So far: of those followed up at once who answered, 46 % are no longer detractors, of those"
            " followed up later 30 %: no clear difference (+16 points, −4 to +33)."
        )
        assert hold_out_words.needed_words(figures()) == (
            "83 more have to be drawn to be followed up later: about 420 more low scores, if as many of them"
            " are drawn as so far."
        )

    def test_those_spared_are_low_scores_it_takes_too(self) -> None:
        # 83 x (150 + 37 + 100) : 37
        assert "about 644 more" in hold_out_words.needed_words(figures(spared={"urgent": 100}))
        nobody = figures(now=Side(0, 0, 0, 0), later=Side(0, 0, 0, 0), taken=0)
        assert "about 600 more" in hold_out_words.needed_words(nobody)

    def test_it_says_randomised_after_its_end(self) -> None:
        full = figures(
            state="ended",
            preliminary=False,
            taken=120,
            now=Side(500, 480, 300, 150),
            later=Side(120, 118, 90, 27),
        )
        assert hold_out_words.verdict(full) == (
            "Randomised: of those followed up at once who answered, 50 % are no longer detractors, of those"
            " followed up later 30 %: 20 points more (8 to 30)."
        )
        assert hold_out_words.needed_words(full) == ""

    def test_it_says_that_it_was_ended_by_hand(self) -> None:
        words = hold_out_words.verdict(figures(state="ended", preliminary=False, cut_short=True))
        assert words.startswith("Randomised, but ended by hand after 37 of 120")

    def test_few_answers_are_counts(self) -> None:
        words = hold_out_words.verdict(figures(later=Side(9, 9, 8, 3)))
        assert "46 of 100" in words
        assert "3 of 8" in words

    def test_every_reason_has_its_words_in_both_languages(self) -> None:
        for language in ("en", "zh-hans"):
            with override(language):
                assert all(str(words) for words in hold_out_words.SPARED.values())


class TestReport:
    def test_it_stands_on_the_report_with_its_tickets_behind_each_number(
        self, cast: Cast, running: HoldOut, sign_in: SignIn
    ) -> None:
        tickets = [low(cast) for _ in range(6)]
        ask_all()
        for ticket_, score in zip(tickets[:4], (9, 9, 3, 3), strict=True):
            answer(cast, ticket_, score, at=ASK_AT + DAY)
        vera = sign_in(cast.vera)
        said = text(vera, "/insight/")
        assert "Does it work? · Preliminary: 3 of" in said
        assert "It is not to be judged before it ends." in said
        page = vera.get("/insight/").content.decode()
        links = re.findall(r'<a href="([^"]*behind=hold_out[^"]*)">([^<]*)</a>', page)
        assert [text for _url, text in links] == ["3", "3", "2", "1 of 2"] * 2
        for address, count in links:
            listed = text(vera, unescape(address))
            assert f"Tickets behind the number {count.split()[0]} " in listed

    @pytest.mark.parametrize("which", ["x", "0-later-drawn", "{}-later-x", "{}-x-drawn", "-"])
    def test_a_number_that_does_not_exist_counts_nothing(
        self, cast: Cast, running: HoldOut, sign_in: SignIn, which: str
    ) -> None:
        low(cast)
        listed = text(sign_in(cast.vera), f"/insight/tickets/?behind=hold_out.{which.format(running.pk)}")
        assert "Tickets behind the number 0" in listed

    def test_nothing_is_said_where_none_ran(self, cast: Cast, sign_in: SignIn) -> None:
        low(cast)
        assert "Hold-out" not in text(sign_in(cast.vera), "/insight/")

    def test_a_planned_one_is_named_until_it_starts(self, cast: Cast, sign_in: SignIn) -> None:
        low(cast)
        row = HoldOut.objects.create(name="After a service call", survey=cast.survey)
        vera = sign_in(cast.vera)
        planned = f"Planned, not started: After a service call · {cast.survey}"
        assert planned in text(vera, "/insight/")
        assert "After a service call" not in text(vera, "/insight/?from=2026-03-01&as_of=2026-03-05")
        other = make_survey("another")
        assert "After a service call" not in text(vera, f"/insight/?survey={other.pk}")
        start(row, by=cast.admin, at=MONDAY)
        assert "Planned, not started" not in text(vera, "/insight/")

    def test_the_api_says_the_same(self, cast: Cast, running: HoldOut, time_machine: Any) -> None:
        for _ in range(4):
            low(cast)
        ask_all()
        time_machine.move_to(LATER, tick=False)
        found = ApiClient.of(cast.vera).read("insight/recovery/").json()["hold_outs"]
        (row,) = found
        assert (row["state"], row["preliminary"], row["randomised"], row["taken"]) == (
            "running",
            True,
            True,
            2,
        )
        assert (row["now"]["drawn"], row["later"]["asked"], row["difference"]) == (2, 2, None)
        assert "lot" in row["definition"]

    def test_one_ended_by_hand_says_why(self, cast: Cast, running: HoldOut, sign_in: SignIn) -> None:
        low(cast)
        end(running, by=cast.admin, at=MONDAY + DAY, why="The season is over")
        said = text(sign_in(cast.vera), "/insight/")
        assert "ended by hand after 0 of" in said
        assert "The season is over" in said


class TestTicket:
    def waiting(self, cast: Cast) -> Ticket:
        low(cast)
        waits = low(cast)
        assert HoldOutDraw.objects.get(ticket=waits).side == "later"
        return waits

    def test_staff_see_that_it_waits_by_lot(
        self, cast: Cast, running: HoldOut, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        waits = self.waiting(cast)
        monkeypatch.setattr(ticket, "now", lambda: MONDAY + HOUR)
        said = text(sign_in(cast.chen), f"/tickets/{waits.number}/")
        assert "Followed up later, by lot" in said
        assert "nothing is owed until" in said
        assert "(hold-out “Does it work?”)" in said
        assert "Waiting for the customer" not in said

    def test_the_customer_is_not_told_that_we_wait_for_them(self, cast: Cast, running: HoldOut) -> None:
        waits = self.waiting(cast)
        story = story_of(waits, MONDAY + HOUR, ZoneInfo(SHANGHAI))
        assert "waiting" not in story.headline
        assert story.promises == []

    def test_it_stands_in_nobodys_now(self, cast: Cast, running: HoldOut, sign_in: SignIn) -> None:
        waits = self.waiting(cast)
        Ticket.objects.update(owner=cast.lina)
        page = sign_in(cast.lina).get("/desk/").content.decode()
        now_band = page[page.find('id="now"') : page.find('id="later"')]
        assert waits.number not in now_band
