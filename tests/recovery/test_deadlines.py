import datetime as dt
import json
from itertools import pairwise
from time import process_time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery.business_hours import Holiday, Wait, Window, WorkingCalendar, WorkingTimeError
from recovery.deadlines import (
    CLOSED,
    HOLIDAY,
    MOST_MINUTES,
    WAITING,
    WORKING,
    LedgerLine,
    ledger_from_json,
    ledger_to_json,
    reckon,
    time_left,
    time_used,
)
from tests.recovery.oracle import Oracle, is_waiting
from tests.recovery.test_business_hours import (
    ALL_DAY,
    EVERY_DAY,
    MONDAY,
    NINE_TO_FIVE,
    UTC,
    WEEKDAYS,
    at_monday,
    calendar,
    local,
    minutes,
    payable,
    quick,
    scenes,
    waits_near,
)

LUNCH = (Window(WEEKDAYS, 540, 720), Window(WEEKDAYS, 780, 1020))
NIGHT = (Window(EVERY_DAY, 1320, 360),)
WHOLE = (ALL_DAY,)
OFFICE = (NINE_TO_FIVE,)
EVENING = (Window(WEEKDAYS, 1080, 1440),)


def line(start: float, end: float, why: str, name: str = "") -> LedgerLine:
    """Hours since Monday's midnight."""
    length = (end - start) * 60 if why == WORKING else 0
    return LedgerLine(at_monday(start), at_monday(end), length, why, name)


def days(first: dt.date, count: int, name: str) -> tuple[Holiday, ...]:
    return tuple(Holiday(first + dt.timedelta(days=day), name) for day in range(count))


def shifts(monday: str, tuesday: str, closes: int) -> WorkingCalendar:
    """Monday's night shift runs into Tuesday's early one; both days are off. Wednesday is an ordinary day."""
    windows = (
        Window(frozenset({0}), 1320, 360),
        Window(frozenset({1}), 300, closes),
        Window(frozenset({2}), 540, 1020),
    )
    return calendar(
        "UTC", *windows, holidays=(Holiday(MONDAY, monday), Holiday(MONDAY + dt.timedelta(days=1), tuesday))
    )


# When it falls due


