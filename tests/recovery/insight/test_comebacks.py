"""Who came back within fourteen days, by hand count; tickets are put right a day after they were opened."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from recovery.insight.cohort import Slice, low_scores
from recovery.insight.comebacks import Comebacks, comebacks
from recovery.insight.recovery import Rate
from recovery.lifecycle import customer_wrote, resolve
from recovery.models import Cause, NextIssue, Ticket
from surveys.models import Customer, Survey
from tests.make import DAY, MONDAY, Cast
from tests.recovery.insight.histories import low, put_right
from tests.surveys.make import make_survey

RESOLVED = MONDAY + DAY
LATER = MONDAY + 30 * DAY


@pytest.fixture
def other(cast: Cast) -> Survey:
    """Of another line, so that a second ticket of the same person may be open."""
    return make_survey("billing")


def found(at: datetime = LATER, end: datetime | None = MONDAY + timedelta(hours=1)) -> Comebacks:
    seen = Ticket.objects.all()
    return comebacks(low_scores(seen, Slice(end=end)), seen, at)


def first(cast: Cast) -> tuple[Ticket, Customer]:
    customer = cast.customer()
    return put_right(cast, low(cast, customer=customer)), customer


def again(cast: Cast, customer: Customer, survey: Survey, cause: Cause | None, at: datetime) -> Ticket:
    ticket = low(cast, customer=customer, survey=survey, at=at)
    if cause is None:
        return ticket
    return resolve(ticket, by=cast.lina, at=at + DAY, cause_found=cause, what_was_done="Again")


def test_a_new_ticket_about_the_same_is_a_comeback(cast: Cast, other: Survey) -> None:
    ticket, customer = first(cast)
    again(cast, customer, other, cast.late, RESOLVED + 14 * DAY)
    first(cast)
    assert found().came_back == {ticket.pk}
    assert (found().rate.hits, found().rate.n) == (1, 2)


def test_fourteen_days_are_the_limit_to_the_second(cast: Cast, other: Survey) -> None:
    _ticket, customer = first(cast)
    again(cast, customer, other, cast.late, RESOLVED + 14 * DAY + timedelta(seconds=1))
    assert (found().rate.hits, found().rate.n) == (0, 1)


def test_another_matter_is_none_but_what_usually_follows_is(cast: Cast, other: Survey) -> None:
    _ticket, customer = first(cast)
    again(cast, customer, other, cast.rude, RESOLVED + DAY)
    assert found().rate.hits == 0
    NextIssue.objects.create(cause=cast.late, follows=cast.rude)
    assert found().rate.hits == 1


def test_an_unknown_matter_is_counted_beside(cast: Cast, other: Survey) -> None:
    ticket, customer = first(cast)
    again(cast, customer, other, None, RESOLVED + DAY)
    assert (found().rate.hits, found().rate.n, found().not_known) == (0, 1, frozenset({ticket.pk}))


def test_a_message_on_the_same_ticket_is_a_comeback(cast: Cast) -> None:
    ticket, _customer = first(cast)
    customer_wrote(ticket, at=RESOLVED + 2 * DAY, text="It broke again", channel="email")
    assert found().came_back == {ticket.pk}


def test_what_came_before_the_resolution_is_none(cast: Cast) -> None:
    customer = cast.customer()
    ticket = low(cast, customer=customer)
    customer_wrote(ticket, at=MONDAY + timedelta(hours=2), text="Hello?", channel="email")
    put_right(cast, Ticket.objects.get(pk=ticket.pk))
    assert (found().rate.hits, found().rate.n) == (0, 1)


def test_a_resolution_younger_than_fourteen_days_is_not_judged_yet(cast: Cast) -> None:
    ticket, _customer = first(cast)
    early = found(at=RESOLVED + 14 * DAY - timedelta(seconds=1))
    assert (early.rate.n, early.too_early) == (0, 1)
    assert set(found(at=RESOLVED + 14 * DAY).over.values_list("ticket", flat=True)) == {ticket.pk}


def test_open_tickets_and_unknown_customers_are_left_out(cast: Cast) -> None:
    low(cast)
    assert found().rate.n == 0
    assert found().too_early == 0


def test_what_came_back_later_than_the_moment_is_not_known_then(cast: Cast, other: Survey) -> None:
    ticket, customer = first(cast)
    again(cast, customer, other, cast.late, RESOLVED + 10 * DAY)
    assert found(at=RESOLVED + 14 * DAY).rate.hits == 1
    assert found(at=RESOLVED + 14 * DAY).by_team == {ticket.team_id: Rate(1, 1)}
