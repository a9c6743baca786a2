"""Times to offer for a callback: a few on the customer's clock, each with what speaks against it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from recovery.lifecycle import calling_hours
from recovery.lifecycle.calling_hours import WINDOWS, CallingHours, Concern, zone_of
from recovery.models import Ticket
from recovery.templatetags.moments import clock, day_of, moment, there_and_here
from recovery.views.words import Words, call_time_word

HALF_AN_HOUR = timedelta(minutes=30)

CONCERNS: Final[dict[str, Words]] = {
    calling_hours.QUIET: _("quiet hours there"),
    calling_hours.CLOSED: _("outside the team’s hours"),
    calling_hours.HOLIDAY: _("the team is closed: {name}"),
    calling_hours.AFTER_DEADLINE: _("after the deadline, {time}"),
    calling_hours.DOUBLE: _("another call is promised for {clock}: {name}"),
    calling_hours.OUTSIDE_WINDOW: _("not when they wished to be called: {part}"),
}


@dataclass(frozen=True, slots=True)
class Slot:
    """`value` is the wall time in `zone`; `warnings` say why another time may be better."""

    value: str
    zone: str
    name: str
    time: str
    warnings: list[str]


def slots_for(ticket: Ticket, now: datetime) -> list[Slot]:
    """The part of the day they wished for comes first; no time is offered twice."""
    zone = zone_of(ticket)
    hours = CallingHours(ticket, now, zone)
    offered: dict[str, Slot] = {}
    for name, wall in ideas(hours, now.astimezone(zone)):
        value = f"{wall:%Y-%m-%dT%H:%M}"
        warned = warnings(hours, wall.astimezone(UTC), now)
        offered.setdefault(value, Slot(value, zone.key, name, there_and_here(wall, zone), warned))
    return list(offered.values())


def ideas(hours: CallingHours, there: datetime) -> Iterator[tuple[str, datetime]]:
    if hours.wished:
        wall = as_wished(hours, there)
        yield gettext("as they wished, {day}").format(day=day_there(wall, there)), wall
    later = (there.astimezone(UTC) + timedelta(hours=1, minutes=4)).astimezone(there.tzinfo)
    in_an_hour = later.replace(second=0, microsecond=0)
    yield gettext("in 1 h"), in_an_hour - timedelta(minutes=in_an_hour.minute % 5)
    if there.hour < 13:
        yield gettext("this afternoon"), at_hour(there, 15)
    yield gettext("tomorrow"), at_hour(there + timedelta(days=1), 9)
    if there.weekday() != 6:  # on a Sunday, Monday is tomorrow
        yield gettext("next Monday"), at_hour(there + timedelta(days=7 - there.weekday()), 9)


def as_wished(hours: CallingHours, there: datetime) -> datetime:
    """The next time in the part of the day they wished for: a good one, else one with its warnings."""
    window = WINDOWS[hours.wished]
    soon = there.astimezone(UTC) + HALF_AN_HOUR
    good = hours.good_times(soon, window, HALF_AN_HOUR, most=1)
    if good:
        return good[0].astimezone(there.tzinfo)
    today = at_hour(there, window[0] + 1)
    return today if today.astimezone(UTC) >= soon else at_hour(there + timedelta(days=1), window[0] + 1)


def day_there(wall: datetime, there: datetime) -> str:
    """today, tomorrow, Thu 26 Nov: by the customer's own calendar."""
    near = {0: gettext("today"), 1: gettext("tomorrow")}
    return near.get((wall.date() - there.date()).days) or day_of(wall, wall.year != there.year)


def at_hour(day: datetime, hour: int) -> datetime:
    return day.replace(hour=hour, minute=0, second=0, microsecond=0)


def warnings(hours: CallingHours, when: datetime, now: datetime) -> list[str]:
    return [in_words(concern, now) for concern in hours.concerns(when)]


def in_words(concern: Concern, now: datetime) -> str:
    return str(CONCERNS[concern.code]).format(
        name=concern.name,
        time=moment(concern.at, now),
        clock=clock(concern.at),
        part=call_time_word(concern.name),
    )