@pytest.mark.parametrize(
    ("zone", "windows", "start", "amount", "due"),
    [
        pytest.param(
            "UTC", OFFICE, "2026-06-05 16:30", 240, "2026-06-08 12:30", id="Friday 16:30 plus 4 hours"
        ),
        pytest.param("UTC", OFFICE, "2026-06-01 09:00", 480, "2026-06-01 17:00", id="met exactly at closing"),
        pytest.param("UTC", OFFICE, "2026-06-01 09:00", 481, "2026-06-02 09:01", id="a minute after closing"),
        pytest.param("UTC", OFFICE, "2026-06-01 03:00", 60, "2026-06-01 10:00", id="start before opening"),
        pytest.param(
            "UTC", OFFICE, "2026-06-01 17:00", 60, "2026-06-02 10:00", id="start exactly at closing"
        ),
        pytest.param(
            "UTC", OFFICE, "2026-06-01 09:00", 60, "2026-06-01 10:00", id="start exactly at opening"
        ),
        pytest.param(
            "UTC", OFFICE, "2026-06-06 12:00", 0, "2026-06-06 12:00", id="nothing is due at the start"
        ),
        pytest.param(
            "UTC", OFFICE, "2026-06-01 16:59:30.5", 1, "2026-06-02 09:00:30.5", id="seconds and parts"
        ),
        pytest.param("UTC", LUNCH, "2026-06-01 11:30", 60, "2026-06-01 13:30", id="across lunch"),
        pytest.param("UTC", LUNCH, "2026-06-01 11:30", 30, "2026-06-01 12:00", id="met exactly at lunch"),
        pytest.param("UTC", LUNCH, "2026-06-01 12:15", 30, "2026-06-01 13:30", id="start during lunch"),
        pytest.param("UTC", NIGHT, "2026-06-01 23:00", 480, "2026-06-02 23:00", id="overnight"),
        pytest.param(
            "UTC", NIGHT, "2026-06-01 01:00", 60, "2026-06-01 02:00", id="start in the night's tail"
        ),
        pytest.param("UTC", EVENING, "2026-06-01 23:00", 60, "2026-06-02 00:00", id="met exactly at 24:00"),
        pytest.param("UTC", EVENING, "2026-06-01 23:00", 61, "2026-06-02 18:01", id="a minute after 24:00"),
        pytest.param("UTC", WHOLE, "2026-06-05 16:30", 2880, "2026-06-07 16:30", id="around the clock"),
        pytest.param(
            "Europe/Berlin", WHOLE, "2026-03-28 12:00", 1440, "2026-03-29 13:00", id="clock goes forward"
        ),
        pytest.param(
            "Europe/Berlin", WHOLE, "2026-10-24 12:00", 1440, "2026-10-25 11:00", id="clock goes back"
        ),
        pytest.param(
            "Europe/Berlin", OFFICE, "2026-03-27 16:00", 120, "2026-03-30 10:00", id="over that weekend"
        ),
        pytest.param(
            "America/New_York", NIGHT, "2026-10-31 22:00", 540, "2026-11-01 06:00", id="a longer night"
        ),
        pytest.param(
            "America/New_York", NIGHT, "2026-03-07 22:00", 420, "2026-03-08 06:00", id="a shorter night"
        ),
        pytest.param(
            "Australia/Lord_Howe", NIGHT, "2026-10-03 22:00", 450, "2026-10-04 06:00", id="Lord Howe spring"
        ),
        pytest.param(
            "Australia/Lord_Howe", NIGHT, "2026-04-04 22:00", 510, "2026-04-05 06:00", id="Lord Howe autumn"
        ),
        pytest.param("Asia/Kolkata", OFFICE, "2026-06-05 16:30", 240, "2026-06-08 12:30", id="Kolkata"),
        pytest.param("Asia/Kathmandu", OFFICE, "2026-06-05 16:45", 30, "2026-06-08 09:15", id="Kathmandu"),
        pytest.param("Pacific/Chatham", WHOLE, "2026-09-26 12:00", 1440, "2026-09-27 13:00", id="Chatham"),
        pytest.param(
            "Pacific/Apia", OFFICE, "2011-12-29 16:00", 120, "2012-01-02 10:00", id="Apia has no Friday"
        ),
        pytest.param(
            "Pacific/Apia", WHOLE, "2011-12-29 12:00", 1440, "2011-12-31 12:00", id="Apia around the clock"
        ),
    ],
)
def test_it_falls_due(zone: str, windows: tuple[Window, ...], start: str, amount: int, due: str) -> None:
    reckoning = reckon(calendar(zone, *windows), local(zone, start), amount)
    assert reckoning.due_at == local(zone, due)
    assert reckoning.due_at.tzinfo is UTC
    assert not reckoning.paused


def test_it_falls_due_in_the_second_of_two_equal_half_hours() -> None:
    twice = calendar("Europe/Berlin", Window(EVERY_DAY, 120, 150))
    start = local("Europe/Berlin", "2026-10-25 00:00")
    assert reckon(twice, start, 45).due_at == local("Europe/Berlin", "2026-10-25 02:15", fold=1)
    assert reckon(twice, start, 30).due_at == local("Europe/Berlin", "2026-10-25 02:30", fold=0)


def test_it_falls_due_the_day_after_a_window_that_the_clock_skipped() -> None:
    skipped = calendar("Europe/Berlin", Window(EVERY_DAY, 120, 150))
    due = reckon(skipped, local("Europe/Berlin", "2026-03-29 00:00"), 30).due_at
    assert due == local("Europe/Berlin", "2026-03-30 02:30")


