"""The page of initiatives: sentence, picture, table, the tickets behind it, file, API; who may record."""

from __future__ import annotations

import re
from datetime import date
from html import unescape

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client

from recovery.insight.definitions import DEFINITIONS
from recovery.models import Initiative
from recovery.views import insight_causes, insight_fixes, insight_tickets
from tests.make import DAY, MONDAY, Cast, join
from tests.recovery.api import client as api
from tests.recovery.insight.histories import answer, ask, heard, low, put_right
from tests.recovery.insight.test_fixes import filled, initiative
from tests.recovery.views.conftest import SignIn
from tests.recovery.views.test_insight import queries, table, text

THEN = MONDAY + 10 * DAY
PAGES = ("/insight/fixes/", "/insight/fixes/csv/")


@pytest.fixture(autouse=True)
def _march(monkeypatch: pytest.MonkeyPatch) -> None:
    for door in (insight_fixes, insight_tickets, insight_causes):
        monkeypatch.setattr(door, "now", lambda: THEN)


@pytest.fixture
def vera(cast: Cast, sign_in: SignIn) -> Client:
    return sign_in(cast.vera)


def hurt(cast: Cast) -> None:
    ticket = heard(cast, low(cast, at=MONDAY - 3 * DAY), at=MONDAY - 2 * DAY)
    ask(put_right(cast, ticket, at=MONDAY - 2 * DAY), at=MONDAY + 2 * DAY)
    answer(cast, ticket, 9, at=MONDAY + 3 * DAY)


def test_it_says_what_changed_and_that_it_is_not_randomised(cast: Cast, vera: Client) -> None:
    filled(cast)
    initiative(cast, note="All routes in the east")
    said = text(vera, "/insight/fixes/")
    assert "Did the fix work? · Another courier" in said
    assert "All routes in the east" in said
    assert (
        "Low scores for “Late delivery”: 10 % (3 to 30) of all answers since, 40 % (22 to 61) before: "
        in said
    )
    assert "30 points fewer" in said
    assert "Of the 6 low scores since, the cause of 1 is not known yet" in said
    assert "Not randomised: other things changed too." in said
    assert "Nobody it had let down before was first asked again since." in said
    for code in ("fix_rate", "fix_known", "fix_hurt"):
        assert str(DEFINITIONS[code]) in said
    page = vera.get("/insight/fixes/").content.decode()
    places = [page.index(part) for part in ('class="stat"', 'class="picture"', "<table", 'id="how"')]
    assert places == sorted(places)


def test_each_number_opens_exactly_its_tickets(cast: Cast, vera: Client) -> None:
    filled(cast)
    hurt(cast)
    initiative(cast)
    page = vera.get("/insight/fixes/").content.decode()
    numbers = re.findall(r'<a[^>]*href="(/insight/tickets/[^"]*)"[^>]*>(\d+)</a>', page)
    assert len(numbers) == 6, "three numbers before, of those since one has no cause; and who was asked"
    for address, count in numbers:
        found = vera.get(unescape(address))
        assert found.status_code == 200
        assert found.context["page_obj"].paginator.count == int(count), address


@pytest.mark.parametrize(
    ("stood", "counts"), [("", [8, 2, 1, 10, 6]), ("&as_of=2026-03-08", [7, 2, 1, 9, 6])]
)
def test_the_numbers_of_a_team_open_its_tickets_and_no_others(
    cast: Cast, sign_in: SignIn, stood: str, counts: list[int]
) -> None:
    """Li Na works in East and West; the Region holds East, and is seen by Mrs Wu."""
    filled(cast)
    for _ in range(3):
        low(cast, at=MONDAY - DAY, team=cast.west)
        low(cast, at=MONDAY + DAY, team=cast.west)
    join(cast.west, cast.lina)
    of_east = initiative(cast, team=cast.east)
    of_region = initiative(cast, team=cast.region)
    for user, one in ((cast.lina, of_east), (cast.wu, of_region), (cast.vera, of_region)):
        client = sign_in(user)
        page = client.get(f"/insight/fixes/?initiative={one.pk}{stood}").content.decode()
        assert f"{cast.east if one == of_east else cast.region}" in page
        numbers = re.findall(r'<a[^>]*href="(/insight/tickets/[^"]*)"[^>]*>(\d+)</a>', page)
        assert [int(count) for _address, count in numbers] == counts
        for address, count in numbers:
            found = client.get(unescape(address))
            assert found.context["page_obj"].paginator.count == int(count), address
            assert not found.context["asked"].errors


