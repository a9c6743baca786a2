"""What is told to PostgreSQL of a zone is what Python's clock in that zone shows."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from recovery.insight.wall_clock import shifts, zone_named
from tests.make import HOUR

MICROSECOND = timedelta(microseconds=1)
HOURS = range(366 * 24)


@pytest.mark.parametrize(
    ("name", "year", "count"),
    [
        ("UTC", 2026, 1),
        ("Asia/Shanghai", 2026, 1),
        ("Europe/London", 2026, 3),
        ("America/New_York", 2026, 3),
        ("Australia/Lord_Howe", 2026, 3),  # by half an hour
        ("Asia/Kathmandu", 1986, 1),
        ("Africa/Casablanca", 2014, 5),  # winter time in Ramadan
        ("America/Recife", 2000, 4),  # summer time of a week
        ("Pacific/Apia", 2011, 4),  # a day left out
    ],
)
def test_it_is_off_by_what_the_clock_in_the_zone_shows(name: str, year: int, count: int) -> None:
    zone, told = ZoneInfo(name), shifts(ZoneInfo(name), year)
    starts = [shift.since for shift in told]
    for hour in HOURS:
        moment = datetime(year, 1, 1, 0, 30, tzinfo=UTC) + hour * HOUR
        if moment.year == year:
            assert told[bisect_right(starts, moment) - 1].off == moment.astimezone(zone).utcoffset()
    assert len(told) == count


@pytest.mark.parametrize("name", ["Europe/London", "Africa/Casablanca", "Pacific/Apia"])
def test_it_turns_to_the_microsecond_and_leaves_no_gap(name: str) -> None:
    zone = ZoneInfo(name)
    told = [shift for year in (2010, 2011, 2012) for shift in shifts(zone, year)]
    assert told[0].since == datetime(2010, 1, 1, tzinfo=UTC)
    assert told[-1].until == datetime(2013, 1, 1, tzinfo=UTC)
    for before, after in pairwise(told):
        assert before.until == after.since
        assert (after.since - MICROSECOND).astimezone(zone).utcoffset() == before.off
        assert after.since.astimezone(zone).utcoffset() == after.off


@pytest.mark.parametrize("name", ["", "No/Where", "../etc/passwd", "\0", "EST+5"])
def test_a_name_no_zone_has_is_none(name: str) -> None:
    assert zone_named(name) is None


def test_a_zone_is_known_by_its_name() -> None:
    assert zone_named("Europe/London") == ZoneInfo("Europe/London")
