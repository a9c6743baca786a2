"""A nudge: the supervisor's words to the owner, at most one an hour; and taking a ticket over."""

import pytest

from recovery import lifecycle
from recovery.lifecycle import Refused
from recovery.models import Leave, Ticket
from surveys.models import Message
from tests.make import DAY, HOUR, MINUTE, MONDAY, Cast


@pytest.fixture
def ticket(cast: Cast) -> Ticket:
    made = cast.ticket()
    Ticket.objects.filter(pk=made.pk).update(owner=cast.lina)
    return Ticket.objects.get(pk=made.pk)


def code(ticket: Ticket, cast: Cast, text: str = "Please call", minutes: int = 0) -> str:
    with pytest.raises(Refused) as refused:
        lifecycle.nudge(ticket, by=cast.chen, at=MONDAY + minutes * MINUTE, text=text)
    return refused.value.code


def test_it_tells_the_owner_in_the_supervisors_words(cast: Cast, ticket: Ticket) -> None:
    lifecycle.nudge(ticket, by=cast.chen, at=MONDAY, text="  She called me twice.\n")
    event = ticket.events.get(kind="nudged")
    assert (event.text, event.by, event.data["to"]) == ("She called me twice.", cast.chen, "Li Na")
    message = Message.objects.get(kind="ticket_nudged")
    assert message.user == cast.lina
    assert "She called me twice." in message.text
    assert message.subject.startswith("Chen Hao asks you to look at R-")


def test_it_refuses_a_second_within_the_hour_by_the_same_person(cast: Cast, ticket: Ticket) -> None:
    lifecycle.nudge(ticket, by=cast.chen, at=MONDAY, text="Please call")
    assert code(ticket, cast, minutes=59) == "nudged_already"
    lifecycle.nudge(ticket, by=cast.wu, at=MONDAY + MINUTE, text="And from me")
    lifecycle.nudge(ticket, by=cast.chen, at=MONDAY + HOUR, text="Still nothing")
    assert Message.objects.filter(kind="ticket_nudged").count() == 3


def test_it_refuses_without_words(cast: Cast, ticket: Ticket) -> None:
    assert code(ticket, cast, text=" \n") == "text_missing"
    assert not ticket.events.filter(kind="nudged").exists()


def test_it_refuses_to_nudge_oneself(cast: Cast, ticket: Ticket) -> None:
    mine = lifecycle.take_over(ticket, by=cast.chen, at=MONDAY)
    assert code(mine, cast) == "own_ticket"


def test_it_refuses_where_the_owner_is_away(cast: Cast, ticket: Ticket) -> None:
    Leave.objects.create(user=cast.lina, starts_at=MONDAY, ends_at=MONDAY + DAY)
    assert code(ticket, cast) == "owner_away"


def test_it_refuses_what_is_not_in_work(cast: Cast, ticket: Ticket) -> None:
    done = lifecycle.resolve(ticket, by=cast.lina, at=MONDAY, cause_found=cast.late, what_was_done="Sent")
    assert code(done, cast) == "not_allowed_now"


def test_taking_over_is_handing_over_to_oneself(cast: Cast, ticket: Ticket) -> None:
    mine = lifecycle.take_over(ticket, by=cast.chen, at=MONDAY, reason="Angry")
    assert mine.owner == cast.chen
    event = ticket.events.get(kind="assigned")
    assert (event.text, event.data["from"], event.data["to"]) == ("Angry", "Li Na", "Chen Hao")
    with pytest.raises(Refused) as refused:
        lifecycle.take_over(mine, by=cast.chen, at=MONDAY)
    assert refused.value.code == "owner_unchanged"
