from datetime import timedelta

import pytest

from recovery.lifecycle import Refused, book_callback, log_contact, resolve
from recovery.models import Contact, Deadline, Ticket
from recovery.models.contact import CONTACT_OUTCOMES, HEARD
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
    given = {"outcome": "reached", "channel": "phone", field: value}
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
