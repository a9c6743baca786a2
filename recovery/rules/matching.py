"""Which rule fires for an answer, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from django.db.models import OuterRef, Prefetch, QuerySet, Subquery

from recovery.models import TriageRule
from recovery.rules.fields import ANSWERS, field_named, holds, shown
from surveys import scoring
from surveys.models import Answer, Response

Reasons = list[dict[str, object]]
UNREAD = object()


@dataclass(frozen=True)
class Facts:
    """What the rules may ask about a response."""

    response: Response

    @property
    def tier(self) -> str:
        return self.response.customer.tier if self.response.customer else ""

    @property
    def has_account(self) -> bool:
        return bool(self.response.customer and self.response.customer.account_id)

    @cached_property
    def was_promoter(self) -> bool:
        """Whether the person's answer before this one, on the same line, was high."""
        before = getattr(self.response, "band_before", UNREAD)
        return (band_before(self.response) if before is UNREAD else before) == scoring.PROMOTER


def band_before(response: Response) -> str | None:
    if response.customer_id is None:
        return None
    earlier = Response.objects.counted().filter(
        customer=response.customer_id, survey__line=response.survey.line, answered_at__lt=response.answered_at
    )
    return earlier.order_by("-answered_at").values_list("band", flat=True).first()


def with_facts(responses: QuerySet[Response], rules: list[TriageRule]) -> QuerySet[Response]:
    """With everything these rules ask, in one query, or two where they ask for further answers."""
    earlier = (
        Response.objects.counted()
        .filter(
            customer=OuterRef("customer"),
            survey__line=OuterRef("survey__line"),
            answered_at__lt=OuterRef("answered_at"),
        )
        .order_by("-answered_at")
    )
    found = responses.annotate(band_before=Subquery(earlier.values("band")[:1]))
    found = found.select_related("survey", "customer__account__owner__staff")
    if any(each.field.startswith(ANSWERS) for rule in rules for each in rule.conditions.all()):
        answers = Answer.objects.select_related("question")
        found = found.prefetch_related(Prefetch("answers", answers))
    return found


@dataclass(frozen=True)
class Verdict:
    """The rule that fired, None for the house rule: a low score always opens a ticket."""

    opens: bool
    rule: TriageRule | None = None
    reasons: Reasons = field(default_factory=list)


def judge(facts: Facts, rules: list[TriageRule] | None = None) -> Verdict:
    """The first active rule whose every condition holds; without one, a low score opens a ticket."""
    for rule in active_rules() if rules is None else rules:
        reasons = match(rule, facts)
        if reasons is not None:
            return Verdict(rule.opens_ticket, rule, reasons)
    return Verdict(facts.response.is_low, None, [{"code": "band", "value": facts.response.band}])


def active_rules(*, and_resting: bool = False) -> list[TriageRule]:
    """The rules in their order; with those switched off where `and_resting`."""
    rules = TriageRule.objects.all() if and_resting else TriageRule.objects.filter(active=True)
    related = ("team__supervisor", "team__policy", "team__calendar", "policy", "playbook")
    return list(rules.select_related(*related).prefetch_related("surveys", "conditions").order_by("position"))


def match(rule: TriageRule, facts: Facts) -> Reasons | None:
    """Why the rule fires, one reason per condition that is set; None where one does not hold."""
    reasons = Reasons()
    for code, is_set, does_hold, value in conditions(rule, facts):
        if is_set and not does_hold:
            return None
        if is_set:
            reasons.append({"code": code, "value": value})
    further = match_further(rule, facts.response)
    return None if further is None else reasons + further


def match_further(rule: TriageRule, response: Response) -> Reasons | None:
    """The same of its further conditions; each reason names the field, the comparison and what was found."""
    reasons = Reasons()
    for condition in rule.conditions.all():
        known = field_named(condition.field)
        found = known.read(response) if known else None
        if not holds(condition, found):
            return None
        told: dict[str, object] = {"field": condition.field, "operator": condition.operator}
        reasons.append({"code": "field", **told, "wanted": condition.value, "value": shown(found)})
    return reasons


def conditions(rule: TriageRule, facts: Facts) -> Iterator[tuple[str, bool, bool, object]]:
    """Each condition of a rule: its code, whether it is set, whether it holds, and what was found."""
    response = facts.response
    surveys = {survey.pk for survey in rule.surveys.all()}
    words = [word for word in rule.keyword_list() if word.casefold() in response.comment.casefold()]
    yield "band", bool(rule.bands), response.band in rule.bands, response.band
    yield "survey", bool(surveys), response.survey_id in surveys, response.survey.slug
    yield "touchpoint", bool(rule.touchpoint), same(rule.touchpoint, response.touchpoint), response.touchpoint
    yield "tier", bool(rule.tier), same(rule.tier, facts.tier), facts.tier
    yield "keyword", bool(rule.keyword_list()), bool(words), ", ".join(words)
    wanted, asks = rule.contact_me, response.contact_me
    yield "contact_me", wanted is not None, wanted == asks, asks
    if rule.dropped_from_promoter is not None:
        was = facts.was_promoter
        yield "dropped_from_promoter", True, rule.dropped_from_promoter == was, was
    wanted = rule.account_known
    yield "account_known", wanted is not None, wanted == facts.has_account, facts.has_account


def same(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()
