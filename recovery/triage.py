"""Drains untriaged responses: which rule fired, ticket or none, and why."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, QuerySet

from recovery import lifecycle
from recovery.lifecycle import Plan
from recovery.lifecycle.lot import ASKED_FOR_CONTACT
from recovery.models import Resurvey, Team, Ticket, TicketResponse, TriageRule
from recovery.models.ticket import CLOSED, RESOLVED
from recovery.rules import Facts, Verdict, active_rules, judge
from surveys import scoring
from surveys.models import Customer, Response

__all__ = ["active_rules", "due_triage", "open_complaint", "plan_for", "triage"]


def due_triage(at: datetime) -> QuerySet[Response]:
    """Responses nobody has looked at, oldest first."""
    return Response.objects.filter(triaged_at=None, received_at__lte=at).order_by("id")


@transaction.atomic
def triage(response_id: int, *, at: datetime, rules: list[TriageRule] | None = None) -> Ticket | None:
    """Decide once what becomes of a response. Returns its ticket, None where there is none.

    Who triages many may bring the rules along (`active_rules()`), read once.
    """
    response = lock_response(response_id)
    if response is None:
        return None
    if response.triaged_at is not None:
        return ticket_of(response)
    ticket, note = decide(response, at, rules)
    response.triaged_at = at
    response.triage_note = {**note, "ticket": ticket.number if ticket else None}
    response.save(update_fields=["triaged_at", "triage_note"])
    return ticket


@transaction.atomic
def open_complaint(response_id: int, *, by: User, at: datetime) -> Ticket:
    """A complaint taken by a colleague always has a ticket: the person's open one, or their resolved one
    reopened, or a new one. With or without a score it is routed as a low answer."""
    response = lock_response(response_id)
    if response is None:
        raise Response.DoesNotExist
    held = ticket_of(response)
    if held is not None:
        return held
    plan = complaint_plan(response)
    ticket, result = complain(response, plan, by, at)
    response.triaged_at = at
    response.triage_note = {"result": result, "reasons": plan.reasons, "ticket": ticket.number}
    response.save(update_fields=["triaged_at", "triage_note"])
    return ticket


def complaint_plan(response: Response) -> Plan:
    as_low = copy(response)
    as_low.band = scoring.DETRACTOR
    found = judge(Facts(as_low))
    reasons = [reason for reason in found.reasons if reason["code"] != "band"]
    return plan_for(replace(found, reasons=[{"code": "complaint", "value": response.channel}, *reasons]))


def complain(response: Response, plan: Plan, by: User, at: datetime) -> tuple[Ticket, str]:
    mine = Ticket.objects.filter(customer=response.customer, line=response.survey.line).exclude(status=CLOSED)
    ticket = mine.select_for_update().first() if response.customer else None
    if ticket is None:
        return lifecycle.open_ticket(response, plan, at=at, by=by), "opened"
    if ticket.status == RESOLVED:
        ticket = lifecycle.reopen(ticket, by=by, at=at, reason=response.comment)
    return lifecycle.absorb(ticket, response, plan, at=at), "absorbed"


def lock_response(response_id: int) -> Response | None:
    """The response, locked with its customer: two answers of one person are decided one by one.

    `no_key`: whoever writes another answer of that person down meanwhile need not wait for this.
    """
    Response.objects.select_for_update().only("pk").filter(pk=response_id).first()
    person = Customer.objects.filter(responses=response_id).only("pk")
    person.select_for_update(of=("self",), no_key=True).first()
    related = ("survey", "customer__account__owner", "invitation")
    return Response.objects.select_related(*related).filter(pk=response_id).first()


def ticket_of(response: Response) -> Ticket | None:
    link = TicketResponse.objects.select_related("ticket").filter(response=response).first()
    return link.ticket if link else None


def decide(
    response: Response, at: datetime, rules: list[TriageRule] | None
) -> tuple[Ticket | None, dict[str, object]]:
    held = TicketResponse.objects.select_related("ticket").filter(response=response).first()
    if held is not None:
        return answer_changed(held, response, at), {"result": "updated"}
    if response.state != Response.COMPLETE or response.score is None:
        return None, {"result": "no_ticket", "why": response.state}
    asked_by_lot = lifecycle.hear_drawn(response, at=at)
    resolved = awaiting_outcome(response) or closed_unanswered(response)
    if resolved is not None:
        return lifecycle.record_outcome(resolved, response, at=at), {"result": "outcome"}
    verdict = judge(Facts(response), rules)
    note: dict[str, object] = {
        "rule": verdict.rule.name if verdict.rule else None,
        "reasons": verdict.reasons,
        "result": "no_ticket",
    }
    if not verdict.opens:
        wake(response, at)
        return None, note
    plan = plan_for(verdict)
    open_already = open_ticket_of(response)
    if open_already is not None:
        return lifecycle.absorb(open_already, response, plan, at=at), {**note, "result": "absorbed"}
    if asked_by_lot is not None and response.is_low and asked_by_lot.merged_into_id is None:
        return lifecycle.begin_anew(asked_by_lot, response, at=at), {**note, "result": "outcome"}
    return lifecycle.open_ticket(response, plan, at=at), {**note, "result": "opened"}


def wake(response: Response, at: datetime) -> None:
    """Whoever asks to be contacted waits no longer, though this answer opens nothing."""
    waiting = open_ticket_of(response) if response.contact_me else None
    if waiting is not None:
        lifecycle.follow_up_early(waiting, at=at, why=ASKED_FOR_CONTACT)


def answer_changed(held: TicketResponse, response: Response, at: datetime) -> Ticket:
    """A changed answer is noted; one turned low again after the loop had closed begins the next cycle."""
    earlier = response.versions.last()
    before = {"score": earlier.score, "band": earlier.band, "comment": earlier.comment} if earlier else {}
    ticket = lifecycle.update_answer(held.ticket, response, at=at, before=before)
    is_last_outcome = held.role == TicketResponse.OUTCOME and held.cycle == ticket.cycle
    if response.is_low and is_last_outcome and ticket.status == CLOSED and not open_elsewhere(ticket):
        return lifecycle.record_outcome(ticket, response, at=at)
    return ticket


def open_elsewhere(ticket: Ticket) -> bool:
    others = Ticket.objects.filter(customer=ticket.customer_id, line=ticket.line).exclude(status=CLOSED)
    return others.exclude(pk=ticket.pk).exists()


def awaiting_outcome(response: Response) -> Ticket | None:
    """The resolved ticket this answer is the outcome of: asked or not, it is the person's next answer."""
    if response.customer is None:
        return None
    return Ticket.objects.filter(
        customer=response.customer,
        line=response.survey.line,
        status=RESOLVED,
        resolved_at__lte=response.answered_at,
        resurveys__state__in=[Resurvey.PLANNED, Resurvey.HELD, Resurvey.ASKED],
    ).first()


