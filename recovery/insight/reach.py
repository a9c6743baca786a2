"""When people pick up, and how many attempts it takes: PostgreSQL counts the contact log."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, repeat
from typing import Any, Final, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from django.db.models import (
    BooleanField,
    Count,
    Expression,
    ExpressionWrapper,
    F,
    Max,
    Min,
    Q,
    QuerySet,
    Value,
)
from django.db.models.functions import Coalesce

from recovery.insight.cohort import keys
from recovery.insight.recovery import Rate
from recovery.insight.wall_clock import shifts, zone_named
from recovery.models import Contact
from recovery.models.contact import REACHED, REPLIED
from recovery.models.ticket import TicketQuerySet
from surveys.estimates import MIN_ANSWERS_FOR_RANKING, CensoredTimes, censored_times
from surveys.results.statements import found_by, over

Key = TypeVar("Key", bound=Hashable)

WEEKDAYS: Final = range(7)
HOURS: Final = range(24)


@dataclass(frozen=True, slots=True)
class Tally:
    """Reached of all attempts, and at how many tickets they were made."""

    rate: Rate
    tickets: int


@dataclass(frozen=True, slots=True)
class PerReach:
    """How many attempts one reach costs. `high` is None where the data set no limit."""

    value: float
    low: float
    high: float | None


@dataclass(frozen=True, slots=True)
class Search:
    """From the first attempt at a ticket to the first that reached somebody.

    `times` counts in attempts: a ticket without a reach is censored at the attempts made, so those still
    being tried, those given up and those whose customer replied by themselves first all count as far as
    they went. `rate` is the tickets reached of the attempts it took, until the first reach of each.
    """

    times: CensoredTimes
    rate: Rate

    @property
    def per_reach(self) -> PerReach | None:
        """1 / the share of attempts that reached, with the Wilson interval of that share turned round.

        None below ten attempts, and where nobody was reached.
        """
        share, ends = self.rate.share, self.rate.interval
        if not share or ends is None:
            return None
        return PerReach(1 / share, 1 / ends.high, 1 / ends.low if ends.low else None)

    def by_attempt(self, number: int) -> float:
        """The share reached by this attempt (Kaplan-Meier)."""
        done = [step.survival for step in self.times.steps if step.time <= number]
        return 1 - done[-1] if done else 0.0


@dataclass(frozen=True, slots=True)
class Reach:
    """All attempts of a cohort by the clock on the customer's wall; weekday 0 is Monday.

    Where the customer's zone is not known their team's stands in; `in_own_zone` are the others. A reply is no
    attempt: the customer chose its hour. It is counted beside.
    """

    everything: Tally
    slots: dict[tuple[int, int], Tally]
    weekdays: dict[int, Tally]
    hours: dict[int, Tally]
    channels: dict[str, Tally]
    in_own_zone: int
    replies: int
    search: Search


def reach(cohort: TicketQuerySet, at: datetime) -> Reach:
    """Every contact up to `at`, in two queries."""
    zones = zones_of(cohort, at)
    counted = over(logged(cohort, at), LOGGED + COUNTED)
    lines = [Line(*row) for row in found_by(counted, values=columns(walls(zones)))]
    attempts = [line for line in lines if line.tries is None]
    slots = [(line.weekday, line.hour, line.tally) for line in attempts]
    everything = [line for line in attempts if (line.weekday, line.hour, line.channel) == (None, None, None)]
    return Reach(
        everything=next((line.tally for line in everything), Tally(Rate(0, 0), 0)),
        slots={(day, hour): tally for day, hour, tally in slots if day is not None and hour is not None},
        weekdays={day: tally for day, hour, tally in slots if day is not None and hour is None},
        hours={hour: tally for day, hour, tally in slots if day is None and hour is not None},
        channels={line.channel: line.tally for line in attempts if line.channel is not None},
        in_own_zone=sum(line.in_own_zone for line in everything),
        replies=sum(zone.replies for zone in zones),
        search=search_of((line.tries, line.n, line.hits) for line in lines if line.tries is not None),
    )


class Line(NamedTuple):
    """Attempts alike in what is not None; or, with `tries`, the searches of so many attempts."""

    tries: int | None
    weekday: int | None
    hour: int | None
    channel: str | None
    n: int
    hits: int
    tickets: int
    in_own_zone: int
    began: datetime | None

    @property
    def tally(self) -> Tally:
        return Tally(Rate(self.hits, self.n), self.tickets)


# --- the contact log ----------------------------------------------------------------------------------------


def contacts(cohort: TicketQuerySet, at: datetime) -> QuerySet[Contact]:
    return Contact.objects.filter(ticket__in=keys(cohort), at__lte=at).order_by()


def attempts_at(cohort: TicketQuerySet, at: datetime) -> QuerySet[Contact]:
    return contacts(cohort, at).exclude(outcome=REPLIED)


def is_(outcome: str) -> Expression:
    return ExpressionWrapper(Q(outcome=outcome), output_field=BooleanField())


def logged(cohort: TicketQuerySet, at: datetime) -> QuerySet[Contact, tuple[object, ...]]:
    """The columns of LOGGED."""
    rows = zoned(contacts(cohort, at)).annotate(is_reached=is_(REACHED), is_reply=is_(REPLIED))
    return rows.values_list("ticket_id", "id", "at", "channel", "is_reached", "is_reply", "own", "of_team")


def zoned(rows: QuerySet[Contact]) -> QuerySet[Contact]:
    own = Coalesce("ticket__customer__time_zone", Value(""))
    return rows.annotate(own=own, of_team=F("ticket__team__calendar__time_zone"))


class Zones(NamedTuple):
    """The zones named for a customer and for their team, and the contacts of both."""

    own: str
    of_team: str
    replies: int
    first: datetime
    last: datetime


def zones_of(cohort: TicketQuerySet, at: datetime) -> list[Zones]:
    rows: Any = zoned(contacts(cohort, at))
    replies = Count("pk", filter=Q(outcome=REPLIED))
    found = rows.values_list("own", "of_team").annotate(replies=replies, first=Min("at"), last=Max("at"))
    return [Zones(*row) for row in found]


class Wall(NamedTuple):
    """How far the clock on such a customer's wall is off UTC, for a while, and whether it is their own."""

    own: str
    of_team: str
    is_own: bool
    since: datetime
    until: datetime
    off: timedelta


