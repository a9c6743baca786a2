"""When a customer can be called: what speaks against a time, and the next time nothing does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo

from django.utils.formats import date_format

from recovery import business_hours
from recovery.business_hours import WorkingCalendar
from recovery.models import Callback, Ticket
from surveys.messages import rules
from surveys.messages.quiet import is_quiet
from surveys.models import SendingRules

# Hours of the customer's day in which people like to be called, and the parts of it they may wish for.
DAY: Final = (8, 20)
WINDOWS: Final = {"": DAY, "morning": (8, 12), "afternoon": (12, 17), "evening": (17, 20)}

QUIET, HOLIDAY, CLOSED, AFTER_DEADLINE, DOUBLE = "quiet", "holiday", "closed", "after_deadline", "double"
OUTSIDE_WINDOW = "outside_window"

APART = timedelta(minutes=15)
GRID = timedelta(minutes=5)
HORIZON = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Concern:
    """What speaks against a time: a code, with the other time or the name that belongs to it."""

    code: str
    at: datetime | None = None
    name: str = ""


def wished_part(ticket: Ticket) -> str:
    """The part of their day the customer asked to be called in: with this answer, or for good; '' for any."""
    usual = ticket.customer.preferred_time if ticket.customer else ""
    return ticket.response.contact_time or usual


def zone_of(ticket: Ticket) -> ZoneInfo:
    """The customer's zone, their team's where it is not known."""
    known = ticket.customer.time_zone if ticket.customer else ""
    return ZoneInfo(known or ticket.team.calendar.time_zone)


class CallingHours:
    """The hours of one customer, their team and their owner, read once for as many times as are asked about.

    `zone` is the clock the customer is taken to live by.
    """

    def __init__(self, ticket: Ticket, at: datetime, zone: ZoneInfo | None = None) -> None:
        self.ticket = ticket
        self.at = at
        self.zone = zone or zone_of(ticket)
        self.wished = wished_part(ticket)

    @cached_property
    def rules(self) -> SendingRules:
        return rules.current()

    @cached_property
    def team_hours(self) -> WorkingCalendar:
        return self.ticket.team.calendar.as_working_calendar()

    @cached_property
    def holidays(self) -> dict[object, str]:
        return {each.date: each.name for each in self.team_hours.holidays}

    @cached_property
    def deadline(self) -> datetime | None:
        """The nearest deadline still ahead."""
        rows = [row for row in self.ticket.deadlines.all() if row.cycle == self.ticket.cycle]
        ahead = [row.due_at for row in rows if row.is_running and row.due_at and row.due_at > self.at]
        return min(ahead, default=None)

    @cached_property
    def promised(self) -> list[tuple[datetime, str]]:
        """The owner's other callbacks. Who keeps a ticket until somebody has room does not make its calls."""
        if self.ticket.awaits_room:
            return []
        booked = Callback.objects.filter(state=Callback.BOOKED, ticket__owner=self.ticket.owner_id)
        others = (
            booked.filter(ticket__awaits_room=False)
            .exclude(ticket=self.ticket)
            .values_list("due_at", "ticket__customer__name", "ticket__number")
        )
        return [(due_at, name or number) for due_at, name, number in others]

    def concerns(self, when: datetime) -> list[Concern]:
        """Everything that speaks against this time, the customer's night first."""
        found = [Concern(QUIET)] if self.is_quiet(when) else []
        closed = self.why_not_open(when)
        found += [closed] if closed else []
        if self.deadline is not None and self.deadline < when:
            found.append(Concern(AFTER_DEADLINE, self.deadline))
        found += [Concern(DOUBLE, due_at, name) for due_at, name in self.promised if near(due_at, when)]
        return found

    def is_quiet(self, when: datetime) -> bool:
        wall = when.astimezone(self.zone).time()
        return is_quiet(wall, self.rules.quiet_from, self.rules.quiet_until)

    def why_not_open(self, when: datetime) -> Concern | None:
        """That the team is closed then, for a holiday or by the hour; None while it is open."""
        if business_hours.is_open(self.team_hours, when):
            return None
        day = when.astimezone(self.team_hours.zone).date()
        if day not in self.holidays:
            return Concern(CLOSED)
        return Concern(HOLIDAY, name=self.holidays[day] or date_format(day, "MONTH_DAY_FORMAT"))

    def is_within(self, when: datetime, window: tuple[int, int]) -> bool:
        """Whether the customer's clock shows an hour of this window, and none that is quiet."""
        opens, closes = window
        return opens <= when.astimezone(self.zone).hour < closes and not self.is_quiet(when)

    def is_free(self, when: datetime) -> bool:
        return not any(near(due_at, when) for due_at, _name in self.promised)

    def next_good(self, start: datetime, step: timedelta = GRID) -> tuple[datetime, bool] | None:
        """The first good time from `start` on, and whether it lies in the part of the day they wished for.

        Good is open for the team, by day and not quiet for the customer, and free for the owner. None where
        two weeks hold no such time.
        """
        for window in dict.fromkeys((WINDOWS[self.wished], DAY)):
            found = next(iter(self.good_times(start, window, step, most=1)), None)
            if found is not None:
                return found, window == WINDOWS[self.wished]
        return None

    def good_times(
        self, start: datetime, window: tuple[int, int], step: timedelta, most: int
    ) -> list[datetime]:
        """Up to `most` good times on the grid of `step`, in order."""
        found: list[datetime] = []
        for span in business_hours.open_spans(self.team_hours, start, start + HORIZON):
            when = on_grid(span.start, step)
            while when < span.end and len(found) < most:
                if self.is_within(when, window) and self.is_free(when):
                    found.append(when)
                when += step
        return found


def near(one: datetime, other: datetime) -> bool:
    return abs(one - other) < APART


def on_grid(at: datetime, step: timedelta) -> datetime:
    """The first moment from `at` on that is a whole number of steps."""
    over = timedelta(seconds=at.timestamp() % step.total_seconds())
    return at - over + step if over else at
