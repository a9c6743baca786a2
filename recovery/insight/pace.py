"""Working time and pace of whole teams: what they got done of late, and what that lets them still do in time.

A team's *pace* is how many first contacts (or resolutions) it made per working second of its last five
working days, today not counted: so it stands still during a day. Fewer than five in that time are too few to
tell; the pace is then unknown.

Its *queue* is every running deadline of one kind, the overdue ones too, by due time. The k-th of the queue is
met, at that pace, after k / pace of working time from now. It is *at risk* when its due time comes before
that, and is still ahead. Where the pace is unknown, what falls due within four working hours is at risk. A
clock that stands is in no queue, and what is due in more than sixty days is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import accumulate
from typing import Any, Final

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    Case,
    Count,
    F,
    FloatField,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
    Window,
)
from django.db.models.functions import JSONObject, RowNumber

from recovery import business_hours
from recovery.business_hours import CalendarError, WorkingCalendar
from recovery.models import Deadline, Team
from recovery.models.calendar import CalendarDay, OpeningHours, working_calendar
from recovery.models.policy import FIRST_CONTACT, RESOLUTION

SOON: Final = timedelta(hours=4)
WORKING_DAYS: Final = 5
LOOK_BACK: Final = timedelta(days=28)
LOOK_AHEAD: Final = timedelta(days=60)
ENOUGH: Final = 5
KINDS: Final = (FIRST_CONTACT, RESOLUTION)
NEVER: Final = Value(float("inf"), output_field=FloatField())
AT_ONCE: Final = Value(-1.0, output_field=FloatField())


@dataclass(frozen=True)
class Clock:
    """What the working time of some teams says at one moment: they share a calendar.

    `soon` lies four working hours ahead. `days` are the last five working days: from the first midnight to
    today's, with `seconds` of working time in them. `ahead` is the working time of the next sixty days.
    """

    teams: frozenset[int]
    soon: datetime
    since: datetime
    today: datetime
    seconds: float
    ahead: tuple[business_hours.Span, ...]


# By team and kind of deadline: done per working second.
Paces = dict[tuple[int, str], float]


def told_hours(calendar: str) -> ArraySubquery:
    """The opening hours of the calendar this field names, as JSON within the row."""
    hours = OpeningHours.objects.filter(calendar=OuterRef(calendar)).order_by("id")
    return ArraySubquery(hours.values(row=JSONObject(days="days", opens="opens", closes="closes")))


def told_days(calendar: str) -> ArraySubquery:
    """Its special days."""
    days = CalendarDay.objects.filter(calendar=OuterRef(calendar)).order_by("date")
    told = JSONObject(date="date", name="name", kind="kind", opens="opens", closes="closes")
    return ArraySubquery(days.values(row=told))


def hours_told(time_zone: str, row: Any) -> WorkingCalendar | None:
    """The calendar of a row with `told_hours` and `told_days`; None where it is still without hours."""
    try:
        return working_calendar(
            "", time_zone, list(map(hours, row.told_hours)), list(map(day, row.told_days))
        )
    except CalendarError:
        return None


def teams_with_hours(teams: Iterable[int]) -> list[Any]:
    """These teams, each with the hours and days of its calendar, in one query."""
    rows = Team.objects.filter(pk__in=set(teams)).select_related("calendar")
    return list(rows.annotate(told_hours=told_hours("calendar"), told_days=told_days("calendar")))


def clocks_of(teams: list[Any], at: datetime) -> list[Clock]:
    """One for each calendar of these `teams_with_hours`; a calendar still without hours has none."""
    sharing: dict[int, list[Any]] = {}
    for team in teams:
        sharing.setdefault(team.calendar_id, []).append(team)
    found = (clock_of(each, at) for each in sharing.values())
    return [clock for clock in found if clock is not None]


def clock_of(teams: list[Any], at: datetime) -> Clock | None:
    calendar = hours_told(teams[0].calendar.time_zone, teams[0])
    if calendar is None:
        return None  # no deadline can run under it
    soon = business_hours.add_working_time(calendar, at, SOON)
    assert soon is not None  # without a wait the clock never stands
    since, today = last_days(calendar, at)
    seconds = business_hours.worked(calendar, since, today) / timedelta(seconds=1)
    ahead = tuple(business_hours.open_spans(calendar, at, at + LOOK_AHEAD))
    return Clock(frozenset(team.pk for team in teams), soon, since, today, seconds, ahead)


def hours(told: dict[str, Any]) -> OpeningHours:
    return OpeningHours(days=told["days"], opens=clock_time(told["opens"]), closes=clock_time(told["closes"]))


def day(told: dict[str, Any]) -> CalendarDay:
    times = {name: told[name] and clock_time(told[name]) for name in ("opens", "closes")}
    return CalendarDay(date=date.fromisoformat(told["date"]), name=told["name"], kind=told["kind"], **times)


def clock_time(text: str) -> time:
    return time.fromisoformat(text)


def last_days(calendar: WorkingCalendar, at: datetime) -> tuple[datetime, datetime]:
    """From the midnight that began the fifth working day before today to the midnight that began today."""
    here = at.astimezone(calendar.zone)
    today = datetime.combine(here.date(), time(), tzinfo=calendar.zone)
    spans = business_hours.open_spans(calendar, today - LOOK_BACK, today)
    worked_on = sorted({span.start.astimezone(calendar.zone).date() for span in spans})
    first = worked_on[-WORKING_DAYS:][0] if worked_on else here.date()
    return datetime.combine(first, time(), tzinfo=calendar.zone), today


def paces_of(clocks: list[Clock]) -> Paces:
    """In one query; a team and kind with fewer than five done has none."""
    if not clocks:
        return {}
    windows = Q(pk__in=[])
    for clock in clocks:
        windows |= Q(ticket__team__in=clock.teams, met_at__gte=clock.since, met_at__lt=clock.today)
    least = min(clock.since for clock in clocks)
    met = Deadline.objects.filter(windows, met_at__gte=least).order_by()
    rows = met.values_list("ticket__team", "kind").annotate(done=Count("pk"))
    seconds = {team: clock.seconds for clock in clocks for team in clock.teams}
    return {
        (team, kind): done / seconds[team] for team, kind, done in rows if done >= ENOUGH and seconds[team]
    }


def running() -> QuerySet[Deadline]:
    """Of present cycles only: whatever ends a cycle ends its deadlines."""
    return Deadline.objects.filter(met_at=None, ended_at=None, ticket__cycle=F("cycle")).order_by()


def at_risk(clocks: list[Clock], paces: Paces, at: datetime) -> QuerySet[Any]:
    """The ids of tickets that will miss a deadline at their team's pace."""
    teams = frozenset[int]().union(*(clock.teams for clock in clocks))
    queue = running().filter(ticket__team__in=teams, due_at__lte=at + LOOK_AHEAD)
    place = Window(RowNumber(), partition_by=[F("ticket__team"), F("kind")], order_by=[F("due_at"), F("pk")])
    placed = queue.annotate(place=place, doable=doable(clocks, paces, at))
    return placed.filter(place__gt=F("doable")).values("ticket")


