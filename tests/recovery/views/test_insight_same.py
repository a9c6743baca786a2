"""Page, API, file and picture say the same of the same filter; a number opens the tickets it counts."""

import csv
import io
import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.test import Client
from django.utils.html import strip_tags

from recovery.lifecycle import assign, name_cause
from recovery.models import Ticket
from tests.kept import kept
from tests.make import DAY, HOUR, MONDAY, Cast
from tests.recovery.api.client import Client as ApiClient
from tests.recovery.insight.histories import answer, heard, low, put_right, unknown
from tests.recovery.views.conftest import SignIn

FILTERS: list[dict[str, str]] = [
    {},
    {"as_of": "2026-03-08", "from": "2026-03-01"},
    {"segment": "tier:Gold", "touchpoint": "Pudong store"},
    {"segment": "attribute:region=East", "as_of": "2026-03-09", "team": "East"},
]


@pytest.fixture(autouse=True)
def _april() -> Iterator[None]:
    with time_machine.travel(MONDAY + 30 * DAY, tick=False):
        yield


@pytest.fixture
def firm(cast: Cast) -> Cast:
    every_fate(cast)
    return cast


@kept
def every_fate(cast: Cast) -> None:
    """Low scores of every fate, in two teams, of two tiers, at two places."""
    for index in range(33):
        gold, pudong = index % 2 == 0, index % 4 != 3
        customer = cast.customer(
            tier="Gold" if gold else "", attributes={"region": "East" if index % 3 else "West"}
        )
        ticket = low(
            cast,
            at=MONDAY + index * HOUR,
            customer=customer,
            touchpoint="Pudong store" if pudong else "",
            team=cast.west if index % 5 == 4 else cast.east,
        )
        live(cast, ticket, index)
    put_right(cast, unknown(cast, MONDAY))


def live(cast: Cast, ticket: Ticket, index: int) -> None:
    """What becomes of it: nothing, a contact, a resolution, an answer, or two."""
    at = ticket.opened_at
    if index % 7 != 6:
        ticket = heard(
            cast, ticket, at=at + (1 + index % 4) * 3 * HOUR, outcome="reached" if index % 3 else "no_answer"
        )
    if index % 11 == 10:
        ticket = name_cause(ticket, by=cast.lina, at=at + DAY, cause=cast.rude)
        assign(ticket, by=cast.chen, at=at + DAY, to=cast.ann, team=cast.west, reason="yours")
        return
    ticket = put_right(cast, ticket, at=at + 2 * DAY)
    if index % 6 == 5:
        return
    answer(cast, ticket, (9, 10, 7, 3, 9)[index % 5], at=at + (4 + index % 3) * DAY)
    if index % 10 == 0:
        answer(cast, ticket, 9 if index % 20 else 2, at=at + 12 * DAY)


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    text = answer.content.decode()
    return text[text.index("<main") : text.index("</main>")]


def rows_of(client: Client, query: str) -> dict[tuple[str, str, str], list[str]]:
    answer = client.get(f"/insight/csv/?{query}")
    rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    return {(row[0], row[1], row[2]): row[3:8] for row in rows}


def query_of(cast: Cast, wanted: dict[str, str]) -> str:
    """The page names a team by its id."""
    return urlencode({**wanted, **({"team": str(cast.east.pk)} if "team" in wanted else {})})


@pytest.mark.parametrize("wanted", FILTERS, ids=str)
def test_page_api_file_and_picture_say_the_same(firm: Cast, sign_in: SignIn, wanted: dict[str, str]) -> None:
    client, query = sign_in(firm.vera), query_of(firm, wanted)
    said = re.sub(r"\s+", " ", unescape(strip_tags(page(client, f"/insight/?{query}"))))
    # The page asks for the last ninety days where nobody says; the API for everything: here that is the same.
    told = ApiClient.of(firm.vera).read("insight/recovery/", **wanted).json()
    rows = rows_of(client, query)
    drawn = page(client, f"/insight/?{query}")
    size = told["low_scores"]["count"]
    assert size >= 5
    assert rows["low scores", "", ""][0] == str(size)
    assert f"{size} low scores came in" in said
    assert title_of(drawn, "Low scores") == size
    for name, row in (("Recovered", "recovered"), ("Converted", "converted")):
        same(told[row]["next"], rows[row, "Next answer", ""], said, name)
    for name in ("reached", "asked", "responded", "lasting", "unanswered"):
        same(told[name], rows[CSV_NAMES[name], "", ""], said, PAGE_NAMES[name])
    for side, whom in (("reached", "reached"), ("not_reached", "not reached")):
        same(told["comparison"][side], rows["recovered", "", whom], said, SIDES[side])
    for reached, stage, state in ((True, "Reached", "reached"), (False, "Not reached", "not reached")):
        number = sum(each["count"] for each in told["flow"] if each["reached"] == reached)
        assert title_of(drawn, stage) == number
        of_them = {
            key[0]: int(row[0]) for key, row in rows.items() if key[2] == state and row[1] == str(size)
        }
        assert sum(of_them.values()) == number
    for band, label in (("promoter", "Promoter"), ("passive", "Passive"), ("detractor", "Still a detractor")):
        number = told["outcomes"]["next"][band]
        assert title_of(drawn, label) == number
        assert sum(int(rows[label, "", whom][0]) for whom in ("reached", "not reached")) == number


