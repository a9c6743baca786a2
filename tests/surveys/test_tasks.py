from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from celery import Task
from django.core import mail

from surveys.invitations import invite
from surveys.models import Invitation, Message
from surveys.tasks import sweep_invitations, sweep_messages
from tests.surveys.make import MONDAY, make_customer, make_survey

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs what a sweep hands out at once, in this process."""
    monkeypatch.setattr(Task, "apply_async", lambda task, args, **_how: task(*args))


@pytest.fixture(autouse=True)
def monday() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(MONDAY, tick=False) as traveller:
        yield traveller


def test_it_asks_and_sends_what_is_due_and_expires_what_nobody_answered(
    monday: time_machine.Traveller,
) -> None:
    invite(make_customer(), make_survey(), send_at=MONDAY, at=MONDAY - timedelta(days=1))
    for _tick in range(2):
        sweep_invitations()
        sweep_messages()
    [sent] = mail.outbox
    assert sent.to == ["Zhang Wei <zhang.wei@example.com>"]
    assert Message.objects.get().state == Message.ACCEPTED
    assert Invitation.objects.get().state == Invitation.SENT
    monday.shift(timedelta(days=14))
    sweep_invitations()
    assert Invitation.objects.get().state == Invitation.EXPIRED


def test_it_leaves_alone_what_is_not_due() -> None:
    invite(make_customer(), make_survey(), send_at=MONDAY + timedelta(seconds=1), at=MONDAY)
    sweep_invitations()
    sweep_messages()
    assert Invitation.objects.get().state == Invitation.PLANNED
    assert mail.outbox == []
