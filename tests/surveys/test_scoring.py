from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys import scoring
from surveys.scoring import (
    CES_1_7,
    CES_1_7_BEST_1,
    CSAT_1_5,
    CSAT_1_5_BEST_1,
    DETRACTOR,
    NPS_0_10,
    NPS_1_10,
    PASSIVE,
    PROMOTER,
    BandCounts,
    LevelCounts,
    Scale,
    ScaleError,
    ScoreError,
)

EVERY_SCALE = [NPS_0_10, NPS_1_10, CSAT_1_5, CES_1_7, CSAT_1_5_BEST_1, CES_1_7_BEST_1]


@st.composite
def scales(draw: st.DrawFn) -> Scale:
    lowest = draw(st.integers(-5, 5))
    highest = lowest + draw(st.integers(1, 20))
    first, second = sorted(draw(st.lists(st.integers(lowest, highest), min_size=2, max_size=2, unique=True)))
    if draw(st.booleans()):
        return Scale(lowest, highest, "max", low=first, high=second)
    return Scale(lowest, highest, "min", low=second, high=first)


# --- scales and bands ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scale", "low", "middle", "high"),
    [
        (NPS_0_10, range(0, 7), (7, 8), (9, 10)),
        (NPS_1_10, range(1, 7), (7, 8), (9, 10)),
        (CSAT_1_5, (1, 2), (3,), (4, 5)),
        (CES_1_7, (1, 2, 3), (4,), (5, 6, 7)),
        (CSAT_1_5_BEST_1, (4, 5), (3,), (1, 2)),
        (CES_1_7_BEST_1, (5, 6, 7), (4,), (1, 2, 3)),
        (Scale(0, 1, "max", low=0, high=1), (0,), (), (1,)),
    ],
    ids=["NPS 0-10", "NPS 1-10", "CSAT", "CES", "CSAT backwards", "CES backwards", "thumb down or up"],
)
def test_it_puts_every_score_in_its_band(scale: Scale, low: Any, middle: Any, high: Any) -> None:
    bands = {score: scoring.band(score, scale) for score in range(scale.lowest, scale.highest + 1)}
    expected = dict.fromkeys(low, DETRACTOR) | dict.fromkeys(middle, PASSIVE) | dict.fromkeys(high, PROMOTER)
    assert bands == expected


@pytest.mark.parametrize("scale", EVERY_SCALE)
def test_it_refuses_to_band_a_score_beyond_either_end(scale: Scale) -> None:
    for outside in (scale.lowest - 1, scale.highest + 1):
        with pytest.raises(ScoreError) as refusal:
            scoring.band(outside, scale)
        assert refusal.value.reason == "out_of_scale"


@pytest.mark.parametrize(
    ("reason", "numbers"),
    {
        "one point is no scale": (5, 5, "max", 5, 5),
        "ends swapped": (10, 0, "max", 6, 9),
        "low cut below the scale": (1, 5, "max", 0, 4),
        "high cut above the scale": (1, 5, "max", 2, 6),
        "cuts meet": (1, 5, "max", 3, 3),
        "cuts of the other direction": (1, 5, "min", 2, 4),
        "cuts crossed": (0, 10, "max", 9, 6),
        "unknown direction": (0, 10, "up", 6, 9),
        "a fraction as an end": (0, 10.5, "max", 6, 9),
        "a truth value as a cut": (0, 10, "max", True, 9),
        "an end left empty": (None, 10, "max", 6, 9),
    }.items(),
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_it_refuses_a_scale_that_contradicts_itself(reason: str, numbers: Any) -> None:
    with pytest.raises(ScaleError):
        Scale(*numbers)


@given(scales())
def test_it_never_gives_a_better_score_a_worse_band(scale: Scale) -> None:
    order = [DETRACTOR, PASSIVE, PROMOTER]
    scores = sorted(range(scale.lowest, scale.highest + 1), key=scale.goodness)
    ranks = [order.index(scoring.band(score, scale)) for score in scores]
    assert ranks == sorted(ranks)
    assert (ranks[0], ranks[-1]) == (0, 2)


def test_it_measures_goodness_from_the_worst_end_in_both_directions() -> None:
    assert [NPS_0_10.goodness(score) for score in (0, 5, 10)] == [0, 0.5, 1]
    assert [CSAT_1_5_BEST_1.goodness(score) for score in (5, 3, 1)] == [0, 0.5, 1]


# --- reading a score from a file ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "score"),
    [
        (0, 0),
        (4, 4),
        (4.0, 4),
        (Decimal("4.00"), 4),
        ("4", 4),
        ("0", 0),
        (" 4 \n", 4),
        ("04", 4),
        ("4.0", 4),
        ("4,0", 4),
        ("4分", 4),
        ("4 分", 4),
        ("4.0分", 4),
        ("4颗星", 4),
        ("4 stars", 4),
        ("1 Point", 1),
        ("４", 4),
        ("１０分", 10),
        ("\ufeff4", 4),
        ("\u30004\u00a0", 4),
        ("0 - Not at all likely", 0),
        ("Extremely likely - 10", 10),
        ("10: 非常愿意", 10),
        ("10（非常愿意）", 10),
        ("非常愿意（10分）", 10),
        ("Detractor: 9", 9),
    ],
)
def test_it_reads_a_score_as_files_write_it(value: object, score: int) -> None:
    assert scoring.read_score(value, NPS_0_10) == score


