"""The instant of a promised local time: what was promised is the time on the customer's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from recovery.lifecycle.table import Refused
from surveys.models.fields import is_time_zone

# What lies outside is a slip of the pen, and at the ends of the calendar no instant at all.
EARLIEST_YEAR, END_OF_YEARS = 2000, 2200


def instant_of(local_time: str, time_zone: str) -> datetime:
    """The instant of a local wall time: in a gap the first valid instant after it, in an overlap the first.

    Raises Refused for a malformed time ("2026-03-02T18:00") or an unknown zone.
    """
    if not is_time_zone(time_zone):
        raise Refused("time_zone_unknown", _("Choose a time zone such as Asia/Shanghai."), field="time_zone")
    wall, zone = wall_time(local_time), ZoneInfo(time_zone)
    first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) == wall:
        return first
    return end_of_gap(first, wall, zone)


def wall_time(local_time: str) -> datetime:
    """Raises Refused for what is no date and time, or of another century."""
    try:
        wall = datetime.strptime(local_time, "%Y-%m-%dT%H:%M")  # noqa: DTZ007 (a wall time has no zone yet)
    except ValueError:
        wall = datetime.min  # noqa: DTZ901
    if not EARLIEST_YEAR <= wall.year < END_OF_YEARS:
        raise Refused(
            "time_malformed", _("Give date and time, such as 2026-03-02T18:00."), field="local_time"
        )
    return wall


def end_of_gap(guess: datetime, wall: datetime, zone: ZoneInfo) -> datetime:
    """The first instant whose wall clock is past a wall time that does not exist."""
    low, high = guess - timedelta(days=2), guess + timedelta(days=2)
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).replace(tzinfo=None) < wall:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def written(wall: datetime) -> str:
    """A wall time in the one way it is kept."""
    return wall.replace(tzinfo=None).isoformat(timespec="minutes")
