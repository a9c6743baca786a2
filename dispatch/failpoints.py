"""Places where a process may be made to die, freeze or fail, to prove that nothing is lost there.

Nothing happens unless the environment names them: `FAILPOINTS=after_claim=kill,before_call=freeze`. With
`FAILPOINTS_DIR` each one fires once among all processes and leaves a file of its name there.
"""

import os
import signal
import time
from pathlib import Path

NAMES = (
    "before_take_commit",
    "after_take",
    "after_begin",
    "step_entered",
    "step_before_commit",
    "step_after_commit",
    "after_ticket_commit",
    "in_on_commit",
    "before_publish",
    "after_publish",
    "task_received",
    "message_claimed",
    "before_intent_commit",
    "after_intent_commit",
    "before_call",
    "request_half_sent",
    "provider_accepted",
    "before_finish",
    "after_finish",
    "giving_back_a",
    "giving_back_b",
    "giving_back_c",
    "asking_provider",
    "escalation_told",
    "resurvey_asked",
    "response_inserted",
    "before_2xx",
    "import_mid_batch",
    "digest_told",
    "in_reconcile",
)
KILL, FREEZE, ERROR = "kill", "freeze", "error"
_armed = dict(pair.split("=", 1) for pair in os.environ.get("FAILPOINTS", "").split(",") if "=" in pair)


class Failed(Exception):
    """What a failpoint armed with `error` raises."""


def failpoint(name: str) -> None:
    if _armed and name in _armed:
        fire(name, _armed[name])


def fire(name: str, what: str) -> None:
    if not first(name):
        return
    if what == ERROR:
        raise Failed(name)
    if what.startswith("sleep:"):
        time.sleep(float(what.removeprefix("sleep:")))
        return
    os.kill(os.getpid(), signal.SIGSTOP if what == FREEZE else signal.SIGKILL)
    time.sleep(0.01)  # the signal is on its way


def first(name: str) -> bool:
    """Whether this failpoint has not fired yet in any process that shares the folder."""
    folder = os.environ.get("FAILPOINTS_DIR")
    if not folder:
        return True
    try:
        os.close(os.open(Path(folder, name), os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True
