"""The demo's own corner: promises of minutes, round the clock, so that one person sees a loop close."""

from __future__ import annotations

from datetime import time

from django.contrib.auth.models import User

from recovery.demo import visitor
from recovery.management.simulation.questions import RECOMMEND, RECOMMEND_ENDS, make_survey
from recovery.models import (
    Calendar,
    EscalationStep,
    Leave,
    Membership,
    OpeningHours,
    PolicyTarget,
    SlaPolicy,
    Team,
    TriageRule,
)
from recovery.models.policy import FIRST_CONTACT, RESOLUTION
from surveys import scoring
from surveys.models import Survey

POLICY, CALENDAR, TEAM = "Demo: minutes", "Round the clock", "Demo desk"
FIRST_MINUTES, WHOLE_MINUTES = 2, 4
ROOM_FOR = 40


def ensure_minutes(agent: User, supervisor: User) -> Survey:
    """The survey whose low scores go to the agent's demo desk; made once."""
    survey = Survey.objects.filter(slug=visitor.SURVEY).first()
    # On leave they would get no tickets, and the demo is theirs.
    Leave.objects.filter(user__in=[agent, supervisor]).delete()
    if survey is not None:
        return survey
    team = make_team(supervisor)
    Membership.objects.create(team=team, user=agent, capacity=ROOM_FOR)
    survey = make_survey(
        visitor.SURVEY, "Your visit today", "您今天的体验", RECOMMEND, RECOMMEND_ENDS, ("staff", "speed"),
        cooldown_days=0, resurvey_after_minutes=0,
    )  # fmt: skip
    rule = TriageRule.objects.create(
        position=1,
        name="Low score in the demo",
        name_zh="演示低分",
        bands=[scoring.DETRACTOR],
        team=team,
        policy=team.policy,
        priority=2,
    )
    rule.surveys.add(survey)
    return survey


def make_team(supervisor: User) -> Team:
    calendar = Calendar.objects.create(name=CALENDAR)
    OpeningHours.objects.create(calendar=calendar, days=list(range(7)), opens=time(0), closes=time(0))
    return Team.objects.create(
        name=TEAM,
        name_zh="演示台",
        parent=Team.objects.filter(name="Service").first(),
        supervisor=supervisor,
        calendar=calendar,
        policy=make_policy(),
    )


def make_policy() -> SlaPolicy:
    policy = SlaPolicy.objects.create(name=POLICY)
    for priority in (1, 2, 3, 4):
        PolicyTarget.objects.create(
            policy=policy,
            priority=priority,
            first_contact_minutes=FIRST_MINUTES,
            resolution_minutes=WHOLE_MINUTES,
        )
    EscalationStep.objects.bulk_create(
        EscalationStep(policy=policy, kind=kind, level=level, minutes_after=minutes, recipient=recipient)
        for kind in (FIRST_CONTACT, RESOLUTION)
        for level, minutes, recipient in ((0, -1, "owner"), (1, 0, "supervisor"), (2, 2, "manager"))
    )
    return policy