def closed_unanswered(response: Response) -> Ticket | None:
    """The closed ticket whose question this answers after all: its message was sent again by hand, or the
    answer lay here while its time ran out."""
    if response.invitation is None:
        return None
    asked = Resurvey.objects.filter(
        invitation=response.invitation,
        outcome__in=["no_answer", "not_asked"],
        cycle=F("ticket__cycle"),
        ticket__status=CLOSED,
    )
    resurvey = asked.select_related("ticket").first()
    return resurvey.ticket if resurvey and not open_elsewhere(resurvey.ticket) else None


def open_ticket_of(response: Response) -> Ticket | None:
    if response.customer is None:
        return None
    tickets = Ticket.objects.filter(customer=response.customer, line=response.survey.line)
    return tickets.exclude(status=CLOSED).first()


def plan_for(verdict: Verdict, fallback: Team | None = None) -> Plan:
    """What the rule says; the fallback team where it names none, and a playbook only while it is in use."""
    rule = verdict.rule
    team = rule.team if rule and rule.team else fallback or fallback_team()
    policy = rule.policy if rule and rule.policy else team.policy
    return Plan(
        team=team,
        policy=policy,
        priority=rule.priority if rule else 3,
        reasons=verdict.reasons,
        rule=rule,
        playbook=rule.playbook if rule and rule.playbook and rule.playbook.active else None,
        skill=rule.skill if rule else "",
    )


def fallback_team() -> Team:
    """The team that gets what no rule claims. Raises Team.DoesNotExist where none is set up at all."""
    teams = Team.objects.select_related("policy", "calendar", "supervisor").order_by("-is_fallback", "pk")
    team = teams.first()
    if team is None:
        raise Team.DoesNotExist("There is no team yet: add one, and mark it as the fallback.")
    return team
