"""The page people quote: the sentence, the picture, the table, and the tickets behind every number."""

import csv
import io
import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from recovery.insight.definitions import DEFINITIONS
from recovery.insight.recovery import Dose, Group, Rate, recovery
from recovery.models import Cause, Ticket
from recovery.pictures import Flow
from recovery.views import insight, insight_causes, insight_csv, insight_tickets, insight_times
from recovery.views import insight_words as words
from recovery.views.insight_pictures import flow_of
from surveys.estimates import Difference, Interval, censored_times
from tests.make import DAY, HOUR, MONDAY, Cast
from tests.recovery.insight.histories import answer, heard, loop, low, put_right
from tests.recovery.insight.test_recovery import COUNTS, quarter, story
from tests.recovery.views.conftest import SignIn

LATER = MONDAY + 30 * DAY


@pytest.fixture(autouse=True)
def _april(monkeypatch: pytest.MonkeyPatch, clock: object) -> None:
    for door in (insight, insight_causes, insight_csv, insight_tickets, insight_times):
        monkeypatch.setattr(door, "now", lambda: LATER)


@pytest.fixture
def vera(cast: Cast, sign_in: SignIn) -> Client:
    """An analyst sees every ticket."""
    return sign_in(cast.vera)


def text(client: Client, address: str) -> str:
    """What a page says, without its markup."""
    answer = client.get(address)
    assert answer.status_code == 200
    page = answer.content.decode()
    body = page[page.index("<main") : page.index("</main>")]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body)))


def link(client: Client, address: str, label: str) -> str:
    """Where the first link that says this leads to."""
    page = client.get(address).content.decode()
    found = re.search(rf'<a[^>]*href="([^"]*)"[^>]*>{re.escape(label)}</a>', page)
    assert found, label
    return unescape(found[1])


def parts_of(client: Client, address: str, kind: str) -> dict[str, str]:
    """The links of the first wide picture of a kind: what each says of itself, and where it leads."""
    page = client.get(address).content.decode()
    picture = page.split(f'<svg class="{kind} picture-wide"')[1].split("</svg>")[0]
    links = re.findall(r'<a class="part-link" href="([^"]*)" aria-label="([^"]*)"', picture)
    return {unescape(label): unescape(url) for url, label in links}


def count_on(client: Client, address: str) -> int:
    found = re.search(r'<span class="count">(\d+)<', client.get(address).content.decode())
    assert found, address
    return int(found[1])


class TestSentence:
    def test_it_says_how_much_more_the_reached_recovered_and_that_it_was_not_randomised(self) -> None:
        assert words.comparison(quarter()) == (
            "Of those who answered again, 46 % of the reached are no longer detractors, against 31 % of those"
            " we did not reach: 15 points more (1 to 27)."
        )

    def test_it_gives_counts_where_a_percentage_would_be_chance(self) -> None:
        few = recovery([story()] * 3 + [story(state="detractor")] + [story(False, state="detractor")] * 12)
        assert "%" not in words.comparison(few)
        assert words.comparison(few).startswith("Of those we reached, 3 of 4 who answered again")
        assert "of those we did not reach, 0 of 12." in words.comparison(few)

    def test_it_says_whose_answers_are_missing(self) -> None:
        only_reached = words.comparison(recovery([story()] * 3 + [story(state="detractor")]))
        assert only_reached.startswith("Of those we reached, 3 of 4 who answered again")
        assert "Nobody we did not reach has answered" in only_reached
        only_others = words.comparison(recovery([story(False, state="detractor")] * 12))
        assert only_others.startswith("Of those we did not reach, 0 of 12 who answered again")
        assert "Nobody we reached has answered" in only_others
        assert "–" not in only_reached + only_others

    def test_it_says_so_when_nobody_has_answered(self) -> None:
        assert words.comparison(recovery([story(stage="in_work", state="in_work")])).startswith("Nobody has")

    @pytest.mark.parametrize(
        ("value", "low", "high", "said"),
        [
            (0.15, 0.01, 0.27, "15 points more (1 to 27)"),
            (-0.15, -0.27, -0.01, "15 points fewer (1 to 27)"),
            (0.01, 0.002, 0.02, "1.0 points more (0.2 to 2.0)"),
            (-0.13, -0.25, -0.004, "13.0 points fewer (0.4 to 25.0)"),
            (0.216, -0.0041, 0.431, "no clear difference (+21.6 points, −0.4 to +43.1)"),
            (0.216, -0.0002, 0.431, "no clear difference (+21.60 points, −0.02 to +43.10)"),
            (0.2, 0.0, 0.4, "no clear difference (+20 points, 0 to +40)"),
            (0.002, -0.04, 0.05, "no clear difference (0 points, −4 to +5)"),
            (0.01, 0.006, 0.02, "1 point more (1 to 2)"),
            (0.05, -0.04, 0.14, "no clear difference (+5 points, −4 to +14)"),
        ],
    )
    def test_a_difference_is_said_with_its_direction(
        self, value: float, low: float, high: float, said: str
    ) -> None:
        assert words.difference_words(Difference(value, Interval(low, high))) == said


