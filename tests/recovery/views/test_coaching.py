"""Coaching: one owner's closed tickets, a sample nobody picks, marks with words, and no ranking."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from recovery import lifecycle
from recovery.insight import coaching
from recovery.lifecycle import Refused
from recovery.models import QualityCheck, Ticket
from tests.make import DAY, HOUR, MONDAY, Cast
from tests.recovery.views.conftest import SignIn


def closed(cast: Cast, owner: Any, at: datetime = MONDAY - 4 * DAY, **fields: Any) -> Ticket:
    """Opened, heard after two attempts in an hour, and closed a day later, recovered."""
    ticket = cast.ticket(at=at - DAY, **fields)
    Ticket.objects.filter(pk=ticket.pk).update(owner=owner)
    ticket = Ticket.objects.get(pk=ticket.pk)
    ticket = lifecycle.log_contact(ticket, by=owner, at=at - DAY, outcome="no_answer")
    ticket = lifecycle.log_contact(ticket, by=owner, at=at - DAY + HOUR, outcome="reached")
    Ticket.objects.filter(pk=ticket.pk).update(
        status="closed",
        closed_at=at,
        outcome="promoter",
        cause_said=cast.late,
        cause_found=cast.rude,
        what_was_done="Delivered.",
    )
    return Ticket.objects.get(pk=ticket.pk)


def page(client: Client, **query: int) -> str:
    response = client.get("/coaching/", query)
    assert response.status_code == 200
    return response.content.decode()


def test_it_says_how_each_closed_ticket_went(cast: Cast, sign_in: SignIn) -> None:
    ticket = closed(cast, cast.lina)
    closed(cast, cast.majun)
    response = sign_in(cast.chen).get("/coaching/", {"owner": cast.lina.pk})
    (line,) = response.context["lines"]
    assert line.ticket == ticket
    assert (line.heard, line.ticket.attempts, line.ticket.cycle, line.outcome) == ("1 h 00", 2, 1, "promoter")
    assert "Late delivery" in response.content.decode()
    assert "Unfriendly" in response.content.decode()


def test_it_looks_back_as_far_as_asked(cast: Cast, sign_in: SignIn) -> None:
    old = closed(cast, cast.lina, at=MONDAY - 40 * DAY)
    client = sign_in(cast.chen)
    assert old.number not in page(client, owner=cast.lina.pk)
    assert old.number in page(client, owner=cast.lina.pk, weeks=13)


def test_only_a_supervisor_of_the_team_sees_somebodys_tickets(cast: Cast, sign_in: SignIn) -> None:
    closed(cast, cast.lina)
    assert sign_in(cast.bob).get("/coaching/", {"owner": cast.lina.pk}).status_code == 404
    assert sign_in(cast.majun).get("/coaching/", {"owner": cast.lina.pk}).status_code == 404
    assert sign_in(cast.vera).get("/coaching/").status_code == 403
    assert sign_in(cast.wu).get("/coaching/", {"owner": cast.lina.pk}).status_code == 200


def test_tickets_of_other_teams_stay_with_their_supervisor(cast: Cast, sign_in: SignIn) -> None:
    there = closed(cast, cast.lina, team=cast.west)
    assert there.number not in page(sign_in(cast.chen), owner=cast.lina.pk)


def test_agents_see_their_own_marks_and_give_none(cast: Cast, sign_in: SignIn) -> None:
    ticket = closed(cast, cast.lina)
    lifecycle.check_quality(ticket, by=cast.chen, at=MONDAY, mark=5, note="Warm and clear")
    client = sign_in(cast.lina)
    assert 'href="/coaching/"' in client.get("/customers/").content.decode()
    own = page(client)
    assert "Warm and clear" in own
    assert 'name="mark"' not in own
    assert client.post(f"/coaching/{ticket.number}/", {"mark": 5}).status_code == 403


# --- the sample ---------------------------------------------------------------------------------------------


def drawn_for(cast: Cast, at: datetime) -> list[int]:
    return [each.pk for each in coaching.sample(Ticket.objects.all(), cast.lina.pk, at)]


def test_five_are_drawn_and_stay_the_same_all_week(cast: Cast) -> None:
    for _each in range(9):
        closed(cast, cast.lina)
    closed(cast, cast.lina, at=MONDAY - 12 * DAY)
    drawn = drawn_for(cast, MONDAY)
    assert len(set(drawn)) == 5
    closed(cast, cast.lina, at=MONDAY + DAY)
    assert drawn_for(cast, MONDAY + 4 * DAY) == drawn
    kept = [pk for pk in drawn if pk != drawn[0]]
    Ticket.objects.filter(pk=drawn[0]).update(status="open", closed_at=None)
    assert drawn_for(cast, MONDAY)[:4] == kept


def test_another_week_draws_anew(cast: Cast) -> None:
    assert drawn_for(cast, MONDAY + 7 * DAY) == []
    closed(cast, cast.lina, at=MONDAY + DAY)
    assert drawn_for(cast, MONDAY) == []
    assert len(drawn_for(cast, MONDAY + 7 * DAY)) == 1


def test_only_what_was_drawn_is_marked(cast: Cast, sign_in: SignIn) -> None:
    old = closed(cast, cast.lina, at=MONDAY - 12 * DAY)
    assert sign_in(cast.chen).post(f"/coaching/{old.number}/", {"mark": 5}).status_code == 403
    assert not QualityCheck.objects.exists()


# --- marks --------------------------------------------------------------------------------------------------


def test_a_supervisor_keeps_one_mark_for_a_ticket(cast: Cast, sign_in: SignIn) -> None:
    ticket = closed(cast, cast.lina)
    client = sign_in(cast.chen)
    for mark, note in ((4, "Good"), (5, "Better than I thought")):
        response = client.post(f"/coaching/{ticket.number}/", {"mark": mark, "note": note})
        assert response["Location"] == f"/coaching/?owner={cast.lina.pk}"
    check = QualityCheck.objects.get()
    assert (check.mark, check.note, check.by, check.owner) == (
        5,
        "Better than I thought",
        cast.chen,
        cast.lina,
    )


def test_a_poor_mark_needs_words_and_what_was_chosen_stays(cast: Cast, sign_in: SignIn) -> None:
    ticket = closed(cast, cast.lina)
    response = sign_in(cast.chen).post(f"/coaching/{ticket.number}/", {"mark": 2})
    assert response.status_code == 409
    assert "Say what would have been better." in response.content.decode()
    assert response.context["sample"][0].form["mark"].value() == "2"
    assert sign_in(cast.chen).post(f"/coaching/{ticket.number}/", {"note": "x"}).status_code == 422


def test_it_refuses_what_no_mark_can_be_given_for(cast: Cast) -> None:
    mine, open_one = closed(cast, cast.chen), cast.ticket()
    for ticket, mark, code in (
        (mine, 5, "own_ticket"),
        (open_one, 5, "not_closed"),
        (closed(cast, cast.lina), 6, "mark_out_of_range"),
    ):
        with pytest.raises(Refused) as refused:
            lifecycle.check_quality(ticket, by=cast.chen, at=MONDAY, mark=mark, note="x")
        assert refused.value.code == code


def test_of_fewer_than_ten_there_is_no_percentage(cast: Cast, sign_in: SignIn) -> None:
    tickets = [closed(cast, cast.lina) for _each in range(10)]
    for ticket in tickets[:9]:
        lifecycle.check_quality(ticket, by=cast.chen, at=MONDAY, mark=4)
    client = sign_in(cast.chen)
    few = page(client, owner=cast.lina.pk)
    assert "9 of 9" in few
    assert "100 %" not in few
    lifecycle.check_quality(tickets[9], by=cast.chen, at=MONDAY, mark=3)
    assert "90 %" in page(client, owner=cast.lina.pk)


def test_nobody_is_compared_with_anybody(cast: Cast, sign_in: SignIn) -> None:
    for owner in (cast.lina, cast.majun):
        lifecycle.check_quality(closed(cast, owner), by=cast.chen, at=MONDAY, mark=5)
    response = sign_in(cast.chen).get("/coaching/")
    assert "months" not in response.context
    assert [name for _pk, name in response.context["people"]] == ["Li Na", "Ma Jun"]


@pytest.mark.parametrize("rows", [1, 60])
def test_it_asks_the_database_at_most_twelve_times(
    cast: Cast, sign_in: SignIn, django_assert_max_num_queries: DjangoAssertNumQueries, rows: int
) -> None:
    for _each in range(rows):
        ticket = closed(cast, cast.lina)
        lifecycle.check_quality(ticket, by=cast.chen, at=MONDAY, mark=4)
    client = sign_in(cast.chen)
    with django_assert_max_num_queries(12):
        client.get("/coaching/", {"owner": cast.lina.pk, "weeks": 13})
