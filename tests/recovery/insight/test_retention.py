import pytest

from recovery.insight.retention import CLASSIC, LEVELS, level_of, retention_table, scores_of
from recovery.models import ExpectedRetention
from surveys.scoring import CES_1_7, CSAT_1_5, CSAT_1_5_BEST_1, NPS_0_10, NPS_1_10, Scale

LOSING = Scale(0, 10, "min", low=4, high=1)


def test_the_scores_of_nps_map_to_the_five_levels_as_documented() -> None:
    assert [level_of(score, NPS_0_10) for score in range(11)] == [1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_a_scale_that_runs_backwards_maps_the_same_way() -> None:
    assert [level_of(10 - score, LOSING) for score in range(11)] == [1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_on_five_points_the_level_is_the_point_itself() -> None:
    assert [level_of(score, CSAT_1_5) for score in range(1, 6)] == [1, 2, 3, 4, 5]
    assert [level_of(score, CSAT_1_5_BEST_1) for score in range(1, 6)] == [5, 4, 3, 2, 1]


@pytest.mark.parametrize("scale", [NPS_0_10, NPS_1_10, CSAT_1_5, CES_1_7, LOSING])
def test_every_score_has_one_level_and_no_better_score_a_lower_one(scale: Scale) -> None:
    levels = {score: level for level in LEVELS for score in scores_of(level, scale)}
    assert set(levels) == set(range(scale.lowest, scale.highest + 1))
    by_goodness = [levels[score] for score in sorted(levels, key=scale.goodness)]
    assert by_goodness == sorted(by_goodness)
    assert {1, 5} <= set(by_goodness)


def test_a_score_beyond_its_scale_counts_as_its_end() -> None:
    assert (level_of(9, CSAT_1_5), level_of(-3, CSAT_1_5), level_of(12, NPS_0_10)) == (5, 1, 5)


@pytest.mark.django_db
def test_without_rows_the_classic_table_holds() -> None:
    table = retention_table()
    assert list(table) == [5, 4, 3, 2, 1]
    assert {level: (round(100 * row.low), round(100 * row.high)) for level, row in table.items()} == CLASSIC
    assert [round(row.middle, 3) for row in table.values()] == [0.945, 0.825, 0.625, 0.175, 0.025]


@pytest.mark.django_db
def test_a_row_takes_the_place_of_its_level_alone() -> None:
    ExpectedRetention.objects.create(level=1, low=10, high=30)
    table = retention_table()
    assert (table[1].low, table[1].high, table[1].middle) == (0.1, 0.3, 0.2)
    assert table[2].middle == pytest.approx(0.175)
