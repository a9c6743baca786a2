"""The dispatcher: a parent that only watches, and a child that works.

The child says through a pipe what it begins. One that dies is replaced; one that is silent for too long is
killed, and the row it hung on has used up one of its attempts. The parent never opens the database.
"""

from __future__ import annotations

import logging
import os
import random
import select
import signal
import sys
import time
from collections.abc import Callable
from typing import NoReturn

from django.conf import settings
from django.db import Error, close_old_connections, connections

from dispatch import claims, engine, kinds
from dispatch.clock import now
from dispatch.kinds import Kind

log = logging.getLogger(__name__)

QUICK_DEATH_SECONDS = 1.0
AWAY_SECONDS = 1.0
# How long a kind is worked on before the next has its turn: all of them have one between two signs of life.
TURN_SECONDS = 2.0


class Stopping:
    """Set by SIGTERM and Ctrl-C: finish the row in hand, then go."""

    def __init__(self) -> None:
        self.asked = False
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, self._ask)

    def _ask(self, *_: object) -> None:
        self.asked = True


def silence_allowed() -> float:
    """Seconds a child may be silent before it counts as hung: shorter than its lease."""
    return float(settings.DISPATCH_LEASE_SECONDS) * 5 / 6


def watch(every: float) -> int:
    """Keep one working child alive until asked to stop. Returns the exit status."""
    stopping, before = Stopping(), ""
    while not stopping.asked:
        holder, started = engine.new_holder(), time.monotonic()
        child, pipe = begin_child(every, holder, before, stopping)
        watch_child(child, pipe, stopping)
        before = holder
        if not stopping.asked and time.monotonic() - started < QUICK_DEATH_SECONDS:
            time.sleep(QUICK_DEATH_SECONDS)
    return 0


def begin_child(every: float, holder: str, before: str, stopping: Stopping) -> tuple[int, int]:
    news, tell = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        os.close(tell)
        return child, news
    os.close(news)
    return run_child(every, holder, before, tell, stopping)


def watch_child(child: int, news: int, stopping: Stopping) -> None:
    """Until the child is gone; kills it when it has hung."""
    heard, told = time.monotonic(), False
    try:
        while not ended(child):
            ready, _, _ = select.select([news], [], [], 0.2)
            if ready and os.read(news, 65536):
                heard = time.monotonic()
            if stopping.asked and not told:
                os.kill(child, signal.SIGTERM)
                told = True
            if time.monotonic() - heard > silence_allowed():
                log.error("the dispatcher's child was silent for too long and is replaced")
                os.kill(child, signal.SIGKILL)
                heard = time.monotonic()
    finally:
        os.close(news)


def ended(child: int) -> bool:
    pid, status = os.waitpid(child, os.WNOHANG)
    if pid and status:
        log.warning("the dispatcher's child ended with status %s and is replaced", status)
    return bool(pid)


def run_child(every: float, holder: str, before: str, tell: int, stopping: Stopping) -> NoReturn:
    status = 1
    try:
        status = work(every, holder, before, tell, stopping)
    except BrokenPipeError:
        log.warning("the dispatcher's parent is gone: stopping")
    except Exception:
        log.exception("the dispatcher's child failed")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def work(every: float, holder: str, before: str, tell: int, stopping: Stopping) -> int:
    """Round after round, until asked to stop. A database that is away is waited for."""
    while not stopping.asked:
        try:
            busy = one_round(holder, before, tell, stopping)
            before = ""
        except Error as error:
            log.warning("the database is away: %s", error)
            close_all()
            busy = False
            os.write(tell, b"?")
            time.sleep(AWAY_SECONDS)
        if not busy:
            os.write(tell, b".")
            pause(every * random.uniform(0.8, 1.2), stopping)
    close_all()
    return 0


def one_round(holder: str, before: str, tell: int, stopping: Stopping) -> bool:
    """Whether there was anything to do. However much one kind has waiting, the others have their turn."""

    def starting(kind: Kind, subject: int) -> None:
        os.write(tell, b"+")

    close_old_connections()
    claims.let_go(before, now())
    engine.keep_house(now())
    busy = False
    for kind in kinds.all_kinds():
        may_go_on = turn(stopping)
        done = engine.drain(now, holder=holder, names=[kind.name], may_go_on=may_go_on, starting=starting)
        busy |= done.taken > 0
    return busy


def turn(stopping: Stopping) -> Callable[[], bool]:
    ends = time.monotonic() + TURN_SECONDS
    return lambda: not stopping.asked and time.monotonic() < ends


def pause(seconds: float, stopping: Stopping) -> None:
    ends = time.monotonic() + seconds
    while not stopping.asked and time.monotonic() < ends:
        time.sleep(min(0.1, seconds))


def close_all() -> None:
    connections.close_all()
