"""The figures, against numbers worked out by hand."""

from dataclasses import replace
from datetime import timedelta

import pytest

from recovery.insight.cohort import Story
from recovery.insight.groups import HOURS, grouped, names_of
from recovery.insight.recovery import Rate, Recovery, dose, ranking, recovery, wait_of
from surveys.estimates import newcombe_difference

# Of 412 low scores, 287 were reached: 240 of them asked again; of the 125 others, 90.
COUNTS = [
    (True, "asked", "promoter", 38),
    (True, "asked", "passive", 48),
    (True, "asked", "detractor", 101),
    (True, "asked", "no_answer", 53),
    (True, "not_asked", "not_asked", 47),
    (False, "asked", "promoter", 6),
    (False, "asked", "passive", 13),
    (False, "asked", "detractor", 42),
    (False, "asked", "no_answer", 29),
    (False, "not_asked", "not_asked", 35),
]


def story(reached: bool = True, stage: str = "asked", state: str = "promoter", **fields: object) -> Story:
    known = {"next": state, "now": state, "ever": state, **fields}
    return Story(ticket=1, reached=reached, reached_later=False, stage=stage, **known)  # type: ignore[arg-type]


def quarter() -> Recovery:
    return recovery(
        [
            story(reached, stage, state, why="no_address")
            for reached, stage, state, number in COUNTS
            for _ in range(number)
        ]
    )


def percent(share: float | None) -> int:
    assert share is not None
    return round(100 * share)


def test_it_counts_everybody() -> None:
    found = quarter()
    assert (found.size, found.reached.hits, found.answered, found.unanswered) == (412, 287, 248, 164)
    assert (found.asked.hits, found.asked.n) == (330, 412)
    assert (found.responded.hits, found.responded.n) == (248, 330)
    assert found.why_not_asked == {"no_address": 82}
    assert found.converted().hits == 44


def test_the_recovery_rate_has_its_interval_and_its_bounds() -> None:
    found = quarter()
    rate, bounds = found.recovered(), found.bounds
    assert (rate.hits, rate.n) == (105, 248)
    assert rate.interval is not None
    assert [percent(share) for share in (rate.share, rate.interval.low, rate.interval.high)] == [42, 36, 49]
    assert bounds is not None
    assert [bounds.low, bounds.high] == pytest.approx([105 / 412, 269 / 412])


def test_the_reached_are_held_against_those_nobody_reached() -> None:
    found = quarter()
    ours, theirs = found.recovered_among(reached=True), found.recovered_among(reached=False)
    assert ((ours.hits, ours.n), (theirs.hits, theirs.n)) == ((86, 187), (19, 61))
    assert found.difference is not None
    ends = found.difference.interval
    # By hand: 46.0 - 31.1 = 14.8 points; Newcombe's hybrid of the two Wilson intervals.
    assert round(100 * found.difference.value) == 15
    assert (round(100 * ends.low), round(100 * ends.high)) == (1, 27)
    assert found.difference.is_clear


def test_ten_answers_make_a_percentage_and_nine_do_not() -> None:
    assert (Rate(4, 9).share, Rate(4, 9).interval) == (None, None)
    assert Rate(4, 10).share == 0.4
    assert Rate(0, 0).share is None


def test_no_difference_is_told_from_fewer_than_ten_answers_on_either_side() -> None:
    ten, nine = [story(True)] * 10, [story(False)] * 9
    assert recovery([*ten, *nine]).difference is None
    assert recovery([*ten, *nine, story(False)]).difference is not None


def test_nobody_is_no_figure() -> None:
    found = recovery([])
    assert (found.size, found.bounds, found.difference, found.recovered().share) == (0, None, None, None)


def test_ever_and_now_are_of_the_same_people_as_the_next_answer() -> None:
    told = [
        story(state="detractor", now="promoter", ever="promoter"),
        story(state="promoter", now="detractor", ever="promoter"),
        story(stage="in_work", state="in_work"),
    ]
    found = recovery(told)
    assert [found.recovered(column).hits for column in ("next", "now", "ever")] == [1, 1, 2]
    assert {found.converted(column).n for column in ("next", "now", "ever")} == {2}


def test_an_unprompted_answer_is_no_response_to_an_ask() -> None:
    found = recovery([story(stage="unprompted"), story(stage="asked", state="waiting")])
    assert (found.responded.hits, found.responded.n, found.unprompted, found.answered) == (0, 1, 1, 1)


def test_groups_are_ranked_from_thirty_answers_each() -> None:
    east = [story(team=1)] * 20 + [story(team=1, state="detractor")] * 10
    west = [story(team=2)] * 25 + [story(team=2, state="detractor")] * 5
    north = [story(team=3)] * 29 + [story(team=3, stage="in_work", state="in_work")] * 40
    found = ranking([*east, *west, *north], lambda each: each.team)
    assert [(group.key, group.recovered.hits, group.recovered.n) for group in found.ranked] == [
        (2, 25, 30),
        (1, 20, 30),
    ]
    assert [(group.key, group.size, group.recovered.n) for group in found.small] == [(3, 69, 29)]


