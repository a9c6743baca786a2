"""Tells the administrators what waits for a person, once: messages nobody knows about, rows given up, and
work that is late for minutes. Looked at with each canary."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Min, QuerySet

from dispatch import claims, epoch, kinds, watch
from dispatch.models import Claim, Pulse
from dispatch.watch import Waiting
from recovery.lifecycle.notices import reader
from recovery.models.staff import ADMINISTRATORS
from surveys.messages.colleague import write_to
from surveys.models import Message, SendingRules

log = logging.getLogger(__name__)

# The kind of message this room writes here; it never tells of itself.
ATTENTION = "attention"
# What ends within this time is told in one mail. With the canary's half minute it stays well below five.
GATHER = timedelta(minutes=2)
LATE = timedelta(seconds=60)
LATE_FOR = timedelta(minutes=2)
# Late again within this time is still the same lateness.
OVER_AFTER = timedelta(minutes=10)
# An episode of lateness is kept as a claim of a kind that has no rows.
LATENESS = "lateness"


@dataclass
class News:
    """What is to be told now."""

    uncertain: int = 0
    given_up: int = 0
    dead_rows: int = 0
    late: list[Waiting] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.uncertain or self.given_up or self.dead_rows or self.late)


def look(at: datetime) -> None:
    """Write one mail to each administrator about what none of them was told yet. Without an administrator who
    has an address, nothing counts as told."""
    people = administrators()
    if not people:
        return
    news = ended(at)
    news.late = lateness(at)
    if news:
        for user in people:
            tell(user, news, at)


def administrators() -> list[User]:
    return list(User.objects.filter(ADMINISTRATORS, is_active=True).exclude(email="").select_related("staff"))


# --- What ended without an end ---


def doubtful() -> QuerySet[Message]:
    rows = Message.objects.filter(state__in=[Message.UNCERTAIN, Message.DEAD], alarmed_at=None)
    return rows.exclude(kind=ATTENTION)


def ended(at: datetime) -> News:
    """Everything untold, once the oldest of it has waited for the others to join."""
    oldest = [
        doubtful().aggregate(oldest=Min("finished_at"))["oldest"],
        untold_rows().aggregate(oldest=Min("dead_at"))["oldest"],
    ]
    if not any(each and each <= at - GATHER for each in oldest):
        return News()
    return News(
        uncertain=doubtful().filter(state=Message.UNCERTAIN).update(alarmed_at=at),
        given_up=doubtful().filter(state=Message.DEAD).update(alarmed_at=at),
        dead_rows=untold_rows().update(alarmed_at=at),
    )


def untold_rows() -> QuerySet[Claim]:
    return claims.dead().filter(alarmed_at=None)


# --- What is late ---


def lateness(at: datetime) -> list[Waiting]:
    """The kinds that are late, where somebody is to be told of it now: once, until it is over."""
    late = late_kinds(at)
    episode = Claim.objects.filter(kind=LATENESS, subject=Pulse.ONLY).first()
    if episode is None:
        if late:
            begin(at)
        return []
    if not late:
        if episode.alarmed_at is None or episode.lease_until <= at:
            episode.delete()
        return []
    episode.lease_until = at + OVER_AFTER
    due = (
        episode.alarmed_at is None and episode.started_at is not None and at - episode.started_at >= LATE_FOR
    )
    if due:
        episode.alarmed_at = at
    episode.save(update_fields=["lease_until", "alarmed_at"])
    return late if due else []


def begin(at: datetime) -> None:
    Claim.objects.create(
        kind=LATENESS, subject=Pulse.ONLY, fence=0, started_at=at, lease_until=at + OVER_AFTER
    )


def late_kinds(at: datetime) -> list[Waiting]:
    """What is held on purpose is not late."""
    resting = {kind.name for kind in kinds.all_kinds() if kind.speaks} if is_held() else set()
    return [each for each in watch.waiting(at) if each.lateness(at) > LATE and each.kind not in resting]


def is_held() -> bool:
    stopped = SendingRules.objects.exclude(paused_at=None, held_at=None)
    return epoch.is_behind() or stopped.exists()


# --- The mail ---


def tell(user: User, news: News, at: datetime) -> None:
    key = f"{ATTENTION}:{at.isoformat()}:{user.pk}"
    write_to(reader(user), ATTENTION, at=at, dedup_key=key, context=facts(news, at))


def facts(news: News, at: datetime) -> dict[str, Any]:
    return {
        "uncertain": news.uncertain,
        "given_up": news.given_up,
        "dead_rows": news.dead_rows,
        "late": [
            {
                "name": watch.NAMES.get(each.kind, each.kind),
                "number": each.number,
                "minutes": minutes(each, at),
            }
            for each in news.late
        ],
        "messages_url": f"{settings.PUBLIC_URL}/messages/?state=needs_a_person",
        "dispatch_url": f"{settings.PUBLIC_URL}/dispatch/",
    }


def minutes(each: Waiting, at: datetime) -> int:
    return int(each.lateness(at) / timedelta(minutes=1))
