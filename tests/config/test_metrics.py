"""What a scrape learns from the database."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client import CollectorRegistry
from pytest_django import DjangoAssertNumQueries

from config import metrics
from dispatch import epoch
from dispatch.models import Claim, Pulse
from recovery.models import Callback
from surveys.models import Message, SendingRules
from tests.make import MINUTE, MONDAY, Cast

MOST_QUERIES = 15
Scrape = Callable[[], dict[str, float]]


@pytest.fixture(autouse=True)
def _monday(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "now", lambda: MONDAY)
    monkeypatch.setattr(epoch, "describe", lambda: None)


@pytest.fixture
def scrape(client: Client) -> Scrape:
    def ours() -> dict[str, float]:
        text = client.get("/metrics").content.decode()
        return {name: float(value) for name, value in re.findall(r"^redress_(\S+) (\S+)$", text, re.M)}

    return ours


def message(state: str, number: int, **fields: Any) -> Message:
    return Message.objects.create(
        dedup_key=f"{state}{number}",
        kind="x",
        to_address="a@b.c",
        state=state,
        send_at=MONDAY,
        created_at=MONDAY,
        **fields,
    )


@pytest.mark.django_db
def test_it_says_how_late_each_kind_is(cast: Cast, scrape: Scrape) -> None:
    for late in (5, 90):
        Callback.objects.create(
            ticket=cast.ticket(),
            cycle=1,
            local_time="2026-03-02T10:00",
            time_zone="UTC",
            due_at=MONDAY - late * MINUTE,
        )
    found = scrape()
    assert found['due_rows{kind="callbacks"}'] == 2
    assert found['lateness_seconds{kind="callbacks"}'] == 90 * 60
    assert found['due_rows{kind="waits"}'] == 0


@pytest.mark.django_db
def test_it_counts_what_has_no_good_end(scrape: Scrape) -> None:
    for number, state in enumerate(["uncertain", "uncertain", "dead", "rejected", "accepted"]):
        message(state, number)
    message("suppressed", 8, reason="suppressed")
    message("expired", 9, reason="not_after")
    Claim.objects.create(kind="waits", subject=1, fence=1, lease_until=MONDAY, dead_at=MONDAY)
    Claim.objects.create(kind="waits", subject=2, fence=2, lease_until=MONDAY, attempts=2)
    Claim.objects.create(kind="waits", subject=3, fence=3, lease_until=MONDAY)
    found = scrape()
    assert [found[f"messages_{state}"] for state in ("uncertain", "dead", "rejected")] == [2, 1, 1]
    assert (found["rows_dead"], found["rows_retried"]) == (1, 1)
    assert found['messages_not_sent{reason="suppressed",state="suppressed"}'] == 1
    assert found['messages_not_sent{reason="not_after",state="expired"}'] == 1


@pytest.mark.django_db
def test_it_says_what_stands_still(scrape: Scrape, monkeypatch: pytest.MonkeyPatch) -> None:
    flags = ("restore_fence", "sending_stopped", "sending_held")
    before = scrape()
    assert [before[name] for name in flags] == [0, 0, 0]
    assert "canary_age_seconds" not in before
    Pulse.objects.create(canary_at=MONDAY - MINUTE)
    SendingRules.objects.create(paused_at=MONDAY, held_at=MONDAY)
    monkeypatch.setattr(epoch, "describe", lambda: {"why": "restored"})
    after = scrape()
    assert [after[name] for name in flags] == [1, 1, 1]
    assert (after["canary_age_seconds"], after["database_up"]) == (60, 1)


@pytest.mark.django_db
def test_it_answers_without_the_database_and_says_so(scrape: Scrape, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(connection, "cursor", refuse)
    assert scrape() == {"database_up": 0}


@pytest.mark.django_db
def test_it_asks_the_database_a_few_times_however_much_there_is(cast: Cast, client: Client) -> None:
    for number in range(30):
        message("dead", number)
        Claim.objects.create(kind="waits", subject=number, fence=number, lease_until=MONDAY, dead_at=MONDAY)
    with CaptureQueriesContext(connection) as captured:
        client.get("/metrics")
    assert len(captured) <= MOST_QUERIES


@pytest.mark.django_db
def test_it_asks_nothing_to_be_registered(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    registry = CollectorRegistry(auto_describe=True)
    with django_assert_num_queries(0):
        registry.register(metrics.Dispatching())
