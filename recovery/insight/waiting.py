"""The times in which the clock stood for a customer: how long, by whom, and whether the customer owed it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from recovery.insight.cohort import keys
from recovery.insight.happened import (
    CONTACTED,
    REPLY_SENT,
    TAKEN_BACK,
    WROTE,
    Happened,
    Histories,
)
from recovery.insight.recovery import Rate
from recovery.insight.times import Run, clocks_for, grouped, working
from recovery.lifecycle.lot import BY_LOT
from recovery.models import Wait
from recovery.models.contact import REPLIED
from recovery.models.ticket import TicketQuerySet
from surveys.estimates import (
    MIN_ANSWERS_FOR_PERCENT,
    MIN_ANSWERS_FOR_RANKING,
    CensoredTimes,
    censored_times,
)


@dataclass(frozen=True, slots=True)
class Pause:
    """One wait: by whom the clock was stopped (None: nobody who is still here), and for how long.

    `minutes` are working minutes of the team's calendar; `over` is False where it still goes on.
    `after_reply`: when it began the customer had spoken last, and nothing had gone to them since.
    """

    ticket: int
    by: int | None
    minutes: float
    over: bool
    after_reply: bool


@dataclass(frozen=True)
class Waiting:
    pauses: list[Pause]

    @property
    def after_reply(self) -> Rate:
        return Rate(sum(pause.after_reply for pause in self.pauses), len(self.pauses))

    @property
    def minutes(self) -> float:
        return sum(pause.minutes for pause in self.pauses)

    @property
    def lengths(self) -> CensoredTimes:
        """In working minutes; what still goes on is censored."""
        return censored_times([pause.minutes for pause in self.pauses], [pause.over for pause in self.pauses])

    @property
    def tickets(self) -> set[int]:
        return {pause.ticket for pause in self.pauses}


@dataclass(frozen=True, slots=True)
class ByOwner:
    """Owners with thirty waits are ranked, the highest share after a reply first; from ten they are listed.

    `few` is how many have fewer than ten: nothing is said of them.
    """

    ranked: list[tuple[int | None, Waiting]]
    listed: list[tuple[int | None, Waiting]]
    few: int


def waiting(cohort: TicketQuerySet, told: Histories, at: datetime) -> Waiting:
    """Every wait that had begun by `at`. Four queries however many there are."""
    rows = Wait.objects.filter(ticket__in=keys(cohort), starts_at__lte=at).order_by("id")
    # What a hold-out draws waits for the lot, not for the customer.
    rows = rows.exclude(reason=BY_LOT, by=None)
    names = ("ticket_id", "cycle", "by_id", "ticket__team__calendar_id", "starts_at", "ends_at", "resume_at")
    waits = [
        (ticket, cycle, by, run_of(calendar, start, end, resume, at))
        for ticket, cycle, by, calendar, start, end, resume in rows.values_list(*names)
    ]
    clocks = clocks_for(wait[-1] for wait in waits)
    pauses: list[Pause] = []
    for ticket, cycle, by, run in waits:
        after_reply = spoke_last(told.get(ticket, []), cycle, run.start)
        pauses.append(Pause(ticket, by, working(run, clocks), run.seen, after_reply))
    return Waiting(pauses)


def run_of(
    calendar: int, start: datetime, ends_at: datetime | None, resume_at: datetime | None, at: datetime
) -> Run:
    """A wait whose time is over ended then, also where nobody has looked yet."""
    end = ends_at or resume_at
    over = end is not None and end <= at
    return Run(calendar, start, max(start, end) if over and end else at, over)


def spoke_last(acts: Iterable[Happened], cycle: int, at: datetime) -> bool:
    """Whether the customer's was the last word of the cycle by `at`."""
    before = [act for act in acts if act.cycle == cycle and act.at <= at]
    taken_back = {act.reply for act in before if act.kind == TAKEN_BACK}
    theirs = False
    for act in before:
        if is_theirs(act):
            theirs = True
        elif is_ours(act) and act.reply not in taken_back:
            theirs = False
    return theirs


def is_theirs(act: Happened) -> bool:
    return act.kind == WROTE or (act.kind == CONTACTED and act.outcome == REPLIED)


def is_ours(act: Happened) -> bool:
    return act.kind == REPLY_SENT or (act.kind == CONTACTED and act.outcome != REPLIED)


def by_owner(found: Waiting) -> ByOwner:
    groups = {by: Waiting(pauses) for by, pauses in grouped(found.pauses, lambda pause: pause.by).items()}
    enough = [(by, some) for by, some in groups.items() if len(some.pauses) >= MIN_ANSWERS_FOR_PERCENT]
    ranked = [each for each in enough if len(each[1].pauses) >= MIN_ANSWERS_FOR_RANKING]
    ranked.sort(key=lambda each: -(each[1].after_reply.share or 0))
    return ByOwner(
        ranked=ranked,
        listed=[each for each in enough if each not in ranked],
        few=len(groups) - len(enough),
    )
