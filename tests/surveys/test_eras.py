from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import fisher_exact

from surveys.eras import Era, Suspicion, era_at, eras_of, suspected_changes
from surveys.scoring import CSAT_1_5, NPS_0_10, NPS_1_10
from tests.surveys.make import MONDAY

DAY = timedelta(days=1)


def months(*levels: dict[int, int]) -> list[tuple[date, dict[int, int]]]:
    """As many months of 2026 as there are counts, from January on."""
    return [(date(2026, number + 1, 1), each) for number, each in enumerate(levels)]


# From 0 to 10, as people usually answer: the half of them above 5.
WIDE = {0: 5, 2: 5, 5: 10, 7: 5, 8: 5, 9: 5, 10: 5}
# Only up to 5.
NARROW = {1: 10, 2: 10, 4: 10, 5: 20}


def test_it_has_one_era_where_no_scale_came_before() -> None:
    assert eras_of(NPS_0_10, []) == [Era(NPS_0_10)]


def test_it_lays_eras_end_to_end_whatever_order_they_were_declared_in() -> None:
    first, second = MONDAY, MONDAY + 30 * DAY
    eras = eras_of(NPS_0_10, [(second, NPS_1_10), (first, CSAT_1_5)])
    assert eras == [
        Era(CSAT_1_5, None, first),
        Era(NPS_1_10, first, second),
        Era(NPS_0_10, second, None),
    ]


def test_it_takes_the_same_scale_twice_in_a_row_for_one_era_in_which_nothing_changed() -> None:
    first, second, third = (MONDAY + days * DAY for days in (0, 30, 60))
    eras = eras_of(NPS_0_10, [(first, CSAT_1_5), (second, NPS_0_10), (third, NPS_0_10)])
    assert eras == [Era(CSAT_1_5, None, first), Era(NPS_0_10, first, None, (second, third))]


@pytest.mark.parametrize(
    ("after", "scale"), [(-1, CSAT_1_5), (0, NPS_1_10), (1, NPS_1_10), (30 * 86400, NPS_0_10)]
)
def test_it_finds_the_scale_of_a_moment_and_gives_the_very_end_to_the_next(after: int, scale: object) -> None:
    eras = eras_of(NPS_0_10, [(MONDAY, CSAT_1_5), (MONDAY + 30 * DAY, NPS_1_10)])
    assert era_at(eras, MONDAY + timedelta(seconds=after)).scale == scale


def test_it_clips_a_period_to_an_era() -> None:
    era = Era(NPS_0_10, MONDAY, MONDAY + 5 * DAY)
    assert era.clipped(MONDAY - DAY, MONDAY + DAY) == (MONDAY, MONDAY + DAY)
    assert era.clipped(None, None) == (MONDAY, MONDAY + 5 * DAY)
    assert Era(NPS_0_10).clipped(None, MONDAY) == (None, MONDAY)


class TestSuspicion:
    def test_it_notices_that_the_upper_half_has_fallen_silent(self) -> None:
        found = suspected_changes(months(WIDE, WIDE, NARROW, NARROW))
        assert found == [Suspicion(date(2026, 3, 1), "above", 5, opens=False)]

    def test_it_notices_that_the_lower_end_has_fallen_silent(self) -> None:
        found = suspected_changes(months(WIDE, WIDE, {5: 40, 9: 40, 10: 20}, {5: 60, 9: 40, 10: 50}))
        assert found == [Suspicion(date(2026, 3, 1), "below", 5, opens=False)]

    def test_it_notices_that_an_end_of_the_scale_is_new(self) -> None:
        found = suspected_changes(months(NARROW, NARROW, WIDE, WIDE))
        assert found == [Suspicion(date(2026, 3, 1), "above", 5, opens=True)]

    def test_it_notices_a_scale_that_came_and_went(self) -> None:
        found = suspected_changes(months(WIDE, WIDE, NARROW, NARROW, WIDE, WIDE))
        assert [(each.month.month, each.limit, each.opens) for each in found] == [
            (3, 5, False),
            (5, 5, True),
        ]

    def test_it_notices_two_scales_with_no_score_in_common(self) -> None:
        found = suspected_changes(months({8: 40, 9: 10}, {1: 30, 2: 30}))
        assert [each.month for each in found] == [date(2026, 2, 1)]

    @pytest.mark.parametrize("n", [29, 30])
    def test_it_takes_thirty_answers_on_either_side(self, n: int) -> None:
        half = {0: n // 2, 10: n - n // 2}
        found = suspected_changes(months(half, {0: 30}))
        assert bool(found) is (n >= 30)
        assert bool(suspected_changes(months({0: 30}, half))) is (n >= 30)

    def test_it_takes_what_chance_does_once_in_a_million_for_chance(self) -> None:
        # A tenth gave 10. That nobody of 131 does has the chance 0.9^131 = 1.0e-6, of 132 it is 0.91e-6.
        tenth = {5: 900, 10: 100}
        assert 0.9**131 > 1e-6 > 0.9**132
        assert suspected_changes(months(tenth, {5: 131})) == []
        assert suspected_changes(months(tenth, {5: 132})) == [
            Suspicion(date(2026, 2, 1), "above", 5, opens=False)
        ]

    @pytest.mark.parametrize(("hits", "n", "m"), [(1, 30, 30), (15, 30, 30), (2, 43, 530), (30, 30, 90)])
    def test_it_asks_fisher_where_the_share_is_a_guess(self, hits: int, n: int, m: int) -> None:
        p = fisher_exact([[hits, n - hits], [0, m]], alternative="greater").pvalue
        found = suspected_changes(months({10: hits, 5: n - hits}, {5: m}))
        assert bool(found) is bool(p < 1e-5)

    def test_it_says_nothing_where_there_is_nothing(self) -> None:
        assert suspected_changes([]) == []
        assert suspected_changes(months(WIDE)) == []
        assert suspected_changes(months({}, {}, WIDE, {})) == []

    def test_it_does_not_suspect_people_who_are_merely_happier(self) -> None:
        happier = {0: 1, 2: 1, 5: 5, 7: 10, 8: 20, 9: 30, 10: 40}
        assert suspected_changes(months(WIDE, WIDE, happier, happier)) == []

    def test_it_does_not_suspect_chance(self) -> None:
        """Three hundred firms in which nothing changes; hardly anybody gives the scores at either end."""
        weights = [2, 0.5, 1, 1, 2, 8, 5, 20, 30, 25, 1]
        rng = Random(2026)
        for _firm in range(300):
            scores = [rng.choices(range(11), weights, k=rng.randrange(20, 90)) for _month in range(12)]
            assert suspected_changes(months(*(dict(Counter(each)) for each in scores))) == []

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.lists(st.integers(0, 10), min_size=20, max_size=120), min_size=2, max_size=8))
    def test_it_is_borne_out_by_the_month_next_to_the_change(self, scores: list[list[int]]) -> None:
        counted = months(*(dict(Counter(each)) for each in scores))
        for found in suspected_changes(counted):
            place = found.month.month - 1
            silent = scores[place - 1 if found.opens else place]
            assert not any(
                score > found.limit if found.side == "above" else score < found.limit for score in silent
            )
