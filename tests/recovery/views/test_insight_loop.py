"""The loop on its page and in its file: sentences, pictures, tables, and the tickets behind every number."""

import re
from html import unescape
from random import Random

import pytest
from django.test import Client
from django.utils.translation import override

from recovery.insight.cohort import Slice
from recovery.insight.definitions import DEFINITIONS
from recovery.insight.loop import loop as loop_of
from recovery.insight.reach import PerReach
from recovery.insight.recovery import Rate
from recovery.insight.times import Waited
from recovery.insight.told import Told
from recovery.lifecycle import customer_wrote, merge, reopen, start_waiting
from recovery.models import Ticket
from recovery.pictures import Point
from recovery.views import insight_loop, insight_loop_csv, insight_tickets, insight_times
from recovery.views import insight_loop_words as loop_words
from recovery.views.insight_curves import (
    FINEST,
    attempts_curve,
    curve_of,
    thinned,
    times_curve,
    working_ticks,
)
from recovery.views.insight_loop_pictures import heat_picture, short
from recovery.views.insight_words import working_span
from surveys.estimates import censored_times
from tests.make import DAY, HOUR, MINUTE, MONDAY, Cast
from tests.recovery.insight.histories import heard, loop, low, put_right, wander
from tests.recovery.insight.test_funnel import deliver_by_chance
from tests.recovery.views.conftest import SignIn
from tests.recovery.views.test_insight import link, queries, table, text

LATER = MONDAY + 60 * DAY
PAGE = "/insight/loop/"


@pytest.fixture(autouse=True)
def _may(monkeypatch: pytest.MonkeyPatch, clock: object) -> None:
    for door in (insight_loop, insight_loop_csv, insight_tickets, insight_times):
        monkeypatch.setattr(door, "now", lambda: LATER)


@pytest.fixture
def vera(cast: Cast, sign_in: SignIn) -> Client:
    """An analyst sees every ticket."""
    return sign_in(cast.vera)


def attempts(cast: Cast, count: int, *, at: int, reached: int) -> None:
    """So many attempts on Monday, `at` hours after ten in the morning, at as many customers."""
    for number in range(count):
        outcome = "reached" if number < reached else "no_answer"
        heard(cast, low(cast), at=MONDAY + at * HOUR, outcome=outcome)