class TestTrend:
    @pytest.mark.parametrize(
        ("found", "said"),
        [
            ((-0.06, -0.1, -0.02), "the fewer recovered: −6 points per step (−10 to −2)"),
            ((0.06, 0.02, 0.1), "the more recovered: +6 points per step (+2 to +10)"),
            ((-0.003, -0.005, -0.001), "the fewer recovered: −0.3 points per step (−0.5 to −0.1)"),
            ((-0.01, -0.05, 0.03), "no clear trend (−1 points per step of waiting, −5 to +3)"),
        ],
    )
    def test_it_is_said_with_its_direction(self, found: tuple[float, float, float], said: str) -> None:
        value, low_end, high_end = found
        rates = {"4h": Rate(10, 20)}
        assert said in words.dose_words(Dose(rates, Difference(value, Interval(low_end, high_end))))
        assert words.dose_words(Dose(rates, None)).endswith("to see a trend: 20")

    def test_a_group_s_difference_that_may_be_chance_says_so(self) -> None:
        found = Difference(0.12, Interval(0.01, 0.23))
        clear, chance = (Group(1, 40, 40, Rate(30, 40), found, may_be) for may_be in (False, True))
        assert words.group_words(clear) == "12 points more (1 to 23)"
        assert words.group_words(chance) == "perhaps chance among so many groups (+12 points, +1 to +23)"
        assert words.group_words(Group(1, 40, 40, Rate(30, 40))) == ""


class TestWords:
    def test_a_rate_is_a_percentage_its_counts_or_a_dash(self) -> None:
        said = [words.rate_words(rate) for rate in (Rate(105, 248), Rate(4, 9), Rate(0, 0))]
        assert said == ["42 % (36 to 49)", "4 of 9", "–"]

    def test_working_time_is_never_said_in_days(self) -> None:
        assert words.working_span(60 * 40) == "40 h 00"
        assert words.working_span(59.6) == "1 h 00"
        assert words.wall_span(60 * 40) == "1 d 16 h"

    def test_an_interval_without_an_end_is_open(self) -> None:
        times = censored_times([60, *[120] * 9], [True, *[False] * 9])
        assert words.estimate_words(times, 50, words.working_span) == "not so many yet: 1 of 10 done"
        half = censored_times([60] * 5 + [120] * 5, [True] * 5 + [False] * 5)
        assert words.estimate_words(half, 50, words.working_span) == "1 h 00 (1 h 00 or more)"
        assert words.estimate_words(censored_times([60], [True]), 50, words.working_span).startswith(
            "too few"
        )


class TestPicture:
    def test_every_column_of_it_adds_up_to_all_low_scores(self) -> None:
        told = [story(False, stage, stage) for stage in ("in_work", "to_be_asked", "merged")]
        told += [story(stage="unprompted"), story(state="waiting")]
        told += [story(reached, stage, state) for reached, stage, state, n in COUNTS for _ in range(n)]
        flow = flow_of(recovery(told))
        columns = {node.key: node.column for node in flow.nodes}
        assert into(flow, columns, 1) == len(told) == into(flow, columns, 2)
        ended = sum(each.value for each in flow.links if columns[each.target] == 3)
        standing = {"in_work", "to_be_asked", "not_asked", "merged"}
        assert ended + sum(each.value for each in flow.links if each.target in standing) == len(told)

    def test_an_empty_place_is_not_drawn(self) -> None:
        keys = {node.key for node in flow_of(recovery([story()])).nodes}
        assert keys == {"low", "reached", "asked_reached", "to_promoter"}


def into(flow: Flow, columns: dict[str, int], number: int) -> int:
    return sum(each.value for each in flow.links if columns[each.target] == number)


