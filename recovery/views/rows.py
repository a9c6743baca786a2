"""A ticket as one line of a list: what is next and when, the score, who, and their first words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import DateTimeField, F, Min, OuterRef, Prefetch, Q, Subquery, prefetch_related_objects
from django.db.models.functions import Coalesce, Least
from django.utils.translation import gettext

from recovery.models import Callback, Deadline, Ticket
from recovery.models.ticket import TicketQuerySet
from recovery.templatetags.moments import (
    LATE,
    PAUSED,
    SOON,
    SOON_STATE,
    Chip,
    chip_until,
    deadline_chip,
    moment,
    span,
    there_and_here,
)
from recovery.views.news import answered_at
from recovery.views.nudged import nudged_by
from recovery.views.words import SHORT_PRIORITIES, kind_word


@dataclass(frozen=True, slots=True)
class Row:
    """`calls` where the next thing owed is a booked callback; `what` names it for a reader.

    `answered` says how long ago the customer spoke, where nobody has done anything since; `nudged` who asked
    the owner to look at it, where the owner has done nothing since.
    """

    ticket: Ticket
    chip: Chip | None
    calls: bool
    what: str
    priority: str
    answered: str = ""
    nudged: str = ""
    due_at: datetime | None = None

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


RELATED = ("customer__account", "owner", "team", "response__survey", "cause_said", "cause_found")


def owed() -> list[Prefetch[str]]:
    """What the customers of many tickets were promised."""
    return [
        Prefetch("deadlines", Deadline.objects.select_related("calendar")),
        Prefetch("callbacks", Callback.objects.filter(state=Callback.BOOKED), to_attr="booked"),
    ]


def for_rows(tickets: TicketQuerySet) -> TicketQuerySet:
    """With everything a row shows, in a fixed number of queries."""
    return tickets.select_related(*RELATED).prefetch_related(*owed(), "customer__identities")


def fetched(*lists: TicketQuerySet) -> list[list[Ticket]]:
    """Several lists with everything their rows show, what hangs on the tickets read once for all of them."""
    found = [list(tickets.select_related(*RELATED)) for tickets in lists]
    every = [ticket for tickets in found for ticket in tickets]
    prefetch_related_objects(every, *owed())
    nameless = [ticket.customer for ticket in every if ticket.customer and not ticket.customer.name]
    prefetch_related_objects(nameless, "identities")
    return found


def rows_of(tickets: Iterable[Ticket], now: datetime, *, ahead: bool = False) -> list[Row]:
    """With `ahead`, a row shows the next deadline still to come rather than one that has passed."""
    return [row_of(ticket, now, ahead) for ticket in tickets]


def row_of(ticket: Ticket, now: datetime, ahead: bool = False) -> Row:
    booked: list[Callback] = [] if ahead else ticket.booked  # type: ignore[attr-defined]
    running = [row for row in ticket.deadlines.all() if row.cycle == ticket.cycle and row.is_running]
    due = [row for row in running if row.due_at is not None and (row.due_at > now or not ahead)]
    first = min(due, key=lambda row: row.due_at or now, default=None)
    facts: dict[str, Any] = {
        "priority": SHORT_PRIORITIES.get(ticket.priority, ""),
        "answered": answered(ticket, now),
        "nudged": nudged(ticket),
    }
    call = booked[0] if booked else None
    if call and (call.due_at <= now or first is None or first.due_at is None or call.due_at <= first.due_at):
        return Row(ticket, call_chip(call, now), True, gettext("Callback"), **facts, due_at=call.due_at)
    if first is not None:
        chip = deadline_chip(first, now)
        return Row(ticket, chip, False, kind_word(first.kind), **facts, due_at=first.due_at)
    paused = next((row for row in running if row.is_paused), None)
    return Row(ticket, paused_chip(paused, now) if paused else None, False, gettext("Waiting"), **facts)


def paused_chip(row: Deadline, now: datetime) -> Chip:
    """Short enough for a line of a list; what is left stands in its title."""
    return Chip(PAUSED, gettext("paused"), deadline_chip(row, now).text)


def answered(ticket: Ticket, now: datetime) -> str:
    at = answered_at(ticket)
    return gettext("answered {t} ago").format(t=span(now - at)) if at else ""


def nudged(ticket: Ticket) -> str:
    name = nudged_by(ticket)
    return gettext("nudged by {name}").format(name=name) if name else ""


def call_chip(call: Callback, now: datetime) -> Chip:
    """When to call: counted once it is due, a time of day before."""
    zone = ZoneInfo(call.time_zone)
    if call.due_at <= now:
        return chip_until(call.due_at, now, zone)
    state = SOON_STATE if call.due_at - now <= SOON else ""
    return Chip(state or "due", moment(call.due_at, now), there_and_here(call.due_at, zone))
