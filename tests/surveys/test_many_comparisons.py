"""Holm's correction and the p-values it starts from, against statsmodels and scipy."""

from __future__ import annotations

import math
from unittest.mock import patch

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep
from statsmodels.stats.weightstats import DescrStatsW

from surveys.estimates import (
    holm,
    newcombe_difference,
    nps_difference,
    nps_difference_p,
    share_difference_p,
)
from surveys.scoring import BandCounts

counts = st.builds(BandCounts, st.integers(0, 300), st.integers(0, 300), st.integers(0, 300))


@st.composite
def parts(draw: st.DrawFn) -> tuple[int, int]:
    n = draw(st.integers(1, 500))
    return draw(st.integers(0, n)), n


class TestHolm:
    @given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
    def test_it_agrees_with_statsmodels(self, p_values: list[float]) -> None:
        with patch("gc.collect"):  # which it calls each time: in a long run half a second
            _clear, corrected, _sidak, _bonferroni = multipletests(p_values, alpha=0.05, method="holm")
        assert holm(p_values) == pytest.approx(list(corrected), abs=1e-12)

    def test_it_corrects_by_hand(self) -> None:
        # 3 x 0.01, then 2 x 0.02, then 0.03 which may not be less than those before it.
        assert holm([0.03, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])

    def test_it_gives_equals_the_same_and_never_more_than_one(self) -> None:
        assert holm([0.4, 0.4, 0.4]) == [1.0, 1.0, 1.0]
        assert holm([0.02, 0.02]) == pytest.approx([0.04, 0.04])

    def test_it_leaves_a_single_look_as_it_is(self) -> None:
        assert holm([0.04]) == [0.04]
        assert holm([]) == []


def weighted(answers: BandCounts) -> DescrStatsW:
    """Each answer as +1, 0 or -1, with three more: 3/4 above, 3/4 below, the rest between."""
    weights = [answers.promoters + 0.75, answers.passives + 1.5, answers.detractors + 0.75]
    return DescrStatsW([1, 0, -1], weights=weights)


class TestPValueOfTwoNps:
    @given(counts, counts)
    def test_the_difference_it_belongs_to_agrees_with_statsmodels(
        self, first: BandCounts, second: BandCounts
    ) -> None:
        assume(first.answered and second.answered)
        difference = nps_difference(first, second)
        assert difference is not None
        ours, theirs = weighted(first), weighted(second)
        variance = ours.var / (first.answered + 3) + theirs.var / (second.answered + 3)
        for end, sign in ((difference.interval.low, -1), (difference.interval.high, 1)):
            expected = 100 * (
                ours.mean - theirs.mean + sign * float(stats.norm.ppf(0.975)) * math.sqrt(variance)
            )
            assert end == pytest.approx(max(-200, min(200, expected)), abs=1e-9)

    def test_two_firms_of_promoters_alone_do_not_differ_and_one_answer_proves_nothing(self) -> None:
        same = nps_difference(BandCounts(promoters=50), BandCounts(promoters=10))
        assert same is not None
        assert (same.value, same.is_clear) == (0, False)
        one = nps_difference(BandCounts(promoters=1), BandCounts(detractors=1))
        assert one is not None
        assert (one.value, one.is_clear) == (200, False)

    @given(counts, counts)
    def test_it_is_the_normal_tail_of_the_adjusted_difference(
        self, first: BandCounts, second: BandCounts
    ) -> None:
        assume(first.answered and second.answered)
        p, difference = nps_difference_p(first, second), nps_difference(first, second)
        assert p is not None
        assert difference is not None
        middle = (difference.interval.low + difference.interval.high) / 2
        margin = (difference.interval.high - difference.interval.low) / 2
        assume(abs(difference.interval.low) < 200 and abs(difference.interval.high) < 200)
        assert p == pytest.approx(
            2 * stats.norm.sf(abs(middle) / (margin / float(stats.norm.ppf(0.975)))), abs=1e-9
        )

    @given(counts, counts)
    def test_it_is_below_a_twentieth_just_where_the_interval_leaves_out_nothing(
        self, first: BandCounts, second: BandCounts
    ) -> None:
        assume(first.answered and second.answered)
        p, difference = nps_difference_p(first, second), nps_difference(first, second)
        assert p is not None
        assert difference is not None
        assume(abs(p - 0.05) > 1e-6)
        assert (p < 0.05) is difference.is_clear

    def test_it_is_one_for_equals_and_none_without_answers(self) -> None:
        assert nps_difference_p(BandCounts(5, 5, 5), BandCounts(5, 5, 5)) == 1
        assert nps_difference_p(BandCounts(), BandCounts(5, 5, 5)) is None


class TestPValueOfTwoShares:
    @settings(max_examples=80)
    @given(parts(), parts())
    def test_it_is_the_level_at_which_newcombes_interval_touches_nothing(
        self, one: tuple[int, int], other: tuple[int, int]
    ) -> None:
        p = share_difference_p(*one, *other)
        assert p is not None
        if one[0] * other[1] == other[0] * one[1]:
            assert p == pytest.approx(1)
            return
        assume(p > 1e-12)
        low, high = confint_proportions_2indep(*one, *other, method="newcomb", compare="diff", alpha=p)
        touched = low if one[0] * other[1] > other[0] * one[1] else high
        assert touched == pytest.approx(0, abs=1e-7)

    @given(parts(), parts())
    def test_it_is_below_a_twentieth_just_where_the_interval_leaves_out_nothing(
        self, one: tuple[int, int], other: tuple[int, int]
    ) -> None:
        p, difference = share_difference_p(*one, *other), newcombe_difference(*one, *other)
        assert p is not None
        assert difference is not None
        assume(abs(p - 0.05) > 1e-6)
        assert (p < 0.05) is difference.is_clear

    def test_it_does_not_ask_which_side_comes_first(self) -> None:
        assert share_difference_p(3, 40, 20, 50) == share_difference_p(20, 50, 3, 40)

    def test_it_vanishes_for_what_cannot_be_chance_and_is_none_without_answers(self) -> None:
        p = share_difference_p(0, 10_000, 10_000, 10_000)
        assert p is not None
        assert 0 <= p < 1e-100
        assert share_difference_p(0, 0, 1, 2) is None
        assert math.isfinite(p)
