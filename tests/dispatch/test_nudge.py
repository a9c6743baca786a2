from __future__ import annotations

import json
import time
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery
from django.conf import settings as live

from config.celery import app as celery_app
from dispatch import nudge as nudges
from dispatch import tasks
from dispatch.nudge import nudge, silenced


@pytest.fixture(autouse=True)
def awake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nudges, "_quiet_until", 0.0)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[Any, ...]]]:
    sent: list[tuple[str, tuple[Any, ...]]] = []
    monkeypatch.setattr(celery_app, "send_task", lambda name, args, **_options: sent.append((name, args)))
    return sent


@pytest.fixture
def empty_broker() -> Iterator[Any]:
    with celery_app.connection_for_write() as broker:
        channel: Any = broker.default_channel
        channel.client.delete("celery")
        yield channel.client
        channel.client.delete("celery")


def test_it_sends_a_name_and_an_id_and_nothing_else(empty_broker: Any) -> None:
    nudge("messages", 7)
    assert empty_broker.llen("celery") == 1
    message = json.loads(empty_broker.lindex("celery", 0))
    [args, kwargs, _chain] = json.loads(b64decode(message["body"]))
    assert (args, kwargs) == (["messages", 7], {})
    assert (message["headers"]["task"], message["headers"]["eta"]) == ("dispatch.tasks.step", None)
    assert message["headers"]["expires"]


def test_without_an_id_it_wakes_a_drain_of_the_kind(sent: list[Any]) -> None:
    nudge("triage")
    nudge("triage", 3)
    assert sent == [("dispatch.tasks.drain", ("triage",)), ("dispatch.tasks.step", ("triage", 3))]


def test_both_of_its_tasks_exist() -> None:
    assert (tasks.step.name, tasks.drain.name) == (nudges.STEP, nudges.DRAIN)


def test_it_neither_raises_nor_waits_when_the_broker_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def away(name: str, **_options: Any) -> None:
        tried.append(name)
        raise ConnectionRefusedError

    monkeypatch.setattr(celery_app, "send_task", away)
    for number in range(3):
        nudge("messages", number)
    assert tried == ["dispatch.tasks.step"]


def test_it_tries_the_broker_again_after_a_pause(monkeypatch: pytest.MonkeyPatch, sent: list[Any]) -> None:
    monkeypatch.setattr(nudges, "_quiet_until", time.monotonic() + nudges.PAUSE_SECONDS)
    nudge("messages", 1)
    assert sent == []
    monkeypatch.setattr(nudges, "_quiet_until", time.monotonic() - 0.01)
    nudge("messages", 2)
    assert sent == [("dispatch.tasks.step", ("messages", 2))]


def test_it_gives_up_on_a_silent_broker_within_a_second_or_so(monkeypatch: pytest.MonkeyPatch) -> None:
    celery = Celery("away", broker="redis://127.0.0.1:1/0", set_as_current=False)
    celery.conf.broker_transport_options = live.CELERY_BROKER_TRANSPORT_OPTIONS
    monkeypatch.setattr(nudges, "current_app", celery)
    began = time.monotonic()
    nudge("messages", 7)
    assert time.monotonic() - began < 2
    assert nudges._quiet_until > began


def test_it_is_not_sent_while_silenced_also_one_within_another(sent: list[Any]) -> None:
    with silenced():
        with silenced():
            nudge("messages", 1)
        nudge("messages", 2)
    assert sent == []
    nudge("messages", 3)
    assert len(sent) == 1
