"""What a customer sent from the survey page."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from surveys import scoring
from surveys.intake.answers import RATING, check_answer, reason_question, score_reason
from surveys.intake.drafts import ResponseDraft
from surveys.intake.text import InputError, InputErrors, clean_text
from surveys.models import Customer, Invitation, Question, Response, Source
from surveys.models.fields import CALL_TIMES

LONGEST_TEXT = 5_000


def page_source() -> Source:
    return Source.objects.get_or_create(slug="page", defaults={"name": "Survey page", "kind": "page"})[0]


def external_id(invitation: Invitation) -> str:
    return f"invitation:{invitation.pk}"


def field_name(question: Question, questions: Sequence[Question]) -> str:
    """The form field of a question; the first open one is the comment."""
    if question.kind in (Question.SCORE, Question.CONTACT_ME):
        return question.kind
    return "comment" if question == reason_question(questions) else f"a-{question.key}"


def contact_channels(customer: Customer) -> list[str]:
    """The ways we can be in touch, given what we know of this person."""
    channels = ["phone"] if customer.phone else []
    return channels + (["email"] if customer.email else [])


def typed_before(response: Response) -> dict[str, str]:
    """An earlier answer as the form fields it came from."""
    questions = list(response.survey.questions.all())
    typed = {
        "score": "" if response.score is None else str(response.score),
        "comment": response.comment,
        "contact_me": "1" if response.contact_me else "",
        "contact_channel": response.contact_channel,
        "contact_time": response.contact_time,
    }
    answers = response.answers.select_related("question")
    return typed | {field_name(each.question, questions): str(each.value) for each in answers}


def draft_from_page(
    invitation: Invitation,
    questions: Sequence[Question],
    typed: Mapping[str, str],
    *,
    language: str,
    at: datetime,
) -> ResponseDraft:
    """Raise InputErrors whose paths are form fields."""
    errors: list[tuple[str, str]] = []
    answers = {}
    for question in questions:
        name = field_name(question, questions)
        if question.kind == Question.CONTACT_ME:
            continue
        try:
            answers[name] = _answer(question, typed.get(name, ""), name, at)
        except InputError as error:
            errors.append((error.path, error.reason))
    if errors:
        raise InputErrors(errors)
    wanted = bool(typed.get("contact_me"))
    return ResponseDraft(
        survey=invitation.survey,
        source=page_source(),
        external_id=external_id(invitation),
        score=answers["score"],
        comment=answers.get("comment", ""),
        answers={
            each.key: answers[f"a-{each.key}"] for each in questions if answers.get(f"a-{each.key}", "") != ""
        },
        known_customer=invitation.customer,
        invitation=invitation,
        channel="page",
        locale=language,
        contact_me=wanted,
        contact_channel=_one_of(typed, "contact_channel", contact_channels(invitation.customer), wanted),
        contact_time=_one_of(typed, "contact_time", [code for code, _name in CALL_TIMES], wanted),
    )


def _answer(question: Question, text: str, where: str, at: datetime) -> Any:
    if question.kind == Question.SCORE:
        return _score(text, question.survey.scale_at(at))
    written = clean_text(text, where, LONGEST_TEXT)
    if not written or question.kind == Question.WHY:
        return written
    if question.kind == Question.RATING:
        return check_answer(question, _number(written, RATING, where), where)
    return check_answer(question, written, where)


def _score(text: str, scale: scoring.Scale) -> int:
    score = _number(text, scale, "score")
    if score is None:
        raise InputError("score", _("Please choose a score."))
    return score


def _number(text: str, scale: scoring.Scale, where: str) -> int | None:
    try:
        return scoring.read_score(text, scale)
    except scoring.ScoreError as error:
        raise InputError(where, score_reason(error, scale)) from None


def _one_of(typed: Mapping[str, str], name: str, choices: Sequence[str], wanted: bool) -> str:
    value = typed.get(name, "")
    return value if wanted and value in choices else ""
