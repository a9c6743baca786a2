"""How fast: the installation's slots, and how often one person is written to.

A slot is a message's turn. Slots stand evenly apart and are given out by one statement, so that no number of
workers gets two for one. A message is sent a second early to USED_LATE after its slot (whoever takes due rows
may look only every ten seconds). The slots are so far apart that even then no 60 seconds, wherever
they begin, see more tries than the rate allows; what is sent on average stays below it. One that passed
unused is worth nothing: after an outage there is no burst.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from math import ceil
from typing import Any

from django.db import connection
from django.db.models import Exists, Max, QuerySet

from surveys.messages.doubt import BY_HAND
from surveys.messages.suppression import normalise
from surveys.models import DeliveryAttempt, Message, Pace

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
EARLY, USED_LATE = timedelta(seconds=1), timedelta(seconds=15)
# No slots are given out beyond this: who waits longer waits as a due row, and none is lost with a cancelled
# message, a stop or a change of the rate.
AHEAD = MINUTE
# The first key of the advisory locks taken here; the second is the address.
ADDRESSES = 7105


def turn(message: Message, per_minute: int, at: datetime) -> datetime | None:
    """None: it goes now. Otherwise the slot it was given; it is kept on the message, which must be locked.

    The transaction has to end with the attempt or with the message waiting for its slot.
    """
    slot = message.slot_at
    if slot is None or at - slot > USED_LATE:
        slot = book(at, per_minute)
    now = slot - at <= EARLY
    keep(message, None if now else slot)
    return None if now else slot


def keep(message: Message, slot: datetime | None) -> None:
    # A slot that is used is gone: the next try books its own.
    if message.slot_at != slot:
        message.slot_at = slot
        message.save(update_fields=["slot_at"])


def book(at: datetime, per_minute: int) -> datetime:
    """The next free slot, now or later; nobody else gets it."""
    values: dict[str, Any] = {"id": Pace.ONLY, "at": at, "step": apart(per_minute)}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO surveys_pace AS pace (id, next_slot_at) VALUES (%(id)s, %(at)s + %(step)s)
            ON CONFLICT (id) DO UPDATE
            SET next_slot_at = greatest(pace.next_slot_at, excluded.next_slot_at - %(step)s) + %(step)s
            RETURNING next_slot_at - %(step)s
            """,
            values,
        )
        slot: datetime = cursor.fetchone()[0]
    return slot


def apart(per_minute: int) -> timedelta:
    """Tries of one minute stem from the slots of a minute and what may be used early or late."""
    whole = (MINUTE + EARLY + USED_LATE) / timedelta(microseconds=1)
    return timedelta(microseconds=ceil(whole / max(per_minute, 1)))


def is_booked_out(at: datetime, ahead: timedelta = AHEAD) -> Exists:
    """Every slot of the time `ahead` is given out: a message without one need not ask."""
    return Exists(Pace.objects.filter(next_slot_at__gt=at + ahead))


def room_for_another(message: Message, per_day: int, at: datetime) -> datetime | None:
    """None: this address may be written to now. Otherwise from when on.

    Locks the address until the end of the transaction, so that two messages at once do not both find room.
    """
    lock_address(message)
    written = letters_to(message.to_address, message.channel, at)
    return room_after(written.exclude(message=message), per_day)


def room_expected(address: str, channel: str, per_day: int, at: datetime) -> datetime | None:
    """As `room_for_another`, for what is not written yet; nothing is locked, so others may be faster."""
    return room_after(letters_to(address, channel, at), per_day)


def room_after(written: QuerySet[DeliveryAttempt, datetime], per_day: int) -> datetime | None:
    times = sorted(written)
    over = len(times) - max(per_day, 1)
    return times[over] + DAY if over >= 0 else None


def letters_to(address: str, channel: str, at: datetime) -> QuerySet[DeliveryAttempt, datetime]:
    """When each message to this address was last tried, if within a day, whatever came of it."""
    tries = DeliveryAttempt.objects.filter(
        message__to_address__iexact=address,
        message__channel=channel,
        message__user=None,
        message__inside=False,
        started_at__gt=at - DAY,
    )
    tries = tries.exclude(provider=BY_HAND).order_by()
    return tries.values("message").annotate(last=Max("started_at")).values_list("last", flat=True)


def lock_address(message: Message) -> None:
    with connection.cursor() as cursor:
        name = f"{message.channel}:{normalise(message.to_address)}"
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [ADDRESSES, name])