class TestPage:
    def test_it_says_how_far_the_low_scores_came(self, cast: Cast, vera: Client) -> None:
        loop(cast, 9)
        loop(cast, None)
        low(cast)
        said = text(vera, PAGE + "?from=2026-03-01")
        assert "Of 3 low scores 2 were resolved; 2 were sent the question again" in said
        assert "Not delivered: it has not left us yet" in said
        assert "In work, no answer yet" in said

    def test_the_sentence_comes_before_the_picture_the_table_and_the_small_print(
        self, cast: Cast, vera: Client
    ) -> None:
        loop(cast, 9)
        page = vera.get(PAGE + "?from=2026-03-01").content.decode()
        places = [
            page.index(part) for part in ("stat-sentence", "picture-wide", "<table", 'class="definition"')
        ]
        assert places == sorted(places)

    def test_it_prints_the_definition_of_every_number(self, cast: Cast, vera: Client) -> None:
        ticket = heard(cast, low(cast))
        start_waiting(ticket, by=cast.lina, at=MONDAY + 2 * HOUR, reason="Waits for a photo")
        said = text(vera, PAGE + "?from=2026-03-01")
        names = ("funnel", "slots", "attempts", "waiting", "cycles", "then")
        assert all(str(DEFINITIONS[f"loop_{name}"]) in said for name in names)

    def test_it_names_the_best_and_the_worst_hour_only_beyond_doubt(self, cast: Cast, vera: Client) -> None:
        attempts(cast, 30, at=0, reached=3)
        attempts(cast, 30, at=8, reached=24)
        said = text(vera, PAGE + "?from=2026-03-01")
        assert "By the hour, people pick up most from 18:00 to 19:00: 80 % (63 to 90) of 30 attempts" in said
        assert "least from 10:00 to 11:00: 10 % (3 to 26) of 30 attempts" in said
        assert "By weekday" not in said, "there was only one"
        assert "It takes 2.2 attempts (1.7 to 3.0) to reach a customer." in said

    def test_it_says_that_nothing_stands_out(self, cast: Cast, vera: Client) -> None:
        attempts(cast, 9, at=0, reached=9)
        attempts(cast, 9, at=8, reached=0)
        said = text(vera, PAGE + "?from=2026-03-01")
        assert "Nothing stands out" in said
        assert "10:00 to 11:00 9 of 9 9 tickets" in said

    def test_reached_by_then_ends_where_fewer_than_ten_were_tried(self, cast: Cast, vera: Client) -> None:
        attempts(cast, 8, at=0, reached=8)
        attempts(cast, 4, at=0, reached=0)
        ticket = heard(cast, low(cast), at=MONDAY, outcome="no_answer")
        heard(cast, ticket, at=MONDAY + HOUR)
        said = text(vera, PAGE + "?from=2026-03-01")
        assert re.search(r"1 13 8 62 % \(\d+ to \d+\) 2 1 1 –", said)
        search = loop_of(Told(Ticket.objects.all(), Slice()), LATER).reach.search
        picture = attempts_curve(search, "")
        assert picture is not None
        assert not [row for row in table(vera, f"{PAGE}csv/?from=2026-03-01") if row[1] == "attempt 2"]

    def test_it_says_who_waited_after_a_reply(self, cast: Cast, vera: Client, sign_in: SignIn) -> None:
        for number in range(10):
            ticket = low(cast)
            if number < 4:
                ticket = customer_wrote(ticket, at=MONDAY + MINUTE, text="Here", channel="email")
                ticket.refresh_from_db()
            start_waiting(
                ticket, by=cast.lina, at=MONDAY + HOUR, reason="Waits for a photo", until=MONDAY + 2 * HOUR
            )
        said = text(vera, PAGE + "?from=2026-03-01")
        assert (
            "The clock stood 10 times for a customer, 10 h 00 of working time in all; 40 % (17 to 69)" in said
        )
        by_name = "Fewer than thirty waits each: listed by name, not ranked Li Na 10 10 h 00"
        assert by_name in said
        link_of_hers = f"/insight/tickets/?from=2026-03-01&behind=waits.{cast.lina.pk}"
        for user, sees in ((cast.chen, True), (cast.lina, False)):
            client = sign_in(user)
            assert (by_name in text(client, PAGE + "?from=2026-03-01")) is sees
            assert ("R-" in text(client, link_of_hers)) is sees
            rows = table(client, f"{PAGE}csv/?from=2026-03-01")
            assert any("Li Na" in row for row in rows) is sees

    def test_an_empty_period_says_what_would_be_here(self, cast: Cast, vera: Client) -> None:
        assert "No low score in this period" in text(vera, PAGE)
        assert "Nobody has been tried yet." not in text(vera, PAGE)
        low(cast)
        said = text(vera, PAGE + "?from=2026-03-01")
        assert "Nobody has been tried yet." in said
        assert "The clock never stood for a customer." in said

    def test_as_of_a_past_day_it_stands_as_it_stood(self, cast: Cast, vera: Client) -> None:
        loop(cast, 9)
        said = text(vera, PAGE + "?from=2026-03-01&as_of=2026-03-02")
        assert "Of 1 low score 0 was resolved" in said

    @pytest.mark.parametrize("address", [PAGE, f"{PAGE}csv/"])
    def test_everybody_sees_their_own_tickets_only(self, cast: Cast, sign_in: SignIn, address: str) -> None:
        heard(cast, low(cast, team=cast.west))
        heard(cast, low(cast))
        for user, count in ((cast.vera, 2), (cast.lina, 1), (cast.ann, 1)):
            answer = sign_in(user).get(f"{address}?from=2026-03-01").content.decode()
            assert (f"Of {count} low score" in answer) or (f"Low scores,,{count},{count}" in answer)

    def test_nobody_else_comes_in(self, cast: Cast, client: Client) -> None:
        assert client.get(PAGE).status_code == client.get(f"{PAGE}csv/").status_code == 302

    def test_it_breaks_nowhere_in_chinese(self, cast: Cast, vera: Client) -> None:
        loop(cast, 3)
        vera.cookies["django_language"] = "zh-hans"
        for address in (PAGE, f"{PAGE}csv/", "/insight/times/"):
            assert vera.get(f"{address}?from=2026-03-01").status_code == 200


