"""What PostgreSQL counts and whole numbers tell is what each deadline told by itself, to the last bit."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from random import Random

import pytest

from recovery.insight.cohort import Slice, low_scores
from recovery.insight.dues import GROUPINGS
from recovery.insight.times import KINDS, missed, times, waited
from recovery.lifecycle import (
    Refused,
    assign,
    change_priority,
    extend,
    merge,
    reopen,
    resume,
    start_waiting,
)
from recovery.models import Ticket
from recovery.models.ticket import TicketQuerySet
from tests.due import run_all
from tests.make import DAY, HOUR, MINUTE, MONDAY, Cast, make_calendar
from tests.recovery.insight.histories import heard, low, put_right
from tests.recovery.insight.plain_times import agree, plainly, promised, same_times, tickets_missed

STEPS = 30


def cohort() -> TicketQuerySet:
    return low_scores(Ticket.objects.all(), Slice())


def history(cast: Cast, chance: Random) -> list[datetime]:
    """A fortnight by chance in two teams with a calendar each, at odd seconds; the moments of it."""
    cast.west.calendar = make_calendar("London", "Europe/London")
    cast.west.save()
    at, moments = MONDAY, []
    for _ in range(STEPS):
        at += chance.choice([MINUTE, HOUR, 9 * HOUR]) * chance.random()
        with suppress(Refused):
            act(cast, chance, at)
        moments.append(at)
    return moments


def act(cast: Cast, chance: Random, at: datetime) -> None:
    tickets = list(Ticket.objects.exclude(status="closed").order_by("pk"))
    if len(tickets) < 4 or chance.random() < 0.25:
        team = chance.choice([cast.east, cast.west])
        low(cast, at=at, team=team, priority=chance.choice([1, 2, 3]))
        return
    ticket = chance.choice(tickets)
    if ticket.status == "resolved":
        reopen(ticket, by=cast.admin, at=at, reason="They called")
    elif ticket.status == "waiting":
        resume(ticket, by=cast.admin, at=at)
    else:
        chance.choice(WAYS)(cast, chance, ticket, at)


def is_heard(cast: Cast, chance: Random, ticket: Ticket, at: datetime) -> None:
    heard(cast, ticket, at=at, outcome=chance.choice(["reached", "no_answer"]))


def is_put_right(cast: Cast, _chance: Random, ticket: Ticket, at: datetime) -> None:
    put_right(cast, ticket, at=at)


def waits(cast: Cast, _chance: Random, ticket: Ticket, at: datetime) -> None:
    start_waiting(ticket, by=cast.admin, at=at, reason="Waits for a photo")


def is_extended(cast: Cast, chance: Random, ticket: Ticket, at: datetime) -> None:
    extend(ticket, by=cast.admin, at=at, minutes=chance.randrange(60, 900), reason="More time")


def is_raised(cast: Cast, _chance: Random, ticket: Ticket, at: datetime) -> None:
    change_priority(ticket, by=cast.admin, at=at, priority=ticket.priority % 3 + 1)


def is_handed_over(cast: Cast, chance: Random, ticket: Ticket, at: datetime) -> None:
    team, owner = chance.choice([(cast.east, cast.majun), (cast.west, cast.ann)])
    assign(ticket, by=cast.admin, at=at, to=owner, team=team, reason="Knows them")


def is_merged(cast: Cast, _chance: Random, ticket: Ticket, at: datetime) -> None:
    merge(ticket, by=cast.admin, at=at, into=low(cast, at=at), reason="the same matter")


def is_swept(_cast: Cast, _chance: Random, _ticket: Ticket, at: datetime) -> None:
    run_all(at)


WAYS: list[Callable[[Cast, Random, Ticket, datetime], None]] = [
    *(is_heard, is_heard, is_put_right, is_put_right, waits),
    *(is_extended, is_raised, is_handed_over, is_merged, is_swept),
]


@pytest.mark.parametrize("seed", range(3))
def test_every_number_is_the_plain_one_now_and_at_every_moment_before(cast: Cast, seed: int) -> None:
    chance = Random(seed)
    moments = history(cast, chance)
    for at in (moments[-1] + 9 * DAY, moments[-1], *chance.sample(moments, 3)):
        found, plain = times(cohort(), at, GROUPINGS), plainly(cohort(), at)
        for kind in KINDS:
            agree(found.all[kind], plain[kind, "", 0])
            same_times(waited(cohort(), at)[kind], plain[kind, "", 0])
            for name in GROUPINGS:
                groups = found.by[name][kind]
                told = {key for its_kind, its_name, key in plain if (its_kind, its_name) == (kind, name)}
                assert set(groups) == told
                for key, pace in groups.items():
                    agree(pace, plain[kind, name, key])


@pytest.mark.parametrize("seed", range(5, 7))
def test_the_tickets_behind_a_broken_promise_are_those_it_counts(cast: Cast, seed: int) -> None:
    chance = Random(seed)
    moments = history(cast, chance)
    for at in (moments[-1] + 9 * DAY, *chance.sample(moments, 3)):
        rows, found = promised(cohort(), at), times(cohort(), at, GROUPINGS)
        for kind in KINDS:
            behind = set(missed(cohort(), kind, at).values_list("pk", flat=True))
            assert behind == tickets_missed(rows, kind, at)
            assert len(behind) == found.all[kind].promises.tickets_missed
            for name in GROUPINGS:
                for key, pace in found.by[name][kind].items():
                    theirs = missed(cohort().filter(**{name: key}), kind, at)
                    assert theirs.count() == pace.promises.tickets_missed
