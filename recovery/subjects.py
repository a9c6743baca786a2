"""What a due row is about, for those who look after the dispatching: the ticket or the customer behind it."""

from __future__ import annotations

from typing import Any

from django.db.models import CharField, F, QuerySet, Value
from django.db.models.functions import Cast
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from dispatch.watch import Rows, Subject, Subjects
from recovery.models import Callback, Deadline, Request, Resurvey, Ticket, Wait
from surveys.models import Invitation, Message, Response

NAMES: dict[str, str | Promise] = {
    "triage": _("new answers"),
    "placements": _("tickets that wait for room"),
    "callbacks": _("callbacks"),
    "zones": _("callbacks whose time zone changed"),
    "waits": _("waiting tickets"),
    "recompute": _("changed policies"),
    "deadlines": _("deadlines"),
    "requests": _("requests to departments"),
    "resurveys": _("resurveys"),
    "silence": _("unanswered resurveys"),
    "digests": _("summaries of what came late"),
    "weekly": _("weekly mails to supervisors"),
    "reports": _("reports by mail"),
    "stories": _("numbers brought up to date"),
    "invitations": _("invitations"),
    "expiries": _("expired invitations"),
    "messages": _("messages"),
}

# Whose rows a kind works on, and which field says what they belong to.
TICKETS: dict[str, tuple[Any, str]] = {
    "callbacks": (Callback, "ticket__number"),
    "zones": (Callback, "ticket__number"),
    "waits": (Wait, "ticket__number"),
    "deadlines": (Deadline, "ticket__number"),
    "requests": (Request, "ticket__number"),
    "resurveys": (Resurvey, "ticket__number"),
    "silence": (Resurvey, "ticket__number"),
    "recompute": (Ticket, "number"),
    "placements": (Ticket, "number"),
}
OTHERS: dict[str, tuple[Any, str]] = {
    "triage": (Response, "pk"),
    "invitations": (Invitation, "customer"),
    "expiries": (Invitation, "customer"),
    "messages": (Message, "pk"),
}


def describe(rows: Rows) -> Subjects:
    """In one query, of the kinds known here."""
    parts = [named(kind, ids) for kind, ids in rows.items() if kind in TICKETS or kind in OTHERS]
    if not parts:
        return {}
    found = parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]
    return {(kind, pk): subject(kind, known) for kind, pk, known in found}


def named(kind: str, ids: list[int]) -> QuerySet[Any, tuple[str, int, str]]:
    model, field = {**TICKETS, **OTHERS}[kind]
    rows = model.objects.order_by().filter(pk__in=ids)
    rows = rows.annotate(of_kind=Value(kind), about=Cast(F(field), CharField()))
    return rows.values_list("of_kind", "pk", "about")  # type: ignore[no-any-return]


def subject(kind: str, known: str) -> Subject:
    if kind in TICKETS:
        return Subject(known, reverse("ticket", args=[known]))
    if kind == "triage":
        return Subject(_("answer %(number)s") % {"number": known}, reverse("response", args=[known]))
    if kind == "messages":
        return Subject(_("message %(number)s") % {"number": known}, reverse("message", args=[known]))
    return Subject(_("customer %(number)s") % {"number": known}, reverse("customer", args=[known]))
