"""Requests to departments and goodwill on the ticket page: what there is, and what this person may do."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from recovery import access, lifecycle
from recovery.forms.given import CancelRequestForm, RefuseGoodwillForm, RowForm
from recovery.lifecycle import Refused
from recovery.lifecycle.goodwill import limit_of, may_give, room_of
from recovery.models import Goodwill, Request, Ticket

Values = dict[str, Any]


@dataclass
class Asked:
    row: Request
    late: bool
    cancel: CancelRequestForm | None = None


@dataclass
class Given:
    """`forms` are what this person may decide; `why` says why they may not approve it."""

    row: Goodwill
    forms: dict[str, RowForm] = field(default_factory=dict)


def asked_and_given(user: User, ticket: Ticket, at: datetime) -> dict[str, Any]:
    """In at most five queries."""
    acts = access.may(user, "goodwill", ticket)
    asked = ticket.requests.select_related("department").order_by("-id")
    given = ticket.goodwill.select_related("kind").order_by("-id")
    return {
        "asked": [asked_row(ticket, row, at, acts) for row in asked],
        "given": [given_row(user, ticket, row, acts) for row in given],
        "goodwill_limit": limit_of(user) if acts else Decimal(0),
        "goodwill_room": room_of(ticket.team, at).left if acts else None,
    }


def asked_row(ticket: Ticket, row: Request, at: datetime, acts: bool) -> Asked:
    is_open = row.state == Request.OPEN
    may_cancel = acts and is_open and lifecycle.is_allowed("request", ticket.status)
    cancel = CancelRequestForm("cancel-request", ticket, row=row.pk) if may_cancel else None
    return Asked(row, is_open and row.due_at <= at, cancel)


def given_row(user: User, ticket: Ticket, row: Goodwill, acts: bool) -> Given:
    found = Given(row)
    if not acts or row.state != Goodwill.PROPOSED:
        return found
    if row.by_id == user.pk:
        found.forms["withdraw"] = RowForm("withdraw-goodwill", ticket, row=row.pk)
    elif may_give(user, row.cost):
        found.forms["approve"] = RowForm("approve-goodwill", ticket, row=row.pk)
        found.forms["refuse"] = RefuseGoodwillForm("refuse-goodwill", ticket, row=row.pk)
    return found


# --- The acts behind the forms ---


def request(ticket: Ticket, by: User, at: datetime, values: Values) -> Ticket:
    names = ("department", "title", "text", "owner_name", "owner_email", "due_at", "holds_ticket")
    return lifecycle.ask_department(ticket, by=by, at=at, **{name: values[name] for name in names})


def cancel_request(ticket: Ticket, by: User, at: datetime, values: Values) -> Ticket:
    row = ticket.requests.filter(pk=values["row"]).first()
    if row is None:
        raise Refused("no_such_request", _("There is no such request on this ticket."))
    return lifecycle.cancel_request(ticket, by=by, at=at, request=row, reason=values["reason"])


def goodwill(ticket: Ticket, by: User, at: datetime, values: Values) -> Ticket:
    return lifecycle.give_goodwill(
        ticket, by=by, at=at, kind=values["kind"], cost=values["cost"], note=values["note"]
    )


def approve(ticket: Ticket, by: User, at: datetime, values: Values) -> Ticket:
    row = goodwill_row(ticket, values["row"])
    return lifecycle.decide_goodwill(ticket, by=by, at=at, goodwill=row, approve=True)


def refuse(ticket: Ticket, by: User, at: datetime, values: Values) -> Ticket:
    row = goodwill_row(ticket, values["row"])
    return lifecycle.decide_goodwill(
        ticket, by=by, at=at, goodwill=row, approve=False, reason=values["reason"]
    )


def withdraw(ticket: Ticket, by: User, at: datetime, values: Values) -> Ticket:
    row = goodwill_row(ticket, values["row"])
    return lifecycle.withdraw_goodwill(ticket, by=by, at=at, goodwill=row)


def goodwill_row(ticket: Ticket, pk: int) -> Goodwill:
    row = ticket.goodwill.filter(pk=pk).first()
    if row is None:
        raise Refused("no_such_goodwill", _("There is no such proposal on this ticket."))
    return row
