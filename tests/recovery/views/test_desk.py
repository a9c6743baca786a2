"""My work: bands by what falls due, and counts that are the lists."""

import pytest
from pytest_django import DjangoAssertNumQueries

from recovery import lifecycle
from recovery.models import StaffProfile, Ticket
from tests.make import DAY, HOUR, MINUTE, MONDAY, Cast
from tests.recovery.views.conftest import Clock, SignIn


def bands(context: object) -> dict[str, list[str]]:
    return {band.code: [row.ticket.number for row in band.rows] for band in context["bands"]}  # type: ignore[index]


def fresh(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def mine(cast: Cast, **fields: object) -> Ticket:
    ticket = cast.ticket(**fields)  # type: ignore[arg-type]
    Ticket.objects.filter(pk=ticket.pk).update(owner=cast.lina)
    return fresh(ticket)


def test_it_puts_who_must_be_called_first_then_what_falls_due(
    cast: Cast, sign_in: SignIn, clock: Clock
) -> None:
    today, now, later, call, paused = (mine(cast, priority=each) for each in (3, 1, 3, 3, 3))
    lifecycle.log_contact(later, by=cast.lina, at=MONDAY, outcome="reached")
    lifecycle.book_callback(
        call, by=cast.lina, at=MONDAY, local_time="2026-03-02T10:20", time_zone="Asia/Shanghai"
    )
    lifecycle.start_waiting(paused, by=cast.lina, at=MONDAY, reason="A photo")
    clock(MONDAY + 30 * MINUTE)
    context = sign_in(cast.lina).get("/desk/").context
    assert bands(context) == {
        "call": [call.number],
        "now": [now.number],
        "today": [today.number],
        "later": [later.number, paused.number],
    }


def test_it_counts_what_it_lists(cast: Cast, sign_in: SignIn) -> None:
    for priority in (1, 1, 2, 3):
        mine(cast, priority=priority)
    context = sign_in(cast.lina).get("/desk/").context
    counted = {band.code: band.count for band in context["bands"]}
    assert counted == {code: len(numbers) for code, numbers in bands(context).items()}
    assert context["counts"]["total"] == sum(counted.values()) == 4


def test_it_shows_a_callback_that_is_due_though_a_deadline_passed_before(
    cast: Cast, sign_in: SignIn, clock: Clock
) -> None:
    ticket = mine(cast, priority=1)
    lifecycle.book_callback(
        ticket, by=cast.lina, at=MONDAY, local_time="2026-03-02T15:00", time_zone="Asia/Shanghai"
    )
    clock(MONDAY + 5 * HOUR + 10 * MINUTE)
    (band,) = sign_in(cast.lina).get("/desk/").context["bands"]
    assert band.rows[0].calls
    assert band.rows[0].chip.text == "late 10 min"


def test_it_ends_the_day_at_the_readers_midnight(cast: Cast, sign_in: SignIn) -> None:
    ticket = mine(cast, priority=3)  # first contact is due at 14:00 in Shanghai, 19:00 in Auckland
    lifecycle.log_contact(ticket, by=cast.lina, at=MONDAY, outcome="reached")
    ticket = lifecycle.book_callback(
        fresh(ticket), by=cast.lina, at=MONDAY, local_time="2026-03-02T20:00", time_zone="Asia/Shanghai"
    )
    assert bands(sign_in(cast.lina).get("/desk/").context) == {"today": [ticket.number]}
    StaffProfile.objects.filter(user=cast.lina).update(time_zone="Pacific/Auckland")
    assert bands(sign_in(cast.lina).get("/desk/").context) == {"later": [ticket.number]}


def test_it_grows_what_was_done_today(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    ticket, client = mine(cast), sign_in(cast.lina)
    assert client.get("/desk/").context["done"] == []
    lifecycle.resolve(ticket, by=cast.lina, at=MONDAY + HOUR, cause_found=cast.late, what_was_done="Sorry")
    clock(MONDAY + 2 * HOUR)
    context = client.get("/desk/").context
    assert [row.ticket.number for row in context["done"]] == [ticket.number]
    assert context["counts"]["total"] == 0
    clock(MONDAY + DAY)
    assert client.get("/desk/").context["done"] == []


def test_it_shows_nobody_elses_work(cast: Cast, sign_in: SignIn) -> None:
    ticket = mine(cast)
    assert ticket.number not in sign_in(cast.majun).get("/desk/").content.decode()


def test_it_says_what_would_be_here(cast: Cast, sign_in: SignIn) -> None:
    assert "Nothing waits for you" in sign_in(cast.lina).get("/desk/").content.decode()


def test_it_leads_who_only_reads_to_the_figures(cast: Cast, sign_in: SignIn) -> None:
    assert sign_in(cast.vera).get("/desk/")["Location"] == "/insight/"


def test_it_says_when_the_list_below_is_old(cast: Cast, sign_in: SignIn) -> None:
    ticket, client = mine(cast), sign_in(cast.lina)
    state = client.get("/desk/").context["counts"]["state"]
    assert "The list changed" not in client.get("/desk/counts/", {"state": state}).content.decode()
    lifecycle.note(ticket, by=cast.chen, at=MONDAY, text="He rang")
    assert "The list changed" in client.get("/desk/counts/", {"state": state}).content.decode()


@pytest.mark.parametrize("tickets", [1, 12])
def test_it_asks_the_database_the_same_for_one_and_for_many(
    cast: Cast, sign_in: SignIn, django_assert_max_num_queries: DjangoAssertNumQueries, tickets: int
) -> None:
    for _ in range(tickets):
        mine(cast)
    client = sign_in(cast.lina)
    with django_assert_max_num_queries(12):
        client.get("/desk/")


def test_it_marks_where_the_customer_spoke_last(cast: Cast, sign_in: SignIn) -> None:
    ticket, client = mine(cast), sign_in(cast.lina)
    (band,) = client.get("/desk/").context["bands"]
    assert band.rows[0].answered == ""
    again = cast.response(1, at=MONDAY, customer=ticket.customer)
    plan = lifecycle.Plan(team=cast.east, policy=cast.policy, priority=3)
    lifecycle.absorb(ticket, again, plan, at=MONDAY + 10 * MINUTE)
    (band,) = client.get("/desk/").context["bands"]
    assert band.rows[0].answered == "answered 20 min ago"
    lifecycle.log_contact(fresh(ticket), by=cast.lina, at=MONDAY + 25 * MINUTE, outcome="no_answer")
    (band,) = client.get("/desk/").context["bands"]
    assert band.rows[0].answered == ""
