"""Did the fix work: equal spans, rates by hand and against statsmodels, who sees what, and the edges."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from recovery.insight import fixes
from recovery.insight.cohort import Story, stories
from recovery.insight.fixes import Fix, View, fix, hurt_stories
from recovery.lifecycle import reopen, resolve
from recovery.models import Initiative, Ticket
from recovery.models.ticket import TicketQuerySet
from surveys.models import Response
from tests.make import DAY, HOUR, MONDAY, Cast
from tests.recovery.insight.histories import answer, ask, heard, low, put_right
from tests.surveys.make import make_survey

proportion = pytest.importorskip("statsmodels.stats.proportion")
# The fix took effect on Monday 2 March; the day that is looked from is the twelfth.
DAY_IT_BEGAN = date(2026, 3, 2)
THEN = MONDAY + 10 * DAY


def initiative(cast: Cast, **fields: object) -> Initiative:
    values = {"title": "Another courier", "cause": cast.late, "since": DAY_IT_BEGAN, **fields}
    return Initiative.objects.create(**values)


def found_by(cast: Cast, of: Initiative, at: datetime = THEN, *, everything: bool = True) -> Fix:
    return fix(View(Ticket.objects.all(), everything, at, then=False), of)


def late(cast: Cast, at: datetime, **fields: object) -> Ticket:
    return put_right(cast, low(cast, at=at, **fields), at=at + HOUR)


def rude(cast: Cast, at: datetime) -> Ticket:
    ticket = low(cast, at=at)
    return resolve(ticket, by=cast.lina, at=at + HOUR, cause_found=cast.rude, what_was_done="x")


def filled(cast: Cast) -> None:
    """Before: 8 late, 2 rude, 10 content. Since: 2 late, 3 rude, 1 not known yet, 14 content."""
    for number in range(8):
        late(cast, MONDAY - (1 + number) * DAY)
    for number in range(2):
        rude(cast, MONDAY - (1 + number) * DAY)
    for number in range(10):
        cast.response(9, at=MONDAY - (1 + number % 9) * DAY, customer=cast.customer())
    for number in range(2):
        late(cast, MONDAY + number * DAY)
    for number in range(3):
        rude(cast, MONDAY + number * DAY)
    low(cast, at=MONDAY + DAY)
    for number in range(14):
        cast.response(9, at=MONDAY + number % 9 * DAY, customer=cast.customer())


def test_by_hand(cast: Cast) -> None:
    filled(cast)
    found = found_by(cast, initiative(cast))
    before, after = found.before, found.after
    assert before is not None
    assert after is not None
    assert (before.first, before.last, before.days) == (date(2026, 2, 20), date(2026, 3, 1), 10)
    assert (after.first, after.last, after.days) == (DAY_IT_BEGAN, date(2026, 3, 11), 10)
    assert (before.low, before.with_cause, before.unknown, before.answers) == (10, 8, 0, (20, 8, 8))
    assert (after.low, after.with_cause, after.unknown, after.answers) == (6, 2, 1, (20, 2, 3))
    assert before.of_answers is not None
    assert (before.of_answers.hits, before.of_answers.n, before.of_answers.share) == (8, 20, 0.4)
    assert (after.of_known.hits, after.of_known.n) == (2, 5)
    oracle = proportion.confint_proportions_2indep(2, 20, 8, 20, method="newcomb")
    assert found.of_answers is not None
    assert found.of_answers.value == pytest.approx(-0.3)
    assert (found.of_answers.interval.low, found.of_answers.interval.high) == pytest.approx(oracle, abs=1e-9)
    assert found.of_known is None, "five known since are too few to compare"


def test_what_is_not_known_yet_may_undo_it(cast: Cast) -> None:
    for number in range(30):
        late(cast, MONDAY - (1 + number % 9) * DAY)
        cast.response(9, at=MONDAY - DAY, customer=cast.customer())
        cast.response(9, at=MONDAY + DAY, customer=cast.customer())
    good = found_by(cast, initiative(cast))
    assert good.of_answers is not None
    assert good.of_answers.is_clear
    assert good.holds_at_most
    for _ in range(25):
        low(cast, at=MONDAY + DAY)
    found = found_by(cast, Initiative.objects.get())
    assert found.of_answers is not None
    assert found.of_answers.is_clear
    assert not found.holds_at_most


def test_days_are_ninety_at_most(cast: Cast) -> None:
    found = found_by(cast, initiative(cast), MONDAY + 200 * DAY)
    assert found.before is not None
    assert found.after is not None
    assert (found.before.days, found.after.days) == (90, 90)
    assert found.before.first == DAY_IT_BEGAN - timedelta(days=90)
    assert found.after.last == DAY_IT_BEGAN + timedelta(days=89)


@pytest.mark.parametrize("at", [MONDAY - 5 * DAY, MONDAY + HOUR])
def test_before_a_whole_day_there_is_nothing(cast: Cast, at: datetime) -> None:
    found = found_by(cast, initiative(cast), at)
    assert (found.before, found.after, found.of_answers, found.of_known) == (None, None, None, None)
    assert (found.hurt.asked, found.holds_at_most) == (0, False)


def test_few_answers_have_no_difference(cast: Cast) -> None:
    for number in range(9):
        late(cast, MONDAY - DAY)
        cast.response(9, at=MONDAY + number % 2 * DAY, customer=cast.customer())
    assert found_by(cast, initiative(cast)).of_answers is None


def test_with_a_team_it_is_of_its_tickets_only(cast: Cast) -> None:
    filled(cast)
    late(cast, MONDAY - DAY, team=cast.west)
    found = found_by(cast, initiative(cast, team=cast.west))
    assert found.before is not None
    assert (found.before.low, found.before.of_answers, found.before.at_most) == (1, None, None)
    assert found.of_answers is None


def test_with_a_survey_it_is_of_its_answers_only(cast: Cast) -> None:
    filled(cast)
    found = found_by(cast, initiative(cast, survey=make_survey("visits")))
    assert found.before is not None
    assert (found.before.low, found.before.answers) == (0, (0, 0, 0))


def test_who_does_not_see_everything_gets_no_share_of_all_answers(cast: Cast) -> None:
    filled(cast)
    found = found_by(cast, initiative(cast), everything=False)
    assert found.before is not None
    assert (found.before.of_answers, found.before.of_known.n) == (None, 10)


def blanked(ticket: Ticket) -> None:
    Response.objects.filter(pk=ticket.response_id).update(score=None, band="")


@pytest.mark.parametrize("then", [False, True])
def test_a_low_score_blanked_since_is_no_answer_and_none_with_the_cause(cast: Cast, then: bool) -> None:
    """Ten answers, one of them late and blanked since: none of nine, and still one of one known."""
    blanked(late(cast, MONDAY + HOUR))
    for _ in range(9):
        cast.response(9, at=MONDAY + HOUR, customer=cast.customer())
    of = initiative(cast)
    after = fix(View(Ticket.objects.all(), True, THEN, then=then), of).after
    assert after is not None
    assert after.of_answers is not None
    assert (after.of_answers.hits, after.of_answers.n) == (0, 9)
    assert (after.low, after.of_known.hits, after.of_known.n) == (1, 1, 1)


@pytest.mark.parametrize("then", [False, True])
def test_where_all_are_low_and_one_is_blank_no_part_is_larger_than_its_whole(cast: Cast, then: bool) -> None:
    for number in range(11):
        late(cast, MONDAY - DAY)
        opened = low(cast, at=MONDAY + HOUR)
        if number < 6:
            put_right(cast, opened, at=MONDAY + 2 * HOUR)
    blanked(Ticket.objects.order_by("-pk")[0])
    found = fix(View(Ticket.objects.all(), True, THEN, then=then), initiative(cast))
    assert found.after is not None
    assert found.after.of_answers is not None
    assert found.after.at_most is not None
    assert (found.after.at_most.hits, found.after.at_most.n) == (10, 10)
    assert (found.after.low, found.after.of_answers.hits, found.holds_at_most) == (11, 6, False)


def test_an_answer_changed_since_counts_once_and_on_the_day_it_was_changed(cast: Cast) -> None:
    ticket = late(cast, MONDAY - DAY)
    Response.objects.filter(pk=ticket.response_id).update(answered_at=MONDAY + DAY)
    found = found_by(cast, initiative(cast))
    assert found.before is not None
    assert found.after is not None
    assert (found.before.low, found.before.answers) == (1, (0, 0, 0))
    assert (found.after.low, found.after.answers) == (0, (1, 1, 1))


def test_as_of_a_past_day_what_came_later_is_not_there(cast: Cast) -> None:
    filled(cast)
    at = MONDAY + 4 * DAY
    found = fix(View(Ticket.objects.all(), True, at, then=True), initiative(cast))
    assert found.after is not None
    assert (found.after.days, found.after.low, found.after.with_cause) == (4, 6, 2)
    early = fix(View(Ticket.objects.all(), True, MONDAY + DAY + HOUR, then=True), Initiative.objects.get())
    assert early.after is not None
    assert (early.after.days, early.after.low, early.after.with_cause) == (1, 2, 1)


class TestThoseItHadHurt:
    def test_as_of_a_past_day_only_those_with_the_cause_by_then_are_told(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One with the cause; one with another; one found to be of the cause after that day."""
        at = MONDAY + 2 * DAY
        ours, other = late(cast, MONDAY - 3 * DAY), rude(cast, MONDAY - 3 * DAY)
        later = rude(cast, MONDAY - 3 * DAY)
        for ticket in (ours, other, later):
            ask(ticket, at=at)
        again = reopen(Ticket.objects.get(pk=later.pk), by=cast.chen, at=at + DAY, reason="They called back")
        put_right(cast, again, at=at + 2 * DAY)
        told: list[int] = []

        def stories_told(rows: TicketQuerySet, then: datetime | None) -> list[Story]:
            told.extend(rows.values_list("pk", flat=True))
            return stories(rows, then)

        monkeypatch.setattr(fixes, "stories", stories_told)
        view = View(Ticket.objects.all(), True, at + HOUR, then=True)
        assert [story.ticket for story in hurt_stories(view, initiative(cast))] == [ours.pk]
        assert told == [ours.pk]

    def test_only_who_was_first_asked_again_since_counts(self, cast: Cast) -> None:
        """One back, one still low, one silent; one asked before the day, another cause, one later."""
        long_ago = MONDAY - 9 * DAY
        asked = []
        for score in (9, 2, None):
            ticket = heard(cast, low(cast, at=MONDAY - 3 * DAY), at=MONDAY - 3 * DAY + HOUR)
            ticket = put_right(cast, ticket, at=MONDAY - 2 * DAY)
            ask(ticket, at=MONDAY + 2 * DAY)
            if score is not None:
                answer(cast, ticket, score, at=MONDAY + 3 * DAY)
            asked.append(ticket.pk)
        early = put_right(cast, low(cast, at=long_ago), at=long_ago + HOUR)
        ask(early, at=long_ago + 4 * DAY)
        answer(cast, early, 9, at=MONDAY + DAY)
        other = rude(cast, MONDAY - 3 * DAY)
        ask(other, at=MONDAY + 2 * DAY)
        answer(cast, other, 9, at=MONDAY + 3 * DAY)
        since = put_right(cast, low(cast, at=MONDAY + HOUR), at=MONDAY + 2 * HOUR)
        ask(since, at=MONDAY + 4 * DAY)
        of = initiative(cast)
        found = found_by(cast, of).hurt
        assert (found.asked, found.recovered.hits, found.recovered.n) == (3, 1, 2)
        view = View(Ticket.objects.all(), True, THEN, then=False)
        assert sorted(story.ticket for story in hurt_stories(view, of)) == asked
        then = View(Ticket.objects.all(), True, MONDAY + 2 * DAY + HOUR, then=True)
        assert (fix(then, of).hurt.asked, fix(then, of).hurt.recovered.n) == (3, 0)
