"""A database that is behind what is remembered outside it sends nothing until somebody has reconciled it.

`number` rises every few seconds while something is dispatched, and once more for each message: after its
attempt is committed, before its provider hears of it. Only when a witness outside has taken the new number
is the provider called. So a database that lost an attempt lost its number too, and a witness knows a higher
one: for messages there is no window. A restore is seen even without a witness where it changes the server:
the cluster (system identifier), its history (timeline, after point-in-time recovery or a failover), the
database or its tables (dump and restore).

What stays unseen is a snapshot of storage put back together with everything that could bear witness: keep
EPOCH_FILE on other storage than the database. Where several hosts dispatch and Redis forgot, a host knows
only what itself has sent.
"""

from __future__ import annotations

import logging
import socket
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.signals import connection_created
from django.db.models import F, Q, QuerySet
from django.dispatch import receiver

from dispatch import witness
from dispatch.models import Pulse
from dispatch.witness import Memory, Unreadable

log = logging.getLogger(__name__)

TICK = timedelta(seconds=5)
LOOK_AGAIN_SECONDS = 2.0
RESTORED, MOVED, UNREADABLE = "restored", "moved", "unreadable"
# No witness outside takes what is sent.
UNWRITABLE = "unwritable"
# A host that is mute says so again this often; what none repeats is over.
REPEATED, FORGOTTEN = timedelta(seconds=30), timedelta(seconds=90)

SERVER = """
SELECT CASE WHEN pg_is_in_recovery() THEN '' ELSE concat_ws('-', {cluster},
    left(pg_walfile_name(pg_current_wal_lsn()), 8),
    (SELECT to_hex(oid::bigint) FROM pg_database WHERE datname = current_database()),
    to_hex('dispatch_pulse'::regclass::oid::bigint)
) END
"""
CLUSTER = "(SELECT to_hex(system_identifier) FROM pg_control_system())"
MAY_ASK_CLUSTER = "SELECT has_function_privilege('pg_control_system()', 'execute')"


@dataclass(frozen=True, slots=True)
class Look:
    """This database, the server it is on now, what is remembered of it, and what is wrong ('' if nothing)."""

    pulse: Pulse
    server: str
    memory: Memory | None
    why: str = ""
    unreadable: str = ""

    def facts(self) -> dict[str, Any]:
        return {
            "why": self.why,
            "number": self.pulse.number,
            "remembered": self.memory.number if self.memory else None,
            "since": self.pulse.ticked_at,
            "until": self.memory.at if self.memory else None,
        }


# --- What others ask ---


def is_behind() -> bool:
    """Nothing may be said to a customer now. At most LOOK_AGAIN_SECONDS old."""
    return describe() is not None


def lost_something() -> bool:
    """Whether somebody has to reconcile before anything is sent. As old as `is_behind`."""
    facts = describe()
    return facts is not None and facts["why"] != UNREADABLE


_described: tuple[float, dict[str, Any] | None] | None = None


def describe() -> dict[str, Any] | None:
    """Why nothing may be sent, None if all is well: `why` (restored, moved: another server, unreadable: the
    file), this database's `number` and the one `remembered`, and what may be missing: `since`, `until`."""
    last = _described
    if last is None or time.monotonic() - last[0] > LOOK_AGAIN_SECONDS:
        return found(look())
    return last[1]


def found(seen: Look) -> dict[str, Any] | None:
    global _described
    facts = seen.facts() if seen.why else None
    if facts and not (_described and _described[1]):
        log.error("Sending rests until `manage.py reconcile`: %s %s", seen.why, seen.unreadable)
    _described = time.monotonic(), facts
    return facts


@receiver(connection_created)
def look_again(**_: Any) -> None:
    """The next question looks anew. Putting a database back ends its connections; a new one may show it."""
    global _described
    _described = float("-inf"), _described[1] if _described else None


def generation() -> int:
    """Which of its lives this database is in: part of every new key a provider hears, so that it never takes
    a message of this life for one of the time that was lost."""
    # Not cached: an old one, for however short, is a key of the time that was lost.
    return Pulse.objects.values_list("generation", flat=True).filter(pk=Pulse.ONLY).first() or 1


# --- What dispatchers and senders do ---


def tick(at: datetime) -> None:
    """Show a sign of life: raise the number, at most once per TICK among all dispatchers."""
    seen = look(create=True)
    if stands_still(seen, at):
        return
    last = seen.pulse.ticked_at
    if last and at - TICK < last <= at:
        return
    if raise_number(seen, at, unless=Q(ticked_at__gt=at - TICK, ticked_at__lte=at)):
        transaction.on_commit(partial(remember, at))


def advance(at: datetime) -> bool:
    """Whether a provider may be called. Call it outside any transaction, after the attempt is committed."""
    seen = look(create=True)
    if stands_still(seen, at):
        return False
    return raise_number(seen, at) and remember(at)


def stands_still(seen: Look, at: datetime) -> bool:
    """Said in the database too, so that a host that remembers less stands still with this one."""
    if seen.why in (RESTORED, MOVED) and not seen.pulse.behind:
        memory = seen.memory.facts() if seen.memory else {}
        same(seen.pulse).filter(behind__isnull=True).update(behind={"why": seen.why, **memory})
    if seen.why == UNREADABLE:
        tell_mute(seen.pulse, UNREADABLE, seen.unreadable, at)
    return found(seen) is not None


