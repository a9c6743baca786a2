"""Whom a step tells and what it does: covers, teams, a hand-over, a higher priority; each once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from dispatch import engine
from recovery.lifecycle import extend, start_waiting
from recovery.models import Deadline, DigestLine, Escalation, EscalationStep, Leave, Membership, Ticket
from recovery.models.policy import FIRST_CONTACT, RESOLUTION
from recovery.views.timeline import entries_of
from surveys.models import Message
from tests.due import due, fail
from tests.make import DAY, HOUR, MINUTE, MONDAY, Cast, join, make_user

DUE = MONDAY + 4 * HOUR


def ladder(cast: Cast, *steps: dict[str, Any], kind: str = FIRST_CONTACT) -> None:
    """These steps and no other, at the levels from 0 on; each at its deadline where it says nothing else."""
    EscalationStep.objects.filter(kind=kind).delete()
    for level, fields in enumerate(steps):
        values = {"recipient": "owner", "policy": cast.policy, "kind": kind, "level": level, **fields}
        EscalationStep.objects.create(**values)


def opened(cast: Cast, **fields: Any) -> Ticket:
    """A ticket of Li Na's, by the ladder as it is now."""
    ticket = cast.ticket(**fields)
    Ticket.objects.filter(pk=ticket.pk).update(owner=cast.lina)
    ticket.refresh_from_db()
    return ticket


def work_off(at: datetime) -> None:
    engine.drain(lambda: at, holder="test", names=["deadlines", "digests"], on_error=fail)


def told(ticket: Ticket) -> list[tuple[int, str]]:
    return list(Escalation.objects.filter(ticket=ticket).values_list("level", "recipient_name"))


def away(user: User, cover: User | None = None) -> None:
    Leave.objects.create(user=user, starts_at=MONDAY - DAY, ends_at=MONDAY + DAY, cover=cover)


def notice_of(user: User) -> Message:
    return Message.objects.get(kind="ticket_escalated", user=user)


class TestLevels:
    def test_several_warn_before_the_deadline_and_several_tell_after_it(self, cast: Cast) -> None:
        ladder(cast, {"share": 50}, {"share": 75}, {"minutes_after": -15}, {}, {"share": 150})
        ticket = opened(cast)
        for hours in (2, 3, 3.75, 4, 6):
            at = MONDAY + hours * HOUR
            assert due("deadlines", at - MINUTE) == []
            work_off(at)
        assert told(ticket) == [(level, "Li Na") for level in range(5)]
        notices = Message.objects.filter(kind="ticket_escalated").order_by("id")
        subjects = list(notices.values_list("subject", flat=True))
        assert [("soon" in subject, "late" in subject) for subject in subjects] == [
            (True, False),
            (True, False),
            (True, False),
            (False, True),
            (False, True),
        ]

    def test_once_it_has_passed_every_warning_is_dropped_whatever_its_level(self, cast: Cast) -> None:
        ladder(cast, {"share": 50}, {"share": 75}, {"minutes_after": -15})
        ticket = opened(cast)
        work_off(DUE + MINUTE)
        assert told(ticket) == []
        assert ticket.events.get(kind="breached").data["passed_over"][0]["levels"] == [0, 1, 2]

    def test_a_passed_deadline_is_told_before_a_warning_of_a_higher_level(self, cast: Cast) -> None:
        ladder(cast, {"recipient": "supervisor"})
        ladder(cast, {"share": 10}, {"share": 20, "recipient": "manager"}, kind=RESOLUTION)
        ticket = opened(cast)
        work_off(DUE + HOUR)  # both were due for an hour
        assert told(ticket) == [(0, "Chen Hao")]
        assert ticket.events.get(kind="escalated").data["passed_over"] == [
            {
                "deadline": RESOLUTION,
                "due_at": (MONDAY + 3 * DAY).isoformat(),
                "late": False,
                "levels": [0, 1],
            }
        ]


