"""What whoever watches from outside is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.test import Client

from config import health
from dispatch import epoch
from dispatch.models import Pulse
from surveys.models import SendingRules
from tests.make import MONDAY

SECOND = timedelta(seconds=1)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _monday(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "now", lambda: MONDAY)
    monkeypatch.setattr(epoch, "describe", lambda: None)


def canary(at: datetime) -> None:
    Pulse.objects.update_or_create(pk=Pulse.ONLY, defaults={"canary_at": at})


def without_a_database(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(connection, "cursor", refuse)


class TestReadiness:
    def test_it_is_ready_and_has_nothing_to_remark(self, client: Client) -> None:
        canary(MONDAY - 90 * SECOND)
        answer = client.get("/health/ready")
        assert (answer.status_code, answer.content) == (200, b"ready\n")

    @pytest.mark.parametrize(
        ("ill", "words"),
        [
            (lambda: canary(MONDAY - 91 * SECOND), b"nothing was dispatched for 91 s"),
            (lambda: Pulse.objects.all().delete(), b"nothing was ever dispatched"),
            (lambda: SendingRules.objects.create(paused_at=MONDAY), b"stopped by hand"),
            (lambda: SendingRules.objects.create(held_at=MONDAY, held_why="volume"), b"held: volume"),
        ],
        ids=["silent", "never", "stopped", "held"],
    )
    def test_it_goes_on_serving_and_says_what_stands_still(
        self, client: Client, ill: Callable[[], object], words: bytes
    ) -> None:
        canary(MONDAY)
        assert words not in client.get("/health/ready").content
        ill()
        answer = client.get("/health/ready")
        assert answer.status_code == 200
        assert words in answer.content

    def test_it_says_that_sending_is_fenced_off(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(epoch, "describe", lambda: {"why": "restored"})
        answer = client.get("/health/ready")
        assert answer.status_code == 200
        assert b"reconciled: restored" in answer.content

    @pytest.mark.parametrize("error", [OperationalError, InterfaceError])
    def test_it_is_not_ready_without_postgresql(
        self, client: Client, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
    ) -> None:
        without_a_database(error, monkeypatch)
        answer = client.get("/health/ready")
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
        assert client.get("/health/live").status_code == 200


class TestDispatching:
    def test_it_is_well_while_the_canary_sings(self, client: Client) -> None:
        canary(MONDAY - 90 * SECOND)
        assert client.get("/health/dispatch").status_code == 200

    def test_it_is_ill_when_the_canary_is_silent_or_never_sang(self, client: Client) -> None:
        never = client.get("/health/dispatch")
        assert (never.status_code, never["Retry-After"]) == (503, "30")
        canary(MONDAY - 91 * SECOND)
        silent = client.get("/health/dispatch")
        assert (silent.status_code, silent.content) == (503, b"nothing was dispatched for 91 s\n")

    @pytest.mark.parametrize("error", [OperationalError, InterfaceError])
    def test_it_breaks_no_more_than_the_database(
        self, client: Client, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
    ) -> None:
        without_a_database(error, monkeypatch)
        answer = client.get("/health/dispatch")
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
