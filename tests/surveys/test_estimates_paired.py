"""Means, rank correlations and the change of the same people, against oracles and by trying every case."""

from __future__ import annotations

import math
from itertools import pairwise, product
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from surveys import estimates

np = pytest.importorskip("numpy")
stats = pytest.importorskip("scipy.stats")
Array = Any


def test_it_knows_students_t_to_nine_places() -> None:
    for freedom in [*range(1, 60), 99, 100, 399, 400, 401, 999, 10_000, 10**6]:
        assert estimates.student_t(freedom) == pytest.approx(float(stats.t.ppf(0.975, freedom)), abs=1e-9)
    with pytest.raises(ValueError, match="at least one"):
        estimates.student_t(0)


@given(st.lists(st.integers(1, 5), min_size=2, max_size=80))
@settings(deadline=None)
def test_it_agrees_with_scipy_on_means(values: list[int]) -> None:
    found = estimates.mean_interval(values)
    if len(set(values)) == 1:
        assert found is None
        return
    error = stats.sem(values)
    low, high = stats.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=error)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((float(low), float(high)), abs=1e-9)


@pytest.mark.parametrize("values", [[], [3], [4, 4, 4]])
def test_it_gives_no_interval_of_a_mean_that_nothing_varies_around(values: list[int]) -> None:
    assert estimates.mean_interval(values) is None


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 10)), min_size=4, max_size=60))
@settings(deadline=None)
def test_it_agrees_with_scipy_on_the_interval_of_a_rank_correlation(pairs: list[tuple[int, int]]) -> None:
    first, second = zip(*pairs, strict=True)
    assume(len(set(first)) > 1 and len(set(second)) > 1)
    rho = estimates.spearman(first, second)
    oracle = float(stats.spearmanr(first, second).statistic)
    assert rho == pytest.approx(oracle, abs=1e-9)
    assert rho is not None
    found = estimates.spearman_interval(rho, len(pairs))
    if abs(rho) == 1:
        assert found is None
        return
    # Fisher's z with the variance of Bonett and Wright, by the normal distribution of scipy.
    spread = math.sqrt((1 + oracle**2 / 2) / (len(pairs) - 3))
    ends = stats.norm.interval(0.95, loc=np.arctanh(oracle), scale=spread)
    assert found is not None
    assert (found.low, found.high) == pytest.approx(tuple(np.tanh(ends)), abs=1e-7)


def test_it_gives_no_interval_of_a_perfect_correlation_or_of_three_pairs() -> None:
    assert estimates.spearman_interval(1.0, 100) is None
    assert estimates.spearman_interval(-1.0, 100) is None
    assert estimates.spearman_interval(0.5, 3) is None
    with pytest.raises(ValueError, match="between"):
        estimates.spearman_interval(1.1, 10)


# --- the same people twice ----------------------------------------------------------------------------------


def test_it_adds_one_pair_to_the_change_of_an_nps() -> None:
    """By hand: 4 up by one, 2 up by two, 2 down by one, 12 unchanged: 6 of 20, 30 points."""
    found = estimates.nps_paired_difference([1] * 4 + [2] * 2 + [-1] * 2 + [0] * 12)
    # 6 / 21 = 0.285714; ((14 + 1) / 21 - 0.285714^2) / 21 = 0.030126, its root 0.173570; t of 20 is 2.085963
    assert found is not None
    assert found.value == pytest.approx(30)
    assert (found.interval.low, found.interval.high) == pytest.approx((-7.6346, 64.7775), abs=1e-3)
    assert not found.is_clear


def test_it_is_students_interval_of_the_changes_and_the_pair_that_is_added() -> None:
    changes = [1] * 40 + [2] * 20 + [-1] * 25 + [0] * 60
    # Unrelated answers of quarters: 1/16, 1/4, 3/8, 1/4 and 1/16 of a pair change by -2 to 2.
    mean, squares = sum(changes) / 146, sum(each**2 for each in changes) + 2 * 4 / 16 + 2 / 4
    error = math.sqrt((squares / 146 - mean**2) / 146)
    oracle = stats.t.interval(0.95, 145, loc=100 * mean, scale=100 * error)
    found = estimates.nps_paired_difference(changes)
    assert found is not None
    assert (found.interval.low, found.interval.high) == pytest.approx(tuple(map(float, oracle)), abs=1e-7)