class TestRecipients:
    def test_who_covers_is_told_instead_of_the_owner_and_why(self, cast: Cast) -> None:
        ladder(cast, {"share": 75})
        ticket = opened(cast)
        away(cast.lina, cover=cast.majun)
        work_off(MONDAY + 3 * HOUR)
        assert told(ticket) == [(0, "Ma Jun")]
        assert "You get this because you stand in for Li Na." in notice_of(cast.majun).text
        assert ticket.events.get(kind="escalated").data["recipient"] == "cover"

    def test_a_cover_who_is_away_is_covered_too_and_a_circle_ends_at_the_supervisor(self, cast: Cast) -> None:
        ladder(cast, {"share": 75})
        ticket = opened(cast)
        away(cast.lina, cover=cast.majun)
        away(cast.majun, cover=cast.lina)
        work_off(MONDAY + 3 * HOUR)
        assert told(ticket) == [(0, "Chen Hao")]
        assert "because you supervise East" in notice_of(cast.chen).text

    def test_a_step_for_the_cover_tells_the_supervisor_while_the_owner_is_there(self, cast: Cast) -> None:
        ladder(cast, {"recipient": "cover"})
        ticket = opened(cast)
        work_off(DUE)
        assert told(ticket) == [(0, "Chen Hao")]

    def test_a_step_for_the_cover_tells_who_covers(self, cast: Cast) -> None:
        ladder(cast, {"recipient": "cover"})
        ticket = opened(cast)
        away(cast.lina, cover=cast.majun)
        work_off(DUE)
        assert told(ticket) == [(0, "Ma Jun")]

    def test_who_covers_for_the_supervisor_is_told_as_that(self, cast: Cast) -> None:
        ladder(cast, {"recipient": "supervisor"})
        ticket = opened(cast)
        away(cast.chen, cover=cast.majun)
        work_off(DUE)
        assert told(ticket) == [(0, "Ma Jun")]
        assert "because you stand in for Chen Hao" in notice_of(cast.majun).text

    def test_everybody_in_the_team_who_is_there_is_told_once(self, cast: Cast) -> None:
        ladder(cast, {"recipient": "team"})
        ticket = opened(cast)
        gone = make_user("gone")
        reader = make_user("reader", "analyst")
        for user in (gone, reader, make_user("new")):
            join(cast.east, user)
        away(gone)
        work_off(DUE)
        assert told(ticket) == [(0, "Li Na"), (0, "Ma Jun"), (0, "New")]
        notices = Message.objects.filter(kind="ticket_escalated")
        assert {notice.user.username for notice in notices if notice.user} == {"lina", "majun", "new"}
        assert all("because everybody in East does" in notice.text for notice in notices)
        event = ticket.events.get(kind="escalated")
        assert (event.data["to"], event.data["people"]) == ("East", ["Li Na", "Ma Jun", "New"])

    def test_another_team_may_be_named(self, cast: Cast) -> None:
        ladder(cast, {"recipient": "team", "team": cast.west})
        ticket = opened(cast)
        work_off(DUE)
        assert told(ticket) == [(0, "Ann Smith")]

    def test_where_nobody_of_the_team_is_there_its_supervisor_is_told(self, cast: Cast) -> None:
        ladder(cast, {"recipient": "team", "team": cast.west})
        ticket = opened(cast)
        away(cast.ann)
        work_off(DUE)
        assert told(ticket) == [(0, "Bob Jones")]


