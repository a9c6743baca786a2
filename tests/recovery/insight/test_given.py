from __future__ import annotations

from decimal import Decimal

import pytest

from recovery.insight.cohort import RECOVERED, Slice, low_scores
from recovery.insight.given import Given, Spent, given, given_on
from recovery.insight.told import Told
from recovery.lifecycle import give_goodwill
from recovery.models import GoodwillKind, GoodwillLimit, Ticket
from tests.make import DAY, HOUR, MONDAY, Cast
from tests.recovery.insight.histories import answer, ask, low, put_right

LATER = MONDAY + 30 * DAY


@pytest.fixture
def voucher(cast: Cast) -> GoodwillKind:
    GoodwillLimit.objects.create(role="agent", cost=100)
    return GoodwillKind.objects.create(name="Voucher", usual_cost=20)


def give(cast: Cast, ticket: Ticket, kind: GoodwillKind, cost: int) -> Ticket:
    return give_goodwill(ticket, by=cast.lina, at=MONDAY + HOUR, kind=kind, cost=Decimal(cost))


def found() -> Given:
    cohort = low_scores(Ticket.objects.all(), Slice())
    recovered = Told(Ticket.objects.all(), Slice()).behind([("next", RECOVERED)]).count()
    return given(cohort, recovered, LATER)


def test_cost_is_per_ticket_and_all_of_it_per_recovered_customer(cast: Cast, voucher: GoodwillKind) -> None:
    helped = put_right(cast, give(cast, give(cast, low(cast), voucher, 20), voucher, 5))
    ask(helped)
    answer(cast, helped, 9, at=MONDAY + 6 * DAY)
    give(cast, low(cast), voucher, 30)
    low(cast)
    assert found().per_ticket == Spent(55, 2)
    assert found().per_recovered == Spent(55, 1)
    assert [(row.cause, row.spent) for row in found().by_cause] == [
        (None, Spent(30, 1)),
        (cast.late, Spent(25, 1)),
    ]
    assert given_on(low_scores(Ticket.objects.all(), Slice()), LATER).values("ticket").distinct().count() == 2


def test_what_waits_for_approval_is_not_given(cast: Cast, voucher: GoodwillKind) -> None:
    give(cast, low(cast), voucher, 500)
    assert found().per_ticket == Spent(0, 0)
    assert found().by_cause == []


def test_a_mean_of_fewer_than_ten_is_not_said() -> None:
    assert Spent(90, 9).each is None
    assert Spent(90, 10).each == 9
