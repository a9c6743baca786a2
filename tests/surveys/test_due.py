from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail

from surveys.invitations import invite
from surveys.models import Invitation, Message
from tests.due import run_all
from tests.surveys.make import MONDAY, make_customer, make_survey

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_asks_and_sends_what_is_due_and_expires_what_nobody_answered() -> None:
    invite(make_customer(), make_survey(), send_at=MONDAY, at=MONDAY - timedelta(days=1))
    for _round in range(2):
        run_all(MONDAY)
    [sent] = mail.outbox
    assert sent.to == ["Zhang Wei <zhang.wei@example.com>"]
    assert Message.objects.get().state == Message.ACCEPTED
    assert Invitation.objects.get().state == Invitation.SENT
    run_all(MONDAY + timedelta(days=14))
    assert Invitation.objects.get().state == Invitation.EXPIRED


def test_it_leaves_alone_what_is_not_due() -> None:
    invite(make_customer(), make_survey(), send_at=MONDAY + timedelta(seconds=1), at=MONDAY)
    run_all(MONDAY)
    assert Invitation.objects.get().state == Invitation.PLANNED
    assert mail.outbox == []
