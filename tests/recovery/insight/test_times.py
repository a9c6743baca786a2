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
from recovery.insight.promised import Promise, Promises, dues_then
from recovery.insight.times import Waited, promises, waited
from recovery.insight.times import times as times_of_all
from recovery.insight.working_clock import WorkingClock
from recovery.lifecycle import change_priority, extend, merge, reopen, resume, start_waiting
from recovery.models import Ticket
from recovery.models.ticket import TicketQuerySet
from tests.due import run_all
from tests.make import DAY, HOUR, MINUTE, MONDAY, Cast, make_calendar
from tests.recovery.insight.histories import heard, loop, low, put_right
from tests.recovery.insight.plain_times import told


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

    def test_a_ticket_merged_is_censored_there(self, cast: Cast) -> None:
        merge(low(cast), by=cast.chen, at=MONDAY + HOUR, into=low(cast))
        heard(cast, low(cast), at=MONDAY + 2 * HOUR)
        found = times("first_contact", MONDAY + 9 * DAY)
        assert (found.count, found.open, found.closed_unheard, found.merged) == (3, 1, 0, 1)
        assert [(step.time, step.at_risk) for step in found.working.steps] == [(120, 2)]

    def test_one_merged_after_it_was_resolved_unheard_and_reopened_was_closed_unheard(
        self, cast: Cast
    ) -> None:
        ticket = put_right(cast, low(cast), at=MONDAY + HOUR)
        ticket = reopen(ticket, by=cast.chen, at=MONDAY + DAY, reason="They called")
        merge(ticket, by=cast.chen, at=MONDAY + 2 * DAY, into=low(cast))
        found = times("first_contact", MONDAY + 9 * DAY)
        assert (found.open, found.closed_unheard, found.merged) == (1, 1, 0)
        assert times("resolution", MONDAY + 9 * DAY).closed_unheard == 0

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


class TestClosedUnheard:
    """Ten opened on Monday at 10:00: seven heard in the hours after, three resolved with nobody heard."""

    # Before anybody was heard, between two of them, and after all.
    @pytest.mark.parametrize("closed", [30 * MINUTE, 3 * HOUR + MINUTE, 3 * DAY])
    def test_closing_them_makes_nothing_faster(self, cast: Cast, closed: timedelta) -> None:
        for hours in range(1, 8):
            heard(cast, low(cast), at=MONDAY + hours * HOUR)
        for _ in range(3):
            put_right(cast, low(cast), at=MONDAY + closed)
        found = times("first_contact", MONDAY + 9 * DAY)
        assert (found.count, found.open, found.closed_unheard, found.merged) == (10, 0, 3, 0)
        for clock in (found.working, found.calendar):
            shares = [(step.time / 60, round(1 - step.survival, 12)) for step in clock.steps]
            plain = [(hours, hours / 10) for hours in range(1, 8)]
            assert shares == plain, "the share of all who were heard by then"
            assert clock.median is not None
            assert clock.median.value == 5 * 60, "the fifth of ten"
            assert clock.percentile(80) is None, "three in ten were never heard"

    def test_the_same_in_its_group_and_on_a_past_day(self, cast: Cast) -> None:
        for hours in range(1, 8):
            heard(cast, low(cast), at=MONDAY + hours * HOUR)
        for _ in range(3):
            put_right(cast, low(cast), at=MONDAY + DAY)
        found = times_of_all(cohort(), MONDAY + 9 * DAY)
        for group in (found.by["team"], found.by["priority"]):
            (pace,) = group["first_contact"].values()
            assert (
                pace.waited == found.all["first_contact"].waited == times("first_contact", MONDAY + 9 * DAY)
            )
            assert pace.waited.closed_unheard == 3
        before = times("first_contact", MONDAY + 8 * HOUR)
        assert (before.open, before.closed_unheard) == (3, 0)

    @pytest.mark.parametrize("seed", range(20))
    def test_opened_together_the_curve_is_the_plain_share_heard(self, seed: int) -> None:
        chance = Random(seed)
        at = MONDAY + 30 * DAY
        rows = [promise(chance, number) for number in range(60)]
        clock = WorkingClock(WorkingCalendar(UTC, (Window(frozenset(range(7)), 0, 1440),)), MONDAY, at)
        found = told(rows, at, {1: clock})
        heard_after = [(row.met_at - MONDAY) / MINUTE for row in rows if row.met_at]
        assert (found.working.events, found.working.count) == (len(heard_after), 60)
        for curve in (found.working, found.calendar):
            for step in curve.steps:
                by_then = sum(minutes <= step.time for minutes in heard_after)
                assert 1 - step.survival == pytest.approx(by_then / 60)


