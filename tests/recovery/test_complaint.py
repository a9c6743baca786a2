"""A complaint taken by a colleague always has a ticket."""

from threading import Barrier
from typing import Any

import pytest
from django.db import transaction

from recovery import lifecycle
from recovery.models import Ticket, TriageRule
from recovery.triage import open_complaint
from surveys.models import Message, Response
from tests.make import DAY, HOUR, MONDAY, Cast
from tests.recovery.lifecycle.test_races import THREADS, race, winners


def complaint(cast: Cast, score: int | None = None, **fields: Any) -> Response:
    fields.setdefault("customer", cast.customer())
    return cast.response(score, channel="phone", comment="It never came", **fields)


@pytest.mark.parametrize("score", [None, 2, 9])
def test_it_is_routed_as_a_low_answer_whatever_the_score(cast: Cast, score: int | None) -> None:
    TriageRule.objects.create(
        name="Low", position=1, bands=["detractor"], team=cast.west, priority=2, contact_me=False
    )
    response = complaint(cast, score)
    ticket = open_complaint(response.pk, by=cast.lina, at=MONDAY)
    assert (ticket.team, ticket.priority, ticket.owner) == (cast.west, 2, cast.ann)
    assert ticket.severity_reasons == [
        {"code": "complaint", "value": "phone"},
        {"code": "contact_me", "value": False},
    ]
    opened = ticket.events.get()
    assert (opened.kind, opened.by, opened.text) == ("opened", cast.lina, "It never came")
    response.refresh_from_db()
    assert (response.triaged_at, response.score) == (MONDAY, score)
    assert response.triage_note == {
        "result": "opened",
        "reasons": ticket.severity_reasons,
        "ticket": ticket.number,
    }


def test_it_joins_the_open_ticket_of_the_person(cast: Cast) -> None:
    ticket = cast.ticket()
    response = complaint(cast, customer=ticket.customer)
    assert open_complaint(response.pk, by=cast.majun, at=MONDAY + HOUR) == ticket
    ticket.refresh_from_db()
    assert (ticket.status, ticket.priority) == ("new", 2)
    response.refresh_from_db()
    assert response.triage_note["result"] == "absorbed"


def test_it_reopens_the_resolved_ticket_of_the_person(cast: Cast) -> None:
    ticket = lifecycle.resolve(
        cast.ticket(), by=cast.lina, at=MONDAY, cause_found=cast.late, what_was_done="Sent again"
    )
    response = complaint(cast, customer=ticket.customer, at=MONDAY + DAY)
    again = open_complaint(response.pk, by=cast.majun, at=MONDAY + DAY)
    assert (again.pk, again.status, again.cycle) == (ticket.pk, "open", 2)
    assert [event.kind for event in again.events.all()][-2:] == ["reopened", "absorbed"]
    assert again.events.get(kind="reopened").text == "It never came"
    assert again.resurveys.get(cycle=1).outcome == "not_asked"


def test_a_closed_ticket_stays_closed_and_a_new_one_is_opened(cast: Cast) -> None:
    ticket = cast.ticket()
    Ticket.objects.filter(pk=ticket.pk).update(status="closed", closed_at=MONDAY)
    response = complaint(cast, customer=ticket.customer)
    assert open_complaint(response.pk, by=cast.lina, at=MONDAY) != ticket


def test_complaints_of_people_nobody_knows_stay_apart(cast: Cast) -> None:
    first, second = (
        open_complaint(complaint(cast, customer=None).pk, by=cast.lina, at=MONDAY) for _n in range(2)
    )
    assert first != second


def test_it_does_nothing_the_second_time(cast: Cast) -> None:
    response = complaint(cast)
    ticket = open_complaint(response.pk, by=cast.lina, at=MONDAY)
    assert open_complaint(response.pk, by=cast.majun, at=MONDAY + HOUR) == ticket
    assert ticket.events.count() == 1
    assert Message.objects.count() == 1


def test_it_says_when_there_is_no_such_answer(cast: Cast) -> None:
    with pytest.raises(Response.DoesNotExist):
        open_complaint(4711, by=cast.lina, at=MONDAY)


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_of_one_person_make_one_ticket(transactional_db: None) -> None:
    cast = Cast()
    customer, all_have_written = cast.customer(), Barrier(THREADS, timeout=20)
    cast.response(9)  # The source of all is there.

    def take(_number: int) -> Ticket:
        with transaction.atomic():
            response = complaint(cast, customer=customer)
            all_have_written.wait()
            return open_complaint(response.pk, by=cast.lina, at=MONDAY)

    assert len(winners(race(take))) == THREADS
    assert Ticket.objects.get().ticket_responses.count() == THREADS
