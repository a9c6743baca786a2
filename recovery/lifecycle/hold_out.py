"""A hold-out: planned, begun on purpose, drawn by lot when a low score opens a ticket, ended at its size.

Who is followed up later is decided by a keyed hash of the ticket's number and by nothing else; who is spared
is decided before, by what is known when the ticket is opened.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from recovery.lifecycle import lot
from recovery.lifecycle.act import acting, name_of
from recovery.lifecycle.clock import iso, recompute, resume
from recovery.lifecycle.hold_out_asking import plan_question
from recovery.lifecycle.table import Refused
from recovery.models import HoldOut, HoldOutDraw, Ticket, TicketEvent, Wait
from recovery.models.ticket import WAITING
from surveys import invitations
from surveys.estimates import sample_sizes
from surveys.models import Customer, Invitation, Response
from surveys.scoring import DETRACTOR

# Why it ended by itself.
FULL: Final = "full"

# Why a low score was followed up at once whatever the lot would have said.
COMPLAINT, ASKED_FOR_CONTACT, URGENT, SEVERE = "complaint", "asked_for_contact", "urgent", "severe"
VALUABLE, TIER, DRAWN_BEFORE, UNKNOWN = "valuable", "tier", "drawn_before", "unknown_customer"
SEVERE_REASONS: Final = ("keyword", "dropped_from_promoter", "repeat_low_score")

# How far back the rate of low scores is looked at.
LOOKED_BACK: Final = timedelta(days=90)


# --- its size, and how long that takes ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HoldOutPlan:
    """How many it takes on each side, drawn and answered; `weeks` at the present rate, None without one."""

    later: int
    now: int
    later_answers: int
    now_answers: int
    a_week: float

    @property
    def low_scores(self) -> int:
        return self.later + self.now

    @property
    def weeks(self) -> int | None:
        return math.ceil(self.low_scores / self.a_week) if self.a_week else None


def plan_of(hold_out: HoldOut, at: datetime) -> HoldOutPlan:
    """Raises Refused where no size could show the difference."""
    expected, difference = hold_out.expected_recovered / 100, hold_out.difference / 100
    if hold_out.expected_recovered + hold_out.difference >= 100:
        raise Refused(
            "difference_too_large",
            _("More than all cannot recover: make the difference or the expected share smaller."),
            field="difference",
        )
    answers = sample_sizes(
        expected, expected + difference, share=hold_out.share / 100, power=hold_out.power / 100
    )
    return HoldOutPlan(
        later=to_draw(answers.first, hold_out.expected_response),
        now=to_draw(answers.second, hold_out.expected_response),
        later_answers=answers.first,
        now_answers=answers.second,
        a_week=eligible_a_week(hold_out, at),
    )


def to_draw(answers: int, response: int) -> int:
    """So many that `response` per cent of them are `answers`, rounded up."""
    return -(-answers * 100 // response)


def eligible_a_week(hold_out: HoldOut, at: datetime) -> float:
    """Low scores of the survey a week, of late, as far as their tickets say that they would be drawn."""
    urgent = TicketEvent.objects.filter(
        ticket=OuterRef("pk"), version=1, kind="opened", data__priority__lte=hold_out.spared_priority
    )
    spared = Exists(urgent) | Q(customer=None)
    if hold_out.spared_value is not None:
        spared |= Q(customer__annual_value__gte=hold_out.spared_value)
    if hold_out.spared_tiers:
        spared |= Q(customer__tier__in=hold_out.spared_tiers)
    opened = Ticket.objects.filter(
        response__survey=hold_out.survey_id,
        response__band=DETRACTOR,
        opened_at__gt=at - LOOKED_BACK,
        opened_at__lte=at,
    )
    return opened.exclude(spared).count() * 7 / LOOKED_BACK.days


# --- begun and ended ------------------------------------------------------------------------------------


@transaction.atomic
def start(hold_out: HoldOut, *, by: User, at: datetime, key: str = "") -> HoldOut:
    """From now on its plan and its key are fixed, and low scores of its survey are drawn. Raises Refused.

    Nobody can know the key before, but a simulation that brings its own to draw the same again.
    """
    row = HoldOut.objects.select_for_update(of=("self",)).select_related("survey").get(pk=hold_out.pk)
    if row.state != HoldOut.DRAFT:
        raise Refused("not_a_draft", _("It has begun already: its plan stays as it is."))
    if not row.survey.active:
        raise Refused("survey_inactive", _("Its survey is switched off."), field="survey")
    if HoldOut.objects.filter(survey=row.survey, state=HoldOut.RUNNING).exists():
        raise Refused("another_runs", _("Another hold-out of this survey is running."), field="survey")
    plan = plan_of(row, at)
    row.key = key or secrets.token_hex(32)
    row.planned_later, row.planned_now = plan.later, plan.now
    row.answer_days = row.survey.answer_days
    row.state, row.started_at, row.started_by = HoldOut.RUNNING, at, name_of(by)
    row.save()
    return row


@transaction.atomic
def end(hold_out: HoldOut, *, by: User | None, at: datetime, why: str) -> HoldOut:
    """No more draws. Who was drawn stays on their side, and is still asked. `by` None: it is full."""
    if not why.strip():
        raise Refused("reason_missing", _("Say why it ends before its size is reached."), field="why")
    row = HoldOut.objects.select_for_update(no_key=True).get(pk=hold_out.pk)
    if row.state != HoldOut.RUNNING:
        raise Refused("not_running", _("It is not running."))
    row.state, row.ended_at, row.ended_why = HoldOut.ENDED, at, why.strip()[:300]
    row.save(update_fields=["state", "ended_at", "ended_why"])
    return row


# --- drawn ----------------------------------------------------------------------------------------------


def fraction_of(key: str, number: str) -> float:
    """Where a ticket falls between 0 and 1: HMAC-SHA256 of its number, evenly spread, the same for ever."""
    digest = hmac.new(key.encode(), number.encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def side_of(hold_out: HoldOut, number: str) -> str:
    is_later = fraction_of(hold_out.key, number) < hold_out.share / 100
    return HoldOutDraw.LATER if is_later else HoldOutDraw.NOW


def draw(ticket: Ticket, response: Response, *, at: datetime) -> Ticket:
    """The side of a ticket that a low score has just opened, where a hold-out of the survey runs.

    Part of the opening, in its transaction. Who is followed up later waits, with the clock standing.
    """
    if not response.is_low:
        return ticket
    running = HoldOut.objects.filter(survey=response.survey_id, state=HoldOut.RUNNING).first()
    if running is None:
        return ticket
    why = why_spared(running, ticket, response, at)
    if why:
        HoldOutDraw.objects.create(hold_out=running, ticket=ticket, side=HoldOutDraw.SPARED, why=why, at=at)
        return ticket
    if side_of(running, ticket.number) == HoldOutDraw.NOW:
        plan_question(drawn(running, ticket, HoldOutDraw.NOW, at))
        return ticket
    return follow_up_later(running, ticket, at)


def drawn(hold_out: HoldOut, ticket: Ticket, side: str, at: datetime) -> HoldOutDraw:
    return HoldOutDraw.objects.create(
        hold_out=hold_out, ticket=ticket, side=side, at=at, ask_at=at + timedelta(days=hold_out.days)
    )


def follow_up_later(running: HoldOut, ticket: Ticket, at: datetime) -> Ticket:
    """One at a time, so that no more are taken than were planned; the last one ends it."""
    rows = HoldOut.objects.select_for_update(no_key=True)  # draws for the other side need not wait
    locked = rows.filter(pk=running.pk, state=HoldOut.RUNNING).first()
    if locked is None:
        return ticket
    row = drawn(locked, ticket, HoldOutDraw.LATER, at)
    plan_question(row)
    assert row.ask_at is not None
    until = row.ask_at + locked.answer_window
    with acting(ticket, "wait", by=None, at=at) as change:
        Wait.objects.create(
            ticket=change.ticket, cycle=ticket.cycle, starts_at=at, resume_at=until, reason=lot.BY_LOT
        )
        change.set(status=WAITING)
        moved = recompute(change)
        change.tell("held_out", hold_out=locked.name, until=iso(until), deadlines=moved)
    if locked.draws.filter(side=HoldOutDraw.LATER).count() >= (locked.planned_later or 0):
        end(locked, by=None, at=at, why=FULL)
    return change.ticket


def why_spared(hold_out: HoldOut, ticket: Ticket, response: Response, at: datetime) -> str:
    """The code of what keeps a ticket out of the lot, '' if nothing does."""
    reasons = [reason for reason in ticket.severity_reasons if reason.get("value") is not False]
    codes = {str(reason.get("code")) for reason in reasons}
    customer = ticket.customer
    if "complaint" in codes:
        return COMPLAINT
    if response.contact_me:
        return ASKED_FOR_CONTACT
    if ticket.priority <= hold_out.spared_priority:
        return URGENT
    if codes & set(SEVERE_REASONS):
        return SEVERE
    return why_spared_person(hold_out, customer, response, at) if customer else UNKNOWN


def why_spared_person(hold_out: HoldOut, customer: Customer, response: Response, at: datetime) -> str:
    value = customer.annual_value
    if hold_out.spared_value is not None and value is not None and value >= hold_out.spared_value:
        return VALUABLE
    if customer.tier.strip().casefold() in {str(tier).strip().casefold() for tier in hold_out.spared_tiers}:
        return TIER
    ask_at = at + timedelta(days=hold_out.days)
    verdict = invitations.may_ask(customer, response.survey, at=ask_at, purpose=Invitation.RESURVEY)
    if not verdict.allowed and verdict.earliest is None:
        return verdict.reason
    earlier = HoldOutDraw.objects.filter(ticket__customer=customer).exclude(side=HoldOutDraw.SPARED)
    return DRAWN_BEFORE if earlier.exists() else ""


# --- followed up early ----------------------------------------------------------------------------------


def follow_up_early(ticket: Ticket, *, at: datetime, why: str) -> Ticket:
    """The customer came forward: what waits by lot waits no longer. Its side stays as it was drawn."""
    if lot.lot_wait(ticket) is None:
        return ticket
    return resume(ticket, by=None, at=at, early=why)
