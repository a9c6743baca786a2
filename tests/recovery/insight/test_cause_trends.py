"""Trends of causes: over whole months, against statsmodels and scipy, with Holm, and at the edges."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from random import Random

import numpy
import pytest

from recovery.insight.cause_trends import (
    LESS,
    MORE,
    PERHAPS,
    TOO_FEW,
    UNCLEAR,
    CauseTrends,
    is_whole,
    trends,
)
from recovery.insight.causes import CauseCount, Monthly, Pareto, all_between
from recovery.insight.cohort import Slice
from recovery.models import Cause

multi = pytest.importorskip("statsmodels.stats.multitest")
stats = pytest.importorskip("scipy.stats")
YEAR = Slice(start=datetime(2026, 1, 1, tzinfo=UTC), end=datetime(2027, 1, 1, tzinfo=UTC))
AFTER = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _utc(settings: object) -> None:
    settings.TIME_ZONE = "UTC"  # type: ignore[attr-defined]


def found_of(
    counts: dict[str, list[int]],
    unknown: int = 0,
    which: Slice = YEAR,
    at: datetime = AFTER,
    first: date = date(2026, 1, 1),
) -> CauseTrends:
    """The causes by name, each with its tickets month by month from the first."""
    causes = {name: Cause(pk=place, code=name, name=name) for place, name in enumerate(counts, start=1)}
    size = max(map(len, counts.values()), default=1)
    months = all_between([first, (first + timedelta(days=31 * (size - 1) + 3)).replace(day=1)])
    known = [sum(each) for each in zip(*counts.values(), strict=True)] or [0] * len(months)
    monthly = Monthly(
        months,
        {causes[name].pk: each for name, each in counts.items()},
        unknown=[unknown] * len(months),
        all=[each + unknown for each in known],
    )
    rows = [CauseCount(causes[name], sum(each), 0, 0) for name, each in counts.items()]
    return trends(Pareto(rows, sum(known), 0), monthly, which, at)


def directions(found: CauseTrends) -> dict[str, str]:
    return {row.cause.code: row.direction for row in found.rows}


def test_by_hand() -> None:
    """2, 5 and 8 of 10: 30 points more each month; the other 30 fewer. Spread 20, variance 1/4 : 20."""
    found = found_of({"late": [2, 5, 8], "rude": [8, 5, 2]})
    assert (found.known, len(found.months), found.left_out) == (30, 3, [])
    late, rude = found.rows
    assert late.per_month is not None
    assert late.per_month.value == pytest.approx(0.3)
    assert late.per_month.interval.low == pytest.approx(0.3 - 1.959963984540054 * math.sqrt(0.25 / 20))
    p = math.erfc(0.3 / math.sqrt(0.25 / 20) / math.sqrt(2))
    assert late.p == pytest.approx(2 * p), "two were looked at"
    assert directions(found) == {"late": MORE, "rude": LESS}
    assert found.going(MORE) == [late]
    assert found.of(rude.cause) == rude


@pytest.mark.parametrize("seed", range(20))
def test_it_agrees_with_scipy_and_statsmodels(seed: int) -> None:
    chance = Random(seed)
    size = chance.randrange(3, 9)
    counts = {name: [chance.randrange(4, 30) for _ in range(size)] for name in "abcd"}
    found = found_of(counts, unknown=chance.randrange(9))
    known = [sum(each) for each in zip(*counts.values(), strict=True)]
    months = numpy.repeat(range(size), known)
    chances = []
    for name, row in zip("abcd", found.rows, strict=True):
        hits = counts[name]
        outcomes = numpy.concatenate(
            [[1] * hit + [0] * (n - hit) for hit, n in zip(hits, known, strict=True)]
        )
        assert row.per_month is not None
        assert row.per_month.value == pytest.approx(stats.linregress(months, outcomes).slope, abs=1e-9)
        z = stats.pearsonr(months, outcomes).statistic * math.sqrt(len(months))
        chances.append(2 * stats.norm.sf(abs(z)))
    corrected = multi.multipletests(chances, method="holm")[1]
    assert [row.p for row in found.rows] == pytest.approx(list(corrected), abs=1e-9)


def test_what_is_clear_alone_may_be_chance_among_many() -> None:
    steady = {name: [20, 20, 20] for name in "abcdefgh"}
    row = found_of({"late": [12, 20, 26], **steady}).rows[0]
    assert row.per_month is not None
    assert row.per_month.is_clear
    assert row.direction == PERHAPS


def test_nothing_changes_is_no_clear_change() -> None:
    found = found_of({"late": [10, 10, 10], "rude": [10, 10, 10]})
    assert directions(found) == {"late": UNCLEAR, "rude": UNCLEAR}
    assert found.rows[0].per_month is not None
    assert found.rows[0].per_month.value == 0


def test_the_only_cause_there_is_cannot_change_its_share() -> None:
    found = found_of({"late": [10, 30, 50]})
    assert [(row.direction, row.per_month, row.p) for row in found.rows] == [(UNCLEAR, None, None)]


def test_a_rare_cause_is_too_few_and_does_not_weigh_on_the_others() -> None:
    with_rare = found_of({"late": [2, 5, 8], "rude": [8, 5, 2], "lost": [3, 3, 3]})
    assert directions(with_rare)["lost"] == TOO_FEW
    late = with_rare.rows[0]
    assert late.p is not None
    z = stats.norm.isf(late.p / 2 / 2)
    assert late.per_month is not None
    half = late.per_month.interval.high - late.per_month.value
    assert late.per_month.value / half * 1.959963984540054 == pytest.approx(z)


@pytest.mark.parametrize(
    ("counts", "months", "known"),
    [
        ({"late": [50, 50], "rude": [5, 5]}, 2, 110),
        ({"late": [9, 9, 9], "rude": [1, 1, 0]}, 3, 29),
        ({}, 1, 0),
    ],
)
def test_too_few_months_or_tickets_give_no_figure(
    counts: dict[str, list[int]], months: int, known: int
) -> None:
    found = found_of(counts)
    assert (len(found.months), found.known, found.is_enough, found.rows) == (months, known, False, [])


def test_months_in_part_are_left_out() -> None:
    which = Slice(start=datetime(2026, 1, 2, tzinfo=UTC), end=datetime(2026, 5, 31, tzinfo=UTC))
    found = found_of({"late": [90, 2, 5, 8, 90], "rude": [1, 8, 5, 2, 1]}, which=which)
    assert found.left_out == [date(2026, 1, 1), date(2026, 5, 1)]
    assert (found.known, len(found.months)) == (30, 3)
    assert found.rows[0].count == 15
    assert found.rows[0].per_month is not None
    assert found.rows[0].per_month.value == pytest.approx(0.3)


def test_a_month_nobody_complained_in_is_a_month_all_the_same() -> None:
    found = found_of({"late": [5, 0, 0, 15], "rude": [15, 0, 0, 5]})
    row = found.rows[0]
    assert row.per_month is not None
    assert row.per_month.value == pytest.approx(0.5 / 3)


@pytest.mark.parametrize(
    ("start", "end", "at", "whole"),
    [
        (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC), AFTER, True),
        (datetime(2026, 3, 1, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC), AFTER, False),
        (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 31, tzinfo=UTC), AFTER, False),
        (datetime(2026, 2, 1, tzinfo=UTC), None, AFTER, True),
        (None, None, AFTER, False),
        (datetime(2026, 2, 1, tzinfo=UTC), None, datetime(2026, 3, 31, 12, tzinfo=UTC), False),
        # The end of a past day is its last moment.
        (
            datetime(2026, 2, 1, tzinfo=UTC),
            datetime(2026, 4, 1, tzinfo=UTC),
            datetime(2026, 4, 1, tzinfo=UTC) - timedelta(microseconds=1),
            True,
        ),
    ],
)
def test_a_month_is_whole_where_all_its_days_are_in_and_over(
    start: datetime | None, end: datetime | None, at: datetime, whole: bool
) -> None:
    assert is_whole(date(2026, 3, 1), Slice(start=start, end=end), at) == whole
