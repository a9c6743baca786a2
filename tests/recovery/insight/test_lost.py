from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from recovery.insight.cohort import Slice
from recovery.insight.lost import Lost
from recovery.insight.worth import lost_of
from recovery.models import Ticket
from surveys.models import Customer
from tests.make import DAY, HOUR, MONDAY, Cast
from tests.recovery.insight.histories import heard, low, put_right

START, END = MONDAY, MONDAY + 30 * DAY


def person(cast: Cast, *, since: datetime = MONDAY - 90 * DAY, **fields: Any) -> Customer:
    customer = cast.customer(**fields)
    Customer.objects.filter(pk=customer.pk).update(created_at=since)
    return customer


def leaves(customer: Customer, at: datetime, reason: str = "Moved") -> None:
    Customer.objects.filter(pk=customer.pk).update(lost_at=at, lost_reason=reason)


def found(at: datetime = END, **which: object) -> Lost:
    chosen = Slice(start=START, end=END, **which)  # type: ignore[arg-type]
    return lost_of(Customer.objects.all(), Ticket.objects.all(), chosen, at)


def test_the_rate_is_of_those_there_when_the_period_began(cast: Cast) -> None:
    stays, early, late, newer = (person(cast) for _ in range(4))
    Customer.objects.filter(pk=newer.pk).update(created_at=START + DAY)
    leaves(early, START - DAY)
    leaves(late, START, "Price")
    leaves(newer, START + 2 * DAY)
    assert stays.pk
    assert (found().rate.hits, found().rate.n) == (1, 2)
    assert (len(found().customers), found().newer) == (2, 1)
    assert sorted(found().reasons) == [("Moved", 1), ("Price", 1)]


def test_the_end_of_the_period_is_not_in_it_and_nobody_is_lost_before_it_happens(cast: Cast) -> None:
    leaves(person(cast), END)
    leaves(person(cast), START + 10 * DAY)
    assert len(found().customers) == 1
    assert found(at=START + 9 * DAY).customers == []


def test_their_value_is_summed_and_who_has_none_counted(cast: Cast) -> None:
    leaves(person(cast, annual_value=Decimal(700)), START + DAY)
    leaves(person(cast), START + DAY)
    assert (found().worth, found().without_value) == (700, 1)


def test_it_says_how_many_we_owed_something_when_they_left(cast: Cast) -> None:
    open_one, unheard, served, after = (person(cast) for _ in range(4))
    low(cast, customer=open_one)
    put_right(cast, low(cast, customer=unheard))
    put_right(cast, heard(cast, low(cast, customer=served)))
    low(cast, customer=after, at=START + 5 * DAY)
    for customer in (open_one, unheard, served, after):
        leaves(customer, START + 3 * DAY)
    assert found().with_ticket == {open_one.pk, unheard.pk}
    assert (found().owed.hits, found().owed.n) == (2, 4)


def test_a_ticket_resolved_later_was_open_then(cast: Cast) -> None:
    customer = person(cast)
    put_right(cast, heard(cast, low(cast, customer=customer)), at=START + 9 * DAY)
    leaves(customer, START + 3 * DAY)
    assert found().with_ticket == {customer.pk}


def test_a_filter_keeps_those_with_a_low_score_it_holds(cast: Cast) -> None:
    here, elsewhere = person(cast), person(cast)
    low(cast, customer=here, touchpoint="Pudong store")
    for customer in (here, elsewhere):
        leaves(customer, START + DAY)
    narrowed = found(touchpoint="Pudong store")
    assert (narrowed.customers, narrowed.rate.n) == ([here.pk], 1)


def test_nobody_lost_is_nought_of_all(cast: Cast) -> None:
    person(cast, since=START - HOUR)
    assert (found().rate.hits, found().rate.n, found().reasons) == (0, 1, [])
