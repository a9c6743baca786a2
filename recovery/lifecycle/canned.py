"""Texts that are written often: which are offered for a ticket, and their blanks filled in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.dateformat import format as formatted
from django.utils.translation import gettext, pgettext

from recovery.lifecycle.act import name_of
from recovery.models import CannedText, Ticket
from recovery.models.named import in_language

PLACEHOLDERS: Final = ("customer", "agent", "number", "due", "team")
BLANK = re.compile("{(" + "|".join(PLACEHOLDERS) + ")}")
BRACES = re.compile(r"{[^{}\n]{0,40}}|{\w{0,40}|}")


def unknown_placeholders(text: str) -> list[str]:
    """What stands in braces and nobody can fill in, in the order of the text; a lone brace counts."""
    return BRACES.findall(BLANK.sub("", text))


def blanks_left(text: str) -> list[str]:
    """Placeholders that were not filled in."""
    return [found.group() for found in BLANK.finditer(text)]


def canned_for(ticket: Ticket, channel: str) -> list[CannedText]:
    """The texts of this channel and team: those of the ticket's cause first, those of other causes last."""
    rows = CannedText.objects.filter(
        Q(team=None) | Q(team=ticket.team_id), channel__in=["", channel], active=True
    )
    causes = {ticket.cause_said_id, ticket.cause_found_id} - {None}
    return sorted(rows, key=lambda row: (nearness(row, causes), str(row)))


def nearness(row: CannedText, causes: Iterable[int | None]) -> int:
    if row.cause_id is None:
        return 1
    return 0 if row.cause_id in causes else 2


def filled(canned: CannedText, ticket: Ticket, by: User, at: datetime) -> str:
    """The text in the customer's language and on their clock; what is not known stays in its braces."""
    language = ticket.customer.locale if ticket.customer else "en"
    with translation.override(language):
        facts = facts_for(ticket, by, at)
    text = in_language(canned.text, canned.text_zh, language)
    return BLANK.sub(lambda found: facts.get(found.group(1)) or found.group(), text)


def facts_for(ticket: Ticket, by: User, at: datetime) -> dict[str, str]:
    due = promised(ticket)
    return {
        "customer": ticket.customer.name if ticket.customer else "",
        "agent": name_of(by),
        "number": ticket.number,
        "due": on_their_clock(due, ticket, at) if due else "",
        "team": str(ticket.team),
    }


def promised(ticket: Ticket) -> datetime | None:
    """When the customer will hear of us: the callback that is booked, else the next running deadline."""
    booked = [row.due_at for row in ticket.callbacks.all() if row.state == row.BOOKED]
    running = [
        row.due_at
        for row in ticket.deadlines.all()
        if row.cycle == ticket.cycle and row.is_running and row.due_at
    ]
    return min(booked or running, default=None)


def on_their_clock(due: datetime, ticket: Ticket, at: datetime) -> str:
    zone = ticket.customer.zone if ticket.customer else None
    local = timezone.localtime(due, zone)
    if local.date() == timezone.localtime(at, zone).date():
        return gettext("today {time}").format(time=f"{local:%H:%M}")
    return formatted(local, pgettext("day format", "D j M H:i"))
