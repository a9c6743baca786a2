from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User

from recovery.lifecycle import Refused, climb, escalate, log_contact, start_waiting
from recovery.models import Deadline, Escalation, EscalationStep, Leave, Ticket
from surveys.models import Message
from tests.due import kind
from tests.make import DAY, HOUR, MINUTE, MONDAY, Cast

DUE = MONDAY + 4 * HOUR


@pytest.fixture
def row(cast: Cast) -> Deadline:
    return Deadline.objects.get(ticket=cast.ticket(), kind="first_contact")


def told(ticket: Ticket) -> list[tuple[int, str]]:
    return list(Escalation.objects.filter(ticket=ticket).values_list("level", "recipient_name"))


@pytest.mark.parametrize(
    ("at", "due"),
    [(DUE - 31 * MINUTE, False), (DUE - 30 * MINUTE, True), (DUE, True)],
)
def test_the_sweep_finds_it_when_its_first_step_is_due(row: Deadline, at: datetime, due: bool) -> None:
    assert (row.pk in kind("deadlines").ids(at)) == due


def test_each_level_is_told_once_to_the_right_person(cast: Cast, row: Deadline) -> None:
    for at in (DUE - 30 * MINUTE, DUE, DUE + 2 * HOUR):
        assert kind("deadlines").ids(at) == [row.pk]
        climb(row.pk, at=at)
        assert kind("deadlines").ids(at) == []
        with pytest.raises(Refused):
            climb(row.pk, at=at)
    assert told(row.ticket) == [(0, "Li Na"), (1, "Chen Hao"), (2, "Wu Mei")]
    assert [event.data["level"] for event in row.ticket.events.filter(kind="escalated")] == [0, 1, 2]
    notices = Message.objects.filter(kind="ticket_escalated").order_by("id")
    assert [notice.user.username for notice in notices if notice.user] == ["lina", "chen", "wu"]
    assert "first contact is due soon" in notices[0].subject
    assert "first contact is late (level 1)" in notices[1].subject
    assert "because you supervise East" in notices[1].text


def test_a_passed_deadline_is_breached_at_its_own_time(cast: Cast, row: Deadline) -> None:
    climb(row.pk, at=DUE + 5 * MINUTE)
    row.refresh_from_db()
    assert row.breached_at == DUE
    row.ticket.refresh_from_db()
    assert row.ticket.escalation_level == 1


def test_after_an_outage_only_the_highest_due_level_is_told(cast: Cast, row: Deadline) -> None:
    climb(row.pk, at=MONDAY + 5 * DAY)
    assert told(row.ticket) == [(2, "Wu Mei")]
    row.refresh_from_db()
    assert row.next_step_at is None


def test_a_breach_is_recorded_where_the_policy_tells_nobody(cast: Cast, row: Deadline) -> None:
    EscalationStep.objects.all().delete()
    Deadline.objects.update(next_step_at=DUE)
    climb(row.pk, at=DUE)
    assert row.ticket.events.get(kind="breached").data["late"] is True
    assert told(row.ticket) == []


def test_the_warning_counts_working_time(cast: Cast) -> None:
    """Due on Tuesday at 9:15: half an hour of work before is Monday 16:45."""
    opened = datetime(2026, 3, 2, 5, 15, tzinfo=UTC)
    row = Deadline.objects.get(ticket=cast.ticket(at=opened), kind="first_contact")
    assert row.due_at == datetime(2026, 3, 3, 1, 15, tzinfo=UTC)
    assert row.next_step_at == datetime(2026, 3, 2, 8, 45, tzinfo=UTC)


@pytest.mark.parametrize("act", ["contact", "wait"])
def test_nobody_is_told_when_the_clock_no_longer_runs(cast: Cast, row: Deadline, act: str) -> None:
    ticket = Ticket.objects.get(pk=row.ticket_id)
    if act == "contact":
        log_contact(ticket, by=cast.lina, at=MONDAY, outcome="reached")
    else:
        start_waiting(ticket, by=cast.lina, at=MONDAY, reason="Receipt")
    assert row.pk not in kind("deadlines").ids(MONDAY + DAY)
    with pytest.raises(Refused):
        climb(row.pk, at=MONDAY + DAY)
    assert told(row.ticket) == []


def test_the_manager_of_a_team_without_one_is_its_supervisor(cast: Cast) -> None:
    row = Deadline.objects.get(ticket=cast.ticket(team=cast.west), kind="first_contact")
    climb(row.pk, at=MONDAY + 5 * DAY)
    assert told(row.ticket) == [(2, "Bob Jones")]


def test_an_agent_can_ask_for_help_with_words(cast: Cast) -> None:
    ticket = escalate(cast.ticket(), by=cast.lina, at=MONDAY, reason="They want a refund above my limit")
    assert told(ticket) == [(1, "Chen Hao")]
    assert ticket.events.get(kind="escalated").text == "They want a refund above my limit"
    assert "Li Na asks for help" in Message.objects.get(kind="ticket_escalated").subject


def test_a_supervisor_asks_the_one_above(cast: Cast) -> None:
    assert told(escalate(cast.ticket(), by=cast.chen, at=MONDAY, reason="Beyond me")) == [(1, "Wu Mei")]


