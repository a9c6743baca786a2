"""The board's sheet for one ticket: what it offers, why it does not, and what it says afterwards."""

import pytest
from django.test import Client

from recovery import lifecycle
from recovery.models import Deadline, Leave, Ticket
from tests.make import DAY, HOUR, MINUTE, MONDAY, Cast, join
from tests.recovery.views.conftest import Clock, SignIn


def owned_by(cast: Cast, username: str) -> Ticket:
    ticket = cast.ticket(priority=1)
    Ticket.objects.filter(pk=ticket.pk).update(owner=getattr(cast, username))
    return Ticket.objects.get(pk=ticket.pk)


def sheet(client: Client, ticket: Ticket) -> tuple[set[str], dict[str, str]]:
    """Which acts are offered, and why the others are not."""
    context = client.get(f"/overdue/one/{ticket.number}/").context
    return set(context["acts"]), {do: why for do, _name, _key, why in context["not_offered"]}


def post(client: Client, ticket: Ticket, **values: str | int) -> str:
    client.post(f"/overdue/one/{ticket.number}/", {"version": ticket.version, **values})
    return str(next(iter(client.get("/overdue/").context["messages"])))


def test_it_offers_every_act_on_the_ticket_of_a_colleague(cast: Cast, sign_in: SignIn) -> None:
    offered, why = sheet(sign_in(cast.chen), owned_by(cast, "lina"))
    assert (offered, why) == ({"assign", "extend", "nudge", "take_over"}, {})


def test_it_says_why_nobody_nudges_themselves(cast: Cast, sign_in: SignIn) -> None:
    client, ticket = sign_in(cast.chen), owned_by(cast, "chen")
    offered, why = sheet(client, ticket)
    assert offered == {"assign", "extend"}
    assert why == {"nudge": "You own this ticket yourself.", "take-over": "It is yours already."}
    shown = client.get(f"/overdue/one/{ticket.number}/").content.decode()
    assert 'id="do-nudge" tabindex="-1"' in shown
    assert "You own this ticket yourself." in shown


def test_it_says_that_the_owner_is_away(cast: Cast, sign_in: SignIn) -> None:
    ticket = owned_by(cast, "lina")
    Leave.objects.create(user=cast.lina, starts_at=MONDAY, ends_at=MONDAY + DAY)
    assert "is away now" in sheet(sign_in(cast.chen), ticket)[1]["nudge"]


def test_it_says_that_a_nudge_was_sent_already(cast: Cast, sign_in: SignIn) -> None:
    ticket = lifecycle.nudge(owned_by(cast, "lina"), by=cast.chen, at=MONDAY, text="Please")
    assert "less than an hour ago" in sheet(sign_in(cast.chen), ticket)[1]["nudge"]


def test_it_says_who_may_where_somebody_only_works_in_the_team(cast: Cast, sign_in: SignIn) -> None:
    join(cast.east, cast.bob)
    offered, why = sheet(sign_in(cast.bob), owned_by(cast, "lina"))
    assert offered == {"assign", "take_over"}
    assert set(why) == {"extend", "nudge"}
    assert all("supervises the team" in each for each in why.values())


def test_it_says_until_when_a_deadline_is_extended(cast: Cast, sign_in: SignIn) -> None:
    ticket = owned_by(cast, "lina")  # resolution within 8 h of work: today 18:00 is tomorrow 10:00
    said = post(sign_in(cast.chen), ticket, do="extend", kind="resolution", minutes=60, reason="A strike")
    assert said == f"The deadline of {ticket.number} is extended: it falls due tomorrow 11:00."
    assert Deadline.objects.get(ticket=ticket, kind="resolution").due_at == MONDAY + DAY + HOUR


def test_it_says_that_the_clock_stands_where_it_does(cast: Cast, sign_in: SignIn) -> None:
    ticket = lifecycle.start_waiting(owned_by(cast, "lina"), by=cast.lina, at=MONDAY, reason="A photo")
    said = post(sign_in(cast.chen), ticket, do="extend", kind="resolution", minutes=60, reason="A strike")
    assert said == f"The deadline of {ticket.number} is extended; its clock stands for now."


def test_the_ticket_page_says_the_new_time_too(cast: Cast, sign_in: SignIn, clock: Clock) -> None:
    ticket = owned_by(cast, "lina")
    clock(MONDAY + 10 * MINUTE)
    client = sign_in(cast.chen)
    values = {"version": ticket.version, "kind": "first_contact", "minutes": 60, "reason": "A strike"}
    answer = client.post(f"/tickets/{ticket.number}/extend/", values, follow=True)
    (said,) = [str(each) for each in answer.context["messages"]]
    assert said == "The deadline is extended: it falls due today 12:00."


@pytest.mark.parametrize("do", ["nudge", "extend"])
def test_it_refuses_what_it_does_not_offer(cast: Cast, sign_in: SignIn, do: str) -> None:
    join(cast.east, cast.bob)
    ticket = owned_by(cast, "lina")
    values = {"version": ticket.version, "do": do, "kind": "resolution", "minutes": 60, "reason": "Please"}
    assert sign_in(cast.bob).post(f"/overdue/one/{ticket.number}/", values).status_code == 403
