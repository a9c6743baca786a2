"""Monday morning's mail to whoever supervises: last week against the week before, and how teams stand now.

Every number comes from the functions the pages ask: low scores opened, first contacts in time and recovered
customers as on Insight, overdue, at risk and waiting too long as on the board.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import BigIntegerField, Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from recovery import access, business_hours
from recovery.business_hours import WorkingCalendar, WorkingTimeError
from recovery.catch_up import POLICIES
from recovery.insight import standing
from recovery.insight.cohort import BANDS, RECOVERED, Slice
from recovery.insight.pace import hours_told, told_days, told_hours
from recovery.insight.recovery import Rate
from recovery.insight.times import first_contacts_by_team
from recovery.insight.told import Told
from recovery.lifecycle import notices
from recovery.models import Calendar, StaffProfile, Team, Ticket, TicketEvent
from surveys.models import Message

KIND: Final = "weekly"
NOBODY: Final = Rate(0, 0)
TOLD_LATELY: Final = timedelta(days=4)
STANDS: Final = (standing.LATE, standing.RISK, standing.STUCK)


@dataclass(frozen=True)
class Then:
    """What happened in a week. `in_time` is of the first contacts whose time has passed or that were made;
    `recovered` is of the answers to being asked again."""

    opened: int = 0
    in_time: Rate = NOBODY
    recovered: Rate = NOBODY

    def __add__(self, other: Then) -> Then:
        return Then(
            self.opened + other.opened,
            added(self.in_time, other.in_time),
            added(self.recovered, other.recovered),
        )


def added(one: Rate, other: Rate) -> Rate:
    return Rate(one.hits + other.hits, one.n + other.n)


@dataclass(frozen=True)
class Line:
    """A team, or all of them: the two weeks, and how many are overdue, at risk and waiting too long now."""

    name: str
    last: Then
    before: Then
    late: int
    risk: int
    waiting: int
    team: int = 0

    @property
    def late_url(self) -> str:
        return self.board(standing.LATE)

    @property
    def risk_url(self) -> str:
        return self.board(standing.RISK)

    @property
    def waiting_url(self) -> str:
        return self.board(standing.STUCK)

    def board(self, tab: str) -> str:
        query = urlencode({"tab": tab, **({"team": self.team} if self.team else {})})
        return f"{settings.PUBLIC_URL}/overdue/?{query}"


@dataclass(frozen=True)
class Weekly:
    """`start` and `end` are the Mondays around last week."""

    start: datetime
    end: datetime
    total: Line
    lines: list[Line]


def calendar_of(user: User) -> Calendar | None:
    """Their own working hours, else those of the first team they supervise."""
    if user.staff.calendar is not None:
        return user.staff.calendar
    team = min(user.supervised_teams.all(), key=lambda each: each.pk, default=None)
    return team.calendar if team else None


def leads(user: User) -> bool:
    """Whether somebody gets this mail."""
    return user.staff.role == StaffProfile.SUPERVISOR and user.supervised_teams.exists()


def monday_of(zone: tzinfo, at: datetime) -> datetime:
    here = at.astimezone(zone).date()
    return datetime.combine(here - timedelta(days=here.weekday()), time(), tzinfo=zone)


def opening(hours: WorkingCalendar, at: datetime) -> datetime | None:
    """When the working time of this week begins; None in a week without any."""
    monday = monday_of(hours.zone, at)
    try:
        opens = business_hours.next_opening(hours, monday)
    except WorkingTimeError:
        return None
    return opens if opens < monday + timedelta(days=7) else None


def due_weeklies(at: datetime) -> QuerySet[User]:
    """Who supervises, and whose week has begun at most three days ago without this mail."""
    begun = [user.pk for user in untold_leaders(at) if is_due(user, at)]
    return User.objects.filter(pk__in=begun).order_by("pk") if begun else User.objects.none()


def untold_leaders(at: datetime) -> QuerySet[Any]:
    """Each with the hours and days of the calendar they go by, in one query."""
    told = Message.objects.filter(user=OuterRef("pk"), kind=KIND, created_at__gt=at - TOLD_LATELY)
    led = Team.objects.filter(supervisor=OuterRef("pk")).order_by("pk")
    calendar = Calendar.objects.filter(pk=OuterRef("goes_by"))
    leaders = User.objects.filter(is_active=True, staff__role=StaffProfile.SUPERVISOR).exclude(email="")
    return leaders.filter(Exists(led), ~Exists(told)).annotate(
        goes_by=Coalesce(
            F("staff__calendar"), Subquery(led.values("calendar")[:1]), output_field=BigIntegerField()
        ),
        zone_name=Subquery(calendar.values("time_zone")),
        told_hours=told_hours("goes_by"),
        told_days=told_days("goes_by"),
    )


def is_due(user: Any, at: datetime) -> bool:
    hours = hours_told(user.zone_name, user)
    opens = opening(hours, at) if hours else None
    limit = POLICIES[KIND].skip_after
    assert limit is not None
    return opens is not None and opens <= at < opens + limit


def send_weekly(user_id: int, at: datetime) -> Message | None:
    """Queue the mail of this week, once; None: somebody was quicker, or it is too late."""
    user = due_weeklies(at).filter(pk=user_id).select_related("staff__calendar").first()
    calendar = calendar_of(user) if user else None
    if user is None or calendar is None:
        return None
    week = monday_of(ZoneInfo(calendar.time_zone), at).date().isoformat()
    context = words(weekly(user, calendar, at), at)
    return notices.write(user, KIND, at, f"{KIND}:{user.pk}:{week}", context)


def weekly(user: User, calendar: Calendar, at: datetime) -> Weekly:
    """The figures of the teams this person supervises, in a fixed number of queries."""
    teams = access.supervised_by(user)
    tickets = Ticket.objects.filter(team__in=teams)
    measured = standing.measure(teams, at)
    now = standing.summed(standing.cells(tickets, measured), "team")
    end = monday_of(ZoneInfo(calendar.time_zone), at)
    start, first = (end - timedelta(days=days) for days in (7, 14))
    last, before = happened(teams, start, end, at), happened(teams, first, start, at)
    lines = [
        Line(
            str(team),
            last[team.pk],
            before[team.pk],
            *stands(now.get(team.pk)),
            team.pk,
        )
        for team in measured.teams
    ]
    return Weekly(start, end, summed(lines), lines)


def stands(counts: dict[str, int] | None) -> tuple[int, int, int]:
    late, risk, stuck = (counts[name] if counts else 0 for name in STANDS)
    return late, risk, stuck


def summed(lines: list[Line]) -> Line:
    return Line(
        name="",
        last=sum((line.last for line in lines), Then()),
        before=sum((line.before for line in lines), Then()),
        late=sum(line.late for line in lines),
        risk=sum(line.risk for line in lines),
        waiting=sum(line.waiting for line in lines),
    )


def happened(teams: set[int], start: datetime, end: datetime, at: datetime) -> dict[int, Then]:
    """What happened from `start` to before `end`, by team."""
    cohort = Told(Ticket.objects.all(), Slice(start, end, teams=frozenset(teams))).tickets()
    opened = dict(cohort.order_by().values_list("team").annotate(number=Count("pk")))
    heard = first_contacts_by_team(cohort, at)
    answers = TicketEvent.objects.filter(
        kind="outcome", at__gte=start, at__lt=end, ticket__team__in=teams, data__outcome__in=BANDS
    )
    counts = (
        answers.order_by()
        .values_list("ticket__team")
        .annotate(number=Count("pk"), hits=Count("pk", filter=Q(data__outcome__in=RECOVERED)))
    )
    recovered = {team: Rate(hits, number) for team, number, hits in counts}
    return {
        team: Then(
            opened.get(team, 0),
            heard[team].kept if team in heard else NOBODY,
            recovered.get(team, NOBODY),
        )
        for team in teams
    }


# --- words --------------------------------------------------------------------------------------------------


def words(found: Weekly, at: datetime) -> dict[str, Any]:
    """What the templates show; every bar is a whole share of a hundred."""
    total = found.total
    most = max(total.last.opened, total.before.opened, 1)
    busiest = max((line.late + line.risk + line.waiting for line in found.lines), default=0) or 1
    return {
        "weekly": found,
        "sunday": found.end - timedelta(days=1),
        "bars": {
            "last": share(total.last.opened, most),
            "before": share(total.before.opened, most),
            "in_time_last": rate_share(total.last.in_time),
            "in_time_before": rate_share(total.before.in_time),
        },
        "stands": [
            (line, share(line.late, busiest), share(line.risk, busiest), share(line.waiting, busiest))
            for line in found.lines
        ],
        "insight_url": f"{settings.PUBLIC_URL}/insight/",
        "preview_url": f"{settings.PUBLIC_URL}/overdue/weekly/",
        "as_of": at,
    }


def share(part: int, whole: int) -> int:
    """Of a hundred; something is never nothing."""
    return max(1, round(100 * part / whole)) if part else 0


def rate_share(rate: Rate) -> int:
    return share(rate.hits, rate.n) if rate.n else 0
