"""How it was against what was expected: against scipy, by hand, and at the edges."""

from __future__ import annotations

from random import Random

import numpy
import pytest

from surveys.estimates import Interval
from surveys.gaps import Gap, Pair, weighted_gap
from surveys.weighted import Part, weighted_mean

stats = pytest.importorskip("scipy.stats")


def gap(*ratings: tuple[int, int], first: int = 0) -> Gap:
    """Perceived and expected; the answers are numbered from `first`."""
    return Gap(tuple(Pair(first + number, *each) for number, each in enumerate(ratings)))


def some(seed: int, n: int = 40) -> list[tuple[int, int]]:
    chance = Random(seed)
    return [(chance.randint(1, 5), chance.randint(2, 5)) for _ in range(n)]


@pytest.mark.parametrize("seed", range(20))
def test_its_interval_is_that_of_the_paired_t_test(seed: int) -> None:
    ratings = some(seed, Random(seed).randrange(10, 60))
    found = gap(*ratings)
    perceived, expected = zip(*ratings, strict=True)
    oracle = stats.ttest_rel(perceived, expected).confidence_interval(0.95)
    assert found.value == pytest.approx(float(numpy.mean(numpy.subtract(perceived, expected))))
    assert found.interval is not None
    assert found.interval.low == pytest.approx(max(-4.0, float(oracle.low)), abs=1e-9)
    assert found.interval.high == pytest.approx(min(4.0, float(oracle.high)), abs=1e-9)
    clear = stats.ttest_rel(perceived, expected).pvalue < 0.05
    assert (found.falls_short or found.exceeds) == clear


def test_by_hand() -> None:
    """Ten gaps of -2, -1, 0 and 1: their sum is -7, their squares sum to 13."""
    found = gap((3, 5), (3, 5), (4, 5), (4, 5), (3, 4), (2, 3), (5, 5), (4, 4), (3, 3), (5, 4))
    assert found.value == pytest.approx(-0.7)
    assert (found.perceived, found.expected) == (3.6, 4.3)
    assert (found.below, found.as_expected, found.above, found.n) == (6, 3, 1, 10)
    # The variance of the mean is (13 - 4.9) / 9 / 10 = 0.09.
    margin = 2.262157162854 * 0.3
    assert found.interval is not None
    assert found.interval.low == pytest.approx(-0.7 - margin)
    assert found.interval.high == pytest.approx(-0.7 + margin)
    assert found.falls_short
    assert not found.exceeds


@pytest.mark.parametrize("n", [0, 1, 9])
def test_below_ten_there_are_counts_only(n: int) -> None:
    found = gap(*[(1, 5)] * n)
    assert (found.n, found.below, found.value, found.perceived, found.interval) == (n, n, None, None, None)
    assert not found.falls_short


def test_where_all_are_the_same_there_is_no_interval() -> None:
    found = gap(*[(4, 5)] * 12)
    assert (found.value, found.interval) == (-1, None)
    assert weighted_gap([(1.0, found)]) is not None
    assert getattr(weighted_gap([(1.0, found)]), "interval", 0) is None


def test_it_does_not_leave_the_scale() -> None:
    found = gap(*[(1, 5)] * 10, (2, 5))
    assert found.interval is not None
    assert found.interval.low == -4
    total = weighted_gap([(2.0, found)])
    assert total is not None
    assert total.interval == found.interval


