"""A ticket as one line of a list: what is next and when, the score, who, and their first words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import DateTimeField, F, Min, OuterRef, Prefetch, Q, Subquery
from django.db.models.functions import Coalesce, Least
from django.utils.translation import gettext

from recovery.models import Callback, Deadline, Ticket
from recovery.models.ticket import TicketQuerySet
from recovery.templatetags.moments import (
    LATE,
    SOON,
    SOON_STATE,
    Chip,
    chip_until,
    deadline_chip,
    moment,
    there_and_here,
)
from recovery.views.words import SHORT_PRIORITIES, kind_word


@dataclass(frozen=True, slots=True)
class Row:
    """`calls` where the next thing owed is a booked callback; `what` names it for a reader."""

    ticket: Ticket
    chip: Chip | None
    calls: bool
    what: str
    priority: str

    @property
    def is_late(self) -> bool:
        return self.chip is not None and self.chip.state == LATE

    @property
    def title(self) -> str:
        """What is due, and when exactly."""
        return f"{self.what} · {self.chip.title}" if self.chip and self.chip.title else self.what

    @property
    def tier(self) -> str:
        return self.ticket.customer.tier if self.ticket.customer else ""


RUNNING = Q(met_at=None, ended_at=None)


def earliest(rows: object) -> Subquery:
    """The earliest due time among rows of the ticket in the outer query."""
    grouped = rows.order_by().values("ticket").annotate(earliest=Min("due_at")).values("earliest")  # type: ignore[attr-defined]
    return Subquery(grouped, output_field=DateTimeField())


def by_next_due(tickets: TicketQuerySet) -> TicketQuerySet:
    """With `next_due`: the earliest of booked callback and running deadlines; NULL while it stands."""
    deadlines = Deadline.objects.filter(RUNNING, ticket=OuterRef("pk"), cycle=OuterRef("cycle"))
    callbacks = Callback.objects.filter(ticket=OuterRef("pk"), state=Callback.BOOKED)
    return tickets.annotate(call_due=earliest(callbacks), deadline_due=earliest(deadlines)).annotate(
        next_due=Coalesce(Least("call_due", "deadline_due"), "call_due", "deadline_due")
    )


def nearest_first(tickets: TicketQuerySet) -> TicketQuerySet:
    return by_next_due(tickets).order_by(F("next_due").asc(nulls_last=True), "priority", "pk")


def for_rows(tickets: TicketQuerySet) -> TicketQuerySet:
    """With everything a row shows, in a fixed number of queries."""
    return tickets.select_related("customer__account", "owner", "team", "response__survey").prefetch_related(
        Prefetch("deadlines", Deadline.objects.select_related("calendar")),
        Prefetch("callbacks", Callback.objects.filter(state=Callback.BOOKED), to_attr="booked"),
        "customer__identities",
    )


def rows_of(tickets: Iterable[Ticket], now: datetime) -> list[Row]:
    return [row_of(ticket, now) for ticket in tickets]


def row_of(ticket: Ticket, now: datetime) -> Row:
    booked: list[Callback] = ticket.booked  # type: ignore[attr-defined]
    running = [row for row in ticket.deadlines.all() if row.cycle == ticket.cycle and row.is_running]
    due = [row for row in running if row.due_at is not None]
    first = min(due, key=lambda row: row.due_at or now, default=None)
    priority = SHORT_PRIORITIES.get(ticket.priority, "")
    call = booked[0] if booked else None
    if call and (call.due_at <= now or first is None or first.due_at is None or call.due_at <= first.due_at):
        return Row(ticket, call_chip(call, now), True, gettext("Callback"), priority)
    if first is not None:
        return Row(ticket, deadline_chip(first, now), False, kind_word(first.kind), priority)
    paused = next((row for row in running if row.is_paused), None)
    return Row(ticket, deadline_chip(paused, now) if paused else None, False, gettext("Waiting"), priority)


def call_chip(call: Callback, now: datetime) -> Chip:
    """When to call: counted once it is due, a time of day before."""
    zone = ZoneInfo(call.time_zone)
    if call.due_at <= now:
        return chip_until(call.due_at, now, zone)
    state = SOON_STATE if call.due_at - now <= SOON else ""
    return Chip(state or "due", moment(call.due_at, now), there_and_here(call.due_at, zone))
