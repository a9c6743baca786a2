"""The time by which things fall due: the database's, whatever the clock of this machine says.

Between two looks at it the time is carried on by a clock that nobody can set.
"""

import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as wall_time

from django.conf import settings
from django.db import connection
from django.utils import timezone

LOOK_AGAIN_SECONDS = 10.0
# A leap beyond this is no drift: somebody set the clock, or the database moved to another machine.
LEAP_SECONDS = 60.0
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


@dataclass(frozen=True, slots=True)
class Look:
    """What the database's clock said, and when that was by the steady one (seconds)."""

    said: datetime
    steady: float

    def now(self) -> datetime:
        return self.said + timedelta(seconds=steady() - self.steady)


_look: Look | None = None
_leap: timedelta | None = None


def steady() -> float:
    """Seconds of a clock that runs evenly, also while the machine sleeps."""
    return time.clock_gettime(_STEADY)


def now() -> datetime:
    """The present by the database's clock, aware, in UTC. Asks the database every LOOK_AGAIN_SECONDS."""
    global _look
    if not settings.DATABASE_CLOCK:
        return timezone.now()
    last = _look
    if last is None or steady() - last.steady > LOOK_AGAIN_SECONDS:
        last = _look = look(last)
    return last.now()


def look(before: Look | None) -> Look:
    """Read the database's clock; a leap since the look before is remembered for `leap`."""
    global _leap
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        found = Look(cursor.fetchone()[0], steady())
    if before is not None:
        moved = found.said - before.now()
        if abs(moved.total_seconds()) > LEAP_SECONDS:
            _leap = moved
    return found


def leap() -> timedelta | None:
    """How far the database's clock leapt since somebody last asked here; None if it did not."""
    global _leap
    found, _leap = _leap, None
    return found


def midnight(day: date) -> datetime:
    """The beginning of a day in the zone of whoever looks."""
    return timezone.make_aware(datetime.combine(day, wall_time()))
