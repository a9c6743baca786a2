"""When people pick up, and how many attempts it takes. Monday 10:00 in Shanghai is MONDAY."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recovery.insight.cohort import Slice, low_scores
from recovery.insight.reach import HOURS, Reach, Tally, attempts_at, reach, search_of, standouts, tried_then
from recovery.insight.recovery import Rate
from recovery.models import Contact, Ticket
from recovery.models.contact import CONTACT_OUTCOMES
from recovery.models.ticket import TicketQuerySet
from surveys.estimates import wilson
from surveys.models import Customer
from tests.make import DAY, HOUR, MONDAY, Cast
from tests.recovery.insight.histories import heard, low
from tests.recovery.insight.loop_slowly import reach_slowly

LATER = MONDAY + 30 * DAY


def cohort() -> TicketQuerySet:
    return low_scores(Ticket.objects.all(), Slice())


def found(at: datetime = LATER) -> Reach:
    return reach(cohort(), at)


def tried(ticket: Ticket, *outcomes: str, at: datetime = MONDAY) -> None:
    """So many contacts, an hour apart."""
    Contact.objects.bulk_create(
        Contact(ticket=ticket, cycle=1, at=at + number * HOUR, outcome=outcome)
        for number, outcome in enumerate(outcomes)
    )


class TestSlots:
    def test_it_counts_by_the_clock_on_the_customers_wall(self, cast: Cast) -> None:
        london = low(cast, customer=cast.customer(time_zone="Europe/London"))
        heard(cast, london, at=MONDAY + 7 * HOUR)  # 9:00 in London, 17:00 in Shanghai
        heard(cast, low(cast), at=MONDAY + 7 * HOUR, outcome="no_answer")
        slots = found().slots
        assert slots[0, 9].rate == Rate(1, 1)
        assert slots[0, 17].rate == Rate(0, 1)
        assert tried_then(cohort(), LATER, weekday=0, hour=9) == [london.pk]

    @pytest.mark.parametrize("zone", ["", "No/Where"])
    def test_a_zone_that_is_not_known_is_the_teams(self, cast: Cast, zone: str) -> None:
        ticket = low(cast)
        Customer.objects.filter(tickets=ticket).update(time_zone=zone)
        heard(cast, ticket, at=MONDAY + 16 * HOUR)  # 2:00 on Tuesday in Shanghai
        assert set(found().slots) == {(1, 2)}
        assert found().in_own_zone == 0

    def test_a_reply_is_no_attempt(self, cast: Cast) -> None:
        heard(cast, low(cast), outcome="replied")
        assert (found().everything, found().slots, found().replies) == (Tally(Rate(0, 0), 0), {}, 1)
        assert not attempts_at(cohort(), LATER).exists()

    def test_every_attempt_counts_and_its_ticket_once(self, cast: Cast) -> None:
        ticket = low(cast)
        for minutes, outcome in enumerate(("no_answer", "voicemail", "reached", "reached")):
            ticket = heard(cast, ticket, at=MONDAY + timedelta(minutes=minutes), outcome=outcome)
        assert found().slots[0, 10] == Tally(Rate(2, 4), 1)
        sums = (found().hours[10], found().weekdays[0], found().channels["phone"], found().everything)
        assert set(sums) == {found().slots[0, 10]}

    def test_sums_are_those_of_the_slots(self, cast: Cast) -> None:
        for hours in (0, 1, 24, 25, 26, 170):
            heard(cast, low(cast), at=MONDAY + hours * HOUR, outcome="reached" if hours % 2 else "no_answer")
        slots = found().slots.values()
        for tallies in (found().hours, found().weekdays, found().channels):
            assert sum(tally.rate.n for tally in tallies.values()) == 6
            assert sum(tally.rate.hits for tally in tallies.values()) == 2
        assert sum(tally.rate.n for tally in slots) == found().everything.rate.n == 6

    def test_what_came_later_has_not_happened_yet(self, cast: Cast) -> None:
        heard(cast, low(cast), at=MONDAY + DAY)
        assert found(MONDAY + DAY - HOUR).everything.rate.n == 0
        assert found(MONDAY + DAY).everything.rate.n == 1

    def test_the_hour_is_that_of_the_day_the_clock_was_set(self, cast: Cast) -> None:
        ticket = low(cast, customer=cast.customer(time_zone="Europe/London"))
        set_at = datetime(2026, 3, 29, 1, tzinfo=UTC)
        tried(ticket, "no_answer", at=set_at - timedelta(microseconds=1))
        tried(ticket, "no_answer", at=set_at)
        assert set(found().slots) == {(6, 0), (6, 2)}

    def test_of_two_as_good_the_one_tried_first_comes_first(self, cast: Cast) -> None:
        for days in (2, 0, 1):
            tried(low(cast), "reached", at=MONDAY + days * DAY)
        assert list(found().weekdays) == [0, 1, 2]
        tried(low(cast), "reached", at=MONDAY - 3 * DAY)
        assert list(found().weekdays) == [4, 0, 1, 2]


class TestStandouts:
    def tallies(self, **rates: tuple[int, int]) -> dict[str, Tally]:
        return {name: Tally(Rate(*rate), 0) for name, rate in rates.items()}

    def test_the_best_and_the_worst_are_named_where_their_intervals_do_not_overlap(self) -> None:
        apart = self.tallies(morning=(6, 40), noon=(18, 40), evening=(30, 40))
        assert standouts(apart) == ("evening", "morning")

    def test_nothing_is_named_where_they_overlap(self) -> None:
        assert standouts(self.tallies(morning=(15, 40), evening=(22, 40))) is None

    def test_fewer_than_thirty_attempts_are_not_compared(self) -> None:
        assert standouts(self.tallies(morning=(0, 29), evening=(30, 40))) is None
        assert standouts({}) is None


class TestSearch:
    def test_it_ends_with_the_first_reach_and_counts_who_was_not_reached(self, cast: Cast) -> None:
        for outcomes in (
            ("no_answer", "reached", "reached", "no_answer"),
            ("reached",),
            ("no_answer", "no_answer", "no_answer"),
            ("voicemail", "replied", "reached"),
            ("replied",),
        ):
            tried(low(cast), *outcomes)
        search = found().search
        assert search.rate == Rate(2, 2 + 1 + 3 + 1)
        assert (search.times.count, search.times.events) == (4, 2)
        # 4 tried once, one reached; of the 2 tried again one reached: 3/4, then 3/8 are left.
        assert [step.survival for step in search.times.steps] == [0.75, 0.375]
        assert (search.by_attempt(1), search.by_attempt(2), search.by_attempt(9)) == (0.25, 0.625, 0.625)

    def test_it_agrees_with_statsmodels(self) -> None:
        searches = [(tries, 9 - tries, tries * 7 % 5) for tries in range(1, 6)]
        search = search_of(searches)
        lengths = [tries for tries, n, _hits in searches for _ in range(n)]
        ends = [number < hits for _tries, n, hits in searches for number in range(n)]
        survfunc = pytest.importorskip("statsmodels.duration.survfunc")
        oracle = survfunc.SurvfuncRight(lengths, [int(end) for end in ends])
        assert [step.time for step in search.times.steps] == list(oracle.surv_times)
        for step, left in zip(search.times.steps, oracle.surv_prob, strict=True):
            assert step.survival == pytest.approx(left, abs=1e-9)
        assert search.rate == Rate(sum(ends), sum(lengths))

    def test_attempts_per_reach_turns_the_interval_of_the_share_round(self) -> None:
        search = search_of([(2, 12, 12)])
        ends, cost = wilson(12, 24), search.per_reach
        assert ends is not None
        assert cost is not None
        assert (cost.value, cost.low, cost.high) == (2, 1 / ends.high, 1 / ends.low)
        assert cost.low < 2 < (cost.high or 0)

    @pytest.mark.parametrize("searches", [[(9, 1, 1)], [(20, 1, 0)], []])
    def test_few_attempts_and_none_that_reached_have_no_such_number(
        self, searches: list[tuple[int, int, int]]
    ) -> None:
        assert search_of(searches).per_reach is None


# Clocks that are set in spring, by half an hour, by an odd offset, never; none that is known, and none.
ZONES = (
    "Europe/London",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Asia/Shanghai",
    "x/y",
    "",
)
OUTCOMES = [outcome for outcome, _name in CONTACT_OUTCOMES]


@pytest.mark.parametrize("seed", range(3))
def test_it_counts_as_the_plain_way_does(cast: Cast, seed: int) -> None:
    chance = Random(seed)
    tickets = [low(cast, team=chance.choice([cast.east, cast.west])) for _ in range(9)]
    for ticket in tickets:
        Customer.objects.filter(tickets=ticket).update(time_zone=chance.choice(ZONES))
    Ticket.objects.filter(pk=tickets[0].pk).update(customer=None)
    moments = [MONDAY + chance.randrange(40 * 24 * 4) * timedelta(minutes=15) for _ in range(60)]
    Contact.objects.bulk_create(
        Contact(
            ticket=chance.choice(tickets),
            cycle=1,
            at=chance.choice(moments),
            channel=chance.choice(["phone", "email"]),
            outcome=chance.choice(OUTCOMES),
        )
        for _ in range(150)
    )
    for at in (MONDAY - DAY, MONDAY + 8 * DAY, LATER, MONDAY + 60 * DAY):
        plain = reach_slowly(cohort(), at)
        assert reach(cohort(), at) == plain
        for hour in HOURS:
            count = plain.hours[hour].tickets if hour in plain.hours else 0
            assert len(tried_then(cohort(), at, hour=hour)) == count


def test_it_asks_the_database_twice(cast: Cast) -> None:
    for _ in range(3):
        heard(cast, low(cast))
    with CaptureQueriesContext(connection) as captured:
        assert found().everything.rate.n == 3
    assert len(captured) == 2


def test_of_nobody_there_is_nothing_to_count() -> None:
    nobody = reach(Ticket.objects.none(), LATER)
    assert (nobody.everything, nobody.slots, nobody.search.times.count) == (Tally(Rate(0, 0), 0), {}, 0)
