"""How open work stands: late, at risk, silent, waiting too long, broken twice. Each is one question, asked
alike by counts, lists and the weekly mail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Count, F, Q

from recovery.insight.pace import Clock, Paces, at_risk, clocks_of, paces_of, running, teams_with_hours
from recovery.lifecycle.lot import BY_LOT
from recovery.models import Deadline, Team, Wait
from recovery.models.policy import FIRST_CONTACT
from recovery.models.ticket import IN_WORK, WAITING, TicketQuerySet

LATE, RISK, SILENT, STUCK, TWICE = "late", "risk", "silent", "waiting", "twice"
STANDINGS: Final = (LATE, RISK, SILENT, STUCK, TWICE)

# By owner, team and touchpoint: how many are open, and how many of each standing.
Cell = dict[str, Any]


@dataclass(frozen=True)
class Measure:
    """What must be known of some teams to say how their work stands at one moment."""

    at: datetime
    teams: list[Team]
    clocks: list[Clock]
    paces: Paces

    def lately(self, team: int, kind: str) -> int | None:
        """How many of a kind the team met in its last five working days; None where it is too few to tell."""
        pace = self.paces.get((team, kind))
        seconds = next((clock.seconds for clock in self.clocks if team in clock.teams), 0)
        return None if pace is None else round(pace * seconds)


def measure(teams: Iterable[int], at: datetime) -> Measure:
    """In two queries."""
    known = teams_with_hours(teams)
    clocks = clocks_of(known, at)
    return Measure(at, known, clocks, paces_of(clocks))


def is_late(at: datetime) -> Q:
    """A promise has passed and is not kept yet."""
    return Q(pk__in=running().filter(due_at__lte=at).values("ticket"))


def is_at_risk(now: Measure) -> Q:
    """A deadline ahead will not be met at the team's pace; see `pace`."""
    return Q(pk__in=at_risk(now.clocks, now.paces, now.at))


def is_silent(now: Measure) -> Q:
    """Nobody was heard yet, and the first contact is late or due within four working hours."""
    near = Q(due_at__lte=now.at)
    for clock in now.clocks:
        near |= Q(ticket__team__in=clock.teams, due_at__lte=clock.soon)
    return Q(pk__in=running().filter(near, kind=FIRST_CONTACT).values("ticket"))


def is_stuck(now: Measure) -> Q:
    """Waits for the customer since before the last five working days, or past the time it should resume.

    What waits by the lot of a hold-out waits as long as the lot says.
    """
    long = Q(resume_at__lte=now.at)
    for clock in now.clocks:
        for_them = ~Q(reason=BY_LOT, by=None)
        long |= Q(for_them, ticket__team__in=clock.teams, starts_at__lt=clock.since)
    return Q(status=WAITING, pk__in=Wait.objects.filter(long, ends_at=None).order_by().values("ticket"))


def is_broken_twice(at: datetime) -> Q:
    """Both deadlines of the present cycle have passed, or deadlines of two cycles have."""
    passed = Q(breached_at__isnull=False) | Q(met_at=None, ended_at=None, due_at__lte=at)
    rows = Deadline.objects.filter(passed, ticket__status__in=IN_WORK).order_by().values("ticket")
    counted = rows.annotate(
        cycles=Count("cycle", distinct=True), here=Count("pk", filter=Q(cycle=F("ticket__cycle")))
    )
    return Q(pk__in=counted.filter(Q(cycles__gt=1) | Q(here__gt=1)).values("ticket"))


def conditions(now: Measure) -> dict[str, Q]:
    return {
        LATE: is_late(now.at),
        RISK: is_at_risk(now),
        SILENT: is_silent(now),
        STUCK: is_stuck(now),
        TWICE: is_broken_twice(now.at),
    }


def cells(tickets: TicketQuerySet, now: Measure) -> list[Cell]:
    """How many of each standing every owner has in every team at every touchpoint, in one query."""
    counts = {name: Count("pk", filter=where) for name, where in conditions(now).items()}
    groups = tickets.in_work().order_by().values("owner", "team", "touchpoint")
    rows: Any = groups.annotate(all=Count("pk"), **counts)
    return list(rows)


def summed(found: Iterable[Cell], key: str) -> dict[Any, dict[str, int]]:
    """The counts of all cells that share an owner, a team or a touchpoint."""
    totals: dict[Any, dict[str, int]] = {}
    for cell in found:
        total = totals.setdefault(cell[key], dict.fromkeys(("all", *STANDINGS), 0))
        for name in total:
            total[name] += cell[name]
    return totals


def total(found: Iterable[Cell], name: str) -> int:
    return sum(cell[name] for cell in found)
