"""Every act on a ticket, in the order of the story. A door imports acts from here and from nowhere else."""

from recovery.lifecycle.clock import change_priority, extend, recompute_deadlines, resume, start_waiting
from recovery.lifecycle.contact import (
    announce_callback,
    book_callback,
    cancel_callback,
    keep_wall_time,
    log_contact,
    move_callback,
)
from recovery.lifecycle.digest import send_digest
from recovery.lifecycle.escalation import climb, escalate
from recovery.lifecycle.loop import ask_again, end_unanswered, record_outcome, reopen
from recovery.lifecycle.opening import Plan, absorb, open_ticket, update_answer
from recovery.lifecycle.ownership import assign
from recovery.lifecycle.resolution import merge, note, resolve
from recovery.lifecycle.table import ALLOWED, Refused, Stale, is_allowed

__all__ = [
    "ALLOWED",
    "Plan",
    "Refused",
    "Stale",
    "absorb",
    "announce_callback",
    "ask_again",
    "assign",
    "book_callback",
    "cancel_callback",
    "change_priority",
    "climb",
    "end_unanswered",
    "escalate",
    "extend",
    "is_allowed",
    "keep_wall_time",
    "log_contact",
    "merge",
    "move_callback",
    "note",
    "open_ticket",
    "recompute_deadlines",
    "record_outcome",
    "reopen",
    "resolve",
    "resume",
    "send_digest",
    "start_waiting",
    "update_answer",
]
