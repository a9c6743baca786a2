"""Configuration: every rule of the desk is a row here."""

from recovery.admin import (
    cadences,
    calendars,
    departments,
    hold_outs,
    initiatives,
    playbooks,
    policies,
    retention,
    staff,
    targets,
    teams,
    tickets,
)

__all__ = [
    "cadences",
    "calendars",
    "departments",
    "hold_outs",
    "initiatives",
    "playbooks",
    "policies",
    "retention",
    "staff",
    "targets",
    "teams",
    "tickets",
]
