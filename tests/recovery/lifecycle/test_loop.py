"""Asked again, counted, closed or begun anew."""

from datetime import UTC, datetime, timedelta

import pytest

from recovery.lifecycle import Refused, ask_again, end_unanswered, escalate, reopen, resolve
from recovery.models import Deadline, Leave, Resurvey, Ticket
from recovery.triage import triage
from surveys.models import Invitation, Message, Response
from tests.due import due
from tests.make import DAY, HOUR, MINUTE, MONDAY, Cast
from tests.surveys.make import make_survey

COOL_OFF = 3 * DAY
DUE = MONDAY + COOL_OFF


def resolved(cast: Cast, ticket: Ticket | None = None, at: datetime = MONDAY) -> Ticket:
    return resolve(
        ticket or cast.ticket(), by=cast.lina, at=at, cause_found=cast.late, what_was_done="Sent again"
    )


def asked(cast: Cast, ticket: Ticket | None = None) -> Resurvey:
    resurvey = ask_again(resolved(cast, ticket).resurveys.get().pk, at=DUE)
    assert resurvey is not None
    return resurvey


def answer(cast: Cast, resurvey: Resurvey, score: int, at: datetime = DUE + HOUR) -> Ticket:
    Invitation.objects.filter(resurvey=resurvey).update(state=Invitation.ANSWERED, answered_at=at)
    response = cast.response(score, customer=resurvey.customer, invitation=resurvey.invitation, at=at)
    ticket = triage(response.pk, at=at)
    assert ticket is not None
    return ticket


class TestPlan:
    def test_the_person_is_asked_after_the_cool_off(self, cast: Cast) -> None:
        ticket = resolved(cast)
        resurvey = ticket.resurveys.get()
        assert (resurvey.state, resurvey.due_at, resurvey.cycle) == ("planned", DUE, 1)
        assert ticket.events.last().kind == "resurvey_planned"  # type: ignore[union-attr]
        assert due("resurveys", DUE - MINUTE) == []
        assert due("resurveys", DUE) == [resurvey.pk]

    def test_an_unknown_customer_ends_as_not_asked(self, cast: Cast) -> None:
        ticket = triage(cast.response(2, customer=None).pk, at=MONDAY)
        done = resolved(cast, ticket)
        assert (done.status, done.outcome) == ("closed", "not_asked")
        assert done.resurveys.get().reason == "unknown_customer"

    def test_a_second_one_for_the_same_person_is_held_until_the_first_ended(self, cast: Cast) -> None:
        customer = cast.customer()
        first = asked(cast, cast.ticket(customer=customer))
        other = cast.ticket(customer=customer, survey=make_survey("support"))
        second = resolved(cast, other).resurveys.get()
        assert (second.state, second.reason) == ("held", "other_pending")
        assert second.ticket.events.last().kind == "resurvey_held"  # type: ignore[union-attr]
        ask_again(second.pk, at=DUE + HOUR)
        second.refresh_from_db()
        assert second.state == "held"
        answer(cast, first, 9)
        ask_again(second.pk, at=second.due_at)
        second.refresh_from_db()
        assert second.state == "asked"


class TestAsk:
    def test_it_sends_one_invitation_and_says_so_on_the_ticket(self, cast: Cast) -> None:
        resurvey = asked(cast)
        assert resurvey.invitation is not None
        assert resurvey.invitation.purpose == Invitation.RESURVEY
        message = Message.objects.get(invitation=resurvey.invitation)
        assert message.to_address == resurvey.customer.email  # type: ignore[union-attr]
        assert resurvey.ticket.events.last().kind == "resurvey_asked"  # type: ignore[union-attr]

    def test_it_asks_once_whoever_comes_second(self, cast: Cast) -> None:
        resurvey = asked(cast)
        assert ask_again(resurvey.pk, at=DUE) is None
        assert Invitation.objects.count() == 1

    def test_it_does_not_ask_before_its_time(self, cast: Cast) -> None:
        assert ask_again(resolved(cast).resurveys.get().pk, at=DUE - MINUTE) is None
        assert not Invitation.objects.exists()

    def test_it_is_held_with_the_reason_and_the_earliest_date(self, cast: Cast) -> None:
        ticket = cast.ticket()
        assert ticket.customer is not None
        Invitation.objects.create(
            survey=cast.survey,
            customer=ticket.customer,
            state=Invitation.SENT,
            send_at=DUE - HOUR,
            sent_at=DUE - HOUR,
            expires_at=DUE + DAY,
            created_at=DUE - HOUR,
        )
        resurvey = resolved(cast, ticket).resurveys.get()
        ask_again(resurvey.pk, at=DUE)
        resurvey.refresh_from_db()
        assert resurvey.state == "held"
        assert resurvey.reason
        assert resurvey.due_at > DUE
        assert due("resurveys", DUE + MINUTE) == []
        event = ticket.events.get(kind="resurvey_held")
        assert datetime.fromisoformat(event.data["earliest_at"]) == resurvey.due_at
        ask_again(resurvey.pk, at=resurvey.due_at)
        resurvey.refresh_from_db()
        assert resurvey.state == "asked"

    def test_somebody_without_an_address_ends_as_not_asked(self, cast: Cast) -> None:
        ticket = cast.ticket(customer=cast.customer(email="", phone="+8613800138000"))
        resurvey = resolved(cast, ticket).resurveys.get()
        ask_again(resurvey.pk, at=DUE)
        ticket.refresh_from_db()
        assert (ticket.status, ticket.outcome) == ("closed", "not_asked")
        assert ticket.resurveys.get().reason == "no_address"


