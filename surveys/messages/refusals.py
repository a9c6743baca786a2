"""A provider that refuses everything is tried once a minute: what waits for it takes no worker and no turn
from what others carry. Since when it refuses, and in which words, is kept for whoever looks after it.

What is written here is advice: a row lost or left over costs a minute, never a message.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from surveys.messages.providers.base import ACCEPTED, RETRY, Outcome
from surveys.models import Refusal

# One that refused so often in a row, of whatever messages, is not asked for every message any more.
FEW = 5
REST = timedelta(minutes=1)
# Each refused message is tried again within 30 minutes: who was not tried for longer has nothing to refuse.
RECENT = timedelta(minutes=35)


def note(channel: str, provider: str, outcome: Outcome, at: datetime) -> None:
    """What it said to a try. One statement of its own, outside any transaction: nobody waits for its lock."""
    if outcome.result == ACCEPTED:
        Refusal.objects.filter(channel=channel).delete()
    elif outcome.result == RETRY:
        _refused(channel, provider, outcome.detail, at)


def _refused(channel: str, provider: str, words: str, at: datetime) -> None:
    values: dict[str, Any] = {"channel": channel, "provider": provider[:40], "words": words[:300], "at": at}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO surveys_refusal AS known (channel, provider, words, since, tried_at, in_a_row)
            VALUES (%(channel)s, %(provider)s, %(words)s, %(at)s, %(at)s, 1)
            ON CONFLICT (channel) DO UPDATE
            SET words = excluded.words, provider = excluded.provider, tried_at = excluded.tried_at,
                since = CASE WHEN known.provider = excluded.provider THEN known.since ELSE excluded.since END,
                in_a_row = CASE WHEN known.provider = excluded.provider THEN known.in_a_row + 1 ELSE 1 END
            """,
            values,
        )


def refusing(at: datetime) -> QuerySet[Refusal, str]:
    """The channels whose messages wait for their provider."""
    rows = Refusal.objects.filter(in_a_row__gte=FEW, tried_at__gt=at - RECENT)
    return rows.values_list("channel", flat=True)


def resting(at: datetime) -> QuerySet[Refusal, str]:
    """Those of them that are not to be tried just now. A time far ahead is that of a clock set back since."""
    return refusing(at).filter(tried_at__gt=at - REST, tried_at__lt=at + REST)


def is_resting(channel: str, at: datetime) -> bool:
    return resting(at).filter(channel=channel).exists()


def may_try(channel: str, at: datetime) -> bool:
    """Whether a message may be handed over now. While its provider refuses, one a minute may.

    Call it inside the transaction that writes the attempt down.
    """
    if not refusing(at).filter(channel=channel).exists():
        return True
    rested = Q(tried_at__lte=at - REST) | Q(tried_at__gte=at + REST)
    turn = Refusal.objects.select_for_update(skip_locked=True).filter(rested, channel=channel).first()
    if turn is None:
        return False
    turn.tried_at = at
    turn.save(update_fields=["tried_at"])
    return True
