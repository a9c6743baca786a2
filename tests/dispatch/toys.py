"""Toys: rows of a real table that fall due, and a step that shows in the row how often it was taken.

A toy does what the first word of its name says. Nothing here imports pytest: processes of their own load it.
"""

from __future__ import annotations

import os
import signal
import time
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Concat

from dispatch import watch
from dispatch.kinds import Kind
from dispatch.watch import Waiting
from surveys.models import Suppression

MONDAY = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
LEASE = timedelta(seconds=60)
DONE = "!"


def toys() -> QuerySet[Suppression]:
    return Suppression.objects.filter(channel="toy")


def due_toys(at: datetime) -> QuerySet[Suppression]:
    return toys().filter(reason="by_hand", created_at__lte=at).order_by("created_at", "id")


def play(pk: int, at: datetime) -> None:
    """One more mark on the toy, which is not due any more. It does not look whether it still was."""
    name = toys().values_list("address", flat=True).get(pk=pk).split()[0]
    if name == "lazy":
        return
    if name == "deadly":
        os.kill(os.getpid(), signal.SIGKILL)
    if name == "hanging":
        time.sleep(600)
    if name == "gone":
        hang_up()
    toys().filter(pk=pk).update(address=Concat(F("address"), Value(DONE)), reason="bounced")
    if name == "broken":
        raise RuntimeError("this toy is \0broken")


def hang_up() -> None:
    """The database goes away in the middle of a step."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


TOYS = Kind("toys", due_toys, play, "created_at")


def make_toy(name: str = "good", *, at: datetime = MONDAY) -> int:
    number = Suppression.objects.count()
    row = Suppression.objects.create(
        channel="toy", address=f"{name} {number} ", reason="by_hand", created_at=at
    )
    return int(row.pk)


def make_toys(how_many: int, *, at: datetime = MONDAY) -> list[int]:
    first = Suppression.objects.count()
    rows = [
        Suppression(channel="toy", address=f"good {number} ", reason="by_hand", created_at=at)
        for number in range(first, first + how_many)
    ]
    return [int(row.pk) for row in Suppression.objects.bulk_create(rows)]


def waiting(at: datetime, kind: Kind = TOYS) -> Waiting:
    """What the screens show of a kind."""
    [found] = [each for each in watch.waiting(at) if each.kind == kind.name]
    return found


def marks(pk: int) -> int:
    """How often the step's effect is in the database."""
    return toys().values_list("address", flat=True).get(pk=pk).count(DONE)