@pytest.mark.parametrize(
    "value",
    [None, "", "  ", "\t\n", "NA", "na", " N/A ", "n/a", "NULL", "-", "－", "未评分", "\u3000", "\ufeff"],
)
def test_it_reads_words_for_no_answer_as_unanswered(value: object) -> None:
    assert scoring.read_score(value, NPS_0_10) is None


@pytest.mark.parametrize("value", [8, 8.0, "8", "8.0", "８", " 8分"])
def test_it_reads_the_codes_the_importer_named_as_unanswered(value: object) -> None:
    assert scoring.read_score(value, CSAT_1_5, blanks={"8"}) is None


def test_it_keeps_an_empty_cell_unanswered_whatever_the_importer_named() -> None:
    assert scoring.read_score("", CSAT_1_5, blanks={"Weiß nicht"}) is None
    assert scoring.read_score("WEISS NICHT ", CSAT_1_5, blanks={"Weiß nicht"}) is None


def test_it_refuses_a_code_nobody_named() -> None:
    with pytest.raises(ScoreError) as refusal:
        scoring.read_score("8", CSAT_1_5)
    assert refusal.value.reason == "out_of_scale"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (True, "boolean"),
        (False, "boolean"),
        (3.5, "fraction"),
        ("3.5", "fraction"),
        ("3,5", "fraction"),
        ("9.99", "fraction"),
        (Decimal("0.1"), "fraction"),
        (11, "out_of_scale"),
        (-1, "out_of_scale"),
        ("-1", "out_of_scale"),
        ("−1", "out_of_scale"),
        ("11", "out_of_scale"),
        ("100分", "out_of_scale"),
        (1e300, "out_of_scale"),
        (10**5000, "out_of_scale"),
        ("9" * 90, "out_of_scale"),
        (float("nan"), "not_a_number"),
        (float("inf"), "not_a_number"),
        (Decimal("NaN"), "not_a_number"),
        ("NaN", "not_a_number"),
        ("inf", "not_a_number"),
        ("true", "not_a_number"),
        ("promoter", "not_a_number"),
        ("satisfied", "not_a_number"),
        ("none", "not_a_number"),
        ("--", "not_a_number"),
        ("4/5", "not_a_number"),
        ("9-10", "not_a_number"),
        ("9 10", "not_a_number"),
        ("1,000", "not_a_number"),
        ("1e1", "not_a_number"),
        ("1²", "not_a_number"),
        ("٤", "not_a_number"),
        ("四", "not_a_number"),
        ("4 kg", "not_a_number"),
        ("5分钟", "not_a_number"),
        ("=A1+3", "not_a_number"),
        ("I would give a 4 if I could", "not_a_number"),
        ("9" * 5000, "not_a_number"),
        ("x" * 50_000, "not_a_number"),
        (b"4", "not_a_number"),
        ([4], "not_a_number"),
    ],
    ids=lambda value: repr(value)[:30] if not isinstance(value, int) or abs(value) < 99 else "huge",
)
def test_it_refuses_what_is_no_score_and_never_clamps(value: object, reason: str) -> None:
    with pytest.raises(ScoreError) as refusal:
        scoring.read_score(value, NPS_0_10)
    assert refusal.value.reason == reason
    assert 0 < len(refusal.value.message) < 160


