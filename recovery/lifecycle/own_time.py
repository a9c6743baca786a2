"""When somebody works: their own calendar, else their team's, else nine to five where they are."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfoNotFoundError

from django.contrib.auth.models import User

from recovery.business_hours import CalendarError, Window, WorkingCalendar, WorkingTimeError, next_opening
from recovery.models import Calendar, Leave, StaffProfile, Team

OFFICE_HOURS = Window(days=frozenset(range(5)), opens=9 * 60, closes=17 * 60)


def opens_for(user: User, at: datetime, *, even_on_leave: bool = False) -> datetime:
    """The first moment from `at` on in this person's working time: `at` itself while it runs.

    Leave counts as closed but for `even_on_leave`. A calendar that cannot be read keeps nothing from anybody.
    """
    try:
        return opens_outside_leave(hours_of(user), [] if even_on_leave else leaves_of(user, at), at)
    except (CalendarError, WorkingTimeError, ZoneInfoNotFoundError):
        return at


def opens_outside_leave(
    hours: WorkingCalendar, leaves: list[tuple[datetime, datetime]], at: datetime
) -> datetime:
    """`leaves` in the order of their beginnings."""
    opens = next_opening(hours, at)
    for starts_at, ends_at in leaves:
        if starts_at <= opens < ends_at:
            opens = next_opening(hours, ends_at)
    return opens


def leaves_of(user: User, at: datetime) -> list[tuple[datetime, datetime]]:
    ahead = Leave.objects.filter(user=user, ends_at__gt=at).order_by("starts_at")
    return list(ahead.values_list("starts_at", "ends_at"))


def hours_of(user: User) -> WorkingCalendar:
    profile = StaffProfile.objects.select_related("calendar").filter(user=user).first()
    calendar = (profile and profile.calendar) or calendar_of_team(user)
    if calendar is not None:
        return calendar.as_working_calendar()
    zone = profile.zone if profile else StaffProfile().zone
    return WorkingCalendar(zone=zone, windows=(OFFICE_HOURS,))


def calendar_of_team(user: User) -> Calendar | None:
    """That of the team they joined first, else of the first they supervise."""
    teams = Team.objects.select_related("calendar")
    team = teams.filter(memberships__user=user).order_by("memberships__pk").first()
    team = team or teams.filter(supervisor=user).order_by("pk").first()
    return team.calendar if team else None
