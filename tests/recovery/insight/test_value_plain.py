"""Value, repeat contact and goodwill of any history are what the plain way counts: each ticket by itself."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from recovery.insight.cohort import Slice, low_scores
from recovery.insight.comebacks import comebacks
from recovery.insight.given import given, given_on
from recovery.insight.retention import retention_table
from recovery.insight.telling import tell_batch
from recovery.insight.told import Told
from recovery.insight.value import (
    AT_RISK,
    KEPT,
    Stake,
    Stakes,
    one_by_one,
    retention_after,
    value_of,
)
from recovery.models import Goodwill, GoodwillKind, NextIssue, Ticket, TicketEvent
from surveys.models import Customer, FormerScale
from tests.make import DAY, HOUR, MONDAY, Cast
from tests.recovery.insight import plain_value
from tests.recovery.insight.histories import loop
from tests.recovery.insight.plain_value import Staked
from tests.recovery.insight.test_told import World, keep_all
from tests.surveys.make import make_survey


class Riches(World):
    """A world where customers are worth something, leave, write and are given something."""

    def __init__(self, cast: Cast, chance: Random) -> None:
        super().__init__(cast, chance)
        self.visits = make_survey("visits", kind="csat", best="min", low_cut=4, high_cut=1)
        for survey, days in ((cast.survey, 3), (cast.survey, 9), (self.visits, 7)):
            FormerScale.objects.create(
                survey=survey, until=MONDAY + days * DAY, lowest=0, highest=10 + days, low_cut=2, high_cut=3
            )
        self.kind = GoodwillKind.objects.create(name="Voucher")
        NextIssue.objects.create(cause=cast.late, follows=cast.rude)

    def step(self) -> str:
        happened = super().step()
        # Twice as often as anything else, something that is about money.
        for _ in range(2):
            self.chance.choice([self.valued, self.wrote, self.left, self.visited, self.gave])()
        return happened

    def somebody(self) -> int:
        customer = self.one(Customer.objects)
        return customer.pk if customer else 0

    def valued(self) -> None:
        customers = Customer.objects.filter(pk=self.somebody())
        customers.update(
            annual_value=self.chance.choice([None, Decimal("0.01"), Decimal("999.99"), Decimal("12345.67")])
        )

    def left(self) -> None:
        if self.chance.random() < 0.3:
            Customer.objects.filter(pk=self.somebody()).update(lost_at=self.at)

    def wrote(self) -> None:
        """A day after a resolution, whether anybody looks so late or not."""
        resolved = self.one(TicketEvent.objects.filter(kind="resolved"))
        if resolved is not None:
            wrote = TicketEvent(ticket=resolved.ticket, kind="customer_wrote", cycle=1, at=resolved.at + DAY)
            wrote.version = 900 + TicketEvent.objects.count()
            wrote.save()

    def visited(self) -> None:
        """An answer on another line, and on another scale."""
        score = self.chance.randrange(11)
        self.cast.response(score, customer=self.one(Customer.objects), survey=self.visits, at=self.at)

    def gave(self) -> None:
        ticket = self.one(Ticket.objects)
        if ticket is not None:
            Goodwill.objects.create(
                ticket=ticket,
                kind=self.kind,
                cost=Decimal(self.chance.randrange(5_000)) / 100,
                cycle=1,
                team=self.cast.east,
                at=self.at,
                state=self.chance.choice([Goodwill.GIVEN, Goodwill.GIVEN, Goodwill.PROPOSED]),
                decided_at=self.at + self.chance.choice([-DAY, HOUR]),
            )


def check(world: Riches, which: Slice) -> Counter[str]:
    """What was met, beside being right."""
    seen, at = Ticket.objects.all(), which.as_of or world.at + DAY
    cohort, told, table = low_scores(seen, which), Told(seen, which), retention_table()
    past = plain_value.past_of(cohort, at, which.as_of)
    value = value_of(told, at)
    for name, found, expected in zip((AT_RISK, KEPT), (value.at_risk, value.kept), staked(past), strict=True):
        assert figures(found) == pytest.approx(figures_of(expected), rel=1e-12, abs=1e-9), name
        listed = one_by_one(told, at, name)
        assert sorted(map(plainly, listed)) == expected, name
        assert figures(Stakes(listed)) == pytest.approx(figures(found), rel=1e-12, abs=1e-9), name
        assert listed == sorted(listed, key=lambda row: -row.amount.value if row.amount else 1e9), name
    after, expected_after = retention_after(told, table), plain_value.retention_after(past, table)
    assert after == (expected_after and pytest.approx(expected_after, rel=1e-12))
    return Counter(
        {
            "at risk": value.at_risk.counted,
            "kept": value.kept.counted,
            "came back": check_returns(told, past),
            "given": check_goodwill(told, past, cohort),
        }
    )


def staked(past: plain_value.Past) -> tuple[list[Staked], list[Staked]]:
    return plain_value.staked(past, retention_table())


def check_returns(told: Told, past: plain_value.Past) -> int:
    found, expected = comebacks(told.tickets(), told.seen, past.at), plain_value.comebacks(past, told.seen)
    assert (found.came_back, found.not_known) == (expected.came_back, expected.not_known)
    judged = frozenset(found.over.values_list("ticket", flat=True))
    assert (judged, found.rate.n) == (expected.judged, len(expected.judged))
    assert found.too_early == len(expected.too_early)
    return found.rate.hits


def check_goodwill(told: Told, past: plain_value.Past, cohort: Any) -> int:
    expected = plain_value.cost_by_cause(cohort, past.at)
    found = given(told.tickets(), len(past.recovered()), past.at)
    by_cause = {row.cause.pk if row.cause else None: row.spent for row in found.by_cause}
    assert {cause: (round(spent.cost, 2), spent.count) for cause, spent in by_cause.items()} == {
        cause: (round(cost, 2), len(tickets)) for cause, (cost, tickets) in expected.items()
    }
    behind = set(given_on(told.tickets(), past.at).values_list("ticket", flat=True))
    assert behind == {ticket for _cost, tickets in expected.values() for ticket in tickets}
    assert found.per_ticket.count == len(behind)
    return len(behind)


def figures(found: Stakes) -> list[float]:
    total, well = found.total, found.well
    beside = [found.counted, found.without_value, found.without_score, well.customers, well.worth]
    return [found.customers, found.worth, total.value, total.low, total.high, *beside]


def figures_of(rows: list[Staked]) -> list[float]:
    """In Python, person by person."""
    amounts = [row.amount for row in rows if row.amount]
    well = [row for row in rows if row.is_well]
    return [
        len(rows),
        sum(row.worth or 0 for row in rows),
        *(sum(amount[end] for amount in amounts) for end in range(3)),
        len(amounts),
        sum(row.worth is None for row in rows),
        sum(row.worth is not None and row.amount is None for row in rows),
        len(well),
        sum(row.worth or 0 for row in well),
    ]


def plainly(row: Stake) -> Staked:
    amount = (row.amount.value, row.amount.low, row.amount.high) if row.amount else None
    levels = row.levels
    return Staked(row.customer, row.ticket, row.worth, levels.was, levels.now, levels.is_well, amount)


@pytest.mark.parametrize("seed", range(2))
def test_it_counts_what_the_plain_way_counts_whatever_happened(cast: Cast, seed: int) -> None:
    chance = Random(seed)
    for score in (9, 7, 10, 3, None):
        Customer.objects.filter(tickets=loop(cast, score)).update(annual_value=Decimal("10.55"))
    world, met = Riches(cast, chance), Counter[str]()
    for number in range(18):
        world.step()
        if chance.random() < 0.4:
            tell_batch(limit=chance.choice([5, 50]))
        if number % 9 == 8:
            met += check(world, Slice())
            met += check(world, world.a_past_day())
            met += check(world, world.a_slice())
    keep_all()
    met += check(world, Slice())
    assert min(met[each] for each in ("at risk", "kept", "came back", "given")) > 0, met
