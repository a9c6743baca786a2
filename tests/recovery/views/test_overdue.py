"""Overdue: the tabs, who has what, and many tickets put right at once."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from recovery import lifecycle, sweeps
from recovery.models import Deadline, Leave, Ticket
from tests.due import due
from tests.make import DAY, HOUR, MINUTE, MONDAY, SHANGHAI, Cast
from tests.recovery.views.conftest import Clock, SignIn


def fresh(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def owned(cast: Cast, owner: Any, **fields: Any) -> Ticket:
    ticket = cast.ticket(**fields)
    Ticket.objects.filter(pk=ticket.pk).update(owner=owner)
    return fresh(ticket)


def listed(client: Client, **query: str | int) -> set[str]:
    return {row.ticket.number for row in client.get("/overdue/", query).context["rows"]}


def counts(client: Client) -> dict[str, int]:
    return {tab["code"]: tab["count"] for tab in client.get("/overdue/").context["tabs"]}


def test_it_sorts_open_work_into_its_tabs(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    late, risky, waiting, calm = (owned(cast, cast.lina, priority=each) for each in (1, 3, 3, 3))
    lifecycle.start_waiting(waiting, by=cast.lina, at=MONDAY - 8 * DAY, reason="A photo")
    lifecycle.log_contact(calm, by=cast.lina, at=MONDAY, outcome="reached")
    clock(MONDAY + 90 * MINUTE)
    client = sign_in(cast.chen)
    assert listed(client) == {late.number}
    assert listed(client, tab="silent") == {late.number, risky.number}
    assert listed(client, tab="waiting") == {waiting.number}
    assert listed(client, tab="risk") == {risky.number}


def test_it_counts_what_it_lists(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    for priority in (1, 1, 2, 3):
        cast.ticket(priority=priority)
    clock(MONDAY + 90 * MINUTE)
    client = sign_in(cast.chen)
    found = counts(client)
    assert found == {code: len(listed(client, tab=code)) for code in found}
    assert found["late"] == 2
    (menu,) = [item for item in client.get("/overdue/").context["menu"] if item["url"] == "/overdue/"]
    assert menu["count"] == 2


def test_at_risk_means_four_working_hours_not_four_hours(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    ticket = owned(cast, cast.lina, at=MONDAY + 5 * HOUR, priority=3)
    client = sign_in(cast.chen)
    clock(MONDAY + 5 * HOUR)
    assert listed(client, tab="risk") == {ticket.number}
    assert client.get("/overdue/", {"tab": "risk"}).context["rows"][0].chip.text == "in 20 h 00"


def test_it_shows_who_has_what_and_who_is_away(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    owned(cast, cast.lina, priority=1)
    owned(cast, cast.lina, priority=3)
    Leave.objects.create(user=cast.majun, starts_at=MONDAY, ends_at=MONDAY + DAY)
    clock(MONDAY + 90 * MINUTE)
    owners = {each.name: each for each in sign_in(cast.chen).get("/overdue/").context["owners"]}
    lina, majun = owners["Li Na"], owners["Ma Jun"]
    assert (lina.open, dict(lina.counts)["late"], lina.load, lina.capacity, lina.away) == (2, 1, 2, 20, False)
    assert (majun.open, majun.load, majun.away) == (0, 0, True)
    assert "Ann Smith" not in owners


def test_it_counts_load_in_every_team(cast: Cast, sign_in: SignIn) -> None:
    owned(cast, cast.lina)
    owned(cast, cast.lina, team=cast.west)
    owners = {each.name: each for each in sign_in(cast.chen).get("/overdue/").context["owners"]}
    assert (owners["Li Na"].open, owners["Li Na"].load) == (1, 2)


def test_it_shows_the_rows_behind_a_number(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    mine, theirs = owned(cast, cast.lina, priority=1), owned(cast, cast.majun, priority=1)
    calm = owned(cast, cast.lina, priority=3)
    clock(MONDAY + 90 * MINUTE)
    client = sign_in(cast.chen)
    assert listed(client, owner=cast.lina.pk) == {mine.number}
    assert listed(client, owner=cast.lina.pk, all=1) == {mine.number, calm.number}
    assert listed(client, team=cast.east.pk) == {mine.number, theirs.number}


def test_it_says_to_whom_it_was_escalated(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    owned(cast, cast.lina, priority=1)
    at = MONDAY + 90 * MINUTE
    for pk in due("deadlines", at):
        sweeps.climb(pk, at)
    clock(at)
    assert "Level 1: Chen Hao was told, today 11:30" in sign_in(cast.chen).get("/overdue/").content.decode()


@pytest.mark.parametrize(
    ("level", "deadline", "said"),
    [
        (0, True, "Chen Hao was warned, today 10:00"),
        (2, True, "Level 2: Chen Hao was told, today 10:00"),
        (1, False, "Chen Hao was asked for help, today 10:00"),
    ],
)
def test_each_step_of_the_ladder_is_said_in_words(level: int, deadline: bool, said: str) -> None:
    kind = SimpleNamespace(get_kind_display="first contact") if deadline else None
    each = SimpleNamespace(level=level, deadline=kind, recipient_name="Chen Hao", at=MONDAY)
    with timezone.override(SHANGHAI):
        shown = render_to_string("recovery/parts/told.html", {"each": each, "now": MONDAY})
    assert shown.startswith(said)


def test_it_lets_an_analyst_look_and_not_touch(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    ticket = owned(cast, cast.lina, priority=1)
    clock(MONDAY + 90 * MINUTE)
    client = sign_in(cast.vera)
    page = client.get("/overdue/").content.decode()
    assert ticket.number in page
    assert "hand over to" not in page
    assert client.get(f"/overdue/one/{ticket.number}/").status_code == 403


def test_it_says_until_when_somebody_is_away_and_who_covers(cast: Cast, sign_in: SignIn) -> None:
    Leave.objects.create(user=cast.majun, cover=cast.lina, starts_at=MONDAY, ends_at=MONDAY + DAY)
    page = sign_in(cast.chen).get("/overdue/").content.decode()
    assert "away until tomorrow 10:00, Li Na covers" in page
    Leave.objects.update(cover=None)
    page = sign_in(cast.chen).get("/overdue/").content.decode()
    assert "away until tomorrow 10:00, the supervisor covers" in page


def test_it_counts_by_touchpoint(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    shop, unsaid = owned(cast, cast.lina, priority=1, touchpoint="Shop"), owned(cast, cast.lina, priority=1)
    clock(MONDAY + 90 * MINUTE)
    client = sign_in(cast.chen)
    places = {each.name: dict(each.counts)["late"] for each in client.get("/overdue/").context["touchpoints"]}
    assert places == {"Shop": 1, "not said": 1}
    assert listed(client, touchpoint="Shop") == {shop.number}
    assert listed(client, touchpoint="-") == {unsaid.number}


def test_waiting_too_long_is_more_than_five_working_days(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    ticket = owned(cast, cast.lina)
    lifecycle.start_waiting(ticket, by=cast.lina, at=MONDAY, reason="A photo")
    client = sign_in(cast.chen)
    clock(MONDAY + 7 * DAY)
    assert listed(client, tab="waiting") == set()
    clock(MONDAY + 8 * DAY)
    assert listed(client, tab="waiting") == {ticket.number}


def test_it_finds_what_waits_past_its_time(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    ticket = owned(cast, cast.lina)
    lifecycle.start_waiting(ticket, by=cast.lina, at=MONDAY, reason="A photo", until=MONDAY + HOUR)
    client = sign_in(cast.chen)
    clock(MONDAY + HOUR - MINUTE)
    assert listed(client, tab="waiting") == set()
    clock(MONDAY + HOUR)
    assert listed(client, tab="waiting") == {ticket.number}


def test_broken_twice_in_one_cycle_or_in_two(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    twice, again, once = (owned(cast, cast.lina, priority=1) for _each in range(3))
    lifecycle.log_contact(once, by=cast.lina, at=MONDAY + MINUTE, outcome="reached")
    late = MONDAY + 2 * HOUR
    solved = lifecycle.log_contact(again, by=cast.lina, at=late, outcome="reached")
    Deadline.objects.filter(ticket=again, kind="first_contact").update(breached_at=late)
    solved = lifecycle.resolve(solved, by=cast.lina, at=late, cause_found=cast.late, what_was_done="Sent")
    lifecycle.reopen(solved, by=cast.lina, at=MONDAY + DAY, reason="Broke again")
    client = sign_in(cast.chen)
    clock(MONDAY + DAY + HOUR)
    assert listed(client, tab="twice") == {twice.number, again.number}
    assert once.number in listed(client, tab="late")


def test_it_is_at_risk_by_the_pace_of_its_team(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    """Five first contacts in forty working hours: the first in line is met in eight, the next in sixteen."""
    for _each in range(5):
        before = owned(cast, cast.lina, at=MONDAY - 4 * DAY)
        lifecycle.log_contact(before, by=cast.lina, at=MONDAY - 3 * DAY, outcome="reached")
    Ticket.objects.update(status="closed", closed_at=MONDAY)
    Deadline.objects.filter(met_at=None).update(ended_at=MONDAY)
    waiting_long = owned(cast, cast.lina, priority=3)
    Deadline.objects.filter(ticket=waiting_long, kind="first_contact").update(due_at=MONDAY + 3 * DAY)
    client = sign_in(cast.chen)
    assert listed(client, tab="risk") == set()
    soon = owned(cast, cast.lina, priority=3)
    assert listed(client, tab="risk") == {soon.number}
    assert client.get("/overdue/").context["teams"][0].lately == (5, None)


@pytest.mark.parametrize("who", ["chen", "admin"])
@pytest.mark.parametrize("rows", [1, 60])
def test_it_asks_the_database_at_most_twelve_times(
    cast: Cast,
    sign_in: SignIn,
    clock: Clock,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    who: str,
    rows: int,
) -> None:
    for _each in range(rows):
        cast.ticket(priority=1)
    clock(MONDAY + 90 * MINUTE)
    client = sign_in(getattr(cast, who))
    with django_assert_max_num_queries(12):
        assert len(client.get("/overdue/").context["rows"]) == min(rows, 50)


def test_who_supervises_the_team_may_be_given_tickets_too(cast: Cast, sign_in: SignIn) -> None:
    ticket = owned(cast, cast.lina)
    client = sign_in(cast.chen)
    page = client.get("/overdue/?all=1")
    names = [name for _pk, name in page.context["bulk"].fields["owner"].widget.choices]
    assert names == ["Choose a colleague", "Chen Hao", "Li Na", "Ma Jun"]
    assert "Chen Hao" not in {each.name for each in page.context["owners"]}
    given = {"ticket": f"{ticket.number}:{ticket.version}", "do": "assign", "owner": cast.chen.pk}
    client.post("/overdue/act/", given)
    assert fresh(ticket).owner == cast.chen
    assert "Chen Hao" in {each.name for each in client.get("/overdue/?all=1").context["owners"]}
