"""What becomes of an action whose time passed while nothing ran: one row for each kind of due row.

An action is late when its time lies more than LATE before the moment it runs. Up to then a late run is the
ordinary jitter of a busy system, and nothing is treated differently.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from surveys.invitations import INVITATION_TOO_LATE, TOO_LATE

LATE = timedelta(minutes=15)
RUN, MERGE, SKIP = "run", "merge", "skip"


@dataclass(frozen=True, slots=True)
class CatchUp:
    """`policy`: *run* as if punctual; *merge* with what else is late, told in one digest a person; *skip*.

    What is skipped ends with the code `reason` once it is `skip_after` late, or past the row's own limit
    where that is None.
    """

    policy: str
    why: str
    skip_after: timedelta | None = None
    reason: str = ""


POLICIES: dict[str, CatchUp] = {
    "canary": CatchUp(
        RUN,
        "A sign of life says that something runs now: after an outage one is enough, and the next follows.",
    ),
    "triage": CatchUp(
        MERGE,
        "A low score becomes a ticket however long it lay, with deadlines counted from when it is opened; "
        "who gets tickets out of a heap is told of all of them in one digest.",
    ),
    "placements": CatchUp(
        RUN,
        "What waits for room is given out as soon as anybody has it, the oldest first; nobody is told of it "
        "but who gets it.",
    ),
    "callbacks": CatchUp(
        MERGE,
        "A promised call stays owed until somebody makes it: it is announced once, with the time that was "
        "promised, as missed. A ticket that leaves work cancels its callback, and its own event says so.",
    ),
    "zones": CatchUp(
        RUN,
        "What was promised is the time on the customer's clock: once the rules of a zone are others, its "
        "callbacks move with them, and their events say so.",
    ),
    "waits": CatchUp(
        RUN,
        "The clock runs again from the time that was given, not from when somebody looked: no working time "
        "is given away or taken by an outage.",
    ),
    "recompute": CatchUp(
        RUN,
        "Deadlines come under today's policy and calendar whenever that is noticed; no mail says so.",
    ),
    "deadlines": CatchUp(
        MERGE,
        "Every breach is kept with its true time, and every level that fell due counts as reached; of a "
        "ticket only the highest is told, because the lower ones ask for what is already too late.",
    ),
    "requests": CatchUp(
        MERGE,
        "What another department owes stays owed: the highest rung that is due is told once, the lower ones "
        "are passed over, and who is told late of several is told in one digest.",
    ),
    "resurveys": CatchUp(
        RUN,
        "The customer was promised to be asked again, and without asking the loop never closes: they are "
        "asked as soon as it is allowed, or the reason why not is kept.",
    ),
    "silence": CatchUp(RUN, "A question whose time is over is over whenever that is noticed."),
    "digests": CatchUp(
        RUN,
        "The digest is what makes good for an outage, and for the night: it waits until the heap is worked "
        "off and its reader is at work, and is never too late.",
    ),
    "weekly": CatchUp(
        SKIP,
        "What a week was like is read at its end: from Thursday on the next mail is nearer than the last.",
        skip_after=timedelta(days=3),
        reason="weekly_too_late",
    ),
    "stories": CatchUp(
        RUN,
        "What changed is counted from the tickets' own rows until its story is told again: no number waits "
        "for it, pages are only slower meanwhile.",
    ),
    "reports": CatchUp(
        SKIP,
        "A report is of the week or month that has just ended: after three days the page is nearer than the "
        "mail, and the next one comes in its turn.",
        skip_after=timedelta(days=3),
        reason="report_too_late",
    ),
    "invitations": CatchUp(
        SKIP,
        "An answer about something long past is about memory, not about what happened: a week is the "
        "longest after which a person still knows what they are asked about.",
        skip_after=TOO_LATE,
        reason=INVITATION_TOO_LATE,
    ),
    "expiries": CatchUp(RUN, "A link whose time is over is over whenever that is noticed."),
    "messages": CatchUp(
        SKIP,
        "A message carries its own limit: past it, what it says is no longer true or of no use.",
        reason="not_after",
    ),
}

# How long a notice to a colleague is worth sending. What it is about stands on their desk all the time.
USEFUL_FOR: dict[str, timedelta] = {
    "callback_due": timedelta(hours=12),  # the day of the promise is over: My work shows it as missed
    "ticket_escalated": timedelta(days=1),  # by then the next level has been told, or the ticket is heard
    "ticket_assigned": timedelta(days=2),
    "ticket_absorbed": timedelta(days=2),
    "ticket_reopened": timedelta(days=2),
    "ticket_nudged": timedelta(days=1),  # by then it is no nudge any more
    "digest": timedelta(days=1),
    "weekly": timedelta(days=3),
    "report": timedelta(days=5),
    "goodwill_to_approve": timedelta(days=5),
    "goodwill_decided": timedelta(days=5),
    "request_answered": timedelta(days=5),
    "request_late": timedelta(days=1),
    "customer_wrote": timedelta(days=5),
}


def is_late(due_at: datetime, at: datetime) -> bool:
    return at - due_at > LATE
