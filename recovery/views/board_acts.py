"""What the board does with one ticket, and what became of it; many are this, one after another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from recovery import access, lifecycle
from recovery.lifecycle import Refused
from recovery.models import Deadline, Ticket
from recovery.templatetags.moments import moment
from recovery.views.words import Words

Values = dict[str, Any]

AS_IT_IS: Final = 0
IN_TABLE: Final = {"take-over": "assign"}


@dataclass(frozen=True)
class Result:
    """What became of one ticket: `code` is '' where it was done, else stable; `why` is for people."""

    number: str
    customer: str = ""
    code: str = ""
    why: str = ""

    @property
    def done(self) -> bool:
        return not self.code


def do_one(user: User, number: str, version: int, values: Values, at: datetime) -> Result:
    """The act of `values["do"]` on the ticket somebody knows in this version; AS_IT_IS: in any."""
    name = ""
    try:
        ticket = access.ticket_for(user, number, in_table(values["do"]))
        name = ticket.customer_name
        ticket.version = version or ticket.version
        ACTS[values["do"]](ticket, user, at, values)
    except Ticket.DoesNotExist:
        return Result(number, "", "not_found", str(_("There is no such ticket among yours.")))
    except Refused as refused:
        return Result(number, name, refused.code, str(refused))
    return Result(number, name)


def in_table(do: str) -> str:
    """The act as the table of statuses and roles knows it."""
    return IN_TABLE.get(do, do)


def hand_over(ticket: Ticket, by: User, at: datetime, values: Values) -> Ticket:
    to = values["owner"]
    if not access.colleagues_for(ticket).filter(pk=to.pk).exists():
        raise Refused("not_in_team", _("This colleague does not work in the ticket’s team."), field="owner")
    return lifecycle.assign(ticket, by=by, at=at, to=to, reason=values["reason"])


def extend(ticket: Ticket, by: User, at: datetime, values: Values) -> Ticket:
    return lifecycle.extend(
        ticket, by=by, at=at, minutes=values["minutes"], reason=values["reason"], kind=values["kind"]
    )


def take_over(ticket: Ticket, by: User, at: datetime, values: Values) -> Ticket:
    return lifecycle.take_over(ticket, by=by, at=at, reason=values["reason"])


def nudge(ticket: Ticket, by: User, at: datetime, values: Values) -> Ticket:
    refuse_stale(ticket)
    return lifecycle.nudge(ticket, by=by, at=at, text=values["reason"])


def priority(ticket: Ticket, by: User, at: datetime, values: Values) -> Ticket:
    return lifecycle.change_priority(
        ticket, by=by, at=at, priority=values["priority"], reason=values["reason"]
    )


def note(ticket: Ticket, by: User, at: datetime, values: Values) -> Ticket:
    refuse_stale(ticket)
    return lifecycle.note(ticket, by=by, at=at, text=values["reason"])


def refuse_stale(ticket: Ticket) -> None:
    """On the board even a word is for the ticket as it was seen. Raises Stale."""
    version = Ticket.objects.values_list("version", flat=True).get(pk=ticket.pk)
    if version != ticket.version:
        raise lifecycle.Stale(ticket.version, version)


ACTS: Final[dict[str, Callable[[Ticket, User, datetime, Values], Ticket]]] = {
    "assign": hand_over,
    "extend": extend,
    "take-over": take_over,
    "nudge": nudge,
    "priority": priority,
    "note": note,
}

DONE: Final[dict[str, Words]] = {
    "assign": _("%(number)s is handed over."),
    "extend": _("The deadline of %(number)s is extended: it falls due %(due)s."),
    "take-over": _("%(number)s is yours."),
    "nudge": _("The owner of %(number)s is nudged."),
    "priority": _("The priority of %(number)s is changed."),
    "note": _("The note is kept with %(number)s."),
}


def told(do: str, ticket: Ticket, values: Values, at: datetime) -> str:
    """What was done to this ticket, and until when where a deadline moved."""
    facts = {"number": ticket.number}
    if do != "extend":
        return str(DONE[do]) % facts
    due = due_of(ticket, values["kind"])
    words = DONE[do] if due else _("The deadline of %(number)s is extended; its clock stands for now.")
    return str(words) % {**facts, "due": moment(due, at)}


def due_of(ticket: Ticket, kind: str) -> datetime | None:
    """When this deadline of the present cycle falls due; None while its clock stands."""
    rows = Deadline.objects.filter(ticket=ticket.pk, cycle=ticket.cycle, kind=kind)
    return rows.values_list("due_at", flat=True).first()