def doable(clocks: list[Clock], paces: Paces, at: datetime) -> Case:
    """How many the team can have done by the due time; below the place in the queue means too late."""
    known = [
        When(ticket__team=team, kind=kind, then=Value(pace, output_field=FloatField()))
        for (team, kind), pace in paces.items()
    ]
    pace = Case(*known, default=None, output_field=FloatField())
    left = Case(
        *(When(ticket__team__in=clock.teams, then=SecondsLeft(clock)) for clock in clocks),
        default=NEVER,
        output_field=FloatField(),
    )
    near = Q(pk__in=[])
    for clock in clocks:
        near |= Q(ticket__team__in=clock.teams, due_at__lte=clock.soon)
    of_known = Q(pk__in=[])
    for team, kind in paces:
        of_known |= Q(ticket__team=team, kind=kind)
    return Case(
        When(due_at__lte=at, then=NEVER),
        When(of_known, then=pace * left),
        When(near, then=AT_ONCE),
        default=NEVER,
        output_field=FloatField(),
    )


class SecondsLeft(Func):
    """Working seconds from now until `due_at`, found among the opening hours of a clock."""

    output_field = FloatField()

    def __init__(self, clock: Clock) -> None:
        super().__init__(F("due_at"))
        lengths = [(span.end - span.start).total_seconds() for span in clock.ahead]
        self.opens = [span.start.timestamp() for span in clock.ahead]
        self.lengths = lengths
        self.before = list(accumulate(lengths, initial=0.0))[:-1]

    def as_sql(self, compiler: Any, connection: Any, *_args: Any, **_options: Any) -> tuple[str, Any]:
        column, params = compiler.compile(self.get_source_expressions()[0])
        instant = f"EXTRACT(EPOCH FROM {column})::float8"
        place = f"width_bucket({instant}, %s::float8[])"
        sql = (
            f"COALESCE((%s::float8[])[{place}] + "
            f"LEAST({instant} - (%s::float8[])[{place}], (%s::float8[])[{place}]), 0)"
        )
        found = [*params, self.opens]
        return sql, (self.before, *found, *params, self.opens, *found, self.lengths, *found)
