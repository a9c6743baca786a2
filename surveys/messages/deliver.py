"""Takes a due message by a fence and a lease, commits the attempt, calls the provider, and finishes only if
it still holds the fence. Every step may die; what it leaves behind says how far it came.
"""

import time
from datetime import datetime, timedelta
from functools import partial

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from dispatch.nudge import nudge
from surveys.messages import email
from surveys.messages.email import Outcome
from surveys.messages.gate import verdict
from surveys.messages.suppression import BOUNCED, suppress
from surveys.models import DeliveryAttempt, Invitation, Message

LEASE = timedelta(seconds=60)
# The call itself takes at most half a lease; who was held up longer than the rest must not begin it.
PATIENCE_SECONDS = 25.0
BACKOFF = (timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30))
MOST_ATTEMPTS = 5
BY_HAND = "by_hand"
# The kind under which due messages are dispatched.
MESSAGES = "messages"
# The codes an invitation is cancelled with when its message could not be handed over.
UNDELIVERED = {Message.REJECTED: "message_rejected", Message.DEAD: "message_dead"}


class NotAllowed(Exception):
    """The message is no longer in a state in which a person may do this."""


# --- What a sweep and a worker do ---


def due_messages(at: datetime) -> QuerySet[Message]:
    """Messages to send now, and those whose sender died; the longest waiting first."""
    waiting = Q(state=Message.QUEUED, send_at__lte=at)
    abandoned = Q(state=Message.SENDING, lease_until__lte=at)
    return Message.objects.filter(waiting | abandoned).order_by("send_at", "id")


def send(message_id: int, at: datetime) -> str:
    """Deliver this message if it is due and nobody else has it. Returns its state then, '' if it is gone.

    Must not be called inside a transaction: the attempt has to be committed before the provider hears of it.
    """
    started = time.monotonic()
    message = claim(message_id, at)
    attempt = intend(message, at) if message else None
    if message and attempt:
        late = time.monotonic() - started > PATIENCE_SECONDS
        outcome = Outcome(email.RETRY, "held up") if late else email.deliver(message)
        finish(attempt, outcome, at + timedelta(seconds=time.monotonic() - started))
    return Message.objects.values_list("state", flat=True).filter(pk=message_id).first() or ""


def claim(message_id: int, at: datetime) -> Message | None:
    with transaction.atomic(durable=True):
        message = _lock(message_id, skip_locked=True)
        if message is None:
            return None
        if message.state == Message.SENDING and message.lease_until and message.lease_until <= at:
            _give_back(message, at)
        if message.state != Message.QUEUED or message.send_at > at:
            return None
        if message.attempts >= MOST_ATTEMPTS:
            _end(message, Message.DEAD, "too_many_attempts", at)
            return None
        message.state = Message.SENDING
        message.fence += 1
        message.attempts += 1
        message.lease_until = at + LEASE
        message.save(update_fields=["state", "fence", "attempts", "lease_until"])
        return message


def intend(claimed: Message, at: datetime) -> DeliveryAttempt | None:
    """Judge at the gate and commit the attempt in one transaction; None when refused or no longer ours."""
    with transaction.atomic(durable=True):
        message = _lock(claimed.pk)
        if message is None or (message.state, message.fence) != (Message.SENDING, claimed.fence):
            return None
        gate = verdict(message, at)
        if not gate.ok:
            _end(message, gate.state, gate.reason, at)
            return None
        return DeliveryAttempt.objects.create(
            message=message, fence=message.fence, provider=email.PROVIDER, started_at=at
        )


def finish(attempt: DeliveryAttempt, outcome: Outcome, at: datetime) -> bool:
    """Record how the attempt ended. A worker that lost its fence changes nothing and gets False."""
    with transaction.atomic(durable=True):
        message = _lock(attempt.message_id)
        if message is None or (message.state, message.fence) != (Message.SENDING, attempt.fence):
            return False
        attempt.ended_at, attempt.result, attempt.detail = at, outcome.result, outcome.detail
        attempt.save(update_fields=["ended_at", "result", "detail"])
        _settle(message, outcome, at)
        return True


