"""A try that may have been heard, and what may be done about it.

A provider of class A gets the same key again while it surely remembers it. One of class B is asked, after a
while in which a slow request can still arrive. With class C nobody can know: a customer is not written to
again, a colleague rather twice than not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Exists, Max, OuterRef, QuerySet
from django.db.models.functions import Coalesce

from surveys.messages.providers.base import (
    ABSENT,
    ACCEPTED,
    ASKABLE,
    BLIND,
    FOUND,
    RETRY,
    UNCERTAIN,
    UNKNOWN,
    Provider,
)
from surveys.models import DeliveryAttempt, Message

BY_HAND: Final = "by_hand"
RESENT: Final = "resent"
ASKING: Final = "asking"
# Attempts with these results only asked what became of another.
QUESTIONS: Final = (ASKING, FOUND, ABSENT, UNKNOWN)
# Beyond this part of what a provider says it remembers we do not count on it.
SURE_PART = 0.8
ASK_PAUSES = (timedelta(0), timedelta(0), timedelta(minutes=5), timedelta(minutes=30))
MOST_QUESTIONS = len(ASK_PAUSES) + 1

SEND, ASK, WAIT, END = "send", "ask", "wait", "end"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do next: SEND, ASK, WAIT `until`, or END as uncertain because of `reason`."""

    step: str
    reason: str = ""
    until: datetime | None = None


def in_doubt(tries: QuerySet[DeliveryAttempt]) -> QuerySet[DeliveryAttempt]:
    """Those of these tries that may have been heard, and that no later word of the provider has settled."""
    word = DeliveryAttempt.objects.filter(
        message=OuterRef("message"),
        key=OuterRef("key"),
        pk__gt=OuterRef("pk"),
        result__in=[ACCEPTED, FOUND, ABSENT],
    )
    return tries.filter(~Exists(word), result__in=["", UNCERTAIN])


def this_round(message: Message) -> QuerySet[DeliveryAttempt]:
    """The tries since a person last decided about the message."""
    by_hand = message.deliveries.filter(provider=BY_HAND)
    last: int = by_hand.aggregate(last=Coalesce(Max("fence"), 0))["last"]
    return message.deliveries.filter(fence__gt=last)


def plan(message: Message, provider: Provider | None, at: datetime) -> Plan:
    """What may be done with a message nobody is working on."""
    # Refusals settle nothing and may be many.
    tries = list(this_round(message).exclude(result=RETRY)) if message.fence else []
    doubts = list(in_doubt(this_round(message))) if any(is_open(each) for each in tries) else []
    doubts = [each for each in doubts if not (each.provider_class == BLIND and message.is_ours)]
    if not doubts:
        return Plan(SEND)
    last = doubts[-1]
    if any(each.provider_class == BLIND for each in doubts):
        return Plan(END, last.detail or "sender_died")
    if provider is None or any(each.provider != provider.name for each in doubts):
        return Plan(END, "provider_changed")
    if any(each.provider_class != provider.klass for each in doubts):
        return Plan(END, "provider_changed")
    if provider.klass == ASKABLE:
        return plan_to_ask(tries, last, at)
    first = min(each.started_at for each in tries if each.key == last.key)
    return Plan(SEND) if at - first < provider.window * SURE_PART else Plan(END, "window_over")


def plan_to_ask(tries: list[DeliveryAttempt], doubt: DeliveryAttempt, at: datetime) -> Plan:
    asked = [each for each in tries if each.fence > doubt.fence and each.result == UNKNOWN]
    if len(asked) >= MOST_QUESTIONS:
        return Plan(END, "nobody_knows")
    pause = settle_time()
    if asked:
        pause = max(pause, ASK_PAUSES[len(asked) - 1])
    last = asked[-1] if asked else doubt
    until = (last.ended_at or last.started_at) + pause
    return Plan(ASK) if at >= until else Plan(WAIT, "waits_to_ask", until)


def is_open(attempt: DeliveryAttempt) -> bool:
    return attempt.result in ("", UNCERTAIN)


def settle_time() -> timedelta:
    """How long a request of ours may still be on its way after we have lost sight of it."""
    return timedelta(seconds=settings.PROVIDER_SETTLE_SECONDS)
