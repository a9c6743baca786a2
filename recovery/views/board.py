"""What counts as late, at risk, silent or due to be called: the same question for counts, tabs and lists."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from recovery import business_hours
from recovery.models import Calendar, Callback, Deadline
from recovery.models.policy import FIRST_CONTACT
from recovery.models.ticket import WAITING, TicketQuerySet

AT_RISK = timedelta(hours=4)


def running(**conditions: object) -> QuerySet[Deadline]:
    """The running deadlines of the ticket in the outer query, in its present cycle."""
    return Deadline.objects.filter(
        ticket=OuterRef("pk"), cycle=OuterRef("cycle"), met_at=None, ended_at=None, **conditions
    )


def late(tickets: TicketQuerySet, at: datetime) -> TicketQuerySet:
    """A promise has passed and is not kept yet."""
    return tickets.in_work().filter(Exists(running(due_at__lte=at)))


def horizons(at: datetime) -> Q:
    """Deadlines due within the next four working hours of their own calendar, or past."""
    soon = Q(pk__in=[])
    for calendar in Calendar.objects.prefetch_related("hours", "days"):
        try:
            until = business_hours.add_working_time(calendar.as_working_calendar(), at, AT_RISK)
        except (business_hours.CalendarError, business_hours.WorkingTimeError):
            continue  # a calendar still without hours; no deadline can run under it
        soon |= Q(calendar=calendar, due_at__lte=until)
    return soon


def with_flags(tickets: TicketQuerySet, at: datetime) -> TicketQuerySet:
    """Open work with `is_late`, `is_silent`, `is_waiting` and `is_at_risk` on every ticket."""
    near = horizons(at)
    return tickets.in_work().annotate(
        is_late=Exists(running(due_at__lte=at)),
        is_silent=Exists(running(kind=FIRST_CONTACT).filter(near)),
        is_waiting=Q(status=WAITING),
        is_at_risk=Exists(running(due_at__gt=at).filter(near)),
    )


def with_call(tickets: TicketQuerySet) -> TicketQuerySet:
    """Open work whose customer was promised a callback that is still to come or to be made."""
    booked = Callback.objects.filter(ticket=OuterRef("pk"), state=Callback.BOOKED)
    return tickets.in_work().filter(Exists(booked))
