from datetime import UTC, datetime

import pytest

from recovery.lifecycle import (
    Refused,
    change_priority,
    extend,
    log_contact,
    resolve,
    resume,
    start_waiting,
)
from recovery.models import Deadline, Ticket, Wait
from tests.due import kind, take_step
from tests.make import DAY, HOUR, MINUTE, MONDAY, Cast


def due(ticket: Ticket, kind: str) -> datetime | None:
    return Deadline.objects.get(ticket=ticket, kind=kind).due_at


def test_the_clock_stands_while_waiting(cast: Cast) -> None:
    ticket = start_waiting(cast.ticket(), by=cast.lina, at=MONDAY + HOUR, reason="Customer sends the receipt")
    assert ticket.status == "waiting"
    assert due(ticket, "first_contact") is None
    assert kind("deadlines").ids(MONDAY + 30 * DAY) == []


def test_only_the_working_time_inside_is_not_counted(cast: Cast) -> None:
    ticket = start_waiting(cast.ticket(), by=cast.lina, at=MONDAY + 6 * HOUR, reason="Receipt")
    ticket = resume(ticket, by=cast.lina, at=MONDAY + DAY)  # 16:00 to 17:00 and 9:00 to 10:00
    assert due(ticket, "resolution") == datetime(2026, 3, 5, 4, 0, tzinfo=UTC)
    ledger = Deadline.objects.get(ticket=ticket, kind="resolution").ledger
    assert [line["why"] for line in ledger][:4] == ["working", "waiting", "closed", "waiting"]
    event = ticket.events.get(kind="resumed")
    assert event.data["since"] == "2026-03-02T08:00:00+00:00"


def test_a_deadline_that_had_passed_stays_passed(cast: Cast) -> None:
    ticket = start_waiting(cast.ticket(), by=cast.lina, at=MONDAY + 5 * HOUR, reason="Receipt")
    assert due(ticket, "first_contact") == MONDAY + 4 * HOUR


def test_a_change_of_priority_keeps_the_pause(cast: Cast) -> None:
    ticket = start_waiting(cast.ticket(), by=cast.lina, at=MONDAY + HOUR, reason="Receipt")
    ticket = resume(ticket, by=cast.lina, at=MONDAY + 4 * HOUR)
    assert due(ticket, "first_contact") == MONDAY + 7 * HOUR
    ticket = change_priority(ticket, by=cast.lina, at=MONDAY + 4 * HOUR, priority=2)
    assert due(ticket, "first_contact") == MONDAY + 5 * HOUR
    moved = ticket.events.get(kind="priority_changed").data["deadlines"]
    assert {row["kind"] for row in moved} == {"first_contact", "resolution"}


def test_it_resumes_by_itself_at_the_time_given(cast: Cast) -> None:
    until = MONDAY + 2 * HOUR
    ticket = start_waiting(cast.ticket(), by=cast.lina, at=MONDAY, reason="Receipt", until=until)
    assert kind("waits").ids(until - MINUTE) == []
    [pk] = kind("waits").ids(until)
    take_step("waits", pk, until)
    ticket.refresh_from_db()
    assert ticket.status == "open"
    assert ticket.events.get(kind="resumed").by is None


def test_resolving_ends_the_wait(cast: Cast) -> None:
    ticket = start_waiting(cast.ticket(), by=cast.lina, at=MONDAY, reason="Receipt")
    resolve(ticket, by=cast.lina, at=MONDAY + HOUR, cause_found=cast.late, what_was_done="Sent again")
    assert Wait.objects.get().ends_at == MONDAY + HOUR


def test_it_counts_a_contact_made_while_waiting_as_in_time(cast: Cast) -> None:
    ticket = start_waiting(cast.ticket(), by=cast.lina, at=MONDAY, reason="Receipt")
    log_contact(ticket, by=cast.lina, at=MONDAY + 3 * DAY, outcome="replied", channel="email")
    row = Deadline.objects.get(kind="first_contact")
    assert row.met_at == MONDAY + 3 * DAY
    assert row.breached_at is None