class TestWeighted:
    def test_by_hand(self) -> None:
        """Weights 4 and 1, gaps -1.5 and 0.5: (-6 + 0.5) / 5 = -1.1."""
        low, high = gap(*[(2, 4), (3, 4)] * 10), gap(*[(4, 4), (5, 4)] * 10)
        found = weighted_gap([(4.0, low), (1.0, high)])
        assert found is not None
        assert found.value == pytest.approx(-1.1)
        assert (found.answers, found.parts) == (20, 2)

    @pytest.mark.parametrize("seed", range(10))
    def test_where_all_say_all_it_is_students_interval_of_their_own_weighted_gaps(self, seed: int) -> None:
        gaps = [gap(*some(seed + 100 * number)) for number in range(3)]
        weights = [4.4, 3.1, 0.9]
        found = weighted_gap(zip(weights, gaps, strict=True))
        own = numpy.average([[pair.gap for pair in each.pairs] for each in gaps], axis=0, weights=weights)
        low, high = stats.t.interval(0.95, 39, loc=own.mean(), scale=stats.sem(own))
        assert found is not None
        assert found.interval is not None
        assert found.value == pytest.approx(float(own.mean()))
        assert found.interval.low == pytest.approx(float(low), abs=1e-9)
        assert found.interval.high == pytest.approx(float(high), abs=1e-9)

    def test_with_one_driver_it_is_its_gap(self) -> None:
        alone = gap(*some(3))
        found = weighted_gap([(0.3, alone)])
        assert found is not None
        assert alone.interval is not None
        assert found.interval is not None
        assert found.value == pytest.approx(alone.value)
        assert found.interval.low == pytest.approx(alone.interval.low)

    def test_gaps_of_the_same_people_are_not_taken_for_independent_ones(self) -> None:
        same = weighted_gap([(1.0, gap(*some(1))), (1.0, gap(*some(1)))])
        apart = weighted_gap([(1.0, gap(*some(1))), (1.0, gap(*some(1), first=100))])
        assert same is not None
        assert apart is not None
        assert same.value == pytest.approx(apart.value)
        assert width(same.interval) > 1.35 * width(apart.interval)

    def test_what_weighs_nothing_or_has_few_pairs_is_left_out(self) -> None:
        alone = gap(*some(3))
        against, few = (-0.5, gap(*some(4))), (2.0, gap(*some(5, 9)))
        assert weighted_gap([(0.3, alone), against, few, (0.0, alone)]) == weighted_gap([(0.3, alone)])
        assert weighted_gap([against, few]) is None
        assert weighted_gap([]) is None

    def test_a_mean_of_nothing_or_of_one_answer_is_none(self) -> None:
        assert weighted_mean([]) is None
        assert weighted_mean([Part(1.0, [])]) is None
        assert weighted_mean([Part(1.0, [(1, 3.0)]), Part(2.0, [(1, 4.0)])]) is None

    def test_it_covers_the_truth(self) -> None:
        """Five hundred surveys of 40 people, two drivers that go together, weights fixed; truth -0.9."""
        chance, hits = Random(11), 0
        for _ in range(500):
            moods = [chance.random() < 0.5 for _ in range(40)]
            first = gap(*((4 if mood else 2, 4 if chance.random() < 0.5 else 5) for mood in moods))
            second = gap(*((5 if mood else 3, 3 + (chance.random() < 0.1)) for mood in moods))
            found = weighted_gap([(3.0, first), (1.0, second)])
            assert found is not None
            assert found.interval is not None
            # (3 x (3 - 4.5) + 1 x (4 - 3.1)) / 4 = (-4.5 + 0.9) / 4
            hits += found.interval.holds(-0.9)
        assert 460 <= hits <= 490

    @pytest.mark.parametrize("weights", [(5.0, 0.5), (1.0, 1.0), (0.2, 2.0)])
    def test_it_covers_the_truth_where_one_was_asked_of_a_few_only(
        self, weights: tuple[float, float]
    ) -> None:
        """Ten beside a thousand others, both about 0."""
        draws = numpy.random.default_rng(4).normal(0.0, 1.0, (600, 1010))
        hits = 0
        for drawn in draws.tolist():
            values = list(enumerate(drawn))
            found = weighted_mean([Part(weights[0], values[:10]), Part(weights[1], values[10:])])
            assert found is not None
            assert found.interval is not None
            hits += found.interval.holds(0.0)
        assert 0.93 <= hits / 600 <= 0.97

    @pytest.mark.parametrize("sizes", [(10, 1000), (12, 30), (40, 40)])
    def test_where_nobody_says_two_it_is_welchs_interval(self, sizes: tuple[int, int]) -> None:
        """The mean of two with weights 1 and 1 is half the difference of one and minus the other."""
        chance = numpy.random.default_rng(5)
        ours, theirs = chance.normal(1.0, 1.0, sizes[0]), chance.normal(3.0, 2.0, sizes[1])
        found = weighted_mean(
            [
                Part(1.0, list(enumerate(ours.tolist()))),
                Part(1.0, list(enumerate(theirs.tolist(), start=2000))),
            ]
        )
        test = stats.ttest_ind(ours, -theirs, equal_var=False)
        freedom = int(test.df)
        half = (float(numpy.mean(ours)) + float(numpy.mean(theirs))) / 2
        spread = numpy.sqrt(numpy.var(ours, ddof=1) / sizes[0] + numpy.var(theirs, ddof=1) / sizes[1]) / 2
        low, high = stats.t.interval(0.95, freedom, loc=half, scale=spread)
        assert found is not None
        assert found.interval is not None
        assert (found.interval.low, found.interval.high) == pytest.approx((float(low), float(high)))

    def test_a_part_of_one_value_says_nothing_of_how_sure_it_is(self) -> None:
        many = [(number, float(number % 3)) for number in range(40)]
        assert weighted_mean([Part(1.0, many), Part(1.0, [(50, 2.0)])]) is None


def width(ends: Interval | None) -> float:
    assert ends is not None
    return ends.high - ends.low
