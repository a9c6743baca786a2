"""What drives the score: means, importance, the map and its edges, and the index."""

from __future__ import annotations

import math
from datetime import timedelta
from itertools import count
from random import Random
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from surveys.drivers import (
    IMPROVE,
    KEEP,
    LOW_PRIORITY,
    NICE,
    UNCLEAR,
    Driver,
    DriverMap,
    Rated,
    driver_map,
    index_of,
    with_ratings,
)
from surveys.eras import Era
from surveys.estimates import mean_interval, spearman, student_t
from surveys.models import Answer, FormerScale, Question, Response, Source, Survey
from surveys.results import Which
from surveys.scoring import NPS_0_10
from tests.surveys.make import MONDAY, make_survey

stats = pytest.importorskip("scipy.stats")
DAY = timedelta(days=1)
_serial = count(1)


def asking(survey: Survey, *keys: str) -> list[Question]:
    return [
        survey.questions.create(key=key, kind=Question.RATING, position=9 + place, text=key.title())
        for place, key in enumerate(keys)
    ]


def rate(survey: Survey, score: int, ratings: dict[Question, Any], at: Any = MONDAY, **fields: Any) -> None:
    source, _made = Source.objects.get_or_create(slug="file", defaults={"name": "File"})
    response = Response.objects.create(
        survey=survey,
        source=source,
        external_id=f"d{next(_serial)}",
        score=score,
        band=survey.band(score),
        answered_at=at,
        received_at=at,
        payload_hash="-",
        **fields,
    )
    Answer.objects.bulk_create(
        Answer(response=response, question=question, value=value) for question, value in ratings.items()
    )


def driver(key: str, pairs: list[tuple[int, float]], first: int = 0) -> Driver:
    """Its ratings and overall scores; the answers are numbered from `first`."""
    rated = tuple(Rated(first + number, rating, overall) for number, (rating, overall) in enumerate(pairs))
    importance = spearman([rating for rating, _ in pairs], [overall for _, overall in pairs])
    return Driver(Question(key=key, text=key), rated, importance)


def mapped(*drivers: Driver) -> DriverMap:
    return DriverMap(Survey(), Era(NPS_0_10), drivers, 0, 0)


def following(mean: int, noise: float, n: int = 40, seed: int = 1) -> list[tuple[int, float]]:
    """Ratings about a mean that follow the overall score, the less the more noise there is."""
    rng = Random(seed)
    pairs = []
    for _ in range(n):
        overall = rng.random()
        rating = round(mean + 2 * (overall - 0.5) + rng.gauss(0, noise))
        pairs.append((max(1, min(5, rating)), overall))
    return pairs


class TestOneDriver:
    def test_its_mean_and_importance_agree_with_scipy(self) -> None:
        pairs = following(3, 0.8)
        found = driver("speed", pairs)
        ratings = [rating for rating, _ in pairs]
        low, high = stats.t.interval(0.95, 39, loc=sum(ratings) / 40, scale=stats.sem(ratings))
        assert found.mean == pytest.approx(sum(ratings) / 40)
        assert found.interval is not None
        assert (found.interval.low, found.interval.high) == pytest.approx((float(low), float(high)), abs=1e-9)
        assert found.importance == pytest.approx(float(stats.spearmanr(*zip(*pairs, strict=True)).statistic))

    def test_below_ten_it_has_no_mean_and_below_thirty_no_place(self) -> None:
        assert driver("speed", following(3, 1, n=9)).mean is None
        some = driver("speed", following(3, 1, n=29))
        assert some.mean is not None
        assert not some.is_placed
        assert driver("speed", following(3, 1, n=30)).is_placed

    def test_its_interval_does_not_leave_the_scale(self) -> None:
        found = driver("speed", [(5, 0.5)] * 11 + [(4, 0.2)])
        assert found.interval is not None
        assert found.interval.high == 5

    def test_what_never_varies_has_no_interval_and_no_importance(self) -> None:
        found = driver("speed", [(5, number / 40) for number in range(40)])
        assert (found.mean, found.interval, found.importance, found.is_placed) == (5, None, None, False)


