"""When a step falls due: by hand, and against counting the minutes one by one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from recovery.business_hours import Holiday, Wait, Window, WorkingCalendar
from recovery.deadlines import reckon
from recovery.lifecycle.ladder import step_time
from recovery.lifecycle.own_time import opens_outside_leave
from recovery.models import Deadline, EscalationStep
from tests.make import HOUR, MINUTE

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
WEEKDAYS, EVERY_DAY = frozenset(range(5)), frozenset(range(7))
Clock = tuple[int, int, int, int]  # month, day, hour and minute of 2026, on the calendar's wall


OFFICE = WorkingCalendar(SHANGHAI, (Window(WEEKDAYS, 540, 1020),))
LUNCH = WorkingCalendar(SHANGHAI, (Window(WEEKDAYS, 540, 720), Window(WEEKDAYS, 780, 1020)))
HOLIDAY = WorkingCalendar(SHANGHAI, (Window(WEEKDAYS, 540, 1020),), (Holiday(date(2026, 3, 3), "Day off"),))
NIGHT = WorkingCalendar(SHANGHAI, (Window(WEEKDAYS, 1320, 360),))
BERLIN_OFFICE = WorkingCalendar(BERLIN, (Window(WEEKDAYS, 540, 1020),))
BERLIN_ALWAYS = WorkingCalendar(BERLIN, (Window(EVERY_DAY, 0, 1440),))


def instant(calendar: WorkingCalendar, clock: Clock) -> datetime:
    return datetime(2026, *clock, tzinfo=calendar.zone).astimezone(UTC)


def deadline(calendar: WorkingCalendar, start: datetime, minutes: int, waits: list[Wait]) -> Deadline:
    return Deadline(minutes=minutes, starts_at=start, due_at=reckon(calendar, start, minutes, waits).due_at)


# Calendar, when it starts, the minutes allowed, by minutes or share, and when the step falls due.
MONDAY_1330 = (3, 2, 13, 30)  # with four hours it is due on Tuesday at 9:30
ROWS = {
    "an hour before, due Tuesday 9:30": (OFFICE, MONDAY_1330, 240, -60, None, (3, 2, 16, 30)),
    "half an hour before is at opening": (OFFICE, MONDAY_1330, 240, -30, None, (3, 3, 9, 0)),
    "at the deadline": (OFFICE, MONDAY_1330, 240, 0, None, (3, 3, 9, 30)),
    "an hour after, past the night": (OFFICE, (3, 2, 12, 30), 240, 60, None, (3, 3, 9, 30)),
    "before lunch": (LUNCH, (3, 3, 9, 0), 210, -60, None, (3, 3, 11, 30)),
    "before a holiday": (HOLIDAY, MONDAY_1330, 240, -60, None, (3, 2, 16, 30)),
    "before a weekend": (OFFICE, (3, 6, 13, 30), 240, -60, None, (3, 6, 16, 30)),
    "a window past midnight": (NIGHT, (3, 3, 4, 0), 150, -60, None, (3, 3, 5, 30)),
    "more than is allowed": (OFFICE, (3, 2, 10, 0), 60, -120, None, (3, 2, 9, 0)),
    "half is used": (OFFICE, MONDAY_1330, 240, 0, 50, (3, 2, 15, 30)),
    "three quarters are used": (OFFICE, MONDAY_1330, 240, 0, 75, (3, 2, 16, 30)),
    "all is used": (OFFICE, MONDAY_1330, 240, 0, 100, (3, 3, 9, 30)),
    "half as much again": (OFFICE, MONDAY_1330, 240, 0, 150, (3, 3, 11, 30)),
    "three quarters over lunch": (LUNCH, (3, 3, 9, 0), 240, 0, 80, (3, 3, 13, 12)),
    "half over a holiday": (HOLIDAY, (3, 2, 16, 30), 240, 0, 50, (3, 4, 10, 30)),
    "the weekend the clocks go forward": (BERLIN_OFFICE, (3, 27, 13, 30), 240, -60, None, (3, 27, 16, 30)),
    "the night the clocks go forward": (BERLIN_ALWAYS, (3, 29, 0, 0), 180, -120, None, (3, 29, 1, 0)),
    "a share of that night": (BERLIN_ALWAYS, (3, 29, 0, 0), 240, 0, 75, (3, 29, 4, 0)),
    "the night they go back": (BERLIN_ALWAYS, (10, 25, 0, 0), 240, -90, None, (10, 25, 2, 30)),
    "a share of the longer night": (BERLIN_ALWAYS, (10, 25, 0, 0), 300, 0, 80, (10, 25, 3, 0)),
}


@pytest.mark.parametrize(("calendar", "start", "minutes", "after", "share", "due"), ROWS.values(), ids=ROWS)
def test_it_falls_due(
    calendar: WorkingCalendar, start: Clock, minutes: int, after: int, share: int | None, due: Clock
) -> None:
    row = deadline(calendar, instant(calendar, start), minutes, [])
    step = EscalationStep(minutes_after=after, share=share)
    assert step_time(step, row, calendar, []) == instant(calendar, due)


# Monday from 10:00 with four hours; waited from one time of that day to another.
WAITED = {
    "an hour before, nothing waited after it": (-60, None, (11, 0), (12, 0), (14, 0)),
    "an hour before, waited within it": (-60, None, (13, 30), (14, 30), (13, 0)),
    "an hour before, waited right before it": (-60, None, (12, 30), (14, 0), (14, 30)),
    "half is used, waited before": (0, 50, (11, 0), (12, 0), (13, 0)),
    "half is used, waited after": (0, 50, (13, 0), (14, 0), (12, 0)),
    "three quarters, waited through it": (0, 75, (12, 30), (13, 30), (14, 0)),
}


@pytest.mark.parametrize(("after", "share", "lower", "upper", "due"), WAITED.values(), ids=WAITED)
def test_what_was_waited_is_not_counted(
    after: int, share: int | None, lower: tuple[int, int], upper: tuple[int, int], due: tuple[int, int]
) -> None:
    waits: list[Wait] = [(instant(OFFICE, (3, 2, *lower)), instant(OFFICE, (3, 2, *upper)))]
    row = deadline(OFFICE, instant(OFFICE, (3, 2, 10, 0)), 240, waits)
    step = EscalationStep(minutes_after=after, share=share)
    assert step_time(step, row, OFFICE, waits) == instant(OFFICE, (3, 2, *due))


@pytest.mark.parametrize(("after", "share"), [(60, None), (0, 150)])
def test_a_clock_that_stands_after_the_deadline_reaches_no_later_step(after: int, share: int | None) -> None:
    start = instant(OFFICE, (3, 2, 10, 0))
    row, step = deadline(OFFICE, start, 120, []), EscalationStep(minutes_after=after, share=share)
    assert step_time(step, row, OFFICE, []) == start + 3 * HOUR
    assert step_time(step, row, OFFICE, [(start + 150 * MINUTE, None)]) is None


def test_more_time_allowed_moves_a_share() -> None:
    row = deadline(OFFICE, instant(OFFICE, (3, 2, 9, 0)), 120, [])
    row.extra_minutes = 120
    row.due_at = instant(OFFICE, (3, 2, 13, 0))
    assert step_time(EscalationStep(share=75), row, OFFICE, []) == instant(OFFICE, (3, 2, 12, 0))


# --- Against counting ---

FIRST, SPAN = datetime(2026, 3, 21, tzinfo=UTC), 35 * 24 * 60  # five weeks around a change of clocks


class Counted:
    """Five weeks as minutes: which of them count."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        zone = ZoneInfo(rng.choice(["Europe/Berlin", "America/New_York", "Asia/Shanghai", "Asia/Kathmandu"]))
        days = frozenset(rng.sample(range(7), rng.randint(3, 7)))
        cuts = sorted(rng.sample(range(15, 1440, 105), 4))
        self.windows = tuple(
            Window(days, opens, closes) for opens, closes in [cuts[:2], cuts[2:]][: rng.randint(1, 2)]
        )
        self.closed = {FIRST.date() + timedelta(days=rng.randrange(21)) for _each in range(2)}
        self.calendar = WorkingCalendar(zone, self.windows, tuple(Holiday(day) for day in self.closed))
        self.open = [self.is_open((FIRST + number * MINUTE).astimezone(zone)) for number in range(SPAN)]
        self.waits: list[Wait] = []

    def is_open(self, wall: datetime) -> bool:
        minute = wall.hour * 60 + wall.minute
        if wall.date() in self.closed:
            return False
        return any(
            wall.weekday() in window.days and window.opens <= minute < window.closes
            for window in self.windows
        )

    def wait(self, after: int) -> None:
        lower = after + self.rng.randrange(4 * 1440)
        upper = min(lower + self.rng.randrange(1440), SPAN - 1)
        self.waits.append((FIRST + lower * MINUTE, FIRST + upper * MINUTE))
        self.open[lower:upper] = [False] * (upper - lower)

    def ahead(self, start: int, amount: int) -> datetime:
        """The earliest instant by which so many minutes have counted."""
        number = start
        while amount:
            amount -= self.open[number]
            number += 1
        return FIRST + number * MINUTE

    def back(self, end: int, amount: int) -> datetime:
        """The latest instant from which so many minutes are left."""
        number = end
        while amount:
            number -= 1
            amount -= self.open[number]
        return FIRST + number * MINUTE


