"""What a time that the database has lost may have said to customers already."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from django.db.models import Case, Count, QuerySet, Value, When

from surveys.messages.compose import provider_key
from surveys.messages.doubt import ASKING, END, plan
from surveys.messages.providers.base import BLIND, UNCERTAIN, UNKNOWN
from surveys.messages.providers.chosen import provider_of
from surveys.models import DeliveryAttempt, Message
from surveys.models.message import TO_CUSTOMERS

RESTORED = "restored"


def perhaps_said(until: datetime) -> QuerySet[Message]:
    """Customers' messages that were due by then and that, as far as this database knows, were not sent."""
    waiting = Message.objects.filter(TO_CUSTOMERS, state__in=[Message.QUEUED, Message.SENDING])
    return waiting.filter(send_at__lte=until, created_at__lte=until).order_by("pk")


def classes(messages: QuerySet[Message]) -> Counter[str]:
    """How many there are of each class of provider."""
    found: Counter[str] = Counter()
    for row in messages.order_by().values("channel").annotate(number=Count("pk")):
        provider = provider_of(row["channel"])
        found[provider.klass if provider else BLIND] += row["number"]
    return found


def doubt(messages: QuerySet[Message], *, since: datetime, at: datetime) -> Counter[str]:
    """Write down that each may have been tried since then, and leave to its provider's class what follows:
    the same key again, a question, or a person. Returns how many of each class stay queued (A, B), and how
    many a person has to decide about (""). Call it inside a transaction.
    """
    done: Counter[str] = Counter()
    for message in messages.select_for_update(of=("self",)).iterator():
        klass = doubt_one(message, since, at)
        if message.state == Message.UNCERTAIN:
            klass = ""
        done[klass] += 1
    return done


def doubt_one(message: Message, since: datetime, at: datetime) -> str:
    provider = provider_of(message.channel)
    unknown = Case(When(result=ASKING, then=Value(UNKNOWN)), default=Value(UNCERTAIN))
    message.deliveries.filter(ended_at=None).update(ended_at=at, detail=RESTORED, result=unknown)
    message.state, message.lease_until, message.fence = Message.QUEUED, None, message.fence + 1
    tried = DeliveryAttempt.objects.create(
        message=message,
        fence=message.fence,
        provider=provider.name if provider else "",
        provider_class=provider.klass if provider else BLIND,
        key=message.key,
        started_at=max(since, message.send_at),
        ended_at=at,
        result=UNCERTAIN,
        detail=RESTORED,
    )
    if plan(message, provider, at).step == END:
        message.state, message.reason, message.finished_at = Message.UNCERTAIN, RESTORED, at
    message.save(update_fields=["state", "lease_until", "fence", "reason", "finished_at"])
    return tried.provider_class


def hold_back(invitation_id: int, at: datetime) -> int:
    """What this invitation would say is left to a person: the lost time may have asked already."""
    said = Message.objects.filter(invitation=invitation_id, state=Message.QUEUED, user=None)
    return said.update(state=Message.UNCERTAIN, reason=RESTORED, finished_at=at)


def give_new_keys(*, since: datetime) -> int:
    """Messages written down since the lost time ended must not carry a key that may have been used in it."""
    never_tried = Message.objects.filter(created_at__gte=since, deliveries=None)
    rows = list(never_tried.filter(state__in=[Message.QUEUED, Message.UNCERTAIN]).only("pk", "dedup_key"))
    for message in rows:
        message.key = provider_key(message.dedup_key)
    Message.objects.bulk_update(rows, ["key"], batch_size=500)
    return len(rows)