def test_a_number_that_is_none_opens_nothing(cast: Cast, vera: Client) -> None:
    filled(cast)
    one = initiative(cast).pk
    assert behind(vera, f"fix.{one}.since.all") == 6
    for name in (
        f"fix.{one}.since.x",
        f"fix.{one}.x.all",
        f"fix.{one}",
        "fix.x.since.all",
        "fix.0.since.all",
    ):
        assert behind(vera, name) == 0, name
    early = initiative(cast, since=date(2026, 4, 1)).pk
    assert behind(vera, f"fix.{early}.since.all") == 0


def behind(client: Client, name: str) -> int:
    count: int = client.get(f"/insight/tickets/?behind={name}").context["page_obj"].paginator.count
    return count


def test_what_a_team_does_is_shown_to_who_sees_the_team(cast: Cast, sign_in: SignIn) -> None:
    """Ann works in West; that of East, its note and its tickets are not hers to see, that of nobody is."""
    hurt(cast)
    everybody = initiative(cast, title="New boxes")
    of_east = initiative(cast, title="Second van", team=cast.east, note="Hired from the depot")
    address = f"/insight/fixes/?initiative={of_east.pk}"
    for user in (cast.lina, cast.chen, cast.wu, cast.vera):
        said = text(sign_in(user), address)
        assert "Did the fix work? · Second van" in said
        assert "Hired from the depot" in said
        assert behind(sign_in(user), f"hurt.{of_east.pk}") == 1
    client = sign_in(cast.ann)
    said = text(client, address)
    assert "Did the fix work? · New boxes" in said
    assert "Second van" not in said
    assert "Hired from the depot" not in said
    assert "Second van" not in {
        row[1] for row in table(client, f"/insight/fixes/csv/?initiative={of_east.pk}")
    }
    for name in (f"fix.{of_east.pk}.since.all", f"hurt.{of_east.pk}"):
        assert behind(client, name) == 0
    assert everybody.title in text(sign_in(cast.lina), address)


@time_machine.travel(THEN, tick=False)
def test_the_api_shows_what_a_team_does_to_who_sees_the_team(cast: Cast) -> None:
    everybody = initiative(cast, title="New boxes")
    of_east = initiative(cast, title="Second van", team=cast.east)
    lina, ann = api.Client.of(cast.lina), api.Client.of(cast.ann)
    assert lina.read("insight/fixes/", initiative=of_east.pk).json()["chosen"]["title"] == "Second van"
    assert ann.read("insight/fixes/", initiative=of_east.pk).status_code == 400
    found = ann.read("insight/fixes/").json()
    assert [each["id"] for each in found["initiatives"]] == [everybody.pk]
    assert found["chosen"]["title"] == "New boxes"


def test_those_it_had_hurt_are_counted(cast: Cast, vera: Client) -> None:
    hurt(cast)
    initiative(cast)
    said = text(vera, "/insight/fixes/")
    assert "1 person let down by this cause before was first asked again since." in said
    assert "Of the 1 who answered, recovered: 1 of 1 ." in said or "recovered: 1 of 1" in said


def test_the_latest_is_shown_and_another_can_be_chosen(cast: Cast, vera: Client) -> None:
    first = initiative(cast, title="New boxes", since=date(2026, 1, 5))
    initiative(cast)
    assert "Did the fix work? · Another courier" in text(vera, "/insight/fixes/")
    assert "Did the fix work? · New boxes" in text(vera, f"/insight/fixes/?initiative={first.pk}")
    assert f"?initiative={first.pk}" in vera.get("/insight/fixes/").content.decode()
    assert "Another courier" in text(vera, "/insight/fixes/?initiative=none")


def test_one_that_has_not_begun_says_so(cast: Cast, vera: Client) -> None:
    initiative(cast, since=date(2026, 4, 1))
    said = text(vera, "/insight/fixes/")
    assert "It has no whole day behind it yet: there is nothing to compare." in said
    assert "<table" not in vera.get("/insight/fixes/").content.decode()


def test_it_can_be_looked_at_as_it_stood_on_a_past_day(cast: Cast, vera: Client) -> None:
    filled(cast)
    first = initiative(cast, title="New boxes")
    initiative(cast)
    page = vera.get(f"/insight/fixes/?initiative={first.pk}").content.decode()
    assert f'<input type="hidden" name="initiative" value="{first.pk}">' in page
    assert 'name="as_of" value="" max="2026-03-12"' in page
    then = f"/insight/fixes/?initiative={first.pk}&as_of=2026-03-05"
    said = text(vera, then)
    assert "Did the fix work? · New boxes" in said
    assert "As it stood on 5 Mar 2026 · back to now" in said
    assert "26 Feb 2026 to 1 Mar 2026" in said, "four days before, and four since"
    page = vera.get(then).content.decode()
    assert 'value="2026-03-05"' in page
    assert f'href="?initiative={first.pk}"' in page


