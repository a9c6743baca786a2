"""Each invariant sees the violation it is there for."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from django.db import connection

from dispatch import epoch
from dispatch.models import Claim
from recovery.models import Callback, Deadline, Escalation, TicketEvent, Wait
from recovery.models.policy import FIRST_CONTACT
from surveys.models import Consent, DeliveryAttempt, Invitation, Message, SendingRules, Suppression
from tests.faults.invariants import INVARIANTS, Evidence, violated
from tests.make import DAY, HOUR, MINUTE, MONDAY, Cast

NOON = MONDAY + 2 * HOUR


def numbers(lines: list[str]) -> list[int]:
    return [int(line.split()[1]) for line in lines]


def make_message(cast: Cast, n: int = 1, **fields: Any) -> Message:
    values: dict[str, Any] = {
        "dedup_key": f"m{n}",
        "key": f"k{n}",
        "kind": "invitation",
        "to_address": f"c{n}@example.com",
        "customer": cast.customer(),
        "state": Message.ACCEPTED,
        "fence": 1,
        "attempts": 1,
        "send_at": NOON,
        "created_at": NOON,
        "finished_at": NOON,
    }
    return Message.objects.create(**{**values, **fields})


def make_attempt(message: Message, **fields: Any) -> DeliveryAttempt:
    values: dict[str, Any] = {
        "fence": 1,
        "provider": "smtp",
        "key": message.key,
        "started_at": NOON,
        "ended_at": NOON,
        "result": "accepted",
    }
    return DeliveryAttempt.objects.create(message=message, **{**values, **fields})


def sent(cast: Cast, n: int = 1, **fields: Any) -> Message:
    message = make_message(cast, n, **fields)
    make_attempt(message)
    return message


def test_it_finds_nothing_where_all_is_well(cast: Cast) -> None:
    cast.ticket(at=MONDAY)
    Message.objects.update(state=Message.CANCELLED, reason="test", finished_at=NOON)
    sent(cast)
    assert violated(Evidence(settled=True)) == []


def test_it_says_what_each_of_them_asserts() -> None:
    assert [each.number for each in INVARIANTS] == [*range(1, 13), 21]
    assert all(each.says for each in INVARIANTS)


# --- One violation each ---


def forgotten_deadline(cast: Cast) -> None:
    ticket = cast.ticket()
    Deadline.objects.filter(ticket=ticket, kind=FIRST_CONTACT).update(next_step_at=None)


def lost_unique_index(cast: Cast) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE recovery_escalation RENAME COLUMN round TO turn")


def same_key_twice(cast: Cast) -> None:
    sent(cast, 1, key="same")
    sent(cast, 2, key="same")


def shared_fence(cast: Cast) -> None:
    for subject in (1, 2):
        Claim.objects.create(kind="waits", subject=subject, fence=0, lease_until=NOON)


def attempt_ahead(cast: Cast) -> None:
    make_attempt(make_message(cast), fence=2)


def attempt_left_running(cast: Cast) -> None:
    make_attempt(make_message(cast), ended_at=None, result="")


def sent_without_an_attempt(cast: Cast) -> None:
    make_message(cast)


def key_of_its_own(cast: Cast) -> None:
    make_attempt(make_message(cast), key="another")


def accepted_twice(cast: Cast) -> None:
    message = make_message(cast, fence=2)
    make_attempt(message)
    make_attempt(message, fence=2)


def silent_doubt(cast: Cast) -> None:
    message = make_message(cast, state=Message.UNCERTAIN, reason="sender_died")
    make_attempt(message, result="uncertain")


def silent_grave(cast: Cast) -> None:
    Claim.objects.create(kind="waits", subject=1, fence=0, lease_until=NOON, dead_at=NOON)


def end_without_a_reason(cast: Cast) -> None:
    make_message(cast, state=Message.CANCELLED)


def denied_attempt(cast: Cast) -> None:
    make_attempt(make_message(cast, state=Message.CANCELLED, reason="x"), result="uncertain")


def sent_too_late(cast: Cast) -> None:
    sent(cast, not_after=NOON - MINUTE)


def sent_to_the_suppressed(cast: Cast) -> None:
    Suppression.objects.create(address="c1@example.com", reason="by_hand", created_at=NOON - HOUR)
    sent(cast)


def sent_at_night(cast: Cast) -> None:
    SendingRules.objects.create()
    make_attempt(make_message(cast), started_at=NOON + 12 * HOUR)


def sent_against_a_no(cast: Cast) -> None:
    message = sent(cast)
    assert message.customer is not None
    Consent.objects.create(customer=message.customer, given=False, source="call", at=NOON - HOUR)


def sent_while_stopped(cast: Cast) -> None:
    SendingRules.objects.create(paused_at=NOON - HOUR)
    sent(cast)


def begun_too_often(cast: Cast) -> None:
    Claim.objects.create(kind="waits", subject=1, fence=0, lease_until=NOON, attempts=6)


def message_begun_too_often(cast: Cast) -> None:
    """Six tries, of which the provider clearly refused none."""
    make_attempt(make_message(cast, attempts=6))


def callback_at_another_time(cast: Cast) -> None:
    Callback.objects.create(
        ticket=cast.ticket(), cycle=1, local_time="2026-03-03T10:00", time_zone="UTC", due_at=MONDAY + DAY
    )


def callback_announced_twice(cast: Cast) -> None:
    ticket = cast.ticket()
    for version in (2, 3):
        TicketEvent.objects.create(
            ticket=ticket, kind="callback_due", cycle=1, at=NOON, version=version, data={"due_at": "noon"}
        )


def level_after_a_higher_one(cast: Cast) -> None:
    ticket = cast.ticket()
    row = Deadline.objects.get(ticket=ticket, kind=FIRST_CONTACT)
    for level, at in ((2, NOON), (1, NOON + MINUTE)):
        Escalation.objects.create(
            ticket=ticket, deadline=row, cycle=1, level=level, recipient=cast.chen, recipient_name="", at=at
        )


def above_the_rate(cast: Cast) -> None:
    SendingRules.objects.create(per_minute=1)
    for n in range(10):
        sent(cast, n)


def too_often_to_one(cast: Cast) -> None:
    SendingRules.objects.create(per_person_per_day=1)
    for n in range(2):
        sent(cast, n, to_address="same@example.com")


SEEDED: list[tuple[int, Callable[[Cast], None]]] = [
    (1, forgotten_deadline),
    (3, lost_unique_index),
    (3, same_key_twice),
    (4, shared_fence),
    (4, attempt_ahead),
    (4, attempt_left_running),
    (5, sent_without_an_attempt),
    (5, key_of_its_own),
    (6, accepted_twice),
    (7, silent_doubt),
    (7, silent_grave),
    (7, end_without_a_reason),
    (8, denied_attempt),
    (9, sent_too_late),
    (9, sent_to_the_suppressed),
    (9, sent_at_night),
    (9, sent_against_a_no),
    (9, sent_while_stopped),
    (10, begun_too_often),
    (10, message_begun_too_often),
    (11, callback_at_another_time),
    (11, callback_announced_twice),
    (12, level_after_a_higher_one),
    (12, above_the_rate),
    (12, too_often_to_one),
]


@pytest.mark.violates
@pytest.mark.parametrize(("number", "seed"), SEEDED, ids=lambda each: getattr(each, "__name__", str(each)))
def test_it_reports(cast: Cast, number: int, seed: Callable[[Cast], None]) -> None:
    seed(cast)
    if seed is lost_unique_index:
        assert "unique" in next(INVARIANTS[2].check(Evidence()))
        return
    assert number in numbers(violated())


@pytest.mark.violates
def test_it_reports_what_is_still_under_way_only_once_all_should_be_settled(cast: Cast) -> None:
    make_message(cast, state=Message.QUEUED, finished_at=None, send_at=NOON + DAY)
    assert 7 not in numbers(violated(Evidence()))
    assert 7 in numbers(violated(Evidence(settled=True)))


@pytest.mark.violates
def test_it_reports_a_send_behind_the_restore_fence(cast: Cast) -> None:
    from django.utils import timezone

    make_attempt(make_message(cast), started_at=timezone.now())
    assert 21 not in numbers(violated())
    with mock.patch.object(epoch, "is_behind", return_value=True):
        assert 21 in numbers(violated())


# --- Against journals ---


class Journals:
    """The journals of a rig that never ran."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def journal(self, name: str) -> Path:
        return self.folder / f"{name}.jsonl"

    def write(self, name: str, **row: Any) -> None:
        with self.journal(name).open("a") as file:
            file.write(json.dumps(row) + "\n")

    def evidence(self) -> Evidence:
        return Evidence(rig=SimpleNamespace(journal=self.journal))  # type: ignore[arg-type]