class TestPage:
    def test_it_is_one_sentence_then_the_picture_then_the_table(self, cast: Cast, vera: Client) -> None:
        loop(cast, 9)
        loop(cast, 3, reached=False)
        page = vera.get("/insight/").content.decode()
        places = [page.index(part) for part in ('class="stat"', "picture-wide", "<table", 'id="how"')]
        assert places == sorted(places)
        said = text(vera, "/insight/")
        assert "2 low scores came in. We reached 1 of these customers" in said
        assert "Of those we reached, 1 of 1 who answered again are no longer detractors" in said
        assert "Not randomised: people who can be reached may differ." in said
        assert "Recovered 1 of 2" in said

    def test_it_prints_the_definition_of_every_number(self, cast: Cast, vera: Client) -> None:
        for _ in range(10):
            loop(cast, 9)
            loop(cast, 3, reached=False)
        said = text(vera, "/insight/")
        for name in ("cohort", "reached", "asked", "responded", "next", "now", "ever", "recovered", "bounds"):
            assert str(DEFINITIONS[name]) in said
        assert str(DEFINITIONS["difference"]) in said
        assert "100 points more" in said

    def test_a_number_opens_exactly_the_tickets_it_counts(self, cast: Cast, vera: Client) -> None:
        first, second = loop(cast, 9), loop(cast, 3)
        loop(cast, 9, reached=False)
        everybody = text(vera, link(vera, "/insight/", "3"))
        assert all(number in everybody for number in Ticket.objects.values_list("number", flat=True))
        promoters = text(vera, "/insight/tickets/?state=promoter&reached=1")
        assert first.number in promoters
        assert second.number not in promoters
        assert "Next answer: Promoter · reached" in promoters
        assert "No ticket is behind this number" in text(vera, "/insight/tickets/?state=nonsense")

    def test_every_part_of_a_picture_opens_as_many_tickets_as_it_says(self, cast: Cast, vera: Client) -> None:
        for score in (9, 9, 7, 2, None):
            loop(cast, score)
        loop(cast, 9, reached=False)
        answer(cast, put_right(cast, low(cast)), 9, at=MONDAY + 2 * DAY)
        low(cast)
        put_right(cast, low(cast))
        parts = parts_of(vera, "/insight/", "flow")
        assert len(parts) >= 20
        assert {label: count_on(vera, url) for label, url in parts.items()} == {
            label: int(label.rsplit(": ")[-1]) for label in parts
        }
        causes = parts_of(vera, "/insight/causes/", "bars")
        assert [count_on(vera, url) for url in causes.values()] == [8]

    def test_missed_promises_and_causes_open_their_tickets_too(self, cast: Cast, vera: Client) -> None:
        late, kept = heard(cast, low(cast), at=MONDAY + 7 * HOUR), heard(cast, low(cast))
        missed = text(vera, link(vera, "/insight/times/", "1"))
        assert late.number in missed
        assert kept.number not in missed
        put_right(cast, kept)
        found = text(vera, f"/insight/tickets/?cause_found={cast.late.pk}")
        assert kept.number in found
        assert late.number not in found

    def test_filters_narrow_it_and_say_so(self, cast: Cast, vera: Client) -> None:
        low(cast, touchpoint="Pudong store")
        low(cast, at=MONDAY + DAY, team=cast.west)
        assert "2 low scores came in" in text(vera, "/insight/")
        assert "1 low score came in" in text(vera, "/insight/?to=2026-03-02")
        assert "1 low score came in" in text(vera, "/insight/?touchpoint=Pudong+store")
        west = text(vera, f"/insight/?team={cast.west.pk}")
        assert "1 low score came in" in west
        assert "· West ·" in west
        assert "1 low score came in" in text(vera, f"/insight/?team={cast.region.pk}"), "with the teams below"

    def test_a_day_is_a_day_of_the_reader(self, cast: Cast, vera: Client) -> None:
        low(cast, at=MONDAY - 3 * HOUR)  # 07:00 on Monday in Shanghai, still Sunday in UTC
        assert "1 low score came in" in text(vera, "/insight/?from=2026-03-02&to=2026-03-02")
        assert "No low score" in text(vera, "/insight/?from=2026-03-01&to=2026-03-01")

    def test_a_wrong_filter_is_named_and_left_out(self, cast: Cast, vera: Client) -> None:
        low(cast)
        said = text(vera, "/insight/?from=yesterday&team=999&survey=x")
        assert "“yesterday” is no day" in said
        assert "names something that is not there" in said
        assert "1 low score came in" in said
        swapped = text(vera, "/insight/?from=2026-03-31&to=2026-03-01")
        assert "swapped" in swapped
        assert "1 low score came in" in swapped

    def test_a_past_day_is_shown_as_it_stood_and_says_so(self, cast: Cast, vera: Client) -> None:
        loop(cast, 9)
        low(cast, at=MONDAY + 2 * DAY)
        said = text(vera, "/insight/?as_of=2026-03-02")
        assert "As it stood on 2 Mar 2026 · back to now" in said
        assert "1 low score came in" in said
        assert "Nobody has answered again yet" in said
        assert "to 2 Mar 2026" in said, "the ninety days up to then"
        page = vera.get("/insight/?as_of=2026-03-02&touchpoint=").content.decode()
        assert '<a href="?">· back to now</a>' in page
        assert "as_of=2026-03-02" in link(vera, "/insight/?as_of=2026-03-02", "1")
        listed = text(vera, "/insight/tickets/?as_of=2026-03-02")
        assert "Counted as it stood on 2 Mar 2026 · each ticket is shown as it is today" in listed

    def test_a_past_day_comes_to_every_page_of_it(self, cast: Cast, vera: Client) -> None:
        put_right(cast, low(cast))
        assert "No cause is known yet" in text(vera, "/insight/causes/?as_of=2026-03-02")
        assert "Late delivery" in text(vera, "/insight/causes/?as_of=2026-03-03")
        rows = table(vera, "/insight/csv/?as_of=2026-03-02")
        assert ["In work, no answer yet", "", "not reached", "1", "1"] in [row[:5] for row in rows]
        answer = vera.get("/insight/csv/?as_of=2026-03-02")
        assert "-as-of-2026-03-02.csv" in answer["Content-Disposition"]

    @pytest.mark.parametrize(
        ("day", "said"),
        [
            ("2026-04-02", "a day to come"),
            ("2026-02-27", "before the first low score"),
            ("yesterday", "is no day"),
        ],
    )
    def test_a_day_that_says_nothing_is_named_and_left_out(
        self, cast: Cast, vera: Client, day: str, said: str
    ) -> None:
        low(cast)
        page = text(vera, f"/insight/?from=2026-03-01&as_of={day}")
        assert said in page
        assert "1 low score came in" in page
        assert "As it stood" not in page

    def test_today_may_be_asked_for_and_is_now(self, cast: Cast, vera: Client) -> None:
        loop(cast, 9)
        today = text(vera, "/insight/?as_of=2026-04-01")
        assert "Recovered 1 of 1" in today

    def test_a_segment_narrows_it_and_is_offered(self, cast: Cast, vera: Client) -> None:
        low(cast, customer=cast.customer(tier="Gold", attributes={"region": "East"}))
        low(cast)
        said = text(vera, "/insight/?segment=tier:Gold")
        assert "1 low score came in" in said
        assert "tier: Gold" in said
        assert "1 low score came in" in text(vera, "/insight/?segment=attribute:region%3DEast")
        wrong = text(vera, "/insight/?segment=Gold")
        assert "“Gold” is no segment such as tier:Gold" in wrong
        assert "2 low scores came in" in wrong

    def test_the_method_says_whom_what_and_when(self, cast: Cast, vera: Client) -> None:
        loop(cast, 9)
        loop(cast, None)
        said = text(vera, "/insight/?as_of=2026-03-20&segment=language:en&from=2026-03-01")
        note = said[said.index("Whom this is about") :]
        assert "Here: scores given from 1 Mar 2026 to 20 Mar 2026. all teams" in note
        assert "Everything is as it stood at the end of 20 Mar 2026." in note
        assert "Recovered and converted are of the 1 with a next answer; the other 1 have none." in note
        for part in ("90 days", "never dropped", "Nobody drew lots", "95 % interval", "language: en"):
            assert part in note, part
        assert str(DEFINITIONS["as_of"]) in note

    @pytest.mark.parametrize(
        "number", ["by=team&group=999", "by=team&group=x", "by=size&group=1", "cause_found=x"]
    )
    def test_a_group_that_is_not_there_has_no_tickets(self, cast: Cast, vera: Client, number: str) -> None:
        low(cast)
        assert "No ticket is behind this number" in text(vera, f"/insight/tickets/?{number}")

    @pytest.mark.parametrize("page", ["", "times/", "causes/", "tickets/"])
    def test_nothing_is_said_kindly(self, vera: Client, page: str) -> None:
        assert "No " in text(vera, f"/insight/{page}")

    @pytest.mark.parametrize("page", ["", "?by=team", "?by=touchpoint", "?by=tier", "?by=hours", "?by=x"])
    def test_small_groups_are_listed_without_a_percentage(self, cast: Cast, vera: Client, page: str) -> None:
        for _ in range(3):
            loop(cast, 9)
        said = text(vera, f"/insight/{page}")
        small = said[said.index("Small groups") : said.index("How we know", said.index("Small groups"))]
        assert "3 of 3" in small
        assert "%" not in small

    def test_causes_come_with_the_commonest_first(self, cast: Cast, vera: Client) -> None:
        put_right(cast, low(cast))
        low(cast)
        said = text(vera, "/insight/causes/")
        assert (
            "Most often: Late delivery, in 1 of the 1 tickets whose cause is known. Of 1 it is not known."
            in said
        )
        assert "No cause is known yet" in said, "nobody wrote down what customers said"

    def test_times_count_the_open_ones(self, cast: Cast, vera: Client) -> None:
        for _ in range(10):
            heard(cast, low(cast))
        low(cast)
        said = text(vera, "/insight/times/")
        assert "Half of the customers were heard within 1 h 00 (1 h 00 to 1 h 00) of working time" in said
        assert "Contacted in time: 91 %" in said

    def test_it_speaks_chinese_where_the_reader_does_and_breaks_nowhere(
        self, cast: Cast, vera: Client
    ) -> None:
        loop(cast, 9)
        vera.cookies["django_language"] = "zh-hans"
        for page in ("", "times/", "causes/", "tickets/", "csv/"):
            assert vera.get(f"/insight/{page}").status_code == 200


