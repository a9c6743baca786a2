"""A supervisor's look at how one closed ticket was handled. It coaches; it changes nothing on the ticket."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from recovery.lifecycle.table import Refused
from recovery.models import QualityCheck, Ticket
from recovery.models.ticket import CLOSED

WORST, BEST = 1, 5
NEEDS_WORDS: Final = 2


def check_quality(ticket: Ticket, *, by: User, at: datetime, mark: int, note: str = "") -> QualityCheck:
    """One mark, 1 to 5, by each supervisor for each cycle; given again, it takes the place of the first."""
    if ticket.status != CLOSED:
        raise Refused("not_closed", _("Only a closed ticket is looked at this way."))
    if ticket.owner_id == by.pk:
        raise Refused("own_ticket", _("You owned this ticket yourself: ask somebody else to look at it."))
    if not WORST <= mark <= BEST:
        raise Refused("mark_out_of_range", _("Choose a mark from 1 to 5."), field="mark")
    if mark <= NEEDS_WORDS and not note.strip():
        raise Refused("note_missing", _("Say what would have been better."), field="note")
    check, _new = QualityCheck.objects.update_or_create(
        ticket=ticket,
        cycle=ticket.cycle,
        by=by,
        defaults={"owner": ticket.owner, "at": at, "mark": mark, "note": note.strip()},
    )
    return check
