"""When the steps of a deadline's ladder fall due, on the clock that counts for the deadline itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from recovery import business_hours
from recovery.business_hours import WorkingCalendar
from recovery.models import Deadline, EscalationStep


def allowed(row: Deadline) -> timedelta:
    """The working time this deadline leaves."""
    return timedelta(minutes=row.minutes + row.extra_minutes)


def step_time(
    step: EscalationStep, row: Deadline, hours: WorkingCalendar, waits: list[business_hours.Wait]
) -> datetime | None:
    """When a step of a deadline that has a due time falls due; None while the clock stands before it.

    A share counts from the deadline's start, minutes from its due time; neither counts what was waited.
    """
    assert row.due_at is not None
    if step.share is not None:
        used = allowed(row) * step.share / 100
        return business_hours.add_working_time(hours, row.starts_at, used, waits)
    if step.minutes_after < 0:
        return time_before(hours, row.due_at, timedelta(minutes=-step.minutes_after), waits)
    return business_hours.add_working_time(hours, row.due_at, timedelta(minutes=step.minutes_after), waits)


def time_before(
    hours: WorkingCalendar, end: datetime, amount: timedelta, waits: list[business_hours.Wait]
) -> datetime:
    """The latest instant from which exactly `amount` is left to work until `end` outside the waits."""
    for lower, upper in paused_before(end, waits):
        free = business_hours.worked(hours, upper, end)
        if amount <= free:
            break
        amount, end = amount - free, lower
    return business_hours.subtract_working_time(hours, end, amount)


def paused_before(end: datetime, waits: list[business_hours.Wait]) -> Iterator[tuple[datetime, datetime]]:
    """The waits before `end`, the latest first, each no further than to it."""
    for lower, upper in reversed(business_hours.settled(waits)):
        begins = business_hours.from_micros(lower)
        if begins < end:
            yield begins, end if upper is None else min(end, business_hours.from_micros(upper))


def used(step: EscalationStep, minutes: int) -> float:
    """The working minutes after which a step falls due where `minutes` are allowed; below zero: at once."""
    return minutes * step.share / 100 if step.share is not None else minutes + step.minutes_after


def out_of_order(
    steps: Iterable[EscalationStep], minutes: int
) -> tuple[EscalationStep, EscalationStep] | None:
    """Of one deadline's steps the first two neighbours whose times do not rise with their levels."""
    ladder = sorted(steps, key=lambda step: step.level)
    return next(
        (
            (lower, higher)
            for lower, higher in pairwise(ladder)
            if used(lower, minutes) >= used(higher, minutes)
        ),
        None,
    )


def steps_of(row: Deadline) -> list[EscalationStep]:
    """Those not reached yet in this round."""
    return [step for step in row.policy.steps.all() if step.kind == row.kind and step.level > row.level]


def steps_due(
    row: Deadline, hours: WorkingCalendar, waits: list[business_hours.Wait], at: datetime
) -> list[tuple[EscalationStep, datetime]]:
    """The steps whose time has come, each with its time."""
    times = [(step, step_time(step, row, hours, waits)) for step in steps_of(row)]
    return [(step, when) for step, when in times if when is not None and when <= at]


def next_step_at(row: Deadline, hours: WorkingCalendar, waits: list[business_hours.Wait]) -> datetime | None:
    """Of a running deadline the breach or the next step not yet told; None if none is left or time stands."""
    if row.due_at is None:
        return None
    passes = None if row.breached_at else row.due_at
    times = [passes, *(step_time(step, row, hours, waits) for step in steps_of(row))]
    return min((when for when in times if when is not None), default=None)
