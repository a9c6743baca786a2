"""Taking a due row, keeping it by a fence, and letting go of it: the same for every kind.

A row is taken with SKIP LOCKED, so that takers pass each other by. The claim, committed before any work,
holds a lease and a fence that never comes back; the work deletes the claim under that fence in its own
transaction. So a worker that froze, or was thought dead, finds no claim and changes nothing.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from dispatch import kinds
from dispatch.failpoints import failpoint
from dispatch.kinds import Kind
from dispatch.models import Claim

MOST_ATTEMPTS = 5
BACKOFF = (timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30))
# Claims whose rows are no longer due: somebody else settled them.
FORGET_AFTER = timedelta(days=1)
SPREAD = 10
# So often a taker looks again after others took every row it had seen.
MOST_COLLISIONS = 5


@dataclass(frozen=True, slots=True)
class Taken:
    kind: str
    subject: int
    fence: int


def lease() -> timedelta:
    """How long a row stays with whoever took it."""
    return timedelta(seconds=settings.DISPATCH_LEASE_SECONDS)


def take(
    kind: Kind,
    at: datetime,
    *,
    limit: int,
    holder: str,
    only: Collection[int] = (),
    suspects: bool = False,
) -> list[Taken]:
    """Take up to `limit` due rows, the longest waiting first, passing by those that somebody else has.

    Rows whose worker ended badly before are `suspects`: they are taken only when asked for, one by one, so
    that what kills a worker takes no other row with it. `only` narrows to these ids.
    """
    rows = kind.due(at)
    if only:
        rows = rows.filter(pk__in=only)
    if kind.claims_itself:
        return some(kind, rows, limit)
    for _ in range(MOST_COLLISIONS):
        if suspects and not has_suspects(kind, at):
            return []
        held, suspected = known_claims(kind, at)
        free = living(kind, rows).exclude(pk__in=held)
        if not only:
            free = free.filter(pk__in=suspected) if suspects else free.exclude(pk__in=suspected)
        met, taken = take_free(kind, free, at, limit, holder)
        if taken or not met:
            failpoint("after_take")
            return taken
    return []


def has_suspects(kind: Kind, at: datetime) -> bool:
    """The usual answer is no, and then nothing else is read."""
    ended_badly = Claim.objects.filter(kind=kind.name, dead_at=None, attempts__gt=0, lease_until__lte=at)
    return ended_badly.exists()


def known_claims(kind: Kind, at: datetime) -> tuple[set[int], set[int]]:
    """Rows not to be taken now, and rows that took down or failed a worker before; without the dead.

    Read on its own: what is claimed is little, and the due rows keep the plan of their index.
    """
    held, suspected = set(), set()
    claims = Claim.objects.filter(kind=kind.name, dead_at=None)
    for pk, until, attempts in claims.values_list("subject", "lease_until", "attempts"):
        if until > at or (attempts >= MOST_ATTEMPTS and not kind.never_given_up):
            held.add(pk)
        elif attempts:
            suspected.add(pk)
    return held, suspected


def living(kind: Kind, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Without those given up, of which there may be many."""
    given_up = Claim.objects.filter(kind=kind.name, dead_at__isnull=False)
    if not given_up.exists():
        return rows
    return rows.filter(~Exists(given_up.filter(subject=OuterRef("pk"))))


def some(kind: Kind, rows: QuerySet[Any], limit: int) -> list[Taken]:
    """Rows that claim themselves are not kept by taking: takers choose by chance, to meet less often."""
    ids = list(rows.values_list("pk", flat=True)[: limit * SPREAD])
    return [Taken(kind.name, pk, 0) for pk in random.sample(ids, min(limit, len(ids)))]


def take_free(
    kind: Kind, rows: QuerySet[Any], at: datetime, limit: int, holder: str
) -> tuple[bool, list[Taken]]:
    """Lock and claim; whether there were any rows, and those that are ours now."""
    with transaction.atomic():
        quickly()
        locked = rows.select_for_update(skip_locked=True, no_key=True, of=("self",))
        ids = list(locked.values_list("pk", flat=True)[:limit])
        taken = claim(kind, ids, at, holder) if ids else []
        failpoint("before_take_commit")
    return bool(ids), taken


