"""How fast: what was promised stands beside what was kept, and people are compared before who leads them."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import RequestFactory

from recovery.insight.promised import Promises
from recovery.insight.recovery import Rate
from recovery.insight.times import Allowed, Pace, Waited
from recovery.models import PolicyTarget
from recovery.views import insight_slice, insight_tickets, insight_times, insight_times_csv
from recovery.views.insight_curves import FINEST, curve_of, steps_to_draw, working_ticks
from recovery.views.insight_times_groups import allowed_words, owner_block
from recovery.views.insight_words import working_span
from surveys.estimates import censored_times
from tests.make import DAY, HOUR, MONDAY, Cast, join, make_policy
from tests.recovery.api.client import Client as ApiClient
from tests.recovery.insight.histories import heard, low
from tests.recovery.views.conftest import SignIn
from tests.recovery.views.test_insight import queries, table, text

LATER = MONDAY + 30 * DAY
PAGE = "/insight/times/?from=2026-03-01"
NONE = censored_times([], [])


@pytest.fixture(autouse=True)
def _april(monkeypatch: pytest.MonkeyPatch) -> None:
    for door in (insight_times, insight_times_csv, insight_tickets):
        monkeypatch.setattr(door, "now", lambda: LATER)


def filled(cast: Cast) -> None:
    """Ten of Li Na's or Ma Jun's and one of Ann's; each third is heard too late, and Ann's at once."""
    for number in range(11):
        heard(cast, low(cast), at=MONDAY + (HOUR if number % 3 else 9 * HOUR))
    heard(cast, low(cast, team=cast.west, priority=1), at=MONDAY + HOUR / 2)


class TestPromisedWithin:
    def test_it_stands_beside_every_group_and_all_of_them(self, cast: Cast, sign_in: SignIn) -> None:
        filled(cast)
        said = text(sign_in(cast.vera), PAGE)
        assert "Promised within 1 h 00 to 4 h 00 of working time" in said
        assert "Promised within 8 h 00 to 24 h 00 of working time" in said
        assert "East 4 h 00 64 % (35 to 85) 7 of 11" in said
        assert "P3 normal 24 h 00" in said[said.index("Resolved in time") :]

    def test_policies_that_differ_are_a_range(self, cast: Cast, sign_in: SignIn) -> None:
        strict = make_policy("Strict")
        PolicyTarget.objects.filter(policy=strict, priority=3).update(first_contact_minutes=30)
        filled(cast)
        cast.east.policy = strict
        cast.east.save()
        low(cast)
        assert "East 30 min to 4 h 00" in text(sign_in(cast.vera), PAGE)

    def test_one_promise_is_said_once(self) -> None:
        assert allowed_words(Allowed(240, 240)) == "4 h 00"
        assert allowed_words(Allowed(45, 240)) == "45 min to 4 h 00"
        assert allowed_words(None) == "–"


class TestByOwner:
    def test_who_leads_or_looks_at_everything_sees_people(self, cast: Cast, sign_in: SignIn) -> None:
        filled(cast)
        for user, others in ((cast.vera, True), (cast.admin, True), (cast.bob, True), (cast.chen, False)):
            said = text(sign_in(user), PAGE)
            assert "By owner" in said
            assert ("Ann Smith" in said) == others, "only of the teams they see"
        assert "Li Na" not in text(sign_in(cast.bob), PAGE)

    def test_an_agent_sees_nobody_compared(self, cast: Cast, sign_in: SignIn) -> None:
        filled(cast)
        client = sign_in(cast.lina)
        assert "By owner" not in text(client, PAGE)
        assert not any(row[1] == "By owner" for row in table(client, "/insight/times/csv/?from=2026-03-01"))
        assert "by_owner" not in ApiClient.of(cast.lina).read("insight/times/").json()["first_contact"]

    def test_who_leads_one_team_and_works_in_another_sees_the_people_of_the_first(
        self, cast: Cast, sign_in: SignIn
    ) -> None:
        filled(cast)
        join(cast.west, cast.chen)
        client = sign_in(cast.chen)
        said = text(client, PAGE)
        people = said[said.index("By owner") :]
        assert "West" in said, "its tickets are theirs to see"
        assert "Li Na" in people or "Ma Jun" in people
        assert "Ann Smith" not in said
        file = table(client, "/insight/times/csv/?from=2026-03-01")
        assert "Ann Smith" not in {row[2] for row in file if row[1] == "By owner"}
        found = ApiClient.of(cast.chen).read("insight/times/").json()
        owners = {row["owner"] for row in found["first_contact"]["by_owner"]}
        assert owners
        assert cast.ann.pk not in owners

    def test_the_broken_promises_of_a_person_are_listed_for_who_answers_for_them(
        self, cast: Cast, sign_in: SignIn
    ) -> None:
        late = heard(cast, low(cast, team=cast.west), at=MONDAY + 9 * HOUR)
        join(cast.west, cast.chen)
        join(cast.west, cast.majun)
        address = f"/insight/tickets/?from=2026-03-01&behind=missed.first_contact.owner.{late.owner_id}"
        for user, number in ((cast.vera, 1), (cast.bob, 1), (cast.chen, 0), (cast.majun, 0)):
            listed = sign_in(user).get(address).context["page_obj"].paginator
            assert listed.count == number, user.username

    def test_the_definition_is_there_where_the_people_are(self, cast: Cast) -> None:
        assert "by_owner" in ApiClient.of(cast.vera).read("insight/times/").json()
        assert "by_owner" not in ApiClient.of(cast.lina).read("insight/times/").json()

    def test_every_number_opens_as_many_tickets(self, cast: Cast, sign_in: SignIn) -> None:
        filled(cast)
        vera = sign_in(cast.vera)
        page = vera.get(PAGE).content.decode()
        links = set(re.findall(r'<a[^>]*href="(/insight/tickets/[^"]*)"[^>]*>([\d,]+)</a>', page))
        assert any("missed.first_contact.owner." in address for address, _number in links)
        for address, number in links:
            listed = vera.get(unescape(address))
            assert listed.context["page_obj"].paginator.count == int(number), address

    def test_the_tickets_of_somebody_who_is_none_are_none(self, cast: Cast, sign_in: SignIn) -> None:
        filled(cast)
        for name in ("missed.first_contact.owner.x", "missed.first_contact.nobody.1", "missed.x.owner.1"):
            said = text(sign_in(cast.vera), f"/insight/tickets/?from=2026-03-01&behind={name}")
            assert "No ticket is behind this number" in said

    def test_thirty_are_ranked_ten_are_listed_and_fewer_are_counts(
        self, cast: Cast, rf: RequestFactory
    ) -> None:
        request = rf.get("/insight/times/")
        request.user = cast.vera
        asked = insight_slice.read(request, LATER)
        people = {1: pace(20, 30), 2: pace(39, 40), 3: pace(9, 29), 4: pace(10, 10), 5: pace(8, 9)}
        names = {1: "Ann", 2: "Zoe", 3: "Bob", 4: "Cy", 5: "Di"}
        ranked, listed, few = owner_block("resolution", people, names, asked)["parts"]
        assert [row["name"] for row in ranked.rows] == ["Zoe", "Ann"], "the best first"
        assert [row["name"] for row in listed.rows] == ["Bob", "Cy"], "by name"
        assert [(row["name"], row["kept"], row["counts"]) for row in few.rows] == [("Di", "8 of 9", "")]
        assert "too few to say" in few.rows[0]["half"]
        assert (ranked.head, "thirty" in listed.head, "ten" in few.head) == ("", True, True)

    def test_page_file_and_api_say_the_same(self, cast: Cast, sign_in: SignIn) -> None:
        filled(cast)
        vera = sign_in(cast.vera)
        rows = [row for row in table(vera, "/insight/times/csv/?from=2026-03-01") if row[1] == "By owner"]
        kept = {row[2]: row[3:5] for row in rows if row[0] == "Contacted in time"}
        found = ApiClient.of(cast.vera).read("insight/times/").json()["first_contact"]["by_owner"]
        in_api = {row["owner"]: [str(row["in_time"][name]) for name in ("count", "of")] for row in found}
        assert in_api[cast.ann.pk] == kept["Ann Smith"] == ["1", "1"]
        assert sorted(in_api.values()) == sorted(kept.values())
        assert "Ann Smith 1 h 00 1 of 1" in text(vera, PAGE)
        within = {row[2]: row[5:9] for row in rows if row[0] == "First contact: promised within"}
        assert within["Ann Smith"] == ["", "60", "60", "working minutes"]
        (ann,) = (row for row in found if row["owner"] == cast.ann.pk)
        assert [ann["promised_within"][name] for name in ("least", "most")] == [60, 60]
        assert ann["in_time"]["share"] is None

    def test_more_people_and_tickets_take_no_more_queries(self, cast: Cast, sign_in: SignIn) -> None:
        vera = sign_in(cast.vera)
        heard(cast, low(cast))
        few = queries(vera, PAGE)
        filled(cast)
        assert queries(vera, PAGE) == few


def pace(hits: int, n: int) -> Pace:
    return Pace(Promises(Rate(hits, n), 0, 0, 0, n - hits), Waited(NONE, NONE), Allowed(60, 240))


class TestCurve:
    def test_of_a_long_one_only_what_a_screen_shows_is_reckoned(self) -> None:
        times = censored_times([float(minute) + 0.5 for minute in range(5000)], [True] * 5000)
        few = steps_to_draw(times)
        assert len(few) <= FINEST + 1
        drawn, whole = (curve_of(times, steps, working_ticks, working_span) for steps in (few, times.steps))
        assert drawn == whole, "and it is the same line"

    def test_a_short_one_is_all_there(self) -> None:
        done = censored_times([float(minute) for minute in range(12)], [True] * 12)
        assert tuple(steps_to_draw(done)) == done.steps
        some_left = censored_times([1.0, 2, 2.5, 3], [True, True, False, True])
        assert steps_to_draw(some_left) == [], "fewer than ten tell nothing where some left"
