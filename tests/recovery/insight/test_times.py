"""Promises kept, and how long people waited. The East team works 9 to 17; its Monday begins at 10:00."""

from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recovery import business_hours
from recovery.business_hours import Holiday, Window, WorkingCalendar
from recovery.insight.cohort import Slice, low_scores
from recovery.insight.times import Promises, Waited, WorkingClock, promises, waited
from recovery.lifecycle import extend, merge, start_waiting
from recovery.models import Ticket
from recovery.models.ticket import TicketQuerySet
from tests.due import run_all
from tests.make import DAY, HOUR, MINUTE, MONDAY, Cast, make_calendar
from tests.recovery.insight.histories import heard, loop, low, put_right


def cohort() -> TicketQuerySet:
    return low_scores(Ticket.objects.all(), Slice())


def kept(kind: str, at: datetime) -> Promises:
    return promises(cohort(), at)[kind]


def times(kind: str, at: datetime) -> Waited:
    return waited(cohort(), at)[kind]


class TestPromises:
    # P3 allows four working hours to the first contact: due at 14:00.
    def test_met_on_time_and_late_open_and_ahead(self, cast: Cast) -> None:
        heard(cast, low(cast), at=MONDAY + 4 * HOUR)
        heard(cast, low(cast), at=MONDAY + 4 * HOUR + MINUTE)
        low(cast)
        low(cast, at=MONDAY + 3 * HOUR)
        found = kept("first_contact", MONDAY + 5 * HOUR)
        assert (found.kept.hits, found.kept.n) == (1, 3)
        assert (found.missed, found.overdue, found.running, found.dropped) == (2, 1, 1, 0)

    def test_it_is_the_same_before_and_after_the_sweep_has_seen_the_breach(self, cast: Cast) -> None:
        low(cast)
        late = MONDAY + 5 * HOUR
        before = kept("first_contact", late)
        run_all(late)
        assert kept("first_contact", late) == before
        assert (before.kept.n, before.overdue) == (1, 1)

    def test_what_ended_before_its_time_is_counted_beside(self, cast: Cast) -> None:
        put_right(cast, low(cast), at=MONDAY + HOUR)
        merge(low(cast), by=cast.chen, at=MONDAY + HOUR, into=low(cast))
        found = kept("first_contact", MONDAY + 2 * HOUR)
        assert (found.kept.n, found.dropped, found.running) == (0, 2, 1)

    def test_what_ended_after_its_time_counts_against(self, cast: Cast) -> None:
        put_right(cast, low(cast), at=MONDAY + DAY)
        found = kept("first_contact", MONDAY + DAY)
        assert (found.kept.hits, found.kept.n, found.overdue) == (0, 1, 0)

    def test_a_clock_that_stands_is_neither(self, cast: Cast) -> None:
        start_waiting(low(cast), by=cast.lina, at=MONDAY + HOUR, reason="Waits for a photo")
        found = kept("first_contact", MONDAY + 9 * DAY)
        assert (found.running, found.kept.n) == (1, 0)

    def test_one_that_was_late_before_it_was_extended_stays_late(self, cast: Cast) -> None:
        ticket = low(cast)
        late = MONDAY + 5 * HOUR
        run_all(late)
        ticket.refresh_from_db()
        ticket = extend(ticket, by=cast.chen, at=late, minutes=600, reason="More time", kind="first_contact")
        heard(cast, ticket, at=late + MINUTE)
        found = kept("first_contact", late + HOUR)
        assert (found.kept.hits, found.missed) == (0, 1)

    def test_every_cycle_has_its_own_resolution(self, cast: Cast) -> None:
        ticket = loop(cast, 3)
        put_right(cast, ticket, at=MONDAY + 6 * DAY)
        found = kept("resolution", MONDAY + 7 * DAY)
        assert (found.kept.hits, found.kept.n) == (2, 2)

    def test_no_tickets_are_no_figure(self, cast: Cast) -> None:
        assert kept("resolution", MONDAY) == Promises(kept("first_contact", MONDAY).kept, 0, 0, 0)
        assert kept("resolution", MONDAY).kept.share is None