@pytest.mark.parametrize(
    ("changes", "low", "high"), [([], None, None), ([2], -200, 200), ([0] * 10, -50, 50)]
)
def test_it_stays_within_reason_for_few(changes: list[int], low: float | None, high: float | None) -> None:
    found = estimates.nps_paired_difference(changes)
    if low is None or high is None:
        assert found is None
        return
    assert found is not None
    assert low <= found.interval.low <= found.interval.high <= high


def test_it_refuses_a_change_nobody_can_make() -> None:
    with pytest.raises(ValueError, match="between"):
        estimates.nps_paired_difference([3])


def test_it_agrees_with_bonett_and_price_on_paired_shares() -> None:
    """Their formula by hand: 9 gained, 2 lost, of 40: (10/42, 3/42), centre 1/6."""
    found = estimates.paired_difference(9, 2, 40)
    assert found is not None
    assert found.value == 7 / 40
    margin = estimates.Z * math.sqrt((13 / 42 - (7 / 42) ** 2) / 42)
    ends = 7 / 42 - margin, 7 / 42 + margin
    assert (found.interval.low, found.interval.high) == pytest.approx(ends)
    assert estimates.paired_difference(0, 0, 0) is None
    with pytest.raises(ValueError, match="larger"):
        estimates.paired_difference(6, 5, 10)


def paired_worlds() -> list[Array]:
    """The chances of each change, for people whose answers are unrelated, related, and much related."""
    shares = [(0.2, 0.2), (0.3, 0.5), (0.5, 0.2), (0.6, 0.1), (0.1, 0.7)]
    worlds = []
    for (p1, d1), (p2, d2) in product(shares, shares):
        one, two = np.array([d1, 1 - p1 - d1, p1]), np.array([d2, 1 - p2 - d2, p2])
        for same in (0.0, 0.4, 0.8):
            # Some keep the better or worse of one draw for both answers, as far as the margins allow.
            table = (1 - same) * np.outer(one, two) + same * comonotone(one, two)
            chances = [float(np.trace(table, offset=offset)) for offset in range(-2, 3)]
            worlds.append(np.array(chances))
    return worlds


def comonotone(one: Array, two: Array) -> Array:
    """The table in which whoever is lower the first time is not higher the second."""
    ends = [0.0, *np.cumsum(one)], [0.0, *np.cumsum(two)]
    return np.array(
        [[max(0.0, min(b, d) - max(a, c)) for c, d in pairwise(ends[1])] for a, b in pairwise(ends[0])]
    )


@pytest.mark.parametrize(("n", "least", "most"), [(10, 0.945, 0.97), (30, 0.945, 0.96)])
def test_its_interval_of_a_paired_change_covers_the_truth(n: int, least: float, most: float) -> None:
    """Every way in which n people can change, with its chance: no simulation."""
    counts = np.array(compositions(n))
    moves = np.array([-2, -1, 0, 1, 2])
    ends = [interval_of(each) for each in counts.tolist()]
    low, high = np.array(ends).T
    logs = np.array([math.lgamma(each + 1) for each in range(n + 1)])
    ways = logs[n] - logs[counts].sum(axis=1)
    covered = []
    for chances in paired_worlds():
        truth = float(moves @ chances)
        with np.errstate(divide="ignore", invalid="ignore"):
            weights = np.exp(ways + np.where(counts > 0, counts * np.log(chances), 0.0).sum(axis=1))
        hit = (low <= 100 * truth + 1e-9) & (100 * truth - 1e-9 <= high)
        covered.append(float(weights[hit].sum()))
    assert min(covered) >= least, min(covered)
    assert 0.95 <= sum(covered) / len(covered) <= most


def interval_of(counts: list[int]) -> tuple[float, float]:
    changes = [move for move, count in zip((-2, -1, 0, 1, 2), counts, strict=True) for _ in range(count)]
    found = estimates.nps_paired_difference(changes)
    assert found is not None
    return found.interval.low, found.interval.high


def compositions(n: int) -> list[tuple[int, ...]]:
    """Every way to share n among five."""
    return [
        (a, b, c, d, n - a - b - c - d)
        for a in range(n + 1)
        for b in range(n + 1 - a)
        for c in range(n + 1 - a - b)
        for d in range(n + 1 - a - b - c)
    ]