def walls(zones: Iterable[Zones]) -> Iterator[Wall]:
    for own, of_team, _replies, first, last in zones:
        theirs = zone_named(own)
        zone = theirs or zone_named(of_team) or ZoneInfo("UTC")
        for year in range(first.year, last.year + 1):
            for shift in shifts(zone, year):
                yield Wall(own, of_team, theirs is not None, *shift)


def columns(rows: Iterable[Wall]) -> list[list[object]]:
    """As many as a Wall has, also where there is no row."""
    found = list(rows)
    return [[row[place] for row in found] for place in range(len(Wall._fields))]


LOGGED: Final = """
WITH logged (ticket, id, made_at, channel, is_reached, is_reply, own, of_team) AS MATERIALIZED ({rows}),
walls AS (
    SELECT * FROM unnest(%s::text[], %s::text[], %s::boolean[], %s::timestamptz[], %s::timestamptz[],
        %s::interval[]) AS wall (own, of_team, is_own, since, until, off)
),
attempts AS (
    SELECT ticket, made_at, channel, is_reached, is_own,
        extract(isodow FROM local_time)::integer - 1 AS weekday,
        extract(hour FROM local_time)::integer AS hour
    FROM logged JOIN walls USING (own, of_team),
        LATERAL (SELECT made_at AT TIME ZONE 'UTC' + off AS local_time) AS clock
    WHERE NOT is_reply AND made_at >= since AND made_at < until
)
"""
# A search ends with the first reach, or with a reply: the customer came by themselves.
COUNTED: Final = """,
numbered AS (
    SELECT ticket, is_reached, is_reply,
        row_number() OVER (PARTITION BY ticket ORDER BY made_at, id) AS number
    FROM logged
),
ends AS (
    SELECT ticket, count(*) AS made, min(number) FILTER (WHERE is_reached) AS reached,
        min(number) FILTER (WHERE is_reply) - 1 AS before_reply
    FROM numbered GROUP BY ticket
),
searches AS (
    SELECT least(reached, before_reply, made) AS tries,
        coalesce(reached <= least(before_reply, made), false) AS is_found
    FROM ends
)
SELECT NULL AS tries, weekday, hour, channel, count(*), count(*) FILTER (WHERE is_reached),
    count(DISTINCT ticket), count(*) FILTER (WHERE is_own), min(made_at) AS began
FROM attempts GROUP BY GROUPING SETS ((weekday, hour), (weekday), (hour), (channel), ())
UNION ALL
SELECT tries, NULL, NULL, NULL, count(*), count(*) FILTER (WHERE is_found), count(*), 0, NULL
FROM searches WHERE tries > 0 GROUP BY tries
ORDER BY began, weekday, hour, channel, tries
"""
TRIED_THEN: Final = """
SELECT DISTINCT ticket FROM attempts WHERE weekday = coalesce(%s, weekday) AND hour = coalesce(%s, hour)
"""


def tried_then(
    cohort: TicketQuerySet, at: datetime, *, weekday: int | None = None, hour: int | None = None
) -> list[int]:
    """The tickets at which an attempt was made on this weekday, at this hour, or both. Two queries."""
    values = [*columns(walls(zones_of(cohort, at))), weekday, hour]
    return [ticket for (ticket,) in found_by(over(logged(cohort, at), LOGGED + TRIED_THEN), values=values)]


# --- what it tells ------------------------------------------------------------------------------------------


def search_of(searches: Iterable[tuple[int, int, int]]) -> Search:
    """From how many searches took so many attempts, and how many of these reached somebody."""
    found = sorted(searches)
    tries = chain.from_iterable(repeat(tries, n) for tries, n, _hits in found)
    ends = chain.from_iterable(
        chain(repeat(True, hits), repeat(False, n - hits)) for _tries, n, hits in found
    )
    reached, attempts = sum(hits for _tries, _n, hits in found), sum(tries * n for tries, n, _hits in found)
    return Search(censored_times(list(tries), list(ends)), Rate(reached, attempts))


def standouts(tallies: Mapping[Key, Tally]) -> tuple[Key, Key] | None:
    """The best and the worst, of those with thirty attempts each; None where their intervals overlap."""
    ranked = [key for key, tally in tallies.items() if tally.rate.n >= MIN_ANSWERS_FOR_RANKING]
    if len(ranked) < 2:
        return None
    best = max(ranked, key=lambda key: tallies[key].rate.share or 0)
    worst = min(ranked, key=lambda key: tallies[key].rate.share or 0)
    above, below = tallies[best].rate.interval, tallies[worst].rate.interval
    assert above is not None
    assert below is not None
    return (best, worst) if above.low > below.high else None