def test_a_day_to_come_is_named_and_left_out(cast: Cast, vera: Client) -> None:
    initiative(cast)
    said = text(vera, "/insight/fixes/?as_of=2026-12-01")
    assert "Nobody knows yet how it will stand on a day to come; it was left out." in said
    assert "As it stood on" not in said


def test_without_any_it_says_what_to_do(vera: Client) -> None:
    assert "No initiative is recorded" in text(vera, "/insight/fixes/")
    assert len(table(vera, "/insight/fixes/csv/")) == 1


def test_the_file_holds_the_numbers_of_the_page(cast: Cast, vera: Client) -> None:
    filled(cast)
    initiative(cast)
    rows = {(row[0], row[2]): row[3:9] for row in table(vera, "/insight/fixes/csv/")}
    assert rows["of all answers", "2026-02-20 – 2026-03-01"][:3] == ["8", "20", "0.4"]
    assert rows["of all answers", "2026-03-02 – 2026-03-11"][:3] == ["2", "20", "0.1"]
    assert rows["difference", ""][2] == "-0.3"
    assert rows["recovered", ""][:2] == ["0", "0"]


@time_machine.travel(THEN, tick=False)
def test_the_api_gives_the_same(cast: Cast) -> None:
    filled(cast)
    made = initiative(cast)
    vera = api.Client.of(cast.vera)
    found = vera.read("insight/fixes/").json()
    assert found["initiatives"] == [{"id": made.pk, "title": "Another courier"}]
    chosen = found["chosen"]
    assert chosen["of_answers"]["difference"] == pytest.approx(-0.3)
    assert chosen["of_answers"]["low"] < -0.3 < chosen["of_answers"]["high"]
    assert (chosen["before"]["of_answers"]["count"], chosen["after"]["of_answers"]["count"]) == (8, 2)
    assert (chosen["after"]["cause_not_known"], chosen["randomised"]) == (1, False)
    assert chosen["hurt"]["recovered"]["definition"] == str(DEFINITIONS["fix_hurt"])
    assert vera.read("insight/fixes/", initiative=999).status_code == 400
    assert vera.read("insight/fixes/", team="East").status_code == 400


def test_an_agent_gets_shares_of_their_own_tickets_only(cast: Cast, sign_in: SignIn) -> None:
    filled(cast)
    low(cast, at=MONDAY - DAY, team=cast.west)
    initiative(cast)
    said = text(sign_in(cast.lina), "/insight/fixes/")
    assert "of all answers" not in said[: said.index("How we know")]
    assert "All low scores 10 6" in said


def test_nobody_else_comes_in(cast: Cast, client: Client) -> None:
    for page in PAGES:
        assert client.get(page).status_code == 302


def test_an_administrator_records_one_and_nobody_else(cast: Cast, client: Client, sign_in: SignIn) -> None:
    assert "Record an initiative" not in sign_in(cast.vera).get("/insight/fixes/").content.decode()
    root = Client()
    root.force_login(User.objects.create_superuser("root"))
    form = {"title": "Another courier", "cause": cast.late.pk, "since": "2026-03-02", "note": ""}
    refused = root.post("/admin/recovery/initiative/add/", {**form, "since": "1026-03-02"})
    assert "Give a day from 2000 on." in refused.content.decode()
    assert root.post("/admin/recovery/initiative/add/", form).status_code == 302
    assert Initiative.objects.get().cause == cast.late
    assert client.get("/admin/recovery/initiative/add/").status_code == 302


def test_many_initiatives_take_no_more_queries_than_one(cast: Cast, vera: Client) -> None:
    filled(cast)
    hurt(cast)
    initiative(cast)
    few = queries(vera, "/insight/fixes/")
    frame = queries(vera, "/insight/causes/?to=1999-01-01")
    for number in range(12):
        initiative(cast, title=f"Fix {number}", since=date(2026, 1, 1))
        low(cast)
    assert queries(vera, "/insight/fixes/") <= few
    assert few - frame <= 12


def test_in_chinese_it_opens(cast: Cast, vera: Client) -> None:
    filled(cast)
    initiative(cast)
    vera.cookies["django_language"] = "zh-hans"
    for page in PAGES:
        assert vera.get(page).status_code == 200
