"""The numbers as JSON: each with its counts, its interval and its definition; nothing unknown is accepted."""

from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recovery.insight.cohort import STATES
from recovery.insight.definitions import DEFINITIONS
from recovery.lifecycle import ask_again, resolve
from surveys.models import Invitation
from tests.make import DAY, HOUR, MONDAY, Cast, make_response
from tests.recovery.api.client import Client, places, reason_at
from tests.recovery.insight.histories import heard, loop, low, put_right
from tests.surveys.make import make_survey

NUMBERS = ("recovery", "times", "causes", "nps")


@pytest.fixture(autouse=True)
def _later(clock: time_machine.Traveller) -> None:
    clock.move_to(MONDAY + 30 * DAY)


@pytest.fixture
def vera(cast: Cast) -> Client:
    """An analyst's token."""
    return Client.of(cast.vera)


def numbers(client: Client, name: str, **query: Any) -> Any:
    answer = client.read(f"insight/{name}/", **query)
    assert answer.status_code == 200, answer.content
    return answer.json()


class TestRecovery:
    def test_every_number_has_its_counts_its_interval_and_its_definition(
        self, cast: Cast, vera: Client
    ) -> None:
        for _ in range(10):
            loop(cast, 9)
            loop(cast, 3, reached=False)
        found = numbers(vera, "recovery")
        assert found["low_scores"]["count"] == 20
        recovered = found["recovered"]["next"]
        assert (recovered["count"], recovered["of"], recovered["share"]) == (10, 20, 0.5)
        assert 0.29 < recovered["low"] < 0.31
        assert recovered["definition"] == str(DEFINITIONS["recovered"])
        assert (found["bounds"]["low"], found["bounds"]["high"]) == (0.5, 0.5)
        comparison = found["comparison"]
        assert (comparison["difference"], comparison["is_clear"], comparison["randomised"]) == (
            1.0,
            True,
            False,
        )
        assert comparison["reached"]["of"] == comparison["not_reached"]["of"] == 10
        assert found["converted"]["ever"]["count"] == 10

    def test_all_counts_add_up(self, cast: Cast, vera: Client) -> None:
        loop(cast, 9)
        loop(cast, None)
        low(cast)
        found = numbers(vera, "recovery")
        assert sum(each["count"] for each in found["flow"]) == 3
        for column in ("next", "now", "ever"):
            assert set(found["outcomes"][column]) == set(STATES)
            assert sum(found["outcomes"][column].values()) == 3

    def test_a_share_of_fewer_than_ten_is_null_beside_its_counts(self, cast: Cast, vera: Client) -> None:
        loop(cast, 9)
        recovered = numbers(vera, "recovery")["recovered"]["next"]
        assert (recovered["count"], recovered["of"]) == (1, 1)
        assert (recovered["share"], recovered["low"], recovered["high"]) == (None, None, None)

    def test_why_nobody_asked_is_said(self, cast: Cast, vera: Client) -> None:
        ticket = low(cast, customer=cast.customer(email="", phone="+8613800138000"))
        ask_again(put_right(cast, ticket).resurveys.get().pk, at=MONDAY + 5 * DAY)
        assert numbers(vera, "recovery")["not_asked"] == [{"reason": "no_address", "count": 1}]

    def test_a_past_day_is_told_as_it_stood(self, cast: Cast, vera: Client) -> None:
        loop(cast, 9)
        found = numbers(vera, "recovery", as_of="2026-03-05")
        assert found["outcomes"]["next"]["to_be_asked"] == 1
        assert found["as_of"] == found["at"] == "2026-03-05T15:59:59.999999+00:00"
        then = numbers(vera, "recovery", as_of=(MONDAY + 5 * DAY).isoformat())
        assert then["outcomes"]["next"]["promoter"] == 1
        assert numbers(vera, "causes", as_of="2026-03-02")["found"] == {
            **numbers(vera, "causes", as_of="2026-03-02")["found"],
            "known": 0,
            "unknown": 1,
        }

    @pytest.mark.parametrize("day", ["2026-04-02", "2026-02-28", "soon"])
    def test_a_day_that_says_nothing_is_refused(self, cast: Cast, vera: Client, day: str) -> None:
        answer = vera.read("insight/recovery/", as_of=day, **{"from": "2026-03-01"})
        assert answer.status_code == 400
        assert places(answer) == {"as_of"}

    def test_a_segment_narrows_and_nonsense_is_refused(self, cast: Cast, vera: Client) -> None:
        low(cast, customer=cast.customer(tier="Gold"))
        low(cast)
        found = numbers(vera, "recovery", segment="tier:Gold")
        assert (found["low_scores"]["count"], found["segment"]) == (1, "tier:Gold")
        assert "tier:Gold" in reason_at(vera.read("insight/recovery/", segment="Gold"), "segment")

    def test_groups_and_waiting_come_with_counts_intervals_and_definitions(
        self, cast: Cast, vera: Client
    ) -> None:
        for score in (9, 3, 8):
            loop(cast, score)
        found = numbers(vera, "recovery")
        (east,) = found["groups"]["team"]
        assert (east["name"], east["is_ranked"], east["low_scores"]) == ("East", False, 3)
        assert (east["recovered"]["count"], east["recovered"]["of"], east["recovered"]["share"]) == (
            2,
            3,
            None,
        )
        assert east["to_all_others"]["difference"] is None
        first = found["dose"]["classes"][0]
        assert (first["waited"], first["count"], first["of"]) == ("4h", 2, 3)
        assert found["dose"]["per_step"]["difference"] is None
        assert found["dose"]["definition"] == str(DEFINITIONS["dose"])
        assert (found["lasting"]["count"], found["lasting"]["of"]) == (0, 0)


