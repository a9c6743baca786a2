"""A ticket under another policy, or another priority, after it waited: time used and pauses carry over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

from recovery.lifecycle import (
    Refused,
    change_policy,
    change_priority,
    log_contact,
    reopen,
    resolve,
    resume,
    start_waiting,
)
from recovery.lifecycle.loop import end_unasked
from recovery.models import Deadline, Resurvey, SlaPolicy, Ticket, TicketEvent
from recovery.models.policy import FIRST_CONTACT, RESOLUTION
from recovery.views.timeline import entries_of
from tests.due import due, take_step
from tests.make import DAY, HOUR, MONDAY, Cast, make_policy

# Opened on Monday at 10:00 with four hours to the first contact; waited from 11:00 to 14:00.
AFTER = MONDAY + 4 * HOUR
BEFORE = {FIRST_CONTACT: "2026-03-02T09:00:00+00:00", RESOLUTION: "2026-03-05T05:00:00+00:00"}


@pytest.fixture
def waited(cast: Cast) -> Ticket:
    """An hour is used, three were waited; it is 14:00, due at 17:00."""
    ticket = start_waiting(cast.ticket(), by=cast.lina, at=MONDAY + HOUR, reason="Receipt")
    return resume(ticket, by=cast.lina, at=AFTER)


def to_p2(cast: Cast, ticket: Ticket) -> None:
    change_priority(ticket, by=cast.lina, at=AFTER, priority=2, reason="A lawyer wrote")


def to_gold(cast: Cast, ticket: Ticket) -> None:
    change_policy(ticket, by=cast.chen, at=AFTER, policy=gold(), reason="They are a gold customer")


def by_an_edited_policy(cast: Cast, ticket: Ticket) -> None:
    cast.policy.targets.filter(priority=3).update(first_contact_minutes=120, resolution_minutes=960)
    SlaPolicy.objects.filter(pk=cast.policy.pk).update(version=2)
    assert due("recompute", AFTER) == [ticket.pk]
    take_step("recompute", ticket.pk, AFTER)


def gold() -> SlaPolicy:
    """Two hours and sixteen, whatever the priority."""
    policy = make_policy("Gold", steps=False)
    policy.targets.update(first_contact_minutes=120, resolution_minutes=960)
    return policy


CHANGES = pytest.mark.parametrize(
    ("change", "kind", "text"),
    [
        (to_p2, "priority_changed", "A lawyer wrote"),
        (to_gold, "recomputed", "They are a gold customer"),
        (by_an_edited_policy, "recomputed", ""),
    ],
)
Change = Callable[[Cast, Ticket], None]


@CHANGES
def test_time_used_and_pauses_carry_over(
    cast: Cast, waited: Ticket, change: Change, kind: str, text: str
) -> None:
    change(cast, waited)
    first, resolution = waited.deadlines.order_by("kind")
    # Two hours from 10:00 with three waited; sixteen: four of Monday, eight of Tuesday, four of Wednesday.
    assert first.due_at == AFTER + HOUR
    assert resolution.due_at == datetime(2026, 3, 4, 5, 0, tzinfo=UTC)
    for row in (first, resolution):
        assert sum(line["minutes"] for line in row.ledger) == row.minutes
        assert [line["why"] for line in row.ledger][:3] == ["working", "waiting", "working"]
        assert row.ledger[0]["minutes"] == 60


@CHANGES
def test_one_event_says_the_old_and_the_new_due_times_and_why(
    cast: Cast, waited: Ticket, change: Change, kind: str, text: str
) -> None:
    before = TicketEvent.objects.filter(ticket=waited).count()
    change(cast, waited)
    assert TicketEvent.objects.filter(ticket=waited).count() == before + 1
    event = waited.events.latest("id")
    assert (event.kind, event.text) == (kind, text)
    assert {row["kind"]: (row["from"], row["to"]) for row in event.data["deadlines"]} == {
        FIRST_CONTACT: (BEFORE[FIRST_CONTACT], "2026-03-02T07:00:00+00:00"),
        RESOLUTION: (BEFORE[RESOLUTION], "2026-03-04T05:00:00+00:00"),
    }


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (to_gold, "Chen Hao put it under the policy “Gold” instead of “Standard”"),
        (by_an_edited_policy, "The policy was changed"),
    ],
)
def test_the_timeline_says_why(cast: Cast, waited: Ticket, change: Change, says: str) -> None:
    change(cast, waited)
    with timezone.override("Asia/Shanghai"):
        entry = entries_of(waited, AFTER)[0]
    assert says in [entry.sentence, *entry.lines]
    assert "First contact: today 17:00 → today 15:00" in entry.lines


def test_the_ladder_is_that_of_the_new_policy(cast: Cast, waited: Ticket) -> None:
    to_gold(cast, waited)
    row = waited.deadlines.get(kind=FIRST_CONTACT)
    assert (row.policy.name, row.next_step_at) == ("Gold", row.due_at)


@pytest.mark.parametrize(("reason", "code"), [(" ", "reason_missing"), ("x", "policy_unchanged")])
def test_a_policy_change_is_refused(cast: Cast, waited: Ticket, reason: str, code: str) -> None:
    policy = gold() if code == "reason_missing" else cast.policy
    with pytest.raises(Refused) as refused:
        change_policy(waited, by=cast.chen, at=AFTER, policy=policy, reason=reason)
    assert refused.value.code == code
    waited.refresh_from_db()
    assert waited.policy == cast.policy


def test_a_policy_without_targets_is_refused_and_nothing_changes(cast: Cast, waited: Ticket) -> None:
    empty = SlaPolicy.objects.create(name="Empty")
    with pytest.raises(Refused, match="no targets"):
        change_policy(waited, by=cast.chen, at=AFTER, policy=empty, reason="x")
    waited.refresh_from_db()
    assert (waited.policy, waited.deadlines.get(kind=FIRST_CONTACT).due_at) == (cast.policy, AFTER + 3 * HOUR)


def test_closed_on_monday_and_reopened_on_friday_each_cycle_has_its_own_clock(cast: Cast) -> None:
    ticket = log_contact(cast.ticket(), by=cast.lina, at=MONDAY + HOUR, outcome="reached")
    ticket = resolve(ticket, by=cast.lina, at=MONDAY + 2 * HOUR, cause_found=cast.late, what_was_done="Sent")
    ticket = end_unasked(Resurvey.objects.get(ticket=ticket), at=MONDAY + 3 * HOUR, reason="unknown_customer")
    assert ticket.status == "closed"
    first = facts_of(ticket, 1)
    friday = MONDAY + 4 * DAY
    ticket = reopen(ticket, by=cast.lina, at=friday, reason="It broke again")
    assert ticket.cycle == 2
    assert {row.kind: row.due_at for row in rows_of(ticket, 2)} == {
        FIRST_CONTACT: friday + 4 * HOUR,
        RESOLUTION: friday + 5 * DAY,  # seven hours of Friday, eight of Monday and Tuesday, one of Wednesday
    }
    change_priority(ticket, by=cast.lina, at=friday + HOUR, priority=1)
    assert facts_of(ticket, 1) == first
    assert rows_of(ticket, 2)[0].due_at == friday + HOUR
    assert {row.met_at for row in rows_of(ticket, 1)} == {MONDAY + HOUR, MONDAY + 2 * HOUR}


def rows_of(ticket: Ticket, cycle: int) -> list[Deadline]:
    return list(ticket.deadlines.filter(cycle=cycle).order_by("kind"))


def facts_of(ticket: Ticket, cycle: int) -> list[dict[str, Any]]:
    return [dict(row) for row in ticket.deadlines.filter(cycle=cycle).order_by("kind").values()]
