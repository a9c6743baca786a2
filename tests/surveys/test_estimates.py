import math

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from surveys import estimates
from surveys.estimates import Difference, Interval, SurvivalStep, TimeEstimate
from surveys.scoring import BandCounts, nps

counts = st.builds(BandCounts, st.integers(0, 500), st.integers(0, 500), st.integers(0, 500))


@st.composite
def parts(draw: st.DrawFn) -> tuple[int, int]:
    n = draw(st.integers(1, 2000))
    return draw(st.integers(0, n)), n


def close(low: float, high: float, to: float = 5e-5) -> object:
    return pytest.approx((low, high), abs=to)


# --- NPS ----------------------------------------------------------------------------------------------------


def test_it_agrees_with_the_published_example_of_an_nps_interval() -> None:
    interval = estimates.nps_interval(BandCounts(promoters=25, passives=10, detractors=15))
    assert interval is not None
    assert (round(interval.low), round(interval.high)) == (-4, 42)


@given(counts)
def test_it_computes_the_nps_interval_as_wald_with_three_answers_added(answers: BandCounts) -> None:
    assume(answers.answered)
    n = answers.answered + 3
    p, d = (answers.promoters + 0.75) / n, (answers.detractors + 0.75) / n
    # The variance of a score of +1, 0 and -1, written out as an expectation.
    variance = p * (1 - (p - d)) ** 2 + d * (-1 - (p - d)) ** 2 + (1 - p - d) * (p - d) ** 2
    low, high = (100 * (p - d + sign * estimates.Z * math.sqrt(variance / n)) for sign in (-1, 1))
    interval = estimates.nps_interval(answers)
    assert interval is not None
    assert interval.low == pytest.approx(max(-100, low), abs=1e-9)
    assert interval.high == pytest.approx(min(100, high), abs=1e-9)


@given(counts)
def test_it_keeps_an_nps_interval_inside_the_range_of_nps(answers: BandCounts) -> None:
    assume(answers.answered)
    interval = estimates.nps_interval(answers)
    assert interval is not None
    assert -100 <= interval.low < interval.high <= 100


def test_it_does_not_take_ten_promoters_for_certainty() -> None:
    interval = estimates.nps_interval(BandCounts(promoters=10))
    assert interval is not None
    assert interval.high == 100
    assert 40 < interval.low < 60


def test_it_has_no_nps_interval_without_answers_and_a_wide_one_for_one() -> None:
    assert estimates.nps_interval(BandCounts()) is None
    one = estimates.nps_interval(BandCounts(promoters=1))
    assert one is not None
    assert one.high - one.low > 100


def test_it_calls_two_like_nps_no_clear_difference() -> None:
    difference = estimates.nps_difference(BandCounts(25, 10, 15), BandCounts(24, 10, 16))
    assert difference is not None
    assert difference.value == pytest.approx(4)
    assert not difference.is_clear


def test_it_calls_two_far_nps_a_clear_difference_and_says_which_way() -> None:
    difference = estimates.nps_difference(BandCounts(10, 20, 70), BandCounts(70, 20, 10))
    assert difference is not None
    assert difference.value == -120
    assert difference.is_clear
    assert difference.interval.high < 0


@given(counts, counts)
def test_it_turns_an_nps_difference_round_with_its_sides(first: BandCounts, second: BandCounts) -> None:
    assume(first.answered and second.answered)
    there, back = estimates.nps_difference(first, second), estimates.nps_difference(second, first)
    assert there is not None
    assert back is not None
    assert there.value == pytest.approx(-back.value)
    assert there.interval.low == pytest.approx(-back.interval.high)
    assert -200 <= there.interval.low <= there.interval.high <= 200


def test_it_has_no_nps_difference_when_one_side_is_silent() -> None:
    assert estimates.nps_difference(BandCounts(5, 5, 5), BandCounts()) is None
    assert estimates.nps_difference(BandCounts(), BandCounts(5, 5, 5)) is None


def test_it_bounds_nps_by_what_the_silent_could_have_said() -> None:
    assert estimates.nps_bounds(BandCounts(25, 10, 15), unanswered=50) == Interval(-40, 60)
    assert estimates.nps_bounds(BandCounts(25, 10, 15), unanswered=0) == Interval(20, 20)
    assert estimates.nps_bounds(BandCounts(), unanswered=4) == Interval(-100, 100)
    assert estimates.nps_bounds(BandCounts(), unanswered=0) is None


