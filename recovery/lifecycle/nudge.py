"""A supervisor's word to the owner: please look at this one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from recovery.assignment import is_away
from recovery.lifecycle import notices
from recovery.lifecycle.act import acting, name_of
from recovery.lifecycle.table import Refused
from recovery.models import Ticket, TicketEvent

NUDGE_AGAIN_AFTER: Final = timedelta(hours=1)


def nudge(ticket: Ticket, *, by: User, at: datetime, text: str) -> Ticket:
    """Tell the owner in these words; nobody may nudge about the same ticket twice in an hour."""
    if not text.strip():
        raise Refused("text_missing", _("Write what the owner is to read."), field="text")
    with acting(ticket, "nudge", by=by, at=at, any_version=True) as change:
        owner = change.ticket.owner
        refuse_nudging(change.ticket, by, at)
        change.tell("nudged", text.strip(), to=name_of(owner))
        notices.tell(
            owner,
            "ticket_nudged",
            change.ticket,
            at,
            f"v{change.ticket.version + 1}",
            said=text.strip(),
            by=name_of(by),
        )
    return change.ticket


def refuse_nudging(ticket: Ticket, by: User, at: datetime) -> None:
    if ticket.owner == by:
        raise Refused("own_ticket", _("You own this ticket yourself."))
    if is_away(ticket.owner, at):
        raise Refused("owner_away", _("The owner is away now: hand it over, or take it over."))
    nudged = TicketEvent.objects.filter(ticket=ticket, kind="nudged", by=by)
    if nudged.filter(at__gt=at - NUDGE_AGAIN_AFTER).exists():
        raise Refused("nudged_already", _("You nudged the owner less than an hour ago."))