@pytest.mark.parametrize(
    ("holidays", "working_days", "start", "amount", "due"),
    [
        pytest.param([Holiday(MONDAY)], [], 8, 60, 24 + 10, id="a holiday on the due day"),
        pytest.param([Holiday(MONDAY, "", 540, 720)], [], 11, 120, 24 + 10, id="a half-day holiday"),
        pytest.param([Holiday(MONDAY, "", 540, 720)], [], 11, 60, 12, id="met as the half day closes"),
        pytest.param([], [5], 4 * 24 + 16, 120, 5 * 24 + 10, id="a make-up Saturday"),
        pytest.param([*days(MONDAY, 61, "Works")], [], 0, 60, 63 * 24 + 10, id="a closure of months"),
    ],
)
def test_it_falls_due_around(
    holidays: list[Holiday], working_days: list[int], start: float, amount: int, due: float
) -> None:
    made_up = frozenset(MONDAY + dt.timedelta(days=day) for day in working_days)
    week = calendar("UTC", holidays=tuple(holidays), working_days=made_up)
    assert reckon(week, at_monday(start), amount).due_at == at_monday(due)


@pytest.mark.parametrize(
    ("waits", "due"),
    [
        pytest.param([(10, 12)], 15, id="inside working time"),
        pytest.param([(17, 33)], 13, id="after it"),
        pytest.param([(-5, 9)], 13, id="before opening"),
        pytest.param([(12, 17)], 24 + 10, id="until closing"),
        pytest.param([(12, 33)], 24 + 10, id="over night"),
        pytest.param([(13, 20)], 13, id="from the moment it is due"),
        pytest.param([(10, 12), (11, 13)], 16, id="overlapping"),
        pytest.param([(11, 13), (10, 12)], 16, id="out of order"),
        pytest.param([(10, 11), (11, 12)], 15, id="touching"),
        pytest.param([(10, 13), (11, 12)], 16, id="one within the other"),
        pytest.param([(10, 10)], 13, id="of no length"),
    ],
)
def test_it_falls_due_later_for_waiting(waits: list[tuple[float, float]], due: float) -> None:
    reckoning = reckon(calendar(), at_monday(9), 240, [(at_monday(a), at_monday(b)) for a, b in waits])
    assert reckoning.due_at == at_monday(due)


# A wait without an end


def test_it_stands_still_in_an_open_wait() -> None:
    reckoning = reckon(calendar(), at_monday(8), 240, [(at_monday(10), None)], at=at_monday(60))
    assert reckoning.due_at is None
    assert reckoning.paused
    assert reckoning.ledger == (line(8, 9, CLOSED), line(9, 10, WORKING), line(10, 60, WAITING))


def test_it_shows_no_waiting_that_has_not_begun() -> None:
    reckoning = reckon(calendar(), at_monday(8), 240, [(at_monday(20), None)])
    assert reckoning.paused is False
    reckoning = reckon(calendar(), at_monday(14), 240, [(at_monday(20), None)], at=at_monday(19))
    assert reckoning.paused
    assert reckoning.ledger == (line(14, 17, WORKING), line(17, 20, CLOSED))


def test_it_stands_still_from_the_start_when_the_wait_is_older() -> None:
    reckoning = reckon(calendar(), at_monday(10), 240, [(at_monday(9), None)], at=at_monday(11))
    assert reckoning.paused
    assert reckoning.ledger == (line(10, 11, WAITING),)


def test_it_falls_due_when_the_time_is_up_as_the_open_wait_begins() -> None:
    reckoning = reckon(calendar(), at_monday(9), 60, [(at_monday(10), None)], at=at_monday(12))
    assert reckoning.due_at == at_monday(10)
    assert not reckoning.paused
    assert reckoning.ledger == (line(9, 10, WORKING),)


# What the ledger says


