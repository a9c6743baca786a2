"""The pages, the file and the API say the same whether every story is told anew, or kept, or some of each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest
from random import Random

import pytest
import time_machine
from django.test import Client

from recovery.insight.telling import tell_batch
from recovery.models import Ticket, ToldTicket, UntoldChange
from tests.make import DAY, MONDAY, Cast
from tests.recovery.insight.histories import wander
from tests.recovery.views.conftest import SignIn

PAGES = [
    *(f"/insight/?by={by}" for by in ("cause", "team", "touchpoint", "tier", "hours")),
    *("/insight/causes/", "/insight/csv/", "/insight/board/"),
    *("/insight/tickets/?state=promoter,passive", "/insight/tickets/?by=hours&group=never"),
    *("/insight/tickets/?cause_found=0&reached=1", "/insight/tickets/?behind=cause_agreed"),
]


@pytest.fixture(autouse=True)
def _later() -> Iterator[None]:
    with time_machine.travel(MONDAY + 60 * DAY, tick=False):
        yield


@pytest.fixture
def reader(cast: Cast, sign_in: SignIn) -> Client:
    chance = Random(5)
    for _ in range(14):
        wander(cast, chance)
    return sign_in(cast.vera)


def said(reader: Client) -> list[str]:
    """Line by line, without the tokens that are new with every answer."""
    found = []
    for url in PAGES:
        answer = reader.get(url)
        assert answer.status_code == 200, url
        text = re.sub(r"[A-Za-z0-9+/=_-]{20,}", "", answer.content.decode())
        found += [f"{url} {line}" for line in text.splitlines()]
    return found


def changed(one: list[str], other: list[str]) -> list[tuple[str, str]]:
    return [pair for pair in zip_longest(one, other, fillvalue="") if pair[0] != pair[1]]


def test_nothing_on_a_page_changes_when_stories_are_kept(reader: Client) -> None:
    anew = said(reader)
    tell_batch(limit=UntoldChange.objects.count() // 2)
    assert ToldTicket.objects.exists()
    assert UntoldChange.objects.exists()
    assert changed(anew, said(reader)) == []
    while tell_batch():
        pass
    assert changed(anew, said(reader)) == []


def test_a_list_of_many_is_read_a_page_at_a_time(cast: Cast, reader: Client) -> None:
    while tell_batch():
        pass
    answer = reader.get("/insight/tickets/")
    assert answer.context["page_obj"].paginator.count == Ticket.objects.count()
