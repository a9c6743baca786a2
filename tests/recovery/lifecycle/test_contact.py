from datetime import timedelta
from typing import Any

import pytest

from recovery.lifecycle import (
    Refused,
    book_callback,
    customer_url,
    give_up_reaching,
    log_contact,
    proposal_after,
    reopen,
    resolve,
)
from recovery.lifecycle.concern import why_not
from recovery.models import Contact, Deadline, Ticket
from recovery.models.contact import CONTACT_OUTCOMES, HEARD
from surveys.models import Message
from tests.make import DAY, HOUR, MONDAY, Cast


def first_contact(ticket: Ticket) -> Deadline:
    return Deadline.objects.get(ticket=ticket, kind="first_contact", cycle=1)


@pytest.mark.parametrize("outcome", [code for code, _name in CONTACT_OUTCOMES])
def test_it_meets_the_first_contact_only_when_the_customer_was_heard(cast: Cast, outcome: str) -> None:
    ticket = log_contact(cast.ticket(), by=cast.lina, at=MONDAY + HOUR, outcome=outcome, note="Rang long.")
    row = first_contact(ticket)
    assert (row.met_at is not None) == (outcome in HEARD)
    assert (row.next_step_at is None) == (outcome in HEARD)
    event = ticket.events.get(kind="contacted")
    assert (event.data["outcome"], event.text) == (outcome, "Rang long.")
    assert event.data["first_contact_met"] == (outcome in HEARD)
    assert ticket.status == "open"


def test_it_is_late_when_the_deadline_had_passed_unswept(cast: Cast) -> None:
    ticket = log_contact(cast.ticket(), by=cast.lina, at=MONDAY + DAY, outcome="reached")
    row = first_contact(ticket)
    assert row.breached_at == row.due_at
    assert ticket.events.get(kind="contacted").data["late"] is True


def test_it_is_in_time_on_the_very_deadline(cast: Cast) -> None:
    ticket = log_contact(
        cast.ticket(), by=cast.lina, at=MONDAY + 4 * HOUR, outcome="replied", channel="email"
    )
    assert first_contact(ticket).breached_at is None


def test_a_second_contact_leaves_the_first_ones_time(cast: Cast) -> None:
    ticket = log_contact(cast.ticket(), by=cast.lina, at=MONDAY + HOUR, outcome="reached")
    ticket = log_contact(ticket, by=cast.lina, at=MONDAY + 2 * HOUR, outcome="reached")
    assert first_contact(ticket).met_at == MONDAY + HOUR
    assert Contact.objects.count() == 2


@pytest.mark.parametrize(
    ("minutes", "outcome", "done"),
    [(0, "no_answer", True), (-30, "no_answer", False), (-30, "reached", True), (60, "voicemail", True)],
)
def test_a_due_callback_is_done_by_any_attempt_and_a_future_one_once_heard(
    cast: Cast, minutes: int, outcome: str, done: bool
) -> None:
    ticket = book_callback(
        cast.ticket(), by=cast.lina, at=MONDAY, local_time="2026-03-02T14:00", time_zone="Asia/Shanghai"
    )
    when = MONDAY + 4 * HOUR + timedelta(minutes=minutes)
    ticket = log_contact(ticket, by=cast.lina, at=when, outcome=outcome)
    assert (ticket.callbacks.get().state == "done") == done
    assert (ticket.contacts.get().callback is not None) == done


@pytest.mark.parametrize(("field", "value"), [("outcome", "maybe"), ("channel", "pigeon")])
def test_it_refuses_what_is_not_a_code(cast: Cast, field: str, value: str) -> None:
    given: dict[str, Any] = {"outcome": "reached", "channel": "phone", field: value}
    with pytest.raises(Refused) as refused:
        log_contact(cast.ticket(), by=cast.lina, at=MONDAY, **given)
    assert refused.value.field == field
    assert not Contact.objects.exists()


def test_it_refuses_on_a_resolved_ticket(cast: Cast) -> None:
    ticket = resolve(
        cast.ticket(), by=cast.lina, at=MONDAY, cause_found=cast.late, what_was_done="Sent again"
    )
    with pytest.raises(Refused, match="reopen it first"):
        log_contact(ticket, by=cast.lina, at=MONDAY, outcome="reached")


# --- the next attempt, booked in the same act ---


def test_it_books_what_the_cadence_proposes_in_the_same_event(cast: Cast) -> None:
    ticket = log_contact(cast.ticket(), by=cast.lina, at=MONDAY, outcome="no_answer", book_next=True)
    callback = ticket.callbacks.get()
    assert (callback.local_time, callback.channel, callback.origin) == (
        "2026-03-02T15:00",
        "phone",
        "cadence",
    )
    [event] = ticket.events.exclude(kind="opened")
    assert event.data["next"] == {
        "local_time": "2026-03-02T15:00",
        "time_zone": "Asia/Shanghai",
        "due_at": "2026-03-02T07:00:00+00:00",
        "channel": "phone",
        "origin": "cadence",
    }


@pytest.mark.parametrize("outcome", HEARD)
def test_it_books_nothing_once_the_customer_was_heard(cast: Cast, outcome: str) -> None:
    ticket = log_contact(cast.ticket(), by=cast.lina, at=MONDAY, outcome=outcome, book_next=True)
    assert not ticket.callbacks.exists()
    assert "next" not in ticket.events.get(kind="contacted").data


