"""Every estimate against an independent implementation, to 1e-9, over generated cases with their edges.

Where an oracle says nothing, or something else, the reason stands beside the case.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.duration.survfunc import SurvfuncRight
from statsmodels.stats.proportion import confint_proportions_2indep
from statsmodels.stats.weightstats import DescrStatsW

from surveys import estimates
from surveys.estimates import CensoredTimes, Interval
from surveys.scoring import BandCounts

NEAR = 1e-9
counts = st.builds(BandCounts, st.integers(0, 400), st.integers(0, 400), st.integers(0, 400))
lives = st.lists(st.tuples(st.integers(0, 30), st.booleans()), min_size=1, max_size=50)


@st.composite
def parts(draw: st.DrawFn) -> tuple[int, int]:
    """s of n, with none, all and n = 1 as often as anything else."""
    n = draw(st.one_of(st.just(1), st.integers(1, 40), st.integers(1, 3000)))
    return draw(st.one_of(st.just(0), st.just(n), st.integers(0, n))), n


def ends(interval: Interval | None) -> tuple[float, float]:
    assert interval is not None
    return interval.low, interval.high


def test_its_normal_quantile_is_scipy_s() -> None:
    assert float(stats.norm.ppf(0.975)) == pytest.approx(estimates.Z, abs=1e-15)


# --- NPS ----------------------------------------------------------------------------------------------------


def scored(answers: BandCounts) -> DescrStatsW:
    """The answers as +1, 0 and -1, with the three that are added: 3/4 up, 6/4 between, 3/4 down."""
    weights = [answers.promoters + 0.75, answers.passives + 1.5, answers.detractors + 0.75]
    return DescrStatsW([1.0, 0.0, -1.0], weights=weights, ddof=0)


def normal(mean: float, variance: float) -> tuple[float, float]:
    low, high = stats.norm.interval(0.95, loc=mean, scale=math.sqrt(variance))
    return 100 * float(low), 100 * float(high)


@given(counts)
@example(BandCounts(1, 0, 0))
@example(BandCounts(0, 1, 0))
@example(BandCounts(0, 0, 1))
@example(BandCounts(400, 0, 0))
@example(BandCounts(0, 0, 400))
@example(BandCounts(10, 0, 10))
@settings(deadline=None)
def test_the_interval_of_an_nps_agrees(answers: BandCounts) -> None:
    assume(answers.answered)
    oracle = scored(answers)
    low, high = normal(float(oracle.mean), float(oracle.var) / float(oracle.sum_weights))
    # An NPS cannot leave its range; the normal interval can, and is cut off there.
    expected = (max(-100.0, low), min(100.0, high))
    assert ends(estimates.nps_interval(answers)) == pytest.approx(expected, abs=NEAR)


def test_nobody_has_no_nps_where_the_oracle_would_invent_one() -> None:
    """The three added answers alone would give an interval around 0: of nobody we say nothing."""
    assert float(scored(BandCounts()).mean) == 0
    assert estimates.nps_interval(BandCounts()) is None


@given(counts, counts)
@example(BandCounts(1, 0, 0), BandCounts(0, 0, 1))
@example(BandCounts(50, 0, 0), BandCounts(50, 0, 0))
@settings(deadline=None)
def test_the_difference_of_two_nps_agrees(first: BandCounts, second: BandCounts) -> None:
    assume(first.answered and second.answered)
    ours, theirs = scored(first), scored(second)
    variance = float(ours.var / ours.sum_weights + theirs.var / theirs.sum_weights)
    low, high = normal(float(ours.mean - theirs.mean), variance)
    found = estimates.nps_difference(first, second)
    assert found is not None
    assert ends(found.interval) == pytest.approx((max(-200.0, low), min(200.0, high)), abs=NEAR)


# --- shares -------------------------------------------------------------------------------------------------


@given(parts())
@example((0, 1))
@example((1, 1))
@settings(deadline=None)
def test_wilson_s_interval_agrees(part: tuple[int, int]) -> None:
    oracle = stats.binomtest(*part).proportion_ci(confidence_level=0.95, method="wilson")
    assert ends(estimates.wilson(*part)) == pytest.approx((oracle.low, oracle.high), abs=NEAR)


def test_of_nobody_there_is_no_share_and_the_oracle_refuses() -> None:
    assert estimates.wilson(0, 0) is None
    with pytest.raises(ValueError, match="not less than 1"):
        stats.binomtest(0, 0)


@given(parts(), parts())
@example((0, 1), (0, 1))
@example((1, 1), (0, 1))
@example((40, 40), (0, 3000))
@settings(deadline=None)
def test_newcombe_s_difference_agrees(first: tuple[int, int], second: tuple[int, int]) -> None:
    oracle = confint_proportions_2indep(*first, *second, method="newcomb", compare="diff")
    found = estimates.newcombe_difference(*first, *second)
    assert found is not None
    assert ends(found.interval) == pytest.approx([float(end) for end in oracle], abs=NEAR)


# --- censored times -----------------------------------------------------------------------------------------


def curve_of(rows: Sequence[tuple[int, bool]]) -> CensoredTimes:
    return estimates.censored_times([time for time, _ in rows], [seen for _, seen in rows])


ALL_CENSORED = [(3, False), (3, False), (9, False)]
TIES = [(3, True), (3, True), (3, False), (9, True), (9, False)]
ALL_SEEN = [(1, True), (2, True), (2, True)]


@pytest.mark.filterwarnings("ignore:The confidence interval is undefined")
@given(lives)
@example(ALL_CENSORED)
@example(TIES)
@example(ALL_SEEN)
@example([(0, True)])
@settings(deadline=None)
def test_the_survival_curve_and_its_intervals_agree_with_scipy(rows: list[tuple[int, bool]]) -> None:
    seen = [time for time, ended in rows if ended]
    oracle = stats.ecdf(stats.CensoredData(uncensored=seen, right=[t for t, ended in rows if not ended])).sf
    with np.errstate(all="ignore"):
        interval = oracle.confidence_interval(confidence_level=0.95, method="log-log")
    by_time = {
        float(time): values
        for time, *values in zip(
            oracle.quantiles,
            oracle.probabilities,
            interval.low.probabilities,
            interval.high.probabilities,
            strict=True,
        )
    }
    steps = curve_of(rows).steps
    assert [step.time for step in steps] == sorted({float(time) for time in seen})
    for step in steps:
        survival, low, high = (float(value) for value in by_time[step.time])
        assert step.survival == pytest.approx(survival, abs=NEAR)
        # Once everybody is done the variance is undefined: scipy has no interval there, ours ends at 0 and
        # keeps the last upper end.
        if step.survival > NEAR:
            assert (step.low, step.high) == pytest.approx((low, high), abs=NEAR)
        else:
            assert math.isnan(low) or low == pytest.approx(0, abs=NEAR)
            assert step.low == 0


@given(lives)
@example(TIES)
@example(ALL_SEEN)
@settings(deadline=None)
def test_the_survival_curve_agrees_with_statsmodels(rows: list[tuple[int, bool]]) -> None:
    # Without any event statsmodels raises, and at time 0 it counts nobody at risk: we begin at 1.
    assume(any(seen for _, seen in rows))
    later = [(time + 1, seen) for time, seen in rows]
    oracle = SurvfuncRight([time for time, _ in later], [int(seen) for _, seen in later])
    steps = curve_of(later).steps
    assert [step.time for step in steps] == [float(time) for time in oracle.surv_times]
    assert [step.at_risk for step in steps] == [int(number) for number in oracle.n_risk]
    assert [step.survival for step in steps] == pytest.approx(list(oracle.surv_prob), abs=NEAR)


def test_of_those_who_are_all_still_open_nothing_is_said() -> None:
    curve = curve_of(ALL_CENSORED)
    assert (curve.steps, curve.median, curve.count, curve.events) == ((), None, 3, 0)


@given(lives, st.sampled_from([20, 50, 80]))
@settings(deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
def test_the_percentiles_agree_with_statsmodels(rows: list[tuple[int, bool]], percent: int) -> None:
    later = [(time + 1, seen) for time, seen in rows]
    assume(any(seen for _, seen in later))
    found = curve_of(later).percentile(percent)
    oracle = SurvfuncRight([time for time, _ in later], [int(seen) for _, seen in later])
    # A product of fractions misses the share by a hair where the curve meets it exactly: 5 of 10 are half.
    assume(all(abs(share - (1 - percent / 100)) > 1e-6 for share in oracle.surv_prob))
    expected = float(oracle.quantile(percent / 100))
    assert (math.inf if found is None else found.value) == (math.inf if math.isnan(expected) else expected)


# --- ranks --------------------------------------------------------------------------------------------------

pairs = st.lists(st.tuples(st.integers(0, 10), st.integers(0, 10)), min_size=2, max_size=60)


@given(pairs)
@example([(1, 1), (1, 2), (2, 2), (2, 1)])
@example([(0, 10), (10, 0)])
@settings(deadline=None)
def test_spearman_s_rho_agrees(rows: list[tuple[int, int]]) -> None:
    first, second = [float(a) for a, _ in rows], [float(b) for _, b in rows]
    found = estimates.spearman(first, second)
    if len(set(first)) == 1 or len(set(second)) == 1:
        # scipy says nan with a warning: a side that never varies is correlated with nothing.
        assert found is None
    else:
        assert found == pytest.approx(float(stats.spearmanr(first, second).statistic), abs=NEAR)


# --- how often an interval of NPS holds the truth -----------------------------------------------------------

SHARES = np.arange(5, 91, 5) / 100


def coverage(n: int) -> dict[tuple[float, float], float]:
    """By the true shares of promoters and detractors: how often the interval of n answers holds the true NPS.

    Not simulated: the probabilities of all samples there are, added up.
    """
    up, down = (grid.ravel() for grid in np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij"))
    samples = np.column_stack([up, down, n - up - down])[up + down <= n]
    found = [estimates.nps_interval(BandCounts(p, n - p - d, d)) for p, d, _ in samples.tolist()]
    low, high = np.array([ends(interval) for interval in found]).T
    held: dict[tuple[float, float], float] = {}
    for p, d in ((p, d) for p in SHARES for d in SHARES if p + d < 1 + NEAR):
        probability = stats.multinomial.pmf(samples, n, [p, d, max(0.0, 1 - p - d)])
        holds = (low <= 100 * (p - d) + NEAR) & (100 * (p - d) - NEAR <= high)
        held[round(float(p), 2), round(float(d), 2)] = float(probability[holds].sum())
    return held


# Of n answers: mean and least coverage where each of the three shares is 5 to 90 %, in percent; and the least
# where nobody at all is a passive. The handbook prints this table.
COVERAGE = {10: (95.5, 93.0, 89.1), 30: (95.0, 94.0, 93.0), 100: (95.0, 94.6, 94.3)}


@pytest.mark.parametrize("n", COVERAGE)
def test_an_interval_of_nps_holds_the_truth_as_often_as_it_says(n: int) -> None:
    held = coverage(n)
    mixed = [share for (p, d), share in held.items() if p + d < 1 - NEAR]
    extreme = [share for (p, d), share in held.items() if p + d >= 1 - NEAR]
    assert 0.94 <= float(np.mean(mixed)) <= 0.96
    assert 0.94 <= float(np.mean(mixed + extreme)) <= 0.96
    assert min(mixed) >= 0.93
    said = tuple(round(100 * share, 1) for share in (float(np.mean(mixed)), min(mixed), min(extreme)))
    assert said == COVERAGE[n]


def test_where_nobody_is_a_passive_ten_answers_hold_it_less_often() -> None:
    """The one corner below 93 %: promoters and detractors alone, nearly as many of each."""
    below = {key for key, share in coverage(10).items() if share < 0.93}
    assert {round(p + d, 2) for p, d in below} == {1.0}
    assert {p for p, _ in below} == {0.1, 0.3, 0.4, 0.5, 0.6, 0.7, 0.9}
    assert {key for key, share in coverage(30).items() if share < 0.93} == {(0.3, 0.7), (0.7, 0.3)}
