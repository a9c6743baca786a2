import datetime as dt
from collections.abc import Iterator
from itertools import islice, pairwise
from time import process_time
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recovery.business_hours import (
    CalendarError,
    Holiday,
    Span,
    Wait,
    Window,
    WorkingCalendar,
    WorkingTimeError,
    add_working_time,
    format_minutes,
    is_open,
    next_opening,
    open_spans,
    parse_minutes,
    subtract_working_time,
    worked,
)
from tests.recovery.oracle import Oracle

UTC = dt.UTC
WEEKDAYS, EVERY_DAY = frozenset(range(5)), frozenset(range(7))
NINE_TO_FIVE = Window(WEEKDAYS, 540, 1020)
ALL_DAY = Window(EVERY_DAY, 0, 1440)
MONDAY = dt.date(2026, 6, 1)

# Where clocks do something, and some where they never do.
CHANGES = [
    ("UTC", "2026-06-01"),
    ("Asia/Kolkata", "2026-06-01"),
    ("Asia/Kathmandu", "2026-06-01"),
    ("Asia/Shanghai", "2026-10-01"),
    ("Europe/Berlin", "2026-03-29"),
    ("Europe/Dublin", "2026-03-29"),
    ("Europe/Dublin", "2026-10-25"),
    ("America/New_York", "2026-11-01"),
    ("America/St_Johns", "2026-03-08"),
    ("America/St_Johns", "2010-11-07"),  # at one minute past midnight
    ("America/Santiago", "2026-09-06"),  # midnight does not exist
    ("America/Havana", "2026-11-01"),
    ("Africa/Casablanca", "2026-02-15"),
    ("Africa/Casablanca", "2026-03-22"),
    ("Australia/Lord_Howe", "2026-04-05"),  # by half an hour
    ("Australia/Lord_Howe", "2026-10-04"),
    ("Pacific/Chatham", "2026-04-05"),
    ("Pacific/Chatham", "2026-09-27"),
    ("Antarctica/Troll", "2026-03-29"),  # by two hours
    ("Pacific/Apia", "2011-12-30"),  # the day does not exist
    ("Pacific/Kwajalein", "1993-08-21"),
]


