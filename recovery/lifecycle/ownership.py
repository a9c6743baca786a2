"""Who owns the ticket, and under which team."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from recovery.assignment import hold_rooms, is_away, room_of, works_on_tickets
from recovery.lifecycle import notices
from recovery.lifecycle.act import Change, acting, name_of
from recovery.lifecycle.clock import recompute
from recovery.lifecycle.table import Refused
from recovery.models import Team, Ticket


def assign(
    ticket: Ticket,
    *,
    by: User | None,
    at: datetime,
    to: User,
    reason: str = "",
    team: Team | None = None,
    because: dict[str, object] | None = None,
    still_waits: bool = False,
) -> Ticket:
    """Hand the ticket, with its callbacks, to somebody who has room; a new team brings its own calendar.

    `because` is why it is theirs, where nobody gave it by hand. Who owns a ticket that waits for room takes
    it on by giving it to themselves; `still_waits` is for whoever follows a supervisor, and takes on nothing.
    """
    refuse_who_cannot(to, at)
    with acting(ticket, "assign", by=by, at=at) as change:
        before, team_before = change.ticket.owner, change.ticket.team
        new_team = team or team_before
        taken_on = before == to and change.ticket.awaits_room
        if before == to and new_team == team_before and not taken_on:
            raise Refused("owner_unchanged", _("This colleague owns the ticket already."), field="owner")
        refuse_full(change.ticket, to, new_team)
        change.set(
            owner=to,
            team=new_team,
            awaits_room=still_waits and change.ticket.awaits_room,
            assigned_because=because or {"code": "by_hand", "by": name_of(by)},
        )
        moved = recompute(change) if new_team != team_before else []
        tell_assigned(change, before, team_before, reason, deadlines=moved, because=because)
    return change.ticket


def tell_assigned(
    change: Change,
    before: User,
    team_before: Team,
    reason: str = "",
    *,
    deadlines: list[dict[str, str | None]] | None = None,
    because: dict[str, object] | None = None,
) -> None:
    """The event, and the notice to who gets it from somebody else; what the rules give comes in numbers."""
    ticket = change.ticket
    why: dict[str, Any] = {"because": because} if because else {}
    event = change.tell(
        "assigned",
        reason.strip(),
        **{"from": name_of(before), "to": name_of(ticket.owner)},
        team_from=team_before.name,
        team_to=ticket.team.name,
        deadlines=deadlines or [],
        **why,
    )
    if ticket.owner != change.by:
        notices.tell(
            ticket.owner,
            "ticket_assigned",
            ticket,
            change.at,
            f"v{ticket.version + 1}",
            gathered=because is not None,
            because=because or event.data,
            by=name_of(change.by),
        )


def refuse_who_cannot(to: User, at: datetime) -> None:
    if not to.is_active or not hasattr(to, "staff"):
        raise Refused("owner_not_staff", _("Choose a colleague who still works here."), field="owner")
    if not works_on_tickets(to):
        raise Refused(
            "owner_only_reads", _("This colleague only reads. Choose somebody else."), field="owner"
        )
    if is_away(to, at):
        raise Refused("owner_away", _("This colleague is away now. Choose somebody else."), field="owner")


def refuse_full(ticket: Ticket, to: User, team: Team) -> None:
    """Nobody is given more than they can carry, by whomever. What is resolved is carried by nobody."""
    if not ticket.is_in_work:
        return
    hold_rooms([to.pk])
    room = room_of(to, team, besides=ticket.pk)
    if room.capacity is not None and not room.is_left:
        raise full(to, room.load, room.capacity)


def full(to: User, load: int, capacity: int) -> Refused:
    words = _("%(name)s carries %(load)s of %(capacity)s. Choose somebody who has room.")
    facts = {"name": name_of(to), "load": load, "capacity": capacity}
    return Refused("owner_full", words % facts, field="owner")