class TestMap:
    def test_it_is_cut_at_the_medians(self) -> None:
        drivers = {
            IMPROVE: driver("speed", following(2, 0.1, n=400)),
            KEEP: driver("staff", following(4, 0.1, n=400)),
            LOW_PRIORITY: driver("price", following(2, 3, n=400, seed=2)),
            NICE: driver("app", following(4, 3, n=400, seed=3)),
        }
        found = mapped(*drivers.values())
        assert {found.place(each): place for place, each in drivers.items()} == {
            place: place for place in drivers
        }

    def test_where_an_interval_holds_the_cut_the_quarter_cannot_be_told(self) -> None:
        """Two drivers alike but for one rating in forty: by the bare medians one would be "keep", one not."""
        pairs = following(3, 0.5)
        nearly = [(pairs[0][0] - 1, pairs[0][1]), *pairs[1:]]
        found = mapped(driver("one", pairs), driver("two", nearly))
        assert found.cuts is not None
        for each in found.placed:
            assert each.interval is not None
            assert each.interval.holds(found.cuts[0])
        assert [found.place(each) for each in found.drivers] == [UNCLEAR, UNCLEAR]
        assert found.lowest_rated == found.drivers[1]

    def test_one_clear_interval_of_the_two_is_not_enough(self) -> None:
        """Rated apart, as important as each other."""
        low, high = driver("low", following(2, 0.3, n=200)), driver("high", following(4, 0.3, n=200))
        found = mapped(low, high)
        assert found.cuts is not None
        assert low.interval is not None
        assert low.interval.high < found.cuts[0]
        assert [found.place(each) for each in found.drivers] == [UNCLEAR, UNCLEAR]

    def test_the_driver_in_the_middle_is_never_told(self) -> None:
        three = mapped(*(driver(str(mean), following(mean, 0.3)) for mean in (2, 3, 4)))
        middle = three.drivers[1]
        assert three.cuts is not None
        assert middle.mean == three.cuts[0]
        assert three.place(middle) == UNCLEAR

    def test_without_an_interval_nothing_is_told(self) -> None:
        """Ratings that follow the score without a flaw have a correlation of 1, and no interval."""
        perfect = driver("perfect", [(1 + number // 8, number // 8 / 4) for number in range(40)])
        assert perfect.importance == pytest.approx(1)
        found = mapped(perfect, driver("other", following(4, 3, n=400)))
        assert found.place(perfect) == UNCLEAR

    def test_it_takes_two_to_have_a_middle(self) -> None:
        alone = driver("speed", following(3, 0.5))
        few = driver("staff", following(3, 0.5, n=20))
        found = mapped(alone, few)
        assert found.cuts is None
        assert (found.place(alone), found.place(few)) == ("", "")
        assert mapped().cuts is None
        assert mapped().index is None


class TestIndex:
    def test_it_is_weighted_by_importance(self) -> None:
        """By hand: weights 0.6 and 0.2, means 4 and 2: (2.4 + 0.4) / 0.8 = 3.5 of 1 to 5, so 62.5."""
        high = Driver(Question(), tuple(Rated(n, 3 + n % 3, 0) for n in range(30)), 0.6)
        low = Driver(Question(), tuple(Rated(n, 1 + n % 3, 0) for n in range(30)), 0.2)
        found = index_of([high, low])
        assert found is not None
        assert found.value == pytest.approx(62.5)
        assert (found.answers, found.drivers) == (30, 2)

    def test_with_one_driver_its_interval_is_that_of_the_mean(self) -> None:
        pairs = following(3, 0.8)
        found, mean = index_of([driver("speed", pairs)]), mean_interval([rating for rating, _ in pairs])
        assert found is not None
        assert found.interval is not None
        assert mean is not None
        expected = [25 * (mean.low - 1), 25 * (mean.high - 1)]
        assert [found.interval.low, found.interval.high] == pytest.approx(expected)

    def test_ratings_given_together_are_not_taken_for_independent_ones(self) -> None:
        """Two drivers rated alike by the same people tell no more than one; by others, they do."""
        ratings = [1 + number % 5 for number in range(60)]
        one = Driver(Question(), tuple(Rated(n, rating, 0) for n, rating in enumerate(ratings)), 0.5)
        others = Driver(Question(), tuple(Rated(100 + n, rating, 0) for n, rating in enumerate(ratings)), 0.5)
        alone, together, apart = index_of([one]), index_of([one, one]), index_of([one, others])
        widths = []
        for found in (alone, together, apart):
            assert found is not None
            assert found.interval is not None
            widths.append(found.interval.high - found.interval.low)
        assert widths[1] == pytest.approx(widths[0])
        # As two samples of sixty with equal variances have it.
        assert widths[2] == pytest.approx(widths[0] / math.sqrt(2) * student_t(118) / student_t(59))

    def test_what_goes_against_the_score_weighs_nothing(self) -> None:
        up, down = driver("up", following(4, 0.3)), driver("down", [(6 - r, o) for r, o in following(4, 0.3)])
        assert down.importance is not None
        assert down.importance < 0
        both, alone = index_of([up, down]), index_of([up])
        assert both == alone
        assert index_of([down]) is None

    def test_it_covers_the_truth(self) -> None:
        """A thousand surveys of 60 people who rate two drivers alike; weights fixed, truth 3.2 of 1 to 5."""
        rng, hits = Random(7), 0
        for _ in range(1000):
            first, second = [], []
            for number in range(60):
                mood = rng.random() < 0.4
                first.append(Rated(number, (4 if mood else 2) + (rng.random() < 0.5), 0))
                second.append(Rated(number, (4 if mood else 3) + (rng.random() < 0.2), 0))
            found = index_of([Driver(Question(), tuple(first), 0.3), Driver(Question(), tuple(second), 0.3)])
            assert found is not None
            assert found.interval is not None
            # (2.8 + 0.5 + 3.4 + 0.2) / 2 = 3.45, so 61.25
            hits += found.interval.holds(61.25)
        assert 930 <= hits <= 970


@pytest.mark.django_db
class TestAnswers:
    def test_it_reads_the_ratings_of_the_period_beside_their_scores(self) -> None:
        survey = make_survey()
        speed, staff = asking(survey, "speed", "staff")
        for number in range(40):
            rate(survey, number % 11, {speed: 1 + number % 5, staff: 1 + min(4, (number % 11) // 2)})
        rate(survey, 3, {speed: 5}, at=MONDAY - DAY)
        rate(survey, 3, {speed: 5}, at=MONDAY + 5 * DAY)
        rate(survey, 3, {speed: 5}, touchpoint="store")
        found = driver_map(survey, Which(since=MONDAY, until=MONDAY + DAY))
        assert [(each.question.key, each.n) for each in found.drivers] == [("staff", 40), ("speed", 41)]
        assert found.answers == 41
        assert found.drivers[0].importance is not None
        assert found.drivers[0].importance > 0.9
        assert driver_map(survey, Which(touchpoint="store")).answers == 1
        assert driver_map(survey, Which(at=MONDAY - DAY)).answers == 1

    def test_withdrawn_answers_blanks_and_what_is_no_rating_do_not_count(self) -> None:
        survey = make_survey()
        (speed,) = asking(survey, "speed")
        for value in (0, 6, "5", 3.5, True, [4]):
            rate(survey, 5, {speed: value})
        rate(survey, 5, {speed: 4}, state="withdrawn")
        rate(survey, 5, {speed: 4})
        found = driver_map(survey, Which())
        assert [each.n for each in found.drivers] == [1]

    def test_scores_given_on_another_scale_are_left_out_and_counted(self) -> None:
        survey = make_survey()
        (speed,) = asking(survey, "speed")
        FormerScale.objects.create(survey=survey, until=MONDAY, lowest=1, highest=5, low_cut=2, high_cut=4)
        rate(survey, 5, {speed: 4}, at=MONDAY - DAY)
        rate(survey, 5, {speed: 4})
        found = driver_map(Survey.objects.get(pk=survey.pk), Which())
        assert (found.answers, found.elsewhere, found.drivers[0].n) == (1, 1, 1)

    def test_where_one_is_best_a_rating_that_follows_the_score_is_still_important(self) -> None:
        survey = make_survey(kind="csat", lowest=1, highest=5, best="min", low_cut=4, high_cut=2)
        (speed,) = asking(survey, "speed")
        for number in range(30):
            rate(survey, 1 + number % 5, {speed: 5 - number % 5})
        (found,) = driver_map(survey, Which()).drivers
        assert found.importance == pytest.approx(1)
        assert found.importance_interval is None

    def test_a_question_asked_no_longer_stays_as_long_as_it_has_ratings(self) -> None:
        survey = make_survey()
        speed, staff = asking(survey, "speed", "staff")
        Question.objects.update(active=False)
        rate(survey, 5, {speed: 4})
        assert [each.question.key for each in driver_map(survey, Which()).drivers] == ["speed"]
        Question.objects.update(active=True)
        assert [each.question for each in driver_map(survey, Which()).drivers] == [speed, staff]

    def test_it_knows_the_surveys_that_ask_for_ratings(self) -> None:
        with_them, without = make_survey("one"), make_survey("two")
        asking(with_them, "speed")
        assert with_ratings([with_them, without]) == [with_them]

    def test_it_asks_the_database_as_often_for_many_as_for_few(
        self, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        survey = make_survey()
        questions = asking(survey, *"abcdef")
        for _ in range(12):
            rate(survey, 5, dict.fromkeys(questions, 4))
        with django_assert_max_num_queries(4):
            assert driver_map(survey, Which()).answers == 12
