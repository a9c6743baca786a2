"""The cast, on one fixed Monday: plain functions that make what a test needs and nothing else.

The East team works 9 to 17 in Shanghai. Li Na and Ma Jun are its agents, Chen Hao its supervisor;
Mrs Wu supervises the region above it. Ann Smith is an agent of another team.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import cache
from itertools import count
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User

from recovery.lifecycle import Plan, open_ticket
from recovery.models import (
    Calendar,
    Cause,
    EscalationStep,
    Membership,
    OpeningHours,
    PolicyTarget,
    SlaPolicy,
    StaffProfile,
    Team,
    Ticket,
)
from recovery.models.policy import FIRST_CONTACT, RESOLUTION
from surveys.models import Customer, Response, Source, Survey
from tests.surveys.make import make_customer, make_survey

SHANGHAI = "Asia/Shanghai"
# Monday 2 March 2026, 10:00 in Shanghai: an hour after opening.
MONDAY = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

PASSWORD = "correct horse"
_serial = count(1)


@cache
def password_hash() -> str:
    """Hashing is slow on purpose; the cast shares one."""
    return make_password(PASSWORD)


def make_user(username: str, role: str = "agent", *, name: str = "", **profile: Any) -> User:
    first, _, last = (name or username.title()).partition(" ")
    user = User.objects.create(
        username=username,
        email=f"{username}@staff.example",
        password=password_hash(),
        first_name=first,
        last_name=last,
    )
    fields = {"time_zone": SHANGHAI, "locale": "en", **profile}
    StaffProfile.objects.create(user=user, role=role, **fields)
    return user


def make_calendar(name: str = "Shanghai", time_zone: str = SHANGHAI, **hours: Any) -> Calendar:
    """Monday to Friday, 9 to 17."""
    calendar = Calendar.objects.create(name=name, time_zone=time_zone)
    window = {"days": [0, 1, 2, 3, 4], "opens": time(9), "closes": time(17), **hours}
    OpeningHours.objects.create(calendar=calendar, **window)
    return calendar


def make_policy(name: str = "Standard", *, steps: bool = True) -> SlaPolicy:
    """P1 1 h and 8 h, P2 2 h and 16 h, P3 4 h and 24 h of work; warned 30 min before, told at 0 and +2 h."""
    policy = SlaPolicy.objects.create(name=name)
    for priority, first, resolution in ((1, 60, 480), (2, 120, 960), (3, 240, 1440)):
        PolicyTarget.objects.create(
            policy=policy, priority=priority, first_contact_minutes=first, resolution_minutes=resolution
        )
    if steps:
        for kind in (FIRST_CONTACT, RESOLUTION):
            for level, minutes, recipient in ((0, -30, "owner"), (1, 0, "supervisor"), (2, 120, "manager")):
                EscalationStep.objects.create(
                    policy=policy, kind=kind, level=level, minutes_after=minutes, recipient=recipient
                )
    return policy


def make_team(
    name: str = "East", *, supervisor: User, calendar: Calendar, policy: SlaPolicy, **fields: Any
) -> Team:
    return Team.objects.create(name=name, supervisor=supervisor, calendar=calendar, policy=policy, **fields)


def join(team: Team, user: User, capacity: int = 20, **fields: Any) -> Membership:
    return Membership.objects.create(team=team, user=user, capacity=capacity, **fields)


class Cast:
    """Everybody, in their places."""

    def __init__(self) -> None:
        self.calendar = make_calendar()
        self.policy = make_policy()
        self.wu = make_user("wu", "supervisor", name="Wu Mei")
        self.chen = make_user("chen", "supervisor", name="Chen Hao")
        self.lina = make_user("lina", name="Li Na")
        self.majun = make_user("majun", name="Ma Jun")
        self.ann = make_user("ann", name="Ann Smith", time_zone="Europe/London")
        self.bob = make_user("bob", "supervisor", name="Bob Jones", time_zone="Europe/London")
        self.vera = make_user("vera", "analyst", name="Vera Lind")
        self.admin = make_user("admin", "administrator", name="Ada Min")
        self.region = make_team("Region", supervisor=self.wu, calendar=self.calendar, policy=self.policy)
        self.east = make_team(
            supervisor=self.chen,
            calendar=self.calendar,
            policy=self.policy,
            parent=self.region,
            is_fallback=True,
        )
        self.west = make_team("West", supervisor=self.bob, calendar=self.calendar, policy=self.policy)
        join(self.east, self.lina)
        join(self.east, self.majun)
        join(self.west, self.ann)
        self.survey = make_survey("delivery")
        self.late = Cause.objects.create(code="late", name="Late delivery", name_zh="送货晚了")
        self.rude = Cause.objects.create(code="rude", name="Unfriendly", name_zh="态度不好")

    def customer(self, name: str = "Zhang Wei", **fields: Any) -> Customer:
        email = fields.pop("email", f"customer{next(_serial)}@example.com")
        return make_customer(name, email=email, time_zone=fields.pop("time_zone", SHANGHAI), **fields)

    def response(self, score: int | None = 2, *, at: datetime = MONDAY, **fields: Any) -> Response:
        return make_response(fields.pop("survey", self.survey), score, at=at, **fields)

    def ticket(self, score: int = 2, *, at: datetime = MONDAY, priority: int = 3, **fields: Any) -> Ticket:
        """A ticket of the East team, opened by a low score of a new customer."""
        team = fields.pop("team", self.east)
        fields.setdefault("customer", None)
        if fields["customer"] is None:
            fields["customer"] = self.customer()
        response = self.response(score, at=at, **fields)
        Response.objects.filter(pk=response.pk).update(triaged_at=at)
        return open_ticket(response, Plan(team=team, policy=team.policy, priority=priority), at=at)


def make_response(survey: Survey, score: int | None, *, at: datetime = MONDAY, **fields: Any) -> Response:
    """An untriaged answer."""
    source, _ = Source.objects.get_or_create(slug="test", defaults={"name": "Test", "kind": "api"})
    values = {
        "external_id": f"r{next(_serial)}",
        "comment": "Nobody called.",
        "received_at": at,
        "answered_at": at,
        "payload_hash": "",
        **fields,
    }
    return Response.objects.create(
        survey=survey, source=source, score=score, band=survey.band(score), **values
    )