def promise(chance: Random, number: int) -> Promise:
    """A first contact begun on Monday: heard, closed with nobody heard, or still waiting."""
    end = MONDAY + chance.randrange(1, 20 * 24 * 60) * MINUTE
    met_at, ended_at = chance.choice([(end, None), (end, None), (None, end), (None, None)])
    return Promise(
        number,
        "first_contact",
        1,
        1,
        3,
        1,
        MONDAY,
        None,
        met_at,
        None,
        ended_at,
        ended_at and end + DAY,
        None,
        1,
        240,
    )


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


class TestAsOf:
    """What stands of a promise at a moment that lies in the past. P3: first contact by 14:00 on Monday."""

    def test_what_came_later_counts_as_not_yet(self, cast: Cast) -> None:
        heard(cast, low(cast), at=MONDAY + 2 * HOUR)
        put_right(cast, low(cast), at=MONDAY + 3 * HOUR)  # dropped then
        before = kept("first_contact", MONDAY + HOUR)
        assert (before.kept.n, before.running, before.dropped) == (0, 2, 0)
        assert times("first_contact", MONDAY + HOUR).open == 2
        after = kept("first_contact", MONDAY + 3 * HOUR)
        assert (after.kept.hits, after.running, after.dropped) == (1, 0, 1)

    def test_a_breach_that_came_later_was_none_then(self, cast: Cast) -> None:
        low(cast)
        run_all(MONDAY + 9 * HOUR)
        assert kept("first_contact", MONDAY + 4 * HOUR - MINUTE).overdue == 0
        assert kept("first_contact", MONDAY + 4 * HOUR).overdue == 1

    def test_what_was_not_open_yet_is_not_there(self, cast: Cast) -> None:
        low(cast, at=MONDAY + DAY)
        assert kept("first_contact", MONDAY).running == 0
        assert times("first_contact", MONDAY).count == 0

    def test_the_due_time_in_force_then_counts_and_not_the_one_it_was_moved_to(self, cast: Cast) -> None:
        ticket = low(cast)
        more = {"by": cast.chen, "reason": "More time", "kind": "resolution"}
        # 24 working hours are over on Thursday at 10:00; twice moved, before and after that.
        ticket = extend(ticket, at=MONDAY + HOUR, minutes=60, **more)  # type: ignore[arg-type]
        due = MONDAY + 3 * DAY + HOUR
        ticket = extend(ticket, at=due - MINUTE, minutes=2400, **more)  # type: ignore[arg-type]
        assert kept("resolution", due + MINUTE).overdue == 0
        assert kept("resolution", due - 2 * MINUTE).running == 1
        assert dues_then(cohort(), MONDAY)[ticket.pk, "resolution", 1].due_at == MONDAY + 3 * DAY
        assert dues_then(cohort(), MONDAY + 2 * HOUR)[ticket.pk, "resolution", 1].due_at == due
        assert dues_then(cohort(), due) == {}

    def test_one_that_became_late_by_being_moved_before_now_was_not_late_until_then(self, cast: Cast) -> None:
        moved = MONDAY + 3 * HOUR
        change_priority(low(cast), by=cast.chen, at=moved, priority=1)  # due at 11:00 instead of 14:00
        assert kept("first_contact", moved - MINUTE).running == 1
        assert kept("first_contact", moved).overdue == 1

    def test_one_that_was_late_before_it_was_moved_was_late_then(self, cast: Cast) -> None:
        more = {"minutes": 600, "reason": "More time", "kind": "first_contact"}
        ticket = extend(low(cast), by=cast.chen, at=MONDAY + 5 * HOUR, **more)  # type: ignore[arg-type]
        change_priority(ticket, by=cast.chen, at=MONDAY + 6 * HOUR, priority=1)
        assert kept("first_contact", MONDAY + 4 * HOUR - MINUTE).running == 1
        for hours in (4, 5, 6, 7):
            assert kept("first_contact", MONDAY + hours * HOUR).overdue == 1

    def test_a_clock_that_stood_then_was_neither(self, cast: Cast) -> None:
        ticket = start_waiting(low(cast), by=cast.lina, at=MONDAY + HOUR, reason="Waits for a photo")
        resume(ticket, by=cast.lina, at=MONDAY + 8 * DAY)
        assert kept("first_contact", MONDAY + 7 * DAY).running == 1
        run_all(MONDAY + 15 * DAY)
        assert kept("first_contact", MONDAY + 7 * DAY).running == 1
        assert kept("first_contact", MONDAY + 15 * DAY).overdue == 1

    def test_a_later_cycle_had_not_begun(self, cast: Cast) -> None:
        loop(cast, 3)
        assert kept("resolution", MONDAY + 4 * DAY).running == 0
        assert kept("resolution", MONDAY + 5 * DAY).running == 1

    @pytest.mark.parametrize("seed", range(3))
    def test_every_moment_agrees_with_what_was_seen_then(self, cast: Cast, seed: int) -> None:
        """The same question asked at the moment itself, and again once everything has gone on."""
        chance = Random(seed)
        seen: list[tuple[datetime, dict[str, Promises], dict[str, Waited]]] = []
        tickets = [low(cast) for _ in range(4)]
        for hours in range(1, 120, 7):
            at = MONDAY + hours * HOUR
            ticket = Ticket.objects.get(pk=chance.choice(tickets).pk)
            step(cast, chance, ticket, at)
            seen.append((at, promises(cohort(), at), waited(cohort(), at)))
        for at, kept_then, waited_then in seen:
            assert promises(cohort(), at) == kept_then
            assert waited(cohort(), at) == waited_then


