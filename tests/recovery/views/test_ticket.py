"""The ticket page: who, what happened, what we owe."""

import re
from datetime import date
from typing import Any

from django.test import Client
from pytest_django import DjangoAssertNumQueries

from recovery import lifecycle
from recovery.models import (
    CalendarDay,
    CannedText,
    Leave,
    NextIssue,
    Playbook,
    PlaybookStep,
    Ticket,
    TicketEvent,
)
from recovery.views.timeline import WORDING
from surveys.models import Account
from tests.make import DAY, HOUR, MINUTE, MONDAY, Cast
from tests.recovery.views.conftest import Clock, SignIn


def page_of(client: Client, ticket: Ticket) -> str:
    return text_of(client.get(f"/tickets/{ticket.number}/").content.decode())


def text_of(page: str) -> str:
    """What a reader sees, with single spaces."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def fresh(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def test_it_shows_who_what_and_what_we_owe(cast: Cast, sign_in: SignIn) -> None:
    account = Account.objects.create(name="Acme")
    customer = cast.customer("张伟", phone="+8613800138000", tier="Gold", annual_value=48000, account=account)
    ticket = cast.ticket(
        2, customer=customer, comment="送货晚了两天，打电话没人接。", touchpoint="Pudong store"
    )
    page = page_of(sign_in(cast.lina), ticket)
    for shown in (
        "张伟",
        "+8613800138000",
        "Gold",
        "48,000 a year",
        "Acme",
        "1 person, 1 open",
        "送货晚了两天，打电话没人接。",
        "2 of 10 · Delivery",
        "Pudong store",
        "Li Na had the fewest open tickets (0 of 20)",
    ):
        assert shown in page


def test_it_counts_down_to_both_deadlines(cast: Cast, sign_in: SignIn) -> None:
    page = page_of(sign_in(cast.lina), cast.ticket(priority=3))
    assert "First contact in 3 h 30" in page
    assert "Resolution in 2 d 23 h" in page


def test_it_explains_a_deadline_on_the_calendars_clock(cast: Cast, sign_in: SignIn) -> None:
    CalendarDay.objects.create(calendar=cast.calendar, date=date(2026, 3, 3), name="Lantern Festival")
    ticket = cast.ticket(priority=1)
    cast.ann.memberships.create(team=cast.east)
    page = page_of(sign_in(cast.ann), ticket)
    assert "480 working minutes by the policy “Standard” v1, calendar “Shanghai”, Shanghai time" in page
    assert "Mon 2 Mar 10:00 – 17:00 420 min" in page
    assert "Lantern Festival" in page
    assert "Wed 4 Mar 09:00 – 10:00 60 min" in page
    assert "due Wed 4 Mar 10:00" in page


def test_it_says_the_due_time_there_and_here(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket(priority=1)
    cast.ann.memberships.create(team=cast.east)
    page = sign_in(cast.ann).get(f"/tickets/{ticket.number}/").content.decode()
    assert 'title="due Mon 2 Mar 11:00 Shanghai (03:00 here)"' in page


def test_it_shows_a_stopped_clock_with_what_is_left(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket(priority=1)
    lifecycle.start_waiting(ticket, by=cast.lina, at=MONDAY + 20 * MINUTE, reason="A photo of the parcel")
    page = page_of(sign_in(cast.lina), ticket)
    assert "paused, 40 min left" in page
    assert "A photo of the parcel" in page


def test_it_marks_a_note_as_internal(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket()
    client = sign_in(cast.lina)
    assert "the customer never sees this" not in page_of(client, ticket)
    lifecycle.note(ticket, by=cast.lina, at=MONDAY, text="<b>Refund</b> rule 3")
    page = client.get(f"/tickets/{ticket.number}/").content.decode()
    assert "Internal · the customer never sees this" in text_of(page)
    assert "&lt;b&gt;Refund&lt;/b&gt; rule 3" in page


def test_it_has_words_for_every_kind_of_event() -> None:
    assert set(WORDING) == {kind for kind, _name in TicketEvent.KINDS}


def test_it_tells_a_whole_story_without_a_code_in_it(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    ticket, by, at = cast.ticket(priority=2), cast.lina, MONDAY
    ticket = lifecycle.log_contact(ticket, by=by, at=at + MINUTE, outcome="no_answer")
    ticket = lifecycle.book_callback(
        ticket, by=by, at=at + MINUTE, local_time="2026-03-02T11:00", time_zone="Asia/Shanghai"
    )
    ticket = lifecycle.log_contact(
        ticket, by=by, at=at + HOUR, outcome="reached", note="Wants the money back"
    )
    ticket = lifecycle.start_waiting(ticket, by=by, at=at + HOUR, reason="The bank details")
    ticket = lifecycle.resume(ticket, by=None, at=at + 2 * HOUR)
    ticket = lifecycle.extend(ticket, by=cast.chen, at=at + 2 * HOUR, minutes=60, reason="The bank")
    ticket = lifecycle.escalate(ticket, by=by, at=at + 2 * HOUR, reason="He wants a manager")
    ticket = lifecycle.assign(ticket, by=cast.chen, at=at + 2 * HOUR, to=cast.majun)
    lifecycle.resolve(
        ticket,
        by=cast.majun,
        at=at + 3 * HOUR,
        cause_found=cast.late,
        cause_said=cast.rude,
        what_was_done="Paid",
    )
    clock(at + 4 * HOUR)
    page = page_of(sign_in(cast.lina), ticket)
    for told in (
        "Opened because the score is low: East, owner Li Na",
        "Li Na tried · no answer · phone",
        "Li Na booked a callback for today 11:00",
        "Li Na spoke with the customer · phone",
        "First contact made in time",
        "Li Na stopped the clock",
        "The wait was over; the clock runs again",
        "Chen Hao allowed 60 more working minutes for the resolution",
        "Li Na asked Chen Hao for help",
        "Chen Hao handed it from Li Na to Ma Jun",
        "Ma Jun resolved it",
        "Cause the customer named: Unfriendly",
        "Cause found: Late delivery",
        "They will be asked again Thu 5 Mar 13:00",
    ):
        assert told in page
    for code in ("no_answer", "first_contact", "by_hand", "least_loaded", "None"):
        assert code not in page


def test_it_shows_every_answer_and_the_cycle_it_began(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    ticket = cast.ticket(3, comment="Too late")
    done = lifecycle.resolve(
        ticket, by=cast.lina, at=MONDAY + HOUR, cause_found=cast.late, what_was_done="Sorry"
    )
    again = cast.response(1, at=MONDAY + 5 * DAY, customer=ticket.customer, comment="Still nothing")
    lifecycle.record_outcome(done, again, at=MONDAY + 5 * DAY)
    clock(MONDAY + 5 * DAY + HOUR)
    page = page_of(sign_in(cast.lina), ticket)
    assert "Asked again, they gave 1 after 3: detractor" in page
    assert "Reopened, because the answer was low again: cycle 2, owner Li Na" in page
    assert page.index("Still nothing") < page.index("Too late")
    assert "Deadlines of earlier cycles" in page


def test_it_says_when_they_would_be_asked_again(cast: Cast, sign_in: SignIn) -> None:
    reachable, unreachable = cast.ticket(), cast.ticket(customer=cast.customer("Kim", email=""))
    client = sign_in(cast.lina)
    for ticket, told in (
        (reachable, "They will be asked again Thu 5 Mar 10:30, by e-mail."),
        (unreachable, "They cannot be asked again: there is no e-mail address."),
    ):
        assert told in client.get(f"/tickets/{ticket.number}/asking-again/").content.decode()


def test_it_offers_callbacks_on_the_customers_clock_and_mine(cast: Cast, sign_in: SignIn) -> None:
    page = page_of(sign_in(cast.lina), cast.ticket(customer=cast.customer(time_zone="Europe/Paris")))
    assert "in 1 h 04:30 there, 11:30 here" in page
    assert "night there" in page
    assert "tomorrow 09:00 there, 16:00 here" in page


def test_it_warns_of_a_slot_after_the_deadline_and_of_no_other(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.lina)
    client.get("/")
    slots = client.get(f"/tickets/{cast.ticket(priority=2).number}/").context["slots"]
    warned = {slot.name: slot.warnings for slot in slots}
    assert warned["in 1 h"] == []
    assert warned["this afternoon"] == ["after the deadline, today 12:00"]


def test_it_says_that_the_owner_is_away(cast: Cast, sign_in: SignIn) -> None:
    ticket, client = cast.ticket(), sign_in(cast.chen)
    assert "is-away" not in client.get(f"/tickets/{ticket.number}/").content.decode()
    Leave.objects.create(user=cast.lina, starts_at=MONDAY, ends_at=MONDAY + DAY)
    assert "is-away" in client.get(f"/tickets/{ticket.number}/").content.decode()


def test_it_shows_a_ticket_whose_customer_is_not_known(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket()
    Ticket.objects.filter(pk=ticket.pk).update(customer=None)
    client = sign_in(cast.lina)
    page = page_of(client, ticket)
    assert "unknown customer" in page
    assert "Reply to the customer" not in page
    asked = client.get(f"/tickets/{ticket.number}/asking-again/").content.decode()
    assert "They cannot be asked again: it is not known who answered." in asked


def test_it_shows_other_tickets_only_of_teams_one_sees(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket()
    Ticket.objects.filter(pk=ticket.pk).update(status="closed", closed_at=MONDAY)
    mine = cast.ticket(customer=ticket.customer)
    client = sign_in(cast.lina)
    assert ticket.number in page_of(client, mine)
    Ticket.objects.filter(pk=ticket.pk).update(team=cast.west, owner=cast.ann)
    assert ticket.number not in page_of(client, mine)


def test_it_goes_on_to_the_next_of_my_tickets_by_deadline(cast: Cast, sign_in: SignIn) -> None:
    ticket, later, sooner = (cast.ticket(priority=priority) for priority in (2, 3, 1))
    Ticket.objects.update(owner=cast.lina)
    client = sign_in(cast.lina)
    assert client.get(f"/tickets/{ticket.number}/").context["next_ticket"] == sooner
    assert client.get(f"/tickets/{sooner.number}/").context["next_ticket"] == ticket
    assert later.number in Ticket.objects.values_list("number", flat=True)


def test_it_goes_last_to_one_whose_call_is_promised_for_later(
    cast: Cast, sign_in: SignIn, clock: Clock
) -> None:
    ticket, promised, other = (cast.ticket(priority=priority) for priority in (2, 1, 3))
    Ticket.objects.update(owner=cast.lina)
    slot = {"local_time": "2026-03-02T15:00", "time_zone": "Asia/Shanghai"}
    lifecycle.book_callback(fresh(promised), by=cast.lina, at=MONDAY, **slot)
    client = sign_in(cast.lina)
    assert client.get(f"/tickets/{ticket.number}/").context["next_ticket"] == other
    clock(MONDAY + 6 * HOUR)
    assert client.get(f"/tickets/{ticket.number}/").context["next_ticket"] == promised


def test_it_shows_only_the_ticket_beside_the_list(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket()
    page = (
        sign_in(cast.lina).get(f"/tickets/{ticket.number}/", headers={"hx-target": "detail"}).content.decode()
    )
    assert page.startswith("<article")
    assert "action-bar" in page


def test_it_finds_a_ticket_by_a_number_typed_small(cast: Cast, sign_in: SignIn) -> None:
    ticket = cast.ticket()
    response = sign_in(cast.lina).get(f"/tickets/{ticket.number.lower()}/")
    assert response["Location"] == f"/tickets/{ticket.number}/"


def test_it_asks_the_database_no_more_for_a_long_story(
    cast: Cast, sign_in: SignIn, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    ticket = cast.ticket()
    for _ in range(30):
        lifecycle.note(fresh(ticket), by=cast.lina, at=MONDAY, text="Again")
    client = sign_in(cast.lina)
    with django_assert_max_num_queries(30):
        client.get(f"/tickets/{ticket.number}/")


def test_it_asks_little_more_for_a_ticket_with_something_of_everything(
    cast: Cast, sign_in: SignIn, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    book = Playbook.objects.create(name="Late delivery")
    cast.late.playbook = book
    cast.late.save()
    steps = [PlaybookStep.objects.create(playbook=book, text="Ask", position=each) for each in range(9)]
    NextIssue.objects.create(cause=cast.late, follows=cast.rude)
    ticket = lifecycle.name_cause(cast.ticket(), by=cast.lina, at=MONDAY, cause=cast.late)
    for step in steps:
        lifecycle.tick_step(ticket, step, by=cast.majun, at=MONDAY, done=True)
    for _ in range(9):
        CannedText.objects.create(name="Sorry", text="Sorry")
        ticket = lifecycle.log_contact(ticket, by=cast.lina, at=MONDAY, outcome="no_answer")
        ticket = lifecycle.reply(ticket, by=cast.lina, at=MONDAY, channel="email", text="Sorry")
        ticket = lifecycle.escalate(ticket, by=cast.lina, at=MONDAY, reason="Help")
    ticket = lifecycle.start_waiting(ticket, by=cast.lina, at=MONDAY, reason="A photo")
    client = sign_in(cast.chen)
    with django_assert_max_num_queries(42):
        client.get(f"/tickets/{ticket.number}/")


def beside(client: Client, path: str, **values: object) -> Any:
    """As the list asks for the ticket beside it: a GET, or a POST and whatever it leads to."""
    headers = {"hx-target": "detail", "hx-request": "true"}
    if not values:
        return client.get(path, headers=headers)
    return client.post(path, values, headers=headers, follow=True)


def test_it_does_an_act_beside_the_list_and_lets_the_list_know(cast: Cast, sign_in: SignIn) -> None:
    ticket, client = cast.ticket(), sign_in(cast.lina)
    looked = beside(client, f"/tickets/{ticket.number}/")
    acted = beside(client, f"/tickets/{ticket.number}/note/", version=1, text="Ask the warehouse")
    assert "HX-Trigger" not in looked
    assert acted["HX-Trigger"] == "ticket-changed"
    assert acted["HX-Push-Url"] == "false"
    page = acted.content.decode()
    assert page.startswith("<article")
    assert "The note is kept." in page


def test_it_shows_a_refusal_beside_the_list(cast: Cast, sign_in: SignIn) -> None:
    ticket, client = cast.ticket(), sign_in(cast.lina)
    refused = beside(client, f"/tickets/{ticket.number}/reopen/", version=1, reason="Too early")
    assert refused.status_code == 409
    assert refused.content.decode().startswith("<article")
    assert "HX-Trigger" not in refused


def test_it_calls_what_nobody_did_the_systems(cast: Cast, sign_in: SignIn) -> None:
    ticket = lifecycle.log_contact(
        cast.ticket(), by=None, at=MONDAY, outcome="replied", channel="email", note="It arrived"
    )
    ticket = lifecycle.assign(ticket, by=None, at=MONDAY, to=cast.majun)
    page = page_of(sign_in(cast.lina), ticket)
    assert "The customer replied · e-mail" in page
    assert "It went from Li Na to Ma Jun" in page
