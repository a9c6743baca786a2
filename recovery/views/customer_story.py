"""What a customer is told about their own matter: what was promised, whether it was kept, how it stands.

Never a note, a name of anybody but who looks after them, or a word of what we say among ourselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext

from recovery.lifecycle.cadence import unheard_in_a_row
from recovery.lifecycle.calling_hours import DAY, CallingHours
from recovery.lifecycle.lot import lot_wait
from recovery.models import Callback, Contact, Deadline, Ticket
from recovery.models.contact import HEARD
from recovery.models.policy import FIRST_CONTACT
from recovery.models.ticket import WAITING
from surveys.views.survey_page import WRITTEN

KEPT, BROKEN, OPEN = "kept", "broken", "open"
AN_HOUR = timedelta(hours=1)
# As many times as a week has: more is no choice but a search.
MOST_TIMES = 40


@dataclass(frozen=True, slots=True)
class Promised:
    """One thing we said we would do, and what became of it: kept, broken or open."""

    words: str
    state: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Time:
    """A time to choose: `value` on the customer's clock."""

    value: str
    clock: str


@dataclass(frozen=True, slots=True)
class Day:
    name: str
    times: list[Time]


@dataclass(frozen=True, slots=True)
class Story:
    """How a ticket stands, in a customer's words; `zone` is the clock they are taken to live by."""

    headline: str
    text: str
    promises: list[Promised]
    booked: str
    days: list[Day]


def story_of(ticket: Ticket, at: datetime, zone: ZoneInfo) -> Story:
    booked = Callback.objects.filter(ticket=ticket, state=Callback.BOOKED).first()
    headline, text = headline_of(ticket, booked, at, zone)
    return Story(
        headline=headline,
        text=text,
        promises=promises_of(ticket, booked, at, zone),
        booked=moment(booked.due_at, zone, at) if booked and booked.due_at > at else "",
        days=days_of(ticket, at, zone) if ticket.is_in_work else [],
    )


def headline_of(ticket: Ticket, booked: Callback | None, at: datetime, zone: ZoneInfo) -> tuple[str, str]:
    name = ticket.owner.get_full_name() or gettext("A colleague")
    if not ticket.is_in_work:
        return gettext("This is settled."), gettext("If something is still not right, tell us below.")
    if booked and booked.due_at > at:
        return said_when(booked, name, at, zone), ""
    if ticket.unreachable_at:
        return gettext("We could not reach you."), tried(ticket)
    if ticket.status == WAITING and lot_wait(ticket) is None:
        return gettext("We are waiting for something from you."), gettext("You can tell us below.")
    if Contact.objects.filter(ticket=ticket, cycle=ticket.cycle, outcome__in=HEARD).exists():
        return gettext("%(name)s is putting it right.") % {"name": name}, ""
    return gettext("%(name)s looks after this.") % {"name": name}, tried(ticket)


def said_when(booked: Callback, name: str, at: datetime, zone: ZoneInfo) -> str:
    facts = {"name": name, "moment": moment(booked.due_at, zone, at)}
    if booked.channel == "phone":
        return gettext("%(name)s will call you: %(moment)s.") % facts
    if booked.channel in WRITTEN:
        return gettext("%(name)s will write to you: %(moment)s.") % facts
    return gettext("%(name)s will get in touch with you: %(moment)s.") % facts


def tried(ticket: Ticket) -> str:
    attempts = len(unheard_in_a_row(ticket))
    if not attempts:
        return ""
    return ngettext(
        "We tried once and did not reach you.", "We tried %(count)d times and did not reach you.", attempts
    ) % {"count": attempts}


def promises_of(ticket: Ticket, booked: Callback | None, at: datetime, zone: ZoneInfo) -> list[Promised]:
    row = Deadline.objects.filter(ticket=ticket, kind=FIRST_CONTACT, cycle=ticket.cycle).first()
    found = first_contact(row, at, zone)
    if booked is not None:
        words = agreed(booked.channel) % {"moment": moment(booked.due_at, zone, at)}
        late = booked.due_at <= at
        outcome = gettext("not kept yet, we are sorry") if late else gettext("agreed")
        found.append(Promised(words, BROKEN if late else OPEN, outcome))
    return found


def agreed(channel: str) -> str:
    if channel == "phone":
        return gettext("We call you: %(moment)s")
    if channel in WRITTEN:
        return gettext("We write to you: %(moment)s")
    return gettext("We get in touch with you: %(moment)s")


def first_contact(row: Deadline | None, at: datetime, zone: ZoneInfo) -> list[Promised]:
    """By when we wanted to be in touch; nothing while the clock stands, or where it became needless."""
    due = (row.breached_at or row.due_at) if row else None
    if row is None or due is None or (row.ended_at and not row.met_at):
        return []
    words = gettext("We get in touch with you by %(moment)s") % {"moment": moment(due, zone, at)}
    if row.met_at:
        met = {"moment": moment(row.met_at, zone, at)}
        if row.breached_at:
            return [Promised(words, BROKEN, gettext("kept late, %(moment)s") % met)]
        return [Promised(words, KEPT, gettext("kept, %(moment)s") % met)]
    if due <= at:
        return [Promised(words, BROKEN, gettext("not kept yet, we are sorry"))]
    return [Promised(words, OPEN, gettext("still ahead"))]


def days_of(ticket: Ticket, at: datetime, zone: ZoneInfo) -> list[Day]:
    """Whole hours at which we are there, it is day for them, and nobody else was promised the same time."""
    hours = CallingHours(ticket, at, zone)
    times = [each.astimezone(zone) for each in hours.good_times(at + AN_HOUR, DAY, AN_HOUR, MOST_TIMES)]
    grouped = [list(group) for _date, group in groupby(times, datetime.date)]
    return [
        Day(
            day_name(group[0], at.astimezone(zone)),
            [Time(f"{each:%Y-%m-%dT%H:%M}", f"{each:%H:%M}") for each in group],
        )
        for group in grouped
    ]


def moment(when: datetime, zone: ZoneInfo, at: datetime) -> str:
    """today 15:02; Mon March 2, 15:02: on the customer's clock."""
    local = when.astimezone(zone)
    return gettext("%(day)s, %(time)s") % {
        "day": day_name(local, at.astimezone(zone)),
        "time": f"{local:%H:%M}",
    }


def day_name(day: datetime, today: datetime) -> str:
    near = {0: gettext("today"), 1: gettext("tomorrow"), -1: gettext("yesterday")}
    name = f"{date_format(day, 'D')} {date_format(day, 'MONTH_DAY_FORMAT')}"
    return near.get((day.date() - today.date()).days) or name
