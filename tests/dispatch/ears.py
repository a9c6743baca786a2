"""A Celery worker that looks at itself more often: `python -m tests.dispatch.ears`, and `deaf` to go deaf.

It serves a queue that nobody uses.
"""

from __future__ import annotations

import sys
from typing import Any

from celery.signals import worker_ready

from config.celery import app
from dispatch import selfwatch


def say_so(**_: Any) -> None:
    print("ready", flush=True)


def go_deaf(sender: Any, **_: Any) -> None:
    """The connection stays; nothing is handed over any more."""
    sender.task_consumer.cancel()


if __name__ == "__main__":
    selfwatch.LOOK_SECONDS = 0.5
    worker_ready.connect(say_so)
    if sys.argv[1:] == ["deaf"]:
        worker_ready.connect(go_deaf)
    pool = ["--pool", "prefork", "--concurrency", "2", "--queues", "nobodys"]
    app.worker_main(["worker", *pool, "--hostname", "ears@test", "--without-mingle", "--without-gossip"])
