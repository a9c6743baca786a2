"""Who owns the ticket, and under which team."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from recovery.assignment import is_away
from recovery.lifecycle import notices
from recovery.lifecycle.act import acting, name_of
from recovery.lifecycle.clock import recompute
from recovery.lifecycle.table import Refused
from recovery.models import Team, Ticket


def assign(
    ticket: Ticket, *, by: User | None, at: datetime, to: User, reason: str = "", team: Team | None = None
) -> Ticket:
    """Hand the ticket, with its callbacks, to somebody else; a new team brings its own calendar."""
    if not to.is_active or not hasattr(to, "staff"):
        raise Refused("owner_not_staff", _("Choose a colleague who still works here."), field="owner")
    if is_away(to, at):
        raise Refused("owner_away", _("This colleague is away now. Choose somebody else."), field="owner")
    with acting(ticket, "assign", by=by, at=at) as change:
        before, team_before = change.ticket.owner, change.ticket.team
        new_team = team or team_before
        if before == to and new_team == team_before:
            raise Refused("owner_unchanged", _("This colleague owns the ticket already."), field="owner")
        change.set(owner=to, team=new_team, assigned_because={"code": "by_hand", "by": name_of(by)})
        moved = recompute(change) if new_team != team_before else []
        event = change.tell(
            "assigned",
            reason.strip(),
            **{"from": name_of(before), "to": name_of(to)},
            team_from=team_before.name,
            team_to=new_team.name,
            deadlines=moved,
        )
        if to != by:
            occasion = f"v{change.ticket.version + 1}"
            notices.tell(
                to, "ticket_assigned", change.ticket, at, occasion, because=event.data, by=name_of(by)
            )
    return change.ticket
