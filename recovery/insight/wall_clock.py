"""What the clock on somebody's wall shows, told to PostgreSQL by how far it is off UTC and when.

The server has a database of zones of its own; by this one both count alike, and a zone it does not know
raises no error.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAY: Final = timedelta(days=1)
SECONDS: Final = range(24 * 60 * 60 + 1)


class Shift(NamedTuple):
    """From `since` to before `until` the clock shows UTC and `off` more."""

    since: datetime
    until: datetime
    off: timedelta


@lru_cache(maxsize=1024)
def zone_named(name: str) -> ZoneInfo | None:
    """None for a name no zone has, or none."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


@lru_cache(maxsize=4096)
def shifts(zone: ZoneInfo, year: int) -> tuple[Shift, ...]:
    """All of a year in UTC, one after another. No zone has been set twice within a day since 1970."""
    return tuple(told(zone, datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)))


def told(zone: ZoneInfo, first: datetime, end: datetime) -> Iterator[Shift]:
    day, since, off = first, first, off_at(first, zone)
    while day < end:
        if off_at(day + DAY, zone) != off:
            turn = day + timedelta(seconds=seconds_until_set(zone, day, off))
            yield Shift(since, turn, off)
            since, off = turn, off_at(turn, zone)
        day += DAY
    if since < end:
        yield Shift(since, end, off)


def seconds_until_set(zone: ZoneInfo, day: datetime, off: timedelta) -> int:
    return bisect_left(SECONDS, True, key=lambda second: off_at(day + timedelta(seconds=second), zone) != off)


def off_at(moment: datetime, zone: ZoneInfo) -> timedelta:
    off = moment.astimezone(zone).utcoffset()
    assert off is not None  # a moment in a zone has one
    return off
