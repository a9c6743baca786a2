"""When people pick up, and how many attempts it takes. Monday 10:00 in Shanghai is MONDAY."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recovery.insight.cohort import Slice, low_scores
from recovery.insight.reach import Logged, Reach, Tally, reach, search_of, standouts
from recovery.insight.recovery import Rate
from recovery.models import Ticket
from surveys.estimates import wilson
from surveys.models import Customer
from tests.make import DAY, HOUR, MONDAY, Cast
from tests.recovery.insight.histories import heard, low

LATER = MONDAY + 30 * DAY


def found(at: datetime = LATER) -> Reach:
    return reach(low_scores(Ticket.objects.all(), Slice()), at)


def tries(ticket: int, *outcomes: str) -> list[Logged]:
    return [
        Logged(ticket, MONDAY + number * HOUR, "phone", outcome, "", "UTC")
        for number, outcome in enumerate(outcomes)
    ]


class TestSlots:
    def test_it_counts_by_the_clock_on_the_customers_wall(self, cast: Cast) -> None:
        london = low(cast, customer=cast.customer(time_zone="Europe/London"))
        heard(cast, london, at=MONDAY + 7 * HOUR)  # 9:00 in London, 17:00 in Shanghai
        heard(cast, low(cast), at=MONDAY + 7 * HOUR, outcome="no_answer")
        slots = found().slots
        assert slots[0, 9].rate == Rate(1, 1)
        assert slots[0, 17].rate == Rate(0, 1)
        assert slots[0, 9].tickets == {london.pk}

    @pytest.mark.parametrize("zone", ["", "No/Where"])
    def test_a_zone_that_is_not_known_is_the_teams(self, cast: Cast, zone: str) -> None:
        ticket = low(cast)
        Customer.objects.filter(tickets=ticket).update(time_zone=zone)
        heard(cast, ticket, at=MONDAY + 16 * HOUR)  # 2:00 on Tuesday in Shanghai
        assert set(found().slots) == {(1, 2)}
        assert found().in_own_zone == 0

    def test_a_reply_is_no_attempt(self, cast: Cast) -> None:
        heard(cast, low(cast), outcome="replied")
        assert (found().attempts, found().replies) == ([], 1)
        assert (found().rate, found().slots) == (Rate(0, 0), {})

    def test_every_attempt_counts_and_its_ticket_once(self, cast: Cast) -> None:
        ticket = low(cast)
        for minutes, outcome in enumerate(("no_answer", "voicemail", "reached", "reached")):
            ticket = heard(cast, ticket, at=MONDAY + timedelta(minutes=minutes), outcome=outcome)
        assert found().slots[0, 10] == Tally(Rate(2, 4), frozenset({ticket.pk}))
        assert found().hours[10] == found().weekdays[0] == found().channels["phone"] == found().slots[0, 10]

    def test_sums_are_those_of_the_slots(self, cast: Cast) -> None:
        for hours in (0, 1, 24, 25, 26, 170):
            heard(cast, low(cast), at=MONDAY + hours * HOUR, outcome="reached" if hours % 2 else "no_answer")
        slots = found().slots.values()
        for tallies in (found().hours, found().weekdays, found().channels):
            assert sum(tally.rate.n for tally in tallies.values()) == 6
            assert sum(tally.rate.hits for tally in tallies.values()) == 2
        assert sum(tally.rate.n for tally in slots) == found().rate.n == 6

    def test_what_came_later_has_not_happened_yet(self, cast: Cast) -> None:
        heard(cast, low(cast), at=MONDAY + DAY)
        assert found(MONDAY + DAY - HOUR).attempts == []
        assert found(MONDAY + DAY).rate.n == 1


class TestStandouts:
    def tallies(self, **rates: tuple[int, int]) -> dict[str, Tally]:
        return {name: Tally(Rate(*rate), frozenset()) for name, rate in rates.items()}

    def test_the_best_and_the_worst_are_named_where_their_intervals_do_not_overlap(self) -> None:
        apart = self.tallies(morning=(6, 40), noon=(18, 40), evening=(30, 40))
        assert standouts(apart) == ("evening", "morning")

    def test_nothing_is_named_where_they_overlap(self) -> None:
        assert standouts(self.tallies(morning=(15, 40), evening=(22, 40))) is None

    def test_fewer_than_thirty_attempts_are_not_compared(self) -> None:
        assert standouts(self.tallies(morning=(0, 29), evening=(30, 40))) is None
        assert standouts({}) is None


class TestSearch:
    def test_it_ends_with_the_first_reach_and_counts_who_was_not_reached(self) -> None:
        log = [
            *tries(1, "no_answer", "reached", "reached", "no_answer"),
            *tries(2, "reached"),
            *tries(3, "no_answer", "no_answer", "no_answer"),
            *tries(4, "voicemail", "replied", "reached"),
            *tries(5, "replied"),
        ]
        search = search_of(log)
        assert search.rate == Rate(2, 2 + 1 + 3 + 1)
        assert (search.times.count, search.times.events) == (4, 2)
        # 4 tried once, one reached; of the 2 tried again one reached: 3/4, then 3/8 are left.
        assert [step.survival for step in search.times.steps] == [0.75, 0.375]
        assert (search.by_attempt(1), search.by_attempt(2), search.by_attempt(9)) == (0.25, 0.625, 0.625)

    def test_it_agrees_with_statsmodels(self) -> None:
        log: list[Logged] = []
        for ticket in range(40):
            last = ("reached", "no_answer", "reached", "replied")[ticket % 4]
            log += tries(ticket, *["no_answer"] * (ticket * 7 % 5), last)
        search = search_of(log)
        lengths, ends = [], []
        for ticket in range(40):
            missed, kind = ticket * 7 % 5, ticket % 4
            if kind == 3 and missed == 0:
                continue  # replied before anybody tried
            lengths.append(missed + (kind != 3))
            ends.append(kind in (0, 2))
        survfunc = pytest.importorskip("statsmodels.duration.survfunc")
        oracle = survfunc.SurvfuncRight(lengths, [int(end) for end in ends])
        assert [step.time for step in search.times.steps] == list(oracle.surv_times)
        for step, left in zip(search.times.steps, oracle.surv_prob, strict=True):
            assert step.survival == pytest.approx(left, abs=1e-9)

    def test_attempts_per_reach_turns_the_interval_of_the_share_round(self) -> None:
        search = search_of([each for ticket in range(12) for each in tries(ticket, "no_answer", "reached")])
        ends, cost = wilson(12, 24), search.per_reach
        assert ends is not None
        assert cost is not None
        assert (cost.value, cost.low, cost.high) == (2, 1 / ends.high, 1 / ends.low)
        assert cost.low < 2 < (cost.high or 0)

    def test_few_attempts_and_none_that_reached_have_no_such_number(self) -> None:
        assert search_of(tries(1, *["no_answer"] * 8, "reached")).per_reach is None
        assert search_of(tries(1, *["no_answer"] * 20)).per_reach is None
        assert search_of([]).per_reach is None


def test_it_asks_the_database_once(cast: Cast) -> None:
    for _ in range(3):
        heard(cast, low(cast))
    with CaptureQueriesContext(connection) as captured:
        assert found().rate.n == 3
    assert len(captured) == 1
