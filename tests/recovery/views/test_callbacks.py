"""Callbacks: the picker and its warnings, the next attempt, the calls of a day, and those that are due."""

from datetime import datetime, time

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from recovery import lifecycle
from recovery.models import Cadence, CalendarDay, Callback, Ticket
from surveys.models import SendingRules
from tests.make import DAY, HOUR, MINUTE, MONDAY, SHANGHAI, Cast, join
from tests.recovery.views.conftest import Clock, SignIn
from tests.recovery.views.test_acts import fresh, post

NOW = MONDAY + 30 * MINUTE


def owned(cast: Cast, **fields: object) -> Ticket:
    """A ticket of Li Na's."""
    ticket = cast.ticket(**fields)  # type: ignore[arg-type]
    Ticket.objects.filter(pk=ticket.pk).update(owner=cast.lina)
    return fresh(ticket)


def booked(cast: Cast, local_time: str, zone: str = SHANGHAI, **fields: object) -> Ticket:
    return lifecycle.book_callback(
        owned(cast, **fields), by=cast.lina, at=MONDAY, local_time=local_time, time_zone=zone
    )


# --- the picker ---


def check(client: Client, ticket: Ticket, local_time: str, zone: str = SHANGHAI) -> str:
    response = client.get(
        f"/tickets/{ticket.number}/callback/check/", {"local_time": local_time, "time_zone": zone}
    )
    assert response.status_code == 200
    return response.content.decode()


def test_it_offers_the_part_of_the_day_they_wished_for_first(cast: Cast, sign_in: SignIn) -> None:
    ticket = owned(cast, customer=cast.customer(preferred_time="afternoon"))
    slots = sign_in(cast.lina).get(f"/tickets/{ticket.number}/").context["slots"]
    assert (slots[0].name, slots[0].value) == ("as they wished, today", "2026-03-02T12:00")
    assert [slot.value for slot in slots] == list(dict.fromkeys(slot.value for slot in slots))


def test_it_takes_the_teams_clock_where_theirs_is_not_known(cast: Cast, sign_in: SignIn) -> None:
    join(cast.east, cast.ann)  # who reads in London
    customer = cast.customer(time_zone="", preferred_time="afternoon")
    page = sign_in(cast.ann).get(f"/tickets/{owned(cast, customer=customer).number}/")
    assert (page.context["slots"][0].value, page.context["slots"][0].zone) == ("2026-03-02T12:00", SHANGHAI)
    assert (page.context["there"], page.context["assumed"]) == ("10:30", "Shanghai")
    shown = page.content.decode()
    assert "Their time zone is not known: times are on the team’s clock, Shanghai." in shown
    assert "the team’s · Shanghai" in shown
    assert "mine · London" in shown


def test_it_says_nothing_of_the_zone_where_it_is_known(cast: Cast, sign_in: SignIn) -> None:
    page = sign_in(cast.lina).get(f"/tickets/{owned(cast).number}/")
    assert page.context["assumed"] == ""
    assert "time zone is not known" not in page.content.decode()


def test_a_wish_outside_the_teams_hours_is_offered_with_a_warning(cast: Cast, sign_in: SignIn) -> None:
    ticket = owned(cast, customer=cast.customer(preferred_time="evening"))
    slot = sign_in(cast.lina).get(f"/tickets/{ticket.number}/").context["slots"][0]
    assert slot.value == "2026-03-02T18:00"
    assert "outside the team’s hours" in slot.warnings


@pytest.mark.parametrize(
    ("local_time", "zone", "warned"),
    [
        ("2026-03-02T13:00", SHANGHAI, []),
        ("2026-03-02T06:00", "Europe/Paris", ["quiet hours there"]),
        ("2026-03-02T22:00", SHANGHAI, ["quiet hours there", "outside the team’s hours"]),
        ("2026-03-03T10:00", SHANGHAI, ["the team is closed: Lantern festival", "after the deadline"]),
        ("2026-03-02T13:50", SHANGHAI, ["another call is promised for 14:00: Kim"]),
        ("2026-03-02T13:45", SHANGHAI, []),
    ],
)
def test_it_warns_of_a_time_while_it_is_typed(
    cast: Cast, sign_in: SignIn, local_time: str, zone: str, warned: list[str]
) -> None:
    CalendarDay.objects.create(calendar=cast.calendar, date="2026-03-03", name="Lantern festival")
    booked(cast, "2026-03-02T14:00", customer=cast.customer("Kim"))
    customer = cast.customer(time_zone=zone)
    page = check(sign_in(cast.lina), owned(cast, customer=customer), local_time, zone)
    assert [words for words in warned if words not in page] == []
    assert page.count("slot-warning") >= len(warned)
    assert ("nothing speaks against it" in page) == (not warned)


