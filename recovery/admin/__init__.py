"""Configuration: every rule of the desk is a row here."""

from recovery.admin import cadences, calendars, departments, policies, staff, teams, tickets

__all__ = ["cadences", "calendars", "departments", "policies", "staff", "teams", "tickets"]
