"""Does what is due: takes rows, works under their claims, and lets none that fails hold up another."""

from __future__ import annotations

import logging
import os
import secrets
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

import psycopg
from django.db import InterfaceError, OperationalError, transaction

from dispatch import claims, epoch, kinds
from dispatch.claims import Taken
from dispatch.failpoints import failpoint
from dispatch.kinds import Kind

log = logging.getLogger(__name__)

BATCH = 20
Clock = Callable[[], datetime]
Failed = Callable[[Kind, int, Exception], None]


@dataclass
class Done:
    """How many rows were worked on, and how many of those failed."""

    taken: int = 0
    failed: int = 0


def new_holder() -> str:
    """A name for whoever takes rows, unlike any before it."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(6)}"


def log_failure(kind: Kind, subject: int, error: Exception) -> None:
    log.exception("a due row failed", exc_info=error, extra={"kind": kind.name, "row": subject})


def perform(kind: Kind, taken: Taken, at: datetime, on_error: Failed = log_failure) -> bool:
    """Work on one row taken before. Returns False where it failed or is no longer ours."""
    try:
        if kind.claims_itself:
            kind.step(taken.subject, at)
            return True
        if not claims.begin(taken, at):
            return False
        with transaction.atomic():
            if not claims.end(taken):
                return False
            failpoint("step_entered")
            kind.step(taken.subject, at)
            failpoint("step_before_commit")
        failpoint("step_after_commit")
    except Exception as error:
        on_error(kind, taken.subject, error)
        if is_lost_connection(error):
            raise  # the database went away: nothing here is about this row
        if not kind.claims_itself:
            claims.failed(taken, f"{type(error).__name__}: {error}", at)
        return False
    return True


def is_lost_connection(error: Exception) -> bool:
    """Told by its SQLSTATE (08 connection, 57P shutdown, or none): Django may be connected again by now."""
    why = error.__cause__
    lost = isinstance(why, psycopg.Error) and (why.sqlstate or "08").startswith(("08", "57P"))
    return lost and isinstance(error, OperationalError | InterfaceError)


def batches(kind: Kind, clock: Clock, holder: str) -> Iterable[list[Taken]]:
    """What is due of a kind, batch after batch, until there is no more; a suspect after each, alone."""
    if not kind.due(clock()).exists():
        return  # the usual case, for the price of one look
    while True:
        fresh = claims.take(kind, clock(), limit=BATCH, holder=holder)
        yield fresh
        if kind.claims_itself:
            continue
        suspects = claims.take(kind, clock(), limit=1, holder=holder, suspects=True)
        yield suspects
        if not fresh and not suspects:
            return


def drain(
    clock: Clock,
    *,
    holder: str,
    names: Iterable[str] | None = None,
    may_go_on: Callable[[], bool] = lambda: True,
    on_error: Failed = log_failure,
    starting: Callable[[Kind, int], None] = lambda kind, subject: None,
) -> Done:
    """Everything due of these kinds (all of them), until nothing is left or `may_go_on` says no.

    `starting` hears of each row before it is worked on. While the database is behind what is remembered
    outside it, kinds that speak to customers rest.
    """
    done = Done()
    chosen = kinds.all_kinds() if names is None else [kind for kind in map(kinds.find, names) if kind]
    fenced = epoch.is_behind()
    for kind in chosen:
        if kind.speaks and fenced:
            continue
        tried: set[int] = set()
        for batch in batches(kind, clock, holder):
            if kind.claims_itself and all(each.subject in tried for each in batch):
                break  # nothing left, or only what its own step could not move forward now
            for each in batch:
                if not may_go_on():
                    claims.let_go(holder, clock())
                    return done
                if each.subject in tried and not kind.claims_itself:
                    continue  # its own step left it due: it waits for the lease to end, others go on
                tried.add(each.subject)
                starting(kind, each.subject)
                done.taken += 1
                done.failed += not perform(kind, each, clock(), on_error)
    return done


def keep_house(at: datetime) -> None:
    """What belongs to no row: bury what killed its workers, forget stale claims, show a sign of life."""
    claims.bury(at)
    claims.forget(at)
    epoch.tick(at)


def run_all(at: datetime, on_error: Failed = log_failure) -> int:
    """Everything due at `at`, in this process. Returns how many steps were taken and did not fail."""
    done = drain(lambda: at, holder=new_holder(), on_error=on_error)
    return done.taken - done.failed


def run_one(name: str, subject: int, at: datetime) -> bool:
    """One row by its name, if it is due and nobody has it; anything else does nothing and returns False."""
    kind = kinds.find(name)
    if kind is None or (kind.speaks and epoch.is_behind()):
        return False
    taken = claims.take(kind, at, limit=1, holder=new_holder(), only=[subject])
    return any(perform(kind, each, at) for each in taken)
