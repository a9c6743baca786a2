"""How many answers it takes: against statsmodels, and against what a thousand such samples then show."""

import math

import numpy as np
import pytest
from statsmodels.stats.proportion import samplesize_proportions_2indep_onetail

from surveys.estimates import newcombe_difference, sample_sizes

CASES = [
    (p1, difference, share, power)
    for p1 in (0.05, 0.3, 0.5, 0.8)
    for difference in (-0.04, 0.05, 0.1, 0.15)
    for share in (0.1, 0.2, 0.5)
    for power in (0.8, 0.9)
]


@pytest.mark.parametrize(("p1", "difference", "share", "power"), CASES)
def test_it_agrees_with_the_oracle(p1: float, difference: float, share: float, power: float) -> None:
    p2, ratio = p1 + difference, (1 - share) / share
    found = sample_sizes(p1, p2, share=share, power=power)
    exact = samplesize_proportions_2indep_onetail(-difference, p2, power, ratio=ratio, alpha=0.05)
    assert found.first - exact == pytest.approx(0.5, abs=0.5001)  # rounded up
    assert found.second - exact * ratio == pytest.approx(0.5, abs=0.5001)


def test_equal_groups_agree_with_the_textbook() -> None:
    """Fleiss, Levin and Paik: 60 against 70 % at 5 % with a power of 90 % takes 477 each, uncorrected."""
    assert sample_sizes(0.6, 0.7, share=0.5, power=0.9).first == 477


def test_a_sample_of_that_size_shows_the_difference_as_often_as_planned() -> None:
    sizes = sample_sizes(0.3, 0.4, share=0.2, power=0.8)
    chance = np.random.default_rng(1)
    first = chance.binomial(sizes.first, 0.3, 2000)
    second = chance.binomial(sizes.second, 0.4, 2000)
    clear = 0
    for ours, theirs in zip(second.tolist(), first.tolist(), strict=True):
        found = newcombe_difference(ours, sizes.second, theirs, sizes.first)
        clear += found is not None and found.is_clear
    assert 0.77 < clear / 2000 < 0.84


@pytest.mark.parametrize(
    ("p1", "p2", "share", "power"),
    [
        (0.3, 0.3, 0.2, 0.8),
        (0, 0.3, 0.2, 0.8),
        (0.3, 1, 0.2, 0.8),
        (0.3, 0.4, 0, 0.8),
        (0.3, 0.4, 0.2, 1),
        (0.3, 0.4, 1, 0.8),
    ],
)
def test_it_refuses_what_no_size_could_show(p1: float, p2: float, share: float, power: float) -> None:
    with pytest.raises(ValueError, match="No size"):
        sample_sizes(p1, p2, share=share, power=power)


def test_more_power_and_smaller_differences_take_more() -> None:
    usual = sample_sizes(0.3, 0.4, share=0.2, power=0.8)
    assert sample_sizes(0.3, 0.4, share=0.2, power=0.9).first > usual.first
    assert sample_sizes(0.3, 0.35, share=0.2, power=0.8).first > 3 * usual.first
    assert math.isclose(usual.second / usual.first, 4, rel_tol=0.01)
