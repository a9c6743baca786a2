"""What we do about a low score: who, by when, what was done, and what came of it."""

from recovery.models.cadence import Cadence, CadenceStep
from recovery.models.calendar import Calendar, CalendarDay, OpeningHours
from recovery.models.cause import Cause
from recovery.models.contact import Callback, Contact
from recovery.models.deadline import Deadline, Escalation, Wait
from recovery.models.desk import Looking, QualityCheck, SavedView
from recovery.models.digest import DigestLine
from recovery.models.event import TicketEvent
from recovery.models.goodwill import Goodwill, GoodwillBudget, GoodwillKind, GoodwillLimit
from recovery.models.guide import Playbook, PlaybookStep
from recovery.models.hold_out import HoldOut, HoldOutDraw
from recovery.models.initiative import Initiative
from recovery.models.playbook import CannedText, NextIssue, StepDone
from recovery.models.policy import EscalationStep, PolicyTarget, SlaPolicy
from recovery.models.reply import Reply
from recovery.models.report import ReportMail
from recovery.models.request import Department, Request
from recovery.models.resurvey import Resurvey
from recovery.models.retention import ExpectedRetention
from recovery.models.rule import RuleCondition, TriageRule
from recovery.models.staff import ApiToken, Leave, Membership, StaffProfile
from recovery.models.target import Target
from recovery.models.team import Team
from recovery.models.ticket import Ticket, TicketResponse
from recovery.models.told import ToldTicket, UntoldChange

__all__ = [
    "ApiToken",
    "Cadence",
    "CadenceStep",
    "Calendar",
    "CalendarDay",
    "Callback",
    "CannedText",
    "Cause",
    "Contact",
    "Deadline",
    "Department",
    "DigestLine",
    "Escalation",
    "EscalationStep",
    "ExpectedRetention",
    "Goodwill",
    "GoodwillBudget",
    "GoodwillKind",
    "GoodwillLimit",
    "HoldOut",
    "HoldOutDraw",
    "Initiative",
    "Leave",
    "Looking",
    "Membership",
    "NextIssue",
    "OpeningHours",
    "Playbook",
    "PlaybookStep",
    "PolicyTarget",
    "QualityCheck",
    "Reply",
    "ReportMail",
    "Request",
    "Resurvey",
    "RuleCondition",
    "SavedView",
    "SlaPolicy",
    "StaffProfile",
    "StepDone",
    "Target",
    "Team",
    "Ticket",
    "TicketEvent",
    "TicketResponse",
    "ToldTicket",
    "TriageRule",
    "UntoldChange",
    "Wait",
]
