"""Answers to the questions beside the score, checked against what the survey asks."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from surveys import scoring
from surveys.intake.text import LONGEST_COMMENT, InputError, clean_text
from surveys.models import Question, Survey

RATING = scoring.CSAT_1_5
# Their answers have columns of their own.
ELSEWHERE = {Question.SCORE: "score", Question.CONTACT_ME: "contact_me"}


def score_reason(error: scoring.ScoreError, scale: scoring.Scale) -> str:
    """Why a score was refused, to show to the person who sent it."""
    reasons = {
        "boolean": _("True and false are not scores."),
        "text": _("A score is a number, not text."),
        "not_a_number": _("This is not a score."),
        "fraction": _("A score is a whole number."),
        "out_of_scale": _("A score of this survey is a whole number from %(lowest)s to %(highest)s.")
        % {"lowest": scale.lowest, "highest": scale.highest},
    }
    return reasons[error.reason]


def reason_question(questions: Sequence[Question]) -> Question | None:
    """The first open question: its answer is the response's comment."""
    return next((each for each in questions if each.kind == Question.WHY), None)


def check_answers(survey: Survey, given: Any, errors: list[tuple[str, str]]) -> dict[str, Any]:
    """The good answers by question key; each bad one is added to `errors`. None and '' are no answer."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        errors.append(("answers", _("This must be an object of question keys and answers.")))
        return {}
    if not given:
        return {}
    questions = list(survey.questions.all())
    by_key = {each.key: each for each in questions}
    comment = reason_question(questions)
    checked = {}
    for key, value in given.items():
        try:
            answer = _check(by_key.get(str(key)), comment, value, f"answers.{key}"[:100])
        except InputError as error:
            errors.append((error.path, error.reason))
        else:
            if answer != "":
                checked[str(key)] = answer
    return checked


def _check(question: Question | None, comment: Question | None, value: Any, where: str) -> Any:
    if question is None:
        raise InputError(where, _("The survey has no such question."))
    column = "comment" if question == comment else ELSEWHERE.get(question.kind)
    if column:
        raise InputError(where, _("Send this answer as “%(field)s”.") % {"field": column})
    if value is None or value == "":
        return ""
    return check_answer(question, value, where)


def check_answer(question: Question, value: Any, where: str) -> Any:
    """A rating as a whole number from 1 to 5, a choice as its code, or text. Raises InputError."""
    if question.kind == Question.RATING:
        try:
            return scoring.check_score(value, RATING)
        except scoring.ScoreError as error:
            raise InputError(where, score_reason(error, RATING)) from None
    text = clean_text(value, where, LONGEST_COMMENT)
    if question.kind == Question.CHOICE and text not in {code for code, _label in question.choices_in("en")}:
        raise InputError(where, _("This is none of the choices."))
    return text