class TestBehind:
    def test_every_number_opens_as_many_tickets_as_it_says(self, cast: Cast, vera: Client) -> None:
        chance = Random(7)
        for _ in range(10):
            wander(cast, chance)
        deliver_by_chance(chance)
        waiter = low(cast)
        start_waiting(waiter, by=cast.lina, at=MONDAY + HOUR, reason="Waits for a photo")
        for as_of in ("", "&as_of=2026-03-14"):
            page = vera.get(f"{PAGE}?from=2026-03-01{as_of}").content.decode()
            links = set(re.findall(r'<a[^>]*href="(/insight/tickets/[^"]*)"[^>]*>\s*([\d,]+)[^<]*</a>', page))
            assert len(links) > 8
            for address, number in links:
                listed = vera.get(unescape(address)).context["page_obj"].paginator.count
                assert listed == int(number), address

    def test_a_list_says_what_it_is(self, cast: Cast, vera: Client) -> None:
        heard(cast, low(cast))
        start = "/insight/tickets/?from=2026-03-01&behind="
        for name, said in (
            ("slot.0-11", "tried: Monday, 11:00 to 12:00"),
            ("channel.phone", "tried: phone"),
            ("funnel.low", "Low scores"),
            ("funnel.low.in_work.", "In work, no answer yet"),
            ("cycles.1", "1 cycle"),
        ):
            assert said in text(vera, start + name)

    @pytest.mark.parametrize(
        "name",
        ["nonsense", "slot.", "slot.x-y", "funnel.", "funnel.low.nonsense", "missed.a.b", "cycles.x", "."],
    )
    def test_a_number_that_is_none_counts_nothing(self, cast: Cast, vera: Client, name: str) -> None:
        heard(cast, low(cast))
        assert "No ticket is behind this number" in text(
            vera, f"/insight/tickets/?from=2026-03-01&behind={name}"
        )

    def test_nobody_reads_through_it_what_they_may_not_see(self, cast: Cast, sign_in: SignIn) -> None:
        ticket = heard(cast, low(cast, team=cast.west))
        assert ticket.number not in text(
            sign_in(cast.lina), "/insight/tickets/?from=2026-03-01&behind=slot.0-10"
        )


def test_a_number_of_attempts_is_rounded_not_cut() -> None:
    assert loop_words.per_reach_words(PerReach(2.278, 1.96, 2.71)) == "2.3 attempts (2.0 to 2.7)"


class TestTimes:
    def test_by_team_and_by_priority_from_ten(self, cast: Cast, vera: Client) -> None:
        for number in range(10):
            heard(cast, low(cast), at=MONDAY + (HOUR if number else 9 * HOUR))
        low(cast, team=cast.west, priority=1)
        said = text(vera, "/insight/times/?from=2026-03-01")
        assert "East 4 h 00 90 % (60 to 98) 9 of 10 1" in said
        assert "P3 normal 4 h 00 90 % (60 to 98)" in said
        assert "Fewer than ten deadlines each: counts only West 1 h 00 0 of 1" in said
        late = text(vera, link(vera, "/insight/times/?from=2026-03-01", "1").replace("&amp;", "&"))
        assert "not in time" in late

    def test_it_says_how_many_were_closed_without_being_heard(self, cast: Cast, vera: Client) -> None:
        for _ in range(7):
            heard(cast, low(cast), at=MONDAY + 2 * HOUR)
        for _ in range(3):
            put_right(cast, low(cast), at=MONDAY + DAY)
        into = low(cast)
        merge(low(cast), by=cast.chen, at=MONDAY + HOUR, into=into)
        said = text(vera, "/insight/times/?from=2026-03-01")
        first, resolution = said[: said.index("Resolved in time")], said[said.index("Resolved in time") :]
        assert (
            "12 (1 still waiting, 3 closed without being heard; both count as not heard)"
            " (1 merged into another ticket; they count until then)"
        ) in first
        assert "four in five within not so many yet: 7 of 12 done not so many yet: 7 of 12 done" in first
        assert "(8 without it so far; they count with the time they have waited) (1 merged" in resolution

    def test_a_ticket_that_missed_twice_is_one_ticket(self, cast: Cast, vera: Client) -> None:
        ticket = low(cast)
        put_right(cast, ticket, at=MONDAY + 20 * DAY)
        ticket.refresh_from_db()
        ticket = reopen(ticket, by=cast.chen, at=MONDAY + 21 * DAY, reason="They called")
        said = text(vera, "/insight/times/?from=2026-03-01")
        resolution = said[said.index("Resolved in time") :]
        assert resolution.startswith("Resolved in time: 0 of 2 · 1 ticket missed it")

    @pytest.mark.parametrize("language", ["en", "zh-hans"])
    def test_the_curve_marks_half_and_four_in_five(self, language: str) -> None:
        minutes = [float(60 * hours + 31) for hours in range(30, 60)]
        done = censored_times(minutes, [True] * 30)
        times = Waited(done, done)
        with override(language):
            picture = times_curve("resolution", "Resolution", times)
        assert picture is not None
        for drawn in (picture.wide, picture.narrow):
            assert drawn.count("spark-dot") == 2
            assert drawn.count("curve-mark") == 2

    def test_where_some_left_before_it_ends_with_the_last_ten(self) -> None:
        done = [float(minutes) for minutes in range(60, 80)]
        some_left = censored_times([*done, *[61.5] * 5], [*[True] * 20, *[False] * 5])
        waiting_on = censored_times([*done, *[90.0] * 5], [*[True] * 20, *[False] * 5])
        assert [times.is_complete for times in (some_left, waiting_on)] == [False, True]
        ends = []
        for times in (some_left, waiting_on):
            steps = times.steps if times.is_complete else times.telling
            curve = curve_of(times, steps, working_ticks, working_span)
            assert curve is not None
            ends.append((curve.until, len(curve.marks)))
        assert ends == [(70.0, 1), (79.0, 2)]

    def test_times_of_few_are_not_drawn(self) -> None:
        nine = censored_times([60.0] * 9, [True] * 9)
        assert times_curve("resolution", "", Waited(nine, nine)) is None

    def test_a_long_curve_is_thinned_to_what_a_screen_shows_and_keeps_its_end(self) -> None:
        points = [Point(float(x), x / 5000, 0, 1) for x in range(5000)]
        few = thinned(points, 4999)
        assert len(few) <= FINEST + 1
        assert few[-1] == points[-1]
        assert thinned(points[:9], 8) == points[:9]

    @pytest.mark.parametrize("until", [0, 7, 55, 60 * 9, 60 * 400, 10.0**7])
    def test_ticks_are_few_and_round(self, until: float) -> None:
        places = [minutes for minutes, _words in working_ticks(until)]
        assert 1 <= len(places) <= 9
        assert places[0] == 0


