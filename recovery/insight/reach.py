"""When people pick up, and how many attempts it takes: read from the contact log."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Final, NamedTuple, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from recovery.insight.cohort import keys
from recovery.insight.recovery import Rate
from recovery.insight.times import grouped
from recovery.models import Contact
from recovery.models.contact import REACHED, REPLIED
from recovery.models.ticket import TicketQuerySet
from surveys.estimates import MIN_ANSWERS_FOR_RANKING, CensoredTimes, censored_times

Key = TypeVar("Key", bound=Hashable)

WEEKDAYS: Final = range(7)


class Attempt(NamedTuple):
    """One contact we made, by the clock on the customer's wall: weekday 0 is Monday.

    `own_zone` is False where the customer's zone is not known and their team's stands in.
    """

    ticket: int
    weekday: int
    hour: int
    channel: str
    reached: bool
    own_zone: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """Reached of all attempts, and at how many tickets they were made."""

    rate: Rate
    tickets: frozenset[int]


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


@dataclass(frozen=True)
class Reach:
    """All attempts of a cohort. A reply is none: the customer chose its hour. It is counted beside."""

    attempts: list[Attempt]
    replies: int
    search: Search

    @property
    def rate(self) -> Rate:
        return rate_of(self.attempts)

    @property
    def tickets(self) -> frozenset[int]:
        return tickets_of(self.attempts)

    @property
    def in_own_zone(self) -> int:
        return sum(attempt.own_zone for attempt in self.attempts)

    @cached_property
    def slots(self) -> dict[tuple[int, int], Tally]:
        return tallied(self.attempts, lambda each: (each.weekday, each.hour))

    @cached_property
    def hours(self) -> dict[int, Tally]:
        return tallied(self.attempts, lambda each: each.hour)

    @cached_property
    def weekdays(self) -> dict[int, Tally]:
        return tallied(self.attempts, lambda each: each.weekday)

    @cached_property
    def channels(self) -> dict[str, Tally]:
        return tallied(self.attempts, lambda each: each.channel)


def reach(cohort: TicketQuerySet, at: datetime) -> Reach:
    """Every contact up to `at`, in one query."""
    rows = Contact.objects.filter(ticket__in=keys(cohort), at__lte=at).order_by("at", "id")
    zones = ("ticket__customer__time_zone", "ticket__team__calendar__time_zone")
    log = [Logged(*row) for row in rows.values_list("ticket_id", "at", "channel", "outcome", *zones)]
    attempts = [attempt_of(row) for row in log if row.outcome != REPLIED]
    return Reach(attempts, len(log) - len(attempts), search_of(log))


class Logged(NamedTuple):
    ticket: int
    at: datetime
    channel: str
    outcome: str
    zone: str | None
    team_zone: str


def attempt_of(row: Logged) -> Attempt:
    own = zone_named(row.zone or "")
    local = row.at.astimezone(own or zone_named(row.team_zone) or ZoneInfo("UTC"))
    return Attempt(
        row.ticket, local.weekday(), local.hour, row.channel, row.outcome == REACHED, own is not None
    )


@lru_cache(maxsize=1024)
def zone_named(name: str) -> ZoneInfo | None:
    """None for a name no zone has, or none."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def search_of(log: Iterable[Logged]) -> Search:
    """Of every ticket at which at least one attempt was made, in the order of its contacts."""
    searches = [tried for tried in map(tries_of, grouped(log, lambda row: row.ticket).values()) if tried[0]]
    tries, found = [tried for tried, _found in searches], [found for _tried, found in searches]
    return Search(censored_times(tries, found), Rate(sum(found), sum(tries)))


def tries_of(contacts: Iterable[Logged]) -> tuple[int, bool]:
    """The attempts until the first that reached, and whether one did; a reply ends the search."""
    tries = 0
    for contact in contacts:
        if contact.outcome == REPLIED:
            break
        tries += 1
        if contact.outcome == REACHED:
            return tries, True
    return tries, False


def tallied(attempts: Iterable[Attempt], key: Callable[[Attempt], Key]) -> dict[Key, Tally]:
    found = grouped(attempts, key)
    return {each: Tally(rate_of(some), tickets_of(some)) for each, some in found.items()}


def rate_of(attempts: list[Attempt]) -> Rate:
    return Rate(sum(attempt.reached for attempt in attempts), len(attempts))


def tickets_of(attempts: Iterable[Attempt]) -> frozenset[int]:
    return frozenset(attempt.ticket for attempt in attempts)


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