def test_it_shows_the_typed_time_on_both_clocks(cast: Cast, sign_in: SignIn) -> None:
    ticket = owned(cast, customer=cast.customer(time_zone="Europe/Paris"))
    page = check(sign_in(cast.lina), ticket, "2026-03-02T09:30", "Europe/Paris")
    assert "today 09:30 there, 16:30 here" in page


@pytest.mark.parametrize(
    ("local_time", "zone", "said"),
    [
        ("2026-03-02T10:00", SHANGHAI, "still ahead"),
        ("soon", SHANGHAI, "Give date and time"),
        ("2026-03-02T10:00", "Mars/Olympus", "Choose a time zone"),
        ("", SHANGHAI, ""),
    ],
)
def test_it_says_what_is_wrong_with_a_typed_time(
    cast: Cast, sign_in: SignIn, local_time: str, zone: str, said: str
) -> None:
    page = check(sign_in(cast.lina), owned(cast), local_time, zone)
    assert said in page
    assert "nothing speaks" not in page


def test_it_checks_no_time_for_a_ticket_one_does_not_see(cast: Cast, sign_in: SignIn) -> None:
    url = f"/tickets/{owned(cast).number}/callback/check/?local_time=2026-03-02T13:00"
    assert sign_in(cast.ann).get(url).status_code == 404


def test_a_time_with_warnings_is_booked_and_they_are_said(cast: Cast, sign_in: SignIn) -> None:
    SendingRules.objects.create(quiet_from=time(12), quiet_until=time(16))
    ticket = owned(cast)
    response = post(
        sign_in(cast.lina), ticket, "callback", slot="2026-03-02T13:00", slot_zone=SHANGHAI, channel="phone"
    )
    said = [str(message) for message in get_messages(response.wsgi_request)]  # type: ignore[attr-defined]
    assert any("quiet hours there" in text for text in said)
    assert ticket.callbacks.get().local_time == "2026-03-02T13:00"


# --- the next attempt ---


def tried(cast: Cast, outcome: str = "no_answer", times: int = 1) -> Ticket:
    ticket = owned(cast)
    for _attempt in range(times):
        ticket = lifecycle.log_contact(ticket, by=cast.lina, at=NOW, outcome=outcome)
    return ticket


def test_the_page_proposes_the_next_attempt_and_enter_takes_it(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.lina)
    ticket = owned(cast, customer=cast.customer(time_zone="Asia/Tokyo"))
    post(client, ticket, "contact", outcome="no_answer", channel="phone")
    page = client.get(f"/tickets/{ticket.number}/")
    html = page.content.decode()
    assert "Next: today 15:00 there, 14:00 here, by phone" in html
    assert "autofocus" in html
    proposal = page.context["next_attempt"].proposal
    post(
        client,
        fresh(ticket),
        "next-attempt",
        local_time=proposal.local_time,
        time_zone=proposal.time_zone,
        channel=proposal.channel,
    )
    callback = ticket.callbacks.get()
    assert (callback.local_time, callback.origin) == ("2026-03-02T15:00", "cadence")
    assert client.get(f"/tickets/{ticket.number}/").context["next_attempt"] is None