@pytest.mark.parametrize(
    ("hours", "group"), [(4, "4h"), (4.01, "24h"), (24, "24h"), (72, "3d"), (73, "later"), (None, "never")]
)
def test_people_are_grouped_by_how_long_they_waited(hours: float | None, group: str) -> None:
    wait = None if hours is None else timedelta(hours=hours)
    assert wait_of(story(reached=hours is not None, to_contact=wait)) == group


def test_whoever_was_heard_only_after_their_answer_waited_in_vain() -> None:
    assert wait_of(story(reached=False, to_contact=timedelta(hours=1))) == "never"


def test_lasting_is_of_those_converted_who_answered_once_more() -> None:
    told = [story(lasting=lasting) for lasting in ["promoter"] * 9 + ["passive"] * 2 + ["detractor"]]
    told += [story(lasting="no_answer")] * 5 + [story(state="passive")] * 3
    found = recovery(told)
    assert (found.converted().hits, found.lasting.hits, found.lasting.n) == (17, 9, 12)
    assert found.lasting.interval is not None
    assert recovery([story(lasting="no_answer")]).lasting.n == 0


def test_stories_that_stand_for_many_count_as_many() -> None:
    many = [story(count=30, team=1), story(state="detractor", count=10, team=1)]
    many.append(story(False, count=20, team=2))
    one_by_one = [replace(each, count=1) for each in many for _ in range(each.count)]
    assert recovery(many) == recovery(one_by_one)
    assert ranking(many, lambda each: each.team) == ranking(one_by_one, lambda each: each.team)


def test_a_group_is_held_against_all_the_others() -> None:
    told = [story(team=1, count=30), story(team=1, state="detractor", count=10)]
    told += [story(team=2, count=20), story(team=2, state="detractor", count=30)]
    told += [story(team=3, count=5), story(team=3, state="detractor", count=5)]
    found = ranking(told, lambda each: each.team)
    first, second = found.ranked
    # By hand: 30 of 40 against 25 of 60; 20 of 50 against 35 of 50.
    assert first.difference == newcombe_difference(30, 40, 25, 60)
    assert second.difference == newcombe_difference(20, 50, 35, 50)
    assert not first.may_be_chance
    assert [group.difference for group in found.small] == [None]


def test_a_difference_that_many_comparisons_do_not_bear_out_may_be_chance() -> None:
    told = [story(team=0, count=30), story(team=0, state="detractor", count=10)]
    for team in range(1, 9):
        told += [story(team=team, count=22), story(team=team, state="detractor", count=18)]
    found = ranking(told, lambda each: each.team)
    best = found.ranked[0]
    assert best.difference is not None
    assert best.difference.is_clear
    assert best.may_be_chance
    two = ranking(told[:4], lambda each: each.team)
    assert not any(group.may_be_chance for group in two.ranked)


def test_nobody_is_held_against_fewer_than_ten_others() -> None:
    found = ranking([story(team=1, count=40), story(team=2, count=9)], lambda each: each.team)
    assert found.ranked[0].difference is None


def waited(hours: float, hits: int, misses: int) -> list[Story]:
    wait = timedelta(hours=hours)
    return [story(to_contact=wait, count=hits), story(state="detractor", to_contact=wait, count=misses)]


def test_the_dose_is_the_trend_over_the_classes_of_waiting() -> None:
    told = [*waited(1, 30, 10), *waited(20, 25, 15), *waited(48, 20, 20), *waited(100, 15, 25)]
    told += [story(False, count=100)]
    found = dose(told)
    assert [rate.hits for rate in found.recovered.values()] == [30, 25, 20, 15]
    assert found.n == 160
    assert found.per_step is not None
    # By hand: 12.5 points fewer with each class; half and a bit recovered, spread 200.
    assert found.per_step.value == pytest.approx(-0.125)
    margin = 1.959964 * (90 / 160 * 70 / 160 / 200) ** 0.5
    assert found.per_step.interval.high == pytest.approx(-0.125 + margin)


def test_few_answers_show_no_trend() -> None:
    assert dose([*waited(1, 10, 10), *waited(20, 4, 5)]).per_step is None, "29 answers"
    assert dose([*waited(1, 30, 30), *waited(20, 4, 5)]).per_step is None, "ten in one class only"
    assert dose([]).per_step is None


def test_groups_by_waiting_stand_in_the_order_of_time_under_names_that_exclude_each_other() -> None:
    hours = (100, 20, None, 1, 48)
    for answers in (1, 30):
        told = [
            story(reached=each is not None, to_contact=None if each is None else timedelta(hours=each))
            for each in hours
            for _ in range(answers)
        ]
        found = grouped(told, HOURS)
        keys = [group.key for group in found]
        assert [names_of(HOURS, keys)(key) for key in keys] == [
            "within 4 hours",
            "4 to 24 hours",
            "1 to 3 days",
            "later than 3 days",
            "not reached",
        ]
        assert len(found.ranked) == (5 if answers == 30 else 0)
