"""The page of value: the sentence, the assumption, what if, and the customers and tickets behind each sum."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from recovery.insight.definitions import DEFINITIONS
from recovery.lifecycle import customer_wrote, give_goodwill, resolve
from recovery.models import GoodwillKind, GoodwillLimit, Ticket
from recovery.views import (
    insight_causes,
    insight_tickets,
    insight_value,
    insight_value_csv,
    insight_value_people,
)
from recovery.views.insight_value import quarter_before
from surveys.models import Customer
from tests.make import DAY, HOUR, MONDAY, Cast
from tests.recovery.insight.histories import answer, ask, low, put_right
from tests.recovery.insight.test_told import keep_all
from tests.recovery.views.conftest import SignIn
from tests.recovery.views.test_insight import link, text

LATER = MONDAY + 30 * DAY
DOORS = (insight_causes, insight_tickets, insight_value, insight_value_csv, insight_value_people)


@pytest.fixture(autouse=True)
def _april(monkeypatch: pytest.MonkeyPatch) -> None:
    for door in DOORS:
        monkeypatch.setattr(door, "now", lambda: LATER)


@pytest.fixture
def vera(cast: Cast, sign_in: SignIn) -> Client:
    return sign_in(cast.vera)


def person(cast: Cast, value: int | None = 1000) -> Customer:
    customer = cast.customer(annual_value=None if value is None else Decimal(value))
    Customer.objects.filter(pk=customer.pk).update(created_at=MONDAY - 200 * DAY)
    return customer


def recovered(cast: Cast, value: int | None = 1000, at: object = MONDAY) -> Ticket:
    ticket = put_right(cast, low(cast, customer=person(cast, value)))
    ask(ticket)
    answer(cast, ticket, 9, at=MONDAY + 6 * DAY)
    return ticket


def given_something(cast: Cast) -> Ticket:
    GoodwillLimit.objects.create(role="agent", cost=100)
    kind = GoodwillKind.objects.create(name="Voucher")
    return give_goodwill(low(cast), by=cast.lina, at=MONDAY, kind=kind, cost=Decimal(20))


def count_on(client: Client, address: str) -> int:
    page = client.get(address).content.decode()
    found = re.search(r'<span class="count">(\d+)</span>', page)
    assert found
    return int(found[1])


class TestPage:
    def test_it_says_what_is_at_risk_and_kept_then_the_picture_then_the_table(
        self, cast: Cast, vera: Client
    ) -> None:
        low(cast, customer=person(cast))
        low(cast, customer=person(cast, None))
        recovered(cast)
        said = text(vera, "/insight/value/")
        assert (
            "2 customers have an open low score and are worth 1,000 a year:"
            " 975 (950 to 1,000) of it is at risk." in said
        )
        assert "1 customer recovered, which is expected to keep 920 (870 to 970) a year." in said
        assert "1 customer has no value recorded" in said
        page = vera.get("/insight/value/").content.decode()
        parts = ('class="stat"', "picture-wide", "lines figures", 'id="assumption"', "<table")
        places = [page.index(part) for part in parts]
        assert places == sorted(places)

    def test_it_calls_the_assumption_one_and_prints_it(self, cast: Cast, vera: Client) -> None:
        said = text(vera, "/insight/value/")
        assert "is an assumption, not a measurement" in said
        assert "It is not a confidence interval" in said
        for row in (
            "Level Scores of 0 to 10 Scores of 1 to 7 Scores of 1 to 5 Expected to stay",
            "very satisfied 9 to 10 7 5 92 to 97 %",
            "satisfied 7 to 8 6 4 80 to 85 %",
            "neutral 5 to 6 4 to 5 3 60 to 65 %",
            "dissatisfied 3 to 4 3 2 15 to 20 %",
            "very dissatisfied 0 to 2 1 to 2 1 0 to 5 %",
        ):
            assert row in said
        for code in ("value_at_risk", "value_kept", "lost", "lost_owed", "repeat_contact", "goodwill"):
            assert str(DEFINITIONS[code]) in said

    def test_a_sum_opens_exactly_the_customers_it_counts(self, cast: Cast, vera: Client) -> None:
        at_risk, unknown = person(cast), person(cast, None)
        low(cast, customer=at_risk)
        low(cast, customer=unknown)
        kept = recovered(cast)
        assert count_on(vera, "/insight/value/customers/?which=at_risk") == 2
        assert count_on(vera, "/insight/value/customers/?which=kept") == 1
        said = text(vera, "/insight/value/customers/?which=kept")
        assert kept.number in said
        assert "very dissatisfied very satisfied 920 (870 to 970)" in said
        assert "not recorded" in text(vera, "/insight/value/customers/?which=nonsense")

    def test_who_has_answered_well_since_is_said_and_listed(self, cast: Cast, vera: Client) -> None:
        customer = person(cast)
        low(cast, customer=customer)
        low(cast, customer=person(cast, 500))
        assert "answer since" not in text(vera, "/insight/value/")
        cast.response(9, customer=customer, at=MONDAY + HOUR)
        said = text(vera, "/insight/value/")
        assert (
            "1 of them has given a passive’s or a promoter’s answer since, and is worth 1,000 a year." in said
        )
        assert count_on(vera, "/insight/value/customers/?which=at_risk_well") == 1
        assert count_on(vera, "/insight/value/customers/?which=at_risk") == 2
        rows = list(csv.reader(io.StringIO(vera.get("/insight/value/csv/").content.decode("utf-8-sig"))))
        assert ["1", "2", "1000.0"] in [row[2:5] for row in rows]

    def test_its_file_is_named_by_the_past_day_it_stood_on(self, vera: Client) -> None:
        for name, address in (
            ("value", "value/csv"),
            ("same-people", "panel/csv"),
            ("drivers", "drivers/csv"),
        ):
            answer = vera.get(f"/insight/{address}/?from=2026-03-01&to=2026-03-20&as_of=2026-03-04")
            expected = f'filename="{name}-2026-03-01-2026-03-20-as-of-2026-03-04.csv"'
            assert expected in answer["Content-Disposition"]
        named = vera.get("/insight/surveys/csv/?as_of=2026-03-04")["Content-Disposition"]
        assert "-as-of-2026-03-04.csv" in named

    def test_it_answers_what_if(self, cast: Cast, vera: Client) -> None:
        low(cast, customer=person(cast))
        assert "1,000 a year." in text(vera, "/insight/value/?if=all_leave")
        assert "Low scores of last quarter (1 Jan 2026 to 31 Mar 2026): 1. That is too few" in text(
            vera, "/insight/value/?if=as_last_quarter"
        )
        for number in range(10):
            low(cast, at=MONDAY - 30 * DAY + number * HOUR)
        said = text(vera, "/insight/value/?if=as_last_quarter")
        assert (
            "Last quarter (1 Jan 2026 to 31 Mar 2026) 0 % (0 to 26) of all low scores recovered, those"
            " without an answer counted as not recovered. If as many of these do, 975" in said
        )
        assert "all the customers at risk left?" in text(vera, "/insight/value/?if=x")

    def test_a_quarter_is_one_of_the_calendar(self) -> None:
        assert quarter_before(date(2026, 4, 1)) == (date(2026, 1, 1), date(2026, 4, 1))
        assert quarter_before(date(2026, 3, 31)) == (date(2025, 10, 1), date(2026, 1, 1))
        assert quarter_before(date(2026, 12, 31)) == (date(2026, 7, 1), date(2026, 10, 1))

    def test_it_stands_at_the_day_asked_for(self, cast: Cast, vera: Client) -> None:
        put_right(cast, low(cast, customer=person(cast)), at=MONDAY + 5 * DAY)
        assert "No customer has an open low score" in text(vera, "/insight/value/")
        assert "1 customer has an open low score" in text(
            vera, "/insight/value/?from=2026-03-01&as_of=2026-03-04"
        )

    def test_nothing_is_said_kindly(self, vera: Client) -> None:
        said = text(vera, "/insight/value/")
        for words in ("No customer has an open low score", "Nobody was marked lost", "No goodwill was given"):
            assert words in said
        assert "Nobody is behind this sum" in text(vera, "/insight/value/customers/?which=lost")

    def test_it_speaks_chinese_and_breaks_nowhere(self, cast: Cast, vera: Client) -> None:
        low(cast, customer=person(cast))
        given_something(cast)
        vera.cookies["django_language"] = "zh-hans"
        for page in ("", "csv/", "customers/", "?if=all_leave", "?if=as_last_quarter"):
            assert vera.get(f"/insight/value/{page}").status_code == 200


class TestOthers:
    def test_who_came_back_opens_their_tickets(self, cast: Cast, vera: Client) -> None:
        ticket = put_right(cast, low(cast))
        customer_wrote(ticket, at=MONDAY + 2 * DAY, text="Again", channel="email")
        put_right(cast, low(cast))
        said = text(vera, link(vera, "/insight/value/", "1 of 2"))
        assert ticket.number in said
        assert "came back within 14 days" in said
        assert count_on(vera, "/insight/tickets/?behind=came_back") == 1

    def test_goodwill_opens_its_tickets(self, cast: Cast, vera: Client) -> None:
        ticket = given_something(cast)
        assert "20.00 was given on 1 ticket." in text(vera, "/insight/value/")
        assert ticket.number in text(vera, "/insight/tickets/?behind=goodwill")
        assert count_on(vera, "/insight/tickets/?behind=goodwill.0") == 1
        assert count_on(vera, "/insight/tickets/?behind=goodwill.999") == 0

    def test_the_lost_are_listed_with_their_reasons(self, cast: Cast, vera: Client) -> None:
        customer = person(cast, 700)
        low(cast, customer=customer)
        Customer.objects.filter(pk=customer.pk).update(lost_at=MONDAY + DAY, lost_reason="Too dear")
        said = text(vera, "/insight/value/")
        assert "1 customer was lost, worth 700 a year." in said
        assert "Too dear 1" in said
        assert "With a ticket 1 of 1" in said
        assert "Too dear" in text(vera, "/insight/value/customers/?which=lost_owed")
        assert count_on(vera, "/insight/value/customers/?which=lost&reason=Too+dear") == 1
        assert count_on(vera, "/insight/value/customers/?which=lost&reason=Moved") == 0

    def test_causes_stand_by_month_and_beside_what_was_said(self, cast: Cast, vera: Client) -> None:
        for at in (MONDAY - 9 * DAY, MONDAY):
            resolve(
                low(cast, at=at),
                by=cast.lina,
                at=at + HOUR,
                cause_found=cast.late,
                cause_said=cast.late,
                what_was_done="x",
            )
        said = text(vera, "/insight/causes/")
        assert "Late delivery 1 1" in said
        assert "Said as found 2 of 2" in said
        assert count_on(vera, "/insight/tickets/?behind=cause_agreed") == 2
        page = vera.get("/insight/causes/").content.decode()
        february = re.search(r'href="([^"]*from=2026-02-01&amp;to=2026-02-28[^"]*)"', page)
        assert february
        assert count_on(vera, unescape(february[1])) == 1

    def test_months_say_how_many_have_no_cause_yet_and_which_are_only_a_part(
        self, cast: Cast, vera: Client
    ) -> None:
        put_right(cast, low(cast, at=MONDAY - 9 * DAY))
        for _ in range(3):
            low(cast)
        asked = "/insight/causes/?from=2026-02-20&to=2026-03-20"
        said = text(vera, asked)
        assert "Feb 26 from 20 Feb Mar 26 to 20 Mar" in said
        assert "Late delivery 1 0 cause not known yet 0 3 all low scores 1 3" in said
        for count in re.findall(
            r'<td class="num"><a href="([^"]*)">(\d+)</a>', vera.get(asked).content.decode()
        ):
            assert count_on(vera, unescape(count[0])) == int(count[1])
        assert "Feb 26 Mar 26 to 4 Mar" in text(
            vera, "/insight/causes/?from=2026-02-01&to=2026-03-31&as_of=2026-03-04"
        )
        assert "Feb 26 Mar 26 Cause" not in text(vera, "/insight/causes/?from=2026-02-01&to=2026-03-31")


class TestWhoSees:
    def test_everybody_sees_the_customers_of_their_own_tickets_only(
        self, cast: Cast, sign_in: SignIn
    ) -> None:
        low(cast, customer=person(cast), team=cast.west)
        low(cast, customer=person(cast))
        assert count_on(sign_in(cast.lina), "/insight/value/customers/") == 1
        assert count_on(sign_in(cast.vera), "/insight/value/customers/") == 2
        lost = person(cast)
        low(cast, customer=lost, team=cast.west)
        Customer.objects.filter(pk=lost.pk).update(lost_at=MONDAY + DAY, lost_reason="Moved")
        assert count_on(sign_in(cast.lina), "/insight/value/customers/?which=lost") == 0
        assert count_on(sign_in(cast.vera), "/insight/value/customers/?which=lost") == 1

    @pytest.mark.parametrize("page", ["", "csv/", "customers/"])
    def test_nobody_else_comes_in(self, cast: Cast, client: Client, page: str) -> None:
        assert client.get(f"/insight/value/{page}").status_code == 302


class TestCsv:
    def test_it_holds_the_numbers_of_the_page(self, cast: Cast, vera: Client) -> None:
        low(cast, customer=person(cast))
        recovered(cast)
        given_something(cast)
        rows = list(csv.reader(io.StringIO(vera.get("/insight/value/csv/").content.decode("utf-8-sig"))))
        found = {tuple(row[:2]): row[2:7] for row in rows}
        assert found["value at risk", ""] == ["1", "2", "975.0", "950.0", "1000.0"]
        assert found["value kept", ""] == ["1", "1", "920.0", "870.0", "970.0"]
        assert found["goodwill", "tickets with goodwill"][:3] == ["1", "", "20.0"]
        assert found["expected to stay", "very satisfied"][2:] == ["0.945", "0.92", "0.97"]
        assert all(row[7] for row in rows)


class TestQueries:
    @pytest.mark.parametrize("page", ["", "csv/", "customers/", "customers/?which=lost"])
    def test_it_asks_the_database_as_often_for_many_as_for_few(
        self, cast: Cast, vera: Client, page: str
    ) -> None:
        low(cast, customer=person(cast))
        recovered(cast)
        gone = person(cast)
        Customer.objects.filter(pk=gone.pk).update(lost_at=MONDAY + DAY, lost_reason="Moved")
        few = queries(vera, f"/insight/value/{page}")
        for number in range(6):
            low(cast, customer=person(cast), at=MONDAY + timedelta(minutes=number))
            recovered(cast)
            Customer.objects.filter(pk=person(cast).pk).update(lost_at=MONDAY + DAY, lost_reason="Moved")
        assert queries(vera, f"/insight/value/{page}") == few

    def test_the_numbers_take_at_most_fifteen_queries_where_stories_are_kept(
        self, cast: Cast, vera: Client
    ) -> None:
        recovered(cast)
        given_something(cast)
        customer_wrote(put_right(cast, low(cast)), at=MONDAY + 2 * DAY, text="Again", channel="email")
        keep_all()
        everything = queries(vera, "/insight/value/")
        frame = queries(vera, "/insight/targets/") - 1
        assert everything - frame <= 15


def queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        client.get(address)
    return len(captured)


def test_links_of_the_page_are_whole(cast: Cast, vera: Client) -> None:
    """Every address the page offers answers."""
    low(cast, customer=person(cast), touchpoint="Pudong & co")
    recovered(cast)
    given_something(cast)
    page = vera.get("/insight/value/?touchpoint=Pudong+%26+co").content.decode()
    for address in sorted(set(re.findall(r'href="(/insight/[^"]*)"', page))):
        assert vera.get(unescape(address)).status_code == 200, address
