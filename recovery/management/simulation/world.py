"""The firm of the simulated history: its teams and people, hours, promises, rules and causes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from random import Random

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User

from recovery.business_hours import WorkingCalendar
from recovery.management.simulation import words
from recovery.management.simulation.questions import make_surveys
from recovery.management.simulation.shelf import stock
from recovery.models import (
    Calendar,
    Cause,
    EscalationStep,
    Leave,
    Membership,
    OpeningHours,
    PolicyTarget,
    SlaPolicy,
    StaffProfile,
    Team,
    TriageRule,
)
from recovery.models.calendar import fill_public_holidays
from recovery.models.policy import FIRST_CONTACT, RESOLUTION
from surveys import scoring
from surveys.models import Source, Survey

SHANGHAI, LONDON = "Asia/Shanghai", "Europe/London"
EVERY_DAY, WEEKDAYS = list(range(7)), list(range(5))

# Username, given name, family name as shown after it, role, language, zone.
STAFF = (
    ("wu", "Wu Mei", "", "supervisor", "zh-hans", SHANGHAI),
    ("chen", "Chen Hao", "", "supervisor", "en", SHANGHAI),
    ("lina", "Li Na", "", "agent", "en", SHANGHAI),
    ("majun", "马俊", "", "agent", "zh-hans", SHANGHAI),
    ("zhaolei", "赵蕾", "", "agent", "zh-hans", SHANGHAI),
    ("sun", "Sun Yan", "", "supervisor", "zh-hans", SHANGHAI),
    ("hejie", "何洁", "", "agent", "zh-hans", SHANGHAI),
    ("guoqiang", "郭强", "", "agent", "zh-hans", SHANGHAI),
    ("linyu", "Lin Yu", "", "agent", "en", SHANGHAI),
    ("grace", "Grace", "Miller", "supervisor", "en", LONDON),
    ("ann", "Ann", "Smith", "agent", "en", LONDON),
    ("tom", "Tom", "Baker", "agent", "en", LONDON),
    ("priya", "Priya", "Shah", "agent", "en", LONDON),
    ("olivia", "Olivia", "Brown", "agent", "en", LONDON),
    ("xufang", "徐芳", "", "agent", "zh-hans", SHANGHAI),
    ("vera", "Vera", "Lind", "analyst", "en", LONDON),
)

# Name, name in Chinese, above it, supervisor, calendar, policy, members, fallback.
TEAMS = (
    ("Service", "服务部", None, "wu", "Shanghai office", "Standard", (), False),
    ("Stores East Shanghai", "浦东门店", "Service", "chen", "Shanghai stores", "Standard",
     ("lina", "majun", "zhaolei"), False),
    ("Delivery Pudong", "浦东配送", "Service", "sun", "Shanghai office", "Standard",
     ("hejie", "guoqiang", "linyu"), False),
    ("Customer care London", "伦敦客服", "Service", "grace", "London", "Standard",
     ("ann", "tom", "priya"), True),
    ("Key accounts", "大客户", "Service", "wu", "Shanghai office", "Key accounts",
     ("olivia", "xufang"), False),
)  # fmt: skip

# Days, opens, closes; lunch is the gap.
HOURS = {
    "Shanghai office": (SHANGHAI, "CN", WEEKDAYS, ((9, 0, 12, 0), (13, 0, 18, 0))),
    "Shanghai stores": (SHANGHAI, "CN", EVERY_DAY, ((9, 30, 12, 30), (13, 30, 20, 0))),
    "London": (LONDON, "GB", WEEKDAYS, ((9, 0, 12, 30), (13, 15, 17, 30))),
}

# First contact and resolution in working minutes, for P1 to P4.
POLICIES = {
    "Standard": ((120, 480), (240, 960), (480, 1920), (960, 2880)),
    "Key accounts": ((45, 240), (90, 480), (180, 960), (360, 1440)),
}
# Deadline, level, working minutes after it, who is told.
LADDER = (
    (FIRST_CONTACT, 0, -45, "owner"),
    (FIRST_CONTACT, 1, 0, "supervisor"),
    (FIRST_CONTACT, 2, 240, "manager"),
    (RESOLUTION, 0, -120, "owner"),
    (RESOLUTION, 1, 0, "supervisor"),
    (RESOLUTION, 2, 480, "manager"),
)
TOUCHPOINTS = ("store", "delivery", "support", "app", "billing")


@dataclass
class World:
    """What the simulated people need at hand, so that nobody asks the database for it twice."""

    users: dict[str, User] = field(default_factory=dict)
    locales: dict[int, str] = field(default_factory=dict)
    teams: dict[str, Team] = field(default_factory=dict)
    hours: dict[int, WorkingCalendar] = field(default_factory=dict)
    members: dict[int, list[User]] = field(default_factory=dict)
    leaves: dict[int, list[tuple[datetime, datetime]]] = field(default_factory=dict)
    causes: dict[str, Cause] = field(default_factory=dict)
    surveys: dict[str, Survey] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)

    def is_away(self, user_id: int, at: datetime) -> bool:
        return any(begins <= at < ends for begins, ends in self.leaves.get(user_id, ()))


def build_world(rng: Random, start: datetime, until: datetime) -> World:
    world = World()
    world.surveys = make_surveys()
    world.sources = make_sources()
    world.users = make_staff()
    world.locales = {
        world.users[username].pk: locale for username, _first, _last, _role, locale, _zone in STAFF
    }
    world.causes = make_causes()
    calendars = make_calendars(start, until)
    make_teams(world, calendars, make_policies())
    stock(world.causes, calendars, world.teams)
    make_rules(world)
    make_leaves(world, rng, start, until)
    return world


def make_sources() -> dict[str, Source]:
    page, _ = Source.objects.get_or_create(slug="page", defaults={"name": "Survey page", "kind": "page"})
    terminal = Source.objects.create(slug="store-terminal", name="Terminals in the stores", kind="api")
    app = Source.objects.create(slug="app", name="Feedback in the app", kind="api")
    keypad = Source.objects.create(slug="keypad", name="Keypad after a call", kind="api")
    return {"page": page, "terminal": terminal, "app": app, "keypad": keypad}


def make_staff() -> dict[str, User]:
    nobody_signs_in = make_password(None)
    users = User.objects.bulk_create(
        User(
            username=username,
            first_name=first,
            last_name=last,
            email=f"{username}@staff.example",
            password=nobody_signs_in,
        )
        for username, first, last, *_ in STAFF
    )
    StaffProfile.objects.bulk_create(
        StaffProfile(user=user, role=role, locale=locale, time_zone=zone)
        for user, (*_, role, locale, zone) in zip(users, STAFF, strict=True)
    )
    return {user.username: user for user in users}


def make_causes() -> dict[str, Cause]:
    rows = Cause.objects.bulk_create(
        Cause(code=each.code, name=each.name, name_zh=each.name_zh, position=10 * place)
        for place, each in enumerate(words.CAUSES, start=1)
    )
    return {cause.code: cause for cause in rows}


def make_calendars(start: datetime, until: datetime) -> dict[str, Calendar]:
    years = range(start.year, until.year + 2)
    calendars = {}
    for name, (zone, country, days, windows) in HOURS.items():
        calendar = Calendar.objects.create(name=name, time_zone=zone, country=country)
        OpeningHours.objects.bulk_create(
            OpeningHours(calendar=calendar, days=days, opens=time(a, b), closes=time(c, d))
            for a, b, c, d in windows
        )
        fill_public_holidays(calendar, years)
        calendars[name] = calendar
    return calendars


def make_policies() -> dict[str, SlaPolicy]:
    policies = {}
    for name, targets in POLICIES.items():
        policy = SlaPolicy.objects.create(name=name)
        PolicyTarget.objects.bulk_create(
            PolicyTarget(
                policy=policy, priority=priority, first_contact_minutes=first, resolution_minutes=whole
            )
            for priority, (first, whole) in enumerate(targets, start=1)
        )
        add_ladder(policy)
        policies[name] = policy
    return policies


def add_ladder(policy: SlaPolicy) -> None:
    EscalationStep.objects.bulk_create(
        EscalationStep(policy=policy, kind=kind, level=level, minutes_after=minutes, recipient=recipient)
        for kind, level, minutes, recipient in LADDER
    )


def make_teams(world: World, calendars: dict[str, Calendar], policies: dict[str, SlaPolicy]) -> None:
    for name, name_zh, above, supervisor, calendar, policy, members, is_fallback in TEAMS:
        team = Team.objects.create(
            name=name,
            name_zh=name_zh,
            parent=world.teams[above] if above else None,
            supervisor=world.users[supervisor],
            calendar=calendars[calendar],
            policy=policies[policy],
            is_fallback=is_fallback,
        )
        world.teams[name] = team
        world.hours[team.pk] = calendars[calendar].as_working_calendar()
        world.members[team.pk] = [world.users[username] for username in members]
        Membership.objects.bulk_create(
            Membership(team=team, user=user, capacity=18) for user in world.members[team.pk]
        )


def make_rules(world: World) -> None:
    stores, delivery = world.teams["Stores East Shanghai"], world.teams["Delivery Pudong"]
    care, key = world.teams["Customer care London"], world.teams["Key accounts"]
    low, no_ticket = [scoring.DETRACTOR], {"opens_ticket": False, "priority": 4}
    rules: tuple[tuple[str, str, dict[str, object]], ...] = (
        ("Urgent words in Chinese", "中文紧急用语",
         {"bands": low, "keywords": "律师, 投诉, 危险, 曝光, 12315", "team": stores, "priority": 1}),
        ("Urgent words in English", "英文紧急用语",
         {"bands": low, "keywords": "lawyer, dangerous, injured, press, refund now",
          "team": care, "priority": 1}),
        ("Gold customers", "金牌客户", {"bands": low, "tier": "Gold", "team": key, "priority": 2}),
        ("Was a promoter before", "曾经是推荐者",
         {"bands": low, "dropped_from_promoter": True, "touchpoint": "store", "team": stores, "priority": 2}),
        ("Asks to be contacted", "请求联系",
         {"bands": low, "contact_me": True, "touchpoint": "delivery", "team": delivery, "priority": 2}),
        ("Low score in a store", "门店低分", {"bands": low, "touchpoint": "store", "team": stores}),
        ("Low score for a delivery", "配送低分", {"bands": low, "touchpoint": "delivery", "team": delivery}),
        ("Low score for support", "客服低分", {"bands": low, "touchpoint": "support", "team": care}),
        ("Low score, anything else", "其他低分", {"bands": low, "team": care}),
        ("Content, asks to be contacted", "非低分但请求联系",
         {"contact_me": True, "team": care, "priority": 4}),
        ("Passives: no ticket", "中立者不建单", {"bands": [scoring.PASSIVE], **no_ticket}),
        ("Promoters: no ticket", "推荐者不建单", {"bands": [scoring.PROMOTER], **no_ticket}),
    )  # fmt: skip
    TriageRule.objects.bulk_create(
        TriageRule(position=10 * place, name=name, name_zh=name_zh, **fields)
        for place, (name, name_zh, fields) in enumerate(rules, start=1)
    )


def make_leaves(world: World, rng: Random, start: datetime, until: datetime) -> None:
    """Every agent is away about every two months for some days; one of them is away at the end."""
    rows = []
    agents = [user for members in world.members.values() for user in members]
    for user in agents:
        day = start + timedelta(days=rng.randrange(10, 60))
        while day < until - timedelta(days=12):
            rows.append(leave(user, day, rng.randrange(3, 9)))
            day += timedelta(days=rng.randrange(45, 80))
    rows.append(leave(world.users["majun"], until - timedelta(days=2), 6))
    rows.append(leave(world.users["tom"], until + timedelta(days=9), 5))
    Leave.objects.bulk_create(rows)
    for row in rows:
        world.leaves.setdefault(row.user_id, []).append((row.starts_at, row.ends_at))


def leave(user: User, day: datetime, days: int) -> Leave:
    begins = day.replace(hour=0, minute=0, second=0, microsecond=0)
    return Leave(user=user, starts_at=begins, ends_at=begins + dt.timedelta(days=days), note="Annual leave")
