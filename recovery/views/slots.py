"""Times to offer for a callback: a few on the customer's clock, each with what speaks against it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext

from recovery.models import Deadline, Ticket
from recovery.templatetags.moments import is_day, moment, there_and_here

EVENING = "evening"


@dataclass(frozen=True, slots=True)
class Slot:
    """`value` is the wall time in `zone`; `warnings` say why another time may be better."""

    value: str
    zone: str
    name: str
    time: str
    warnings: list[str]


def zone_for(ticket: Ticket) -> ZoneInfo:
    """The customer's zone, the reader's where it is not known."""
    known = ticket.customer.time_zone if ticket.customer else ""
    return ZoneInfo(known or timezone.get_current_timezone_name())


def slots_for(ticket: Ticket, deadline: Deadline | None, now: datetime) -> list[Slot]:
    zone = zone_for(ticket)
    evening = bool(ticket.customer and ticket.customer.preferred_time == EVENING)
    due_at = deadline.due_at if deadline else None
    return [
        Slot(
            f"{wall:%Y-%m-%dT%H:%M}", zone.key, name, there_and_here(wall, zone), warnings(wall, due_at, now)
        )
        for name, wall in ideas(now.astimezone(zone), evening)
    ]


def ideas(there: datetime, evening: bool) -> Iterator[tuple[str, datetime]]:
    later = (there.astimezone(UTC) + timedelta(hours=1, minutes=4)).astimezone(there.tzinfo)
    in_an_hour = later.replace(second=0, microsecond=0)
    yield gettext("in 1 h"), in_an_hour - timedelta(minutes=in_an_hour.minute % 5)
    if there.hour < 13:
        yield gettext("this afternoon"), at_hour(there, 15)
    if evening and there.hour < 17:
        yield gettext("this evening"), at_hour(there, 18)
    yield gettext("tomorrow"), at_hour(there + timedelta(days=1), 9)
    if there.weekday() != 6:  # on a Sunday, Monday is tomorrow
        yield gettext("next Monday"), at_hour(there + timedelta(days=7 - there.weekday()), 9)


def at_hour(day: datetime, hour: int) -> datetime:
    return day.replace(hour=hour, minute=0, second=0, microsecond=0)


def warnings(wall: datetime, due_at: datetime | None, now: datetime) -> list[str]:
    found = []
    if not is_day(wall):
        found.append(gettext("night there"))
    if due_at is not None and now < due_at < wall:
        found.append(gettext("after the deadline, {time}").format(time=moment(due_at, now)))
    return found