@given(st.data(), scales())
def test_it_reads_number_text_and_unit_alike(data: st.DataObject, scale: Scale) -> None:
    score = data.draw(st.integers(scale.lowest, scale.highest))
    writings: list[object] = [
        score,
        float(score),
        str(score),
        f" {score}.0 ",
        f"{score}分",
        f"{score} - worst",
    ]
    assert {scoring.read_score(value, scale) for value in writings} == {score}


@given(scales(), st.text() | st.integers() | st.floats() | st.booleans() | st.none())
def test_it_reads_a_score_on_the_scale_or_nothing_or_refuses(scale: Scale, value: object) -> None:
    try:
        score = scoring.read_score(value, scale)
    except ScoreError:
        return
    assert score is None or (type(score) is int and scale.holds(score))


# --- checking a score from the API --------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "score"), [(0, 0), (7, 7), (7.0, 7), (-0.0, 0)])
def test_it_accepts_a_json_number(value: object, score: int) -> None:
    checked = scoring.check_score(value, NPS_0_10)
    assert checked == score
    assert type(checked) is int


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("7", "text"),
        ("abc", "text"),
        ("", "text"),
        (True, "boolean"),
        (7.5, "fraction"),
        (11, "out_of_scale"),
        (-1, "out_of_scale"),
        (float("nan"), "not_a_number"),
        (float("-inf"), "not_a_number"),
        (None, "not_a_number"),
        ([7], "not_a_number"),
        ({"score": 7}, "not_a_number"),
    ],
)
def test_it_refuses_json_that_is_no_score(value: object, reason: str) -> None:
    with pytest.raises(ScoreError) as refusal:
        scoring.check_score(value, NPS_0_10)
    assert refusal.value.reason == reason


# --- NPS, CSAT, CES -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        (BandCounts(25, 10, 15), 20),
        (BandCounts(3, 0, 0), 100),
        (BandCounts(0, 0, 3), -100),
        (BandCounts(0, 7, 0), 0),
        (BandCounts(1, 0, 2), pytest.approx(-33.3333, abs=1e-4)),
    ],
)
def test_it_computes_nps(counts: BandCounts, expected: float) -> None:
    assert scoring.nps(counts) == expected


def test_it_has_no_nps_without_answers() -> None:
    assert scoring.nps(BandCounts()) is None


def test_it_refuses_negative_counts() -> None:
    with pytest.raises(ValueError, match="negative"):
        BandCounts(1, -1, 0)


def test_it_counts_bands() -> None:
    counts = BandCounts.of([PROMOTER, DETRACTOR, PROMOTER, PASSIVE])
    assert counts == BandCounts(promoters=2, passives=1, detractors=1)
    assert counts.answered == 4


def test_it_refuses_to_count_an_unknown_band() -> None:
    with pytest.raises(KeyError):
        BandCounts.of([PROMOTER, ""])


def test_it_computes_csat_as_the_top_two_of_five_and_shows_every_level() -> None:
    levels = LevelCounts(CSAT_1_5, {1: 2, 3: 3, 4: 4, 5: 1})
    assert scoring.csat(levels) == 0.5
    assert levels.shares == {1: 0.2, 2: 0.0, 3: 0.3, 4: 0.4, 5: 0.1}
    assert levels.bands == BandCounts(promoters=5, passives=3, detractors=2)


def test_it_counts_the_other_end_where_the_lowest_number_is_best() -> None:
    assert scoring.csat(LevelCounts(CSAT_1_5_BEST_1, {1: 3, 5: 1})) == 0.75


def test_it_computes_ces_as_mean_and_top_three_of_seven() -> None:
    effort = scoring.ces(LevelCounts(CES_1_7, {1: 1, 4: 1, 5: 1, 7: 1}))
    assert effort == scoring.Effort(mean=4.25, made_it_easy=0.5)


def test_it_has_no_csat_and_no_ces_without_answers() -> None:
    assert scoring.csat(LevelCounts(CSAT_1_5, {})) is None
    assert scoring.ces(LevelCounts(CES_1_7, {4: 0})) is None
    assert LevelCounts(CSAT_1_5, {}).shares == {}


def test_it_refuses_levels_that_are_not_on_the_scale() -> None:
    with pytest.raises(ScoreError):
        LevelCounts(CSAT_1_5, {6: 1})
    with pytest.raises(ValueError, match="negative"):
        LevelCounts(CSAT_1_5, {5: -1})
