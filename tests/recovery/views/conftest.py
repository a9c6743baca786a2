from collections.abc import Callable
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client

from recovery.views import (
    acts,
    board_goodwill,
    board_one,
    board_requests,
    bulk,
    callbacks,
    coaching,
    customer_page,
    customers,
    desk,
    dry_run,
    frame,
    hand_over,
    leave,
    looking,
    overdue,
    palette,
    playbook,
    reaching,
    replies,
    reply_state,
    ticket,
    tickets,
    weekly,
)
from tests.make import MINUTE, MONDAY

DOORS = (
    acts,
    board_goodwill,
    board_one,
    board_requests,
    bulk,
    callbacks,
    coaching,
    customer_page,
    customers,
    desk,
    dry_run,
    hand_over,
    frame,
    leave,
    looking,
    overdue,
    palette,
    playbook,
    reaching,
    replies,
    reply_state,
    ticket,
    tickets,
    weekly,
)
Clock = Callable[[datetime], None]
SignIn = Callable[[User], Client]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Sets what the doors read as now."""

    def set_to(at: datetime) -> None:
        for door in DOORS:
            monkeypatch.setattr(door, "now", lambda: at)

    return set_to


@pytest.fixture(autouse=True)
def _monday(clock: Clock) -> None:
    """Half an hour after the cast's Monday morning."""
    clock(MONDAY + 30 * MINUTE)


@pytest.fixture
def sign_in(client: Client) -> SignIn:
    def as_user(user: User) -> Client:
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return as_user