@given(counts, st.integers(0, 1000))
def test_it_bounds_nps_around_the_nps_itself(answers: BandCounts, unanswered: int) -> None:
    score, interval = nps(answers), estimates.nps_bounds(answers, unanswered)
    assume(score is not None)
    assert interval is not None
    assert score is not None
    assert interval.low <= score <= interval.high


# --- proportions --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_it_agrees_with_newcombes_table_of_wilson_intervals(
    successes: int, n: int, low: float, high: float
) -> None:
    interval = estimates.wilson(successes, n)
    assert interval is not None
    assert (interval.low, interval.high) == close(low, high)


@given(parts())
@settings(deadline=None)
def test_it_agrees_with_scipy_on_wilson(part: tuple[int, int]) -> None:
    stats = pytest.importorskip("scipy.stats")
    oracle = stats.binomtest(*part).proportion_ci(confidence_level=0.95, method="wilson")
    interval = estimates.wilson(*part)
    assert interval is not None
    assert (interval.low, interval.high) == close(oracle.low, oracle.high, to=1e-7)


@given(parts())
def test_it_keeps_a_share_and_its_interval_inside_nought_and_one(part: tuple[int, int]) -> None:
    interval = estimates.wilson(*part)
    assert interval is not None
    assert 0 <= interval.low <= part[0] / part[1] <= interval.high <= 1
    assert interval.low < interval.high


def test_it_has_no_share_of_nobody() -> None:
    assert estimates.wilson(0, 0) is None
    assert estimates.newcombe_difference(0, 0, 1, 2) is None
    assert estimates.newcombe_difference(1, 2, 0, 0) is None
    assert estimates.bounds(0, 0, 0) is None


@pytest.mark.parametrize(("successes", "n"), [(3, 2), (-1, 2), (0, -1)])
def test_it_refuses_a_part_larger_than_its_whole(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="larger|negative"):
        estimates.wilson(successes, n)
    with pytest.raises(ValueError, match="larger|negative"):
        estimates.newcombe_difference(1, 2, successes, n)
    with pytest.raises(ValueError, match="larger|negative"):
        estimates.bounds(successes, 0, n)


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_it_agrees_with_newcombes_table_of_differences(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    difference = estimates.newcombe_difference(*first, *second)
    assert difference is not None
    assert (difference.interval.low, difference.interval.high) == close(low, high)


@given(parts(), parts())
@settings(deadline=None)
def test_it_agrees_with_statsmodels_on_differences(first: tuple[int, int], second: tuple[int, int]) -> None:
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    oracle = proportion.confint_proportions_2indep(*first, *second, method="newcomb", compare="diff")
    difference = estimates.newcombe_difference(*first, *second)
    assert difference is not None
    assert difference.value == first[0] / first[1] - second[0] / second[1]
    assert (difference.interval.low, difference.interval.high) == close(
        float(oracle[0]), float(oracle[1]), to=1e-6
    )


def test_it_calls_a_difference_clear_only_where_the_interval_leaves_out_nought() -> None:
    assert Difference(0.15, Interval(0.01, 0.27)).is_clear
    assert not Difference(0.15, Interval(0.0, 0.27)).is_clear
    assert not Difference(0.05, Interval(-0.1, 0.2)).is_clear


def test_it_bounds_a_recovery_rate_over_everybody() -> None:
    interval = estimates.bounds(recovered=105, unanswered=164, everyone=412)
    assert interval is not None
    assert (round(100 * interval.low), round(100 * interval.high)) == (25, 65)


def test_it_refuses_bounds_over_more_people_than_there_are() -> None:
    with pytest.raises(ValueError, match="larger"):
        estimates.bounds(recovered=3, unanswered=8, everyone=10)
    with pytest.raises(ValueError, match="negative"):
        estimates.bounds(recovered=3, unanswered=-1, everyone=10)


# --- censored times -----------------------------------------------------------------------------------------

# Weeks in remission under 6-mercaptopurine (Freireich et al. 1963), the table every textbook works by hand.
REMISSION = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
RELAPSED = [True, True, True, False, True, False, True, False, False, True, True] + [
    False, False, False, True, True, False, False, False, False, False
]  # fmt: skip
times = st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=1, max_size=60)