def tell_mute(pulse: Pulse, why: str, words: str, at: datetime) -> None:
    """Said in the database, for the screens: this host sends nothing until somebody mends what it needs."""
    told, host = pulse.mute, socket.gethostname()
    known = told is not None and (told["why"], told["host"]) == (why, host)
    if told and known and at - REPEATED < datetime.fromisoformat(told["at"]) <= at:
        return
    since = told["since"] if told and known else at.isoformat()
    facts = {"why": why, "host": host, "words": words, "since": since, "at": at.isoformat()}
    same(pulse).update(mute=facts)


def tell_heard(pulse: Pulse, at: datetime) -> None:
    """This host is heard outside again. Another that is not repeats it until it is."""
    told = pulse.mute
    if told is None:
        return
    fresh = abs(at - datetime.fromisoformat(told["at"])) < FORGOTTEN
    if told["host"] == socket.gethostname() or not fresh:
        same(pulse).update(mute=None)


def same(pulse: Pulse) -> QuerySet[Pulse]:
    """This row as it was looked at: in the meantime somebody may have reconciled, or put back another."""
    return Pulse.objects.filter(
        pk=Pulse.ONLY, database_id=pulse.database_id, generation=pulse.generation, number__gte=pulse.number
    )


def raise_number(seen: Look, at: datetime, unless: Q | None = None) -> bool:
    """Only of the database that was looked at, and only while it has all that is remembered."""
    rows = same(seen.pulse).filter(behind__isnull=True)
    if unless is not None:
        rows = rows.exclude(unless)
    return rows.update(number=F("number") + 1, ticked_at=at, server=seen.server or F("server")) == 1


def remember(at: datetime, *, afresh: bool = False) -> bool:
    """Tell the witnesses the number this database has now, once it is committed. False when none took it."""
    now = Pulse.objects.get(pk=Pulse.ONLY)
    heard = witness.note(str(now.database_id), Memory(now.number, now.server, at), afresh=afresh)
    if heard:
        tell_heard(now, at)
    else:
        tell_mute(now, UNWRITABLE, str(settings.EPOCH_FILE), at)
    return heard


# --- What reconciling asks and does ---


class Changed(Exception):
    """Somebody else has reconciled, or put back another database, since it was looked at."""


def missing(seen: Look, at: datetime, until: datetime | None = None) -> tuple[datetime, datetime] | None:
    """From when to when this database does not know what was sent; None if it knows everything.

    Where no witness knows as much as the database itself, that is until now, unless the caller knows better:
    `until` is when the database it was copied from last sent anything.
    """
    since, memory = seen.pulse.ticked_at, seen.memory
    known = memory is not None and memory.number >= seen.pulse.number
    if not seen.why or (memory and known and memory.number == seen.pulse.number and not until):
        return None
    end = max(filter(None, [memory.at if memory and known else None, until]), default=at)
    return (min(since, end) if since else end, end)


def renew(seen: Look, at: datetime) -> None:
    """Inside the transaction that has settled what was missing: this database is the true one from now on.

    Raises Changed. Afterwards, once committed, call `renewed`.
    """
    highest = max(seen.pulse.number, seen.memory.number if seen.memory else 0)
    row = same(seen.pulse).filter(number=seen.pulse.number)
    values = {"generation": F("generation") + 1, "number": highest + 1, "ticked_at": at, "behind": None}
    if row.update(**values, server=seen.server or F("server")) != 1:
        raise Changed


def renewed(at: datetime) -> bool:
    """The witnesses learn of it. Died before this: the next tick tells them. False: none could be told."""
    look_again()
    return remember(at, afresh=True)


# --- Looking ---


def look(*, create: bool = False) -> Look:
    pulse = Pulse.objects.filter(pk=Pulse.ONLY).first()
    if pulse is None:
        pulse = Pulse.objects.get_or_create(pk=Pulse.ONLY)[0] if create else Pulse()
    server, database = this_server(), str(pulse.database_id)
    known, unreadable = [marked(pulse), witness.recall_redis(database)], ""
    try:
        known.append(witness.recall_file(database))
    except Unreadable as error:
        unreadable = str(error)
    memory = max(filter(None, known), key=lambda each: each.number, default=None)
    if memory and memory.number > pulse.number:
        # Somebody may have raised the number and told the witnesses between our two looks.
        pulse = Pulse.objects.filter(pk=Pulse.ONLY, database_id=pulse.database_id).first() or pulse
    why = trouble(pulse, server, memory) or (UNREADABLE if unreadable else "")
    return Look(pulse, server, memory, why, unreadable)


def marked(pulse: Pulse) -> Memory | None:
    """What a host that remembers more has written into the database itself."""
    return witness.from_facts(pulse.behind) if pulse.behind and "number" in pulse.behind else None


def trouble(pulse: Pulse, server: str, memory: Memory | None) -> str:
    if memory and memory.number > pulse.number:
        return RESTORED
    servers = {pulse.server, server, memory.server if memory and memory.number == pulse.number else ""}
    if len(servers - {""}) > 1:
        return MOVED
    return str(pulse.behind["why"]) if pulse.behind else ""


def this_server() -> str:
    """Where the database lives: changed by a restore and by a failover; '' where nobody can tell."""
    with connection.cursor() as cursor:
        cursor.execute(SERVER.format(cluster=CLUSTER if may_ask_cluster() else "'unknown'"))
        return str(cursor.fetchone()[0])


@cache
def may_ask_cluster() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(MAY_ASK_CLUSTER)
        return bool(cursor.fetchone()[0])
