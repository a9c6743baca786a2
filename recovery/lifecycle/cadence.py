"""What comes after an attempt that reached nobody: when to try again, by what channel, when to give up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final
from zoneinfo import ZoneInfo

from recovery.lifecycle.calling_hours import (
    AFTER_DEADLINE,
    OUTSIDE_WINDOW,
    CallingHours,
    Concern,
)
from recovery.lifecycle.wall_clock import instant_of, written
from recovery.models import Cadence, CadenceStep, Callback, Contact, Ticket
from recovery.models.contact import HEARD
from recovery.models.ticket import NEW
from surveys.models import Customer

AGAIN, OTHER_CHANNEL, UNREACHABLE = "again", "other_channel", "unreachable"

# After these the same channel is of no use: the number is not theirs, or they do not want to talk.
CHANNEL_USELESS: Final = ("wrong_number", "refused")
# Which address a channel needs; the others need none that we know.
ADDRESS_FOR: Final = {"phone": "phone", "sms": "phone", "email": "email"}
AN_HOUR = timedelta(hours=1)
MORNING_HOUR, AFTERNOON_HOUR, EVENING_HOUR = 9, 15, 18


@dataclass(frozen=True, slots=True)
class Proposal:
    """The next attempt after `attempts` in a row that reached nobody, the last of which ended as `outcome`.

    `why` is a code. With UNREACHABLE no time is proposed: the cadence says to give up. `local_time` and
    `time_zone` are as a callback keeps them; `concerns` say what speaks against the time all the same.
    """

    why: str
    outcome: str
    attempts: int
    channel: str = ""
    local_time: str = ""
    time_zone: str = ""
    due_at: datetime | None = None
    concerns: tuple[Concern, ...] = ()

    @property
    def gives_up(self) -> bool:
        return self.why == UNREACHABLE


def cadence_of(ticket: Ticket) -> Cadence | None:
    """The cadence of the ticket's policy, else the default; None where an administrator keeps none."""
    return ticket.policy.cadence or Cadence.objects.filter(is_default=True).first()


def unheard_in_a_row(ticket: Ticket) -> list[Contact]:
    """The attempts of this cycle since the customer was last heard, oldest first."""
    attempts: list[Contact] = []
    for contact in Contact.objects.filter(ticket=ticket, cycle=ticket.cycle).order_by("-at", "-id"):
        if contact.outcome in HEARD:
            break
        attempts.append(contact)
    return attempts[::-1]


def proposal_after(ticket: Ticket, at: datetime) -> Proposal | None:
    """What the cadence says comes next, reckoned from `at`.

    None where the last attempt was heard or none was made, where a callback is booked or the search given
    up already, where no step speaks of the outcome, and where no good time can be found.
    """
    if not ticket.is_in_work or ticket.status == NEW or ticket.unreachable_at is not None:
        return None
    attempts = unheard_in_a_row(ticket)
    cadence = cadence_of(ticket) if attempts else None
    if cadence is None or any(each.state == Callback.BOOKED for each in ticket.callbacks.all()):
        return None
    outcome, count = attempts[-1].outcome, len(attempts)
    if count >= cadence.unreachable_after:
        return Proposal(UNREACHABLE, outcome, count)
    step = step_for(cadence, outcome, count)
    return next_attempt(ticket, at, cadence, attempts, step) if step else None


def step_for(cadence: Cadence, outcome: str, count: int) -> CadenceStep | None:
    return cadence.steps.filter(outcome=outcome, attempt__lte=count).order_by("-attempt").first()


def next_attempt(
    ticket: Ticket, at: datetime, cadence: Cadence, attempts: list[Contact], step: CadenceStep
) -> Proposal | None:
    hours = CallingHours(ticket, at)
    found = hours.next_good(wished_time(step, at, hours.zone))
    if found is None:
        return None
    when, as_wished = found
    channel = channel_after(ticket, attempts, cadence.other_channel_after)
    concerns = [each for each in hours.concerns(when) if each.code == AFTER_DEADLINE]
    concerns += [] if as_wished else [Concern(OUTSIDE_WINDOW, name=hours.wished)]
    return Proposal(
        why=AGAIN if channel == attempts[-1].channel else OTHER_CHANNEL,
        outcome=step.outcome,
        attempts=len(attempts),
        channel=channel,
        local_time=written(when.astimezone(hours.zone)),
        time_zone=hours.zone.key,
        due_at=when,
        concerns=tuple(concerns),
    )


def wished_time(step: CadenceStep, at: datetime, zone: ZoneInfo) -> datetime:
    """The time the step names on the customer's clock, at least an hour away where it names an hour."""
    if step.when == CadenceStep.MINUTES:
        return at + timedelta(minutes=step.minutes or 0)
    today = at.astimezone(zone)
    if step.when == CadenceStep.AFTERNOON:
        return today_or_tomorrow(today, AFTERNOON_HOUR, zone, at)
    if step.when == CadenceStep.EVENING:
        return today_or_tomorrow(today, EVENING_HOUR, zone, at)
    days = 7 - today.weekday() if step.when == CadenceStep.NEXT_MONDAY else 1
    return clock_of(today + timedelta(days=days), MORNING_HOUR, zone)


def today_or_tomorrow(today: datetime, hour: int, zone: ZoneInfo, at: datetime) -> datetime:
    first = clock_of(today, hour, zone)
    return first if first >= at + AN_HOUR else clock_of(today + timedelta(days=1), hour, zone)


def clock_of(day: datetime, hour: int, zone: ZoneInfo) -> datetime:
    return instant_of(written(day.replace(hour=hour, minute=0)), zone.key)


def channel_after(ticket: Ticket, attempts: list[Contact], other_after: int) -> str:
    """The channel of the last attempt; another once it has failed often enough, or cannot be of use."""
    last = attempts[-1]
    tried = list(takewhile(lambda each: each.channel == last.channel, reversed(attempts)))
    if len(tried) < other_after and last.outcome not in CHANNEL_USELESS:
        return last.channel
    useless = {last.channel}
    if last.outcome == "wrong_number":
        useless |= {channel for channel, needs in ADDRESS_FOR.items() if needs == "phone"}
    return next((each for each in channels_of(ticket.customer) if each not in useless), last.channel)


def channels_of(customer: Customer | None) -> Iterable[str]:
    """How this person can be reached, the way they prefer first."""
    if customer is None:
        return
    for channel in dict.fromkeys((customer.preferred_channel, *ADDRESS_FOR)):
        if channel and (channel not in ADDRESS_FOR or customer.identity(ADDRESS_FOR[channel])):
            yield channel
