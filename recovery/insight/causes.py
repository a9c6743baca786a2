"""What went wrong, the commonest first; what the customer said and what was found are kept apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from recovery.insight.cohort import Story
from recovery.insight.recovery import Rate, tally
from recovery.models import Cause

FOUND, SAID = "found", "said"
SIDES: Final = (FOUND, SAID)


@dataclass(frozen=True, slots=True)
class CauseCount:
    """`share` is of the tickets whose cause is known, `upto` that of this cause and all commoner ones."""

    cause: Cause
    count: int
    share: float
    upto: float


@dataclass(frozen=True, slots=True)
class Pareto:
    rows: list[CauseCount]
    known: int
    unknown: int


def pareto(told: Sequence[Story], side: str) -> Pareto:
    """Counts of the cause each ticket has in its story; where it has none yet it is unknown. One query."""
    return ranked(tally(told, lambda story: cause_of(story, side)))


def pareto_of_months(counts: Mapping[tuple[int | None, date], int]) -> Pareto:
    """The same from how many there are by cause and month (`Told.by_month`)."""
    totals: Counter[int | None] = Counter()
    for (cause, _month), count in counts.items():
        totals[cause] += count
    return ranked(totals)


def ranked(counts: Counter[int | None]) -> Pareto:
    unknown = counts.pop(None, 0)
    known = counts.total()
    causes = Cause.objects.in_bulk([pk for pk in counts if pk is not None])
    rows, upto = [], 0
    for pk, count in sorted(counts.items(), key=lambda item: (-item[1], item[0] or 0)):
        upto += count
        rows.append(CauseCount(causes[pk or 0], count, count / known, upto / known))
    return Pareto(rows, known, unknown)


def cause_of(story: Story, side: str) -> int | None:
    return story.cause_found if side == FOUND else story.cause_said


def agreement(told: Sequence[Story]) -> Rate:
    """How often what the customer said is what was found, of the tickets where both are known."""
    both = [story for story in told if story.cause_found is not None and story.cause_said is not None]
    same = sum(story.count for story in both if story.cause_found == story.cause_said)
    return Rate(same, sum(story.count for story in both))


@dataclass(frozen=True, slots=True)
class Monthly:
    """`counts` of each cause by its id, one for each of `months` (their first days), the earliest first.

    `unknown` have no cause yet; `all` are the low scores of the month, whether their cause is known or not.
    """

    months: list[date]
    counts: dict[int, list[int]]
    unknown: list[int]
    all: list[int]


def by_month(counts: Mapping[tuple[int | None, date], int]) -> Monthly:
    """From how many there are by cause and month (`Told.by_month`); a month without any has noughts."""
    months = all_between(sorted({month for _cause, month in counts}))
    causes = sorted({cause for cause, _month in counts if cause is not None})
    every: Counter[date] = Counter()
    for (_cause, month), count in counts.items():
        every[month] += count
    return Monthly(
        months,
        {cause: [counts.get((cause, month), 0) for month in months] for cause in causes},
        unknown=[counts.get((None, month), 0) for month in months],
        all=[every[month] for month in months],
    )


def all_between(months: list[date]) -> list[date]:
    if not months:
        return []
    first, last = (12 * month.year + month.month - 1 for month in (months[0], months[-1]))
    return [date(number // 12, number % 12 + 1, 1) for number in range(first, last + 1)]
