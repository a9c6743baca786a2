"""When a customer is called: in the day by their own clock, in their team's hours where both meet."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from recovery.business_hours import WorkingCalendar, is_open
from recovery.lifecycle.calling_hours import DAY

STEP, LOOK_AHEAD = timedelta(minutes=20), timedelta(days=4)


def is_decent(at: datetime, zone: ZoneInfo) -> bool:
    return DAY[0] <= at.astimezone(zone).hour < DAY[1]


def decent_time(hours: WorkingCalendar, zone: ZoneInfo, at: datetime) -> datetime:
    """The next time within both; where they do not meet in four days, the customer's next morning."""
    times = [at + STEP * n for n in range(LOOK_AHEAD // STEP)]
    decent = [each for each in times if is_decent(each, zone)]
    return next((each for each in decent if is_open(hours, each)), decent[0])