class TestOutcome:
    @pytest.mark.parametrize(("score", "outcome"), [(9, "promoter"), (10, "promoter"), (7, "passive")])
    def test_a_better_answer_closes_the_ticket(self, cast: Cast, score: int, outcome: str) -> None:
        ticket = answer(cast, asked(cast), score)
        assert (ticket.status, ticket.outcome, ticket.closed_at) == ("closed", outcome, DUE + HOUR)
        assert [event.kind for event in ticket.events.all()][-2:] == ["outcome", "closed"]
        assert ticket.resurveys.get().outcome == outcome

    def test_a_low_answer_begins_cycle_2_with_the_same_history(self, cast: Cast) -> None:
        ticket = answer(cast, asked(cast), 3)
        assert (ticket.status, ticket.cycle, ticket.outcome) == ("open", 2, "")
        assert ticket.owner == cast.lina
        rows = Deadline.objects.filter(ticket=ticket, cycle=2)
        assert {row.starts_at for row in rows} == {DUE + HOUR}
        assert rows.count() == 2
        assert Deadline.objects.filter(ticket=ticket, cycle=1, met_at__isnull=False).exists()
        assert [event.kind for event in ticket.events.all()][-2:] == ["outcome", "reopened"]
        assert ticket.resurveys.get(cycle=1).outcome == "detractor"
        assert Message.objects.filter(kind="ticket_reopened", user=cast.lina).exists()

    def test_cycle_2_ends_like_cycle_1(self, cast: Cast) -> None:
        ticket = answer(cast, asked(cast), 3)
        at = DUE + 2 * DAY
        done = resolve(ticket, by=cast.lina, at=at, cause_found=cast.late, what_was_done="Refund")
        resurvey = ask_again(done.resurveys.get(cycle=2).pk, at=at + COOL_OFF)
        assert resurvey is not None
        closed = answer(cast, resurvey, 9, at=at + COOL_OFF + HOUR)
        assert (closed.status, closed.outcome, closed.cycle) == ("closed", "promoter", 2)

    def test_an_answer_given_unasked_after_the_resolution_counts_too(self, cast: Cast) -> None:
        ticket = resolved(cast)
        response = cast.response(9, customer=ticket.customer, at=MONDAY + DAY)
        closed = triage(response.pk, at=MONDAY + DAY)
        assert closed is not None
        assert (closed.pk, closed.outcome) == (ticket.pk, "promoter")
        assert due("resurveys", DUE) == []

    def test_an_answer_given_another_way_withdraws_the_question(self, cast: Cast) -> None:
        resurvey = asked(cast)
        response = cast.response(9, customer=resurvey.customer, at=DUE + HOUR)
        triage(response.pk, at=DUE + HOUR)
        invitation = Invitation.objects.get()
        assert (invitation.state, invitation.reason) == ("cancelled", "answered_elsewhere")

    def test_an_answer_given_before_the_resolution_does_not(self, cast: Cast) -> None:
        ticket = cast.ticket()
        early = cast.response(9, customer=ticket.customer, at=MONDAY)
        ticket = resolved(cast, ticket, at=MONDAY + HOUR)
        assert triage(early.pk, at=MONDAY + 2 * HOUR) is None
        ticket.refresh_from_db()
        assert ticket.status == "resolved"

    def test_an_answer_changed_back_to_low_reopens(self, cast: Cast) -> None:
        resurvey = asked(cast)
        answer(cast, resurvey, 9)
        response = Response.objects.get(invitation=resurvey.invitation)
        response.versions.create(score=9, band="promoter", replaced_at=DUE + DAY)
        Response.objects.filter(pk=response.pk).update(score=1, band="detractor", triaged_at=None)
        ticket = triage(response.pk, at=DUE + DAY)
        assert ticket is not None
        assert (ticket.status, ticket.cycle) == ("open", 2)

    def test_silence_until_the_invitation_ends_is_no_answer(self, cast: Cast) -> None:
        resurvey = asked(cast)
        ends = DUE + timedelta(days=14)
        assert due("silence", ends - MINUTE) == []
        assert end_unanswered(resurvey.pk, at=ends - MINUTE) is None
        assert due("silence", ends) == [resurvey.pk]
        ticket = end_unanswered(resurvey.pk, at=ends)
        assert ticket is not None
        assert (ticket.status, ticket.outcome) == ("closed", "no_answer")
        assert end_unanswered(resurvey.pk, at=ends) is None

    def test_an_invitation_that_never_arrived_is_not_asked(self, cast: Cast) -> None:
        resurvey = asked(cast)
        Invitation.objects.update(state=Invitation.CANCELLED, reason="message_rejected")
        ticket = end_unanswered(resurvey.pk, at=DUE + HOUR)
        assert ticket is not None
        assert ticket.outcome == "not_asked"
        assert ticket.resurveys.get().reason == "message_rejected"


