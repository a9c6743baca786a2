"""Who belongs to the cohort, and what became of each."""

from datetime import timedelta
from random import Random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recovery.insight.cohort import STATES, Slice, Story, low_scores, stories
from recovery.insight.recovery import recovery
from recovery.lifecycle import end_unanswered, merge, reopen
from recovery.models import Contact, Ticket, TicketEvent
from recovery.triage import triage
from surveys.models import Response
from tests.make import DAY, HOUR, MINUTE, MONDAY, Cast
from tests.recovery.insight.histories import (
    answer,
    ask,
    heard,
    loop,
    low,
    put_right,
    unknown,
    wander,
)
from tests.surveys.make import make_survey

ALL = Slice()
RESOLVED = MONDAY + DAY


def numbers(which: Slice) -> set[str]:
    return set(low_scores(Ticket.objects.all(), which).values_list("number", flat=True))


def only() -> Story:
    (story,) = stories(low_scores(Ticket.objects.all(), ALL))
    return story


class TestWhoBelongs:
    def test_a_low_score_does_and_a_ticket_of_another_kind_does_not(self, cast: Cast) -> None:
        ticket = low(cast)
        cast.ticket(8)
        assert numbers(ALL) == {ticket.number}

    def test_a_period_holds_its_beginning_and_not_its_end(self, cast: Cast) -> None:
        first, second = low(cast, at=MONDAY), low(cast, at=MONDAY + DAY)
        assert numbers(Slice(start=MONDAY, end=MONDAY + DAY)) == {first.number}
        assert numbers(Slice(start=MONDAY + DAY)) == {second.number}

    def test_it_goes_by_the_day_of_the_score_not_of_the_import(self, cast: Cast) -> None:
        response = cast.response(2, at=MONDAY, customer=cast.customer())
        ticket = triage(response.pk, at=MONDAY + 30 * DAY)
        assert ticket is not None
        assert numbers(Slice(end=MONDAY + DAY)) == {ticket.number}
        assert numbers(Slice(start=MONDAY + DAY)) == set()

    def test_an_answer_changed_to_a_better_one_stays_where_it_was(self, cast: Cast) -> None:
        ticket = low(cast)
        Response.objects.update(score=9, band="promoter", answered_at=MONDAY + 40 * DAY)
        assert numbers(Slice(start=MONDAY, end=MONDAY + DAY)) == {ticket.number}

    def test_it_narrows_to_a_survey_teams_and_a_touchpoint(self, cast: Cast) -> None:
        support = make_survey("support")
        ticket = low(cast, survey=support, team=cast.west, touchpoint="Pudong store")
        low(cast)
        assert numbers(Slice(survey=support.pk)) == {ticket.number}
        assert numbers(Slice(teams=frozenset({cast.west.pk}))) == {ticket.number}
        assert numbers(Slice(touchpoint="Pudong store")) == {ticket.number}
        assert numbers(Slice(teams=frozenset())) == set()


