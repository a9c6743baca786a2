"""What was written a while ago is sent only while it still concerns somebody."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from recovery import lifecycle
from recovery.lifecycle.concern import why_not
from recovery.models import Resurvey, Ticket
from surveys.messages import gate
from surveys.models import Invitation, Message
from tests.due import take_step
from tests.make import DAY, HOUR, MINUTE, MONDAY, SHANGHAI, Cast

pytestmark = pytest.mark.django_db

NOON = MONDAY + 2 * HOUR
Act = Callable[[Cast, Ticket], object]


@pytest.fixture
def ticket(cast: Cast) -> Ticket:
    return cast.ticket()


def notice_of(ticket: Ticket, kind: str) -> Message:
    return Message.objects.filter(kind=kind, about=f"ticket:{ticket.number}").latest("pk")


def resolve(cast: Cast, ticket: Ticket) -> Ticket:
    ticket.refresh_from_db()
    lifecycle.log_contact(ticket, by=ticket.owner, at=NOON, outcome="reached", channel="phone")
    ticket.refresh_from_db()
    return lifecycle.resolve(
        ticket, by=ticket.owner, at=NOON, cause_said=None, cause_found=cast.late, what_was_done="Sent it."
    )


def merge(cast: Cast, ticket: Ticket) -> None:
    lifecycle.merge(ticket, by=cast.chen, at=NOON, into=cast.ticket(), reason="the same matter")


def give_away(cast: Cast, ticket: Ticket) -> None:
    other = cast.majun if ticket.owner == cast.lina else cast.lina
    lifecycle.assign(ticket, by=cast.chen, at=NOON, to=other)


class TestNotices:
    @pytest.mark.parametrize(
        ("name", "act", "reason"),
        [
            ("nothing", lambda cast, ticket: None, ""),
            ("given to somebody else", give_away, ""),
            ("resolved", resolve, "ticket_resolved"),
            ("merged", merge, "ticket_merged"),
            ("closed", lambda cast, ticket: close(cast, ticket), "ticket_closed"),
        ],
    )
    def test_nobody_hears_of_a_ticket_without_work(
        self, cast: Cast, ticket: Ticket, name: str, act: Act, reason: str
    ) -> None:
        notice = notice_of(ticket, "ticket_assigned")
        act(cast, ticket)
        assert why_not(notice, NOON) == reason
        found = gate.verdict(notice, MONDAY + HOUR)
        assert (found.ok, found.state, found.reason) == (not reason, "cancelled" if reason else "", reason)

    def test_nobody_hears_of_a_ticket_that_is_gone(self, ticket: Ticket) -> None:
        notice = notice_of(ticket, "ticket_assigned")
        notice.about = "ticket:R-0"
        assert why_not(notice, NOON) == "ticket_gone"

    def test_other_notices_concern_no_ticket(self, cast: Cast, ticket: Ticket) -> None:
        notice = notice_of(ticket, "ticket_assigned")
        resolve(cast, ticket)
        notice.about = ""
        assert why_not(notice, NOON) == ""


def close(cast: Cast, ticket: Ticket) -> None:
    resolve(cast, ticket)
    ask(ticket)
    take_step("silence", Resurvey.objects.get(ticket=ticket).pk, NOON + 60 * DAY)


class TestCallbacks:
    @pytest.fixture
    def notice(self, ticket: Ticket) -> Message:
        lifecycle.book_callback(
            ticket, by=ticket.owner, at=MONDAY, local_time="2026-03-02T11:00", time_zone=SHANGHAI
        )
        self.announce(ticket, MONDAY + HOUR)
        return notice_of(ticket, "callback_due")

    def announce(self, ticket: Ticket, at: object) -> None:
        take_step("callbacks", ticket.callbacks.get(state="booked").pk, at)  # type: ignore[arg-type]

    def move(self, ticket: Ticket) -> None:
        ticket.refresh_from_db()
        lifecycle.move_callback(
            ticket,
            by=ticket.owner,
            at=MONDAY + HOUR + MINUTE,
            local_time="2026-03-02T12:00",
            time_zone=SHANGHAI,
        )

    def test_it_is_told_while_the_customer_waits(self, notice: Message) -> None:
        assert why_not(notice, MONDAY + HOUR) == ""

    def test_it_is_not_once_they_were_called(self, ticket: Ticket, notice: Message) -> None:
        ticket.refresh_from_db()
        lifecycle.log_contact(ticket, by=ticket.owner, at=NOON, outcome="no_answer", channel="phone")
        assert why_not(notice, NOON) == "callback_settled"

    def test_it_is_not_once_it_was_cancelled(self, ticket: Ticket, notice: Message) -> None:
        ticket.refresh_from_db()
        lifecycle.cancel_callback(ticket, by=ticket.owner, at=NOON)
        assert why_not(notice, NOON) == "callback_settled"

    def test_one_that_was_moved_is_told_of_at_its_new_time_only(
        self, ticket: Ticket, notice: Message
    ) -> None:
        self.move(ticket)
        assert why_not(notice, NOON) == "callback_settled"
        self.announce(ticket, NOON)
        later = notice_of(ticket, "callback_due")
        assert later != notice
        assert why_not(later, NOON) == ""
        assert why_not(notice, NOON) == "callback_settled"


def ask(ticket: Ticket) -> Message:
    """The resurvey's invitation, asked when its time has come."""
    resurvey = Resurvey.objects.get(ticket=ticket, cycle=1)
    take_step("resurveys", resurvey.pk, resurvey.due_at)
    return Message.objects.get(kind="resurvey_invitation")


