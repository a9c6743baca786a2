from datetime import UTC, datetime, timedelta

import pytest

from recovery.lifecycle import Refused
from recovery.models import Deadline, Leave, Membership, Ticket, TicketEvent
from recovery.triage import triage
from surveys.models import Message
from tests.make import HOUR, MONDAY, Cast


def test_it_has_an_owner_a_team_two_deadlines_and_one_event_from_the_first_moment(cast: Cast) -> None:
    response = cast.response(2, customer=cast.customer())
    ticket = triage(response.pk, at=MONDAY)
    assert ticket is not None
    assert (ticket.owner, ticket.team, ticket.status) == (cast.lina, cast.east, "new")
    assert [event.kind for event in ticket.events.all()] == ["opened"]
    rows = {row.kind: row for row in ticket.deadlines.all()}
    assert rows["first_contact"].due_at == MONDAY + 4 * HOUR
    assert rows["resolution"].due_at == datetime(2026, 3, 5, 2, 0, tzinfo=UTC)
    assert all(sum(line["minutes"] for line in row.ledger) == row.minutes for row in rows.values())


def test_it_tells_the_owner_once_and_why(cast: Cast) -> None:
    ticket = cast.ticket()
    notice = Message.objects.get(kind="ticket_assigned")
    assert notice.user == cast.lina
    assert ticket.number in notice.subject
    assert "fewest open tickets in East" in notice.text
    assert "Nobody called." in notice.text
    assert "Mon 2 Mar 14:00 (Asia/Shanghai)" in notice.text


def test_it_goes_to_the_supervisor_when_everybody_is_away(cast: Cast) -> None:
    for user in (cast.lina, cast.majun):
        Leave.objects.create(user=user, starts_at=MONDAY - HOUR, ends_at=MONDAY + HOUR)
    ticket = cast.ticket()
    assert ticket.owner == cast.chen
    assert ticket.assigned_because["code"] == "supervisor"


def test_it_fills_members_evenly_up_to_their_capacity_and_then_the_supervisor(cast: Cast) -> None:
    Membership.objects.update(capacity=2)
    owners = [cast.ticket().owner.username for _n in range(5)]
    assert owners == ["lina", "majun", "lina", "majun", "chen"]


def test_it_opens_for_an_unknown_customer(cast: Cast) -> None:
    response = cast.response(0, customer=None)
    ticket = triage(response.pk, at=MONDAY)
    assert ticket is not None
    assert ticket.customer_name == "unknown customer"


@pytest.mark.parametrize(("score", "opens"), [(6, True), (7, False), (8, False), (10, False), (0, True)])
def test_it_opens_for_low_scores_only(cast: Cast, score: int, opens: bool) -> None:
    response = cast.response(score, customer=cast.customer())
    assert (triage(response.pk, at=MONDAY) is not None) == opens
    response.refresh_from_db()
    assert response.triaged_at == MONDAY


def test_it_does_nothing_the_second_time(cast: Cast) -> None:
    response = cast.response(2, customer=cast.customer())
    first, second = triage(response.pk, at=MONDAY), triage(response.pk, at=MONDAY + HOUR)
    assert first == second
    assert TicketEvent.objects.count() == 1


def test_a_repeat_low_score_joins_the_open_ticket_and_raises_it(cast: Cast) -> None:
    customer = cast.customer()
    ticket = cast.ticket(customer=customer)
    again = cast.response(1, customer=customer, at=MONDAY + HOUR, comment="Still nobody.")
    joined = triage(again.pk, at=MONDAY + HOUR)
    assert joined == ticket
    assert Ticket.objects.count() == 1
    joined.refresh_from_db()
    assert joined.priority == 2
    absorbed = joined.events.get(kind="absorbed")
    assert absorbed.text == "Still nobody."
    assert {row["kind"] for row in absorbed.data["deadlines"]} == {"first_contact", "resolution"}
    first_contact = Deadline.objects.get(ticket=ticket, kind="first_contact")
    assert first_contact.due_at == MONDAY + timedelta(hours=2)
    assert Message.objects.filter(kind="ticket_absorbed", user=cast.lina).count() == 1


def test_a_repeat_low_score_never_raises_above_urgent(cast: Cast) -> None:
    customer = cast.customer()
    cast.ticket(customer=customer, priority=1)
    joined = triage(cast.response(1, customer=customer, at=MONDAY + HOUR).pk, at=MONDAY + HOUR)
    assert joined is not None
    assert joined.priority == 1


def test_another_line_is_another_ticket(cast: Cast) -> None:
    from tests.surveys.make import make_survey

    customer = cast.customer()
    cast.ticket(customer=customer)
    other = cast.response(1, survey=make_survey("support"), customer=customer)
    triage(other.pk, at=MONDAY)
    assert Ticket.objects.count() == 2


def test_a_policy_without_targets_refuses_rather_than_opening_without_deadlines(cast: Cast) -> None:
    cast.policy.targets.all().delete()
    response = cast.response(2, customer=cast.customer())
    with pytest.raises(Refused, match="no targets"):
        triage(response.pk, at=MONDAY)
    response.refresh_from_db()
    assert response.triaged_at is None
    assert not Ticket.objects.exists()
