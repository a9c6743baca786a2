"""What is at stake in money: the value at risk, what recovery kept, and what would be lost if ...

All of it stands on one assumption, the expected retention of each level (`retention`). `low` and `high` of an
amount come from the ranges of that table: how far the assumption reaches, not a confidence interval.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Q

from recovery.insight.known import SCALE, Known, Past, scale_of
from recovery.insight.recovery import Rate
from recovery.insight.retention import Table, level_of, retention_table
from surveys.models import Response

ALL_LEAVE, AS_LAST_QUARTER = "all_leave", "as_last_quarter"
QUESTIONS: Final = (ALL_LEAVE, AS_LAST_QUARTER)


@dataclass(frozen=True, slots=True)
class Amount:
    """Of money, in the currency the values were recorded in."""

    value: float
    low: float
    high: float

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.value + other.value, self.low + other.low, self.high + other.high)


NOTHING: Final = Amount(0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Stake:
    """One customer. `amount` is None where no value is recorded, or no valid score is left.

    `was` and `level` are the levels of the low score and of the latest answer; None without a valid score.
    """

    customer: int
    ticket: int
    worth: float | None
    was: int | None
    level: int | None
    amount: Amount | None


@dataclass(frozen=True)
class Stakes:
    """Customers, the largest amount first, those without one last."""

    rows: list[Stake]

    @property
    def customers(self) -> int:
        return len(self.rows)

    @property
    def counted(self) -> int:
        """Those the sum is of."""
        return sum(row.amount is not None for row in self.rows)

    @property
    def without_value(self) -> int:
        return sum(row.worth is None for row in self.rows)

    @property
    def without_score(self) -> int:
        """With a value, but without a valid score: it was withdrawn."""
        return sum(row.worth is not None and row.amount is None for row in self.rows)

    @property
    def total(self) -> Amount:
        return sum((row.amount for row in self.rows if row.amount), NOTHING)

    @property
    def worth(self) -> float:
        """What these customers are worth in a year, whatever their scores."""
        return sum(row.worth or 0.0 for row in self.rows)


@dataclass(frozen=True)
class Value:
    at_risk: Stakes
    kept: Stakes
    table: Table


def value_of(past: Past) -> Value:
    """In two queries. Who is marked lost by then is neither at risk nor kept."""
    here = [ticket for ticket in past.tickets if not is_lost(ticket, past.at)]
    open_now = latest_by_customer(ticket for ticket in here if ticket.in_work)
    kept = latest_by_customer(ticket for ticket in past.recovered(-1) if not is_lost(ticket, past.at))
    table = retention_table()
    scores = scores_of(open_now, [past.answers[ticket.pk][-1].pk for ticket in kept.values()], past.at)
    return Value(
        at_risk=stakes(at_risk(ticket, scores.latest.get(pk), table) for pk, ticket in open_now.items()),
        kept=stakes(
            kept_of(ticket, scores.of.get(past.answers[ticket.pk][-1].pk), table) for ticket in kept.values()
        ),
        table=table,
    )


def is_lost(ticket: Known, at: datetime) -> bool:
    return ticket.lost_at is not None and ticket.lost_at <= at


def latest_by_customer(tickets: Iterable[Known]) -> dict[int, Known]:
    """Whoever has several tickets counts once, with the latest; whom nobody knows has no value to lose."""
    return {ticket.customer: ticket for ticket in tickets if ticket.customer is not None}


@dataclass(frozen=True)
class Levels:
    """The levels of answers: the latest of each customer, and some by their id."""

    latest: dict[int, int]
    of: dict[int, int]


def scores_of(customers: Iterable[int], answers: Sequence[int], at: datetime) -> Levels:
    """In one query; what is blank, withdrawn or a test is no score."""
    given = Response.objects.counted().filter(customer__in=list(customers), answered_at__lte=at)
    newest = given.order_by("customer_id", "-answered_at", "-pk").distinct("customer_id")
    newest_of: dict[int, int] = {}
    level: dict[int, int] = {}
    rows = Response.objects.counted().filter(Q(pk__in=newest.values("pk")) | Q(pk__in=answers))
    fields = ("pk", "customer_id", "score", "answered_at", *(f"survey__{name}" for name in SCALE))
    for row in rows.order_by("answered_at", "pk").values(*fields):
        level[row["pk"]] = newest_of[row["customer_id"]] = level_of(row["score"], scale_of(row, "survey__"))
    return Levels(newest_of, level)


def opening_level(ticket: Known) -> int | None:
    return None if ticket.score is None else level_of(ticket.score, ticket.scale)


def at_risk(ticket: Known, level: int | None, table: Table) -> Stake:
    amount = None
    if ticket.worth is not None and level is not None:
        stays = table[level]
        amount = amount_of(ticket.worth, 1 - stays.middle, 1 - stays.high, 1 - stays.low)
    return stake(ticket, opening_level(ticket), level, amount)


def kept_of(ticket: Known, level: int | None, table: Table) -> Stake:
    was, amount = opening_level(ticket), None
    if ticket.worth is not None and level is not None and was is not None:
        new, old = table[level], table[was]
        amount = amount_of(ticket.worth, new.middle - old.middle, new.low - old.high, new.high - old.low)
    return stake(ticket, was, level, amount)


def amount_of(worth: float, share: float, low: float, high: float) -> Amount:
    return Amount(worth * share, worth * low, worth * high)


def stake(ticket: Known, was: int | None, level: int | None, amount: Amount | None) -> Stake:
    assert ticket.customer is not None
    return Stake(ticket.customer, ticket.pk, ticket.worth, was, level, amount)


def stakes(rows: Iterable[Stake]) -> Stakes:
    return Stakes(sorted(rows, key=largest_first))


def largest_first(row: Stake) -> tuple[bool, float, int]:
    return row.amount is None, -row.amount.value if row.amount else 0.0, row.customer


# --- what would we lose if ...? -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Supposed:
    """An answer: what would be lost in a year, and from what it was reckoned.

    `recovered` is of all low scores of the last quarter, the silent ones counted as not recovered; its Wilson
    interval makes `low` and `high`. None where nothing was supposed of it, or it is of fewer than ten.
    """

    question: str
    amount: Amount | None
    customers: int
    recovered: Rate | None = None


def if_all_left(value: Value) -> Supposed:
    """Everybody with an open low score goes: their whole value, no share of it."""
    whole = value.at_risk.worth
    known = value.at_risk.customers - value.at_risk.without_value
    return Supposed(ALL_LEAVE, Amount(whole, whole, whole), known)


def if_recovered_as_before(value: Value, before: Past) -> Supposed:
    """As many of the open ones recover as of the last quarter's low scores, to the levels people had then.

    The level of the recovered is the mean retention of their next answers. Two queries.
    """
    recovered = before.recovered()
    rate = Rate(len(recovered), len(before.tickets))
    stays = retention_after(recovered, before, value.table)
    interval = rate.interval
    if rate.share is None or interval is None or stays is None:
        return Supposed(AS_LAST_QUARTER, None, value.at_risk.counted, rate)
    least, most = interval.low, interval.high
    lost = [left_at_risk(value.at_risk, value.table, share, stays) for share in (rate.share, most, least)]
    return Supposed(AS_LAST_QUARTER, Amount(*lost), value.at_risk.counted, rate)


def retention_after(recovered: Sequence[Known], before: Past, table: Table) -> float | None:
    answers = [before.answers[ticket.pk][0].pk for ticket in recovered]
    levels = list(scores_of([], answers, before.at).of.values()) if answers else []
    if not levels:
        return None if recovered else 0.0
    return sum(table[level].middle for level in levels) / len(levels)


def left_at_risk(at_risk: Stakes, table: Table, share: float, stays: float) -> float:
    """What is lost if this share of everybody at risk is kept as `stays` says, and the others as now.

    Nobody gets worse by recovering: who is expected to stay more surely than that keeps their own.
    """
    lost = 0.0
    for row in at_risk.rows:
        if row.amount is not None and row.worth is not None and row.level is not None:
            now = table[row.level].middle
            lost += row.worth * (1 - (share * max(now, stays) + (1 - share) * now))
    return lost