class TestGrid:
    def test_a_cell_says_its_number_and_a_few_their_counts(self) -> None:
        assert [short(rate) for rate in (Rate(18, 29), Rate(5, 9), Rate(10, 10))] == ["62", "5/9", "100"]

    def test_narrow_it_is_the_same_grid_turned(self, cast: Cast) -> None:
        attempts(cast, 3, at=0, reached=1)
        attempts(cast, 2, at=8, reached=2)
        picture = heat_picture(loop_of(Told(Ticket.objects.all(), Slice()), LATER).reach)
        assert picture is not None
        for drawn in (picture.wide, picture.narrow):
            assert drawn.count(">1/3<") == 2, "the slot and its hour"
            assert drawn.count(">3/5<") == 2, "Monday and all"
            assert "Monday, 10:00 to 11:00: 1 of 3 attempts" in drawn

    def test_the_hours_between_are_drawn_though_nobody_was_tried(self, cast: Cast, vera: Client) -> None:
        attempts(cast, 1, at=0, reached=1)
        attempts(cast, 1, at=3, reached=1)
        assert "11:00 to 12:00" in text(vera, PAGE + "?from=2026-03-01")


class TestCsv:
    def test_it_holds_the_numbers_of_the_page(self, cast: Cast, vera: Client) -> None:
        attempts(cast, 12, at=0, reached=6)
        put_right(cast, low(cast))
        rows = {tuple(row[:2]): row[2:] for row in table(vera, f"{PAGE}csv/?from=2026-03-01")}
        assert rows["Low scores", ""][:2] == ["13", "13"]
        assert rows["Low scores", "In work, no answer yet"][:3] == ["12", "13", "0.9231"]
        assert rows["Resolved", ""][:2] == ["1", "13"]
        assert rows["attempts that reached somebody", "Monday, 10:00 to 11:00"][:3] == ["6", "12", "0.5"]
        assert rows["attempts per reach", ""][:3] == ["12", "6", "2.0"]
        assert rows["tickets", "1 cycle"][:2] == ["13", "13"]
        assert all(row[-1] for row in rows.values())


@pytest.mark.parametrize("address", [PAGE, f"{PAGE}csv/", "/insight/times/"])
def test_its_numbers_take_at_most_fourteen_queries_however_many_there_are(
    cast: Cast, vera: Client, address: str
) -> None:
    def several(count: int) -> None:
        for _ in range(count):
            loop(cast, 9)
            start_waiting(low(cast), by=cast.lina, at=MONDAY + HOUR, reason="Waits for a photo")

    several(1)
    few = queries(vera, f"{address}?from=2026-03-01")
    several(6)
    assert queries(vera, f"{address}?from=2026-03-01") == few
    frame = queries(vera, f"{address}?from=1999-01-01&to=1999-01-01")
    assert few - frame <= 14
