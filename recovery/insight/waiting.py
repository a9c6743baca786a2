"""The times in which the clock stood for a customer: how long, by whom, and whether the customer owed it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from django.db.models import QuerySet

from recovery.insight.cohort import keys
from recovery.insight.recovery import Rate
from recovery.insight.times import Run, clocks_for, grouped, working
from recovery.lifecycle.lot import BY_LOT
from recovery.models import Ticket, Wait
from recovery.models.ticket import TicketQuerySet
from surveys.estimates import (
    MIN_ANSWERS_FOR_PERCENT,
    MIN_ANSWERS_FOR_RANKING,
    CensoredTimes,
    censored_times,
)
from surveys.results.statements import found_by, over


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


def waiting(cohort: TicketQuerySet, at: datetime) -> Waiting:
    """Every wait that had begun by `at`, in the order in which they began. Four queries however many."""
    found = [Begun(*row) for row in found_by(over(columns_of(waits_of(cohort, at)), BEGUN))]
    runs = [run_of(wait, at) for wait in found]
    clocks = clocks_for(runs)
    return Waiting(
        [
            Pause(wait.ticket, wait.by, working(run, clocks), run.seen, wait.after_reply)
            for wait, run in zip(found, runs, strict=True)
        ]
    )


def waits_of(cohort: TicketQuerySet, at: datetime) -> QuerySet[Wait]:
    """What a hold-out draws is left out: it waits for the lot, not for the customer."""
    rows = Wait.objects.filter(ticket__in=keys(cohort), starts_at__lte=at).order_by()
    return rows.exclude(reason=BY_LOT, by=None)


def columns_of(waits: QuerySet[Wait]) -> QuerySet[Wait, tuple[object, ...]]:
    names = ("id", "ticket_id", "cycle", "by_id", "ticket__team__calendar_id")
    return waits.values_list(*names, "starts_at", "ends_at", "resume_at")


class Begun(NamedTuple):
    ticket: int
    by: int | None
    calendar: int
    starts_at: datetime
    ends_at: datetime | None
    resume_at: datetime | None
    after_reply: bool


# Whose the last word of the cycle was when the wait began. What was taken back by then was never said.
BEGUN: Final = """
WITH waits (id, ticket, cycle, by, calendar, starts_at, ends_at, resume_at) AS MATERIALIZED ({rows}),
acts AS (
    SELECT waits.id, act.version, act.kind, act.data->>'reply' AS reply,
        act.kind = 'customer_wrote' OR coalesce(act.data->>'outcome' = 'replied', false) AS is_theirs
    FROM waits JOIN recovery_ticketevent AS act
        ON act.ticket_id = waits.ticket AND act.cycle = waits.cycle AND act.at <= waits.starts_at
    WHERE act.kind IN ('contacted', 'reply_sent', 'reply_taken_back', 'customer_wrote')
),
taken_back AS (SELECT DISTINCT id, reply FROM acts WHERE kind = 'reply_taken_back'),
last_words AS (
    SELECT DISTINCT ON (acts.id) acts.id, is_theirs
    FROM acts LEFT JOIN taken_back
        ON acts.kind = 'reply_sent' AND taken_back.id = acts.id AND taken_back.reply = acts.reply
    WHERE acts.kind <> 'reply_taken_back' AND taken_back.id IS NULL
    ORDER BY acts.id, version DESC
)
SELECT ticket, by, calendar, starts_at, ends_at, resume_at, coalesce(is_theirs, false)
FROM waits LEFT JOIN last_words USING (id) ORDER BY id
"""


def run_of(wait: Begun, at: datetime) -> Run:
    """A wait whose time is over ended then, also where nobody has looked yet."""
    end = wait.ends_at or wait.resume_at
    over = end is not None and end <= at
    return Run(wait.calendar, wait.starts_at, max(wait.starts_at, end) if over and end else at, over)


def by_owner(found: Waiting, people_of: Collection[int] | None = None) -> ByOwner:
    """The waits on tickets of these teams by whoever stopped the clock; None is of all teams."""
    pauses = found.pauses if people_of is None else pauses_of(found, people_of)
    groups = {by: Waiting(some) for by, some in grouped(pauses, lambda pause: pause.by).items()}
    enough = [(by, some) for by, some in groups.items() if len(some.pauses) >= MIN_ANSWERS_FOR_PERCENT]
    ranked = [each for each in enough if len(each[1].pauses) >= MIN_ANSWERS_FOR_RANKING]
    ranked.sort(key=lambda each: -(each[1].after_reply.share or 0))
    return ByOwner(
        ranked=ranked,
        listed=[each for each in enough if each not in ranked],
        few=len(groups) - len(enough),
    )


def pauses_of(found: Waiting, teams: Collection[int]) -> list[Pause]:
    if not teams:
        return []
    theirs = Ticket.objects.filter(pk__in=list(found.tickets), team__in=list(teams)).order_by()
    tickets = set(theirs.values_list("pk", flat=True))
    return [pause for pause in found.pauses if pause.ticket in tickets]
