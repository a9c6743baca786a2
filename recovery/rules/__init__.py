"""The ordered list that decides what becomes of an answer: what rules may ask, and which fires."""

from recovery.rules.fields import FIELDS, check, known_fields
from recovery.rules.matching import Facts, Reasons, Verdict, active_rules, judge, with_facts

__all__ = [
    "FIELDS",
    "Facts",
    "Reasons",
    "Verdict",
    "active_rules",
    "check",
    "judge",
    "known_fields",
    "with_facts",
]
