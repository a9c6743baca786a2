"""Which act is allowed in which status. One table, read by every act before it changes anything."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from recovery.models.ticket import CLOSED, IN_WORK, NEW, OPEN, RESOLVED, WAITING

ALLOWED: dict[str, frozenset[str]] = {
    "absorb": frozenset({NEW, OPEN, WAITING, RESOLVED}),
    "update": frozenset({NEW, OPEN, WAITING, RESOLVED, CLOSED}),
    "assign": frozenset({NEW, OPEN, WAITING, RESOLVED}),
    "contact": frozenset(IN_WORK),
    "callback": frozenset(IN_WORK),
    "unreachable": frozenset(IN_WORK),
    "wait": frozenset({NEW, OPEN}),
    "resume": frozenset({WAITING}),
    "note": frozenset({NEW, OPEN, WAITING, RESOLVED, CLOSED}),
    "priority": frozenset(IN_WORK),
    "policy": frozenset(IN_WORK),
    "extend": frozenset(IN_WORK),
    "nudge": frozenset(IN_WORK),
    "escalate": frozenset(IN_WORK),
    "recompute": frozenset(IN_WORK),
    "resolve": frozenset(IN_WORK),
    "resurvey": frozenset({RESOLVED}),
    "outcome": frozenset({RESOLVED, CLOSED}),
    "reopen": frozenset({RESOLVED, CLOSED}),
    "close": frozenset({RESOLVED}),
    "merge": frozenset(IN_WORK),
    "cause": frozenset(IN_WORK),
    "reply": frozenset({NEW, OPEN, WAITING, RESOLVED, CLOSED}),
    "take-back": frozenset({NEW, OPEN, WAITING, RESOLVED, CLOSED}),
    "customer-wrote": frozenset({NEW, OPEN, WAITING, RESOLVED, CLOSED}),
    "goodwill": frozenset({NEW, OPEN, WAITING, RESOLVED}),
    "decide-goodwill": frozenset({NEW, OPEN, WAITING, RESOLVED, CLOSED}),
    "request": frozenset({NEW, OPEN, WAITING, RESOLVED}),
    "answer-request": frozenset({NEW, OPEN, WAITING, RESOLVED, CLOSED}),
    "late-request": frozenset({NEW, OPEN, WAITING, RESOLVED, CLOSED}),
}

# A ticket that waits for room with its owner is taken on once they begin to work on it, or it leaves work.
TAKEN_ON_BY_OWNER = frozenset({"contact", "callback", "wait", "reply", "goodwill", "request"})
LEAVES_WORK = frozenset({"resolve", "merge"})

REFUSALS: dict[str, Promise] = {
    NEW: _("The ticket is new: this comes later."),
    OPEN: _("The ticket is open: this is not possible now."),
    WAITING: _("The ticket is waiting already: resume it first."),
    RESOLVED: _("The ticket is resolved: reopen it first."),
    CLOSED: _("The ticket is closed: reopen it first."),
}


class Refused(Exception):
    """An act that may not happen now. `code` is stable, `reason` is for people."""

    def __init__(self, code: str, reason: str | Promise, field: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.reason = reason
        self.field = field

    def __str__(self) -> str:
        return str(self.reason)


class Stale(Refused):
    """Somebody else changed the ticket since it was read."""

    def __init__(self, expected: int, actual: int) -> None:
        super().__init__(
            "stale", _("Somebody changed this ticket meanwhile. Look at what changed, then try again.")
        )
        self.expected = expected
        self.actual = actual


def is_allowed(act: str, status: str) -> bool:
    return status in ALLOWED[act]


def takes_on(act: str, *, by_owner: bool) -> bool:
    """Whether a ticket that waited for room stays where it is after this act."""
    return act in LEAVES_WORK or (by_owner and act in TAKEN_ON_BY_OWNER)


def check_allowed(act: str, status: str) -> None:
    """Raises Refused where the table does not list the status."""
    if not is_allowed(act, status):
        raise Refused("not_allowed_now", REFUSALS[status])
