"""Curves reckoned in columns and looked at step by step: the plain ones, to the last bit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from random import Random

import pytest

from surveys.estimates import CensoredTimes, censored_times, survival_curve
from tests.surveys.plain_survival import plain_times

PERCENTS = (1, 5, 20, 37.5, 50, 80, 90, 95, 99)


def agree(durations: Sequence[float], observed: Sequence[bool]) -> None:
    found, plain = censored_times(durations, observed), plain_times(durations, observed)
    assert (found.count, found.events) == (plain.count, plain.events)
    assert found.steps == plain.steps
    assert found.telling == plain.telling
    assert found.telling_steps == len(plain.telling)
    assert found.is_complete == plain.is_complete
    assert list(found.times) == [step.time for step in plain.steps]
    for percent in PERCENTS:
        assert found.percentile(percent) == plain.percentile(percent), (durations, observed, percent)
    if found.count < 1000:
        assert found.half_at_least == plain.half_at_least, (durations, observed)


@pytest.mark.parametrize("seed", range(12))
def test_it_is_the_plain_curve(seed: int) -> None:
    chance = Random(seed)
    for size in (*range(14), 30, 90, 250):
        longest, share_seen = chance.choice([1, 3, 10, 1000]), chance.choice([0.05, 0.3, 0.8, 0.95, 1])
        whole = chance.random() < 0.7
        durations: list[float] = [
            chance.randrange(longest + 1) if whole else chance.random() * longest for _ in range(size)
        ]
        agree(durations, [chance.random() < share_seen for _ in durations])


def test_it_is_the_plain_curve_however_few_are_done_and_leave_in_turn() -> None:
    """Every way in which one to three people are done or leave, at up to three times, before the last."""
    ways = [(done, left) for done in range(4) for left in range(4)]
    for course in product(ways, repeat=3):
        durations: list[float] = []
        observed: list[bool] = []
        for time, (done, left) in enumerate(course):
            durations += [time] * (done + left)
            observed += [True] * done + [False] * left
        agree(durations, observed)


def test_a_curve_of_many_is_the_plain_one() -> None:
    chance = Random(4)
    durations = [chance.expovariate(1 / 900) for _ in range(5000)]
    agree(durations, [chance.random() < 0.9 for _ in durations])


def test_it_is_made_of_those_done_and_those_left_in_any_order() -> None:
    found = survival_curve([3, 1, 2], [2.5, 0.5])
    assert found == censored_times([0.5, 1, 2, 2.5, 3], [False, True, True, False, True])
    assert found != survival_curve([3, 1, 2], [2.5])
    assert survival_curve([], []) == CensoredTimes(found.ended[:0], found.left[:0])


def test_half_takes_as_long_as_ten_were_seen_to_wait_where_few_are_done() -> None:
    """By hand: sixty are heard within six hours, the others have waited for 100 to 140."""
    left = [100.0] * 400 + [100.0 + each for each in range(1, 41)]
    found = survival_curve([each / 10 for each in range(1, 61)], left)
    assert found.median is None
    assert found.half_at_least == 131, "ten have waited from 131 to 140 hours"
    assert survival_curve([], [1.0] * 9).half_at_least is None
    assert survival_curve([], [1.0] * 10).half_at_least == 1
    halves = survival_curve(range(1, 101), [])
    assert halves.median is not None
    assert halves.half_at_least == halves.median.low


@pytest.mark.parametrize("times", [[-1.0], [float("nan")], [1.0, float("inf")]])
def test_it_refuses_what_is_no_time(times: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        survival_curve(times, [])
    with pytest.raises(ValueError, match="finite"):
        survival_curve([1.0], times)
