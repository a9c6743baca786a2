"""Hours and days in which nothing ran: what is done afterwards, row by row, and what is not."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta

import pytest
from django.utils import timezone

from dispatch import engine, kinds
from recovery.apps import NOTICES
from recovery.catch_up import POLICIES, RUN, SKIP, USEFUL_FOR
from recovery.lifecycle import book_callback, climb, escalate, log_contact, resolve, start_waiting
from recovery.models import (
    Calendar,
    Deadline,
    DigestLine,
    Escalation,
    EscalationStep,
    Resurvey,
    StaffProfile,
    Ticket,
    TicketEvent,
    Wait,
)
from recovery.models.policy import FIRST_CONTACT, RESOLUTION
from recovery.views.timeline import entries_of
from surveys.invitations import INVITATION_TOO_LATE, TOO_LATE, invite
from surveys.models import Invitation, Message
from tests.due import due, fail, take_step
from tests.make import DAY, HOUR, MINUTE, MONDAY, Cast, make_calendar
from tests.surveys.make import make_survey

DOWN = MONDAY + HOUR  # 11:00 in Shanghai
EVENING, THURSDAY = DOWN + 9 * HOUR, DOWN + 3 * DAY
OPENS = MONDAY + 23 * HOUR  # 9:00 on Tuesday in Shanghai
DUE = MONDAY + 4 * HOUR


def work_off(at: datetime) -> None:
    """Everything due but the sending itself."""
    names = [name for name in POLICIES if name != "messages"]
    engine.drain(lambda: at, holder="test", names=names, on_error=fail)


def told(ticket: Ticket) -> list[tuple[str, int, str]]:
    rows = Escalation.objects.filter(ticket=ticket).order_by("id")
    return list(rows.values_list("deadline__kind", "level", "recipient_name"))


def digests() -> dict[str, str]:
    """The text of each colleague's digest; fails where somebody got two."""
    rows = list(Message.objects.filter(kind="digest").values_list("user__username", "text"))
    assert len(rows) == len(dict(rows))
    return dict(rows)


class TestPolicies:
    def test_every_kind_that_can_fall_due_has_one(self) -> None:
        assert {kind.name for kind in kinds.all_kinds()} <= set(POLICIES)

    @pytest.mark.parametrize("name", POLICIES)
    def test_each_says_why_and_with_which_reason_it_skips(self, name: str) -> None:
        policy = POLICIES[name]
        assert policy.why.endswith(".")
        assert bool(policy.reason) == (policy.policy == SKIP)

    def test_what_only_runs_has_no_limit(self) -> None:
        assert not [name for name, each in POLICIES.items() if each.policy == RUN and each.skip_after]

    def test_every_notice_knows_how_long_it_is_useful(self, cast: Cast) -> None:
        assert set(USEFUL_FOR) <= set(NOTICES)
        ticket = cast.ticket()
        book_callback(
            ticket, by=cast.lina, at=MONDAY, local_time="2026-03-02T15:00", time_zone="Asia/Shanghai"
        )
        ticket.refresh_from_db()
        escalate(ticket, by=cast.lina, at=MONDAY, reason="A refund")
        work_off(DUE + HOUR)
        limits = {
            each.kind: each.not_after for each in Message.objects.exclude(user=None).exclude(kind="weekly")
        }
        assert limits == {
            "ticket_assigned": MONDAY + 2 * DAY,
            "ticket_escalated": MONDAY + DAY,
            "callback_due": DUE + HOUR + 12 * HOUR,
            "digest": DUE + HOUR + DAY,
        }

    def test_a_mail_server_back_after_three_days_delivers_no_stale_notice(self, cast: Cast) -> None:
        cast.ticket()
        notice = Message.objects.get(kind="ticket_assigned")
        take_step("messages", notice.pk, MONDAY + 3 * DAY)
        notice.refresh_from_db()
        assert (notice.state, notice.reason) == ("expired", "not_after")


