"""By lot, and on purpose: planned, drawn, waiting, asked at the same age, ended at its size."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from recovery.insight.standing import is_stuck, measure
from recovery.lifecycle import (
    Plan,
    Refused,
    book_callback,
    customer_wrote,
    hold_out,
    log_contact,
    open_ticket,
    reopen,
    resolve,
    resume,
    start_waiting,
)
from recovery.lifecycle.hold_out import end, fraction_of, plan_of, side_of, start
from recovery.models import Callback, Deadline, DigestLine, HoldOut, HoldOutDraw, Resurvey, Ticket, Wait
from recovery.triage import open_complaint, triage
from surveys.messages import consent
from surveys.models import Invitation, Message
from tests.due import due, run_all, take_step
from tests.make import DAY, HOUR, MONDAY, Cast
from tests.surveys.make import make_survey

DAYS = 14
ASK_AT = MONDAY + DAYS * DAY
OVER = ASK_AT + 14 * DAY


LOT = {"side": "later"}


@pytest.fixture(autouse=True)
def _lot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hold_out, "side_of", lambda _row, _number: LOT["side"])


def draft(cast: Cast, **fields: Any) -> HoldOut:
    return HoldOut.objects.create(
        **{"name": "Does calling at once work?", "survey": cast.survey, "days": DAYS, **fields}
    )


def running(cast: Cast, side: str = "later", **fields: Any) -> HoldOut:
    """One whose lot says the same for everybody."""
    row = start(draft(cast, **fields), by=cast.admin, at=MONDAY - DAY)
    lot_says(side)
    return row


def lot_says(side: str) -> None:
    LOT["side"] = side


def the_draw(ticket: Ticket) -> HoldOutDraw:
    return HoldOutDraw.objects.get(ticket=ticket)


def fresh(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def put_right(cast: Cast, ticket: Ticket, at: Any) -> Ticket:
    return resolve(fresh(ticket), by=cast.lina, at=at, cause_found=cast.late, what_was_done="Sent again")


def drawn_question(ticket: Ticket) -> Resurvey:
    return Resurvey.objects.get(ticket=ticket, cycle=0)


def answer(cast: Cast, ticket: Ticket, score: int, at: Any, **fields: Any) -> Ticket | None:
    response = cast.response(score, customer=ticket.customer, at=at, **fields)
    return triage(response.pk, at=at)


class TestPlan:
    def test_its_size_follows_from_the_difference_worth_seeing(self, cast: Cast) -> None:
        plan = plan_of(
            draft(cast, share=20, difference=10, expected_recovered=30, expected_response=40), MONDAY
        )
        assert (plan.later_answers, plan.now_answers) == (226, 902)
        assert (plan.later, plan.now) == (565, 2255)
        assert plan.low_scores == 2820

    def test_it_says_how_long_that_takes_at_the_present_rate(self, cast: Cast) -> None:
        for _ in range(9):
            cast.ticket(at=MONDAY)
        cast.ticket(at=MONDAY, priority=1)  # would be spared
        cast.ticket(at=MONDAY, customer=cast.customer(tier="Gold"))
        plan = plan_of(draft(cast, spared_tiers=["Gold"]), MONDAY + DAY)
        assert plan.a_week == pytest.approx(0.7)
        assert plan.weeks is not None
        assert plan.weeks >= plan.low_scores / 0.7

    def test_it_names_no_time_without_any_low_score(self, cast: Cast) -> None:
        assert plan_of(draft(cast), MONDAY).weeks is None

    def test_it_refuses_more_than_all(self, cast: Cast) -> None:
        with pytest.raises(Refused, match="More than all"):
            plan_of(draft(cast, expected_recovered=60, difference=40), MONDAY)


class TestStart:
    def test_it_fixes_the_key_and_the_size(self, cast: Cast) -> None:
        row = start(draft(cast), by=cast.admin, at=MONDAY)
        assert (row.state, row.started_at, row.started_by) == ("running", MONDAY, "Ada Min")
        assert len(row.key) == 64
        assert row.planned_later
        assert row.planned_now
        assert row.answer_days == cast.survey.answer_days

    def test_it_takes_the_key_of_who_wants_the_same_draw_again(self, cast: Cast) -> None:
        assert start(draft(cast), by=cast.admin, at=MONDAY, key="k" * 64).key == "k" * 64

    def test_it_refuses_to_begin_twice_or_beside_another(self, cast: Cast) -> None:
        row = start(draft(cast), by=cast.admin, at=MONDAY)
        with pytest.raises(Refused) as refused:
            start(row, by=cast.admin, at=MONDAY)
        assert refused.value.code == "not_a_draft"
        with pytest.raises(Refused) as refused:
            start(draft(cast), by=cast.admin, at=MONDAY)
        assert refused.value.code == "another_runs"
        start(draft(cast, survey=make_survey("support")), by=cast.admin, at=MONDAY)

    def test_it_refuses_a_survey_that_is_switched_off(self, cast: Cast) -> None:
        cast.survey.active = False
        cast.survey.save()
        with pytest.raises(Refused, match="switched off"):
            start(draft(cast), by=cast.admin, at=MONDAY)

    @pytest.mark.parametrize(
        "change",
        [
            *({"share": 50}, {"days": 7}, {"planned_later": 3}, {"key": "x"}, {"state": "draft"}),
            *({"answer_days": 3}, {"answer_days": None}),
        ],
    )
    def test_the_database_keeps_its_plan(self, cast: Cast, change: dict[str, Any]) -> None:
        row = start(draft(cast), by=cast.admin, at=MONDAY)
        with pytest.raises(IntegrityError), transaction.atomic():
            HoldOut.objects.filter(pk=row.pk).update(**change)

    def test_a_draft_may_be_changed_and_a_running_one_renamed(self, cast: Cast) -> None:
        row = draft(cast)
        HoldOut.objects.filter(pk=row.pk).update(share=10)
        start(row, by=cast.admin, at=MONDAY)
        HoldOut.objects.filter(pk=row.pk).update(name="Another name")


class TestEnd:
    def test_it_ends_by_hand_with_a_reason(self, cast: Cast) -> None:
        row = running(cast)
        with pytest.raises(Refused, match="Say why"):
            end(row, by=cast.admin, at=MONDAY, why=" ")
        ended = end(row, by=cast.admin, at=MONDAY, why="The season is over")
        assert (ended.state, ended.ended_at, ended.ended_why) == ("ended", MONDAY, "The season is over")
        with pytest.raises(Refused, match="not running"):
            end(row, by=cast.admin, at=MONDAY, why="again")
        assert not HoldOutDraw.objects.filter(ticket=cast.ticket()).exists()

    def test_it_does_not_begin_again(self, cast: Cast) -> None:
        row = end(running(cast), by=cast.admin, at=MONDAY, why="Over")
        with pytest.raises(IntegrityError), transaction.atomic():
            HoldOut.objects.filter(pk=row.pk).update(state="running")

    def test_it_ends_by_itself_at_its_size(self, cast: Cast) -> None:
        row = running(cast, difference=60, expected_recovered=10, expected_response=100, share=50)
        assert row.planned_later is not None
        tickets = [cast.ticket() for _ in range(row.planned_later + 1)]
        row.refresh_from_db()
        assert (row.state, row.ended_why) == ("ended", "full")
        assert row.draws.filter(side="later").count() == row.planned_later
        assert not HoldOutDraw.objects.filter(ticket=tickets[-1]).exists()
        assert tickets[-1].status == "new"


class TestLot:
    def test_the_same_ticket_falls_on_the_same_side_for_ever(self) -> None:
        row = HoldOut(key="k" * 64, share=20)
        sides = [side_of(row, f"R-{number}") for number in range(5000)]
        assert sides == [side_of(row, f"R-{number}") for number in range(5000)]
        assert 0.18 < sides.count("later") / 5000 < 0.22

    def test_another_key_draws_others(self) -> None:
        some = [fraction_of("a", f"R-{number}") for number in range(200)]
        others = [fraction_of("b", f"R-{number}") for number in range(200)]
        assert all(one != other for one, other in zip(some, others, strict=True))
        assert 0.4 < sum(some) / 200 < 0.6

    def test_a_draw_is_never_changed(self, cast: Cast) -> None:
        running(cast)
        ticket = cast.ticket()
        with pytest.raises(IntegrityError), transaction.atomic():
            HoldOutDraw.objects.filter(ticket=ticket).update(side="now")

    def test_nothing_is_drawn_without_a_hold_out_or_for_another_survey(self, cast: Cast) -> None:
        cast.ticket()
        running(cast)
        cast.ticket(survey=make_survey("support"))
        assert not HoldOutDraw.objects.exists()

    def test_a_ticket_that_no_detractor_opened_is_not_drawn(self, cast: Cast) -> None:
        running(cast)
        cast.ticket(8)
        assert not HoldOutDraw.objects.exists()


class TestSpared:
    def spared(self, ticket: Ticket) -> str:
        row = the_draw(ticket)
        assert (row.side, row.ask_at) == ("spared", None)
        assert fresh(ticket).status == "new"
        assert not Resurvey.objects.filter(ticket=ticket).exists()
        return row.why

    def test_by_priority(self, cast: Cast) -> None:
        running(cast)
        assert self.spared(cast.ticket(priority=2)) == "urgent"

    def test_by_what_they_ask_for(self, cast: Cast) -> None:
        running(cast)
        assert self.spared(cast.ticket(contact_me=True)) == "asked_for_contact"

    @pytest.mark.parametrize(
        ("reason", "why"),
        [
            ({"code": "keyword", "value": "lawyer"}, "severe"),
            ({"code": "dropped_from_promoter", "value": True}, "severe"),
            ({"code": "repeat_low_score"}, "severe"),
        ],
    )
    def test_by_what_made_it_severe(self, cast: Cast, reason: dict[str, object], why: str) -> None:
        running(cast)
        plan = Plan(team=cast.east, policy=cast.policy, priority=3, reasons=[reason])
        response = cast.response(2, customer=cast.customer())
        assert self.spared(open_ticket(response, plan, at=MONDAY)) == why

    def test_a_reason_that_does_not_hold_spares_nobody(self, cast: Cast) -> None:
        running(cast)
        reasons: list[dict[str, object]] = [{"code": "dropped_from_promoter", "value": False}]
        plan = Plan(team=cast.east, policy=cast.policy, priority=3, reasons=reasons)
        ticket = open_ticket(cast.response(2, customer=cast.customer()), plan, at=MONDAY)
        assert the_draw(ticket).side == "later"

    def test_by_value_and_tier(self, cast: Cast) -> None:
        running(cast, spared_value=10_000, spared_tiers=["Gold"])
        assert self.spared(cast.ticket(customer=cast.customer(annual_value=10_000))) == "valuable"
        assert self.spared(cast.ticket(customer=cast.customer(tier="gold "))) == "tier"
        assert (
            the_draw(cast.ticket(customer=cast.customer(annual_value=9_999, tier="Silver"))).side == "later"
        )

    def test_by_who_cannot_be_asked(self, cast: Cast) -> None:
        running(cast)
        nobody = triage(cast.response(2, customer=None).pk, at=MONDAY)
        assert nobody is not None
        assert self.spared(nobody) == "unknown_customer"
        assert (
            self.spared(cast.ticket(customer=cast.customer(email="", phone="+8613800138000"))) == "no_address"
        )
        silent = cast.customer()
        consent.record(silent, given=False, source="page", at=MONDAY)
        assert self.spared(cast.ticket(customer=silent)) == "no_consent"

    def test_by_a_complaint(self, cast: Cast) -> None:
        running(cast)
        response = cast.response(1, customer=cast.customer(), channel="phone")
        assert self.spared(open_complaint(response.pk, by=cast.lina, at=MONDAY)) == "complaint"

    def test_by_an_earlier_draw(self, cast: Cast) -> None:
        running(cast, "now")
        ticket = cast.ticket()
        put_right(cast, ticket, MONDAY + HOUR)
        answer(cast, ticket, 9, MONDAY + DAY)
        lot_says("later")
        again = answer(cast, ticket, 2, MONDAY + 2 * DAY)
        assert again is not None
        assert again.pk != ticket.pk
        assert self.spared(again) == "drawn_before"


class TestLater:
    def test_it_waits_with_the_clock_standing_and_says_so(self, cast: Cast) -> None:
        running(cast)
        ticket = cast.ticket()
        row = the_draw(ticket)
        assert (row.side, row.at, row.ask_at) == ("later", MONDAY, ASK_AT)
        assert ticket.status == "waiting"
        wait = Wait.objects.get(ticket=ticket)
        assert (wait.reason, wait.resume_at, wait.by) == ("held_out", OVER, None)
        assert set(Deadline.objects.filter(ticket=ticket).values_list("due_at", flat=True)) == {None}
        assert [event.kind for event in ticket.events.all()] == ["opened", "held_out"]
        assert due("deadlines", OVER - HOUR) == []

    def test_its_owner_is_told_when_there_is_something_to_do(self, cast: Cast) -> None:
        running(cast)
        ticket = cast.ticket()
        told = Message.objects.filter(kind="ticket_assigned")
        assert not told.exists()
        assert not DigestLine.objects.exists()
        run_all(OVER)
        ticket = fresh(ticket)
        assert ticket.status == "open"
        assert (
            told.filter(user=ticket.owner).count() + DigestLine.objects.filter(user=ticket.owner).count() == 1
        )
        assert Deadline.objects.get(ticket=ticket, kind="first_contact").due_at is not None
        assert the_draw(ticket).released_at is None
        assert ticket.events.get(kind="resumed").data["lot"] == "over"

    def test_anybody_who_works_on_it_may_take_it_up(self, cast: Cast) -> None:
        running(cast)
        ticket = resume(cast.ticket(), by=cast.lina, at=MONDAY + HOUR)
        row = the_draw(ticket)
        assert (row.side, row.released_at, row.released_why) == ("later", MONDAY + HOUR, "resumed")

    def test_resolving_it_takes_it_up_too(self, cast: Cast) -> None:
        running(cast)
        ticket = put_right(cast, cast.ticket(), MONDAY + HOUR)
        assert the_draw(ticket).released_why == "resolved"
        assert ticket.resurveys.get(cycle=1).due_at == ASK_AT

    def test_the_customer_who_writes_is_followed_up_now(self, cast: Cast) -> None:
        running(cast)
        ticket = customer_wrote(cast.ticket(), at=MONDAY + HOUR, text="Hello?", channel="other")
        assert ticket.status == "open"
        assert the_draw(ticket).released_why == "wrote"
        assert [event.kind for event in ticket.events.all()][-2:] == ["customer_wrote", "resumed"]

    def test_the_customer_who_chooses_a_time_is_followed_up_now(self, cast: Cast) -> None:
        running(cast)
        slot: dict[str, Any] = {"local_time": "2026-03-03T11:00", "time_zone": "Asia/Shanghai"}
        ticket = book_callback(cast.ticket(), by=None, at=MONDAY, origin=Callback.CUSTOMER, **slot)
        assert (ticket.status, the_draw(ticket).released_why) == ("open", "asked_for_contact")

    @pytest.mark.parametrize("score", [3, 9])
    def test_an_answer_that_asks_for_contact_ends_the_wait(self, cast: Cast, score: int) -> None:
        running(cast)
        ticket = cast.ticket()
        answer(cast, ticket, score, MONDAY + DAY, contact_me=True)
        assert fresh(ticket).status == "open"
        assert the_draw(ticket).released_at == MONDAY + DAY

    def test_a_second_low_score_ends_the_wait(self, cast: Cast) -> None:
        running(cast)
        ticket = cast.ticket()
        assert answer(cast, ticket, 1, MONDAY + DAY) == ticket
        assert fresh(ticket).status == "open"
        assert the_draw(ticket).released_why == "second_low"
        assert drawn_question(ticket).state == "held"  # it is still asked

    def test_a_good_answer_before_the_time_changes_nothing(self, cast: Cast) -> None:
        running(cast)
        ticket = cast.ticket()
        assert answer(cast, ticket, 9, MONDAY + DAY) is None
        assert fresh(ticket).status == "waiting"
        assert drawn_question(ticket).state == "held"

    def test_it_does_not_wait_too_long_before_its_time(self, cast: Cast) -> None:
        running(cast)
        ticket = cast.ticket()
        stuck = start_waiting(cast.ticket(survey=make_survey("support")), by=cast.lina, at=MONDAY, reason="x")
        found = [Ticket.objects.filter(is_stuck(measure([cast.east.pk], at))) for at in (ASK_AT, OVER + HOUR)]
        assert [set(tickets) for tickets in found] == [{stuck}, {stuck, ticket}]

    def test_a_wait_of_a_colleague_releases_nothing(self, cast: Cast) -> None:
        running(cast, "now")
        ticket = start_waiting(cast.ticket(), by=cast.lina, at=MONDAY, reason="held_out")
        resume(ticket, by=cast.lina, at=MONDAY + HOUR)
        assert the_draw(ticket).released_at is None


class TestAsked:
    def test_who_waits_is_asked_at_the_age_of_everybody(self, cast: Cast) -> None:
        running(cast)
        ticket = cast.ticket()
        question = drawn_question(ticket)
        assert due("resurveys", ASK_AT - HOUR) == []
        assert due("resurveys", ASK_AT) == [question.pk]
        take_step("resurveys", question.pk, ASK_AT)
        question.refresh_from_db()
        assert (question.state, question.asked_at) == ("asked", ASK_AT)
        assert fresh(ticket).status == "waiting"
        assert Message.objects.get(invitation=question.invitation).kind == "invitation"
        assert ticket.events.last().kind == "held_out_asked"  # type: ignore[union-attr]

    @pytest.mark.parametrize("resolved", [False, True])
    def test_everybody_has_as_long_to_answer_whatever_becomes_of_the_survey(
        self, cast: Cast, resolved: bool
    ) -> None:
        running(cast, "now")
        ticket = cast.ticket()
        if resolved:
            put_right(cast, ticket, MONDAY + HOUR)
        cast.survey.answer_days = 3
        cast.survey.save()
        run_all(ASK_AT)
        assert Invitation.objects.get(customer=ticket.customer).expires_at == OVER

    def test_its_message_goes_out_though_the_ticket_is_in_work(self, cast: Cast) -> None:
        running(cast)
        take_step("resurveys", drawn_question(cast.ticket()).pk, ASK_AT)
        run_all(ASK_AT + timedelta(minutes=1))
        assert Message.objects.get(kind="invitation").state == "accepted"

    def test_a_resolved_one_is_asked_by_its_own_question_at_the_same_age(self, cast: Cast) -> None:
        running(cast, "now")
        ticket = put_right(cast, cast.ticket(), MONDAY + HOUR)
        own = ticket.resurveys.get(cycle=1)
        assert own.due_at == ASK_AT
        run_all(ASK_AT)
        run_all(ASK_AT + DAY)
        own.refresh_from_db()
        assert (own.state, own.asked_at) == ("asked", ASK_AT)
        question = drawn_question(ticket)
        assert (question.state, question.reason) == ("ended", "asked_with_ticket")
        assert Invitation.objects.filter(customer=ticket.customer).count() == 1
        assert Message.objects.get(invitation=own.invitation).kind == "invitation"  # the words of both sides

    def test_one_still_in_work_is_asked_and_later_by_its_own_as_usual(self, cast: Cast) -> None:
        running(cast, "now")
        ticket = cast.ticket()
        run_all(ASK_AT)
        question = drawn_question(ticket)
        assert question.state == "asked"
        ticket = put_right(cast, ticket, ASK_AT + HOUR)
        own = ticket.resurveys.get(cycle=1)
        assert (own.state, own.reason) == ("held", "other_pending")  # never asked twice at once
        run_all(OVER)
        run_all(OVER + 2 * DAY)
        own.refresh_from_db()
        assert own.state == "asked"
        assert Message.objects.get(invitation=own.invitation).kind == "resurvey_invitation"

    def test_one_that_was_closed_before_is_asked_too(self, cast: Cast) -> None:
        running(cast, "now")
        ticket = put_right(cast, cast.ticket(), MONDAY + HOUR)
        answer(cast, ticket, 9, MONDAY + DAY)
        assert fresh(ticket).status == "closed"
        run_all(ASK_AT)
        assert drawn_question(ticket).state == "asked"
        assert fresh(ticket).status == "closed"

    def test_a_reopened_one_keeps_its_question(self, cast: Cast) -> None:
        running(cast, "now")
        ticket = put_right(cast, cast.ticket(), MONDAY + HOUR)
        reopen(ticket, by=cast.chen, at=MONDAY + DAY, reason="They called back")
        assert drawn_question(ticket).state == "held"
        run_all(ASK_AT)
        assert drawn_question(ticket).state == "asked"

    def test_a_low_answer_joins_and_opens_no_second_ticket(self, cast: Cast) -> None:
        running(cast)
        ticket = cast.ticket()
        take_step("resurveys", drawn_question(ticket).pk, ASK_AT)
        question = drawn_question(ticket)
        answer(cast, ticket, 2, ASK_AT + HOUR, invitation=question.invitation)
        question.refresh_from_db()
        assert (question.state, question.outcome) == ("ended", "detractor")
        assert Ticket.objects.count() == 1
        assert fresh(ticket).status == "open"  # heard, and followed up now
        kinds = [event.kind for event in ticket.events.all()]
        assert kinds[-3:] == ["held_out_answer", "absorbed", "resumed"]

    def test_a_good_answer_ends_the_question_and_is_told(self, cast: Cast) -> None:
        running(cast)
        ticket = cast.ticket()
        take_step("resurveys", drawn_question(ticket).pk, ASK_AT)
        answer(cast, ticket, 9, ASK_AT + HOUR)
        question = drawn_question(ticket)
        assert (question.state, question.outcome) == ("ended", "promoter")
        assert question.invitation is not None
        assert question.invitation.state == Invitation.CANCELLED  # answered another way
        assert fresh(ticket).status == "waiting"
        assert ticket.events.last().data["score"] == 9  # type: ignore[union-attr]

    def test_a_low_answer_after_the_loop_had_closed_takes_the_matter_up_again(self, cast: Cast) -> None:
        running(cast, "now")
        ticket = put_right(cast, cast.ticket(), MONDAY + HOUR)
        answer(cast, ticket, 9, MONDAY + DAY)
        run_all(ASK_AT)
        again = answer(cast, ticket, 1, ASK_AT + HOUR, invitation=drawn_question(ticket).invitation)
        assert again == ticket
        ticket = fresh(ticket)
        assert (ticket.status, ticket.cycle) == ("open", 2)
        assert Ticket.objects.count() == 1

    def test_an_answer_after_the_resolution_ends_both_questions(self, cast: Cast) -> None:
        running(cast, "now")
        ticket = cast.ticket()
        run_all(ASK_AT)
        put_right(cast, ticket, ASK_AT + HOUR)
        answer(cast, ticket, 9, ASK_AT + DAY, invitation=drawn_question(ticket).invitation)
        assert fresh(ticket).status == "closed"
        assert fresh(ticket).outcome == "promoter"
        assert not Resurvey.objects.exclude(state="ended").exists()

    def test_silence_ends_the_question_and_leaves_the_ticket_as_it_is(self, cast: Cast) -> None:
        running(cast, "now")
        ticket = log_contact(cast.ticket(), by=cast.lina, at=MONDAY, outcome="reached")
        run_all(ASK_AT)
        run_all(OVER)
        question = drawn_question(ticket)
        assert (question.state, question.outcome) == ("ended", "no_answer")
        assert fresh(ticket).status == "open"
        assert fresh(ticket).outcome == ""

    def test_it_is_not_asked_where_that_is_not_allowed_any_more(self, cast: Cast) -> None:
        running(cast)
        ticket = cast.ticket()
        assert ticket.customer is not None
        consent.record(ticket.customer, given=False, source="page", at=MONDAY + DAY)
        take_step("resurveys", drawn_question(ticket).pk, ASK_AT)
        question = drawn_question(ticket)
        assert (question.state, question.outcome, question.reason) == ("ended", "not_asked", "no_consent")
        assert not Message.objects.filter(kind="invitation").exists()
        assert ticket.events.last().data == {"asked": False, "reason": "no_consent"}  # type: ignore[union-attr]

    def test_it_is_held_while_another_question_is_open_and_says_so_once(self, cast: Cast) -> None:
        running(cast)
        ticket = cast.ticket()
        other = cast.ticket(customer=ticket.customer, survey=make_survey("support"))
        put_right(cast, other, ASK_AT - 3 * DAY)
        run_all(ASK_AT)
        question = drawn_question(ticket)
        assert (question.state, question.reason) == ("held", "other_pending")
        for day in range(1, 4):
            run_all(ASK_AT + day * DAY)
        assert ticket.events.filter(kind="held_out_asked").count() == 1
        run_all(OVER + DAY)
        question.refresh_from_db()
        assert (question.state, question.reason) == ("ended", "hold_out_over")