@pytest.mark.parametrize(
    ("week", "start", "amount", "waits", "ledger"),
    [
        pytest.param(calendar(), 9, 0, [], [], id="nothing to tell"),
        pytest.param(
            calendar(),
            4 * 24 + 16.5,
            240,
            [],
            [
                line(4 * 24 + 16.5, 4 * 24 + 17, WORKING),
                line(4 * 24 + 17, 7 * 24 + 9, CLOSED),
                line(7 * 24 + 9, 7 * 24 + 12.5, WORKING),
            ],
            id="a weekend is one line",
        ),
        pytest.param(
            calendar("UTC", ALL_DAY),
            9,
            30_000,
            [],
            [line(9, 509, WORKING)],
            id="around the clock is one line",
        ),
        pytest.param(
            calendar(holidays=(Holiday(MONDAY + dt.timedelta(days=1), "Fair"),)),
            16,
            120,
            [],
            [
                line(16, 17, WORKING),
                line(17, 33, CLOSED),
                line(33, 41, HOLIDAY, "Fair"),
                line(41, 57, CLOSED),
                line(57, 58, WORKING),
            ],
            id="a holiday has its line",
        ),
        pytest.param(
            calendar("UTC", *LUNCH, holidays=(Holiday(MONDAY, "Fair"),)),
            8,
            60,
            [],
            [line(8, 9, CLOSED), line(9, 17, HOLIDAY, "Fair"), line(17, 33, CLOSED), line(33, 34, WORKING)],
            id="a holiday takes its lunch along",
        ),
        pytest.param(
            calendar(holidays=(Holiday(MONDAY, "Fair", 600, 720),)),
            9.5,
            180,
            [],
            [
                line(9.5, 10, HOLIDAY, "Fair"),
                line(10, 12, WORKING),
                line(12, 17, HOLIDAY, "Fair"),
                line(17, 33, CLOSED),
                line(33, 34, WORKING),
            ],
            id="half a day off shows the hours it took",
        ),
        pytest.param(
            calendar(holidays=(Holiday(MONDAY - dt.timedelta(days=1), "Sunday feast"),)),
            -12,
            60,
            [],
            [line(-12, 9, CLOSED), line(9, 10, WORKING)],
            id="a holiday on a closed day took nothing",
        ),
        pytest.param(
            calendar(holidays=days(MONDAY, 61, "Works")),
            8,
            60,
            [],
            [
                line(8, 9, CLOSED),
                line(9, 60 * 24 + 17, HOLIDAY, "Works"),
                line(60 * 24 + 17, 63 * 24 + 9, CLOSED),
                line(63 * 24 + 9, 63 * 24 + 10, WORKING),
            ],
            id="a closure of months is a handful of lines",
        ),
        pytest.param(
            calendar(holidays=(Holiday(MONDAY, "One"), Holiday(MONDAY + dt.timedelta(days=1), "Two"))),
            8,
            60,
            [],
            [
                line(8, 9, CLOSED),
                line(9, 17, HOLIDAY, "One"),
                line(17, 33, CLOSED),
                line(33, 41, HOLIDAY, "Two"),
                line(41, 57, CLOSED),
                line(57, 58, WORKING),
            ],
            id="two holidays are two lines",
        ),
        pytest.param(
            shifts("Feast", "Feast", 330),
            8,
            60,
            [],
            [
                line(8, 22, CLOSED),
                line(22, 30, HOLIDAY, "Feast"),
                line(30, 57, CLOSED),
                line(57, 58, WORKING),
            ],
            id="a holiday within the night of another of its name",
        ),
        pytest.param(
            shifts("Feast", "Fair", 330),
            8,
            60,
            [],
            [
                line(8, 22, CLOSED),
                line(22, 30, HOLIDAY, "Feast"),
                line(30, 57, CLOSED),
                line(57, 58, WORKING),
            ],
            id="a holiday within the night of another",
        ),
        pytest.param(
            shifts("Feast", "Fair", 420),
            8,
            60,
            [],
            [
                line(8, 22, CLOSED),
                line(22, 30, HOLIDAY, "Feast"),
                line(30, 31, HOLIDAY, "Fair"),
                line(31, 57, CLOSED),
                line(57, 58, WORKING),
            ],
            id="a holiday that outlasts the night of another",
        ),
        pytest.param(
            calendar(),
            16,
            240,
            [(16.5, 34), (36, 36.5)],
            [
                line(16, 16.5, WORKING),
                line(16.5, 17, WAITING),
                line(17, 33, CLOSED),
                line(33, 34, WAITING),
                line(34, 36, WORKING),
                line(36, 36.5, WAITING),
                line(36.5, 38, WORKING),
            ],
            id="waiting has lines where it covers working time",
        ),
        pytest.param(
            calendar(),
            16,
            30,
            [(3, 15)],
            [line(16, 16.5, WORKING)],
            id="waiting before the start is not told",
        ),
    ],
)
def test_the_ledger_reads(
    week: WorkingCalendar,
    start: float,
    amount: int,
    waits: list[tuple[float, float]],
    ledger: list[LedgerLine],
) -> None:
    reckoning = reckon(week, at_monday(start), amount, [(at_monday(a), at_monday(b)) for a, b in waits])
    assert list(reckoning.ledger) == ledger