class TestWhoSees:
    def test_everybody_sees_the_numbers_of_their_own_tickets_only(self, cast: Cast, sign_in: SignIn) -> None:
        low(cast, team=cast.west)
        low(cast, team=cast.west)
        low(cast)
        for user, count in (
            (cast.vera, "3 low"),
            (cast.lina, "1 low"),
            (cast.ann, "2 low"),
            (cast.wu, "1 low"),
        ):
            assert f"{count} score" in text(sign_in(user), "/insight/")

    def test_the_tickets_behind_it_and_the_file_are_no_way_around(self, cast: Cast, sign_in: SignIn) -> None:
        ticket = low(cast, team=cast.west)
        client = sign_in(cast.lina)
        assert ticket.number not in text(client, f"/insight/tickets/?team={cast.west.pk}")
        rows = table(client, "/insight/csv/")
        assert rows[1][3] == "0"

    def test_nobody_else_comes_in(self, cast: Cast, client: Client) -> None:
        for page in ("", "times/", "causes/", "tickets/", "csv/"):
            assert client.get(f"/insight/{page}").status_code == 302


def table(client: Client, address: str) -> list[list[str]]:
    answer = client.get(address)
    assert answer.status_code == 200
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


class TestCsv:
    def test_it_holds_the_numbers_of_the_page(self, cast: Cast, vera: Client) -> None:
        for _ in range(10):
            loop(cast, 9)
            loop(cast, 3, reached=False)
        rows = table(vera, "/insight/csv/")
        found = {tuple(row[:3]): row[3:8] for row in rows}
        assert found["low scores", "", ""][0] == "20"
        assert found["Promoter", "", "reached"][:2] == ["10", "20"]
        assert found["recovered", "Next answer", ""][:3] == ["10", "20", "0.5"]
        assert found["recovered", "", "not reached"][:3] == ["0", "10", "0.0"]
        assert found["difference", "", ""][2] == "1.0"
        assert found["recovered", "by team", "East"] == ["10", "20", "", "", ""], "fewer than thirty"
        assert all(row[8] for row in rows)

    def test_no_name_is_run_as_a_formula(self, cast: Cast, vera: Client) -> None:
        Cause.objects.filter(pk=cast.late.pk).update(name="=1+1")
        put_right(cast, low(cast))
        names = [row[2] for row in table(vera, "/insight/csv/")]
        assert "'=1+1" in names
        assert "=1+1" not in names


class TestQueries:
    @pytest.mark.parametrize("page", ["", "?as_of=2026-03-31", "times/", "causes/", "tickets/", "csv/"])
    def test_it_asks_the_database_as_often_for_many_as_for_few(
        self, cast: Cast, vera: Client, page: str
    ) -> None:
        for number in range(2):
            loop(cast, 9, at=MONDAY + number * timedelta(minutes=1))
        few = queries(vera, f"/insight/{page}")
        for _ in range(10):
            loop(cast, 3)
        assert queries(vera, f"/insight/{page}") == few


def queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        client.get(address)
    return len(captured)


def test_the_numbers_of_a_page_take_at_most_twelve_queries(cast: Cast, vera: Client) -> None:
    loop(cast, 9)
    everything = queries(vera, "/insight/")
    frame = queries(vera, "/insight/?to=1999-01-01")
    assert everything <= 22
    assert everything - frame <= 12
