import pytest

from recovery.lifecycle import Refused, book_callback, merge, reopen, resolve
from recovery.models import Deadline, TicketResponse
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
