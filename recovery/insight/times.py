"""Promises kept, and how long people waited. Open tickets count, censored now: no mean of closed ones.

Everything is told as it stood `at` a moment, which may lie in the past: what came later has not happened yet.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from operator import attrgetter
from typing import Any, NamedTuple

from django.db.models import BigIntegerField, Case, F, Func, Q, SmallIntegerField, Value, When

from recovery.business_hours import MINUTE, from_micros, to_micros
from recovery.insight.dues import CELL, OWNER, PRIORITY, TEAM, Dues, Tally, kinds_of, summed
from recovery.insight.promised import KINDS as KINDS
from recovery.insight.promised import Promises as Promises
from recovery.insight.promised import deadlines_of
from recovery.insight.promised import grouped as grouped
from recovery.insight.working_clock import Run as Run
from recovery.insight.working_clock import WorkingClock as WorkingClock
from recovery.insight.working_clock import clocks_for as clocks_for
from recovery.insight.working_clock import clocks_of
from recovery.insight.working_clock import working as working
from recovery.models.policy import FIRST_CONTACT
from recovery.models.ticket import TicketQuerySet
from surveys.estimates import MIN_ANSWERS_FOR_PERCENT, CensoredTimes, survival_curve


def promises(cohort: TicketQuerySet, at: datetime) -> dict[str, Promises]:
    """By kind of deadline, in three queries, five where some were moved since `at`."""
    return kinds_of(Dues(cohort, at).tallies())


def first_contacts_by_team(cohort: TicketQuerySet, at: datetime) -> dict[int, Promises]:
    """The first contacts of every team with low scores here, in as many."""
    rows = (row for row in Dues(cohort, at).tallies() if row.kind == FIRST_CONTACT)
    return {team: summed(found) for team, found in grouped(rows, attrgetter(TEAM)).items()}


def missed(cohort: TicketQuerySet, kind: str, at: datetime) -> TicketQuerySet:
    """The tickets behind the broken promises of a kind."""
    return Dues(cohort, at).missed(kind)


# --- how long -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Waited:
    """Minutes from a ticket's opening to its first contact or resolution in cycle 1.

    `closed_unheard` were resolved without anybody hearing the customer, and count as not heard however long
    ago that was. `merged` count until they became part of another ticket.
    """

    working: CensoredTimes
    calendar: CensoredTimes
    closed_unheard: int = 0
    merged: int = 0

    @property
    def count(self) -> int:
        return self.calendar.count

    @property
    def open(self) -> int:
        return self.calendar.count - self.calendar.events - self.closed_unheard - self.merged


def waited(cohort: TicketQuerySet, at: datetime) -> dict[str, Waited]:
    """By kind, in working minutes of the deadline's own calendar and in minutes of the wall clock.

    A ticket resolved with no contact will never have one: it stays at risk for as long as it could have been
    seen, to `at`, so the curve is the cumulative incidence with that end as a competing one (Fine and Gray
    1999, for complete censoring). A merged ticket is censored at the merge: its matter goes on elsewhere.
    Waiting for the customer is not taken off. Four queries however many tickets there are.
    """
    found = grouped(lengths(cohort, at), attrgetter("kind"))
    return {kind: waited_in(found.get(kind, [])) for kind in KINDS}


class Lengths(NamedTuple):
    """How long the tickets of one team, priority, owner and calendar took, in minutes.

    Of each clock first those that were done, then those that were not when they were last seen.
    """

    kind: str
    team: int
    priority: int
    owner: int
    working: tuple[array[float], array[float]]
    wall: tuple[array[float], array[float]]
    closed: int
    merged: int


def waited_in(some: Sequence[Lengths]) -> Waited:
    return Waited(
        curve_of([each.working for each in some]),
        curve_of([each.wall for each in some]),
        closed_unheard=sum(each.closed for each in some),
        merged=sum(each.merged for each in some),
    )


def curve_of(some: Sequence[tuple[array[float], array[float]]]) -> CensoredTimes:
    ended, left = [each[0] for each in some], [each[1] for each in some]
    return survival_curve(chain.from_iterable(ended), chain.from_iterable(left))


@dataclass(slots=True)
class Stretches:
    """From when to when, in microseconds since 1970: `done`, and `left` as far as they were seen."""

    done: tuple[array[int], array[int]] = field(default_factory=lambda: (array("q"), array("q")))
    left: tuple[array[int], array[int]] = field(default_factory=lambda: (array("q"), array("q")))
    closed: int = 0
    merged: int = 0

    @property
    def reach(self) -> tuple[int, int]:
        """From the earliest start to the latest end."""
        starts, ends = (chain(self.done[side], self.left[side]) for side in (0, 1))
        return min(starts), max(ends)


# How the first cycle went: met, closed without it, merged before, or none of these yet.
DONE, CLOSED, MERGED, OPEN = range(4)
# A group and its calendar.
Cell = tuple[str, int, int, int, int]


def lengths(cohort: TicketQuerySet, at: datetime) -> list[Lengths]:
    """Of every ticket, in four queries. Each is read as a few whole numbers, and no more is kept of it."""
    found = stretches(cohort, at)
    clocks = clocks_over(found)
    return [
        Lengths(
            kind=kind,
            team=team,
            priority=priority,
            owner=owner,
            working=(minutes(some.done, clocks[calendar]), minutes(some.left, clocks[calendar])),
            wall=(minutes(some.done), minutes(some.left)),
            closed=some.closed,
            merged=some.merged,
        )
        for (kind, team, priority, owner, calendar), some in found.items()
    ]


def minutes(some: tuple[array[int], array[int]], clock: WorkingClock | None = None) -> array[float]:
    """By the wall clock, or in working time."""
    pairs = zip(*some, strict=True)
    if clock is None:
        return array("d", [(end - start) / MINUTE for start, end in pairs])
    return array("d", [clock.minutes_between(start, end) for start, end in pairs])


def stretches(cohort: TicketQuerySet, at: datetime) -> dict[Cell, Stretches]:
    now, found = to_micros(at), defaultdict[Cell, Stretches](Stretches)
    for row in rows_of(cohort, at).iterator(chunk_size=10_000):
        some, (how, start, seen) = found[row[:5]], row[5:]
        starts, ends = some.done if how == DONE else some.left
        starts.append(start)
        ends.append(max(start, now if seen is None else seen))
        if how == CLOSED:
            some.closed += 1
        elif how == MERGED:
            some.merged += 1
    return found


def rows_of(cohort: TicketQuerySet, at: datetime) -> Any:
    """The first cycle of each: its cell, how it went, from when, and to when it was seen if not to `at`.

    Ended by a merge: a merge closes the ticket for good, a resolution in an earlier cycle does not.
    """
    met, ended = Q(met_at__lte=at), Q(ended_at__lte=at)
    merged = ended & Q(ticket__merged_into__isnull=False, ticket__closed_at=F("ended_at"))
    ways = When(met, then=DONE), When(merged, then=MERGED), When(ended, then=CLOSED)
    seen = When(met, then=Micros("met_at")), When(merged, then=Micros("ended_at"))
    rows: Any = deadlines_of(cohort, at).filter(cycle=1)
    return rows.values_list(*CELL, "calendar_id").annotate(
        how=Case(*ways, default=Value(OPEN), output_field=SmallIntegerField()),
        start=Micros("starts_at"),
        seen=Case(*seen, output_field=BigIntegerField()),
    )


class Micros(Func):
    """An instant as microseconds since 1970: exact, and much quicker to read than a datetime."""

    template = "(EXTRACT(EPOCH FROM %(expressions)s) * 1000000)::bigint"
    output_field = BigIntegerField()


def clocks_over(found: Mapping[Cell, Stretches]) -> dict[int, WorkingClock]:
    """A clock for each calendar, from the earliest start to the latest end. Three queries."""
    reach: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for (*_group, calendar), some in found.items():
        reach[calendar].append(some.reach)
    return clocks_of({calendar: from_first_to_last(spans) for calendar, spans in reach.items()})


def from_first_to_last(spans: Sequence[tuple[int, int]]) -> tuple[datetime, datetime]:
    return from_micros(min(start for start, _end in spans)), from_micros(max(end for _start, end in spans))


# --- all of it, and by group --------------------------------------------------------------------------------


class Allowed(NamedTuple):
    """Working minutes promised, from the shortest to the longest."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Pace:
    """Both numbers of one kind of deadline, for a group or for everybody; None where nothing was promised."""

    promises: Promises
    waited: Waited
    allowed: Allowed | None

    @property
    def is_enough(self) -> bool:
        return max(self.promises.kept.n, self.waited.count) >= MIN_ANSWERS_FOR_PERCENT