@pytest.mark.parametrize("seed", range(60))
def test_it_falls_due_when_the_minutes_are_counted_off(seed: int) -> None:
    rng = Random(seed)
    counted = Counted(rng)
    start = 7 * 1440 + rng.randrange(3 * 1440)
    for _each in range(rng.randint(0, 3)):
        counted.wait(start)
    minutes = rng.randrange(20, 240, 20)
    begins = FIRST + start * MINUTE
    row = deadline(counted.calendar, begins, minutes, counted.waits)
    due = counted.ahead(start, minutes)
    assert row.due_at == due
    number = (due - FIRST) // MINUTE
    for share in range(5, 200, 15):
        step = EscalationStep(share=share)
        want = counted.ahead(start, minutes * share // 100)
        assert step_time(step, row, counted.calendar, counted.waits) == want, f"{share} %"
    for after in (-120, -45, -1, 0, 1, 30, 90):
        want = counted.back(number, -after) if after < 0 else counted.ahead(number, after)
        step = EscalationStep(minutes_after=after)
        assert step_time(step, row, counted.calendar, counted.waits) == want, f"{after} minutes"


@pytest.mark.parametrize("seed", range(40))
def test_working_time_begins_when_the_minutes_say_so(seed: int) -> None:
    rng = Random(seed)
    counted = Counted(rng)
    leaves = []
    for _each in range(rng.randint(0, 3)):
        lower = rng.randrange(10 * 1440)
        upper = lower + rng.randrange(1, 4 * 1440)
        leaves.append((FIRST + lower * MINUTE, FIRST + upper * MINUTE))
        counted.open[lower:upper] = [False] * (upper - lower)
    for at in rng.sample(range(10 * 1440), 20):
        opens = next(number for number in range(at, SPAN) if counted.open[number])
        found = opens_outside_leave(counted.calendar, sorted(leaves), FIRST + at * MINUTE)
        assert found == FIRST + opens * MINUTE