CSV_NAMES = {
    "reached": "reached",
    "asked": "asked again",
    "responded": "response",
    "lasting": "lasting",
    "unanswered": "without an answer",
}
SIDES = {"reached": "Recovered, of the reached", "not_reached": "Recovered, of those not reached"}
PAGE_NAMES = {
    "reached": "Reached",
    "asked": "Asked again",
    "responded": "Response",
    "lasting": "Lasting",
    "unanswered": "Without an answer",
}


def same(told: dict[str, Any], row: list[str], said: str, name: str) -> None:
    """One rate in three places: its counts, its share and both ends of its interval."""
    assert row[:2] == [str(told["count"]), str(told["of"])]
    shown = [told["share"], told["low"], told["high"]]
    assert row[2:] == ["" if share is None else str(round(share, 4)) for share in shown]
    if told["of"] == 0:
        assert f"{name} –" in said
    elif told["share"] is None:
        assert f"{name} {told['count']} of {told['of']}" in said
    else:
        share, low_end, high_end = (round(100 * share) for share in shown)
        assert f"{name} {share} % ({low_end} to {high_end}) · {told['count']} of {told['of']}" in said, name


def title_of(drawn: str, label: str) -> int:
    """The number of a place in the flow, the same in the wide picture and the narrow one; 0 if not drawn."""
    found = re.findall(rf"<rect[^>]*><title>{re.escape(label)}: ([\d,]+)</title>", drawn)
    numbers = {sum(int(each.replace(",", "")) for each in found[: len(found) // 2])}
    numbers |= {sum(int(each.replace(",", "")) for each in found[len(found) // 2 :])}
    assert len(numbers) == 1
    return numbers.pop()


BEHIND = re.compile(
    r'<a[^>]*href="(/insight/tickets/\?[^"]*)"[^>]*>(.*?)</a>([^<]*(?:<span[^>]*>)?[^<]*)', re.DOTALL
)


@pytest.mark.parametrize("wanted", FILTERS, ids=str)
def test_every_number_opens_as_many_tickets_as_it_counts(
    firm: Cast, sign_in: SignIn, wanted: dict[str, str]
) -> None:
    client, query = sign_in(firm.vera), query_of(firm, wanted)
    links: set[tuple[str, int]] = set()
    for by in ("cause", "team", "touchpoint", "tier", "hours"):
        report = page(client, f"/insight/?{query}&by={by}")
        found = [(unescape(url), count_of(shown, after)) for url, shown, after in BEHIND.findall(report)]
        links |= {(url, count) for url, count in found if count is not None}
    assert len(links) > 40
    for url, count in links:
        assert listed(client, url) == count, url


def listed(client: Client, url: str) -> int:
    """How many tickets a list says it holds."""
    heading = re.search(r'class="count">(\d+)<', page(client, url))
    assert heading, url
    return int(heading[1])


def test_every_number_of_the_causes_opens_its_tickets(firm: Cast, sign_in: SignIn) -> None:
    client = sign_in(firm.vera)
    for query in ("", "as_of=2026-03-05"):
        links = BEHIND.findall(page(client, f"/insight/causes/?{query}"))
        assert links
        for url, shown, after in links:
            assert listed(client, unescape(url)) == count_of(shown, after), url


def count_of(shown: str, after: str) -> int | None:
    """12; 3 of 4; 42 % (36 to 49) with its counts behind it; of a part of a picture what its title says.

    None where that is a rate, whose counts stand in the table.
    """
    title = re.search("<title>(.*?)</title>", shown)
    if title:
        counted = re.search(r": ([\d,]*\d)(?:$|, | of )", unescape(title[1]))
        return int(counted[1].replace(",", "")) if counted else None
    text = unescape(strip_tags(shown)).strip()
    if re.fullmatch(r"[\d,]+", text):
        return int(text.replace(",", ""))
    found = re.search(r"([\d,]+) of [\d,]+", text if "%" not in text else unescape(strip_tags(after)))
    assert found, (shown, after)
    return int(found[1].replace(",", ""))