class TestHandingOver:
    def test_it_is_theirs_in_the_same_event(self, cast: Cast) -> None:
        ladder(cast, {"recipient": "supervisor", "action": "reassign"})
        ticket = opened(cast)
        work_off(DUE)
        ticket.refresh_from_db()
        assert (ticket.owner, ticket.assigned_because["code"]) == (cast.chen, "escalated")
        assert [event.kind for event in ticket.events.all()] == ["opened", "escalated"]
        event = ticket.events.get(kind="escalated")
        assert event.data["handed"] == {"from": "Li Na", "to": "Chen Hao"}
        assert "It was handed over from Li Na to Chen Hao." in notice_of(cast.chen).text
        assert not Message.objects.filter(kind="ticket_assigned", user=cast.chen).exists()
        with timezone.override("Asia/Shanghai"):
            assert "Handed over from Li Na to Chen Hao" in entries_of(ticket, DUE)[0].lines

    def test_whose_it_was_is_told_that_it_was_handed_on(self, cast: Cast) -> None:
        ladder(cast, {"recipient": "supervisor", "action": "reassign"})
        ticket = opened(cast)
        work_off(DUE)
        text = notice_of(cast.lina).text
        assert "It was handed over from Li Na to Chen Hao." in text
        assert "You get this because the ticket was yours until now." in text
        assert told(ticket) == [(0, "Chen Hao")]

    def test_whose_it_was_hears_of_it_after_their_leave(self, cast: Cast) -> None:
        ladder(cast, {"recipient": "cover", "action": "reassign"})
        opened(cast)
        away(cast.lina, cover=cast.majun)
        work_off(DUE)
        line = DigestLine.objects.get(user=cast.lina, kind="ticket_escalated")
        assert (line.facts["recipient"], line.send_at) == ("before", MONDAY + DAY)

    def test_a_supervisor_has_no_limit(self, cast: Cast) -> None:
        ladder(cast, {"recipient": "supervisor", "action": "reassign"})
        tickets = [opened(cast) for _each in range(3)]
        Membership.objects.update(capacity=1)
        work_off(DUE)
        assert set(
            Ticket.objects.filter(pk__in=[each.pk for each in tickets]).values_list("owner", flat=True)
        ) == {cast.chen.pk}

    def test_who_has_no_room_is_told_and_gets_nothing(self, cast: Cast) -> None:
        ladder(cast, {"recipient": "cover", "action": "reassign"})
        ticket = opened(cast)
        other = cast.ticket()
        Ticket.objects.filter(pk=other.pk).update(owner=cast.majun)
        Membership.objects.filter(user=cast.majun).update(capacity=1)
        Deadline.objects.filter(ticket=other).update(next_step_at=None)
        away(cast.lina, cover=cast.majun)
        work_off(DUE)
        ticket.refresh_from_db()
        assert (ticket.owner, told(ticket)) == (cast.lina, [(0, "Ma Jun")])
        assert ticket.events.get(kind="escalated").data["kept"] == "owner_full"
        with timezone.override("Asia/Shanghai"):
            assert "It was not handed over: Ma Jun has no room" in entries_of(ticket, DUE)[0].lines

    def test_with_room_it_is_handed_to_the_cover(self, cast: Cast) -> None:
        ladder(cast, {"recipient": "cover", "action": "reassign"})
        ticket = opened(cast)
        away(cast.lina, cover=cast.majun)
        work_off(DUE)
        ticket.refresh_from_db()
        assert ticket.owner == cast.majun

    def test_whose_it_is_already_keeps_it(self, cast: Cast) -> None:
        ladder(cast, {"recipient": "supervisor", "action": "reassign"})
        ticket = opened(cast)
        Ticket.objects.filter(pk=ticket.pk).update(owner=cast.chen)
        work_off(DUE)
        assert ticket.events.get(kind="escalated").data["kept"] == "owner_unchanged"


class TestRaising:
    @pytest.fixture
    def raising(self, cast: Cast) -> Ticket:
        """P3, four hours; raised once half of them are used, told at the deadline."""
        ladder(cast, {"share": 50, "action": "raise"}, {"recipient": "supervisor"})
        return opened(cast)

    def test_one_event_says_the_level_the_priorities_and_the_new_due_times(
        self, cast: Cast, raising: Ticket
    ) -> None:
        EscalationStep.objects.filter(kind=FIRST_CONTACT, level=0).update(share=25)
        Deadline.objects.filter(kind=FIRST_CONTACT).update(next_step_at=MONDAY + HOUR)
        work_off(MONDAY + HOUR)
        raising.refresh_from_db()
        assert raising.priority == 2
        event = raising.events.get(kind="escalated")
        assert event.data["raised"] == {"from": 3, "to": 2}
        [first, _resolution] = event.data["deadlines"]
        assert (first["from"], first["to"]) == (DUE.isoformat(), (MONDAY + 2 * HOUR).isoformat())
        assert "Its priority was raised from P3 to P2" in notice_of(cast.lina).text
        assert [each.kind for each in raising.events.all()] == ["opened", "escalated"]
        with timezone.override("Asia/Shanghai"):
            assert "Priority P3 became P2" in entries_of(raising, MONDAY + HOUR)[0].lines

    @pytest.mark.parametrize("share", [25, 50])
    def test_it_is_raised_once_and_the_ladder_goes_on(self, cast: Cast, share: int) -> None:
        """At half of four hours two are used: those of P2 are over, and its half long past. At a quarter one
        is left, and the quarter of two hours is past as well."""
        ladder(cast, {"share": share, "action": "raise"}, {"recipient": "supervisor"})
        ticket = opened(cast)
        for minutes in range(0, 600, 5):
            work_off(MONDAY + minutes * MINUTE)
        ticket.refresh_from_db()
        assert ticket.priority == 2
        assert told(ticket) == [(0, "Li Na"), (1, "Chen Hao")]
        assert ticket.deadlines.get(kind=FIRST_CONTACT).breached_at == MONDAY + 2 * HOUR
        assert not DigestLine.objects.exists(), "what was moved to the past is not told as late"

    def test_two_ladders_that_raise_do_so_once_each(self, cast: Cast, raising: Ticket) -> None:
        ladder(cast, {"share": 10, "action": "raise"}, kind=RESOLUTION)
        ticket = opened(cast)
        for minutes in range(0, 300, 5):
            work_off(MONDAY + minutes * MINUTE)
        ticket.refresh_from_db()
        assert ticket.priority == 1
        raised = [event.data["raised"] for event in ticket.events.all() if "raised" in event.data]
        assert raised == [{"from": 3, "to": 2}, {"from": 2, "to": 1}]

    def test_the_highest_priority_stays_and_the_step_is_told(self, cast: Cast, raising: Ticket) -> None:
        ticket = opened(cast, priority=1)
        before = list(ticket.deadlines.values_list("due_at", "round"))
        work_off(MONDAY + 30 * MINUTE)
        ticket.refresh_from_db()
        assert (ticket.priority, told(ticket)) == (1, [(0, "Li Na")])
        event = ticket.events.get(kind="escalated")
        assert not {"raised", "deadlines"} & set(event.data)
        assert list(ticket.deadlines.values_list("due_at", "round")) == before

    def test_a_deadline_that_nears_anew_raises_no_second_time(self, cast: Cast, raising: Ticket) -> None:
        work_off(MONDAY + 2 * HOUR)
        raising.refresh_from_db()
        extend(raising, by=cast.chen, at=MONDAY + 2 * HOUR, minutes=240, reason="Parts", kind=FIRST_CONTACT)
        work_off(MONDAY + 3 * HOUR)
        raising.refresh_from_db()
        assert raising.priority == 2
        assert told(raising)[:2] == [(0, "Li Na"), (0, "Li Na")]