class Firm:
    """Two teams and their tickets, each with its own story, when the system stops at 11:00 on Monday."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        StaffProfile.objects.filter(user=cast.wu).update(locale="zh-hans")
        StaffProfile.objects.filter(user=cast.bob).update(time_zone="Europe/London")
        self.forgotten = self.ticket("Forgotten")
        self.heard = self.ticket("Heard")
        log_contact(self.heard, by=cast.lina, at=MONDAY, outcome="reached")
        self.called = self.ticket("Called")
        self.book(self.called, "15:00")
        self.urgent = cast.ticket(
            team=cast.west, priority=1, at=DOWN - 10 * MINUTE, customer=cast.customer("Urgent")
        )
        self.waiting = self.ticket("Waiting")
        start_waiting(
            self.waiting, by=cast.lina, at=MONDAY + 30 * MINUTE, reason="Photo", until=DUE + 90 * MINUTE
        )
        self.done = self.ticket("Done")
        self.book(self.done, "15:00")
        self.late_callback = self.ticket("Tomorrow")
        log_contact(self.late_callback, by=cast.lina, at=MONDAY, outcome="reached")
        self.book(self.late_callback, "20:00")
        work_off(DOWN - MINUTE)
        assert not Escalation.objects.exists()
        # The desk stayed open: somebody finished one while nothing was dispatched.
        self.done.refresh_from_db()
        resolve(self.done, by=cast.lina, at=DOWN + HOUR, cause_found=cast.late, what_was_done="Sent again")

    def ticket(self, name: str) -> Ticket:
        ticket = self.cast.ticket(customer=self.cast.customer(name))
        Ticket.objects.filter(pk=ticket.pk).update(owner=self.cast.lina)
        ticket.refresh_from_db()
        return ticket

    def book(self, ticket: Ticket, hour: str) -> None:
        ticket.refresh_from_db()
        book_callback(
            ticket,
            by=self.cast.lina,
            at=MONDAY,
            local_time=f"2026-03-02T{hour}",
            time_zone="Asia/Shanghai",
        )


@pytest.fixture
def firm(cast: Cast) -> Firm:
    return Firm(cast)


class TestNineHours:
    """Back at 20:00 on Monday."""

    @pytest.fixture(autouse=True)
    def back(self, firm: Firm) -> None:
        work_off(EVENING)

    def test_each_ticket_tells_its_highest_level_once(self, firm: Firm) -> None:
        assert told(firm.forgotten) == told(firm.called) == [(FIRST_CONTACT, 2, "Wu Mei")]
        assert told(firm.urgent) == [(FIRST_CONTACT, 2, "Bob Jones")]
        for ticket in (firm.heard, firm.waiting, firm.done, firm.late_callback):
            assert told(ticket) == []

    def test_what_was_passed_over_stands_in_the_one_event(self, firm: Firm) -> None:
        event = firm.forgotten.events.get(kind="escalated")
        assert (event.data["level"], event.data["late"], event.data["due_at"]) == (2, True, DUE.isoformat())
        assert event.data["passed_over"] == [
            {"deadline": FIRST_CONTACT, "due_at": DUE.isoformat(), "late": True, "levels": [0, 1]}
        ]

    def test_the_timeline_says_what_came_late(self, firm: Firm) -> None:
        with timezone.override("Asia/Shanghai"):
            said = {each.sentence: each.lines for each in entries_of(firm.called, EVENING)}
        assert said["Late: first contact was due today 14:00. Level 2, Wu Mei was told"] == [
            "First contact, due today 14:00: passed over level 0, 1"
        ]
        assert "The callback was missed: it was due today 15:00" in said

    def test_the_breach_has_its_true_time(self, firm: Firm) -> None:
        assert firm.forgotten.deadlines.get(kind=FIRST_CONTACT).breached_at == DUE
        assert firm.urgent.deadlines.get(kind=FIRST_CONTACT).breached_at == DOWN + 50 * MINUTE

    def test_the_wait_ended_when_it_should_have(self, firm: Firm) -> None:
        assert Wait.objects.get().ends_at == DUE + 90 * MINUTE
        firm.waiting.refresh_from_db()
        assert firm.waiting.status == "open"

    def test_a_missed_callback_is_announced_once_with_its_time(self, firm: Firm) -> None:
        event = firm.called.events.get(kind="callback_due")
        assert (event.data["due_at"], event.data["missed"]) == ((DUE + HOUR).isoformat(), True)
        line = DigestLine.objects.get(ticket=firm.called, kind="callback_due")
        assert (line.user, line.due_at) == (firm.cast.lina, DUE + HOUR)

    def test_a_callback_due_just_now_is_a_notice_of_its_own(self, firm: Firm) -> None:
        event = firm.late_callback.events.get(kind="callback_due")
        assert "missed" not in event.data
        assert Message.objects.get(kind="callback_due").about == f"ticket:{firm.late_callback.number}"

    def test_a_callback_of_a_ticket_that_left_work_was_cancelled_with_it(self, firm: Firm) -> None:
        assert not firm.done.events.filter(kind="callback_due").exists()
        assert firm.done.callbacks.get().state == "cancelled"
        assert firm.done.events.get(kind="resolved").data["callback_cancelled"] == "2026-03-02T15:00"

    def test_only_a_promised_call_is_told_in_the_evening(self, firm: Firm) -> None:
        assert set(digests()) == {"lina"}
        assert set(DigestLine.objects.filter(told_at=None).values_list("send_at", flat=True)) == {OPENS}
        assert due("digests", OPENS - MINUTE) == []

    def test_each_colleague_gets_one_digest_of_what_is_theirs(self, firm: Firm) -> None:
        work_off(OPENS)
        found = digests()
        assert {name: numbers(text) for name, text in found.items()} == {
            "lina": [firm.called.number],
            "wu": sorted([firm.forgotten.number, firm.called.number]),
            "bob": [firm.urgent.number],
        }
        assert "15:00" in found["lina"]
        assert "Europe/London" in found["bob"]
        assert "03:50" in found["bob"]
        locales = dict(Message.objects.filter(kind="digest").values_list("user__username", "locale"))
        assert locales == {"lina": "en", "wu": "zh-hans", "bob": "en"}

    def test_nothing_is_said_in_a_mail_of_its_own(self, firm: Firm) -> None:
        work_off(OPENS)
        assert not Message.objects.filter(kind="ticket_escalated").exists()
        assert not DigestLine.objects.filter(told_at=None).exists()

    def test_a_second_round_says_nothing_more(self, firm: Firm) -> None:
        before = (Message.objects.count(), TicketEvent.objects.count(), DigestLine.objects.count())
        work_off(EVENING + MINUTE)
        assert (Message.objects.count(), TicketEvent.objects.count(), DigestLine.objects.count()) == before


def numbers(text: str) -> list[str]:
    """The tickets whose lines a digest shows."""
    return sorted(re.findall(r"^- (R-\d+)", text, re.MULTILINE))


class TestThreeDays:
    """Back at 11:00 on Thursday: the resolutions were due at 10:00."""

    def test_both_deadlines_are_settled_and_the_highest_of_them_told(self, firm: Firm) -> None:
        work_off(THURSDAY)
        assert told(firm.forgotten) == [(FIRST_CONTACT, 2, "Wu Mei")]
        assert told(firm.heard) == [(RESOLUTION, 1, "Chen Hao")]
        event = firm.forgotten.events.get(kind="escalated")
        resolution = firm.forgotten.deadlines.get(kind=RESOLUTION)
        assert event.data["passed_over"] == [
            {"deadline": FIRST_CONTACT, "due_at": DUE.isoformat(), "late": True, "levels": [0, 1]},
            {
                "deadline": RESOLUTION,
                "due_at": (MONDAY + 3 * DAY).isoformat(),
                "late": True,
                "levels": [0, 1],
            },
        ]
        assert (resolution.breached_at, resolution.level) == (MONDAY + 3 * DAY, 1)

    def test_the_ladder_goes_on_punctually(self, firm: Firm) -> None:
        work_off(THURSDAY)
        work_off(THURSDAY + HOUR)
        assert told(firm.forgotten)[1:] == [(RESOLUTION, 2, "Wu Mei")]
        notices = Message.objects.filter(kind="ticket_escalated", about=f"ticket:{firm.forgotten.number}")
        assert [notice.user for notice in notices] == [firm.cast.wu]

    def test_everybody_gets_one_digest(self, firm: Firm) -> None:
        work_off(THURSDAY)
        found = digests()
        assert set(found) == {"lina", "chen", "wu", "bob"}
        assert numbers(found["chen"]) == sorted([firm.heard.number, firm.late_callback.number])
        assert numbers(found["lina"]) == sorted([firm.called.number, firm.late_callback.number])

    def test_the_customer_is_asked_again_as_promised(self, firm: Firm) -> None:
        work_off(THURSDAY + DAY)
        assert Resurvey.objects.get(ticket=firm.done).state == "asked"

    def test_an_inactive_survey_asks_nobody_again_and_says_so(self, firm: Firm) -> None:
        type(firm.cast.survey).objects.update(active=False)
        work_off(THURSDAY + DAY)
        resurvey = Resurvey.objects.get(ticket=firm.done)
        assert (resurvey.state, resurvey.outcome, resurvey.reason) == (
            "ended",
            "not_asked",
            "survey_inactive",
        )

    def test_a_resurvey_may_be_any_time_late(self, firm: Firm) -> None:
        work_off(THURSDAY + 90 * DAY)
        assert Resurvey.objects.get(ticket=firm.done).state == "asked"


class TestInvitations:
    @pytest.mark.parametrize(
        ("late", "state", "reason"),
        [
            (timedelta(), "sent", ""),
            (TOO_LATE, "sent", ""),
            (TOO_LATE + timedelta(seconds=1), "cancelled", INVITATION_TOO_LATE),
            (90 * DAY, "cancelled", INVITATION_TOO_LATE),
        ],
    )
    def test_one_more_than_a_week_late_is_not_sent(
        self, cast: Cast, late: timedelta, state: str, reason: str
    ) -> None:
        invitation = invite(cast.customer(), make_survey("after"), send_at=MONDAY, at=MONDAY - DAY)
        work_off(MONDAY + late)
        invitation.refresh_from_db()
        assert (invitation.state, invitation.reason) == (state, reason)
        assert Message.objects.filter(kind="invitation").count() == (state == "sent")

    def test_a_held_one_counts_from_when_it_may_go(self, cast: Cast) -> None:
        invitation = invite(
            cast.customer(), make_survey("after"), send_at=MONDAY - 30 * DAY, at=MONDAY - 30 * DAY
        )
        Invitation.objects.update(state=Invitation.HELD, send_at=MONDAY)
        work_off(MONDAY + 6 * DAY)
        invitation.refresh_from_db()
        assert invitation.state == "sent"


class TestOneTicket:
    def test_a_warning_whose_deadline_has_passed_is_never_told(self, cast: Cast) -> None:
        EscalationStep.objects.exclude(level=0).delete()
        row = Deadline.objects.get(ticket=cast.ticket(), kind=FIRST_CONTACT)
        climb(row.pk, at=DUE + HOUR)
        assert told(row.ticket) == []
        row.refresh_from_db()
        assert (row.level, row.breached_at, row.next_step_at) == (0, DUE, None)
        event = row.ticket.events.get(kind="breached")
        assert event.data["passed_over"][0]["levels"] == [0]

    def test_a_warning_still_of_use_is_told_although_it_is_late(self, cast: Cast) -> None:
        EscalationStep.objects.filter(level=0).update(minutes_after=-120)
        ticket = cast.ticket()
        Deadline.objects.filter(kind=FIRST_CONTACT).update(next_step_at=DUE - 2 * HOUR)
        work_off(DUE - HOUR)
        assert told(ticket) == [(FIRST_CONTACT, 0, ticket.owner.get_full_name())]
        [text] = digests().values()
        assert "Deadlines due soon" in text
        assert f"{ticket.number}, Zhang Wei: first contact by Mon 2 Mar 14:00" in text

    def test_a_notice_that_could_not_be_sent_hides_no_higher_level(self, cast: Cast) -> None:
        ticket = cast.ticket()
        for at in (DUE - 30 * MINUTE, DUE):
            work_off(at)
        Message.objects.filter(kind="ticket_escalated").update(state=Message.DEAD)
        work_off(DUE + 2 * HOUR)
        assert [level for _kind, level, _name in told(ticket)] == [0, 1, 2]
        last = Message.objects.filter(kind="ticket_escalated").latest("id")
        assert (last.user, last.state) == (cast.wu, "queued")

    def test_of_two_due_deadlines_a_punctual_one_tells_only_its_own(self, cast: Cast) -> None:
        ticket = cast.ticket()
        Deadline.objects.filter(kind=RESOLUTION).update(due_at=DUE, next_step_at=DUE - 30 * MINUTE)
        work_off(DUE - 30 * MINUTE)
        assert sorted(told(ticket))[0][:2] == (FIRST_CONTACT, 0)
        assert len(told(ticket)) == 2
        assert Message.objects.filter(kind="ticket_escalated").count() == 2
        assert not DigestLine.objects.exists()
        assert not any("passed_over" in event.data for event in ticket.events.filter(kind="escalated"))

    def test_of_equal_levels_the_deadline_that_was_due_first_is_told(self, cast: Cast) -> None:
        ticket = cast.ticket()
        work_off(MONDAY + 30 * DAY)
        assert told(ticket) == [(FIRST_CONTACT, 2, "Wu Mei")]
        assert set(ticket.deadlines.values_list("level", "next_step_at")) == {(2, None)}
        assert ticket.deadlines.exclude(breached_at=None).count() == 2

    def test_two_breaches_without_a_ladder_are_one_event(self, cast: Cast) -> None:
        EscalationStep.objects.all().delete()
        ticket = cast.ticket()
        work_off(MONDAY + 30 * DAY)
        event = ticket.events.get(kind="breached")
        assert event.data["deadline"] == FIRST_CONTACT
        assert [(each["deadline"], each["levels"]) for each in event.data["passed_over"]] == [
            (RESOLUTION, [])
        ]

    def test_a_row_that_runs_first_though_it_is_punctual_speaks_for_the_late_one_too(
        self, cast: Cast
    ) -> None:
        """Two workers: the one with the deadline just due must not tell a step of its own."""
        ticket = cast.ticket()
        Deadline.objects.filter(kind=RESOLUTION).update(
            due_at=DUE + 3 * HOUR, next_step_at=DUE + 150 * MINUTE
        )
        row = ticket.deadlines.get(kind=RESOLUTION)
        climb(row.pk, at=DUE + 150 * MINUTE)
        assert told(ticket) == [(FIRST_CONTACT, 2, "Wu Mei")]
        assert due("deadlines", DUE + 150 * MINUTE) == []

    @pytest.mark.parametrize(
        ("opened", "due_at", "second"),
        [
            # Both nights of 2026 whose clocks change in Berlin; the calendar there is open round the clock.
            ("2026-03-29T00:30:00+00:00", "2026-03-29T01:30:00+00:00", "2026-03-29T03:30:00+00:00"),
            ("2026-10-25T00:30:00+00:00", "2026-10-25T01:30:00+00:00", "2026-10-25T03:30:00+00:00"),
        ],
    )
    def test_the_night_the_clocks_change_is_caught_up_like_any_other(
        self, cast: Cast, opened: str, due_at: str, second: str
    ) -> None:
        cast.west.calendar = round_the_clock("Europe/Berlin")
        cast.west.save()
        ticket = cast.ticket(team=cast.west, priority=1, at=datetime.fromisoformat(opened))
        row = ticket.deadlines.get(kind=FIRST_CONTACT)
        assert row.due_at == datetime.fromisoformat(due_at)
        at = datetime.fromisoformat(second) - MINUTE
        work_off(at)
        assert told(ticket) == [(FIRST_CONTACT, 1, "Bob Jones")]
        row.refresh_from_db()
        assert (row.breached_at, row.next_step_at) == (row.due_at, datetime.fromisoformat(second))
        work_off(at + MINUTE)
        assert [level for _kind, level, _name in told(ticket)] == [1, 2]


def round_the_clock(time_zone: str) -> Calendar:
    return make_calendar("Always", time_zone, days=list(range(7)), opens=time(0), closes=time(0))