class TestTimes:
    def test_promises_and_times_count_the_open_ones(self, cast: Cast, vera: Client) -> None:
        for _ in range(10):
            heard(cast, low(cast), at=MONDAY + 2 * HOUR)
        low(cast)
        found = numbers(vera, "times")["first_contact"]
        in_time = found["in_time"]
        assert (in_time["count"], in_time["of"], in_time["missed"], in_time["overdue"]) == (10, 11, 1, 1)
        assert (found["time"]["count"], found["time"]["open"]) == (11, 1)
        assert found["time"]["working_minutes"]["median"] == {"value": 120, "low": 120, "high": 120}
        assert found["time"]["definition"].startswith(str(DEFINITIONS["first_contact_time"]))

    def test_tickets_closed_without_a_contact_count_as_not_heard(self, cast: Cast, vera: Client) -> None:
        for _ in range(7):
            heard(cast, low(cast), at=MONDAY + 2 * HOUR)
        for _ in range(3):
            put_right(cast, low(cast), at=MONDAY + DAY)
        time = numbers(vera, "times")["first_contact"]["time"]
        assert (time["count"], time["open"], time["closed_unheard"], time["merged"]) == (10, 0, 3, 0)
        assert time["calendar_minutes"]["median"]["value"] == 120
        assert time["calendar_minutes"]["p80"] is None
        assert "closed without the customer being heard count as not heard" in time["definition"]

    def test_few_have_no_median(self, cast: Cast, vera: Client) -> None:
        heard(cast, low(cast))
        assert numbers(vera, "times")["first_contact"]["time"]["working_minutes"]["median"] is None


class TestCauses:
    def test_the_commonest_first(self, cast: Cast, vera: Client) -> None:
        put_right(cast, low(cast))
        low(cast)
        found = numbers(vera, "causes")["found"]
        assert (found["known"], found["unknown"]) == (1, 1)
        assert [(row["code"], row["count"], row["share"]) for row in found["causes"]] == [("late", 1, None)]


class TestNps:
    def test_it_has_its_interval_its_counts_and_its_bounds_for_silence(
        self, cast: Cast, vera: Client
    ) -> None:
        for score in [10] * 25 + [8] * 10 + [3] * 15:
            make_response(cast.survey, score, touchpoint="web" if score == 8 else "")
        for state in ("sent", "answered"):
            Invitation.objects.create(
                survey=cast.survey,
                customer=cast.customer(),
                state=state,
                send_at=MONDAY,
                sent_at=MONDAY,
                created_at=MONDAY,
            )
        (found,) = numbers(vera, "nps", survey="delivery")["surveys"]
        assert (found["value"], round(found["low"]), round(found["high"])) == (20, -4, 42)
        assert (found["promoters"], found["passives"], found["detractors"]) == (25, 10, 15)
        assert (found["bounds"]["silent"], round(found["bounds"]["low"], 2)) == (1, round(900 / 51, 2))
        (web,) = numbers(vera, "nps", survey="delivery", touchpoint="web")["surveys"]
        assert (web["answered"], web["passives"], web["asked"]) == (10, 10, 0)

    def test_an_answer_belongs_to_no_team(self, cast: Cast, vera: Client) -> None:
        answer = vera.read("insight/nps/", team="East")
        assert answer.status_code == 400
        assert places(answer) == {"team"}

    def test_every_survey_has_its_own(self, cast: Cast, vera: Client) -> None:
        make_survey("effort", kind="ces", lowest=1, highest=7, low_cut=3, high_cut=5)
        found = {each["survey"]: each for each in numbers(vera, "nps")["surveys"]}
        assert found["effort"]["kind"] == "ces"
        assert found["effort"]["bounds"] is None
        assert found["delivery"]["value"] is None


