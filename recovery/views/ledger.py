"""Why this deadline: the reckoning line by line, on the clock of the calendar it was reckoned in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext, ngettext, pgettext

from recovery import deadlines
from recovery.models import Deadline
from recovery.templatetags.moments import Chip, city, day_of, deadline_chip, span
from recovery.views.timeline import CAPITAL_KINDS


@dataclass(frozen=True, slots=True)
class Line:
    """`counted` is empty where the time does not count; `why` says so."""

    times: str
    counted: str
    why: str


@dataclass(frozen=True, slots=True)
class Owed:
    """A deadline as the page shows it: its chip, and the ledger that explains it."""

    row: Deadline
    name: str
    chip: Chip
    caption: str
    lines: list[Line]
    total: str


def owed(row: Deadline, now: datetime) -> Owed:
    zone = ZoneInfo(row.calendar.time_zone)
    return Owed(
        row=row,
        name=str(CAPITAL_KINDS[row.kind]),
        chip=deadline_chip(row, now),
        caption=caption_of(row),
        lines=[line_of(line, zone) for line in deadlines.ledger_from_json(row.ledger)],
        total=f"{day_of(row.due_at.astimezone(zone))} {row.due_at.astimezone(zone):%H:%M}"
        if row.due_at
        else "",
    )


def caption_of(row: Deadline) -> str:
    facts = {
        "minutes": row.minutes,
        "policy": row.policy.name,
        "version": row.policy_version,
        "calendar": row.calendar.name,
        "city": city(ZoneInfo(row.calendar.time_zone)),
        "extra": row.extra_minutes,
    }
    words = ngettext(
        "{minutes} working minute by the policy “{policy}” v{version}, calendar “{calendar}”, {city} time",
        "{minutes} working minutes by the policy “{policy}” v{version}, calendar “{calendar}”, {city} time",
        row.minutes,
    ).format(**facts)
    if not row.extra_minutes:
        return words
    return gettext("{words}; extended by {extra} minutes").format(words=words, extra=row.extra_minutes)


def line_of(line: deadlines.LedgerLine, zone: ZoneInfo) -> Line:
    start, end = line.start.astimezone(zone), line.end.astimezone(zone)
    first = f"{day_of(start)} {start:%H:%M}"
    last = f"{end:%H:%M}" if start.date() == end.date() else f"{day_of(end)} {end:%H:%M}"
    counted = minutes_word(line.minutes) if line.why == deadlines.WORKING else ""
    return Line(f"{first} – {last}", counted, why_word(line))


def minutes_word(minutes: float) -> str:
    if minutes >= 1:
        return gettext("{m} min").format(m=f"{minutes:,.0f}")
    return gettext("under 1 min")


def why_word(line: deadlines.LedgerLine) -> str:
    if line.why == deadlines.HOLIDAY:
        return line.name or gettext("holiday")
    if line.why == deadlines.WAITING:
        return gettext("waiting for the customer, {t}").format(t=span(line.end - line.start))
    if line.why == deadlines.CLOSED:
        return pgettext("of the hours", "closed")
    return ""
