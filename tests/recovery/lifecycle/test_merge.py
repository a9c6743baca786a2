import pytest

from recovery.lifecycle import Refused, Stale, book_callback, merge, note, reopen, resolve, start_waiting
from recovery.models import Deadline, Ticket, TicketResponse, Wait
from tests.make import HOUR, MONDAY, Cast


def test_one_ticket_goes_on_with_the_answers_of_both(cast: Cast) -> None:
    first, second = cast.ticket(), cast.ticket()
    second = book_callback(
        second, by=cast.lina, at=MONDAY, local_time="2026-03-02T18:00", time_zone="Asia/Shanghai"
    )
    merged = merge(second, by=cast.lina, at=MONDAY + HOUR, into=first, reason="Same family")
    assert (merged.status, merged.merged_into, merged.closed_at) == ("closed", first, MONDAY + HOUR)
    assert TicketResponse.objects.filter(ticket=first).count() == 2
    assert not Deadline.objects.filter(ticket=second, next_step_at__isnull=False).exists()
    assert second.callbacks.get().state == "cancelled"
    assert first.events.get(kind="merged").data == {"from": second.number}
    assert second.events.get(kind="merged").data == {"into": first.number}


def test_it_refuses_itself_and_what_is_resolved(cast: Cast) -> None:
    first, second = cast.ticket(), cast.ticket()
    with pytest.raises(Refused, match="another ticket"):
        merge(first, by=cast.lina, at=MONDAY, into=first)
    done = resolve(second, by=cast.lina, at=MONDAY, cause_found=cast.late, what_was_done="x")
    with pytest.raises(Refused):
        merge(first, by=cast.lina, at=MONDAY, into=done)
    with pytest.raises(Refused):
        merge(done, by=cast.lina, at=MONDAY, into=first)


def test_what_was_merged_is_not_reopened(cast: Cast) -> None:
    first, second = cast.ticket(), cast.ticket()
    merged = merge(second, by=cast.lina, at=MONDAY, into=first)
    with pytest.raises(Refused, match=f"part of {first.number}"):
        reopen(merged, by=cast.lina, at=MONDAY, reason="Called again")


def test_it_ends_the_wait_and_the_answers_join_the_cycle_of_the_other(cast: Cast) -> None:
    first, second = cast.ticket(), cast.ticket()
    first = again(cast, first)
    second = start_waiting(again(cast, second), by=cast.lina, at=MONDAY + 2 * HOUR, reason="Receipt")
    TicketResponse.objects.filter(ticket=second).update(role="outcome")
    merge(second, by=cast.lina, at=MONDAY + 3 * HOUR, into=first)
    assert Wait.objects.get().ends_at == MONDAY + 3 * HOUR
    joined = TicketResponse.objects.filter(ticket=first).exclude(response=first.response)
    assert list(joined.values_list("role", "cycle")) == [("absorbed", 2)]


def again(cast: Cast, ticket: Ticket) -> Ticket:
    """The ticket in its second cycle."""
    done = resolve(ticket, by=cast.lina, at=MONDAY, cause_found=cast.late, what_was_done="x")
    return reopen(done, by=cast.lina, at=MONDAY + HOUR, reason="They called back")


def test_it_ends_both_deadlines_and_what_was_late_stays_late(cast: Cast) -> None:
    first, second = cast.ticket(), cast.ticket()
    merge(second, by=cast.lina, at=MONDAY + 5 * HOUR, into=first)
    rows = {row.kind: row for row in Deadline.objects.filter(ticket=second)}
    assert {row.ended_at for row in rows.values()} == {MONDAY + 5 * HOUR}
    assert rows["first_contact"].breached_at == MONDAY + 4 * HOUR
    assert rows["resolution"].breached_at is None


def test_it_refuses_a_ticket_that_somebody_else_changed(cast: Cast) -> None:
    first, second = cast.ticket(), cast.ticket()
    stale = Ticket.objects.get(pk=second.pk)
    note(second, by=cast.majun, at=MONDAY, text="Seen")
    with pytest.raises(Stale):
        merge(stale, by=cast.lina, at=MONDAY, into=first)
    assert not first.events.filter(kind="merged").exists()
