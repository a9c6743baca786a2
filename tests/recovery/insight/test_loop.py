"""What PostgreSQL counts of the loop is what counting one by one gives, whatever happened."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

import pytest

from recovery.insight.cohort import Slice, low_scores, stories
from recovery.insight.cycles import cycles, of_so_many, reopened, reopened_after
from recovery.insight.funnel import funnel
from recovery.insight.loop import Loop, loop
from recovery.insight.telling import rebuild
from recovery.insight.told import Told
from recovery.insight.waiting import waiting, waits_of
from recovery.lifecycle.lot import BY_LOT
from recovery.models import Ticket, TicketEvent, Wait
from recovery.models.ticket import TicketQuerySet
from tests.make import DAY, HOUR, MONDAY, Cast
from tests.recovery.insight.histories import low, wander
from tests.recovery.insight.loop_slowly import (
    Happened,
    cycles_slowly,
    figures_of,
    histories,
    reach_slowly,
    waiting_slowly,
)

LATER = MONDAY + 60 * DAY
MOMENTS = (MONDAY - DAY, MONDAY + 5 * DAY, MONDAY + 16 * DAY, LATER)
KINDS = (
    *("contacted", "contacted", "reply_sent", "reply_sent", "reply_taken_back", "customer_wrote"),
    *("resolved", "reopened", "noted"),
)


def everybody() -> TicketQuerySet:
    return low_scores(Ticket.objects.all(), Slice())


def some_moment(chance: Random) -> datetime:
    """Of few, so that several things happen at once."""
    return MONDAY + chance.randrange(40) * 18 * HOUR


def anything_happens(chance: Random, ticket: Ticket) -> None:
    """Acts in no order an act would allow; what is counted must not turn on that."""
    TicketEvent.objects.bulk_create(
        TicketEvent(
            ticket=ticket,
            kind=kind,
            version=version,
            cycle=chance.choice([1, 1, 2]),
            at=some_moment(chance),
            data=said_of(chance, kind),
        )
        for version in range(2, 2 + chance.randrange(20))
        for kind in [chance.choice(KINDS)]
    )


def said_of(chance: Random, kind: str) -> dict[str, object]:
    if kind == "contacted":
        return {"outcome": chance.choice(["reached", "replied", "no_answer"])}
    if kind == "resolved":
        return {"cause_found": chance.choice(["late", "rude", "", None])}
    return {"reply": chance.randrange(4)} if kind in KINDS[2:6] else {}


def somebody_waits(cast: Cast, chance: Random, ticket: Ticket) -> None:
    for _ in range(chance.randrange(4)):
        start = some_moment(chance)
        end = start + chance.randrange(200) * timedelta(minutes=37)
        by = chance.choice([cast.lina, cast.majun, None])
        reason = chance.choice(["Waits for a photo", BY_LOT])
        Wait.objects.create(ticket=ticket, cycle=1, starts_at=start, ends_at=end, by=by, reason=reason)
    if chance.random() < 0.5:
        until = chance.choice([None, MONDAY + 9 * DAY])
        Wait.objects.create(
            ticket=ticket, cycle=2, starts_at=some_moment(chance), resume_at=until, by=cast.ann, reason="?"
        )


@pytest.mark.parametrize("seed", range(4))
def test_waits_and_cycles_are_those_of_the_plain_way(cast: Cast, seed: int) -> None:
    chance = Random(seed)
    for ticket in [low(cast) for _ in range(8)]:
        anything_happens(chance, ticket)
        somebody_waits(cast, chance, ticket)
    for at in MOMENTS:
        cohort = everybody()
        assert waiting(cohort, at) == waiting_slowly(cohort, at)
        assert figures_of(cycles(cohort, at)) == figures_of(cycles_slowly(cohort, at))
        check_lists(cohort, at)


def check_lists(cohort: TicketQuerySet, at: datetime) -> None:
    """The tickets behind the numbers, as their acts tell one by one."""
    told = histories(cohort, at)
    again = {ticket: sum(act.kind == "reopened" for act in acts) for ticket, acts in told.items()}
    for number in (1, 2, 3, 4):
        alike = {ticket for ticket, times in again.items() if 1 + times == number}
        assert set(of_so_many(cohort, at, number).values_list("pk", flat=True)) == alike
    back = {ticket for ticket, times in again.items() if times}
    assert set(reopened(cohort, at).values_list("pk", flat=True)) == back
    for cause in ("late", "rude", ""):
        found = {ticket for ticket in back if first_cause(told[ticket]) == cause}
        assert set(reopened_after(cohort, at, cause).values_list("pk", flat=True)) == found
    pauses = waiting_slowly(cohort, at).pauses
    assert sorted(waits_of(cohort, at).values_list("ticket", flat=True)) == sorted(
        pause.ticket for pause in pauses
    )


def first_cause(acts: list[Happened]) -> str:
    return next((act.cause_found or "" for act in acts if act.kind == "resolved"), "")


@pytest.mark.parametrize("seed", range(2))
def test_the_whole_loop_is_that_of_the_plain_way(cast: Cast, seed: int) -> None:
    chance = Random(seed)
    for _ in range(10):
        wander(cast, chance)
    for _told in ("anew", "from what is kept"):
        for as_of in (None, MONDAY + 4 * DAY, MONDAY + 20 * DAY):
            at = as_of or LATER
            found = loop(Told(Ticket.objects.all(), Slice(as_of=as_of)), at)
            plain = loop_slowly(as_of, at)
            assert (found.funnel, found.reach, found.waiting) == (plain.funnel, plain.reach, plain.waiting)
            assert figures_of(found.cycles) == figures_of(plain.cycles)
        list(rebuild())


def loop_slowly(as_of: datetime | None, at: datetime) -> Loop:
    cohort = low_scores(Ticket.objects.all(), Slice(as_of=as_of))
    return Loop(
        funnel=funnel(stories(cohort, as_of)),
        reach=reach_slowly(cohort, at),
        waiting=waiting_slowly(cohort, at),
        cycles=cycles_slowly(cohort, at),
    )