def test_a_day_that_does_not_exist_is_no_holiday() -> None:
    week = calendar("Pacific/Apia", holidays=(Holiday(dt.date(2011, 12, 30), "Skipped"),))
    lines = reckon(week, local("Pacific/Apia", "2011-12-29 16:00"), 120).ledger
    assert [entry.why for entry in lines] == [WORKING, CLOSED, WORKING]


def test_whole_minutes_are_integers() -> None:
    assert [type(entry.minutes) for entry in reckon(calendar(), at_monday(9), 960).ledger] == [int] * 3


def test_parts_of_minutes_add_up_to_what_was_asked() -> None:
    start = dt.datetime(2026, 6, 1, 9, 57, 8, 661082, tzinfo=UTC)  # the plain sum is 1450.9999999999998
    assert sum(entry.minutes for entry in reckon(calendar(), start, 1451).ledger) == 1451


def test_the_ledger_survives_json() -> None:
    week = calendar(holidays=(Holiday(MONDAY, "Fair"),))
    ledger = reckon(week, at_monday(8) + dt.timedelta(seconds=7), 60).ledger
    rows = json.loads(json.dumps(ledger_to_json(ledger)))
    assert rows[1] == {
        "from": "2026-06-01T09:00:00+00:00",
        "to": "2026-06-01T17:00:00+00:00",
        "minutes": 0,
        "why": "holiday",
        "name": "Fair",
    }
    assert set(rows[0]) == {"from", "to", "minutes", "why"}
    assert ledger_from_json(rows) == ledger


# Time used and left


@pytest.mark.parametrize(
    ("at", "used"),
    [
        pytest.param(3, 0, id="before the start"),
        pytest.param(10, 60, id="while it runs"),
        pytest.param(12, 120, id="while waiting"),
        pytest.param(15, 300, id="afterwards"),
        pytest.param(24, 420, id="at night"),
    ],
)
def test_it_knows_the_time_used_and_left(at: float, used: int) -> None:
    waits = [(at_monday(11), at_monday(12))]
    assert time_used(calendar(), at_monday(9), at_monday(at), waits) == minutes(used)
    assert time_left(calendar(), at_monday(9), 240, at_monday(at), waits) == minutes(240 - used)


# Refusals and limits


@pytest.mark.parametrize("amount", [-1, MOST_MINUTES + 1, float("nan"), float("inf")])
def test_it_refuses_minutes(amount: float) -> None:
    with pytest.raises(WorkingTimeError) as refusal:
        reckon(calendar(), at_monday(), amount)
    assert refusal.value.code == "bad_minutes"


def test_it_refuses_a_naive_start_and_an_unreachable_year() -> None:
    with pytest.raises(WorkingTimeError) as refusal:
        reckon(calendar(), dt.datetime(2026, 6, 1), 5)
    assert refusal.value.code == "naive"
    for start in (
        dt.datetime(9999, 12, 30, tzinfo=UTC),
        dt.datetime.max.replace(tzinfo=ZoneInfo("Etc/GMT+12")),
    ):
        with pytest.raises(WorkingTimeError) as refusal:
            reckon(calendar("Pacific/Kiritimati"), start, 5)
        assert refusal.value.code == "out_of_range"


