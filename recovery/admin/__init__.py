"""Configuration: every rule of the desk is a row here."""

from recovery.admin import cadences, calendars, departments, playbooks, policies, staff, teams, tickets

__all__ = ["cadences", "calendars", "departments", "playbooks", "policies", "staff", "teams", "tickets"]
