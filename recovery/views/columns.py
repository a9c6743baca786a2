"""The columns a list of tickets may show, in the order of the table; a file has the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recovery.lifecycle.act import name_of
from recovery.models import Ticket
from recovery.views.rows import Row
from surveys.models import Customer


@dataclass(frozen=True)
class Column:
    """`text` is what a file holds; the page shows the same, its times as people say them."""

    code: str
    name: str | Promise
    text: Callable[[Row], Any]


def person(read: Callable[[Customer], Any]) -> Callable[[Row], Any]:
    return lambda row: read(row.ticket.customer) if row.ticket.customer else ""


def of(read: Callable[[Ticket], Any]) -> Callable[[Row], Any]:
    return lambda row: read(row.ticket)


def instant(read: Callable[[Ticket], Any]) -> Callable[[Row], Any]:
    def text(row: Row) -> str:
        at = read(row.ticket)
        return f"{localtime(at):%Y-%m-%d %H:%M}" if at else ""

    return text


COLUMNS: Final = (
    Column("due", _("Due"), lambda row: f"{localtime(row.due_at):%Y-%m-%d %H:%M}" if row.due_at else ""),
    Column("score", _("Score"), of(lambda ticket: ticket.response.score)),
    Column("words", _("Their words"), of(lambda ticket: ticket.response.comment)),
    Column("priority", _("Priority"), lambda row: row.priority),
    Column("tier", _("Tier"), lambda row: row.tier),
    Column("value", _("Value a year"), person(lambda customer: customer.annual_value)),
    Column("account", _("Account"), person(lambda customer: customer.account or "")),
    Column("phone", _("Phone"), person(lambda customer: customer.phone)),
    Column("email", _("E-mail"), person(lambda customer: customer.email)),
    Column("owner", _("Owner"), of(lambda ticket: name_of(ticket.owner))),
    Column("team", _("Team"), of(lambda ticket: ticket.team)),
    Column("status", _("Status"), of(lambda ticket: ticket.get_status_display())),
    Column("survey", _("Survey"), of(lambda ticket: ticket.response.survey)),
    Column("touchpoint", _("Touchpoint"), of(lambda ticket: ticket.touchpoint)),
    Column("cause", _("Cause"), of(lambda ticket: ticket.cause_found or ticket.cause_said or "")),
    Column("opened", _("Opened"), instant(lambda ticket: ticket.opened_at)),
    Column("resolved", pgettext_lazy("column", "Resolved"), instant(lambda ticket: ticket.resolved_at)),
    Column("outcome", _("Outcome"), of(lambda ticket: ticket.get_outcome_display())),
)
USUAL: Final = ("due", "score", "words", "priority", "owner", "status", "opened")


def chosen(query: QueryDict) -> list[Column]:
    """Those the address names, as `cols=due,score` or one by one; the usual ones where it names none."""
    asked = {code.strip() for part in query.getlist("cols") for code in part.split(",")}
    found = [column for column in COLUMNS if column.code in asked]
    return found or [column for column in COLUMNS if column.code in USUAL]
