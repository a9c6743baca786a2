"""The one way an answer enters, whichever door it came through."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from dispatch.failpoints import failpoint
from surveys.intake.customers import find_or_make_customer
from surveys.intake.drafts import CustomerDraft, ResponseDraft
from surveys.intake.signals import responses_recorded
from surveys.models import Answer, Customer, Invitation, Question, Response, ResponseVersion

__all__ = ["Conflict", "CustomerDraft", "Recorded", "ResponseDraft", "find_or_make_customer", "record"]


UNTRIAGED: dict[str, Any] = {"triaged_at": None, "triage_note": {}}


class Conflict(ValueError):
    """The id is taken by another answer that is as new or newer. `is_older`: this one is surely the older."""

    def __init__(self, response: Response, *, is_older: bool) -> None:
        super().__init__(
            _("This id was recorded before with another content. A change needs a newer “updated_at”.")
        )
        self.response = response
        self.is_older = is_older


@dataclass(frozen=True, slots=True)
class Recorded:
    response: Response
    created: bool
    changed: bool


def record(draft: ResponseDraft, *, at: datetime, nudge: bool = True, replace: bool = False) -> Recorded:
    """Record one answer, once.

    The same content under the same id changes nothing. Other content is a new version if its `updated_at` is
    newer, or if `replace` says that what comes last counts; else Conflict. `nudge=False` leaves triage to the
    sweep. A withdrawn answer stays as it is.
    """
    with transaction.atomic():
        recorded = _fold(draft, at, replace)
        if nudge and (recorded.created or recorded.changed):
            pk = recorded.response.pk
            transaction.on_commit(lambda: _announce(pk, at))
    return recorded


def _announce(response_id: int, at: datetime) -> None:
    responses_recorded.send_robust(Response, response_ids=[response_id], at=at)


def _fold(draft: ResponseDraft, at: datetime, replace: bool) -> Recorded:
    response = _find(draft) or _create(draft, at)
    if isinstance(response, Recorded):
        return response
    if response.survey_id != draft.survey.pk:
        raise Conflict(response, is_older=False)
    if response.state == Response.WITHDRAWN:
        return Recorded(response, created=False, changed=False)
    if response.payload_hash == payload_hash(draft):
        _note_version(response, draft)
        return Recorded(response, created=False, changed=False)
    if not (replace or _is_newer(draft, response)):
        raise Conflict(response, is_older=_is_older(draft, response))
    _keep_version(response, at)
    _overwrite(response, draft, at)
    return Recorded(response, created=False, changed=True)


def _find(draft: ResponseDraft) -> Response | None:
    return (
        Response.objects.select_for_update(of=("self",))
        .filter(source=draft.source, external_id=draft.external_id)
        .first()
    )


def _create(draft: ResponseDraft, at: datetime) -> Recorded | Response:
    """A new row, or the row that somebody else has just made under the same id, locked."""
    try:
        with transaction.atomic():
            response = Response.objects.create(
                **_said(draft, at),
                source=draft.source,
                external_id=draft.external_id,
                survey=draft.survey,
                customer=_customer(draft, at),
                invitation=draft.invitation,
                received_at=at,
            )
    except IntegrityError:
        theirs = _find(draft)
        if theirs is None:
            raise
        return theirs
    failpoint("response_inserted")
    _write_answers(response, draft)
    if draft.invitation:
        _close_invitation(draft.invitation, at)
    return Recorded(response, created=True, changed=False)


def _overwrite(response: Response, draft: ResponseDraft, at: datetime) -> None:
    fields = {**_said(draft, at), "customer": _customer(draft, at) or response.customer}
    if response.state == Response.COMPLETE and draft.source.opens_tickets:
        # Also when the score is gone: a ticket may be open for it.
        fields |= UNTRIAGED
    if response.state == Response.TEST:
        fields["state"] = Response.TEST
    for name, value in fields.items():
        setattr(response, name, value)
    response.save(update_fields=list(fields))
    response.answers.all().delete()
    _write_answers(response, draft)


def _said(draft: ResponseDraft, at: datetime) -> dict[str, Any]:
    """The columns that follow from what was said, for a new row and for a new version alike."""
    return {
        "state": Response.UNANSWERED if draft.unanswered else Response.COMPLETE,
        "score": draft.score,
        "band": draft.survey.band(draft.score, draft.answered_at(at)),
        "comment": draft.comment,
        "touchpoint": draft.touchpoint or (draft.invitation.touchpoint if draft.invitation else ""),
        "channel": draft.channel,
        "locale": draft.locale,
        "contact_me": draft.contact_me,
        "contact_channel": draft.contact_channel,
        "contact_time": draft.contact_time,
        "submitted_at": draft.submitted_at,
        "source_updated_at": draft.updated_at,
        "answered_at": draft.answered_at(at),
        "payload_hash": payload_hash(draft),
        **_triage(draft, at),
    }


def _triage(draft: ResponseDraft, at: datetime) -> dict[str, Any]:
    """NULL puts the row before triage; what opens no ticket by its nature is done, and says why."""
    if draft.unanswered:
        return _opens_nothing(at, "unanswered")
    if not draft.source.opens_tickets:
        return _opens_nothing(at, "source_opens_no_tickets")
    return UNTRIAGED


def _opens_nothing(at: datetime, why: str) -> dict[str, Any]:
    return {"triaged_at": at, "triage_note": {"result": "no_ticket", "why": why, "ticket": None}}


def _customer(draft: ResponseDraft, at: datetime) -> Customer | None:
    if draft.known_customer or not draft.customer:
        return draft.known_customer
    return find_or_make_customer(draft.customer, at)


def _is_newer(draft: ResponseDraft, response: Response) -> bool:
    before = response.source_updated_at
    return draft.updated_at is not None and (before is None or draft.updated_at > before)


def _note_version(response: Response, draft: ResponseDraft) -> None:
    """Said again later: what lies between, and arrives after this, is older."""
    if _is_newer(draft, response):
        response.source_updated_at = draft.updated_at
        response.answered_at = draft.answered_at(response.answered_at)
        response.band = draft.survey.band(response.score, response.answered_at)
        response.save(update_fields=["source_updated_at", "answered_at", "band"])


def _is_older(draft: ResponseDraft, response: Response) -> bool:
    before = response.source_updated_at
    return before is not None and (draft.updated_at is None or draft.updated_at < before)


def _keep_version(response: Response, at: datetime) -> None:
    ResponseVersion.objects.create(
        response=response,
        score=response.score,
        band=response.band,
        comment=response.comment,
        answers={each.question.key: each.value for each in response.answers.select_related("question")},
        source_updated_at=response.source_updated_at,
        replaced_at=at,
    )


def _write_answers(response: Response, draft: ResponseDraft) -> None:
    """Raise Question.DoesNotExist for a key the survey does not have: a door checks answers before."""
    if not draft.answers:
        return
    questions = {each.key: each for each in draft.survey.questions.filter(key__in=draft.answers)}
    for key in draft.answers.keys() - questions.keys():
        raise Question.DoesNotExist(key)
    Answer.objects.bulk_create(
        Answer(response=response, question=questions[key], value=value)
        for key, value in draft.answers.items()
    )


def _close_invitation(invitation: Invitation, at: datetime) -> None:
    Invitation.objects.filter(pk=invitation.pk).exclude(state=Invitation.ANSWERED).update(
        state=Invitation.ANSWERED, answered_at=at
    )


def payload_hash(draft: ResponseDraft) -> str:
    """SHA-256 of what was said, apart from its version; equal for equal answers in any notation."""
    said = {
        "score": draft.score,
        "comment": draft.comment,
        "answers": draft.answers,
        "customer": asdict(draft.customer) if draft.customer else None,
        "touchpoint": draft.touchpoint,
        "channel": draft.channel,
        "contact": [draft.contact_me, draft.contact_channel, draft.contact_time],
        "submitted_at": draft.submitted_at,
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()