def test_it_takes_the_focus_only_from_who_has_just_tried(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    ticket = tried(cast)
    assert "autofocus" not in sign_in(cast.chen).get(f"/tickets/{ticket.number}/").content.decode()
    clock(NOW + 3 * MINUTE)
    assert "autofocus" not in sign_in(cast.lina).get(f"/tickets/{ticket.number}/").content.decode()


def test_it_is_put_off_by_not_now_and_not_shown_to_who_only_reads(cast: Cast, sign_in: SignIn) -> None:
    ticket = tried(cast)
    assert sign_in(cast.lina).get(f"/tickets/{ticket.number}/?next=none").context["next_attempt"] is None
    assert "next-attempt" not in sign_in(cast.vera).get(f"/tickets/{ticket.number}/").content.decode()


def test_a_proposal_that_has_passed_meanwhile_is_refused_with_a_new_one(cast: Cast, sign_in: SignIn) -> None:
    ticket = tried(cast)
    response = post(
        sign_in(cast.lina),
        ticket,
        "next-attempt",
        local_time="2026-03-02T10:00",
        time_zone=SHANGHAI,
        channel="phone",
    )
    assert response.status_code == 409
    assert "Choose a time that is still ahead." in response.content.decode()
    assert not ticket.callbacks.exists()


def test_after_six_attempts_the_page_offers_to_give_up(cast: Cast, sign_in: SignIn) -> None:
    ticket, client = tried(cast, times=6), sign_in(cast.lina)
    page = client.get(f"/tickets/{ticket.number}/").content.decode()
    assert "6 attempts in a row have reached nobody." in page
    assert post(client, ticket, "unreachable").status_code == 302
    assert fresh(ticket).unreachable_at == NOW
    assert (
        "Li Na gave up reaching the customer after 6 attempts"
        in client.get(f"/tickets/{ticket.number}/").content.decode()
    )


def test_giving_up_early_asks_for_a_reason(cast: Cast, sign_in: SignIn) -> None:
    ticket = tried(cast)
    response = post(sign_in(cast.lina), ticket, "unreachable", reason="")
    assert response.status_code == 409
    assert "Say why they would be of no use." in response.content.decode()


def test_what_was_booked_along_with_a_contact_stands_in_the_timeline(cast: Cast, sign_in: SignIn) -> None:
    ticket = lifecycle.log_contact(owned(cast), by=cast.lina, at=NOW, outcome="no_answer", book_next=True)
    page = sign_in(cast.lina).get(f"/tickets/{ticket.number}/").content.decode()
    assert "Next attempt booked for today 15:00 · phone" in page


def test_an_administrator_makes_another_cadence_the_default(cast: Cast, sign_in: SignIn) -> None:
    other = Cadence.objects.create(name="Gold", other_channel_after=1, unreachable_after=2)
    client, url = sign_in(cast.admin), "/admin/recovery/cadence/"
    assert "Usual attempts" in client.get(url).content.decode()
    client.post(url, {"action": "make_default", "_selected_action": [other.pk]})
    assert [each.name for each in Cadence.objects.filter(is_default=True)] == ["Gold"]
    assert sign_in(cast.chen).get(url).status_code == 302


def test_the_ticket_says_that_reaching_them_was_given_up(cast: Cast, sign_in: SignIn) -> None:
    ticket = lifecycle.give_up_reaching(owned(cast), by=cast.lina, at=NOW, reason="Dead line")
    assert "Given up today 10:30." in sign_in(cast.lina).get(f"/tickets/{ticket.number}/").content.decode()


# --- those that are due ---


def due(client: Client, known: str = "") -> tuple[int, str]:
    response = client.get("/callbacks/due/", {"known": known} if known else {})
    return response.status_code, response.content.decode()


def test_a_call_that_falls_due_is_said_once(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    booked(cast, "2026-03-02T14:00")
    client = sign_in(cast.lina)
    _status, before = due(client)
    assert "Callback due now" not in before
    clock(MONDAY + 4 * HOUR)
    response = client.get("/callbacks/due/")
    assert "Callback due now:" in response.content.decode()
    assert "Zhang Wei" in response.content.decode()
    assert due(client, response.context["state"])[0] == 204
    clock(MONDAY + 4 * HOUR + 6 * MINUTE)
    assert "Callback due now" not in due(client)[1]


def test_it_is_said_to_whoever_owns_the_ticket_now(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    ticket = booked(cast, "2026-03-02T14:00")
    clock(MONDAY + 4 * HOUR)
    lifecycle.assign(ticket, by=cast.chen, at=MONDAY, to=cast.majun)
    assert "Callback due now" in due(sign_in(cast.majun))[1]
    assert "Callback due now" not in due(sign_in(cast.lina))[1]
    assert sign_in(cast.vera).get("/callbacks/due/").status_code == 403


def test_every_page_of_a_worker_listens_and_no_other(cast: Cast, sign_in: SignIn) -> None:
    assert b'id="calls-due"' in sign_in(cast.lina).get("/tickets/").content
    assert b'id="calls-due"' not in sign_in(cast.vera).get("/tickets/").content


# --- the calls of a day ---


def day_page(client: Client, query: str = "day=2026-03-02") -> str:
    response = client.get(f"/callbacks/?{query}")
    assert response.status_code == 200
    return response.content.decode()


def test_the_calls_of_a_day_stand_under_their_owner_and_hour(cast: Cast, sign_in: SignIn) -> None:
    booked(cast, "2026-03-02T14:20")
    booked(cast, "2026-03-03T09:00", customer=cast.customer("Tomorrow"))
    page = sign_in(cast.chen).get("/callbacks/?day=2026-03-02")
    [owner] = page.context["owners"]
    hours = {hour.name: hour.cells[0] for hour in page.context["hours"]}
    assert owner == cast.lina
    assert [call.here for call in hours["14:00"]] == ["14:20"]
    assert "Tomorrow" not in page.content.decode()
    assert next(iter(hours)) == "09:00"


def test_two_calls_of_one_person_at_once_are_marked(cast: Cast, sign_in: SignIn) -> None:
    booked(cast, "2026-03-02T14:00")
    booked(cast, "2026-03-02T14:10")
    booked(cast, "2026-03-02T14:25")
    page = day_page(sign_in(cast.chen))
    assert page.count("is-clash") == 4  # in the grid, and in the list of a phone
    assert "2 calls are booked beside another of the same person." in page


def test_it_is_my_own_clock_with_the_customers_beside_it(cast: Cast, sign_in: SignIn) -> None:
    booked(cast, "2026-03-02T09:30", "Europe/Paris")
    page = day_page(sign_in(cast.chen))
    assert "16:30" in page
    assert "09:30 Paris" in page


def test_a_day_is_the_readers_own(cast: Cast, sign_in: SignIn) -> None:
    """23:30 on Sunday evening in London is Monday morning in Shanghai."""
    booked(cast, "2026-03-02T20:30", "America/New_York")
    assert day_page(sign_in(cast.lina)).count("day-call") == 0
    assert day_page(sign_in(cast.lina), "day=2026-03-03").count("09:30") >= 1


def test_an_empty_day_says_so_and_leads_on(cast: Cast, sign_in: SignIn) -> None:
    page = day_page(sign_in(cast.lina), "day=2026-03-07")
    assert "No callback is promised for this day" in page
    assert "day=2026-03-06" in page
    assert "day=2026-03-08" in page


@pytest.mark.parametrize("day", ["", "soon", "2026-02-30", "9999-12-31", "0001-01-01"])
def test_what_is_no_day_is_today(cast: Cast, sign_in: SignIn, day: str) -> None:
    assert "Today, Mon 2 Mar 2026" in day_page(sign_in(cast.lina), f"day={day}")


def test_a_team_is_picked_among_those_one_sees(cast: Cast, sign_in: SignIn) -> None:
    booked(cast, "2026-03-02T14:00")
    west = cast.ticket(team=cast.west)
    lifecycle.book_callback(west, by=None, at=MONDAY, local_time="2026-03-02T15:00", time_zone=SHANGHAI)
    assert day_page(sign_in(cast.admin)).count("data-row") == 4
    assert day_page(sign_in(cast.admin), f"day=2026-03-02&team={cast.west.pk}").count("data-row") == 2
    assert day_page(sign_in(cast.lina), f"day=2026-03-02&team={cast.west.pk}").count("data-row") == 2
    assert "No calls this day: Ma Jun" in day_page(sign_in(cast.admin), f"day=2026-03-02&team={cast.east.pk}")


@pytest.mark.parametrize("number", [1, 60])
def test_the_day_takes_at_most_twelve_queries(
    cast: Cast, sign_in: SignIn, number: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for minute in range(number):
        ticket = owned(cast)
        Callback.objects.create(
            ticket=ticket,
            cycle=1,
            local_time=f"2026-03-02T14:{minute:02}",
            time_zone=SHANGHAI,
            due_at=datetime.fromisoformat(f"2026-03-02T14:{minute:02}+08:00"),
        )
    client = sign_in(cast.lina)
    with django_assert_max_num_queries(12):
        page = day_page(client, f"day=2026-03-02&team={cast.east.pk}")
    assert page.count("data-row") == 2 * number


def test_the_list_says_which_times_the_customer_chose(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    ticket = owned(cast)
    lifecycle.book_callback(
        ticket, by=None, at=MONDAY, local_time="2026-03-03T10:00", time_zone=SHANGHAI, origin="customer"
    )
    assert "chosen by the customer" in sign_in(cast.lina).get("/callbacks/").content.decode()
    assert fresh(ticket).status == "new"
    clock(MONDAY + DAY)
