"""Every act on a ticket, in the order of the story. A door imports acts from here and from nowhere else."""

from recovery.lifecycle.cadence import Proposal, proposal_after
from recovery.lifecycle.clock import (
    change_policy,
    change_priority,
    extend,
    recompute_deadlines,
    resume,
    start_waiting,
)
from recovery.lifecycle.contact import (
    announce_callback,
    book_callback,
    cancel_callback,
    keep_wall_time,
    log_contact,
    move_callback,
)
from recovery.lifecycle.customer_link import customer_url
from recovery.lifecycle.digest import send_digest
from recovery.lifecycle.escalation import climb, escalate
from recovery.lifecycle.giving_up import give_up_reaching
from recovery.lifecycle.goodwill import decide_goodwill, give_goodwill, withdraw_goodwill
from recovery.lifecycle.hold_out import follow_up_early
from recovery.lifecycle.hold_out_asking import hear_drawn
from recovery.lifecycle.loop import ask_again, begin_anew, end_unanswered, next_ask, record_outcome, reopen
from recovery.lifecycle.nudge import nudge
from recovery.lifecycle.opening import Plan, absorb, open_ticket, update_answer
from recovery.lifecycle.ownership import assign
from recovery.lifecycle.placement import place
from recovery.lifecycle.playbook import name_cause, tick_step
from recovery.lifecycle.quality import check_quality
from recovery.lifecycle.reply import customer_wrote, reply, take_back
from recovery.lifecycle.request import answer_request, ask_department, cancel_request, climb_request
from recovery.lifecycle.resolution import merge, note, resolve
from recovery.lifecycle.table import ALLOWED, Refused, Stale, is_allowed
from recovery.lifecycle.takeover import take_over

__all__ = [
    "ALLOWED",
    "Plan",
    "Proposal",
    "Refused",
    "Stale",
    "absorb",
    "announce_callback",
    "answer_request",
    "ask_again",
    "ask_department",
    "assign",
    "begin_anew",
    "book_callback",
    "cancel_callback",
    "cancel_request",
    "change_policy",
    "change_priority",
    "check_quality",
    "climb",
    "climb_request",
    "customer_url",
    "customer_wrote",
    "decide_goodwill",
    "end_unanswered",
    "escalate",
    "extend",
    "follow_up_early",
    "give_goodwill",
    "give_up_reaching",
    "hear_drawn",
    "is_allowed",
    "keep_wall_time",
    "log_contact",
    "merge",
    "move_callback",
    "name_cause",
    "next_ask",
    "note",
    "nudge",
    "open_ticket",
    "place",
    "proposal_after",
    "recompute_deadlines",
    "record_outcome",
    "reopen",
    "reply",
    "resolve",
    "resume",
    "send_digest",
    "start_waiting",
    "take_back",
    "take_over",
    "tick_step",
    "update_answer",
    "withdraw_goodwill",
]