class TestReopen:
    def test_by_hand_it_takes_a_reason_and_drops_the_pending_question(self, cast: Cast) -> None:
        resurvey = asked(cast)
        ticket = Ticket.objects.get(pk=resurvey.ticket_id)
        again = reopen(ticket, by=cast.lina, at=DUE + HOUR, reason="They called back")
        assert (again.status, again.cycle, again.resolved_at) == ("open", 2, None)
        resurvey.refresh_from_db()
        assert (resurvey.state, resurvey.outcome) == ("ended", "no_answer")
        assert Invitation.objects.get().state == "cancelled"
        assert again.events.get(kind="reopened").text == "They called back"

    def test_an_owner_who_is_away_hands_over(self, cast: Cast) -> None:
        ticket = resolved(cast)
        Leave.objects.create(user=cast.lina, starts_at=MONDAY, ends_at=MONDAY + 9 * DAY)
        again = reopen(ticket, by=cast.chen, at=MONDAY + DAY, reason="They called back")
        assert again.owner == cast.majun
        assert Deadline.objects.filter(ticket=ticket, cycle=2).count() == 2

    def test_it_refuses_while_another_is_open_for_the_person(self, cast: Cast) -> None:
        customer = cast.customer()
        resurvey = asked(cast, cast.ticket(customer=customer))
        closed = answer(cast, resurvey, 9)
        newer = cast.ticket(customer=customer, at=DUE + DAY)
        with pytest.raises(Refused, match=f"{newer.number} is open"):
            reopen(closed, by=cast.lina, at=DUE + 2 * DAY, reason="They called back")

    def test_it_refuses_without_a_reason_and_while_in_work(self, cast: Cast) -> None:
        ticket = cast.ticket()
        with pytest.raises(Refused, match="why it is reopened"):
            reopen(ticket, by=cast.lina, at=MONDAY, reason="")
        with pytest.raises(Refused, match="comes later"):
            reopen(ticket, by=cast.lina, at=MONDAY, reason="x")

    def test_a_closed_ticket_can_come_back_on_a_friday(self, cast: Cast) -> None:
        closed = answer(cast, asked(cast), 9)
        friday = datetime(2026, 3, 13, 2, 0, tzinfo=UTC)
        again = reopen(closed, by=cast.chen, at=friday, reason="Broken again")
        assert again.cycle == 2
        assert again.resurveys.get(cycle=1).outcome == "promoter"


