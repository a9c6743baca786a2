"""Times as people say them, in the reader's zone: how long until, which day, and the same there and here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import template
from django.utils import timezone
from django.utils.dateformat import format as formatted
from django.utils.translation import gettext, pgettext

from recovery.models import Deadline

register = template.Library()

SOON = timedelta(hours=2)
DAYTIME = range(8, 20)

LATE, SOON_STATE, DUE, MET, PAUSED = "late", "soon", "due", "met", "paused"


@dataclass(frozen=True, slots=True)
class Chip:
    """A time as the chip shows it. With `at`, the page keeps counting."""

    state: str
    text: str
    title: str = ""
    at: datetime | None = None


def span(amount: timedelta) -> str:
    """35 min, 2 h 10, 1 d 3 h; the script of the page says it the same way."""
    minutes = int(abs(amount).total_seconds()) // 60
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    if days:
        return gettext("{d} d {h} h").format(d=days, h=hours)
    if hours:
        return gettext("{h} h {m}").format(h=hours, m=f"{minutes:02}")
    return gettext("{m} min").format(m=minutes)


@register.filter
def moment(at: datetime | None, now: datetime) -> str:
    """today 15:02, tomorrow 09:00, Thu 26 Nov 17:00; on the reader's clock, with the year if another."""
    if at is None:
        return ""
    local = timezone.localtime(at)
    today = timezone.localtime(now).date()
    clock = f"{local:%H:%M}"
    near = {0: gettext("today {time}"), 1: gettext("tomorrow {time}"), -1: gettext("yesterday {time}")}
    days = (local.date() - today).days
    if days in near:
        return near[days].format(time=clock)
    return f"{day_of(local, local.year != today.year)} {clock}"


def day_of(local: datetime, with_year: bool = False) -> str:
    shape = pgettext("day format", "D j M Y") if with_year else pgettext("day format", "D j M")
    return formatted(local, shape)


@register.filter
def day(at: datetime, now: datetime) -> str:
    """today, yesterday, tomorrow, Thu 26 Nov."""
    local, today = timezone.localtime(at), timezone.localtime(now).date()
    near = {0: gettext("today"), 1: gettext("tomorrow"), -1: gettext("yesterday")}
    return near.get((local.date() - today).days) or day_of(local, local.year != today.year)


@register.filter
def clock(at: datetime | None) -> str:
    return f"{timezone.localtime(at):%H:%M}" if at else ""


def city(zone: tzinfo) -> str:
    key = zone.key if isinstance(zone, ZoneInfo) else str(zone)
    return key.rsplit("/", 1)[-1].replace("_", " ")


def same_clock(at: datetime, zone: tzinfo) -> bool:
    """Whether the reader's clock shows the same then as one in this zone."""
    return at.astimezone(zone).utcoffset() == timezone.localtime(at).utcoffset()


def there_and_here(at: datetime, zone: tzinfo) -> str:
    """18:15 there, 11:15 here; only the time where both clocks agree."""
    there = at.astimezone(zone)
    if same_clock(at, zone):
        return f"{there:%H:%M}"
    return gettext("{there} there, {here} here").format(there=f"{there:%H:%M}", here=clock(at))


def time_there(local_time: str, time_zone: str) -> str:
    """Sun 22 Nov 00:24 in Paris, for a wall time and its zone; '' where the reader's clock shows the same."""
    try:
        there = datetime.fromisoformat(local_time).replace(tzinfo=ZoneInfo(time_zone))
    except (ValueError, ZoneInfoNotFoundError):
        return ""
    if same_clock(there, ZoneInfo(time_zone)):
        return ""
    return gettext("{time} in {city}").format(
        time=f"{day_of(there)} {there:%H:%M}", city=city(ZoneInfo(time_zone))
    )


def due_title(at: datetime, zone: tzinfo) -> str:
    """due Tue 24 Nov 15:00 Shanghai (08:00 here)"""
    there = at.astimezone(zone)
    facts = {"day": day_of(there), "time": f"{there:%H:%M}", "city": city(zone), "here": clock(at)}
    if same_clock(at, zone):
        return gettext("due {day} {time}").format(**facts)
    return gettext("due {day} {time} {city} ({here} here)").format(**facts)


def chip_until(at: datetime, now: datetime, zone: tzinfo) -> Chip:
    title = due_title(at, zone)
    if at <= now:
        return Chip(LATE, gettext("late {t}").format(t=span(now - at)), title, at)
    state = SOON_STATE if at - now <= SOON else DUE
    return Chip(state, gettext("in {t}").format(t=span(at - now)), title, at)


def zone_of(row: Deadline) -> ZoneInfo:
    return ZoneInfo(row.calendar.time_zone)


def deadline_chip(row: Deadline, now: datetime) -> Chip:
    """What a deadline says now; `row.calendar` should be in hand."""
    if row.met_at is not None:
        return met_chip(row, row.met_at, now)
    if row.ended_at is not None:
        return ended_chip(row)
    if row.due_at is None:
        left = timedelta(minutes=minutes_left(row))
        return Chip(PAUSED, gettext("paused, {t} left").format(t=span(left)))
    return chip_until(row.due_at, now, zone_of(row))


def met_chip(row: Deadline, met_at: datetime, now: datetime) -> Chip:
    title = due_title(row.due_at, zone_of(row)) if row.due_at else ""
    if row.breached_at is not None:
        late = span(met_at - row.breached_at)
        return Chip(LATE, gettext("done {t} late").format(t=late), title)
    return Chip(MET, gettext("kept, {time}").format(time=moment(met_at, now)), title)


def ended_chip(row: Deadline) -> Chip:
    if row.breached_at is not None:
        return Chip(LATE, gettext("missed"), due_title(row.breached_at, zone_of(row)))
    return Chip(PAUSED, gettext("no longer needed"))


def minutes_left(row: Deadline) -> float:
    """Working minutes left while the clock stands: what was allowed, less what the ledger counts."""
    used = float(sum(line["minutes"] for line in row.ledger))
    return max(0.0, row.minutes + row.extra_minutes - used)


@register.filter
def is_day(at: datetime) -> bool:
    """Whether it is a time of day at which people like to be called."""
    return at.hour in DAYTIME