def test_it_reckons_ten_years_within_a_second() -> None:
    began = process_time()
    reckoning = reckon(calendar("Europe/Dublin"), at_monday(), MOST_MINUTES)
    assert process_time() - began < 1
    assert sum(entry.minutes for entry in reckoning.ledger) == MOST_MINUTES
    assert reckon(calendar("UTC", ALL_DAY), at_monday(), MOST_MINUTES).due_at == at_monday() + minutes(
        MOST_MINUTES
    )


def test_it_reckons_two_days_well_under_a_millisecond() -> None:
    week = calendar("Europe/Dublin", holidays=days(dt.date(2026, 12, 24), 3, "Christmas"))
    reckon(week, at_monday(), 960)
    began = process_time()
    for _ in range(200):
        reckon(week, at_monday(), 960)
    assert (process_time() - began) / 200 < 0.001


# Against the oracle


@quick
@given(st.data())
def test_it_falls_due_when_the_clock_on_the_wall_says_so(data: st.DataObject) -> None:
    week, start = data.draw(scenes())
    amount, waits = payable(week, data.draw(st.integers(0, 3000))), data.draw(waits_near(start))
    if data.draw(st.booleans()):
        waits.append((start + minutes(data.draw(st.integers(-100, 3000))), None))
    assert reckon(week, start, amount, waits).due_at == Oracle(week).due(start, amount, waits)


@quick
@given(st.data())
def test_every_minute_of_the_ledger_is_explained_rightly(data: st.DataObject) -> None:
    week, start = data.draw(scenes())
    amount, waits = payable(week, data.draw(st.integers(1, 3000))), data.draw(waits_near(start))
    reckoning = reckon(week, start, amount, waits)
    lines, oracle = reckoning.ledger, Oracle(week)
    assert lines[0].start == start
    assert lines[-1].end == reckoning.due_at
    assert all(before.end == after.start for before, after in pairwise(lines))
    assert all((before.why, before.name) != (after.why, after.name) for before, after in pairwise(lines))
    assert sum(entry.minutes for entry in lines) == amount
    for entry in lines:
        assert (entry.minutes > 0) is (entry.why == WORKING)
        assert entry.why != WORKING or minutes(entry.minutes) == entry.end - entry.start
        explain(entry, oracle, waits)


def explain(entry: LedgerLine, oracle: Oracle, waits: list[Wait]) -> None:
    at = entry.start
    while at < entry.end:
        following = min(at.replace(second=0, microsecond=0) + minutes(1), entry.end)
        assert oracle.is_open(at) is (entry.why in (WORKING, WAITING))
        assert entry.why != WORKING or not is_waiting(at, waits)
        assert entry.why != WAITING or is_waiting(at, waits)
        assert entry.why != CLOSED or oracle.holiday_that_closes(at) is None
        at = following
    if entry.why == HOLIDAY:
        last = entry.end - dt.timedelta(microseconds=1)
        assert oracle.holiday_that_closes(entry.start) is not None
        assert oracle.holiday_that_closes(last) is not None


@quick
@given(st.data())
def test_more_waiting_never_makes_it_due_earlier(data: st.DataObject) -> None:
    week, start = data.draw(scenes())
    amount, waits = payable(week, data.draw(st.integers(0, 3000))), data.draw(waits_near(start))
    more = [*waits, *data.draw(waits_near(start))]
    before, after = reckon(week, start, amount, waits).due_at, reckon(week, start, amount, more).due_at
    assert before is not None
    assert after is not None
    assert before <= after


@quick
@given(st.data())
def test_it_has_nothing_left_when_due_and_something_just_before(data: st.DataObject) -> None:
    week, start = data.draw(scenes())
    amount, waits = payable(week, data.draw(st.integers(1, 3000))), data.draw(waits_near(start))
    due = reckon(week, start, amount, waits).due_at
    assert due is not None
    assert time_left(week, start, amount, due, waits) == minutes(0)
    assert time_left(week, start, amount, due - dt.timedelta(microseconds=1), waits) > minutes(0)
