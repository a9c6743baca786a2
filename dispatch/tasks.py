"""What Celery carries: ticks and nudges, with names and ids. Any of them may be lost, repeated or forged."""

from __future__ import annotations

import time
from typing import Any

from celery import Task, current_app, shared_task
from celery.exceptions import TimeLimitExceeded, WorkerLostError
from celery.signals import task_failure
from django.conf import settings

from dispatch import claims, engine, kinds, selfwatch
from dispatch.clock import now
from dispatch.failpoints import failpoint
from dispatch.nudge import DRAIN

# A drain ends well before the next limit; what is left is the next tick's.
DRAIN_SECONDS = float(settings.DISPATCH_LEASE_SECONDS) / 3
# Long enough that a drain gets its turn after two others of an earlier kind.
DRAIN_EXPIRES = 3 * DRAIN_SECONDS


@shared_task(ignore_result=True)
def tick() -> None:
    """Wake a drain for each kind that has something due; without a broker, do it here and now."""
    at = now()
    engine.keep_house(at)
    due = [kind.name for kind in kinds.all_kinds() if kind.due(at).exists()]
    try:
        for name in due:
            current_app.send_task(DRAIN, args=(name,), expires=DRAIN_EXPIRES, retry=False)
    except Exception:  # whatever the transport raises
        engine.drain(now, holder=engine.new_holder(), names=due, may_go_on=within(DRAIN_SECONDS))


@shared_task(bind=True, ignore_result=True)
def drain(self: Task[..., None], name: str = "", *_: Any) -> None:
    """Everything due of one kind, for a while. An unknown name does nothing."""
    failpoint("task_received")
    engine.drain(now, holder=str(self.request.id), names=[str(name)], may_go_on=within(DRAIN_SECONDS))


@shared_task(ignore_result=True)
def step(name: str, pk: int, *_: Any) -> None:
    """One row, if it is due. An unknown name, and an id that is gone or not due, do nothing."""
    failpoint("task_received")
    if isinstance(pk, int):
        engine.run_one(str(name), pk, now())


@shared_task(ignore_result=True)
def let_go(holder: str) -> None:
    claims.let_go(str(holder), now())


@shared_task(ignore_result=True)
def ping() -> None:
    """Begun, it has said all it has to say: see `selfwatch`."""
    selfwatch.note_begin()


def within(seconds: float) -> Any:
    ends = time.monotonic() + seconds
    return lambda: time.monotonic() < ends


@task_failure.connect
def free_what_it_held(sender: Any = None, task_id: str = "", exception: Any = None, **_: Any) -> None:
    """A child died or hung in the middle of a batch: the rows it had not begun need not wait for the lease.

    The parent of the children must never open the database itself: they would inherit its connection.
    """
    if isinstance(exception, WorkerLostError | TimeLimitExceeded):
        current_app.send_task("dispatch.tasks.let_go", args=(task_id,), expires=60, retry=False)
