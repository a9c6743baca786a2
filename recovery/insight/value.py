"""What is at stake in money: the value at risk, what recovery kept, and what would be lost if ...

All of it stands on one assumption, the expected retention of each level (`retention`). `low` and `high` of an
amount come from the ranges of that table: how far the assumption reaches, not a confidence interval.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from recovery.insight import known
from recovery.insight.known import Known
from recovery.insight.recovery import Rate, recovery
from recovery.insight.retention import Table, level_of, retention_table
from recovery.insight.scales import Mark, Scales, scales
from recovery.insight.told import Told

ALL_LEAVE, AS_LAST_QUARTER = "all_leave", "as_last_quarter"
QUESTIONS: Final = (ALL_LEAVE, AS_LAST_QUARTER)
AT_RISK, KEPT = "at_risk", "kept"


@dataclass(frozen=True, slots=True)
class Amount:
    """Of money, in the currency the values were recorded in."""

    value: float
    low: float
    high: float

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.value + other.value, self.low + other.low, self.high + other.high)


NOTHING: Final = Amount(0.0, 0.0, 0.0)


class Levels(NamedTuple):
    """Of the low score and of the latest answer, each on the scale of its time; None without a valid score.

    `is_well` is whether that answer is a passive's or a promoter's, and was given after the low score.
    """

    was: int | None
    now: int | None
    is_well: bool


@dataclass(frozen=True, slots=True)
class Stake:
    """Customers alike in their levels, `count` of them: `worth` and `amount` are the sums of theirs.

    None where no value is recorded, and no amount where no valid score is left. `customer` and `ticket` are
    those of a single one.
    """

    worth: float | None
    levels: Levels
    amount: Amount | None
    count: int = 1
    customer: int = 0
    ticket: int = 0


@dataclass(frozen=True)
class Stakes:
    rows: list[Stake]

    @property
    def customers(self) -> int:
        return sum(row.count for row in self.rows)

    @property
    def counted(self) -> int:
        """Those the sum is of."""
        return sum(row.count for row in self.rows if row.amount is not None)

    @property
    def without_value(self) -> int:
        return sum(row.count for row in self.rows if row.worth is None)

    @property
    def without_score(self) -> int:
        """With a value, but without a valid score: it was withdrawn."""
        return sum(row.count for row in self.rows if row.worth is not None and row.amount is None)

    @property
    def total(self) -> Amount:
        return sum((row.amount for row in self.rows if row.amount), NOTHING)

    @property
    def worth(self) -> float:
        """What these customers are worth in a year, whatever their scores."""
        return sum(row.worth or 0.0 for row in self.rows)

    @property
    def well(self) -> Stakes:
        """Those of them who have answered well since: as a passive or a promoter."""
        return Stakes([row for row in self.rows if row.levels.is_well])


@dataclass(frozen=True)
class Value:
    at_risk: Stakes
    kept: Stakes
    table: Table


def value_of(told: Told, at: datetime) -> Value:
    """The sums, in six queries; of a past moment in more. Who is lost by then is neither at risk nor kept."""
    table, given_on = retention_table(), scales()
    return Value(
        at_risk=Stakes(summed(known.at_risk(told, at, given_on), given_on, table, at_risk)),
        kept=Stakes(summed(known.recovered(told, at, given_on), given_on, table, kept)),
        table=table,
    )


# What a year's value of customers of these levels makes at stake.
Reckon = Callable[[float, Levels, Table], Amount | None]


def at_risk(worth: float, levels: Levels, table: Table) -> Amount | None:
    if levels.now is None:
        return None
    stays = table[levels.now]
    return amount_of(worth, 1 - stays.middle, 1 - stays.high, 1 - stays.low)


def kept(worth: float, levels: Levels, table: Table) -> Amount | None:
    if levels.now is None or levels.was is None:
        return None
    new, old = table[levels.now], table[levels.was]
    return amount_of(worth, new.middle - old.middle, new.low - old.high, new.high - old.low)


def amount_of(worth: float, share: float, low: float, high: float) -> Amount:
    return Amount(worth * share, worth * low, worth * high)


# --- alike, or one by one -----------------------------------------------------------------------------------


def summed(people: Iterable[Known], given_on: Scales, table: Table, reckon: Reckon) -> list[Stake]:
    """The sums of those who are alike: few rows, however many people."""
    count: Counter[tuple[Marks, bool]] = Counter()
    worth: defaultdict[tuple[Marks, bool], Decimal] = defaultdict(Decimal)
    for person in people:
        alike = (marks_of(person), person.worth is not None)
        count[alike] += 1
        worth[alike] += person.worth or 0
    return [
        stake(worth[alike] if alike[1] else None, levels_of(alike[0], given_on), table, reckon, count[alike])
        for alike in sorted(count, key=str)
    ]


def one_by_one(told: Told, at: datetime, which: str) -> list[Stake]:
    """The customers behind a sum, the largest amount first, those without one last. As many queries."""
    read, reckon = (known.recovered, kept) if which == KEPT else (known.at_risk, at_risk)
    table, given_on = retention_table(), scales()
    rows = [
        stake(
            person.worth,
            levels_of(marks_of(person), given_on),
            table,
            reckon,
            customer=person.customer,
            ticket=person.ticket,
        )
        for person in read(told, at, given_on)
    ]
    return sorted(rows, key=largest_first)


def largest_first(row: Stake) -> tuple[bool, float, int]:
    return row.amount is None, -row.amount.value if row.amount else 0.0, row.customer


# The low score, the answer that counts, and whether they have answered well since.
Marks = tuple[Mark | None, Mark | None, bool]


def marks_of(person: Known) -> Marks:
    return person.was, person.now, person.is_well


def levels_of(marks: Marks, given_on: Scales) -> Levels:
    was, now, is_well = marks
    return Levels(
        was=None if was is None else level_of(was.score, given_on.of(was)),
        now=None if now is None else level_of(now.score, given_on.of(now)),
        is_well=is_well,
    )


def stake(
    worth: Decimal | None,
    levels: Levels,
    table: Table,
    reckon: Reckon,
    count: int = 1,
    *,
    customer: int = 0,
    ticket: int = 0,
) -> Stake:
    year = None if worth is None else float(worth)
    amount = None if year is None else reckon(year, levels, table)
    return Stake(year, levels, amount, count, customer, ticket)


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
    with_value = value.at_risk.customers - value.at_risk.without_value
    return Supposed(ALL_LEAVE, Amount(whole, whole, whole), with_value)


def if_recovered_as_before(value: Value, before: Told) -> Supposed:
    """As many of the open ones recover as of the last quarter's low scores, to the levels people had then.

    The level of the recovered is the mean retention of their next answers.
    """
    told = recovery(before.counted())
    rate = Rate(told.recovered().hits, told.size)
    stays = retention_after(before, value.table) if rate.hits else 0.0
    interval = rate.interval
    if rate.share is None or interval is None or stays is None:
        return Supposed(AS_LAST_QUARTER, None, value.at_risk.counted, rate)
    least, most = interval.low, interval.high
    lost = [left_at_risk(value.at_risk, value.table, share, stays) for share in (rate.share, most, least)]
    return Supposed(AS_LAST_QUARTER, Amount(*lost), value.at_risk.counted, rate)


def retention_after(before: Told, table: Table) -> float | None:
    """None where there is no such answer."""
    given_on = scales()
    answers = Counter(known.next_answers(before, given_on))
    if not answers:
        return None
    stays = sum(
        count * table[level_of(answer.score, given_on.of(answer))].middle for answer, count in answers.items()
    )
    return stays / answers.total()


def left_at_risk(at_risk: Stakes, table: Table, share: float, stays: float) -> float:
    """What is lost if this share of everybody at risk is kept as `stays` says, and the others as now.

    Nobody gets worse by recovering: who is expected to stay more surely than that keeps their own.
    """
    lost = 0.0
    for row in at_risk.rows:
        if row.amount is not None and row.worth is not None and row.levels.now is not None:
            now = table[row.levels.now].middle
            lost += row.worth * (1 - (share * max(now, stays) + (1 - share) * now))
    return lost
