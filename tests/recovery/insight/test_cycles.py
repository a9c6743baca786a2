"""How often tickets were begun again."""

from datetime import datetime

from recovery.insight.cohort import Slice, low_scores
from recovery.insight.cycles import Cycles, cycles
from recovery.insight.recovery import Rate
from recovery.lifecycle import merge, reopen, resolve
from recovery.models import Ticket
from tests.make import DAY, HOUR, MONDAY, Cast
from tests.recovery.insight.histories import loop, low, put_right

LATER = MONDAY + 30 * DAY


def found(at: datetime = LATER) -> Cycles:
    return cycles(low_scores(Ticket.objects.all(), Slice()), at)


def again(cast: Cast, ticket: Ticket, *, at: datetime) -> Ticket:
    ticket.refresh_from_db()
    return reopen(ticket, by=cast.chen, at=at, reason="They called back")


def test_every_reopening_is_one_cycle_more(cast: Cast) -> None:
    low(cast)
    loop(cast, 9)
    twice = loop(cast, 3)  # answered low again: the next cycle began by itself
    put_right(cast, twice, at=MONDAY + 6 * DAY)
    again(cast, twice, at=MONDAY + 7 * DAY)
    assert found().distribution == {1: 2, 3: 1}
    assert found().reopened == Rate(1, 2), "what was never resolved cannot come back"


def test_as_of_a_past_day_it_was_not_reopened_yet(cast: Cast) -> None:
    again(cast, put_right(cast, low(cast)), at=MONDAY + 3 * DAY)
    assert found(MONDAY + HOUR).reopened == Rate(0, 0)
    assert found(MONDAY + 2 * DAY).reopened == Rate(0, 1)
    assert found(MONDAY + 3 * DAY).reopened == Rate(1, 1)


def test_the_cause_is_that_of_the_first_resolution(cast: Cast) -> None:
    ticket = again(cast, put_right(cast, low(cast)), at=MONDAY + 2 * DAY)
    resolve(ticket, by=cast.lina, at=MONDAY + 3 * DAY, cause_found=cast.rude, what_was_done="Said sorry")
    put_right(cast, low(cast))
    assert found().by_cause == {"late": Rate(1, 2)}


def test_a_merged_ticket_was_never_resolved(cast: Cast) -> None:
    merge(low(cast), by=cast.chen, at=MONDAY + HOUR, into=low(cast))
    assert (found().distribution, found().reopened) == ({1: 2}, Rate(0, 0))


def test_nothing_is_no_figure() -> None:
    nothing = cycles(Ticket.objects.none(), LATER)
    assert (nothing.size, nothing.distribution, nothing.reopened, nothing.by_cause) == (0, {}, Rate(0, 0), {})
