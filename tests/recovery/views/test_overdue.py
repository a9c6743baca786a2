"""Overdue: the tabs, who has what, and many tickets put right at once."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from recovery import lifecycle, sweeps
from recovery.models import Leave, Ticket
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
    lifecycle.start_waiting(waiting, by=cast.lina, at=MONDAY, reason="A photo")
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
    assert bulk(client, [ticket], do="assign", owner=cast.majun.pk).status_code == 403


def bulk(client: Client, tickets: list[Ticket], **values: object) -> HttpResponse:
    picked = [f"{ticket.number}:{ticket.version}" for ticket in tickets]
    response: HttpResponse = client.post("/overdue/act/", {"ticket": picked, "back": "tab=late", **values})  # type: ignore[assignment]
    return response


def results(response: HttpResponse) -> dict[str, tuple[bool, str]]:
    return {each.number: (each.done, each.why) for each in response.context["results"]}  # type: ignore[attr-defined]


def test_it_hands_over_many_and_says_what_became_of_each(cast: Cast, sign_in: SignIn) -> None:
    moved, already = owned(cast, cast.lina), owned(cast, cast.majun)
    changed, hidden = owned(cast, cast.lina), owned(cast, cast.ann, team=cast.west)
    lifecycle.note(fresh(changed), by=cast.lina, at=MONDAY, text="Nearly done")
    response = bulk(
        sign_in(cast.chen),
        [moved, already, changed, hidden],
        do="assign",
        owner=cast.majun.pk,
        reason="Sick leave",
    )
    said = results(response)
    assert said[moved.number] == (True, "")
    assert said[already.number] == (False, "This colleague owns the ticket already.")
    assert "Somebody changed this ticket meanwhile" in said[changed.number][1]
    assert said[hidden.number] == (False, "There is no such ticket among yours.")
    assert fresh(moved).owner == cast.majun
    assert moved.events.get(kind="assigned").text == "Sick leave"
    assert fresh(hidden).owner == cast.ann


def test_it_does_not_hand_over_into_another_team(cast: Cast, sign_in: SignIn) -> None:
    cast.wu.supervised_teams.add(cast.west)
    ticket = owned(cast, cast.lina)
    response = bulk(sign_in(cast.wu), [ticket], do="assign", owner=cast.ann.pk)
    assert results(response)[ticket.number][1] == "This colleague does not work in the ticket’s team."
    assert fresh(ticket).owner == cast.lina


def test_it_extends_many(cast: Cast, sign_in: SignIn) -> None:
    first, second = owned(cast, cast.lina), owned(cast, cast.lina)
    response = bulk(
        sign_in(cast.chen),
        [first, second],
        do="extend",
        kind="resolution",
        minutes=60,
        reason="Strike at the port",
    )
    assert [done for done, _why in results(response).values()] == [True, True]
    assert set(
        Ticket.objects.filter(deadlines__kind="resolution", deadlines__extra_minutes=60).values_list(
            "number", flat=True
        )
    ) == {first.number, second.number}


def test_it_changes_nothing_without_a_reason_or_a_tick(cast: Cast, sign_in: SignIn) -> None:
    ticket, client = owned(cast, cast.lina), sign_in(cast.chen)
    assert bulk(client, [ticket], do="extend", kind="resolution", minutes=60).status_code == 422
    assert bulk(client, [ticket], do="assign").status_code == 422
    assert bulk(client, [], do="assign", owner=cast.majun.pk).status_code == 422
    assert fresh(ticket).version == ticket.version


def test_it_keeps_many_tickets_from_an_agent(cast: Cast, sign_in: SignIn) -> None:
    ticket = owned(cast, cast.lina)
    assert bulk(sign_in(cast.lina), [ticket], do="assign", owner=cast.majun.pk).status_code == 403


def test_it_asks_the_database_the_same_for_many_rows(
    cast: Cast, sign_in: SignIn, clock: Clock, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(20):
        cast.ticket(priority=1)
    clock(MONDAY + 90 * MINUTE)
    client = sign_in(cast.chen)
    with django_assert_max_num_queries(25):
        client.get("/overdue/")
