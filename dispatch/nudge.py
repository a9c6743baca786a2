"""Tells a worker that a row is waiting. Losing a nudge costs seconds: the next tick finds the row."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from celery import current_app

from dispatch.failpoints import failpoint

log = logging.getLogger(__name__)

# While the broker is away, a batch of commits must not wait for it once per row.
PAUSE_SECONDS = 10.0
EXPIRES_SECONDS = 60
STEP, DRAIN = "dispatch.tasks.step", "dispatch.tasks.drain"

_quiet_until = 0.0
_silent: ContextVar[bool] = ContextVar("silent", default=False)


@contextmanager
def silenced() -> Iterator[None]:
    """Nudges of this thread are not sent: for history, whose messages nobody shall send now."""
    before = _silent.set(True)
    try:
        yield
    finally:
        _silent.reset(before)


def nudge(kind: str, *ids: int) -> None:
    """Say that a row of this kind is due, or, without an id, that some are; call it inside
    `transaction.on_commit`. Never raises. It carries names and ids only, and nobody trusts it.

    A broker that is away costs about a second (its socket timeout) once per PAUSE_SECONDS.
    """
    global _quiet_until
    if _silent.get() or time.monotonic() < _quiet_until:
        return
    failpoint("in_on_commit")
    try:
        failpoint("before_publish")
        current_app.send_task(STEP if ids else DRAIN, args=(kind, *ids), expires=EXPIRES_SECONDS, retry=False)
        failpoint("after_publish")
    except Exception as error:  # whatever the transport raises, the row is already committed
        _quiet_until = time.monotonic() + PAUSE_SECONDS
        log.warning("The broker is away, the dispatcher takes over: %s", error)
