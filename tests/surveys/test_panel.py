"""The same people asked again: who began how, what they say now, and what is compared with nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import NamedTuple

import pytest
from pytest_django import DjangoAssertNumQueries

from surveys.models import Customer, FormerScale, Invitation, Response, Source, Survey
from surveys.panel import (
    BANDS,
    EVER,
    NO_LATER,
    NOT_LOW,
    NOW,
    STATES,
    Given,
    Panel,
    eras_of,
    panel,
    waves,
    who,
    who_elsewhere,
    who_in_waves,
)
from surveys.results import Which
from surveys.scoring import DETRACTOR, PASSIVE, PROMOTER, Scale
from tests.surveys.make import MONDAY, make_customer, make_survey

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
ALL = Which()
_serial = count(1)


def person() -> Customer:
    return make_customer(email=f"panel{next(_serial)}@example.com")


def say(
    survey: Survey, who: Customer | None, *scores: int | None, at: datetime = MONDAY, step: timedelta = DAY
) -> None:
    """One answer after another, a day apart."""
    source, _made = Source.objects.get_or_create(slug="file", defaults={"name": "File"})
    for number, score in enumerate(scores):
        moment = at + number * step
        Response.objects.create(
            survey=survey,
            source=source,
            external_id=f"p{next(_serial)}",
            customer=who,
            state="unanswered" if score is None else "complete",
            score=score,
            band=survey.band(score, moment),
            answered_at=moment,
            received_at=moment,
            payload_hash="-",
        )


def say_again(survey: Survey, who: Customer, score: int, at: datetime) -> None:
    """One answer to being asked again after a low score."""
    asked = Invitation.objects.create(
        survey=survey,
        customer=who,
        purpose=Invitation.RESURVEY,
        state=Invitation.ANSWERED,
        send_at=at,
        created_at=at,
    )
    say(survey, who, score, at=at)
    Response.objects.filter(customer=who, answered_at=at).update(invitation=asked)


class Member(NamedTuple):
    """Somebody as the lists behind the cells have them."""

    customer: int
    first: Given
    latest: Given
    now: str
    ever: str


def members(found: Panel) -> list[Member]:
    """Everybody who is counted, by the cells they are behind; each is behind exactly one of either column."""
    states = {
        (column, person.customer): state
        for column in (NOW, EVER)
        for state in STATES
        for person in who(found.answers, states=[state], column=column)
    }
    return [
        Member(
            person.customer,
            person.answers[0],
            person.answers[-1],
            states[NOW, person.customer],
            states[EVER, person.customer],
        )
        for person in who(found.answers)
    ]


def elsewhere(found: Panel, *, too: bool) -> list[int]:
    return [person.customer for person in who_elsewhere(found.answers, too=too)]


def one(found: Panel) -> Member:
    (member,) = members(found)
    return member


class TestWhoBecameWhat:
    def test_it_begins_with_the_first_answer_and_ends_with_the_latest(self) -> None:
        survey, who = make_survey(), person()
        say(survey, who, 3, 10, 7)
        member = one(panel(survey, ALL))
        assert (member.first.score, member.latest.score) == (3, 7)
        assert (member.now, member.ever) == (PASSIVE, PROMOTER)

    def test_it_never_drops_who_gave_no_later_answer(self) -> None:
        survey = make_survey()
        say(survey, person(), 3)
        say(survey, person(), 3, None)
        found = panel(survey, ALL)
        assert found.count([DETRACTOR], [NO_LATER]) == 2
        assert found.count([DETRACTOR], [NO_LATER], EVER) == 2
        assert (found.size, found.answered_again, found.blank) == (2, 0, 1)

    def test_the_first_answer_is_no_later_one_however_good_it_was(self) -> None:
        survey = make_survey()
        say(survey, person(), 10, 3)
        assert one(panel(survey, ALL)).ever == DETRACTOR

    def test_it_takes_answers_of_one_moment_in_the_order_they_came_in(self) -> None:
        survey, up, down = make_survey(), person(), person()
        say(survey, up, 2, 9, step=timedelta())
        say(survey, down, 9, 2, step=timedelta())
        found = {member.customer: member for member in members(panel(survey, ALL))}
        assert (found[up.pk].first.score, found[up.pk].latest.score) == (2, 9)
        assert (found[down.pk].first.score, found[down.pk].latest.score) == (9, 2)

    def test_withdrawn_answers_and_tests_are_none(self) -> None:
        survey, who = make_survey(), person()
        say(survey, who, 3, 9, 9)
        later = Response.objects.order_by("answered_at")
        later.filter(pk=later[1].pk).update(state="withdrawn")
        later.filter(pk=later[2].pk).update(state="test")
        assert one(panel(survey, ALL)).now == NO_LATER

    def test_answers_of_nobody_known_are_counted_beside(self) -> None:
        survey = make_survey()
        say(survey, None, 3, 9)
        found = panel(survey, ALL)
        assert (found.size, found.nameless) == (0, 2)

    def test_surveys_of_one_line_are_one_story(self) -> None:
        survey, other = make_survey("shop"), make_survey("shop-2", line="shop")
        who = person()
        say(survey, who, 3)
        say(other, who, 9, at=MONDAY + DAY)
        say(make_survey("elsewhere"), who, 3, at=MONDAY + 2 * DAY)
        assert one(panel(survey, ALL)).now == PROMOTER

    def test_filters_narrow_it(self) -> None:
        survey, who = make_survey(), person()
        say(survey, who, 3, 9, 7)
        assert one(panel(survey, Which(since=MONDAY + DAY))).first.score == 9
        assert one(panel(survey, Which(until=MONDAY + 2 * DAY))).latest.score == 9
        assert one(panel(survey, Which(at=MONDAY + DAY))).latest.score == 9
        Response.objects.filter(score=9).update(touchpoint="store")
        assert one(panel(survey, Which(touchpoint="store"))).now == NO_LATER

    def test_the_people_of_a_cell_are_those_it_counts(self) -> None:
        survey = make_survey()
        for scores in ((3, 9), (3, 10, 5), (9,), (7, 8)):
            say(survey, person(), *scores)
        found = panel(survey, ALL)
        for column in (NOW, EVER):
            for first in BANDS:
                for state in (*BANDS, NO_LATER):
                    behind = who(found.answers, [first], [state], column)
                    assert len(behind) == len(list(behind)) == found.count([first], [state], column)
                    assert {person.answers[0].band for person in behind} <= {first}
        latest = [person.answers[-1].score for person in who(found.answers, [DETRACTOR], [PROMOTER], EVER)]
        assert latest == [9, 5]
        assert [person.customer for person in who(found.answers)[1:3]] == [
            person.customer for person in who(found.answers)
        ][1:3]


class TestScales:
    @pytest.fixture
    def changed(self) -> Survey:
        """1 to 5 until a week after Monday, 0 to 10 from then on."""
        survey = make_survey()
        FormerScale.objects.create(
            survey=survey, until=MONDAY + 7 * DAY, lowest=1, highest=5, low_cut=2, high_cut=4
        )
        return Survey.objects.get(pk=survey.pk)

    def test_it_compares_within_the_scale_in_force_and_counts_the_others_beside(
        self, changed: Survey
    ) -> None:
        both, only, new = person(), person(), person()
        say(changed, both, 5, at=MONDAY)
        say(changed, both, 3, at=MONDAY + 8 * DAY)
        say(changed, only, 5, 1, at=MONDAY)
        say(changed, new, 9, 7, at=MONDAY + 8 * DAY)
        found = panel(changed, ALL)
        assert {member.customer for member in members(found)} == {both.pk, new.pk}
        assert found.count([DETRACTOR], [NO_LATER]) == 1, "the 5 of 5 is no answer on this scale"
        assert (found.elsewhere_only, found.elsewhere_too) == (1, 1)
        assert (elsewhere(found, too=False), elsewhere(found, too=True)) == ([only.pk], [both.pk])

    def test_a_former_scale_is_read_as_it_was(self, changed: Survey) -> None:
        who = person()
        say(changed, who, 1, 5, at=MONDAY)
        former, present = eras_of(changed, ALL)
        assert present.scale == changed.scale
        member = one(panel(changed, ALL, former))
        assert (member.first.band, member.now) == (DETRACTOR, PROMOTER)

    def test_before_the_change_it_is_the_scale_of_then(self, changed: Survey) -> None:
        say(changed, person(), 5, at=MONDAY)
        found = panel(changed, Which(at=MONDAY + DAY))
        assert found.era.scale == Scale(1, 5, "max", 2, 4)
        assert one(found).first.band == PROMOTER
        assert len(eras_of(changed, Which(at=MONDAY + DAY))) == 1

    def test_another_scale_or_kind_of_the_same_line_is_not_compared(self) -> None:
        survey = make_survey("shop")
        other = make_survey("shop-csat", line="shop", kind="csat")
        shorter = make_survey("shop-10", line="shop", lowest=1)
        who, else_who = person(), person()
        say(survey, who, 3)
        say(other, who, 9, at=MONDAY + DAY)
        say(shorter, else_who, 9)
        found = panel(survey, ALL)
        assert one(found).now == NO_LATER
        assert (elsewhere(found, too=True), elsewhere(found, too=False)) == ([who.pk], [else_who.pk])

    def test_what_does_not_lie_on_its_scale_is_counted_beside(self) -> None:
        survey = make_survey()
        say(survey, person(), 3)
        Response.objects.update(score=11)
        found = panel(survey, ALL)
        assert (found.size, found.off_scale) == (0, 1)


class TestSuspicions:
    def people_of_two_scales(self) -> Survey:
        """Until March scores up to 10, from April on none above 5, and nobody has said why."""
        survey = make_survey()
        for number in range(40):
            who = person()
            say(survey, who, number % 11, at=MONDAY)
            say(survey, who, number % 6, 5 - number % 6, at=MONDAY + 35 * DAY)
        return survey

    def test_a_change_nobody_declared_is_not_compared_across(self) -> None:
        found = panel(self.people_of_two_scales(), ALL)
        assert found.suspicion is not None
        assert (found.suspicion.month, found.suspicion.side, found.suspicion.limit) == (
            date(2026, 4, 1),
            "above",
            5,
        )
        assert {member.first.at for member in members(found)} == {MONDAY + 35 * DAY}
        assert (found.size, found.elsewhere_too) == (40, 40)

    def test_who_knows_that_nothing_changed_is_believed(self) -> None:
        survey = self.people_of_two_scales()
        FormerScale.objects.create(
            survey=survey, until=MONDAY + 30 * DAY, lowest=0, highest=10, low_cut=6, high_cut=9
        )
        found = panel(Survey.objects.get(pk=survey.pk), ALL)
        assert found.suspicion is None
        assert {member.first.at for member in members(found)} == {MONDAY}

    def test_waves_on_both_sides_of_it_share_nobody(self) -> None:
        change = MONDAY + 30 * DAY
        found = waves(self.people_of_two_scales(), Which(MONDAY, change), Which(change, change + 30 * DAY))
        assert found.suspicion is not None
        assert (found.both, found.only_second) == (0, 40)


class TestShares:
    def test_now_and_ever_have_their_intervals_and_bounds(self) -> None:
        survey = make_survey()
        for scores in [(3, 9)] * 4 + [(3, 9, 5)] * 3 + [(3, 5)] * 3 + [(3,)] * 10:
            say(survey, person(), *scores)
        found = panel(survey, ALL)
        now, ever = (found.share(column, NOT_LOW, [DETRACTOR]) for column in (NOW, EVER))
        assert (now.hits, now.n, now.everyone) == (4, 10, 20)
        assert (ever.hits, ever.n, ever.everyone) == (7, 10, 20)
        assert now.bounds is not None
        assert (now.bounds.low, now.bounds.high) == (0.2, 0.7)
        assert now.interval is not None
        assert now.interval.holds(0.4)

    def test_few_are_counts(self) -> None:
        survey = make_survey()
        for _ in range(9):
            say(survey, person(), 3, 9)
        found = panel(survey, ALL)
        share = found.share(NOW, NOT_LOW)
        assert (share.share, share.interval, share.bounds) == (None, None, None)
        assert found.change.difference is None

    def test_the_change_is_that_of_the_same_people(self) -> None:
        survey = make_survey()
        for scores in [(3, 9)] * 6 + [(9, 9)] * 6 + [(10,)] * 5:
            say(survey, person(), *scores)
        change = panel(survey, ALL).change
        assert change.n == 12
        assert (change.earlier.value, change.later.value) == (0, 100)
        assert change.difference is not None
        assert change.difference.value == 100
        assert change.difference.is_clear

    def test_satisfaction_changes_by_the_share_of_the_satisfied(self) -> None:
        survey = make_survey(kind="csat", lowest=1, highest=5, low_cut=2, high_cut=4)
        for scores in [(1, 5)] * 6 + [(4, 4)] * 4:
            say(survey, person(), *scores)
        change = panel(survey, ALL).change
        assert change.difference is not None
        assert change.difference.value == pytest.approx(0.6)
        assert change.difference.interval.high <= 1


class TestWaves:
    FIRST, SECOND = Which(MONDAY, MONDAY + 5 * DAY), Which(MONDAY + 5 * DAY, MONDAY + 10 * DAY)

    def behind(self, survey: Survey, which: str) -> list[tuple[int, ...]]:
        people = who_in_waves(survey, self.FIRST, self.SECOND, which)
        return [(person.customer, *(given.score for given in person.answers)) for person in people]

    def test_it_pairs_the_first_answer_of_each_wave_and_counts_who_came_once(self) -> None:
        survey, both, early, late = make_survey(), person(), person(), person()
        say(survey, both, 3, 9, at=MONDAY)
        say(survey, both, 9, 7, at=MONDAY + 6 * DAY)
        say(survey, early, 3, at=MONDAY)
        say(survey, late, 3, at=MONDAY + 9 * DAY)
        found = waves(survey, self.FIRST, self.SECOND)
        assert self.behind(survey, "both") == [(both.pk, 3, 9)]
        assert self.behind(survey, "only_first") == [(early.pk, 3)]
        assert self.behind(survey, "only_second") == [(late.pk, 3)]
        assert found.paired.pairs == {(3, 9): 1}
        assert (found.only_first, found.only_second, found.again_first, found.again_second) == (1, 1, 0, 0)

    def test_answers_to_being_asked_again_are_in_no_wave_and_who_has_no_other_is_counted(self) -> None:
        """By hand: `kept` said 3 and was won back (10), then said 6; `again` has no other answer later."""
        survey, kept, again = make_survey(), person(), person()
        say(survey, kept, 3, at=MONDAY)
        say_again(survey, kept, 10, at=MONDAY + DAY)
        say_again(survey, kept, 9, at=MONDAY + 6 * DAY)
        say(survey, kept, 6, at=MONDAY + 7 * DAY)
        say(survey, again, 2, at=MONDAY)
        say_again(survey, again, 9, at=MONDAY + 6 * DAY)
        found = waves(survey, self.FIRST, self.SECOND)
        assert self.behind(survey, "both") == [(kept.pk, 3, 6)]
        assert self.behind(survey, "only_first") == [(again.pk, 2)]
        assert self.behind(survey, "again_second") == [(again.pk, 9)]
        assert (found.only_second, found.again_first) == (0, 0)

    def test_what_lies_between_them_is_in_neither(self) -> None:
        survey, who = make_survey(), person()
        say(survey, who, 3, at=MONDAY + 5 * DAY)
        later = Which(MONDAY + 6 * DAY, MONDAY + 10 * DAY)
        found = waves(survey, self.FIRST, later)
        assert (found.both, found.only_first, found.only_second) == (0, 0, 0)

    def test_it_refuses_waves_that_overlap(self) -> None:
        with pytest.raises(ValueError, match="ends before"):
            waves(make_survey(), self.FIRST, Which(MONDAY + 4 * DAY, MONDAY + 10 * DAY))
        with pytest.raises(ValueError, match="ends before"):
            waves(make_survey("other"), Which(), self.SECOND)

    def test_both_waves_have_one_scale(self) -> None:
        survey, who = make_survey(), person()
        until = datetime(2026, 3, 7, 9, tzinfo=UTC)
        FormerScale.objects.create(survey=survey, until=until, lowest=1, highest=5, low_cut=2, high_cut=4)
        say(survey, who, 5, at=MONDAY)
        say(survey, who, 5, at=MONDAY + 6 * DAY)
        found = waves(survey, self.FIRST, self.SECOND)
        assert (found.both, found.only_second) == (0, 1)


def test_it_asks_the_database_as_often_for_many_as_for_few(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    survey = make_survey()
    for _ in range(25):
        say(survey, person(), 3, 9)
    with django_assert_max_num_queries(4):
        assert panel(survey, ALL).size == 25
    with django_assert_max_num_queries(4):
        waves(survey, TestWaves.FIRST, TestWaves.SECOND)
