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
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from dispatch.failpoints import failpoint
from dispatch.kinds import Kind
from dispatch.models import Claim

MOST_ATTEMPTS = 5
BACKOFF = (timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30))
# Claims whose rows are no longer due: somebody else settled them.
FORGET_AFTER = timedelta(days=1)
SPREAD = 10


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
    with transaction.atomic():
        quickly()
        rows = kind.due(at)
        if only:
            rows = rows.filter(pk__in=only)
        if not kind.claims_itself:
            rows = free(rows, kind, at, suspects=suspects, either=bool(only))
        rows = rows.select_for_update(skip_locked=True, no_key=True, of=("self",))
        if kind.claims_itself:
            return some(kind, list(rows.values_list("pk", flat=True)[: limit * SPREAD]), limit)
        ids = list(rows.values_list("pk", flat=True)[:limit])
        taken = claim(kind, ids, at, holder) if ids else []
        failpoint("before_take_commit")
    failpoint("after_take")
    return taken


def some(kind: Kind, ids: list[int], limit: int) -> list[Taken]:
    """Rows that claim themselves are not kept by taking: takers choose by chance, to meet less often."""
    return [Taken(kind.name, pk, 0) for pk in random.sample(ids, min(limit, len(ids)))]


def quickly() -> None:
    """This transaction need not survive a power cut: who lost a claim does not work under it."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit TO off")


def free(rows: QuerySet[Any], kind: Kind, at: datetime, *, suspects: bool, either: bool) -> QuerySet[Any]:
    claims = Claim.objects.filter(kind=kind.name, subject=OuterRef("pk"))
    held = Q(lease_until__gt=at) | Q(dead_at__isnull=False) | Q(attempts__gte=MOST_ATTEMPTS)
    if either:
        return rows.filter(~Exists(claims.filter(held)))
    if suspects:
        return rows.filter(Exists(claims.filter(~held, attempts__gt=0)))
    return rows.filter(~Exists(claims.filter(held | Q(attempts__gt=0))))


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
    """Count the attempt, so that a row that kills its worker is known by it. False: no longer ours."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE dispatch_claim SET attempts = attempts + 1, started_at = %s, lease_until = %s
            FROM (SELECT set_config('synchronous_commit', 'off', true)) AS quickly
            WHERE kind = %s AND subject = %s AND fence = %s AND lease_until > %s AND dead_at IS NULL
            """,
            [at, at + lease(), taken.kind, taken.subject, taken.fence, at],
        )
        begun = bool(cursor.rowcount == 1)
    failpoint("after_begin")
    return begun


def end(taken: Taken) -> bool:
    """Inside the transaction that does the work, before it: the claim is over. False: no longer ours."""
    return mine(taken).delete()[0] == 1


def failed(taken: Taken, why: str, at: datetime) -> None:
    """The step raised: try again later, and give up after the last attempt."""
    held = mine(taken).values_list("attempts", flat=True).first()
    if held is None:
        return
    dead = at if held >= MOST_ATTEMPTS else None
    pause = BACKOFF[min(held, len(BACKOFF)) - 1]
    text = why.replace("\0", "")[:500]
    mine(taken).update(error=text, lease_until=at + pause, dead_at=dead)


def mine(taken: Taken) -> QuerySet[Claim]:
    return Claim.objects.filter(kind=taken.kind, subject=taken.subject, fence=taken.fence)


def let_go(holder: str, at: datetime) -> int:
    """What a holder that died had taken and not begun is free at once. Returns how many rows."""
    if not holder:
        return 0
    return Claim.objects.filter(holder=holder, started_at=None, lease_until__gt=at).update(lease_until=at)


def bury(at: datetime) -> int:
    """Rows that took down their worker with every attempt are dead. Returns how many are so from now on."""
    over = Claim.objects.filter(attempts__gte=MOST_ATTEMPTS, lease_until__lte=at, dead_at=None)
    return over.update(dead_at=at)


def forget(at: datetime) -> int:
    """Drop claims nobody came back to: their rows are no longer due, somebody else settled them."""
    return Claim.objects.filter(dead_at=None, lease_until__lte=at - FORGET_AFTER).delete()[0]


def dead() -> QuerySet[Claim]:
    return Claim.objects.filter(dead_at__isnull=False)


def try_again(claim_id: int) -> bool:
    """A person has mended what was wrong: the row is free as if it had never been taken."""
    return dead().filter(pk=claim_id).delete()[0] == 1


def waiting(kind: Kind, at: datetime) -> QuerySet[Any]:
    """Rows that are due and taken by nobody, in the order in which they will be."""
    claims = Claim.objects.filter(kind=kind.name, subject=OuterRef("pk"))
    return kind.due(at).filter(~Exists(claims.filter(Q(lease_until__gt=at) | Q(dead_at__isnull=False))))


def lateness(kind: Kind, at: datetime) -> tuple[int, datetime | None]:
    """How many rows are due and taken by nobody (at most 10,000 are counted), and since when the oldest."""
    rows = waiting(kind, at)
    oldest = rows.annotate(since=F(kind.due_at)).values_list("since", flat=True).first() if kind.due_at else None
    return rows.order_by()[:10_000].count(), oldest