def test_it_refuses_to_ask_without_words(cast: Cast) -> None:
    with pytest.raises(Refused, match="what help"):
        escalate(cast.ticket(), by=cast.lina, at=MONDAY, reason=" ")


def test_an_id_that_is_gone_does_nothing(cast: Cast) -> None:
    assert climb(4711, at=MONDAY) is False


def test_a_step_after_the_deadline_waits_for_working_time(cast: Cast) -> None:
    """Due Monday 14:00; two hours of work later is 16:00; four would be Tuesday 10:00."""
    EscalationStep.objects.filter(level=2).update(minutes_after=240)
    row = Deadline.objects.get(ticket=cast.ticket(), kind="first_contact")
    climb(row.pk, at=DUE)
    row.refresh_from_db()
    assert row.next_step_at == DUE + timedelta(hours=20)


def test_a_step_that_was_taken_away_is_not_told_as_a_breach(cast: Cast, row: Deadline) -> None:
    EscalationStep.objects.filter(level=0).delete()
    assert climb(row.pk, at=DUE - 30 * MINUTE) is False
    assert [event.kind for event in row.ticket.events.all()] == ["opened"]
    assert kind("deadlines").ids(DUE - MINUTE) == []
    assert climb(row.pk, at=DUE)


def test_a_policy_that_tells_nobody_says_so_once(cast: Cast, row: Deadline) -> None:
    EscalationStep.objects.all().delete()
    climb(row.pk, at=DUE)
    assert kind("deadlines").ids(DUE + DAY) == []
    assert row.ticket.events.filter(kind="breached").count() == 1


@pytest.mark.parametrize("why", ["away", "left"])
def test_the_next_above_is_told_where_the_supervisor_is_not_there(
    cast: Cast, row: Deadline, why: str
) -> None:
    gone(cast.chen, why)
    Deadline.objects.update(level=0, next_step_at=DUE)  # its owner was warned
    climb(row.pk, at=DUE)
    assert told(row.ticket) == [(1, "Wu Mei")]
    assert Message.objects.get(kind="ticket_escalated").user == cast.wu


@pytest.mark.parametrize("why", ["away", "left"])
def test_the_supervisor_is_warned_where_the_owner_is_not_there(cast: Cast, row: Deadline, why: str) -> None:
    gone(cast.lina, why)
    climb(row.pk, at=DUE - 30 * MINUTE)
    assert told(row.ticket) == [(0, "Chen Hao")]
    notice = Message.objects.get(kind="ticket_escalated")
    assert (notice.user, "because you own" in notice.text) == (cast.chen, False)


def gone(user: User, why: str) -> None:
    if why == "away":
        Leave.objects.create(user=user, starts_at=MONDAY, ends_at=MONDAY + DAY)
    else:
        User.objects.filter(pk=user.pk).update(is_active=False)


def test_help_is_asked_of_whoever_is_there(cast: Cast) -> None:
    gone(cast.chen, "away")
    assert told(escalate(cast.ticket(), by=cast.lina, at=MONDAY, reason="A refund")) == [(1, "Wu Mei")]


def test_it_refuses_where_nobody_is_above(cast: Cast) -> None:
    ticket = cast.ticket(team=cast.west)
    with pytest.raises(Refused, match="Nobody is above you"):
        escalate(ticket, by=cast.bob, at=MONDAY, reason="Beyond me")
    assert told(ticket) == []


def test_where_the_policy_tells_nobody_the_breach_itself_is_looked_for(cast: Cast) -> None:
    EscalationStep.objects.all().delete()
    row = Deadline.objects.get(ticket=cast.ticket(), kind="first_contact")
    assert kind("deadlines").ids(DUE - MINUTE) == []
    assert kind("deadlines").ids(DUE) == [row.pk]


def test_a_step_of_the_other_deadline_is_not_this_ones(cast: Cast, row: Deadline) -> None:
    EscalationStep.objects.filter(kind="first_contact").delete()
    climb(row.pk, at=DUE)
    assert told(row.ticket) == []
    assert row.ticket.events.get(kind="breached").data["deadline"] == "first_contact"


def test_a_breach_is_not_said_again_when_the_next_step_was_taken_away(cast: Cast, row: Deadline) -> None:
    climb(row.pk, at=DUE)
    EscalationStep.objects.filter(level=2).delete()
    assert climb(row.pk, at=DUE + 2 * HOUR) is False
    assert [event.kind for event in row.ticket.events.all()] == ["opened", "escalated"]


def test_the_ticket_keeps_the_highest_level_of_both_deadlines(cast: Cast, row: Deadline) -> None:
    climb(row.pk, at=DUE + 2 * HOUR)
    resolution = Deadline.objects.get(kind="resolution")
    assert resolution.due_at is not None
    climb(resolution.pk, at=resolution.due_at - 30 * MINUTE)
    assert [level for level, _name in told(row.ticket)] == [2, 0]
    row.ticket.refresh_from_db()
    assert row.ticket.escalation_level == 2


def test_asking_again_is_a_level_higher(cast: Cast) -> None:
    ticket = escalate(cast.ticket(), by=cast.lina, at=MONDAY, reason="A refund")
    assert told(escalate(ticket, by=cast.lina, at=MONDAY, reason="Still")) == [
        (1, "Chen Hao"),
        (2, "Chen Hao"),
    ]
    assert Message.objects.filter(kind="ticket_escalated", user=cast.chen).count() == 2
