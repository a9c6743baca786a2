"""The list of tickets: what the address of the page asks for."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from recovery import lifecycle
from recovery.models import Ticket
from tests.make import HOUR, MINUTE, MONDAY, Cast, make_response
from tests.recovery.views.conftest import Clock, SignIn
from tests.surveys.make import make_survey


def numbers(client: Client, **query: str | int) -> set[str]:
    return {row.ticket.number for row in client.get("/tickets/", query).context["rows"]}


def resolved(cast: Cast, ticket: Ticket) -> Ticket:
    return lifecycle.resolve(ticket, by=cast.lina, at=MONDAY, cause_found=cast.late, what_was_done="Sorry")


def test_it_shows_what_is_in_work_by_what_falls_due(cast: Cast, sign_in: SignIn) -> None:
    normal, urgent, done = cast.ticket(priority=3), cast.ticket(priority=1), cast.ticket()
    resolved(cast, done)
    rows = sign_in(cast.lina).get("/tickets/").context["rows"]
    assert [row.ticket for row in rows] == [urgent, normal]


def test_it_filters_by_what_the_address_says(cast: Cast, sign_in: SignIn) -> None:
    other_survey = make_survey("service")
    a = cast.ticket(priority=1)
    b = cast.ticket(survey=other_survey)
    c = cast.ticket(team=cast.region)
    done = resolved(cast, cast.ticket())
    Ticket.objects.filter(pk=a.pk).update(owner=cast.majun)
    Ticket.objects.filter(pk=b.pk).update(owner=cast.wu)
    client = sign_in(cast.wu)
    assert numbers(client, priority=1) == {a.number}
    assert numbers(client, survey=other_survey.pk) == {b.number}
    assert numbers(client, team=cast.region.pk) == {c.number}
    assert numbers(client, owner=cast.majun.pk) == {a.number}
    assert numbers(client, owner="me") == {b.number, c.number}
    assert numbers(client, status="resolved") == {done.number}
    assert numbers(client, status="any") == {a.number, b.number, c.number, done.number}


@pytest.mark.parametrize(
    "query", [{"owner": "x"}, {"team": "-1"}, {"status": "lost"}, {"priority": "9" * 30}, {"survey": "\0"}]
)
def test_it_finds_nothing_for_a_filter_that_does_not_exist(
    cast: Cast, sign_in: SignIn, query: dict[str, str]
) -> None:
    cast.ticket()
    response = sign_in(cast.lina).get("/tickets/", query)
    assert response.status_code == 200
    assert len(response.context["rows"]) == (1 if query == {"survey": "\0"} else 0)


def test_it_shows_only_what_is_overdue(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    late, _early = cast.ticket(priority=1), cast.ticket(priority=3)
    clock(MONDAY + 2 * HOUR)
    assert numbers(sign_in(cast.lina), overdue=1) == {late.number}


def test_it_finds_by_what_somebody_on_the_phone_would_say(cast: Cast, sign_in: SignIn) -> None:
    customer = cast.customer("张伟", email="wei@example.com", phone="+8613800138000")
    ticket = cast.ticket(customer=customer, comment="送货晚了两天。Nobody called.")
    cast.ticket(customer=cast.customer("Kim"), comment="")
    client = sign_in(cast.lina)
    for words in (
        "张伟",
        "wei@ex",
        "138 0013 8000",
        "(0138) 0013-8000",
        "晚了两天",
        "nobody CALLED",
        ticket.number[2:] + " ",
    ):
        assert numbers(client, q=words, status="any") == {ticket.number}, words
    assert numbers(client, q="nothing like it") == set()


def test_it_finds_the_words_of_a_later_answer_and_of_a_closed_ticket(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket()
    again = make_response(cast.survey, 1, customer=ticket.customer, comment="Where is my refund")
    plan = lifecycle.Plan(team=cast.east, policy=cast.policy, priority=2)
    ticket = resolved(cast, lifecycle.absorb(ticket, again, plan, at=MONDAY))
    assert numbers(sign_in(cast.lina), q="my refund") == {ticket.number}


@pytest.mark.parametrize("shape", ["R-{}", "r{}", "{}", " r-{} "])
def test_it_jumps_to_a_number(cast: Cast, sign_in: SignIn, shape: str) -> None:
    ticket = cast.ticket()
    response = sign_in(cast.lina).get("/tickets/", {"q": shape.format(ticket.number[2:])})
    assert response["Location"] == f"/tickets/{ticket.number}/"


def test_it_does_not_jump_to_a_ticket_of_another_team(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket(team=cast.west)
    response = sign_in(cast.lina).get("/tickets/", {"q": ticket.number})
    assert response.status_code == 200
    assert response.context["rows"] == []


def test_it_turns_pages_and_keeps_the_filters(cast: Cast, sign_in: SignIn) -> None:
    for _ in range(51):
        cast.ticket()
    client = sign_in(cast.lina)
    first, second = numbers(client, team=cast.east.pk), numbers(client, team=cast.east.pk, page=2)
    assert (len(first), len(second)) == (50, 1)
    assert not first & second
    assert (
        f"team={cast.east.pk}&amp;page=2" in client.get("/tickets/", {"team": cast.east.pk}).content.decode()
    )


@pytest.mark.parametrize(("name", "queries"), [("lina", 12), ("chen", 14), ("vera", 12)])
def test_it_asks_the_database_the_same_for_many_rows(
    cast: Cast,
    sign_in: SignIn,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    name: str,
    queries: int,
) -> None:
    for index in range(25):
        ticket = cast.ticket(customer=cast.customer(""))
        if index % 2:
            lifecycle.book_callback(
                ticket, by=cast.lina, at=MONDAY, local_time="2026-03-02T15:00", time_zone="Asia/Shanghai"
            )
    client = sign_in(getattr(cast, name))
    with django_assert_max_num_queries(queries):
        client.get("/tickets/")


def test_it_shows_a_callback_before_its_time_as_a_time_of_day(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket()
    lifecycle.book_callback(
        ticket, by=cast.lina, at=MONDAY, local_time="2026-03-02T13:00", time_zone="Asia/Shanghai"
    )
    (row,) = sign_in(cast.lina).get("/tickets/").context["rows"]
    assert (row.calls, row.chip.text, row.chip.at) == (True, "today 13:00", None)


def test_it_counts_the_minutes_of_a_row(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    cast.ticket(priority=1)
    client = sign_in(cast.lina)
    clock(MONDAY + 25 * MINUTE)
    (row,) = client.get("/tickets/").context["rows"]
    assert (row.chip.state, row.chip.text) == ("soon", "in 35 min")
    clock(MONDAY + 95 * MINUTE)
    (row,) = client.get("/tickets/").context["rows"]
    assert (row.chip.state, row.chip.text) == ("late", "late 35 min")
