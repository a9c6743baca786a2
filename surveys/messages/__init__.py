"""What we say to anyone: written down once, judged at the gate, delivered, and never lost in silence."""

from surveys.messages.compose import queue_message
from surveys.messages.decisions import NotAllowed, drop, mark_sent, resend
from surveys.messages.deliver import due_messages, send
from surveys.messages.gate import Verdict, verdict
from surveys.messages.links import find_link, make_link
from surveys.messages.suppression import is_suppressed, normalise, suppress, unsuppress

__all__ = [
    "NotAllowed",
    "Verdict",
    "drop",
    "due_messages",
    "find_link",
    "is_suppressed",
    "make_link",
    "mark_sent",
    "normalise",
    "queue_message",
    "resend",
    "send",
    "suppress",
    "unsuppress",
    "verdict",
]