class TestNextAnswer:
    @pytest.mark.parametrize(("score", "band"), [(10, "promoter"), (8, "passive"), (4, "detractor")])
    def test_it_is_the_answer_after_the_resolution(self, cast: Cast, score: int, band: str) -> None:
        loop(cast, score)
        story = only()
        assert (story.stage, story.next, story.now, story.ever) == ("asked", band, band, band)

    def test_an_answer_nobody_asked_for_counts_and_is_told_apart(self, cast: Cast) -> None:
        ticket = put_right(cast, low(cast))
        answer(cast, ticket, 9, at=RESOLVED + HOUR)
        assert (only().stage, only().next) == ("unprompted", "promoter")

    def test_an_answer_after_the_loop_had_ended_in_silence_counts_too(self, cast: Cast) -> None:
        ticket = loop(cast, None)
        end_unanswered(ticket.resurveys.get().pk, at=MONDAY + 30 * DAY)
        assert only().next == "no_answer"
        answer(cast, ticket, 7, at=MONDAY + 40 * DAY)
        assert only().next == "passive"

    def test_a_new_low_score_of_the_person_is_the_next_answer_of_the_old_one(self, cast: Cast) -> None:
        ticket = loop(cast, None)
        end_unanswered(ticket.resurveys.get().pk, at=MONDAY + 30 * DAY)
        newer = answer(cast, ticket, 1, at=MONDAY + 40 * DAY)
        assert newer is not None
        assert newer.pk != ticket.pk
        told = {story.ticket: story.next for story in stories(low_scores(Ticket.objects.all(), ALL))}
        assert told == {ticket.pk: "detractor", newer.pk: "in_work"}

    def test_ninety_days_are_in_time_and_a_minute_more_is_not(self, cast: Cast) -> None:
        ticket = loop(cast, None)
        end_unanswered(ticket.resurveys.get().pk, at=MONDAY + 30 * DAY)
        given = cast.response(9, customer=ticket.customer, at=RESOLVED + 90 * DAY)
        assert only().next == "promoter"
        Response.objects.filter(pk=given.pk).update(answered_at=RESOLVED + 90 * DAY + MINUTE)
        assert only().next == "no_answer"

    def test_an_answer_before_the_resolution_and_the_low_score_itself_do_not_count(self, cast: Cast) -> None:
        ticket = low(cast)
        cast.response(9, customer=ticket.customer, at=MONDAY + HOUR)
        put_right(cast, ticket, at=RESOLVED)
        Response.objects.filter(pk=ticket.response_id).update(answered_at=RESOLVED + HOUR)
        assert only().next == "to_be_asked"

    @pytest.mark.parametrize("state", ["withdrawn", "test", "unanswered"])
    def test_what_is_no_valid_answer_does_not_count(self, cast: Cast, state: str) -> None:
        loop(cast, 9)
        Response.objects.filter(score=9).update(state=state)
        assert only().next == "no_answer"

    def test_another_question_and_another_person_do_not_count(self, cast: Cast) -> None:
        ticket = put_right(cast, low(cast))
        cast.response(9, customer=ticket.customer, survey=make_survey("support"), at=RESOLVED + DAY)
        cast.response(9, customer=cast.customer(), at=RESOLVED + DAY)
        assert only().next == "to_be_asked"

    def test_a_second_survey_of_the_line_asks_the_same_question(self, cast: Cast) -> None:
        ticket = put_right(cast, low(cast))
        phone = make_survey("delivery-phone", line="delivery")
        cast.response(9, customer=ticket.customer, survey=phone, at=RESOLVED + DAY)
        assert only().next == "promoter"


class TestNextNowAndEver:
    def test_still_low_then_a_promoter(self, cast: Cast) -> None:
        ticket = loop(cast, 3)
        put_right(cast, ticket, at=MONDAY + 6 * DAY)
        answer(cast, ticket, 9, at=MONDAY + 10 * DAY)
        assert (only().next, only().now, only().ever) == ("detractor", "promoter", "promoter")

    def test_a_promoter_who_came_back_and_is_a_detractor_now(self, cast: Cast) -> None:
        ticket = loop(cast, 9)
        again = reopen(ticket, by=cast.chen, at=MONDAY + 6 * DAY, reason="They called back")
        put_right(cast, again, at=MONDAY + 7 * DAY)
        answer(cast, ticket, 2, at=MONDAY + 8 * DAY)
        assert (only().next, only().now, only().ever) == ("promoter", "detractor", "promoter")

    def test_the_second_cycle_has_ninety_days_of_its_own(self, cast: Cast) -> None:
        ticket = loop(cast, 3)
        put_right(cast, ticket, at=MONDAY + 80 * DAY)
        answer(cast, ticket, 8, at=MONDAY + 150 * DAY)
        assert (only().next, only().now) == ("detractor", "passive")