@pytest.mark.parametrize(
    ("given", "field"), [({"reason": " "}, "reason"), ({"reason": "Receipt", "until": MONDAY}, "until")]
)
def test_it_refuses(cast: Cast, given: dict[str, object], field: str) -> None:
    with pytest.raises(Refused) as refused:
        start_waiting(cast.ticket(), by=cast.lina, at=MONDAY, **given)  # type: ignore[arg-type]
    assert refused.value.field == field


def test_it_refuses_to_wait_twice_and_to_resume_what_runs(cast: Cast) -> None:
    ticket = cast.ticket()
    with pytest.raises(Refused, match="new"):
        resume(ticket, by=cast.lina, at=MONDAY)
    ticket = start_waiting(ticket, by=cast.lina, at=MONDAY, reason="Receipt")
    with pytest.raises(Refused, match="waiting already"):
        start_waiting(ticket, by=cast.lina, at=MONDAY, reason="Again")


def test_a_late_sweep_does_not_lengthen_the_wait(cast: Cast) -> None:
    until = MONDAY + 2 * HOUR
    ticket = start_waiting(cast.ticket(), by=cast.lina, at=MONDAY, reason="Receipt", until=until)
    resume(ticket, by=None, at=MONDAY + 5 * HOUR)
    assert Wait.objects.get().ends_at == until
    assert due(ticket, "first_contact") == MONDAY + 6 * HOUR


def test_it_ends_at_once_where_somebody_resumes_before_the_time_given(cast: Cast) -> None:
    ticket = start_waiting(cast.ticket(), by=cast.lina, at=MONDAY, reason="Receipt", until=MONDAY + 2 * HOUR)
    resume(ticket, by=cast.lina, at=MONDAY + HOUR)
    assert Wait.objects.get().ends_at == MONDAY + HOUR


def test_a_step_handed_out_for_one_wait_does_not_end_the_next(cast: Cast) -> None:
    until = MONDAY + HOUR
    ticket = start_waiting(cast.ticket(), by=cast.lina, at=MONDAY, reason="Receipt", until=until)
    [pk] = kind("waits").ids(until)
    ticket = resume(ticket, by=cast.lina, at=until)
    start_waiting(ticket, by=cast.lina, at=until, reason="Another receipt", until=MONDAY + DAY)
    take_step("waits", pk, until + MINUTE)
    ticket.refresh_from_db()
    assert ticket.status == "waiting"


def test_a_change_of_priority_while_waiting_counts_once_the_clock_runs(cast: Cast) -> None:
    ticket = start_waiting(cast.ticket(), by=cast.lina, at=MONDAY + HOUR, reason="Receipt")
    ticket = change_priority(ticket, by=cast.lina, at=MONDAY + 2 * HOUR, priority=2)
    assert due(ticket, "first_contact") is None
    assert ticket.events.get(kind="priority_changed").data["deadlines"] == []
    resume(ticket, by=cast.lina, at=MONDAY + 3 * HOUR)
    assert due(ticket, "first_contact") == MONDAY + 4 * HOUR


def test_more_time_allowed_while_waiting_counts_once_the_clock_runs(cast: Cast) -> None:
    ticket = start_waiting(cast.ticket(), by=cast.lina, at=MONDAY + HOUR, reason="Receipt")
    ticket = extend(
        ticket, by=cast.chen, at=MONDAY + 2 * HOUR, minutes=60, reason="Agreed", kind="first_contact"
    )
    assert due(ticket, "first_contact") is None
    resume(ticket, by=cast.lina, at=MONDAY + 2 * HOUR)
    assert due(ticket, "first_contact") == MONDAY + 6 * HOUR


def test_a_deadline_reached_at_the_moment_the_wait_begins_is_not_paused(cast: Cast) -> None:
    ticket = start_waiting(cast.ticket(), by=cast.lina, at=MONDAY + 4 * HOUR, reason="Receipt")
    assert due(ticket, "first_contact") == MONDAY + 4 * HOUR
    assert due(ticket, "resolution") is None


def test_a_wait_never_ends_before_it_began(cast: Cast) -> None:
    """The clocks of two machines differ a little."""
    ticket = start_waiting(cast.ticket(), by=cast.lina, at=MONDAY + HOUR, reason="Receipt")
    resume(ticket, by=cast.lina, at=MONDAY + HOUR - MINUTE)
    assert Wait.objects.get().ends_at == MONDAY + HOUR
