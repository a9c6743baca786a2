"""Quiet hours: by the customer's clock, whatever it does on the days it is changed. Plain Python."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


def quiet_until(at: datetime, zone: ZoneInfo, start: time, end: time) -> datetime | None:
    """When the quiet hours [start, end) that `at` lies in are over; None outside them.

    They may pass midnight; none where start and end are the same. Quiet is what the clock on the wall shows:
    an end that is skipped is the first instant after the gap that is not quiet itself, one that is shown
    twice counts the first time, or the second for who is already in the repetition. Never earlier than `at`.
    """
    wall = at.astimezone(zone).replace(tzinfo=None)
    if not is_quiet(wall.time(), start, end):
        return None
    tomorrow = end < start and wall.time() >= start
    over = first_after(at, datetime.combine(wall.date() + DAY * tomorrow, end), zone)
    # All the time between two quiet windows may be skipped: the next has begun then.
    return quiet_until(over, zone, start, end) or over


def is_quiet(wall: time, start: time, end: time) -> bool:
    if start <= end:
        return start <= wall < end
    return wall >= start or wall < end


def first_after(at: datetime, wall: datetime, zone: ZoneInfo) -> datetime:
    """The first instant from `at` on at which the clock shows this time, or has jumped over it."""
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first.astimezone(zone).replace(tzinfo=None) != wall:
        return end_of_gap(second, first, zone)
    return first if first >= at else second


def end_of_gap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The instant between these two, to the second, at which the clock is set forward."""
    offset = after.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = (before + (after - before) / 2).replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after