class TestStanding:
    def test_each_way_a_ticket_may_stand_without_an_answer(self, cast: Cast) -> None:
        low(cast)
        assert only().next == "in_work"
        ticket = put_right(cast, Ticket.objects.get())
        assert (only().stage, only().next) == ("to_be_asked", "to_be_asked")
        resurvey = ask(ticket)
        assert (only().stage, only().next) == ("asked", "waiting")
        end_unanswered(resurvey.pk, at=MONDAY + 30 * DAY)
        assert (only().stage, only().next) == ("asked", "no_answer")
        reopen(Ticket.objects.get(), by=cast.chen, at=MONDAY + 31 * DAY, reason="They called back")
        assert (only().stage, only().next) == ("in_work", "in_work")

    def test_whom_nobody_could_ask_says_why(self, cast: Cast) -> None:
        put_right(cast, unknown(cast, MONDAY))
        assert (only().stage, only().next, only().why) == ("not_asked", "not_asked", "unknown_customer")

    def test_a_merged_ticket_is_merged_whatever_its_person_answered(self, cast: Cast) -> None:
        ticket = loop(cast, 3)
        into = low(cast, at=MONDAY + 6 * DAY)
        merge(ticket, by=cast.chen, at=MONDAY + 6 * DAY, into=into)
        told = {story.ticket: story for story in stories(low_scores(Ticket.objects.all(), ALL))}
        merged = told[ticket.pk]
        assert (merged.stage, merged.next, merged.now, merged.ever) == ("merged",) * 4


class TestReached:
    @pytest.mark.parametrize(
        ("outcome", "reached"),
        [("reached", True), ("replied", True), ("no_answer", False), ("refused", False)],
    )
    def test_only_who_was_heard_is_reached(self, cast: Cast, outcome: str, reached: bool) -> None:
        heard(cast, low(cast), outcome=outcome)
        assert only().reached == reached

    def test_a_contact_after_the_answer_did_not_reach_them_before_it(self, cast: Cast) -> None:
        ticket = loop(cast, 3, reached=False)
        heard(cast, ticket, at=MONDAY + 6 * DAY)
        assert (only().reached, only().reached_later) == (False, True)

    def test_it_keeps_how_long_they_waited(self, cast: Cast) -> None:
        heard(cast, low(cast), at=MONDAY + timedelta(hours=5))
        assert only().to_contact == timedelta(hours=5)


class TestMany:
    def test_every_column_adds_up_to_the_cohort_whatever_happened(self, cast: Cast) -> None:
        chance = Random(7)
        for _ in range(80):
            wander(cast, chance)
        everybody = Ticket.objects.count()
        told = stories(low_scores(Ticket.objects.all(), ALL))
        found = recovery(told)
        assert found.size == len({story.ticket for story in told}) == everybody
        assert found.flow.total() == everybody
        assert {name: column.total() for name, column in found.columns.items()} == dict.fromkeys(
            ("next", "now", "ever"), everybody
        )
        assert found.why_not_asked.total() == found.columns["next"]["not_asked"]
        assert set(found.columns["next"]) == set(STATES), "chance led everywhere"
        for story in told:
            assert story.next == told_by_its_timeline(Ticket.objects.get(pk=story.ticket))

    def test_it_asks_the_database_as_often_for_twelve_as_for_one(self, cast: Cast) -> None:
        loop(cast, 9)
        with CaptureQueriesContext(connection) as one:
            stories(low_scores(Ticket.objects.all(), ALL))
        for _ in range(11):
            loop(cast, 3)
        with CaptureQueriesContext(connection) as twelve:
            assert len(stories(low_scores(Ticket.objects.all(), ALL))) == 12
        assert len(twelve) == len(one) == 6


def told_by_its_timeline(ticket: Ticket) -> str:
    """The state by next answer, told naively by walking one ticket's own history."""
    if ticket.merged_into_id:
        return "merged"
    resolved = [event.at for event in TicketEvent.objects.filter(ticket=ticket, kind="resolved")]
    others = Response.objects.counted().filter(customer=ticket.customer_id, survey__line=ticket.line)
    if ticket.customer_id:
        for response in others.exclude(pk=ticket.response_id).order_by("answered_at", "pk"):
            before = [at for at in resolved if at <= response.answered_at]
            if before and response.answered_at - max(before) <= timedelta(days=90):
                return response.band
    if ticket.status in ("new", "open", "waiting"):
        return "in_work"
    resurvey = ticket.resurveys.get(cycle=ticket.cycle)
    if resurvey.state in ("planned", "held"):
        return "to_be_asked"
    if resurvey.state == "asked":
        return "waiting"
    return "no_answer" if resurvey.asked_at else "not_asked"


def test_contacts_of_other_tickets_are_not_counted(cast: Cast) -> None:
    low(cast)
    heard(cast, cast.ticket(8))
    assert Contact.objects.count() == 1
    assert not only().reached
