"""What every act shares: one transaction, the row locked, its version checked, exactly one event."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction

from recovery.lifecycle.table import Stale, check_allowed, takes_on
from recovery.models import Ticket, TicketEvent
from surveys.models import Customer


def name_of(user: User | None) -> str:
    return (user.get_full_name() or user.get_username()) if user else ""


class Change:
    """An act under way: set what changes, say what happened once; it is saved when the act ends."""

    def __init__(self, ticket: Ticket, by: User | None, at: datetime) -> None:
        self.ticket = ticket
        self.by = by
        self.at = at
        self._changed: set[str] = set()
        self._event: TicketEvent | None = None

    def set(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self.ticket, name, value)
        self._changed.update(values)

    def tell(self, kind: str, text: str = "", /, **data: Any) -> TicketEvent:
        """The one event of this act; `data` is JSON: codes, numbers, names and ISO times."""
        assert self._event is None, "an act writes one event"
        self._event = TicketEvent(
            ticket=self.ticket,
            kind=kind,
            cycle=self.ticket.cycle,
            at=self.at,
            by=self.by,
            by_name=name_of(self.by),
            data=data,
            text=text,
        )
        return self._event

    def save(self) -> None:
        assert self._event is not None, "an act writes one event"
        self.ticket.version += 1
        self.ticket.save(update_fields=[*self._changed, "version"])
        self._event.version = self.ticket.version
        self._event.save()


def lock_person_of(ticket_id: int) -> None:
    """For acts that look at what else the person has here, before they lock the ticket.

    Everybody locks answer, person, ticket, resurvey, invitation in this order, so nobody waits in a circle.
    """
    person = Customer.objects.filter(tickets=ticket_id).only("pk")
    person.select_for_update(of=("self",), no_key=True).first()


def locked(ticket_id: int) -> Ticket:
    """The ticket as it is once nobody else holds it.

    Locked without its relations first: PostgreSQL re-checks a joined row after waiting, and a ticket whose
    owner changed meanwhile would no longer match the owner it was joined with.
    """
    Ticket.objects.select_for_update().only("pk").get(pk=ticket_id)
    related = ("customer", "owner", "team__calendar", "team__supervisor", "policy", "response__survey")
    return Ticket.objects.select_related(*related).get(pk=ticket_id)


# What the product only told somebody. Who is on the phone when a deadline nears need not begin again.
TOLD_ONLY: Final = ("breached", "callback_due", "request_late", "escalated")
# What a step of a ladder did besides.
DONE_BY_STEP: Final = ("handed", "raised")


def is_stale(row: Ticket, seen: int) -> bool:
    """Whether anything was changed since this version; a version that never was is stale, too."""
    if row.version == seen:
        return False
    since = TicketEvent.objects.filter(ticket=row, version__gt=seen)
    told = since.filter(kind__in=TOLD_ONLY, by=None).exclude(data__has_any_keys=list(DONE_BY_STEP))
    return seen > row.version or told.count() != row.version - seen


@contextmanager
def acting(
    ticket: Ticket, act: str, *, by: User | None, at: datetime, any_version: bool = False
) -> Iterator[Change]:
    """Lock the ticket, refuse what the table or a newer version forbids, and save the change with its event.

    The version of the ticket in hand is the version the caller knows; what was only told since then makes it
    no older. `any_version` is for acts that cannot undo what somebody else did (a note, a second low score).
    Raises Refused, Stale.
    """
    with transaction.atomic():
        row = locked(ticket.pk)
        if not any_version and is_stale(row, ticket.version):
            raise Stale(ticket.version, row.version)
        check_allowed(act, row.status)
        change = Change(row, by, at)
        yield change
        if row.awaits_room and takes_on(act, by_owner=by is not None and by.pk == row.owner_id):
            change.set(awaits_room=False)
        change.save()