def step(cast: Cast, chance: Random, ticket: Ticket, at: datetime) -> None:
    act = chance.choice(["sweep", "contact", "wait", "extend", "priority", "priority", "resolve"])
    if act == "sweep":
        run_all(at)
    elif ticket.status == "waiting":
        resume(ticket, by=cast.lina, at=at)
    elif not ticket.is_in_work:
        return
    elif act == "contact":
        heard(cast, ticket, at=at, outcome=chance.choice(["reached", "no_answer"]))
    elif act == "wait":
        start_waiting(ticket, by=cast.lina, at=at, reason="Waits for a photo")
    elif act == "extend":
        extend(ticket, by=cast.chen, at=at, minutes=chance.randrange(60, 900), reason="More time")
    elif act == "priority":
        change_priority(ticket, by=cast.chen, at=at, priority=ticket.priority % 3 + 1)
    else:
        put_right(cast, ticket, at=at)


class TestGroups:
    def test_they_add_up_to_everybody(self, cast: Cast) -> None:
        for number in range(6):
            team, priority = (cast.west, 1) if number % 3 else (cast.east, 3)
            heard(cast, low(cast, team=team, priority=priority), at=MONDAY + (1 + number) * HOUR)
        found = times_of_all(cohort(), MONDAY + DAY)
        for by in ("team", "priority"):
            for kind, everybody in found.all.items():
                groups = found.by[by][kind].values()
                assert sum(each.promises.kept.n for each in groups) == everybody.promises.kept.n
                assert sum(each.promises.kept.hits for each in groups) == everybody.promises.kept.hits
                assert sum(each.waited.count for each in groups) == everybody.waited.count == 6
        assert set(found.by["team"]["resolution"]) == {cast.west.pk, cast.east.pk}
        assert set(found.by["priority"]["resolution"]) == {1, 3}
        assert found.all["first_contact"].promises == kept("first_contact", MONDAY + DAY)
        assert found.all["resolution"].waited == times("resolution", MONDAY + DAY)

    def test_all_of_it_takes_seven_queries(self, cast: Cast) -> None:
        for _ in range(3):
            heard(cast, low(cast))
        with CaptureQueriesContext(connection) as captured:
            times_of_all(cohort(), MONDAY + DAY)
        assert len(captured) == 7
