"""What we do about a low score: who, by when, what was done, and what came of it."""

from recovery.models.calendar import Calendar, CalendarDay, OpeningHours
from recovery.models.cause import Cause
from recovery.models.contact import Callback, Contact
from recovery.models.deadline import Deadline, Escalation, Wait
from recovery.models.digest import DigestLine
from recovery.models.event import TicketEvent
from recovery.models.policy import EscalationStep, PolicyTarget, SlaPolicy
from recovery.models.resurvey import Resurvey
from recovery.models.rule import TriageRule
from recovery.models.staff import ApiToken, Leave, Membership, StaffProfile
from recovery.models.team import Team
from recovery.models.ticket import Ticket, TicketResponse

__all__ = [
    "ApiToken",
    "Calendar",
    "CalendarDay",
    "Callback",
    "Cause",
    "Contact",
    "Deadline",
    "DigestLine",
    "Escalation",
    "EscalationStep",
    "Leave",
    "Membership",
    "OpeningHours",
    "PolicyTarget",
    "Resurvey",
    "SlaPolicy",
    "StaffProfile",
    "Team",
    "Ticket",
    "TicketEvent",
    "TicketResponse",
    "TriageRule",
    "Wait",
]
