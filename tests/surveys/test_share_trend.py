"""The trend of a share over ordered classes, against the score test of a regression and by hand."""

import math
from random import Random

import numpy
import pytest
from scipy import stats

from surveys.estimates import Z, share_trend, share_trend_p


def armitage(levels: list[float], hits: list[int], totals: list[int]) -> float:
    """z of the Cochran-Armitage test: the correlation of class and outcome over all people, times root n."""
    classes = numpy.repeat(levels, totals)
    outcomes = numpy.concatenate([[1] * hit + [0] * (n - hit) for hit, n in zip(hits, totals, strict=True)])
    return float(stats.pearsonr(classes, outcomes).statistic) * math.sqrt(sum(totals))


@pytest.mark.parametrize("seed", range(40))
def test_it_is_the_slope_of_a_straight_line_with_the_variance_of_the_test(seed: int) -> None:
    chance = Random(seed)
    levels = [0.0, 1.0, 2.0, 3.0][: chance.randrange(2, 5)]
    totals = [chance.randrange(1, 60) for _ in levels]
    hits = [chance.randrange(n + 1) for n in totals]
    found = share_trend(levels, hits, totals)
    if sum(hits) in (0, sum(totals)):
        assert found is None
        return
    assert found is not None
    classes = numpy.repeat(levels, totals)
    outcomes = numpy.concatenate([[1] * hit + [0] * (n - hit) for hit, n in zip(hits, totals, strict=True)])
    assert found.value == pytest.approx(stats.linregress(classes, outcomes).slope, abs=1e-9)
    half = (found.interval.high - found.interval.low) / 2
    assert found.value / half * Z == pytest.approx(armitage(levels, hits, totals), abs=1e-9)
    assert found.is_clear == (abs(armitage(levels, hits, totals)) > Z)
    p = 2 * stats.norm.sf(abs(armitage(levels, hits, totals)))
    assert share_trend_p(levels, hits, totals) == pytest.approx(p, abs=1e-9)


def test_by_hand() -> None:
    # 8 of 10, 5 of 10, 2 of 10: half recovered, each step 30 points fewer; spread 20, variance 1/4 : 20.
    found = share_trend([0, 1, 2], [8, 5, 2], [10, 10, 10])
    assert found is not None
    assert found.value == pytest.approx(-0.3)
    assert found.interval.high == pytest.approx(-0.3 + Z * math.sqrt(0.25 / 20))
    assert found.is_clear


def test_no_trend_is_seen_in_one_class_or_where_all_ended_alike() -> None:
    assert share_trend([0, 1], [3, 0], [10, 0]) is None
    assert share_trend([0, 1], [0, 0], [10, 10]) is None
    assert share_trend([0, 1], [10, 10], [10, 10]) is None
    assert share_trend([], [], []) is None
    assert share_trend_p([], [], []) is None


def test_more_hits_than_people_are_refused() -> None:
    with pytest.raises(ValueError, match="part"):
        share_trend([0], [2], [1])
