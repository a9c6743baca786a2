"""Running deadlines follow the policy and the calendar as they are today."""

from collections.abc import Callable
from datetime import time
from typing import Any

import pytest

from recovery.models import Calendar, Deadline, SlaPolicy, Ticket
from tests.due import due, take_step
from tests.make import DAY, HOUR, MONDAY, Cast, make_calendar, make_policy


def policy_changed(cast: Cast) -> None:
    cast.policy.targets.update(first_contact_minutes=60)
    SlaPolicy.objects.filter(pk=cast.policy.pk).update(version=2)


def calendar_changed(cast: Cast) -> None:
    cast.calendar.hours.update(opens=time(10, 30))
    Calendar.objects.filter(pk=cast.calendar.pk).update(version=2)


def team_has_another_calendar(cast: Cast) -> None:
    cast.east.calendar = make_calendar("Late", opens=time(11))
    cast.east.save()


def ticket_has_another_policy(_cast: Cast) -> None:
    gold = make_policy("Gold")
    gold.targets.update(first_contact_minutes=30)
    Ticket.objects.update(policy=gold)


@pytest.mark.parametrize(
    ("change", "minutes", "moved"),
    [
        (policy_changed, 60, 1),
        (calendar_changed, 30 + 240, 2),
        (team_has_another_calendar, 60 + 240, 2),
        (ticket_has_another_policy, 30, 1),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_it_is_found_reckoned_anew_once_and_said(
    cast: Cast, change: Callable[[Cast], Any], minutes: int, moved: int
) -> None:
    ticket = cast.ticket()
    assert due("recompute", MONDAY) == []
    change(cast)
    assert due("recompute", MONDAY) == [ticket.pk]
    take_step("recompute", ticket.pk, MONDAY + HOUR)
    row = Deadline.objects.get(kind="first_contact")
    assert row.due_at is not None
    assert (row.due_at - MONDAY).total_seconds() == minutes * 60
    event = ticket.events.get(kind="recomputed")
    assert (event.by, len(event.data["deadlines"])) == (None, moved)
    assert due("recompute", MONDAY + DAY) == []
    assert sum(line["minutes"] for line in row.ledger) == row.minutes


def test_it_leaves_alone_what_is_over(cast: Cast) -> None:
    ticket = cast.ticket()
    Deadline.objects.filter(ticket=ticket).update(met_at=MONDAY)
    policy_changed(cast)
    assert due("recompute", MONDAY) == []