class TestNearingAnew:
    def test_each_level_may_be_told_again_once_the_due_time_moved(self, cast: Cast) -> None:
        ladder(cast, {"share": 50}, {"share": 75}, {"recipient": "supervisor"})
        ticket = opened(cast)
        for hours in (2, 3):
            work_off(MONDAY + hours * HOUR)
        ticket.refresh_from_db()
        extend(ticket, by=cast.chen, at=MONDAY + 3 * HOUR, minutes=240, reason="Parts", kind=FIRST_CONTACT)
        for hours in (
            4,
            6,
            25,
        ):  # eight hours: half is used at 14:00, three quarters at 16:00, all on Tuesday
            work_off(MONDAY + hours * HOUR)
        rows = Escalation.objects.filter(ticket=ticket, deadline__kind=FIRST_CONTACT)
        assert list(rows.values_list("round", "level")) == [(1, 0), (1, 1), (2, 0), (2, 1), (2, 2)]

    def test_what_was_waited_moves_every_level(self, cast: Cast) -> None:
        ladder(cast, {"share": 50}, {"share": 75})
        ticket = opened(cast)
        start_waiting(ticket, by=cast.lina, at=MONDAY + HOUR, reason="Receipt", until=MONDAY + 3 * HOUR)
        engine.drain(lambda: MONDAY + 3 * HOUR, holder="test", names=["waits"], on_error=fail)
        row = ticket.deadlines.get(kind=FIRST_CONTACT)
        assert row.next_step_at == MONDAY + 4 * HOUR


class TestWords:
    @pytest.mark.parametrize(
        ("step", "says"),
        [
            ({"share": 75}, "Level 0 of the policy “Standard”, when 75 % of the time allowed is used."),
            (
                {"minutes_after": -30},
                "Level 0 of the policy “Standard”, 30 working minutes before the deadline.",
            ),
            ({}, "Level 0 of the policy “Standard”, at the deadline."),
            (
                {"minutes_after": 45},
                "Level 0 of the policy “Standard”, 45 working minutes after the deadline.",
            ),
        ],
    )
    def test_a_notice_names_its_step_and_policy(self, cast: Cast, step: dict[str, Any], says: str) -> None:
        ladder(cast, step)
        opened(cast)
        for at in (MONDAY + 3 * HOUR, DUE - 30 * MINUTE, DUE, DUE + 45 * MINUTE):
            work_off(at)
        text = notice_of(cast.lina).text
        assert says in text
        assert "You get this because you own the ticket." in text

    def test_every_notice_names_the_rule_and_the_policy(self, cast: Cast) -> None:
        cast.ticket()
        assert "Policy “Standard”" in Message.objects.get(kind="ticket_assigned").text
