"""Who may be asked, when, and the reason when not."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from surveys.messages import consent, is_suppressed, make_link, queue_message, rules
from surveys.models import Customer, Invitation, PublicLink, Question, Survey

RESURVEY_GAP = timedelta(hours=24)
# An answer about something long past is about memory, not about what happened.
TOO_LATE = timedelta(days=7)

NO_ADDRESS, SUPPRESSED, SURVEY_INACTIVE = "no_address", "suppressed", "survey_inactive"
COOLDOWN, PENDING_RESURVEY = "cooldown", "pending_resurvey"
NO_CONSENT = "no_consent"
INVITATION_TOO_LATE = "too_late"


@dataclass(frozen=True, slots=True)
class Verdict:
    """May this person be asked? If not: the reason's code, and from when on if waiting helps."""

    allowed: bool
    reason: str = ""
    earliest: datetime | None = None


def may_ask(
    customer: Customer,
    survey: Survey,
    *,
    at: datetime,
    purpose: str,
    besides: Invitation | None = None,
) -> Verdict:
    """`besides` is the invitation in question itself, which does not stand in its own way."""
    if not survey.active:
        return Verdict(False, SURVEY_INACTIVE)
    if not customer.email:
        return Verdict(False, NO_ADDRESS)
    if is_suppressed(customer.email):
        return Verdict(False, SUPPRESSED)
    if consent.is_missing(customer, required=rules.current().consent_required):
        return Verdict(False, NO_CONSENT)
    others = customer.invitations.exclude(pk=besides.pk) if besides else customer.invitations.all()
    pending = others.filter(purpose=Invitation.RESURVEY, state__in=Invitation.PENDING).first()
    if pending:
        return Verdict(False, PENDING_RESURVEY, _end_of(pending, at))
    earliest = (
        _end_of_gap(others.filter(survey=survey))
        if purpose == Invitation.RESURVEY
        else _end_of_cooldown(others.filter(survey__line=survey.line), survey)
    )
    return Verdict(False, COOLDOWN, earliest) if earliest and at < earliest else Verdict(True)


def _end_of(pending: Invitation, at: datetime) -> datetime:
    """When a pending resurvey will be out of the way, as far as can be known."""
    if pending.expires_at and pending.expires_at > at:
        return pending.expires_at
    return max(pending.send_at, at) + timedelta(days=1)


def _end_of_gap(asked: Any) -> datetime | None:
    last = asked.filter(state=Invitation.SENT).order_by("-sent_at").first()
    return last.sent_at + RESURVEY_GAP if last else None


def _end_of_cooldown(asked: Any, survey: Survey) -> datetime | None:
    # One that could not be handed over was never heard: it does not count as an ask.
    reached = asked.filter(Q(sent_at__isnull=False) & ~Q(state=Invitation.CANCELLED))
    last = reached.order_by("-sent_at").first()
    return last.sent_at + timedelta(days=survey.cooldown_days) if last else None


def ask(
    customer: Customer,
    survey: Survey,
    *,
    at: datetime,
    purpose: str,
    touchpoint: str = "",
    alike: bool = False,
    answer_days: int | None = None,
) -> Invitation | Verdict:
    """Ask now: the invitation sent, its link made and its message queued in one transaction; or why not.

    `alike`: in the words everybody is asked in, which say nothing of what was done meanwhile.
    `answer_days`: where it is to stay open longer, or shorter, than the survey gives today.
    """
    with transaction.atomic():
        _lock(customer)
        verdict = may_ask(customer, survey, at=at, purpose=purpose)
        if not verdict.allowed:
            return verdict
        invitation = Invitation.objects.create(
            survey=survey,
            customer=customer,
            purpose=purpose,
            touchpoint=touchpoint,
            send_at=at,
            created_at=at,
        )
        _send(invitation, at, alike=alike, answer_days=answer_days)
        return invitation


def invite(
    customer: Customer, survey: Survey, *, send_at: datetime, at: datetime, touchpoint: str = ""
) -> Invitation:
    """Plan to ask; whether it is allowed is judged when it is due."""
    return Invitation.objects.create(
        survey=survey, customer=customer, touchpoint=touchpoint, send_at=send_at, created_at=at
    )


