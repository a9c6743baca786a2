"""What a person decides about a message that needs one."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from dispatch.nudge import nudge
from surveys.messages.compose import provider_key
from surveys.messages.deliver import MESSAGES, UNDELIVERED, lock, record_end
from surveys.messages.doubt import BY_HAND, RESENT
from surveys.models import DeliveryAttempt, Invitation, Message

RENEWED = ["state", "reason", "attempts", "send_at", "finished_at", "slot_at", "alarmed_at", "key"]


class NotAllowed(Exception):
    """The message is no longer in a state in which a person may do this."""


def resend(message: Message, by: User, at: datetime) -> Message:
    """Queue it again as new; an invitation that ended with it is open again."""
    with transaction.atomic():
        held = _decide(message, by, at, RESENT)
        _reopen_invitation(held)
        held.state, held.reason, held.attempts = Message.QUEUED, "", 0
        held.send_at, held.finished_at, held.slot_at, held.alarmed_at = at, None, None, None
        # Under the old key a provider would take this for a repetition, say "accepted" and send nothing: the
        # person wants it sent, knowing that it may arrive twice.
        again = held.deliveries.filter(provider=BY_HAND, result=RESENT).count()
        held.key = provider_key(held.dedup_key, again)
        held.save(update_fields=RENEWED)
        transaction.on_commit(partial(nudge, MESSAGES, held.pk))
    return held


def mark_sent(message: Message, by: User, at: datetime) -> Message:
    """A person knows that it arrived, or has said it another way."""
    with transaction.atomic():
        held = _decide(message, by, at, "marked_sent")
        _reopen_invitation(held)
        record_end(held, Message.ACCEPTED, "marked_sent", at)
    return held


def drop(message: Message, by: User, at: datetime) -> Message:
    """It shall not be sent any more."""
    with transaction.atomic():
        held = _decide(message, by, at, "dropped")
        record_end(held, Message.CANCELLED, "dropped", at)
    return held


def _decide(message: Message, by: User, at: datetime, decision: str) -> Message:
    """Lock it, refuse if it needs nobody, and keep who decided what beside the attempts."""
    held = lock(message.pk)
    if held is None or held.state not in Message.NEEDS_A_PERSON:
        raise NotAllowed
    held.fence += 1
    held.save(update_fields=["fence"])
    DeliveryAttempt.objects.create(
        message=held,
        fence=held.fence,
        provider=BY_HAND,
        provider_class="",
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
