"""The numbers of the loop the plain way: every contact and every act is read, and counted one by one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable
from datetime import datetime
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from recovery.insight.cycles import Course, Cycles
from recovery.insight.reach import Reach, Search, Tally
from recovery.insight.recovery import Rate
from recovery.insight.times import Run, clocks_for, grouped, working
from recovery.insight.waiting import Pause, Waiting
from recovery.insight.wall_clock import zone_named
from recovery.lifecycle.lot import BY_LOT
from recovery.models import Contact, TicketEvent, Wait
from recovery.models.ticket import TicketQuerySet
from surveys.estimates import censored_times

Key = TypeVar("Key", bound=Hashable)


# --- when people pick up ------------------------------------------------------------------------------------


class Logged(NamedTuple):
    ticket: int
    at: datetime
    channel: str
    outcome: str
    zone: str | None
    team_zone: str


class Attempt(NamedTuple):
    ticket: int
    weekday: int
    hour: int
    channel: str
    reached: bool
    own_zone: bool


def reach_slowly(cohort: TicketQuerySet, at: datetime) -> Reach:
    rows = Contact.objects.filter(ticket__in=cohort.values("pk"), at__lte=at).order_by("at", "id")
    zones = ("ticket__customer__time_zone", "ticket__team__calendar__time_zone")
    log = [Logged(*row) for row in rows.values_list("ticket_id", "at", "channel", "outcome", *zones)]
    attempts = [attempt_of(row) for row in log if row.outcome != "replied"]
    return Reach(
        everything=tally_of(attempts),
        slots=tallied(attempts, lambda each: (each.weekday, each.hour)),
        weekdays=tallied(attempts, lambda each: each.weekday),
        hours=tallied(attempts, lambda each: each.hour),
        channels=tallied(attempts, lambda each: each.channel),
        in_own_zone=sum(attempt.own_zone for attempt in attempts),
        replies=len(log) - len(attempts),
        search=search_slowly(log),
    )


def attempt_of(row: Logged) -> Attempt:
    own = zone_named(row.zone or "")
    local = row.at.astimezone(own or zone_named(row.team_zone) or ZoneInfo("UTC"))
    return Attempt(
        row.ticket, local.weekday(), local.hour, row.channel, row.outcome == "reached", own is not None
    )


def tallied(attempts: Iterable[Attempt], key: Callable[[Attempt], Key]) -> dict[Key, Tally]:
    return {each: tally_of(some) for each, some in grouped(attempts, key).items()}


def tally_of(attempts: list[Attempt]) -> Tally:
    rate = Rate(sum(attempt.reached for attempt in attempts), len(attempts))
    return Tally(rate, len({attempt.ticket for attempt in attempts}))


def search_slowly(log: Iterable[Logged]) -> Search:
    searches = [tried for tried in map(tries_of, grouped(log, lambda row: row.ticket).values()) if tried[0]]
    tries, found = [tried for tried, _found in searches], [found for _tried, found in searches]
    return Search(censored_times(tries, found), Rate(sum(found), sum(tries)))


def tries_of(contacts: Iterable[Logged]) -> tuple[int, bool]:
    """The attempts until the first that reached, and whether one did; a reply ends the search."""
    tries = 0
    for contact in contacts:
        if contact.outcome == "replied":
            break
        tries += 1
        if contact.outcome == "reached":
            return tries, True
    return tries, False


# --- what happened ------------------------------------------------------------------------------------------


class Happened(NamedTuple):
    kind: str
    cycle: int
    at: datetime
    outcome: str | None
    reply: int | None
    cause_found: str | None


Histories = dict[int, list[Happened]]


def histories(cohort: TicketQuerySet, at: datetime) -> Histories:
    found: Histories = defaultdict(list)
    rows = TicketEvent.objects.filter(ticket__in=cohort.values("pk"), at__lte=at).order_by(
        "ticket", "version"
    )
    facts = ("data__outcome", "data__reply", "data__cause_found")
    for ticket, *happened in rows.values_list("ticket_id", "kind", "cycle", "at", *facts):
        found[ticket].append(Happened(*happened))
    return dict(found)


def cycles_slowly(cohort: TicketQuerySet, at: datetime) -> Cycles:
    """As they come: how many share a course is not counted."""
    return Cycles([course_of(acts) for acts in histories(cohort, at).values()])


def course_of(acts: list[Happened]) -> Course:
    resolutions = [act for act in acts if act.kind == "resolved"]
    return Course(
        cycles=1 + sum(act.kind == "reopened" for act in acts),
        resolved=bool(resolutions),
        cause=(resolutions[0].cause_found or "") if resolutions else "",
        count=1,
    )


def figures_of(found: Cycles) -> tuple[int, Counter[int], Rate, dict[str, Rate]]:
    return found.size, found.distribution, found.reopened, found.by_cause


def waiting_slowly(cohort: TicketQuerySet, at: datetime) -> Waiting:
    told = histories(cohort, at)
    rows = Wait.objects.filter(ticket__in=cohort.values("pk"), starts_at__lte=at).order_by("id")
    waits = [
        (wait, run_of(wait, at))
        for wait in rows.select_related("ticket__team")
        if not (wait.reason == BY_LOT and wait.by_id is None)
    ]
    clocks = clocks_for(run for _wait, run in waits)
    return Waiting(
        [
            Pause(
                wait.ticket_id,
                wait.by_id,
                working(run, clocks),
                run.seen,
                spoke_last(told.get(wait.ticket_id, []), wait.cycle, run.start),
            )
            for wait, run in waits
        ]
    )


def run_of(wait: Wait, at: datetime) -> Run:
    end = wait.ends_at or wait.resume_at
    over = end is not None and end <= at
    until = max(wait.starts_at, end) if over and end else at
    return Run(wait.ticket.team.calendar_id, wait.starts_at, until, over)


def spoke_last(acts: Iterable[Happened], cycle: int, at: datetime) -> bool:
    """Whether the customer's was the last word of the cycle by `at`."""
    before = [act for act in acts if act.cycle == cycle and act.at <= at]
    taken_back = {act.reply for act in before if act.kind == "reply_taken_back"}
    theirs = False
    for act in before:
        if act.kind == "customer_wrote" or (act.kind == "contacted" and act.outcome == "replied"):
            theirs = True
        elif act.kind in ("reply_sent", "contacted") and act.reply not in taken_back:
            theirs = False
    return theirs