class TestResurveys:
    @pytest.fixture
    def invitation(self, cast: Cast, ticket: Ticket) -> Message:
        resolve(cast, ticket)
        return ask(ticket)

    def test_it_goes_while_the_question_is_open(self, invitation: Message) -> None:
        assert why_not(invitation, invitation.created_at) == ""

    def test_it_does_not_once_the_ticket_is_worked_on_again(
        self, cast: Cast, ticket: Ticket, invitation: Message
    ) -> None:
        ticket.refresh_from_db()
        lifecycle.reopen(ticket, by=cast.chen, at=invitation.created_at, reason="called again")
        invitation.refresh_from_db()
        assert why_not(invitation, invitation.created_at) == "ticket_reopened"
        resolve_again(cast, ticket, invitation)
        assert why_not(invitation, invitation.created_at) == "ticket_reopened"

    @pytest.mark.parametrize(
        ("name", "ticket_fields", "resurvey_fields", "reason"),
        [
            ("closed", {"status": "closed", "closed_at": NOON}, {}, "ticket_closed"),
            ("settled", {}, {"state": "ended", "outcome": "no_answer"}, "resurvey_over"),
        ],
    )
    def test_it_does_not_once_the_loop_is_over(
        self,
        ticket: Ticket,
        invitation: Message,
        name: str,
        ticket_fields: dict[str, object],
        resurvey_fields: dict[str, object],
        reason: str,
    ) -> None:
        if ticket_fields:
            Ticket.objects.filter(pk=ticket.pk).update(**ticket_fields)
        if resurvey_fields:
            Resurvey.objects.filter(ticket=ticket).update(**resurvey_fields)
        assert why_not(invitation, NOON) == reason

    def test_an_invitation_without_a_ticket_is_none_of_our_concern(
        self, cast: Cast, ticket: Ticket, invitation: Message
    ) -> None:
        Resurvey.objects.filter(ticket=ticket).update(invitation=None)
        invitation.refresh_from_db()
        assert why_not(invitation, NOON) == ""

    def test_one_cancelled_at_the_gate_ends_as_not_asked(self, ticket: Ticket, invitation: Message) -> None:
        """What the gate says reaches the timeline: the invitation is cancelled, and why."""
        Invitation.objects.update(state=Invitation.CANCELLED, reason="no_consent")
        resurvey = Resurvey.objects.get(ticket=ticket)
        take_step("silence", resurvey.pk, invitation.created_at + MINUTE)
        resurvey.refresh_from_db()
        assert (resurvey.outcome, resurvey.reason) == ("not_asked", "no_consent")


def resolve_again(cast: Cast, ticket: Ticket, invitation: Message) -> None:
    ticket.refresh_from_db()
    at = invitation.created_at + timedelta(minutes=1)
    lifecycle.log_contact(ticket, by=ticket.owner, at=at, outcome="reached", channel="phone")
    ticket.refresh_from_db()
    lifecycle.resolve(
        ticket, by=ticket.owner, at=at, cause_said=None, cause_found=cast.late, what_was_done="Again."
    )


def test_a_resurvey_of_somebody_who_said_no_ends_as_not_asked(cast: Cast, ticket: Ticket) -> None:
    from surveys.messages import consent

    resolve(cast, ticket)
    assert ticket.customer
    consent.record(ticket.customer, given=False, source="phone", at=NOON)
    resurvey = Resurvey.objects.get(ticket=ticket)
    take_step("resurveys", resurvey.pk, resurvey.due_at)
    resurvey.refresh_from_db()
    assert (resurvey.outcome, resurvey.reason) == ("not_asked", "no_consent")
    assert not Message.objects.filter(kind="resurvey_invitation").exists()


def test_whoever_can_release_is_told_that_sending_is_held(cast: Cast) -> None:
    from recovery.nudges import operators

    cast.vera.is_active = False
    cast.vera.save(update_fields=["is_active"])
    assert [(each.user, each.locale, str(each.zone)) for each in operators()] == [
        (cast.admin, "en", SHANGHAI)
    ]