class TestWaited:
    def test_working_time_leaves_the_night_out_and_the_wall_clock_does_not(self, cast: Cast) -> None:
        heard(cast, low(cast), at=MONDAY + DAY)  # Monday 10:00 to Tuesday 10:00
        found = times("first_contact", MONDAY + 2 * DAY)
        assert found.working.median is not None
        assert found.calendar.median is not None
        assert (found.working.median.value, found.calendar.median.value) == (480, 24 * 60)

    def test_open_tickets_count(self, cast: Cast) -> None:
        for hours in (1, 2, 3):
            heard(cast, low(cast), at=MONDAY + hours * HOUR)
        for _ in range(7):
            low(cast)
        found = times("first_contact", MONDAY + 4 * HOUR)
        assert (found.count, found.open) == (10, 7)
        assert found.working.median is None, "fewer than half are done: the median is not known yet"
        assert [step.time for step in found.working.steps] == [60, 120, 180]

    def test_a_ticket_resolved_without_a_contact_is_censored_there(self, cast: Cast) -> None:
        put_right(cast, low(cast), at=MONDAY + HOUR)
        heard(cast, low(cast), at=MONDAY + 2 * HOUR)
        found = times("first_contact", MONDAY + 9 * DAY)
        assert (found.count, found.open) == (2, 1)
        assert [(step.time, step.at_risk) for step in found.working.steps] == [(120, 1)]

    def test_an_hour_waiting_for_the_customer_is_an_hour(self, cast: Cast) -> None:
        ticket = start_waiting(low(cast), by=cast.lina, at=MONDAY + HOUR, reason="Waits for a photo")
        put_right(cast, ticket, at=MONDAY + 3 * HOUR)
        found = times("resolution", MONDAY + 4 * HOUR)
        assert [step.time for step in found.working.steps] == [180]

    def test_it_takes_the_calendar_of_the_deadline(self, cast: Cast) -> None:
        cast.west.calendar = make_calendar("London", "Europe/London")
        cast.west.save()
        # Monday 02:00 in London; reached at 10:00 there, an hour after opening.
        heard(cast, low(cast, team=cast.west), at=MONDAY + 8 * HOUR)
        found = times("first_contact", MONDAY + DAY)
        assert [step.time for step in found.working.steps] == [60]

    def test_only_the_first_cycle_is_timed(self, cast: Cast) -> None:
        loop(cast, 3)
        assert times("resolution", MONDAY + 9 * DAY).count == 1

    def test_it_asks_the_database_as_often_for_twelve_as_for_one(self, cast: Cast) -> None:
        heard(cast, low(cast))
        with CaptureQueriesContext(connection) as one:
            waited(cohort(), MONDAY + DAY)
        for _ in range(11):
            heard(cast, low(cast))
        with CaptureQueriesContext(connection) as twelve:
            assert waited(cohort(), MONDAY + DAY)["first_contact"].count == 12
        assert len(twelve) == len(one) == 4


class TestWorkingClock:
    @pytest.mark.parametrize("zone", ["Asia/Shanghai", "Europe/London", "America/St_Johns"])
    def test_it_agrees_with_the_walk_through_the_calendar(self, zone: str) -> None:
        calendar = WorkingCalendar(
            ZoneInfo(zone),
            (Window(frozenset(range(5)), 540, 1020), Window(frozenset({4}), 1320, 360)),
            (Holiday(datetime(2026, 3, 10, tzinfo=UTC).date(), "Feast", 600, 660),),
        )
        first, last = MONDAY, MONDAY + 60 * DAY
        clock, chance = WorkingClock(calendar, first, last), Random(5)
        for _ in range(300):
            start, end = sorted(first + chance.random() * (last - first) for _ in range(2))
            expected = business_hours.worked(calendar, start, end) / timedelta(minutes=1)
            assert clock.minutes(start, end) == pytest.approx(expected)

    def test_it_counts_to_the_edges_of_its_span(self) -> None:
        calendar = WorkingCalendar(UTC, (Window(frozenset(range(7)), 0, 1440),))
        assert WorkingClock(calendar, MONDAY, MONDAY + DAY).minutes(MONDAY, MONDAY + DAY) == 1440
        assert WorkingClock(calendar, MONDAY, MONDAY).minutes(MONDAY, MONDAY) == 0
