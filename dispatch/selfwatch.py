"""A Celery worker that has gone deaf ends itself, so that whoever started it starts another.

After its broker was away a worker may hold a good connection and yet be handed nothing any more, for ever
and without a word. Being idle looks just the same, so the worker cannot tell by what others send it: beat
may not run, and the dispatcher may do everything. So each worker listens to a queue of its own as well, and
its main process puts a ping there every few seconds. What its children begin they note in shared memory.
Pings that can be published and are not begun, nor anything else, for a minute and a half: it is deaf. A look
at which the broker cannot be reached starts the count anew, and the count is of looks, not of time: a process
that was frozen, or whose machine slept, was not deaf.

The main process never opens the database here: its children would inherit the connection.
"""

from __future__ import annotations

import logging
import mmap
import os
import struct
import threading
import time
from collections.abc import Callable
from typing import Any

from celery import Celery
from celery.signals import celeryd_after_setup, task_prerun, worker_ready, worker_shutting_down

log = logging.getLogger(__name__)

PING = "dispatch.tasks.ping"
LOOK_SECONDS = 15.0
MOST_UNHEARD = 6
EX_SOFTWARE = 70

# Shared with the children, who are forked from the process that imports this.
_begun = mmap.mmap(-1, 8)
_stopping = threading.Event()


@task_prerun.connect
def note_begin(**_: Any) -> None:
    """In whichever process a task begins."""
    struct.pack_into("q", _begun, 0, time.monotonic_ns())


def last_begun() -> int:
    return int(struct.unpack_from("q", _begun)[0])


@celeryd_after_setup.connect
def listen_to_itself(sender: str, instance: Any, **_: Any) -> None:
    instance.app.amqp.queues.select_add(queue_of(sender))


def queue_of(worker: str) -> str:
    """Workers of one name share it: each of them begins some of the pings."""
    return f"watch.{worker}"


@worker_ready.connect
def begin(sender: Any, **_: Any) -> None:
    """In the main process, `sender` being its consumer."""
    app, queue = sender.app, queue_of(sender.hostname)
    watching = threading.Thread(target=watch, args=(lambda: ping(app, queue),), name="selfwatch", daemon=True)
    watching.start()


@worker_shutting_down.connect
def stop(**_: Any) -> None:
    """It listens no more on purpose, and finishes what it has."""
    _stopping.set()


def ping(app: Celery, queue: str) -> bool:
    """Whether the broker took one. Over a connection of its own: no child is forked with its locks held."""
    try:
        with app.connection_for_write() as connection:
            app.send_task(
                PING, queue=queue, connection=connection, expires=LOOK_SECONDS * MOST_UNHEARD, retry=False
            )
    except Exception:  # whatever the transport raises
        return False
    return True


def watch(send: Callable[[], bool]) -> None:
    """Look again and again; ends the process when it has been deaf for too long."""
    unheard = 0
    while unheard < MOST_UNHEARD:
        before, sent = last_begun(), send()
        if _stopping.wait(LOOK_SECONDS):
            return
        unheard = unheard + 1 if sent and last_begun() == before else 0
    log.critical("the broker answers and hands this worker nothing: it ends, to be started anew")
    logging.shutdown()
    os._exit(EX_SOFTWARE)
