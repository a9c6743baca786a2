"""For administrators: what today's rules would make of the last answers, beside what was made of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery.assignment import Roster, propose
from recovery.lifecycle import Plan
from recovery.lifecycle.act import name_of
from recovery.models import Team, TriageRule
from recovery.rules import Facts, Verdict, active_rules, judge, with_facts
from recovery.triage import plan_for
from recovery.views import door
from recovery.views.words import Words, because_words, severity_words
from surveys.models import Response

LAST = 100
# What triage made of an answer, where it asked the rules at all.
ASKED_RULES = frozenset({"opened", "absorbed", "no_ticket"})
BEFORE: Final[dict[str, Words]] = {
    "opened": _("opened a ticket"),
    "absorbed": _("joined the open ticket"),
    "no_ticket": _("opened no ticket"),
    "outcome": _("answered being asked again"),
    "updated": _("changed an earlier answer"),
}


@dataclass(frozen=True)
class Line:
    """One answer: what was made of it, and what would be. `plan` and `owner` are None for no ticket."""

    response: Response
    before: Words
    rule_before: str | None
    ticket: str
    verdict: Verdict
    why: list[str]
    plan: Plan | None = None
    owner: User | None = None
    because: str = ""
    differs: bool = False

    @property
    def owner_name(self) -> str:
        return name_of(self.owner)


@door.staff_page(door.ADMINISTRATOR)
@require_safe
def dry_run(request: HttpRequest) -> HttpResponse:
    """Nothing is held or written: looking costs nobody anything."""
    resting = bool(door.asked(request, "resting"))
    lines = try_rules(now(), and_resting=resting)
    context = {
        "lines": sorted(lines, key=lambda line: not line.differs),
        "different": sum(line.differs for line in lines),
        "resting": resting,
        "last": LAST,
    }
    return render(request, "recovery/dry_run.html", context)


def try_rules(at: datetime, *, and_resting: bool = False) -> list[Line]:
    """The last answers under the rules as they stand, newest first; with those switched off if asked for."""
    teams = all_teams()
    rules = active_rules(and_resting=and_resting)
    for rule in rules:
        rule.team = teams.get(rule.team_id) if rule.team_id else None
    answered = Response.objects.counted().order_by("-answered_at", "-id")
    responses = list(with_facts(answered, rules)[:LAST])
    roster = Roster.read(teams, at, account_owners(responses))
    fallback = next(iter(sorted(teams.values(), key=lambda team: (not team.is_fallback, team.pk))), None)
    return [line_of(response, rules, roster, fallback) for response in responses]


def all_teams() -> dict[int, Team]:
    """Every team with those above it, in one query."""
    related = ("supervisor__staff", "policy", "calendar")
    teams = {team.pk: team for team in Team.objects.select_related(*related)}
    for team in teams.values():
        team.parent = teams.get(team.parent_id) if team.parent_id else None
    return teams


def account_owners(responses: list[Response]) -> set[int]:
    accounts = (each.customer.account for each in responses if each.customer)
    return {account.owner_id for account in accounts if account and account.owner_id}


def line_of(response: Response, rules: list[TriageRule], roster: Roster, fallback: Team | None) -> Line:
    note: dict[str, Any] = response.triage_note
    result = str(note.get("result", ""))
    verdict = judge(Facts(response), rules)
    told: dict[str, Any] = {
        "before": BEFORE.get(result, _("not looked at yet")),
        "rule_before": note.get("rule"),
        "ticket": note.get("ticket") or "",
        "verdict": verdict,
        "why": severity_words(verdict.reasons),
        "differs": result in ASKED_RULES and differs(note, verdict),
    }
    if not verdict.opens or fallback is None:
        return Line(response, **told)
    plan = plan_for(verdict, fallback)
    choice = propose(roster, plan.team, response.customer, skill=plan.skill)
    told |= {"plan": plan, "owner": choice.owner, "because": because_words(choice.reason)}
    return Line(response, **told)


def differs(note: dict[str, Any], verdict: Verdict) -> bool:
    opened = note.get("result") != "no_ticket"
    rule = verdict.rule.name if verdict.rule else None
    return opened != verdict.opens or note.get("rule") != rule
