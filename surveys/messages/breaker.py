"""Holds messages to customers when so many fall due at once that somebody should look first.

*Due* are the messages to customers that were never tried though their time has come. Those the rate keeps
waiting are among them, and those of a provider that refuses once it takes them again; those put off until the
quiet hours are over or until the person has room are not, nor are those an operator has let go before.
*Usual* is the largest number written in one hour of the clock in the 28 days before and given to a provider,
at least LEAST_USUAL: what was never tried, the present heap itself, is no part of it. More than TIMES the
usual is a heap. The gate looks before every try, so that none of it slips out, and so does the canary every
half minute.

A leap of the database's clock holds as well: by a wrong clock everything may seem due.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncHour
from django.urls import reverse

from dispatch import clock
from surveys.messages import pace, refusals, rules
from surveys.messages.colleague import Colleague, write_to
from surveys.models import Message, SendingRules
from surveys.models.message import TO_CUSTOMERS

TIMES = 10
LEAST_USUAL = 50
MEMORY = timedelta(days=28)
TRIED = (Message.ACCEPTED, Message.REJECTED, Message.UNCERTAIN, Message.DEAD)
# Why the gate puts a message off.
RATE, QUIET, ENOUGH = "rate", "quiet_hours", "enough_for_a_day"
NOT_THEIR_TIME = (QUIET, ENOUGH)
# The usual changes slowly, and reading four weeks takes a while.
REMEMBER_SECONDS = 3600.0
# Beyond LEAST_USUAL a count takes a while, too.
LOOK_AGAIN_SECONDS = 1.0


# Whoever is told that sending is held.
_operators: list[Callable[[], Iterable[Colleague]]] = []
_usual: tuple[float, int] | None = None
_looked = float("-inf")


def told_to(operators: Callable[[], Iterable[Colleague]]) -> None:
    """From now on these people hear of it. Another room knows who they are and says so once, at start."""
    _operators[:] = [operators]


def look(at: datetime) -> None:
    """With each canary."""
    check(at)


def check(at: datetime, known: SendingRules | None = None) -> bool:
    """Hold what must not go out. Returns whether this look found reason to, `known` being outdated then."""
    kept = known or rules.current()
    if rules.rest_of(kept):
        return False  # and a leap is remembered until sending goes on
    leapt = clock.leap()
    if leapt is not None:
        hold(rules.CLOCK, {"seconds": round(leapt.total_seconds())}, at)
        return True
    facts = heap(kept, at)
    if facts:
        hold(rules.VOLUME, facts, at)
    return bool(facts)


def hold(why: str, facts: dict[str, Any], at: datetime) -> None:
    """Whoever is first tells the operators."""
    if rules.hold(why, facts, at):
        for operator in _operators[0]() if _operators else ():
            tell(operator, why, facts, at)


def heap(kept: SendingRules, at: datetime) -> dict[str, Any]:
    """What is due and what is usual, where that is far too much; else nothing."""
    global _looked
    waiting = due_to_customers(kept.released_at, at).exclude(channel__in=refusals.refusing(at))
    if at_most(waiting, TIMES * LEAST_USUAL) <= TIMES * LEAST_USUAL:
        return {}
    if time.monotonic() - _looked < LOOK_AGAIN_SECONDS:
        return {}
    _looked = time.monotonic()
    usual = remembered_usual(at)
    if at_most(waiting, TIMES * usual) <= TIMES * usual:
        return {}
    return {"due": waiting.count(), "usual": usual}


def at_most(rows: QuerySet[Message], number: int) -> int:
    """How many rows there are; counting ends one beyond the number."""
    return rows[: number + 1].count()


def due_to_customers(released_at: datetime | None, at: datetime) -> QuerySet[Message]:
    """Never tried though their time has come, and not looked at by an operator yet."""
    due = Q(send_at__lte=at) | Q(slot_at__isnull=False, send_at__lte=at + pace.AHEAD)
    rows = Message.objects.filter(due, TO_CUSTOMERS, state=Message.QUEUED, attempts=0)
    rows = rows.filter(send_at__lte=at + pace.AHEAD).exclude(reason__in=NOT_THEIR_TIME).order_by()
    if released_at:
        put_off = Q(reason=RATE) | Q(slot_at__isnull=False)
        rows = rows.exclude(Q(send_at__lte=released_at) | (Q(created_at__lte=released_at) & put_off))
    return rows


def remembered_usual(at: datetime) -> int:
    global _usual
    if _usual is None or time.monotonic() - _usual[0] > REMEMBER_SECONDS:
        _usual = time.monotonic(), usual_at(at)
    return _usual[1]


def usual_at(at: datetime) -> int:
    """The most that were written to customers in one hour of the clock lately, and tried to send."""
    tried = Message.objects.filter(
        TO_CUSTOMERS, created_at__gt=at - MEMORY, created_at__lte=at, state__in=TRIED
    ).order_by()
    hours = tried.annotate(hour=TruncHour("created_at")).values("hour").annotate(number=Count("pk"))
    most = hours.order_by("-number").values_list("number", flat=True).first()
    return max(most or 0, LEAST_USUAL)


def tell(operator: Colleague, why: str, facts: dict[str, Any], at: datetime) -> None:
    if not operator.user.email:
        return
    write_to(
        operator,
        rules.HELD,
        at=at,
        dedup_key=f"{rules.HELD}:{at.isoformat()}:{operator.user.pk}",
        context={"why": why, **facts, "at": at, "url": f"{settings.PUBLIC_URL}{reverse('sending')}"},
    )
