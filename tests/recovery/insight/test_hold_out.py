"""Both sides of a hold-out, counted by hand."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recovery.insight.cohort import Slice, low_scores, stories
from recovery.insight.hold_out import (
    HoldOutFigures,
    Side,
    difference_of,
    draws_of,
    figures_of,
    hold_outs_of,
    tickets_behind,
)
from recovery.lifecycle import hold_out, resume
from recovery.lifecycle.hold_out import end, start
from recovery.models import HoldOut, Ticket
from surveys.estimates import newcombe_difference
from surveys.models import Response
from tests.due import due, take_step
from tests.make import DAY, HOUR, MONDAY, Cast
from tests.recovery.insight.histories import answer, low, put_right
from tests.surveys.make import make_survey

ASK_AT = MONDAY + 14 * DAY
CLOSES = ASK_AT + 14 * DAY


@pytest.fixture
def running(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> HoldOut:
    """Drawn by turns: now, later, now, later."""
    turns = iter(range(1000))
    monkeypatch.setattr(hold_out, "fraction_of", lambda _key, _number: 1 - next(turns) % 2)
    row = HoldOut.objects.create(name="Does it work?", survey=cast.survey, days=14, share=50)
    return start(row, by=cast.admin, at=MONDAY - DAY)


def ask_all(at: datetime = ASK_AT) -> None:
    for pk in due("resurveys", at):
        take_step("resurveys", pk, at)


def found(at: datetime = CLOSES, **which: Any) -> HoldOutFigures:
    (figures,) = figures_of(hold_outs_of(Slice(**which), at), Ticket.objects.all(), at)
    return figures


def test_each_step_is_counted_on_the_side_that_was_drawn(cast: Cast, running: HoldOut) -> None:
    tickets = [low(cast) for _ in range(8)]
    low(cast, priority=1)
    ask_all()
    for ticket, score in zip(tickets[:6], (9, 9, 3, 2, 7, 0), strict=True):
        answer(cast, ticket, score, at=ASK_AT + DAY)
    figures = found()
    assert figures.now == Side(drawn=4, asked=4, answered=3, recovered=2)
    assert figures.later == Side(drawn=4, asked=4, answered=3, recovered=1)
    assert figures.spared == {"urgent": 1}
    assert figures.taken == 4
    assert figures.still_needed == figures.planned - 4
    assert figures.now.bounds is not None
    assert (figures.now.bounds.low, figures.now.bounds.high) == (0.5, 0.75)
    draws = draws_of([running], Ticket.objects.all(), CLOSES)[running.pk]
    assert tickets_behind(draws, "later", "recovered") == [tickets[1].pk]
    assert tickets_behind(draws, "now", "answered") == [tickets[0].pk, tickets[2].pk, tickets[4].pk]


@pytest.mark.parametrize(
    ("moment", "counts"),
    [
        (ASK_AT - timedelta(seconds=1), False),
        (ASK_AT, True),
        (CLOSES, True),
        (CLOSES + timedelta(seconds=1), False),
    ],
)
def test_an_answer_counts_only_in_its_time(
    cast: Cast, running: HoldOut, moment: datetime, counts: bool
) -> None:
    ticket = low(cast)
    ask_all()
    answer(cast, ticket, 9, at=moment)
    assert found(at=CLOSES + DAY).now.answered == counts


def test_a_survey_that_gives_less_time_midway_changes_no_measure(cast: Cast, running: HoldOut) -> None:
    ticket = low(cast)
    ask_all()
    answer(cast, ticket, 9, at=CLOSES - HOUR)
    cast.survey.answer_days = 1
    cast.survey.save()
    assert found().now.answered == 1
    end(running, by=cast.admin, at=MONDAY + DAY, why="Over")
    assert found(at=CLOSES - HOUR).preliminary


def test_the_first_of_several_answers_counts(cast: Cast, running: HoldOut) -> None:
    ticket = low(cast)
    ask_all()
    answer(cast, ticket, 3, at=ASK_AT + HOUR)
    answer(cast, ticket, 9, at=ASK_AT + DAY)
    assert found().now == Side(drawn=1, asked=1, answered=1, recovered=0)


def test_what_is_no_valid_answer_to_the_same_question_does_not_count(cast: Cast, running: HoldOut) -> None:
    ticket = low(cast)
    ask_all()
    answer(cast, ticket, 9, at=ASK_AT + HOUR, survey=make_survey("support"))
    answer(cast, ticket, 9, at=ASK_AT + HOUR, state=Response.WITHDRAWN)
    assert found().now.answered == 0


def test_who_was_followed_up_early_counts_where_they_were_drawn(cast: Cast, running: HoldOut) -> None:
    low(cast)
    ticket = low(cast)
    resume(ticket, by=cast.lina, at=MONDAY + DAY)
    ask_all()
    answer(cast, ticket, 9, at=ASK_AT + DAY)
    figures = found()
    assert (figures.later.recovered, figures.early) == (1, 1)


def test_it_is_preliminary_until_it_has_ended_and_nobody_may_still_answer(
    cast: Cast, running: HoldOut
) -> None:
    low(cast)
    assert found(at=CLOSES + DAY).preliminary
    end(running, by=cast.admin, at=MONDAY + DAY, why="The season is over")
    figures = found(at=CLOSES - HOUR)
    assert (figures.preliminary, figures.cut_short, figures.still_needed) == (True, True, 0)
    assert not found(at=CLOSES).preliminary


def test_what_may_be_judged_stands_before_what_runs(cast: Cast, running: HoldOut) -> None:
    end(running, by=cast.admin, at=MONDAY + DAY, why="Over")
    other = HoldOut.objects.create(name="And on the phone?", survey=make_survey("phone"), days=14, share=50)
    start(other, by=cast.admin, at=MONDAY + 2 * DAY)
    rows = figures_of(hold_outs_of(Slice(), CLOSES), Ticket.objects.all(), CLOSES)
    assert [(row.hold_out, row.preliminary) for row in rows] == [(running, False), (other, True)]


def test_it_can_be_seen_as_it_stood(cast: Cast, running: HoldOut) -> None:
    low(cast)
    ask_all()
    answer(cast, Ticket.objects.get(), 9, at=ASK_AT + DAY)
    end(running, by=cast.admin, at=ASK_AT + 2 * DAY, why="Over")
    figures = found(at=ASK_AT + HOUR)
    assert (figures.state, figures.now) == ("running", Side(1, 1, 0, 0))
    assert hold_outs_of(Slice(), MONDAY - 2 * DAY) == []


def test_only_those_that_ran_in_the_period_are_shown(cast: Cast, running: HoldOut) -> None:
    HoldOut.objects.create(name="Draft", survey=cast.survey)
    assert hold_outs_of(Slice(survey=cast.survey.pk), CLOSES) == [running]
    assert hold_outs_of(Slice(survey=cast.survey.pk + 1), CLOSES) == []
    assert hold_outs_of(Slice(end=MONDAY - 2 * DAY), CLOSES) == []
    end(running, by=cast.admin, at=MONDAY + DAY, why="Over")
    assert hold_outs_of(Slice(start=MONDAY + 2 * DAY), CLOSES) == []
    assert hold_outs_of(Slice(start=MONDAY), CLOSES) == [running]


def test_a_reader_counts_what_they_may_see(cast: Cast, running: HoldOut) -> None:
    low(cast)
    low(cast, team=cast.west)
    (figures,) = figures_of([running], Ticket.objects.filter(team=cast.west), CLOSES)
    assert (figures.now.drawn, figures.later.drawn, figures.taken) == (0, 1, 1)


def test_it_asks_the_database_as_often_for_many_as_for_few(cast: Cast, running: HoldOut) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as told:
            figures_of(hold_outs_of(Slice(), CLOSES), Ticket.objects.all(), CLOSES)
        return len(told)

    low(cast)
    few = queries()
    for _ in range(5):
        low(cast)
    assert queries() == few <= 5


def test_the_report_tells_whom_the_lot_asked_alike_now_and_as_of_now(cast: Cast, running: HoldOut) -> None:
    """Who answers the question of the hold-out after their ticket was put right did not answer unasked."""
    ticket, waits, silent = low(cast), low(cast), low(cast)
    ask_all()
    put_right(cast, Ticket.objects.get(pk=ticket.pk), at=ASK_AT + HOUR)
    answer(cast, ticket, 9, at=ASK_AT + DAY)
    cohort = low_scores(Ticket.objects.all(), Slice())
    told = {story.ticket: story for story in stories(cohort)}
    assert (told[ticket.pk].stage, told[ticket.pk].next) == ("asked", "promoter")
    assert {told[each.pk].stage for each in (waits, silent)} == {"in_work"}
    assert stories(cohort, CLOSES) == list(told.values())


def test_a_difference_takes_ten_answers_of_each_side() -> None:
    assert difference_of(Side(20, 20, 10, 5), Side(20, 20, 9, 5)) is None
    assert difference_of(Side(20, 20, 10, 5), Side(20, 20, 10, 2)) == newcombe_difference(5, 10, 2, 10)