def due_invitations(at: datetime) -> QuerySet[Invitation]:
    due = Invitation.objects.filter(state__in=Invitation.UNSENT, send_at__lte=at)
    return due.order_by("send_at", "id")


def send_invitation(invitation_id: int, at: datetime) -> None:
    """Ask as planned, hold until it is allowed, or cancel when waiting does not help or it is too late."""
    with transaction.atomic():
        _lock(Customer.objects.get(invitations=invitation_id))
        invitation = _still(invitation_id, Invitation.UNSENT)
        if invitation is None or invitation.send_at > at:
            return
        verdict = _judge(invitation, at)
        if verdict.allowed:
            _send(invitation, at)
        else:
            _hold_or_cancel(invitation, verdict)


def _judge(invitation: Invitation, at: datetime) -> Verdict:
    if at - invitation.send_at > TOO_LATE:
        return Verdict(False, INVITATION_TOO_LATE)
    return may_ask(
        invitation.customer, invitation.survey, at=at, purpose=invitation.purpose, besides=invitation
    )


def due_expiries(at: datetime) -> QuerySet[Invitation]:
    over = Invitation.objects.filter(state=Invitation.SENT, expires_at__lte=at)
    return over.order_by("expires_at", "id")


def expire_invitation(invitation_id: int, at: datetime) -> None:
    over = Invitation.objects.filter(pk=invitation_id, state=Invitation.SENT, expires_at__lte=at)
    over.update(state=Invitation.EXPIRED)


def _lock(customer: Customer) -> None:
    """Two asks of one person at once would each find the other missing."""
    Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)


def _still(invitation_id: int, states: tuple[str, ...]) -> Invitation | None:
    rows = Invitation.objects.select_for_update(of=("self",)).select_related("customer", "survey")
    return rows.filter(pk=invitation_id, state__in=states).first()


def _hold_or_cancel(invitation: Invitation, verdict: Verdict) -> None:
    invitation.reason = verdict.reason
    invitation.state = Invitation.HELD if verdict.earliest else Invitation.CANCELLED
    invitation.send_at = verdict.earliest or invitation.send_at
    invitation.save(update_fields=["state", "reason", "send_at"])


def _send(
    invitation: Invitation, at: datetime, *, alike: bool = False, answer_days: int | None = None
) -> None:
    expires_at = at + timedelta(days=answer_days or invitation.survey.answer_days)
    invitation.state, invitation.reason = Invitation.SENT, ""
    invitation.sent_at, invitation.expires_at = at, expires_at
    invitation.save(update_fields=["state", "reason", "sent_at", "expires_at"])
    customer = invitation.customer
    queue_message(
        dedup_key=f"invitation:{invitation.pk}",
        kind="invitation" if alike or invitation.purpose == Invitation.SURVEY else "resurvey_invitation",
        to_address=customer.email,
        to_name=customer.name,
        locale=customer.locale,
        context=_words(invitation, at, expires_at),
        at=at,
        customer=customer,
        invitation=invitation,
        not_after=expires_at,
    )


def _words(invitation: Invitation, at: datetime, expires_at: datetime) -> dict[str, Any]:
    """What the invitation's templates show: the score question and a link for each score."""
    survey, language = invitation.survey, invitation.customer.locale
    url = make_link(
        PublicLink.SURVEY,
        at=at,
        expires_at=expires_at,
        invitation=invitation,
        customer=invitation.customer,
    )
    question = survey.questions.filter(kind=Question.SCORE).first()
    return {
        "survey": survey.title(language),
        "touchpoint": invitation.touchpoint,
        "question": question.wording("text", language) if question else survey.title(language),
        "low_label": question.wording("low_label", language) if question else "",
        "high_label": question.wording("high_label", language) if question else "",
        "points": [(score, f"{url}?score={score}") for score in range(survey.lowest, survey.highest + 1)],
        "survey_url": url,
        "expires_at": expires_at,
    }