def test_it_agrees_with_the_textbook_survival_table() -> None:
    curve = estimates.censored_times(REMISSION, RELAPSED)
    rows = [(step.time, step.at_risk, step.events, round(step.survival, 3)) for step in curve.steps]
    assert rows == [
        (6, 21, 3, 0.857),
        (7, 17, 1, 0.807),
        (10, 15, 1, 0.753),
        (13, 12, 1, 0.690),
        (16, 11, 1, 0.627),
        (22, 7, 1, 0.538),
        (23, 6, 1, 0.448),
    ]
    assert (curve.count, curve.events) == (21, 9)
    assert (curve.steps[0].low, curve.steps[0].high) == close(0.6197, 0.9516)


def test_it_gives_the_textbook_median_and_says_where_its_interval_is_not_reached() -> None:
    curve = estimates.censored_times(REMISSION, RELAPSED)
    assert curve.median == TimeEstimate(23, 13, None)
    assert curve.percentile(20) == TimeEstimate(10, 6, 22)
    assert curve.percentile(80) is None


@given(times)
@settings(deadline=None)
def test_it_agrees_with_statsmodels_on_survival_and_its_quantiles(rows: list[tuple[int, bool]]) -> None:
    survfunc = pytest.importorskip("statsmodels.duration.survfunc")
    durations, observed = [time + 1.0 for time, _ in rows], [seen for _, seen in rows]
    assume(any(observed))
    curve = estimates.censored_times(durations, observed)
    oracle = survfunc.SurvfuncRight(durations, [int(seen) for seen in observed])
    assert [step.time for step in curve.steps] == list(oracle.surv_times)
    assert [step.survival for step in curve.steps] == pytest.approx(list(oracle.surv_prob), abs=1e-9)
    for step, error in zip(curve.steps, oracle.surv_prob_se, strict=True):
        if step.survival > 1e-9:
            log_log = math.log(-math.log(step.survival))
            spread = estimates.Z * error / (step.survival * -math.log(step.survival))
            assert step.low == pytest.approx(math.exp(-math.exp(log_log + spread)), abs=1e-9)
            assert step.high == pytest.approx(math.exp(-math.exp(log_log - spread)), abs=1e-9)