@pytest.fixture
def journals(tmp_path: Path) -> Journals:
    return Journals(tmp_path)


def test_it_believes_a_provider_that_says_the_same(cast: Cast, journals: Journals) -> None:
    message = sent(cast)
    journals.write("key", what="delivered", key=message.key, to="c1", at=NOON.timestamp() + 1)
    assert violated(journals.evidence()) == []


@pytest.mark.violates
def test_it_reports_an_acknowledged_answer_that_is_missing(cast: Cast, journals: Journals) -> None:
    journals.write("client", external_id="gone", status=201)
    assert 2 in numbers(violated(journals.evidence()))


@pytest.mark.violates
def test_it_reports_what_a_provider_heard_before_the_attempt(cast: Cast, journals: Journals) -> None:
    message = sent(cast)
    journals.write("key", what="delivered", key=message.key, to="c1", at=NOON.timestamp() - 5)
    assert 5 in numbers(violated(journals.evidence()))


@pytest.mark.violates
def test_it_reports_what_a_provider_delivered_twice(cast: Cast, journals: Journals) -> None:
    message = sent(cast)
    for _ in range(2):
        journals.write("ask", what="delivered", key=message.key, to="c1", at=NOON.timestamp() + 1)
    assert 6 in numbers(violated(journals.evidence()))


@pytest.mark.violates
def test_it_reports_a_wait_and_a_callback_found_by_nobody(cast: Cast) -> None:
    ticket = cast.ticket()
    Wait.objects.create(ticket=ticket, cycle=1, starts_at=MONDAY, resume_at=MONDAY + MINUTE, reason="photo")
    with mock.patch("tests.faults.invariants.due_waits", return_value=Wait.objects.none()):
        assert 1 in numbers(violated())


@pytest.mark.violates
def test_it_reports_an_invitation_sent_behind_the_restore_fence(cast: Cast) -> None:
    from django.utils import timezone

    now = timezone.now()
    Invitation.objects.create(
        survey=cast.survey,
        customer=cast.customer(),
        state=Invitation.SENT,
        send_at=now,
        sent_at=now,
        created_at=now,
        expires_at=now + timedelta(days=1),
    )
    with mock.patch.object(epoch, "is_behind", return_value=True):
        assert 21 in numbers(violated())


def test_what_a_provider_clearly_refused_may_be_tried_on(cast: Cast) -> None:
    message = make_message(cast, attempts=7, fence=7, state=Message.QUEUED, finished_at=None)
    for fence in range(1, 8):
        make_attempt(message, fence=fence, result="retry")
    assert 10 not in numbers(violated())
