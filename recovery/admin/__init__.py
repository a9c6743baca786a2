"""Configuration: every rule of the desk is a row here."""

from recovery.admin import calendars, policies, staff, teams, tickets

__all__ = ["calendars", "policies", "staff", "teams", "tickets"]
