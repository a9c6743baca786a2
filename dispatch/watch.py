"""Whether anything is dispatched at all, and what waits: a row that falls due every half minute tells."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from dispatch import claims, kinds
from dispatch.kinds import Kind
from dispatch.models import Pulse

log = logging.getLogger(__name__)

CANARY = "canary"
EVERY = timedelta(seconds=30)
# Three canaries in a row did not sing.
TOO_SILENT = timedelta(seconds=90)
MOST_COUNTED = 10_000

# What the kinds are called on screens; the rooms above add theirs at start.
NAMES: dict[str, str | Promise] = {CANARY: _("sign of life")}


def name_of(kind: str) -> str:
    return str(NAMES.get(kind) or kind)


# --- The canary ---


def due_canary(at: datetime) -> QuerySet[Pulse]:
    """The pulse, when it should beat; also when its time lies further ahead than it can: a clock was set."""
    due = Q(canary_due_at__lte=at) | Q(canary_due_at__gt=at + EVERY) | Q(canary_due_at=None)
    return Pulse.objects.filter(due).order_by("canary_due_at")


def sing(pk: int, at: datetime) -> None:
    for look in _looks:
        look_around(look, at)
    Pulse.objects.filter(pk=pk).update(canary_at=at, canary_due_at=at + EVERY)


def look_around(look: Callable[[datetime], None], at: datetime) -> None:
    """Whatever goes wrong there, the canary sings."""
    try:
        with transaction.atomic():
            look(at)
    except Exception:
        log.exception("a look with the canary failed; the next one comes")


_looks: list[Callable[[datetime], None]] = []


def at_each_canary(look: Callable[[datetime], None]) -> None:
    """Have this called every half minute, by one worker at a time, in a transaction of its own."""
    if look not in _looks:
        _looks.append(look)


# It must sing again once whatever was wrong is mended, with nobody to say so.
KINDS = [Kind(CANARY, due_canary, sing, "canary_due_at", never_given_up=True)]


def silence(at: datetime) -> timedelta | None:
    """How long ago something was last dispatched; None if nothing ever was."""
    return since(Pulse.objects.values_list("canary_at", flat=True).first(), at)


def since(canary_at: datetime | None, at: datetime) -> timedelta | None:
    return None if canary_at is None else max(at - canary_at, timedelta(0))


def too_silent(silent: timedelta | None) -> bool:
    return silent is None or silent > TOO_SILENT


# --- What waits ---


@dataclass(frozen=True, slots=True)
class Waiting:
    """Of one kind: how many rows are due and taken by nobody (at most 10,000 are counted), and since when the
    oldest is due, where that is known."""

    kind: str
    number: int
    since: datetime | None

    def lateness(self, at: datetime) -> timedelta:
        return max(at - self.since, timedelta(0)) if self.since else timedelta(0)


def waiting(at: datetime) -> list[Waiting]:
    """For every kind, in one query."""
    parts = [part for part in (counted(kind, at) for kind in kinds.all_kinds()) if part]
    if not parts:
        return []
    values = [value for _sql, some in parts for value in some]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(sql for sql, _some in parts), values)
        found = {name: Waiting(name, number, oldest) for name, number, oldest in cursor.fetchall()}
    return [found.get(kind.name) or Waiting(kind.name, 0, None) for kind in kinds.all_kinds()]


def counted(kind: Kind, at: datetime) -> tuple[str, list[Any]] | None:
    """Count and oldest of what waits of a kind, as a part of a query; None where nothing ever can."""
    rows = claims.waiting(kind, at)
    rows = (
        rows.annotate(waits_since=F(kind.due_at)).values("waits_since") if kind.due_at else rows.values("pk")
    )
    try:
        sql, values = rows[:MOST_COUNTED].query.sql_with_params()
    except EmptyResultSet:
        return None
    oldest = "min(waits_since)" if kind.due_at else "NULL::timestamptz"
    return f"SELECT %s, count(*), {oldest} FROM ({sql}) AS waits", [kind.name, *values]  # noqa: S608


# --- What a dead row is about ---


@dataclass(frozen=True, slots=True)
class Subject:
    """What a due row belongs to, in the reader's words, and its page."""

    text: str
    url: str = ""


Rows = dict[str, list[int]]
Subjects = dict[tuple[str, int], Subject]
_describers: list[Callable[[Rows], Subjects]] = []


def describe_by(describe: Callable[[Rows], Subjects]) -> None:
    """Add who knows what rows of some kinds are; it is asked once for all rows of a page."""
    if describe not in _describers:
        _describers.append(describe)


def subjects(rows: Iterable[tuple[str, int]]) -> Subjects:
    """Of these (kind, id), those that somebody knows."""
    wanted: Rows = {}
    for kind, pk in rows:
        wanted.setdefault(kind, []).append(pk)
    found: Subjects = {}
    for describe in _describers:
        found |= describe(wanted) if wanted else {}
    return found
