"""Whether a cause is found, or said, more or less often from month to month: over whole months only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from dispatch.clock import midnight
from recovery.insight.causes import Monthly, Pareto
from recovery.insight.cohort import Slice
from recovery.models import Cause
from surveys.estimates import (
    MIN_ANSWERS_FOR_PERCENT,
    MIN_ANSWERS_FOR_RANKING,
    Difference,
    holm,
    share_trend,
    share_trend_p,
)

MIN_MONTHS: Final = 3
MORE, LESS, UNCLEAR = "more", "less", "unclear"
# Clear by itself, but not among so many causes looked at.
PERHAPS: Final = "perhaps_chance"
TOO_FEW: Final = "too_few"


@dataclass(frozen=True, slots=True)
class CauseTrend:
    """`per_month` is by how much its share of the known causes changes each month; `p` is corrected by Holm.

    Both are None for a cause that is not tested: one with fewer than ten tickets, or the only one there is.
    """

    cause: Cause
    count: int
    per_month: Difference | None = None
    p: float | None = None

    @property
    def direction(self) -> str:
        if self.per_month is None or self.p is None:
            return TOO_FEW if self.count < MIN_ANSWERS_FOR_PERCENT else UNCLEAR
        if not self.per_month.is_clear:
            return UNCLEAR
        if self.p > 0.05:
            return PERHAPS
        return MORE if self.per_month.value > 0 else LESS


@dataclass(frozen=True, slots=True)
class CauseTrends:
    """The causes that the whole `months` know, the commonest of the period first; `left_out` are in part."""

    months: list[date]
    left_out: list[date]
    known: int
    rows: list[CauseTrend]

    @property
    def is_enough(self) -> bool:
        return len(self.months) >= MIN_MONTHS and self.known >= MIN_ANSWERS_FOR_RANKING

    def of(self, cause: Cause) -> CauseTrend | None:
        return next((row for row in self.rows if row.cause == cause), None)

    def going(self, direction: str) -> list[CauseTrend]:
        return [row for row in self.rows if row.direction == direction]


def trends(found: Pareto, months: Monthly, which: Slice, at: datetime) -> CauseTrends:
    """The test of Cochran and Armitage for each cause, with Holm's correction for all that are tested.

    Shares are of the tickets of a month whose cause is known: where those not known yet are of other causes
    than the rest, the latest months mislead. Too few months or tickets leave the causes without a figure.
    """
    whole = [is_whole(month, which, at) for month in months.months]
    known = [all_ - none for all_, none in zip(months.all, months.unknown, strict=True)]
    kept = CauseTrends(
        [month for month, yes in zip(months.months, whole, strict=True) if yes],
        [month for month, yes in zip(months.months, whole, strict=True) if not yes],
        sum(of_whole(known, whole)),
        [],
    )
    counts = {row.cause: of_whole(months.counts[row.cause.pk], whole) for row in found.rows}
    if kept.is_enough:
        kept.rows.extend(tested(counts, of_whole(known, whole)))
    return kept


def is_whole(month: date, which: Slice, at: datetime) -> bool:
    """Whether all days of the month lie in the period, and are over."""
    last = midnight((month + timedelta(days=31)).replace(day=1)) - timedelta(microseconds=1)
    is_over = last <= at and (which.end is None or last < which.end)
    return is_over and which.start is not None and which.start <= midnight(month)


def of_whole(counts: Sequence[int], whole: Sequence[bool]) -> list[int]:
    return [count for count, yes in zip(counts, whole, strict=True) if yes]


def tested(counts: dict[Cause, list[int]], known: list[int]) -> list[CauseTrend]:
    places = range(len(known))
    rows = {cause: CauseTrend(cause, sum(hits)) for cause, hits in counts.items()}
    chances = {
        cause: p
        for cause, hits in counts.items()
        if sum(hits) >= MIN_ANSWERS_FOR_PERCENT and (p := share_trend_p(places, hits, known)) is not None
    }
    corrected = dict(zip(chances, holm(list(chances.values())), strict=True))
    for cause, p in corrected.items():
        per_month = share_trend(places, counts[cause], known)
        rows[cause] = CauseTrend(cause, sum(counts[cause]), per_month, p)
    return list(rows.values())