def _settle(message: Message, outcome: Outcome, at: datetime) -> None:
    if outcome.result == email.ACCEPTED:
        _end(message, Message.ACCEPTED, "", at)
    elif outcome.result == email.REJECTED:
        _end(message, Message.REJECTED, outcome.detail, at)
        if outcome.no_such_mailbox and not message.user:
            suppress(message.to_address, BOUNCED, at, message.channel)
    elif outcome.result == email.UNCERTAIN and not message.user:
        _end(message, Message.UNCERTAIN, outcome.detail, at)
    elif message.attempts >= MOST_ATTEMPTS:
        _end(message, Message.DEAD, outcome.detail, at)
    else:
        _queue_again(message, at + BACKOFF[message.attempts - 1])


def _give_back(message: Message, at: datetime) -> None:
    """Its sender died. If it had begun, a customer's message may have gone out: a person decides."""
    begun = message.deliveries.filter(fence=message.fence, ended_at=None)
    began = begun.update(ended_at=at, result=email.UNCERTAIN, detail="sender_died") > 0
    if began and not message.user:
        _end(message, Message.UNCERTAIN, "sender_died", at)
    else:
        _queue_again(message, at)


def _queue_again(message: Message, send_at: datetime) -> None:
    message.state, message.send_at, message.lease_until = Message.QUEUED, send_at, None
    message.save(update_fields=["state", "send_at", "lease_until"])


def _end(message: Message, state: str, reason: str, at: datetime) -> None:
    message.state, message.reason, message.finished_at, message.lease_until = state, reason[:200], at, None
    message.save(update_fields=["state", "reason", "finished_at", "lease_until"])
    # An uncertain one may have arrived: its invitation stays open for an answer until a person drops it.
    if message.invitation_id and state not in (Message.ACCEPTED, Message.UNCERTAIN):
        Invitation.objects.filter(pk=message.invitation_id, state__in=Invitation.PENDING).update(
            state=Invitation.CANCELLED, reason=UNDELIVERED.get(state, reason)[:40]
        )


def _lock(message_id: int, *, skip_locked: bool = False) -> Message | None:
    rows = Message.objects.select_related("user", "invitation", "customer")
    return rows.select_for_update(of=("self",), skip_locked=skip_locked).filter(pk=message_id).first()


# --- What a person decides about a message that needs one ---


def resend(message: Message, by: User, at: datetime) -> Message:
    """Queue it again as new; an invitation that ended with it is open again."""
    with transaction.atomic():
        held = _decide(message, by, at, "resent")
        _reopen_invitation(held)
        held.state, held.reason, held.attempts = Message.QUEUED, "", 0
        held.send_at, held.finished_at = at, None
        held.save(update_fields=["state", "reason", "attempts", "send_at", "finished_at"])
        transaction.on_commit(partial(nudge, MESSAGES, held.pk))
    return held


def mark_sent(message: Message, by: User, at: datetime) -> Message:
    """A person knows that it arrived, or has said it another way."""
    with transaction.atomic():
        held = _decide(message, by, at, "marked_sent")
        _reopen_invitation(held)
        _end(held, Message.ACCEPTED, "marked_sent", at)
    return held


def drop(message: Message, by: User, at: datetime) -> Message:
    """It shall not be sent any more."""
    with transaction.atomic():
        held = _decide(message, by, at, "dropped")
        _end(held, Message.CANCELLED, "dropped", at)
    return held


def _decide(message: Message, by: User, at: datetime, decision: str) -> Message:
    """Lock it, refuse if it needs nobody, and keep who decided what beside the attempts."""
    held = _lock(message.pk)
    if held is None or held.state not in Message.NEEDS_A_PERSON:
        raise NotAllowed
    held.fence += 1
    held.save(update_fields=["fence"])
    DeliveryAttempt.objects.create(
        message=held,
        fence=held.fence,
        provider=BY_HAND,
        started_at=at,
        ended_at=at,
        result=decision,
        detail=by.get_full_name() or by.get_username(),
    )
    return held


def _reopen_invitation(message: Message) -> None:
    """Raises NotAllowed when the person has meanwhile been asked again."""
    closed_with_it = Invitation.objects.filter(
        messages=message, state=Invitation.CANCELLED, reason__in=UNDELIVERED.values()
    )
    try:
        with transaction.atomic():
            closed_with_it.update(state=Invitation.SENT, reason="")
    except IntegrityError as asked_again:
        raise NotAllowed from asked_again