def quickly() -> None:
    """This transaction need not survive a power cut: who lost a claim does not work under it."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit TO off")


def claim(kind: Kind, ids: list[int], at: datetime, holder: str) -> list[Taken]:
    """Write the claims of rows this transaction has locked.

    Another taker may have claimed them since our look (the rows themselves do not change by it): those with a
    living claim are left out. So is one whose old claim is just being worked under: waiting for it could take
    as long as its worker is frozen.
    """
    old = Claim.objects.filter(kind=kind.name, subject__in=ids)
    known = set(old.values_list("subject", flat=True))
    if known:
        loose = old.filter(lease_until__lte=at, dead_at=None).select_for_update(skip_locked=True)
        idle = set(loose.values_list("subject", flat=True))
        ids = [pk for pk in ids if pk not in known - idle]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO dispatch_claim (kind, subject, fence, holder, lease_until, attempts, error)
            SELECT %s, id, nextval('dispatch_fence'), %s, %s, 0, '' FROM unnest(%s::bigint[]) AS id
            ON CONFLICT (kind, subject) DO UPDATE
            SET fence = excluded.fence, holder = excluded.holder, lease_until = excluded.lease_until,
                started_at = NULL
            RETURNING subject, fence
            """,
            [kind.name, holder, at + lease(), ids],
        )
        fences = dict(cursor.fetchall())
    return [Taken(kind.name, pk, fences[pk]) for pk in ids]


def begin(taken: Taken, at: datetime) -> bool:
    """Count the attempt, so that a row that kills its worker is known by it. False: no longer ours.

    On the disk before the work begins: the row may be one that kills the database, too.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE dispatch_claim SET attempts = attempts + 1, started_at = %s, lease_until = %s
            WHERE kind = %s AND subject = %s AND fence = %s AND lease_until > %s AND dead_at IS NULL
            """,
            [at, at + lease(), taken.kind, taken.subject, taken.fence, at],
        )
        begun = bool(cursor.rowcount == 1)
    failpoint("after_begin")
    return begun


def end(taken: Taken) -> bool:
    """Inside the transaction that does the work, before it: the claim is over. False: no longer ours.

    The commit need not wait for the disk: a power cut undoes the work together with the end of its claim, and
    it is done again. What follows from it outside the database is written down and waits for the disk, later.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM dispatch_claim USING (SELECT set_config('synchronous_commit', 'off', true)) AS quickly
            WHERE kind = %s AND subject = %s AND fence = %s
            """,
            [taken.kind, taken.subject, taken.fence],
        )
        return bool(cursor.rowcount == 1)


def failed(taken: Taken, why: str, at: datetime) -> None:
    """The step raised: try again later, and give up after the last attempt."""
    held = mine(taken).values_list("attempts", flat=True).first()
    if held is None:
        return
    dead = at if held >= MOST_ATTEMPTS and not kept_up(taken.kind) else None
    pause = BACKOFF[1] if kept_up(taken.kind) else BACKOFF[min(held, len(BACKOFF)) - 1]
    text = why.replace("\0", "")[:500]
    mine(taken).update(error=text, lease_until=at + pause, dead_at=dead)


def mine(taken: Taken) -> QuerySet[Claim]:
    return Claim.objects.filter(kind=taken.kind, subject=taken.subject, fence=taken.fence)


def let_go(holder: str, at: datetime) -> int:
    """What a holder that died had taken and not begun is free at once. Returns how many rows."""
    if not holder:
        return 0
    return Claim.objects.filter(holder=holder, started_at=None, lease_until__gt=at).update(lease_until=at)


def kept_up(name: str) -> bool:
    kind = kinds.find(name)
    return kind is not None and kind.never_given_up


def bury(at: datetime) -> int:
    """Rows that took down their worker with every attempt are dead. Returns how many are so from now on."""
    over = Claim.objects.filter(attempts__gte=MOST_ATTEMPTS, lease_until__lte=at, dead_at=None)
    over = over.exclude(kind__in=[kind.name for kind in kinds.all_kinds() if kind.never_given_up])
    with transaction.atomic():
        return loose(over).update(dead_at=at)


def forget(at: datetime) -> int:
    """Drop claims nobody came back to: their rows are no longer due, somebody else settled them."""
    stale = Claim.objects.filter(dead_at=None, lease_until__lte=at - FORGET_AFTER)
    with transaction.atomic():
        return loose(stale).delete()[0]


def loose(claims: QuerySet[Claim]) -> QuerySet[Claim]:
    """Those nobody is just working under: waiting for one could take as long as its worker is frozen."""
    return Claim.objects.filter(pk__in=claims.order_by().select_for_update(skip_locked=True).values("pk"))


def dead() -> QuerySet[Claim]:
    return Claim.objects.filter(dead_at__isnull=False)


def try_again(claim_id: int) -> bool:
    """A person has mended what was wrong: the row is free as if it had never been taken."""
    return dead().filter(pk=claim_id).delete()[0] == 1


def try_all_again(kind: str) -> int:
    """All of a kind, after what was wrong with them is mended. Returns how many."""
    return dead().filter(kind=kind).delete()[0]


def waiting(kind: Kind, at: datetime) -> QuerySet[Any]:
    """Rows that are due, taken by nobody and kept by nothing, in the order in which they will be taken."""
    claims = Claim.objects.filter(kind=kind.name, subject=OuterRef("pk"))
    rows = (kind.untaken or kind.due)(at)
    return rows.filter(~Exists(claims.filter(Q(lease_until__gt=at) | Q(dead_at__isnull=False))))
