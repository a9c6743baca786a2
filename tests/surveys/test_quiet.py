"""Quiet hours against an oracle that looks at the clock on the wall minute by minute."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surveys.messages.quiet import quiet_until

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
FIRST, LAST = datetime(2026, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
NIGHT = (time(21), time(8))
HALF_PAST_TWO = (time(21), time(2, 30))
A_QUARTER = (time(21), time(2, 15))
ALMOST_ALWAYS = (time(1, 15), time(1))


@cache
def transitions(name: str) -> tuple[datetime, ...]:
    """Every instant of the years at which this zone's clock is changed, to the minute."""
    zone, found, at = ZoneInfo(name), [], FIRST
    while at < LAST:
        if at.astimezone(zone).utcoffset() != (at + 12 * HOUR).astimezone(zone).utcoffset():
            before = at
            while before.astimezone(zone).utcoffset() == at.astimezone(zone).utcoffset():
                before += MINUTE
            found.append(before)
        at += 12 * HOUR
    return tuple(found)


@cache
def changing_zones() -> tuple[str, ...]:
    return tuple(name for name in sorted(available_timezones()) if transitions(name))


def wall(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)


def is_quiet(at: datetime, zone: ZoneInfo, start: time, end: time) -> bool:
    shown = wall(at, zone).time().replace(second=0, microsecond=0)
    minutes = range(24 * 60)
    opens, closes, now = (each.hour * 60 + each.minute for each in (start, end, shown))
    inside, minute = set(), opens
    while minute != closes:
        inside.add(minute)
        minute = (minute + 1) % len(minutes)
    return now in inside


def end_by_walking(at: datetime, zone: ZoneInfo, start: time, end: time) -> datetime | None:
    """The first minute from `at` on, not quiet, at which the clock shows the window's end or more."""
    if not is_quiet(at, zone, start, end):
        return None
    target = datetime.combine(wall(at, zone).date(), end)
    if target <= wall(at, zone):
        target += timedelta(days=1)
    while wall(at, zone) < target or is_quiet(at, zone, start, end):
        at += MINUTE
    return at


times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))


@settings(max_examples=400, deadline=None)
@given(data=st.data(), start=times, end=times)
def test_it_ends_when_the_clock_on_the_wall_says_so(data: st.DataObject, start: time, end: time) -> None:
    """Within a day and a half of a change of the clock, in every zone that has one."""
    name = data.draw(st.sampled_from(changing_zones()), "zone")
    around = data.draw(st.sampled_from(transitions(name)), "change")
    at = around + data.draw(st.integers(-36 * 60, 36 * 60), "minutes") * MINUTE
    zone = ZoneInfo(name)
    found = quiet_until(at, zone, start, end)
    assert found == end_by_walking(at, zone, start, end)
    if found:
        assert found > at
        assert not is_quiet(found, zone, start, end)


@pytest.mark.parametrize(
    ("name", "zone", "at", "window", "until"),
    [
        ("in the evening", "Asia/Shanghai", "2026-03-02T14:00", NIGHT, "2026-03-03T00:00"),
        ("after midnight", "Asia/Shanghai", "2026-03-02T18:00", NIGHT, "2026-03-03T00:00"),
        ("as they begin", "UTC", "2026-03-02T21:00", NIGHT, "2026-03-03T08:00"),
        ("a minute before they begin", "UTC", "2026-03-02T20:59", NIGHT, None),
        ("a minute before they end", "UTC", "2026-03-02T07:59", NIGHT, "2026-03-02T08:00"),
        ("as they end", "UTC", "2026-03-02T08:00", NIGHT, None),
        ("at noon", "UTC", "2026-03-02T12:00", NIGHT, None),
        ("within one day", "UTC", "2026-03-02T12:30", (time(12), time(14)), "2026-03-02T14:00"),
        ("none, as both are the same", "UTC", "2026-03-02T00:00", (time(0), time(0)), None),
        ("the end is skipped", "Europe/Berlin", "2026-03-28T22:00", HALF_PAST_TWO, "2026-03-29T01:00"),
        ("all between is skipped", "Atlantic/Canary", "2026-03-29T00:59", ALMOST_ALWAYS, "2026-03-30T00:00"),
        ("the end is shown twice", "Europe/Berlin", "2026-10-24T22:00", HALF_PAST_TWO, "2026-10-25T00:30"),
        ("in the repetition", "Europe/Berlin", "2026-10-25T01:10", HALF_PAST_TWO, "2026-10-25T01:30"),
        ("a short night", "America/New_York", "2026-03-08T04:00", NIGHT, "2026-03-08T12:00"),
        ("half an hour is skipped", "Australia/Lord_Howe", "2026-10-03T14:00", A_QUARTER, "2026-10-03T15:30"),
    ],
)  # fmt: skip
def test_quiet_hours_by_example(
    name: str, zone: str, at: str, window: tuple[time, time], until: str | None
) -> None:
    found = quiet_until(datetime.fromisoformat(at).replace(tzinfo=UTC), ZoneInfo(zone), *window)
    assert found == (datetime.fromisoformat(until).replace(tzinfo=UTC) if until else None)


def test_every_zone_with_a_changing_clock_is_among_those_tried() -> None:
    assert len(changing_zones()) > 150
    assert sum(len(transitions(name)) for name in changing_zones()) > 1500