@given(times, st.sampled_from([20, 37, 50, 80]))
@settings(deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
def test_it_agrees_with_statsmodels_on_the_intervals_of_percentiles(
    rows: list[tuple[int, bool]], percent: int
) -> None:
    survfunc = pytest.importorskip("statsmodels.duration.survfunc")
    durations, observed = [time + 1.0 for time, _ in rows], [seen for _, seen in rows]
    curve = estimates.censored_times(durations, observed)
    estimate = curve.percentile(percent)
    # The oracle gives no interval where nobody is left, or where the curve jumps over the whole band.
    assume(estimate is not None and curve.steps[-1].survival > 1e-9)
    oracle = survfunc.SurvfuncRight(durations, [int(seen) for seen in observed])
    low, high = oracle.quantile_ci(percent / 100, method="cloglog")
    assume(not math.isnan(low))
    assert estimate is not None
    assert estimate.low == low
    assert estimate.high == (None if math.isinf(high) else high)


@given(times)
def test_it_reads_uncensored_times_as_their_plain_order(rows: list[tuple[int, bool]]) -> None:
    durations = sorted(float(time) for time, _ in rows)
    median = estimates.censored_times(durations, [True] * len(durations)).median
    assert median is not None
    assert median.value == durations[(len(durations) - 1) // 2]


@given(times)
def test_it_orders_curve_and_intervals(rows: list[tuple[int, bool]]) -> None:
    curve = estimates.censored_times([time for time, _ in rows], [seen for _, seen in rows])
    survivals = [step.survival for step in curve.steps]
    assert survivals == sorted(survivals, reverse=True)
    assert all(0 <= step.low <= step.survival <= step.high <= 1 for step in curve.steps)
    for percent in (20, 50, 80):
        estimate = curve.percentile(percent)
        if estimate is not None:
            assert estimate.low is not None
            assert estimate.low <= estimate.value <= (math.inf if estimate.high is None else estimate.high)


def test_it_is_not_fooled_by_the_mean_of_what_is_closed() -> None:
    # Three quick ones are done, seven are still open after a day: half of them are not done at all.
    curve = estimates.censored_times([1, 2, 3] + [24] * 7, [True] * 3 + [False] * 7)
    assert curve.median is None
    assert curve.percentile(20) == TimeEstimate(2, 1, None)


def test_it_reaches_a_median_that_the_curve_meets_exactly() -> None:
    curve = estimates.censored_times(list(range(1, 11)), [True] * 10)
    assert curve.median is not None
    assert curve.median.value == 5


def test_it_has_no_times_without_tickets() -> None:
    curve = estimates.censored_times([], [])
    assert (curve.count, curve.events, curve.steps) == (0, 0, ())
    assert curve.median is None


def test_it_has_no_median_when_nothing_has_ended_yet() -> None:
    curve = estimates.censored_times([5, 7], [False, False])
    assert (curve.count, curve.events) == (2, 0)
    assert curve.median is None


def test_it_gives_one_time_with_an_open_interval() -> None:
    curve = estimates.censored_times([90], [True])
    assert curve.steps == (SurvivalStep(90, 0.0, 0.0, 1.0, at_risk=1, events=1),)
    assert curve.median == TimeEstimate(90, 90, None)


def test_it_takes_equal_times_together() -> None:
    curve = estimates.censored_times([30, 30, 30, 30], [True] * 4)
    assert curve.median == TimeEstimate(30, 30, None)
    assert curve.steps[0].events == 4


def test_it_counts_who_is_censored_at_the_moment_of_an_event_as_at_risk_in_it() -> None:
    curve = estimates.censored_times([10, 10], [True, False])
    assert curve.steps[0].at_risk == 2
    assert curve.steps[0].survival == 0.5


def test_it_counts_what_was_done_at_once() -> None:
    curve = estimates.censored_times([0, 60], [True, True])
    assert [step.time for step in curve.steps] == [0, 60]


@pytest.mark.parametrize(
    ("durations", "observed"),
    [([1.0, 2.0], [True]), ([-1.0], [True]), ([math.nan], [True]), ([math.inf], [False])],
    ids=["a mark missing", "negative", "not a number", "endless"],
)
def test_it_refuses_impossible_times(durations: list[float], observed: list[bool]) -> None:
    with pytest.raises(ValueError, match="time"):
        estimates.censored_times(durations, observed)


@pytest.mark.parametrize("percent", [0, 100, -5, 120])
def test_it_refuses_percentiles_that_do_not_exist(percent: float) -> None:
    with pytest.raises(ValueError, match="percentile"):
        estimates.censored_times([1], [True]).percentile(percent)


# --- ranks --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "rho"),
    [
        ([1, 2, 3, 4, 5], [2, 4, 6, 8, 100], 1),
        ([1, 2, 3, 4, 5], [5, 4, 3, 2, 1], -1),
        # IQ against hours of television, the worked example of many courses.
        ([86, 97, 99, 100, 101, 103, 106, 110, 112, 113], [2, 20, 28, 27, 50, 29, 7, 17, 6, 12], -29 / 165),
    ],
    ids=["same order", "opposite order", "worked example"],
)
def test_it_computes_spearmans_rho(first: list[float], second: list[float], rho: float) -> None:
    assert estimates.spearman(first, second) == pytest.approx(rho)


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 10)), min_size=2, max_size=80))
@settings(deadline=None)
def test_it_agrees_with_scipy_on_rho_with_ties(pairs: list[tuple[int, int]]) -> None:
    stats = pytest.importorskip("scipy.stats")
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    assume(len(set(first)) > 1 and len(set(second)) > 1)
    rho = estimates.spearman(first, second)
    assert rho == pytest.approx(float(stats.spearmanr(first, second).statistic), abs=1e-9)
    assert rho is not None
    assert -1 <= rho <= 1


@pytest.mark.parametrize(
    ("first", "second"), [([], []), ([1], [2]), ([3, 3, 3], [1, 2, 3]), ([1, 2, 3], [3, 3, 3])]
)
def test_it_has_no_rho_where_a_side_never_varies(first: list[float], second: list[float]) -> None:
    assert estimates.spearman(first, second) is None


def test_it_refuses_ranks_without_partners() -> None:
    with pytest.raises(ValueError, match="pairs"):
        estimates.spearman([1, 2], [1])