class TestAnswerAfterAll:
    """The question had ended without an answer; then its message was sent again by hand, and answered."""

    @pytest.fixture
    def given_up(self, cast: Cast) -> Resurvey:
        resurvey = asked(cast)
        Invitation.objects.update(state=Invitation.CANCELLED, reason="message_dead")
        end_unanswered(resurvey.pk, at=DUE + HOUR)
        Invitation.objects.update(state=Invitation.SENT, reason="")
        return resurvey

    @pytest.mark.parametrize(("score", "outcome"), [(9, "promoter"), (7, "passive")])
    def test_it_is_the_outcome_of_the_closed_ticket(
        self, cast: Cast, given_up: Resurvey, score: int, outcome: str
    ) -> None:
        ticket = answer(cast, given_up, score, at=DUE + DAY)
        assert (ticket.pk, ticket.status, ticket.outcome) == (given_up.ticket_id, "closed", outcome)
        given_up.refresh_from_db()
        assert (given_up.outcome, given_up.outcome_at) == (outcome, DUE + DAY)

    def test_a_low_one_begins_the_next_cycle(self, cast: Cast, given_up: Resurvey) -> None:
        ticket = answer(cast, given_up, 2, at=DUE + DAY)
        assert (ticket.pk, ticket.status, ticket.cycle) == (given_up.ticket_id, "open", 2)

    def test_it_joins_what_was_opened_meanwhile(self, cast: Cast, given_up: Resurvey) -> None:
        newer = cast.ticket(customer=given_up.customer, at=DUE + DAY)
        ticket = answer(cast, given_up, 2, at=DUE + 2 * DAY)
        assert (ticket.pk, ticket.cycle) == (newer.pk, 1)

    def test_it_does_not_count_for_a_cycle_that_is_over(self, cast: Cast, given_up: Resurvey) -> None:
        ticket = Ticket.objects.get(pk=given_up.ticket_id)
        ticket = reopen(ticket, by=cast.lina, at=DUE + DAY, reason="They called back")
        resolved(cast, ticket, at=DUE + DAY)
        Resurvey.objects.filter(cycle=2).update(state="ended", outcome="not_asked")
        Ticket.objects.update(status="closed", closed_at=DUE + DAY)
        late = cast.response(9, customer=ticket.customer, invitation=given_up.invitation, at=DUE + 2 * DAY)
        assert triage(late.pk, at=DUE + 2 * DAY) is None
        given_up.refresh_from_db()
        assert given_up.outcome == "not_asked"


def test_a_ticket_of_somebody_unknown_is_reopened_beside_others(cast: Cast) -> None:
    first, _second = (triage(cast.response(2, customer=None).pk, at=MONDAY) for _n in range(2))
    closed = resolved(cast, first)
    assert reopen(closed, by=cast.lina, at=MONDAY + DAY, reason="They called back").cycle == 2


def test_a_new_cycle_begins_at_the_foot_of_the_ladder(cast: Cast) -> None:
    ticket = escalate(cast.ticket(), by=cast.lina, at=MONDAY, reason="A refund")
    assert ticket.escalation_level == 1
    again = reopen(resolved(cast, ticket), by=cast.lina, at=MONDAY + DAY, reason="They called back")
    assert again.escalation_level == 0
    assert escalate(again, by=cast.lina, at=MONDAY + DAY, reason="A refund").escalation_level == 1


def test_who_reopens_their_own_ticket_is_not_told(cast: Cast) -> None:
    reopen(resolved(cast), by=cast.lina, at=MONDAY + DAY, reason="They called back")
    assert not Message.objects.filter(kind="ticket_reopened").exists()


def test_it_says_once_that_it_is_held_and_looks_again_every_day(cast: Cast) -> None:
    customer = cast.customer()
    asked(cast, cast.ticket(customer=customer))
    second = resolved(cast, cast.ticket(customer=customer, survey=make_survey("support"))).resurveys.get()
    for days in (0, 1):
        ask_again(second.pk, at=DUE + days * DAY)
        second.refresh_from_db()
        assert (second.due_at, second.earliest_at) == (DUE + (days + 1) * DAY, DUE + (days + 1) * DAY)
    assert second.ticket.events.filter(kind="resurvey_held").count() == 1


def test_an_invitation_that_is_gone_is_not_asked(cast: Cast) -> None:
    resurvey = asked(cast)
    Message.objects.all().delete()
    Invitation.objects.all().delete()
    assert due("silence", DUE) == [resurvey.pk]
    end_unanswered(resurvey.pk, at=DUE)
    resurvey.refresh_from_db()
    assert (resurvey.outcome, resurvey.reason) == ("not_asked", "invitation_gone")


@pytest.mark.parametrize("state", ["cancelled", "expired"])
def test_the_sweep_sees_at_once_that_an_invitation_is_over(cast: Cast, state: str) -> None:
    resurvey = asked(cast)
    assert due("silence", DUE) == []
    Invitation.objects.update(state=state)
    assert due("silence", DUE) == [resurvey.pk]
