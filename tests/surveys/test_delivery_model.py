"""Whatever happens in whatever order: a provider that remembers what it delivered judges our record."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dispatch import epoch, failpoints
from dispatch.claims import MOST_ATTEMPTS
from surveys.messages import NotAllowed, doubt, drop, mark_sent, refusals, resend, send
from surveys.messages import deliver as delivery
from surveys.messages.gate import Verdict
from surveys.messages.providers.base import (
    ABSENT,
    ACCEPTED,
    FOUND,
    REJECTED,
    RETRY,
    UNCERTAIN,
    UNKNOWN,
    Outcome,
)
from surveys.models import Message, Refusal
from tests.surveys.make import MONDAY

pytestmark = pytest.mark.django_db

WINDOW = timedelta(hours=24)
DEATHS = [
    "message_claimed",
    "before_intent_commit",
    "after_intent_commit",
    "before_call",
    "provider_accepted",
    "before_finish",
    "after_finish",
    "asking_provider",
]
# Whether the provider took it, and what we hear.
ANSWERS = {
    "yes": (True, ACCEPTED),
    "yes, lost on the way": (True, UNCERTAIN),
    "lost on the way there": (False, UNCERTAIN),
    "not now": (False, RETRY),
    "no": (False, REJECTED),
    "cannot say": (False, UNKNOWN),
}
GATES = {
    "too late": Verdict(False, Message.EXPIRED, "not_after"),
    "unwanted": Verdict(False, Message.SUPPRESSED, "suppressed"),
    "of no concern": Verdict(False, Message.CANCELLED, "invitation_answered"),
    "not at this hour": Verdict(False, reason="quiet_hours", until=MONDAY),
}
PEOPLE = {"resend": resend, "mark sent": mark_sent, "drop": drop}
DAYS_PASS = "a day passes"
EVENTS = [*DEATHS, *ANSWERS, *GATES, *PEOPLE, DAYS_PASS]
SURELY_NOT_SENT = (Message.REJECTED, Message.DEAD, Message.EXPIRED, Message.SUPPRESSED, Message.CANCELLED)
OPEN = (Message.QUEUED, Message.SENDING)


class Killed(BaseException):
    pass


@dataclass
class Judge:
    """A provider whose memory nobody can touch. One of class A forgets keys after its window."""

    klass: str
    name: str = "judge"
    window: timedelta = WINDOW
    now: datetime = MONDAY
    answer: str = "yes"
    delivered: Counter[str] = field(default_factory=Counter)
    first: dict[str, datetime] = field(default_factory=dict)

    def deliver(self, message: Message, key: str) -> Outcome:
        written = message.deliveries.filter(key=key, result="", provider_class=self.klass)
        assert written.count() == 1, "no provider is called before the attempt is written down"
        took, said = ANSWERS[self.answer]
        said = RETRY if said == UNKNOWN else said
        if took and not self.repeats(key):
            self.delivered[key] += 1
        return Outcome(said)

    def repeats(self, key: str) -> bool:
        return (
            self.klass == "A"
            and self.now - self.first.setdefault(key, self.now) < self.window
            and bool(self.delivered[key])
        )

    def ask(self, key: str) -> str:
        assert self.klass == "B"
        if self.answer == "cannot say":
            return UNKNOWN
        return FOUND if self.delivered[key] else ABSENT


@dataclass
class World:
    judge: Judge
    message: Message
    person: User
    at: datetime = MONDAY
    resent: int = 0
    by_hand: str = ""

    def happens(self, event: str) -> None:
        if event in PEOPLE:
            self.decide(event)
        elif event == DAYS_PASS:
            self.at += timedelta(days=1)
        else:
            self.step(event)
        self.check()

    def decide(self, event: str) -> None:
        try:
            PEOPLE[event](self.row(), self.person, self.at)
        except NotAllowed:
            return
        self.resent += event == "resend"
        self.by_hand = "" if event == "resend" else event

    def step(self, event: str = "yes") -> None:
        self.at = max(self.at, self.due())
        if refusals.is_resting(self.message.channel, self.at):
            self.at += refusals.REST
        self.judge.now, self.judge.answer = self.at, event if event in ANSWERS else "yes"
        gate = GATES.get(event, Verdict(True))
        if gate.until:
            gate = Verdict(False, reason=gate.reason, until=self.at + timedelta(hours=1))

        def fire(name: str, _what: str) -> None:
            raise Killed

        with (
            patch.object(delivery, "provider_of", lambda _channel: self.judge),
            patch.object(delivery, "verdict", lambda *_: gate),
            patch.object(epoch, "advance", lambda _at: True),
            patch.object(failpoints, "_armed", {event: "x"} if event in DEATHS else {}),
            patch.object(failpoints, "fire", fire),
        ):
            try:
                send(self.message.pk, self.at)
            except Killed:
                return

    def due(self) -> datetime:
        row = self.row()
        if row.state not in OPEN:
            return self.at
        due = row.lease_until if row.state == Message.SENDING else row.send_at
        assert due is not None, "nobody would ever look at it again"
        return due

    def row(self) -> Message:
        return Message.objects.get(pk=self.message.pk)

    def check(self) -> None:
        row, delivered = self.row(), self.judge.delivered
        if row.user is None:
            assert max(delivered.values(), default=0) <= 1, "once under one key"
            assert sum(delivered.values()) <= 1 + self.resent, "again only when a person says so"
        if row.state in SURELY_NOT_SENT and not self.by_hand:
            assert not delivered, f"{row.state}, and yet it was delivered"
        if row.state == Message.ACCEPTED and not self.by_hand:
            assert delivered, "accepted, and yet nobody has it"
        if not self.by_hand:  # What a person settled keeps the tries of the round before.
            refused = doubt.this_round(row).filter(result=RETRY).count()
            assert row.attempts - refused <= MOST_ATTEMPTS

    def settle(self) -> None:
        for _ in range(40):
            if self.row().state not in OPEN:
                return
            self.step()
            self.check()
        raise AssertionError(f"lost: {list(self.message.deliveries.values())}")


def world(klass: str, of_a_colleague: bool) -> World:
    Refusal.objects.all().delete()
    person = User.objects.get_or_create(username="li")[0]
    message = Message.objects.create(
        dedup_key=str(uuid4()),
        kind="news",
        to_address="zhang.wei@example.com",
        subject="News",
        text="News",
        user=person if of_a_colleague else None,
        send_at=MONDAY,
        created_at=MONDAY,
    )
    return World(Judge(klass), message, person)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("of_a_colleague", [False, True], ids=["customer", "colleague"])
@pytest.mark.parametrize("klass", ["A", "B", "C"])
@given(events=st.lists(st.sampled_from(EVENTS), max_size=8))
def test_it_never_lies_loses_or_repeats(klass: str, of_a_colleague: bool, events: list[str]) -> None:
    it = world(klass, of_a_colleague)
    for event in events:
        it.happens(event)
    it.settle()