class TestParameters:
    def test_each_narrows(self, cast: Cast, vera: Client) -> None:
        low(cast, touchpoint="Pudong store")
        low(cast, at=MONDAY + DAY, team=cast.west, survey=make_survey("support"))
        sizes = {
            "from": ("2026-03-03", 1),
            "to": ("2026-03-02", 1),
            "survey": ("support", 1),
            "team": ("West", 1),
            "touchpoint": ("Pudong store", 1),
        }
        for name, (value, size) in sizes.items():
            found = numbers(vera, "recovery", **{name: value})
            assert found["low_scores"]["count"] == size, name
            assert found[name] is not None
        assert numbers(vera, "recovery")["low_scores"]["count"] == 2
        assert numbers(vera, "recovery", team=cast.region.pk)["low_scores"]["count"] == 1

    def test_a_day_is_a_day_of_whoever_asks_and_an_instant_is_itself(self, cast: Cast, vera: Client) -> None:
        low(cast, at=MONDAY)
        early = numbers(vera, "recovery", **{"from": "2026-03-02", "to": "2026-03-02"})
        assert early["from"] == "2026-03-01T16:00:00+00:00"
        assert early["low_scores"]["count"] == 1
        assert numbers(vera, "recovery", to=MONDAY.isoformat())["low_scores"]["count"] == 0
        assert numbers(vera, "recovery", **{"from": "2026-03-02T10:00:00+08:00"})["low_scores"]["count"] == 1

    @pytest.mark.parametrize("name", NUMBERS)
    def test_what_is_not_known_is_refused_by_name(self, cast: Cast, vera: Client, name: str) -> None:
        answer = vera.read(f"insight/{name}/", region="x", **{"from": "yesterday"}, survey="none")
        assert answer.status_code == 400
        assert places(answer) == {"region", "from", "survey"}
        assert "2026-03-02" in reason_at(answer, "from")

    @pytest.mark.parametrize(
        "text", ["2026-13-01", "1960-01-01", "9999-12-31", "2026-03-02T10:00:00", "\x00"]
    )
    def test_no_time_is_guessed(self, cast: Cast, vera: Client, text: str) -> None:
        assert places(vera.read("insight/recovery/", to=text)) == {"to"}

    def test_a_team_one_does_not_see_is_not_there(self, cast: Cast) -> None:
        answer = Client.of(cast.lina).read("insight/recovery/", team="West")
        assert answer.status_code == 400
        assert places(answer) == {"team"}


class TestWhoSees:
    def test_numbers_cover_the_tickets_one_sees(self, cast: Cast) -> None:
        low(cast)
        low(cast, team=cast.west)
        for user, size in ((cast.lina, 1), (cast.ann, 1), (cast.vera, 2), (cast.admin, 2)):
            assert numbers(Client.of(user), "recovery")["low_scores"]["count"] == size
            assert numbers(Client.of(user), "times")["resolution"]["time"]["count"] == size
            assert numbers(Client.of(user), "causes")["found"]["unknown"] == size

    @pytest.mark.parametrize("name", NUMBERS)
    def test_nobody_else_is_told(self, cast: Cast, name: str) -> None:
        assert Client().read(f"insight/{name}/").status_code == 401
        stranger = User.objects.create(username="stranger")
        assert Client.of(stranger).read(f"insight/{name}/").status_code == 403
        assert Client.of(cast.admin).send(f"insight/{name}/", {}).status_code == 405


@pytest.mark.parametrize("name", NUMBERS)
def test_it_asks_the_database_as_often_for_many_as_for_few(cast: Cast, vera: Client, name: str) -> None:
    loop(cast, 9)
    few = queries(vera, name)
    for _ in range(6):
        loop(cast, 3)
    assert queries(vera, name) == few <= MOST.get(name, 12)


# Each of the five groupings is counted by the database.
MOST = {"recovery": 17}


def queries(client: Client, name: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        numbers(client, name)
    return len(captured)


def test_causes_say_whether_they_come_up_more_or_less_often(cast: Cast, vera: Client) -> None:
    for back, late in ((80, 2), (50, 5), (20, 8)):
        for number in range(10):
            ticket = low(cast, at=MONDAY - back * DAY)
            cause = cast.late if number < late else cast.rude
            resolve(ticket, by=cast.lina, at=ticket.opened_at + HOUR, cause_found=cause, what_was_done="x")
    found = numbers(vera, "causes", **{"from": "2025-12-01", "to": "2026-03-31"})["found"]["trend"]
    assert found["months"] == ["2025-12", "2026-01", "2026-02"]
    assert (found["known"], found["is_enough"]) == (30, True)
    directions = {row["code"]: row["direction"] for row in found["causes"]}
    assert directions["late"] == "more"
    late = found["causes"][0] if found["causes"][0]["code"] == "late" else found["causes"][1]
    assert late["change_a_month"] == pytest.approx(0.3)
    assert late["low"] < 0.3 < late["high"]
    assert found["definition"] == str(DEFINITIONS["cause_trend"])
    few = numbers(vera, "causes", **{"from": "2026-02-01"})["found"]["trend"]
    assert (few["is_enough"], few["causes"]) == (False, [])
    whole = numbers(vera, "causes")["found"]["trend"]
    assert whole["months"] == [], "without a first day no month is known to be whole"
