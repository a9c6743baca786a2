"""My work: bands by what falls due, and counts that are the lists."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from recovery import lifecycle
from recovery.models import StaffProfile, Ticket, TicketEvent
from recovery.views import desk
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
        "now": [call.number, now.number],
        "today": [today.number],
        "later": [later.number, paused.number],
    }


def wrote(ticket: Ticket, minutes: int) -> Ticket:
    """The customer adds something some minutes after the ticket was opened."""
    return lifecycle.note(ticket, by=None, at=MONDAY + minutes * MINUTE, text="And the invoice is wrong")


def test_it_counts_what_it_lists(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    breached, soon, today, answered, called, paused, replied, later = (
        mine(cast, priority=each) for each in (1, 2, 3, 3, 3, 3, 3, 3)
    )
    done = lifecycle.resolve(mine(cast), by=cast.lina, at=MONDAY, cause_found=cast.late, what_was_done="x")
    wrote(answered, 40)
    wrote(replied, 50)
    lifecycle.note(fresh(replied), by=cast.lina, at=MONDAY + HOUR, text="I wrote back")
    lifecycle.book_callback(
        called, by=cast.lina, at=MONDAY, local_time="2026-03-02T11:00", time_zone="Asia/Shanghai"
    )
    lifecycle.start_waiting(paused, by=cast.lina, at=MONDAY, reason="A photo")
    lifecycle.log_contact(later, by=cast.lina, at=MONDAY, outcome="reached")
    clock(MONDAY + 70 * MINUTE)
    context = sign_in(cast.lina).get("/desk/").context
    assert bands(context) == {
        "now": [called.number, answered.number, breached.number, soon.number],
        "today": [today.number, replied.number],
        "later": [later.number, paused.number],
    }
    assert done.number in {row.ticket.number for row in context["done"]}
    counted = {band.code: band.count for band in context["bands"]}
    assert counted == {code: len(numbers) for code, numbers in bands(context).items()}
    assert {code: context["counts"][code] for code in counted} == counted
    assert context["counts"]["total"] == sum(counted.values()) == 8
    (in_menu,) = [item["count"] for item in context["menu"] if item["url"] == "/desk/"]
    assert in_menu == 8


def test_it_brings_back_who_wrote_while_the_clock_stood(cast: Cast, sign_in: SignIn) -> None:
    ticket = lifecycle.start_waiting(mine(cast), by=cast.lina, at=MONDAY, reason="A photo")
    client = sign_in(cast.lina)
    assert list(bands(client.get("/desk/").context)) == ["later"]
    TicketEvent.objects.create(
        ticket=ticket, kind="customer_wrote", cycle=1, at=MONDAY + MINUTE, version=50, by_name="Zhang Wei"
    )
    context = client.get("/desk/").context
    assert bands(context) == {"now": [ticket.number]}
    assert context["bands"][0].rows[0].answered == "answered 29 min ago"


@pytest.mark.parametrize(
    ("kind", "data", "stays"),
    [
        ("escalated", {}, True),
        ("assigned", {}, True),
        ("callback_moved", {"reason": "zone_rules"}, True),
        ("callback_booked", {"origin": "cadence"}, True),
        ("callback_booked", {"origin": "customer"}, True),
        ("waiting", {}, False),
        ("resurvey_asked", {}, False),
    ],
)
def test_it_knows_what_answers_a_customer(
    cast: Cast, sign_in: SignIn, kind: str, data: dict[str, str], stays: bool
) -> None:
    ticket = wrote(mine(cast), 1)
    TicketEvent.objects.create(ticket=ticket, kind=kind, cycle=1, at=MONDAY + MINUTE, version=50, data=data)
    band = "now" if stays else "today"
    assert bands(sign_in(cast.lina).get("/desk/").context) == {band: [ticket.number]}


def test_it_says_how_many_are_not_shown(cast: Cast, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "MOST", 2)
    for _ in range(3):
        mine(cast)
    response = sign_in(cast.lina).get("/desk/")
    assert [len(band.rows) for band in response.context["bands"]] == [2]
    assert response.context["bands"][0].count == 3
    assert "The first 2 of 3 are shown" in response.content.decode()


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


@pytest.mark.parametrize("number", [1, 60])
@pytest.mark.parametrize("name", ["lina", "chen", "admin"])
def test_it_asks_the_database_at_most_twelve_times(
    cast: Cast,
    sign_in: SignIn,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    name: str,
    number: int,
) -> None:
    person = getattr(cast, name)
    for index in range(number):
        ticket = cast.ticket(customer=cast.customer("" if index % 2 else "Kim"))
        Ticket.objects.filter(pk=ticket.pk).update(owner=person)
        if index % 3 == 0:
            lifecycle.resolve(
                fresh(ticket), by=person, at=MONDAY, cause_found=cast.late, what_was_done="Sorry"
            )
    client = sign_in(person)
    with django_assert_max_num_queries(12):
        assert client.get("/desk/").status_code == 200


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


def nudges(client: Client) -> dict[str, str]:
    """What the rows say of nudges."""
    rows = [row for band in client.get("/desk/").context["bands"] for row in band.rows]
    return {row.ticket.number: row.nudged for row in rows}


def test_it_says_who_nudged_until_the_owner_does_something(cast: Cast, sign_in: SignIn) -> None:
    ticket, calm = mine(cast), mine(cast)
    lifecycle.nudge(ticket, by=cast.chen, at=MONDAY, text="Please call")
    client = sign_in(cast.lina)
    assert nudges(client) == {ticket.number: "nudged by Chen Hao", calm.number: ""}
    assert "nudged by Chen Hao</b>" in client.get("/desk/").content.decode()
    lifecycle.note(fresh(ticket), by=cast.majun, at=MONDAY + MINUTE, text="I saw him")
    assert nudges(client)[ticket.number] == "nudged by Chen Hao"
    lifecycle.nudge(ticket, by=cast.wu, at=MONDAY + 2 * MINUTE, text="And from me")
    assert nudges(client)[ticket.number] == "nudged by Wu Mei"
    lifecycle.log_contact(fresh(ticket), by=cast.lina, at=MONDAY + 3 * MINUTE, outcome="no_answer")
    assert nudges(client)[ticket.number] == ""


def test_another_owner_was_not_nudged(cast: Cast, sign_in: SignIn) -> None:
    ticket = mine(cast)
    lifecycle.nudge(ticket, by=cast.chen, at=MONDAY, text="Please call")
    lifecycle.assign(fresh(ticket), by=cast.chen, at=MONDAY + MINUTE, to=cast.majun)
    assert nudges(sign_in(cast.majun)) == {ticket.number: ""}