def test_it_leaves_a_callback_still_ahead_as_it_was_promised(cast: Cast) -> None:
    ticket = book_callback(
        cast.ticket(), by=cast.lina, at=MONDAY, local_time="2026-03-02T16:00", time_zone="Asia/Shanghai"
    )
    ticket = log_contact(ticket, by=cast.lina, at=MONDAY + HOUR, outcome="no_answer", book_next=True)
    assert ticket.callbacks.get().local_time == "2026-03-02T16:00"


def test_a_callback_that_was_due_makes_room_for_the_next(cast: Cast) -> None:
    ticket = book_callback(
        cast.ticket(), by=cast.lina, at=MONDAY, local_time="2026-03-02T11:00", time_zone="Asia/Shanghai"
    )
    ticket = log_contact(ticket, by=cast.lina, at=MONDAY + HOUR, outcome="no_answer", book_next=True)
    assert [each.state for each in ticket.callbacks.all()] == ["done", "booked"]


# --- giving up ---


def given_up(cast: Cast, **fields: str) -> Ticket:
    ticket = cast.ticket(customer=cast.customer(**fields))
    return give_up_reaching(ticket, by=cast.lina, at=MONDAY, reason="The line is dead")


def test_it_needs_a_reason_while_the_cadence_has_attempts_to_make(cast: Cast) -> None:
    ticket = log_contact(cast.ticket(), by=cast.lina, at=MONDAY, outcome="no_answer")
    with pytest.raises(Refused, match="still has attempts") as refused:
        give_up_reaching(ticket, by=cast.lina, at=MONDAY)
    assert refused.value.field == "reason"
    assert Ticket.objects.get(pk=ticket.pk).unreachable_at is None


def test_after_the_last_attempt_it_needs_none(cast: Cast) -> None:
    ticket = cast.ticket()
    for _attempt in range(6):
        ticket = log_contact(ticket, by=cast.lina, at=MONDAY, outcome="no_answer")
    ticket = give_up_reaching(ticket, by=cast.lina, at=MONDAY + HOUR)
    assert ticket.unreachable_at == MONDAY + HOUR
    assert ticket.events.get(kind="unreachable").data == {
        "attempts": 6,
        "told": True,
        "callback_cancelled": None,
    }
    assert proposal_after(ticket, MONDAY + HOUR) is None


def test_it_writes_once_more_with_the_link_to_the_customers_own_page(cast: Cast) -> None:
    ticket = given_up(cast, locale="zh-hans")
    message = Message.objects.get(kind="unreachable")
    assert message.customer == ticket.customer
    assert customer_url(ticket, MONDAY + HOUR) in message.text
    assert customer_url(ticket, MONDAY + HOUR) in message.html
    assert message.locale == "zh-hans"


def test_it_writes_to_nobody_without_an_address(cast: Cast) -> None:
    ticket = given_up(cast, email="")
    assert ticket.events.get(kind="unreachable").data["told"] is False
    assert not Message.objects.filter(kind="unreachable").exists()


def test_it_takes_a_booked_callback_with_it(cast: Cast) -> None:
    ticket = book_callback(
        cast.ticket(), by=cast.lina, at=MONDAY, local_time="2026-03-02T16:00", time_zone="Asia/Shanghai"
    )
    ticket = give_up_reaching(ticket, by=cast.lina, at=MONDAY, reason="Moved away")
    assert ticket.callbacks.get().state == "cancelled"
    assert ticket.events.get(kind="unreachable").data["callback_cancelled"] == "2026-03-02T16:00"


def test_it_is_refused_twice_and_on_a_resolved_ticket(cast: Cast) -> None:
    ticket = given_up(cast)
    with pytest.raises(Refused, match="given up already"):
        give_up_reaching(ticket, by=cast.lina, at=MONDAY, reason="Again")
    ticket = resolve(ticket, by=cast.lina, at=MONDAY, cause_found=cast.late, what_was_done="Wrote")
    with pytest.raises(Refused, match="reopen it first"):
        give_up_reaching(ticket, by=cast.lina, at=MONDAY, reason="Again")


def test_being_heard_or_choosing_a_time_takes_it_back(cast: Cast) -> None:
    heard = log_contact(given_up(cast), by=cast.lina, at=MONDAY + HOUR, outcome="replied", channel="email")
    booked = book_callback(
        given_up(cast), by=None, at=MONDAY, local_time="2026-03-02T16:00", time_zone="Asia/Shanghai"
    )
    assert (heard.unreachable_at, booked.unreachable_at) == (None, None)


def test_a_new_cycle_tries_anew(cast: Cast) -> None:
    ticket = resolve(given_up(cast), by=cast.lina, at=MONDAY, cause_found=cast.late, what_was_done="Wrote")
    assert ticket.unreachable_at is not None
    assert reopen(ticket, by=cast.lina, at=MONDAY, reason="They wrote").unreachable_at is None


def test_the_last_message_is_not_sent_to_who_was_reached_before_it_went_out(cast: Cast) -> None:
    ticket = given_up(cast)
    message = Message.objects.get(kind="unreachable")
    assert why_not(message, MONDAY) == ""
    log_contact(ticket, by=cast.lina, at=MONDAY + HOUR, outcome="reached")
    assert why_not(message, MONDAY + HOUR) == "reached_meanwhile"
