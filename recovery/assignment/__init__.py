"""Who should own a ticket, and why. Nobody gets more than they can carry, and every ticket has an owner."""

from recovery.assignment.choice import Choice, choose_owner, hold_choice, propose
from recovery.assignment.people import (
    cover_of,
    covered_by,
    first_on_duty,
    is_available,
    is_away,
    supervisor_on_duty,
    supervisors_from,
    works_on_tickets,
)
from recovery.assignment.room import (
    Room,
    has_room,
    hold_rooms,
    hold_team,
    keeps_room,
    open_tickets_by_owner,
    room_of,
    teams_with_room,
)
from recovery.assignment.roster import Roster

__all__ = [
    "Choice",
    "Room",
    "Roster",
    "choose_owner",
    "cover_of",
    "covered_by",
    "first_on_duty",
    "has_room",
    "hold_choice",
    "hold_rooms",
    "hold_team",
    "is_available",
    "is_away",
    "keeps_room",
    "open_tickets_by_owner",
    "propose",
    "room_of",
    "supervisor_on_duty",
    "supervisors_from",
    "teams_with_room",
    "works_on_tickets",
]
