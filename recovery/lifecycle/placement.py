"""Gives out what waits with a supervisor, the oldest first, as soon as somebody of the team has room."""

from __future__ import annotations

import logging
from datetime import datetime
from time import sleep
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from recovery.assignment import choose_owner, hold_team, teams_with_room
from recovery.lifecycle.act import acting, locked
from recovery.lifecycle.ownership import tell_assigned
from recovery.models import Team, Ticket

log = logging.getLogger(__name__)

# How often, and how many seconds apart, a ticket that somebody holds is looked at again.
LOOKS: Final = 10
A_MOMENT: Final = 0.02


def awaiting_room() -> QuerySet[Ticket]:
    return Ticket.objects.in_work().filter(awaits_room=True)


def due_placements(at: datetime) -> QuerySet[Ticket]:
    """What waits in teams in which somebody has room, oldest first."""
    teams = teams_with_room(at, awaiting_room().order_by().values("team"))
    return awaiting_room().filter(team__in=teams).order_by("opened_at", "pk")


@transaction.atomic
def place(ticket_id: int, *, at: datetime) -> Ticket | None:
    """Give out the oldest that waits in the team of this ticket, which stands for any of them: whoever comes
    first gives out the first. None where nobody has room (any more), or nothing waits.

    What somebody holds this moment is left to them. Where the oldest cannot be given out, the one asked for
    is; the claim of the oldest itself says what is wrong with it.
    """
    asked = awaiting_room().filter(pk=ticket_id).select_related("team").first()
    if asked is None:
        return None
    waiting = awaiting_room().filter(team=asked.team).order_by("opened_at", "pk")
    hold_team(asked.team, *account_owners(asked.team, waiting))
    free = waiting.select_for_update(skip_locked=True).only("pk")
    oldest = oldest_of(waiting, free)
    if oldest is None or oldest == asked:
        return give_out(locked(asked.pk), at) if oldest else None
    try:
        with transaction.atomic():
            return give_out(locked(oldest.pk), at)
    except Exception:  # whatever it is, it is about that one: the others do not wait for its end
        log.exception("the oldest could not be given out", extra={"ticket": oldest.pk})
    return give_out(locked(asked.pk), at) if free.filter(pk=asked.pk).first() else None


def oldest_of(waiting: QuerySet[Ticket], free: QuerySet[Ticket]) -> Ticket | None:
    """The oldest that waits, locked; the next where somebody holds it for longer than a moment.

    Other workers that look for what is due lock it in passing. But whoever acts on it may be waiting for
    room in its team, which is held here: that is never waited for.
    """
    first = waiting.only("pk").first()
    if first is None:
        return None
    for _attempt in range(LOOKS):
        found = free.filter(pk=first.pk).first()
        if found is not None:
            return found
        sleep(A_MOMENT)
    return free.first()


def account_owners(team: Team, waiting: QuerySet[Ticket]) -> list[int]:
    """Who comes first for any of these, so that they are held together with the team."""
    if not team.account_owner_first:
        return []
    owners = waiting.order_by().values_list("customer__account__owner", flat=True).distinct()
    return list(owners.filter(customer__account__owner__isnull=False))


def give_out(ticket: Ticket, at: datetime) -> Ticket | None:
    """To whom the rules choose; None where nobody has room."""
    choice = choose_owner(ticket.team, ticket.customer, at, skill=ticket.skill)
    if choice.awaits_room:
        return None
    before = ticket.owner
    with acting(ticket, "assign", by=None, at=at) as change:
        change.set(owner=choice.owner, awaits_room=False, assigned_because=choice.reason)
        tell_assigned(change, before, change.ticket.team, because=choice.reason)
    return change.ticket
