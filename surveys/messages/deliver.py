"""Takes a due message by a fence and a lease, commits the attempt, calls the provider, and finishes only if
it still holds the fence. Every step may die; what it leaves behind says how far it came.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Q, QuerySet

from dispatch import epoch
from dispatch.claims import BACKOFF, MOST_ATTEMPTS, lease
from dispatch.clock import steady
from dispatch.failpoints import failpoint
from dispatch.nudge import nudge
from surveys.messages import doubt, refusals
from surveys.messages.compose import provider_key
from surveys.messages.doubt import ASK, ASKING, END, WAIT, in_doubt
from surveys.messages.gate import pickable, verdict
from surveys.messages.providers.base import (
    ABSENT,
    ACCEPTED,
    FOUND,
    REJECTED,
    RETRY,
    UNCERTAIN,
    UNKNOWN,
    Outcome,
    Provider,
)
from surveys.messages.providers.chosen import provider_of
from surveys.messages.suppression import BOUNCED, suppress
from surveys.models import DeliveryAttempt, Invitation, Message

# What a provider refuses is tried for so long, where the message itself sets no limit.
TRIED_FOR = timedelta(days=3)
# The kind under which due messages are dispatched.
MESSAGES = "messages"
# The codes an invitation is cancelled with when its message could not be handed over.
UNDELIVERED = {Message.REJECTED: "message_rejected", Message.DEAD: "message_dead"}
# What an attempt ends as that was begun and then not made: nothing is wrong with the message.
HELD_UP, RESTORED, UNHEARD = "held_up", "database_restored", "no_witness"
# Nothing is asked of a provider while nobody outside can remember it; somebody has to mend that.
UNSENT = (RESTORED, UNHEARD)
UNSENT_PAUSE = timedelta(minutes=1)


def due_messages(at: datetime) -> QuerySet[Message]:
    """Messages to send now, and those whose sender died; the longest waiting first."""
    return _due(Q(state=Message.QUEUED) & pickable(at) & ~Q(channel__in=refusals.resting(at)), at)


def untaken_messages(at: datetime) -> QuerySet[Message]:
    """Those of the due that wait for nothing but a worker: no stop, no turn under the rate, no provider that
    refuses keeps them."""
    waiting = pickable(at, ahead=timedelta(0)) & ~Q(channel__in=refusals.refusing(at))
    return _due(Q(state=Message.QUEUED) & waiting, at)


def _due(waiting: Q, at: datetime) -> QuerySet[Message]:
    abandoned = Q(state=Message.SENDING, lease_until__lte=at)
    return Message.objects.filter(waiting | abandoned, send_at__lte=at).order_by("send_at", "id")


def send(message_id: int, at: datetime) -> str:
    """Deliver this message if it is due and nobody else has it, or ask what became of it.

    Returns its state then, '' if it is gone. Must not be called inside a transaction: the attempt has to be
    committed before the provider hears of it.
    """
    started = steady()
    message = claim(message_id, at)
    if message:
        failpoint("message_claimed")
        work(message, at, started)
    return Message.objects.values_list("state", flat=True).filter(pk=message_id).first() or ""


def work(message: Message, at: datetime, started: float) -> None:
    """With a message just claimed, at `started` by the steady clock."""

    def later() -> datetime:
        return at + timedelta(seconds=steady() - started)

    question = question_of(message)
    if question:
        answer = ask(message, started)
        finish_asking(question, answer, later())
        return
    attempt = intend(message, at)
    if attempt:
        failpoint("after_intent_commit")
        outcome = call(message, later(), started)
        failpoint("before_finish")
        ours = finish(attempt, outcome, later())
        failpoint("after_finish")
        if ours and outcome.detail not in (HELD_UP, *UNSENT):
            refusals.note(message.channel, attempt.provider, outcome, later())


# --- Each step is one transaction; between them stands the provider ---


def claim(message_id: int, at: datetime) -> Message | None:
    with transaction.atomic(durable=True):
        message = lock(message_id, skip_locked=True)
        if message is None:
            return None
        if message.state == Message.SENDING and message.lease_until and message.lease_until <= at:
            _give_back(message, at)
        if message.state != Message.QUEUED or message.send_at > at:
            return None
        if refusals.is_resting(message.channel, at):
            return None
        plan = doubt.plan(message, provider_of(message.channel), at)
        if plan.step == END:
            _end(message, Message.UNCERTAIN, plan.reason, at)
        elif plan.step == WAIT:
            _queue_again(message, plan.until or at, plan.reason)
        elif plan.step == ASK:
            return _begin_asking(message, at)
        elif is_used_up(message):
            _end(message, Message.DEAD, "too_many_attempts", at)
        else:
            message.attempts += 1
            return _take(message, at)
        return None


def intend(claimed: Message, at: datetime) -> DeliveryAttempt | None:
    """Judge at the gate and commit the attempt in one transaction; None when refused or no longer ours."""
    with transaction.atomic(durable=True):
        message = _held(claimed.pk, claimed.fence)
        if message is None:
            return None
        provider = provider_of(message.channel)
        if provider is None:
            _end(message, Message.REJECTED, f"no_provider_{message.channel}", at)
            return None
        gate = verdict(message, at)
        if not gate.ok and gate.until:
            # Nothing is wrong with the message and nothing was tried: it only waits.
            message.attempts -= 1
            _queue_again(message, gate.until, gate.reason)
            return None
        if not gate.ok:
            _end(message, gate.state, gate.reason, at)
            return None
        if not refusals.may_try(message.channel, at):
            message.attempts -= 1
            _queue_again(message, message.send_at)
            return None
        attempt = _write_down(message, provider, at)
        failpoint("before_intent_commit")
        return attempt


def call(message: Message, at: datetime, started: float) -> Outcome:
    """What the provider says, unless too much time went by since `started`. Outside any transaction."""
    provider = provider_of(message.channel)
    if provider is None or not epoch.advance(at):
        return Outcome(RETRY, RESTORED if epoch.lost_something() else UNHEARD)
    failpoint("before_call")
    if held_up(started):
        return Outcome(RETRY, HELD_UP)
    outcome = provider.deliver(message, message.key)
    if outcome.result == ACCEPTED:
        failpoint("provider_accepted")
    return outcome


def finish(attempt: DeliveryAttempt, outcome: Outcome, at: datetime) -> bool:
    """Record how the attempt ended. A worker that lost its fence changes nothing and gets False."""
    with transaction.atomic(durable=True):
        message = _held(attempt.message_id, attempt.fence)
        if message is None:
            return False
        attempt.ended_at, attempt.result, attempt.detail = at, outcome.result, outcome.detail
        attempt.save(update_fields=["ended_at", "result", "detail"])
        _settle(message, outcome, at)
        return True


def question_of(message: Message) -> DeliveryAttempt | None:
    """The question for which this message was claimed, if it was not to be sent."""
    if message.fence == 1:  # there was nothing to ask about yet
        return None
    return message.deliveries.filter(fence=message.fence, result=ASKING).first()


def ask(message: Message, started: float) -> str:
    provider = provider_of(message.channel)
    failpoint("asking_provider")
    if provider is None or held_up(started):
        return UNKNOWN
    return provider.ask(message.key)


def finish_asking(question: DeliveryAttempt, answer: str, at: datetime) -> bool:
    """Record what the provider said, and go on accordingly. Without the fence nothing is changed: False."""
    with transaction.atomic(durable=True):
        message = _held(question.message_id, question.fence)
        if message is None:
            return False
        question.ended_at, question.result = at, answer
        question.save(update_fields=["ended_at", "result"])
        if answer == FOUND:
            _end(message, Message.ACCEPTED, "", at)
        else:
            _go_on(message, at, timedelta(0))
            if answer == ABSENT:
                transaction.on_commit(partial(nudge, MESSAGES, message.pk))
        return True


def is_used_up(message: Message) -> bool:
    """Too many tries killed their worker or ended in doubt; what a provider refused is none of them."""
    if message.attempts < MOST_ATTEMPTS:
        return False
    refused = doubt.this_round(message).filter(result=RETRY).exclude(detail__in=UNSENT)
    return message.attempts - refused.count() >= MOST_ATTEMPTS


def is_refused_too_long(message: Message, at: datetime) -> bool:
    """Its own limit is kept by the gate; where it has none, TRIED_FOR since the first try counts."""
    if message.not_after:
        return False
    first = doubt.this_round(message).order_by("fence").first()
    return first is not None and at - first.started_at >= TRIED_FOR


def held_up(started: float) -> bool:
    """The call must be over while the lease still runs; it takes a quarter of it."""
    return steady() - started > lease().total_seconds() / 2


# --- What becomes of a message whose row is locked ---


def _settle(message: Message, outcome: Outcome, at: datetime) -> None:
    pause = max(BACKOFF[min(message.attempts, len(BACKOFF)) - 1], outcome.wait or timedelta(0))
    if outcome.result == ACCEPTED:
        _end(message, Message.ACCEPTED, "", at)
    elif outcome.result == REJECTED:
        _end(message, Message.REJECTED, outcome.detail, at)
        if outcome.no_such_mailbox and not message.is_ours:
            suppress(message.to_address, BOUNCED, at, message.channel)
    elif outcome.detail in UNSENT:
        message.attempts -= 1
        _queue_again(message, at + max(pause, UNSENT_PAUSE), outcome.detail)
    elif outcome.result == UNCERTAIN:
        _go_on(message, at, pause)
    elif is_refused_too_long(message, at):
        _end(message, Message.DEAD, outcome.detail, at)
    else:
        _queue_again(message, at + pause, outcome.detail)


def _go_on(message: Message, at: datetime, pause: timedelta) -> None:
    """After a doubt: as the class of its provider allows."""
    plan = doubt.plan(message, provider_of(message.channel), at)
    if plan.step == END:
        _end(message, Message.UNCERTAIN, plan.reason, at)
    elif plan.step in (WAIT, ASK):
        _queue_again(message, plan.until or at, plan.reason)
    elif is_used_up(message):
        _end(message, Message.DEAD, "too_many_attempts", at)
    else:
        _queue_again(message, at + pause)


def _give_back(message: Message, at: datetime) -> None:
    """Its sender died, or is thought dead. What it had begun may have been heard."""
    begun = message.deliveries.filter(fence=message.fence, ended_at=None).first()
    if begun:
        begun.ended_at, begun.detail = at, "sender_died"
        begun.result = UNKNOWN if begun.result == ASKING else UNCERTAIN
        begun.save(update_fields=["ended_at", "result", "detail"])
        failpoint(f"giving_back_{begun.provider_class.lower()}")
    _queue_again(message, at)


def _take(message: Message, at: datetime) -> Message:
    message.state, message.reason, message.lease_until = Message.SENDING, "", at + lease()
    message.fence += 1
    message.key = message.key or provider_key(message.dedup_key)
    message.save(update_fields=["state", "reason", "lease_until", "fence", "attempts", "key"])
    return message


def _begin_asking(message: Message, at: datetime) -> Message | None:
    """The question is written down too: one that kills who asks it is not asked for ever."""
    provider = provider_of(message.channel)
    if provider is None:
        return None
    _take(message, at)
    _write_down(message, provider, at, ASKING)
    return message


def _write_down(message: Message, provider: Provider, at: datetime, result: str = "") -> DeliveryAttempt:
    return DeliveryAttempt.objects.create(
        message=message,
        fence=message.fence,
        provider=provider.name,
        provider_class=provider.klass,
        key=message.key,
        started_at=at,
        result=result,
    )


def _queue_again(message: Message, send_at: datetime, reason: str = "") -> None:
    message.state, message.send_at, message.lease_until = Message.QUEUED, send_at, None
    message.reason = reason[:200]
    message.save(update_fields=["state", "send_at", "lease_until", "reason", "attempts"])


def _end(message: Message, state: str, reason: str, at: datetime) -> None:
    """What may have arrived ends as uncertain, whatever else there is to say of it."""
    sure = state in (Message.ACCEPTED, Message.UNCERTAIN)
    if not sure and in_doubt(message.deliveries.all()).exists():
        state = Message.UNCERTAIN
    record_end(message, state, reason, at)


def record_end(message: Message, state: str, reason: str, at: datetime) -> None:
    message.state, message.reason, message.finished_at, message.lease_until = state, reason[:200], at, None
    message.save(update_fields=["state", "reason", "finished_at", "lease_until"])
    # An uncertain one may have arrived: its invitation stays open for an answer until a person drops it.
    if message.invitation_id and state not in (Message.ACCEPTED, Message.UNCERTAIN):
        Invitation.objects.filter(pk=message.invitation_id, state__in=Invitation.PENDING).update(
            state=Invitation.CANCELLED, reason=UNDELIVERED.get(state, reason)[:40]
        )


def _held(message_id: int, fence: int) -> Message | None:
    """The row, locked, if it is still with whoever has this fence."""
    message = lock(message_id)
    ours = message is not None and (message.state, message.fence) == (Message.SENDING, fence)
    return message if ours else None


def lock(message_id: int, *, skip_locked: bool = False) -> Message | None:
    rows = Message.objects.select_related("user", "invitation", "customer")
    return rows.select_for_update(of=("self",), skip_locked=skip_locked).filter(pk=message_id).first()