def local(zone: str, text: str, fold: int = 0) -> dt.datetime:
    """This wall clock as an instant in UTC."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def calendar(
    zone: str = "UTC",
    *windows: Window,
    holidays: tuple[Holiday, ...] = (),
    working_days: frozenset[dt.date] = frozenset(),
) -> WorkingCalendar:
    return WorkingCalendar(ZoneInfo(zone), windows or (NINE_TO_FIVE,), holidays, working_days)


def hours(amount: float) -> dt.timedelta:
    return dt.timedelta(hours=amount)


def minutes(amount: float) -> dt.timedelta:
    return dt.timedelta(minutes=amount)


def at_monday(hour: float = 0) -> dt.datetime:
    return dt.datetime.combine(MONDAY, dt.time(), UTC) + hours(hour)


@st.composite
def scenes(draw: st.DrawFn) -> tuple[WorkingCalendar, dt.datetime]:
    """A calendar and an instant near one of the changes, so that they meet."""
    zone, day = draw(st.sampled_from(CHANGES))
    date = dt.date.fromisoformat(day)
    near = st.integers(-9, 9).map(lambda days: date + dt.timedelta(days=days))
    hour = st.one_of(st.integers(0, 95).map(lambda quarter: quarter * 15), st.integers(0, 1439))
    edges = st.tuples(hour, st.one_of(hour, st.just(1440))).filter(lambda pair: pair[0] != pair[1])
    days = st.one_of(st.just(WEEKDAYS), st.just(EVERY_DAY), st.frozensets(st.integers(0, 6), min_size=1))
    windows = draw(
        st.lists(st.builds(lambda on, pair: Window(on, *pair), days, edges), min_size=1, max_size=3)
    )
    holidays = {
        date: Holiday(
            date, draw(st.sampled_from(["", "Fair", "Feast"])), *(draw(st.none() | edges) or (None, None))
        )
        for date in draw(st.sets(near, max_size=4))
    }
    working_days = draw(st.frozensets(near, max_size=2)) - holidays.keys()
    start = dt.datetime.combine(date, dt.time(12), UTC) + minutes(draw(st.integers(-6 * 1440, 4 * 1440)))
    start += dt.timedelta(microseconds=draw(st.just(0) | st.integers(0, 59_999_999)))
    return WorkingCalendar(ZoneInfo(zone), tuple(windows), tuple(holidays.values()), working_days), start


@st.composite
def waits_near(draw: st.DrawFn, start: dt.datetime) -> list[Wait]:
    begins = st.integers(-2000, 8000)
    length = st.one_of(st.integers(0, 300), st.integers(0, 5000))
    return [
        (start + minutes(offset), start + minutes(offset + duration))
        for offset, duration in draw(st.lists(st.tuples(begins, length), max_size=4))
    ]


def payable(working: WorkingCalendar, wanted: int) -> int:
    """No more minutes than the calendar offers in about a week: the oracle need not walk for years."""
    weekly = sum(
        len(window.days) * ((window.closes - window.opens) % 1440 or 1440) for window in working.windows
    )
    return min(wanted, weekly)


quick = settings(max_examples=150, deadline=None)


# Windows and days


@pytest.mark.parametrize(
    ("zone", "windows", "start", "end", "expected"),
    [
        pytest.param("UTC", [NINE_TO_FIVE], "2026-06-01 00:00", "2026-06-02 00:00", 480, id="a day"),
        pytest.param(
            "UTC", [NINE_TO_FIVE], "2026-06-05 16:30", "2026-06-08 09:30", 60, id="a weekend between"
        ),
        pytest.param(
            "UTC",
            [Window(WEEKDAYS, 540, 720), Window(WEEKDAYS, 780, 1020)],
            "2026-06-01 11:30",
            "2026-06-01 13:15",
            45,
            id="a lunch break",
        ),
        pytest.param(
            "UTC",
            [Window(WEEKDAYS, 540, 900), Window(WEEKDAYS, 780, 1020)],
            "2026-06-01 00:00",
            "2026-06-02 00:00",
            480,
            id="overlapping windows once",
        ),
        pytest.param(
            "UTC",
            [Window(frozenset({4}), 1320, 360)],
            "2026-06-05 12:00",
            "2026-06-08 12:00",
            480,
            id="past midnight belongs to the day it opens",
        ),
        pytest.param(
            "UTC",
            [Window(EVERY_DAY, 1320, 600), NINE_TO_FIVE],
            "2026-06-01 00:00",
            "2026-06-02 00:00",
            1140,
            id="a tail that overlaps the next morning once",
        ),
        pytest.param(
            "UTC",
            [Window(WEEKDAYS, 1020, 1440)],
            "2026-06-01 23:00",
            "2026-06-02 09:00",
            60,
            id="until 24:00",
        ),
        pytest.param(
            "UTC", [Window(WEEKDAYS, 1020, 0)], "2026-06-01 23:00", "2026-06-02 09:00", 60, id="until 00:00"
        ),
        pytest.param("UTC", [ALL_DAY], "2026-06-01 00:00", "2026-06-15 00:00", 20160, id="around the clock"),
        pytest.param(
            "Asia/Kolkata", [NINE_TO_FIVE], "2026-06-01 10:15", "2026-06-01 12:00", 105, id="half hours"
        ),
        pytest.param(
            "Europe/Berlin", [ALL_DAY], "2026-03-29 00:00", "2026-03-30 00:00", 1380, id="a 23-hour day"
        ),
        pytest.param(
            "Europe/Berlin", [ALL_DAY], "2026-10-25 00:00", "2026-10-26 00:00", 1500, id="a 25-hour day"
        ),
        pytest.param(
            "Europe/Berlin",
            [Window(EVERY_DAY, 120, 150)],
            "2026-10-25 00:00",
            "2026-10-26 00:00",
            60,
            id="a repeated half hour twice",
        ),
        pytest.param(
            "Europe/Berlin",
            [Window(EVERY_DAY, 120, 150)],
            "2026-03-29 00:00",
            "2026-03-30 00:00",
            0,
            id="a skipped half hour not at all",
        ),
        pytest.param(
            "Australia/Lord_Howe",
            [Window(EVERY_DAY, 105, 165)],
            "2026-10-04 00:00",
            "2026-10-05 00:00",
            30,
            id="Lord Howe skips half an hour",
        ),
        pytest.param(
            "Australia/Lord_Howe",
            [Window(EVERY_DAY, 90, 120)],
            "2026-04-05 00:00",
            "2026-04-06 00:00",
            60,
            id="Lord Howe repeats half an hour",
        ),
        pytest.param(
            "Pacific/Apia",
            [ALL_DAY],
            "2011-12-29 00:00",
            "2012-01-01 00:00",
            2880,
            id="Apia has no 30 December",
        ),
    ],
)
def test_it_counts(zone: str, windows: list[Window], start: str, end: str, expected: int) -> None:
    assert worked(calendar(zone, *windows), local(zone, start), local(zone, end)) == minutes(expected)


def test_it_counts_nothing_backwards() -> None:
    assert worked(calendar(), local("UTC", "2026-06-02 12:00"), local("UTC", "2026-06-01 12:00")) == hours(0)


def test_it_cuts_a_repeated_window_in_two_spans() -> None:
    twice = calendar("Europe/Dublin", Window(EVERY_DAY, 60, 90))
    spans = list(open_spans(twice, local("UTC", "2026-10-25 00:00"), local("UTC", "2026-10-26 00:00")))
    assert spans == [
        Span(local("UTC", "2026-10-25 00:00"), local("UTC", "2026-10-25 00:30")),
        Span(local("UTC", "2026-10-25 01:00"), local("UTC", "2026-10-25 01:30")),
    ]


def test_it_joins_windows_that_touch_at_midnight() -> None:
    spans = open_spans(
        calendar("UTC", Window(frozenset({0}), 1200, 1440), Window(frozenset({1}), 0, 240)), at_monday()
    )
    assert next(spans) == Span(at_monday(20), at_monday(28))


def test_it_clips_the_first_span_to_the_start() -> None:
    assert next(open_spans(calendar(), at_monday(10.5))) == Span(at_monday(10.5), at_monday(17))


def test_it_answers_for_a_calendar_that_never_closes() -> None:
    first, second = islice(open_spans(calendar("UTC", ALL_DAY), at_monday()), 2)
    assert first.start == at_monday()
    assert first.end == second.start
    assert first.end - first.start > dt.timedelta(days=365)


# Holidays and make-up days


@pytest.mark.parametrize(
    ("holiday", "expected"),
    [
        pytest.param(Holiday(MONDAY), 0, id="closed"),
        pytest.param(Holiday(MONDAY, opens=540, closes=720), 180, id="half a day"),
        pytest.param(Holiday(MONDAY, opens=600, closes=1200), 600, id="longer than usual"),
        pytest.param(Holiday(MONDAY + dt.timedelta(days=1)), 480, id="on another day"),
    ],
)
def test_it_counts_on_a_holiday(holiday: Holiday, expected: int) -> None:
    assert worked(calendar(holidays=(holiday,)), at_monday(), at_monday(24)) == minutes(expected)


def test_it_opens_a_sunday_that_has_hours_of_its_own() -> None:
    sunday = Holiday(dt.date(2026, 6, 7), "Open Sunday", 720, 960)
    assert worked(calendar(holidays=(sunday,)), at_monday(6 * 24), at_monday(7 * 24)) == hours(4)


def test_it_opens_twice_on_a_holiday_listed_with_two_hours() -> None:
    day = calendar(holidays=(Holiday(MONDAY, "Fair", 540, 600), Holiday(MONDAY, "Fair", 900, 960)))
    assert worked(day, at_monday(), at_monday(24)) == hours(2)


NIGHT = Window(EVERY_DAY, 1320, 360)


@pytest.mark.parametrize(
    ("holiday", "expected"),
    [
        pytest.param(MONDAY, 360 + 0 + 0 + 120, id="on the opening day takes the tail too"),
        pytest.param(
            MONDAY + dt.timedelta(days=1), 360 + 120 + 360 + 0, id="on the next day leaves the tail"
        ),
    ],
)
def test_a_holiday_with_a_night_window(holiday: dt.date, expected: int) -> None:
    assert worked(
        calendar("UTC", NIGHT, holidays=(Holiday(holiday),)), at_monday(), at_monday(48)
    ) == minutes(expected)


@pytest.mark.parametrize(
    ("windows", "expected"),
    [
        pytest.param([NINE_TO_FIVE], 480, id="takes Monday's windows"),
        pytest.param(
            [Window(frozenset({2}), 600, 660), Window(frozenset({3}), 0, 720)],
            60,
            id="or the first there are",
        ),
        pytest.param(
            [NINE_TO_FIVE, Window(frozenset({5}), 600, 720)], 120, id="but its own when it has some"
        ),
    ],
)
def test_a_make_up_saturday(windows: list[Window], expected: int) -> None:
    saturday = dt.date(2026, 6, 6)
    week = calendar("UTC", *windows, working_days=frozenset({saturday}))
    assert worked(week, at_monday(5 * 24), at_monday(6 * 24)) == minutes(expected)


# Open now, open next


@pytest.mark.parametrize(
    ("at", "open_then", "opens_next"),
    [
        pytest.param(8.5, False, 9, id="before opening"),
        pytest.param(8.999, False, 9, id="just before opening"),
        pytest.param(9, True, 9, id="at opening"),
        pytest.param(16.999, True, 16.999, id="just before closing"),
        pytest.param(17, False, 33, id="at closing"),
        pytest.param(4 * 24 + 18, False, 7 * 24 + 9, id="on a Friday night"),
    ],
)
def test_it_knows_whether_it_is_open(at: float, open_then: bool, opens_next: float) -> None:
    assert is_open(calendar(), at_monday(at)) is open_then
    assert next_opening(calendar(), at_monday(at)) == at_monday(opens_next)


# Adding and taking away


def test_it_adds_working_time_and_stops_for_an_open_wait() -> None:
    friday = at_monday(4 * 24 + 16.5)
    assert add_working_time(calendar(), friday, hours(4)) == at_monday(7 * 24 + 12.5)
    assert add_working_time(calendar(), friday, hours(4), [(friday + minutes(10), None)]) is None
    assert add_working_time(
        calendar(), friday, minutes(10), [(friday + minutes(10), None)]
    ) == friday + minutes(10)


@pytest.mark.parametrize(
    ("end", "amount", "expected"),
    [
        pytest.param(24 + 9.5, 60, 16.5, id="an hour before Tuesday 09:30 is Monday 16:30"),
        pytest.param(
            24 + 9.5, 30, 24 + 9, id="half an hour before it is Tuesday's opening, not Monday's closing"
        ),
        pytest.param(24 + 3, 60, 16, id="from the middle of the night"),
        pytest.param(24 + 3, 0, 24 + 3, id="nothing at all"),
        pytest.param(24 + 9.5, 20 * 480 + 30, 24 - 28 * 24 + 9, id="four weeks"),
        pytest.param(24 + 9.5, 200 * 480 + 30, 24 - 280 * 24 + 9, id="forty weeks"),
    ],
)
def test_it_takes_away(end: float, amount: int, expected: float) -> None:
    assert subtract_working_time(calendar(), at_monday(end), minutes(amount)) == at_monday(expected)


# Refusals


@pytest.mark.parametrize(
    ("windows", "holidays", "working_days", "where"),
    [
        pytest.param((), (), [], "windows", id="no window"),
        pytest.param((), (Holiday(MONDAY, "", 540, 600),), [], "windows", id="only an open holiday"),
        pytest.param((Window(frozenset(), 540, 600),), (), [], "windows[0].days", id="no day"),
        pytest.param(
            (NINE_TO_FIVE, Window(frozenset({7}), 0, 9)), (), [], "windows[1].days", id="an eighth day"
        ),
        pytest.param((Window(WEEKDAYS, 540, 540),), (), [], "windows[0].close", id="no time between"),
        pytest.param((Window(WEEKDAYS, -1, 540),), (), [], "windows[0].open", id="before midnight"),
        pytest.param((Window(WEEKDAYS, 1440, 540),), (), [], "windows[0].open", id="opens at 24:00"),
        pytest.param((Window(WEEKDAYS, 540, 1441),), (), [], "windows[0].close", id="after 24:00"),
        pytest.param((NINE_TO_FIVE,), (Holiday(MONDAY, "", 540),), [], "holidays[0].close", id="no closing"),
        pytest.param((NINE_TO_FIVE,), (Holiday(MONDAY, closes=9),), [], "holidays[0].open", id="no opening"),
        pytest.param(
            (NINE_TO_FIVE,), (Holiday(MONDAY, "", 9, 9),), [], "holidays[0].close", id="empty holiday"
        ),
        pytest.param(
            (NINE_TO_FIVE,), (Holiday(MONDAY),), [MONDAY], "holidays[0].date", id="holiday and working day"
        ),
        pytest.param(
            (NINE_TO_FIVE,),
            (Holiday(MONDAY), Holiday(MONDAY, "", 1, 2)),
            [],
            "holidays[1].date",
            id="closed and open",
        ),
    ],
)
def test_it_refuses_a_calendar_with(
    windows: tuple[Window, ...], holidays: tuple[Holiday, ...], working_days: list[dt.date], where: str
) -> None:
    with pytest.raises(CalendarError) as refusal:
        WorkingCalendar(ZoneInfo("UTC"), windows, holidays, frozenset(working_days))
    assert refusal.value.where == where
    assert str(refusal.value) == refusal.value.message
    assert refusal.value.code


@pytest.mark.parametrize(("text", "expected"), [("00:00", 0), ("9:05", 545), ("09:00", 540), ("24:00", 1440)])
def test_it_reads_a_time_of_day(text: str, expected: int) -> None:
    assert parse_minutes(text) == expected
    assert parse_minutes(format_minutes(expected)) == expected


@pytest.mark.parametrize("text", ["", "9", "24:01", "25:00", "09:60", "-1:00", "09:00:00", "９:00", "noon"])
def test_it_refuses_what_is_no_time_of_day(text: str) -> None:
    with pytest.raises(CalendarError) as refusal:
        parse_minutes(text, "windows[2].close")
    assert refusal.value.where == "windows[2].close"


def test_it_refuses_naive_times() -> None:
    naive = dt.datetime(2026, 6, 1, 12)
    for refused in (
        lambda: is_open(calendar(), naive),
        lambda: worked(calendar(), naive, at_monday()),
        lambda: add_working_time(calendar(), at_monday(), hours(1), [(naive, None)]),
    ):
        with pytest.raises(WorkingTimeError) as refusal:
            refused()
        assert refusal.value.code == "naive"


def test_it_refuses_times_at_the_ends_of_the_calendar() -> None:
    for at in (dt.datetime.max.replace(tzinfo=UTC), dt.datetime.min.replace(tzinfo=ZoneInfo("Asia/Tokyo"))):
        with pytest.raises(WorkingTimeError) as refusal:
            next_opening(calendar("America/New_York"), at)
        assert refusal.value.code == "out_of_range"


def test_it_refuses_to_run_over_the_last_year() -> None:
    last_friday = dt.datetime(9998, 12, 31, 23, 59, tzinfo=UTC)
    zone = calendar("Pacific/Kiritimati")
    with pytest.raises(WorkingTimeError):
        add_working_time(zone, last_friday, hours(5000))
    with pytest.raises(WorkingTimeError):
        subtract_working_time(zone, dt.datetime(2, 1, 1, 12, tzinfo=UTC), hours(5000))


def test_it_refuses_a_wait_that_ends_before_it_begins_and_negative_amounts() -> None:
    with pytest.raises(WorkingTimeError) as refusal:
        worked(calendar(), at_monday(), at_monday(9), [(at_monday(8), at_monday(7))])
    assert refusal.value.code == "wait_reversed"
    with pytest.raises(WorkingTimeError) as refusal:
        add_working_time(calendar(), at_monday(), hours(-1))
    assert refusal.value.code == "negative"


def test_it_gives_up_soon_in_a_calendar_that_is_hardly_ever_open() -> None:
    began = process_time()
    with pytest.raises(WorkingTimeError) as refusal:
        add_working_time(calendar("Europe/Berlin", Window(frozenset({0}), 0, 1)), at_monday(), hours(1000))
    assert refusal.value.code == "too_far"
    assert process_time() - began < 1


# Against the oracle


@quick
@given(st.data())
def test_it_counts_what_the_clock_on_the_wall_shows(data: st.DataObject) -> None:
    week, start = data.draw(scenes())
    waits = data.draw(waits_near(start))
    end = start + minutes(data.draw(st.integers(0, 12_000)))
    assert worked(week, start, end, waits) == Oracle(week).worked(start, end, waits)


@quick
@given(st.data())
def test_it_counts_the_same_in_two_steps(data: st.DataObject) -> None:
    week, start = data.draw(scenes())
    waits = data.draw(waits_near(start))
    middle, end = (start + minutes(m) for m in sorted(data.draw(st.tuples(*[st.integers(0, 30_000)] * 2))))
    assert worked(week, start, end, waits) == worked(week, start, middle, waits) + worked(
        week, middle, end, waits
    )


@quick
@given(scenes(), st.integers(1, 20_000))
def test_its_spans_are_apart_and_exactly_the_open_time(
    scene: tuple[WorkingCalendar, dt.datetime], length: int
) -> None:
    week, start = scene
    end, oracle = start + minutes(length), Oracle(week)
    spans = list(open_spans(week, start, end))
    assert all(start <= span.start < span.end <= end for span in spans)
    assert all(before.end < after.start for before, after in pairwise(spans))
    assert sum((span.end - span.start for span in spans), hours(0)) == oracle.worked(start, end)
    for span in spans:
        assert oracle.is_open(span.start)
        assert is_open(week, span.start)
        assert span.end == end or not (oracle.is_open(span.end) or is_open(week, span.end))


@quick
@given(scenes())
def test_it_finds_the_next_opening(scene: tuple[WorkingCalendar, dt.datetime]) -> None:
    week, start = scene
    assert next_opening(week, start) == Oracle(week).next_opening(start)


@quick
@given(scenes(), st.integers(1, 4000))
def test_it_takes_away_what_it_adds(scene: tuple[WorkingCalendar, dt.datetime], wanted: int) -> None:
    week, end = scene
    amount = minutes(payable(week, wanted))
    latest = subtract_working_time(week, end, amount)
    assert Oracle(week).worked(latest, end) == amount
    assert is_open(week, latest)
    assert add_working_time(week, latest, amount) <= end  # type: ignore[operator]


# Every clock change of five years, in every zone


def changes(zone: ZoneInfo) -> Iterator[dt.datetime]:
    """The first hour after each change of the offset, 2026 to 2030."""
    hour, last = dt.datetime(2026, 1, 1, tzinfo=UTC), dt.datetime(2031, 1, 1, tzinfo=UTC)
    while hour < last:
        following = hour + hours(24)
        if hour.astimezone(zone).utcoffset() != following.astimezone(zone).utcoffset():
            while hour.astimezone(zone).utcoffset() != following.astimezone(zone).utcoffset():
                hour += hours(1)
            yield hour
        hour = following


def test_it_is_right_around_every_clock_change_of_five_years() -> None:
    edges = [(0, 20), (45, 75), (90, 150), (165, 181), (1430, 10)]
    windows = tuple(Window(EVERY_DAY, opens, closes) for opens, closes in edges)
    seen = 0
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        week = WorkingCalendar(zone, windows)
        oracle = Oracle(week)
        for change in changes(zone):
            seen += 1
            start, end = change - hours(3), change + hours(3)
            assert worked(week, start, end) == oracle.worked(start, end), (name, change)
            for span in open_spans(week, start, end):
                assert oracle.is_open(span.start), (name, change)
                assert oracle.is_open(span.end - minutes(1)), (name, change)
                assert span.end == end or not oracle.is_open(span.end), (name, change)
    assert seen > 1500