@dataclass(frozen=True, slots=True)
class Times:
    """By kind of deadline: of everybody, and of each group by what it is grouped by and its key."""

    all: dict[str, Pace]
    by: dict[str, dict[str, dict[int, Pace]]]


def times(
    cohort: TicketQuerySet,
    at: datetime,
    by: Iterable[str] = (TEAM, PRIORITY),
    people_of: Collection[int] | None = None,
) -> Times:
    """Promises and waiting of all, and by each of GROUPINGS asked for; people in tickets of these teams only.

    In seven queries, nine where a deadline was moved since `at`.
    """
    tallies, durations = Dues(cohort, at).tallies(), lengths(cohort, at)
    kinds = {
        kind: (
            [each for each in tallies if each.kind == kind],
            [each for each in durations if each.kind == kind],
        )
        for kind in KINDS
    }
    return Times(
        {kind: pace_of(*found) for kind, found in kinds.items()},
        {name: {kind: paces_by(name, *found, people_of) for kind, found in kinds.items()} for name in by},
    )


def paces_by(
    name: str, tallies: Iterable[Tally], durations: Iterable[Lengths], people_of: Collection[int] | None
) -> dict[int, Pace]:
    """Whatever has a deadline that began has one of the first cycle too."""
    if name == OWNER and people_of is not None:
        tallies = [each for each in tallies if each.team in people_of]
        durations = [each for each in durations if each.team in people_of]
    counts, times = grouped(tallies, attrgetter(name)), grouped(durations, attrgetter(name))
    return {key: pace_of(counts[key], times.get(key, [])) for key in sorted(counts)}


def pace_of(tallies: Sequence[Tally], durations: Sequence[Lengths]) -> Pace:
    allowed = (
        Allowed(min(row.least for row in tallies), max(row.most for row in tallies)) if tallies else None
    )
    return Pace(summed(tallies), waited_in(durations), allowed)
