"""One answer as JSON brings it: all of it understood, or everything that is wrong with it said at once."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, TypeVar

from django.utils.translation import gettext as _

from surveys import scoring
from surveys.intake.answers import check_answers, score_reason
from surveys.intake.drafts import CustomerDraft, ResponseDraft
from surveys.intake.text import (
    LONGEST_COMMENT,
    InputError,
    InputErrors,
    clean_amount,
    clean_email,
    clean_flag,
    clean_line,
    clean_locale,
    clean_phone,
    clean_text,
    clean_time,
    clean_zone,
)
from surveys.models import Source, Survey

FIELDS = frozenset(
    {
        *("survey", "external_id", "customer", "score", "comment", "answers", "touchpoint", "channel"),
        *("submitted_at", "updated_at", "contact_me"),
    }
)
CUSTOMER_FIELDS = frozenset(
    {
        *("external_id", "name", "email", "phone", "locale", "time_zone", "account", "annual_value"),
        *("attributes", "tier"),
    }
)
MOST_ATTRIBUTES = 50

Value = TypeVar("Value")
Errors = list[tuple[str, str]]


def draft_from_json(
    body: Any, *, source: Source, at: datetime, score_optional: bool = False
) -> ResponseDraft:
    """Raise InputErrors with every (path, reason) found. Without `customer` the answer is anonymous: kept."""
    if not isinstance(body, dict):
        raise InputErrors([("", _("A response is an object."))])
    errors = _unknown(body, FIELDS, "")
    survey = _try(errors, _survey, body.get("survey"))
    draft = None
    external_id = _try(errors, _required_line, body.get("external_id"), "external_id")
    customer = _customer(body, errors)
    comment = _try(errors, clean_text, body.get("comment"), "comment", LONGEST_COMMENT)
    touchpoint = _try(errors, clean_line, body.get("touchpoint"), "touchpoint", 100)
    channel = _try(errors, clean_line, body.get("channel"), "channel", 20)
    submitted_at = _try(errors, clean_time, body.get("submitted_at"), "submitted_at", at)
    updated_at = _try(errors, clean_time, body.get("updated_at"), "updated_at", at)
    contact_me = _try(errors, clean_flag, body.get("contact_me"), "contact_me")
    if survey:
        unscored = score_optional and body.get("score") is None
        scale = survey.scale_at(submitted_at or updated_at or at)
        score = None if unscored else _try(errors, _score, body, scale)
        answers = check_answers(survey, body.get("answers"), errors)
        draft = ResponseDraft(
            survey=survey,
            source=source,
            external_id=external_id or "",
            score=score,
            comment=comment or "",
            answers=answers,
            customer=customer,
            touchpoint=touchpoint or "",
            channel=channel or "",
            locale=customer.locale if customer else "",
            submitted_at=submitted_at,
            updated_at=updated_at,
            contact_me=bool(contact_me),
        )
    if errors or draft is None:
        raise InputErrors(errors)
    return draft


def customer_from_json(body: Any, *, path: str = "customer") -> CustomerDraft:
    """Raise InputErrors. A customer needs an external_id, an email or a phone, to be found again."""
    errors: Errors = []
    customer = _customer({path: body}, errors, path)
    if errors or customer is None:
        raise InputErrors(errors or [(path, _("This must be an object."))])
    return customer


def _try(errors: Errors, clean: Callable[..., Value], *given: Any) -> Value | None:
    try:
        return clean(*given)
    except InputError as error:
        errors.append((error.path, error.reason))
        return None


def _unknown(body: dict[Any, Any], known: Collection[str], prefix: str) -> Errors:
    strange = [str(key)[:60] for key in body if key not in known]
    return [(prefix + _printable(key), _("There is no such field.")) for key in strange]


def _printable(key: str) -> str:
    return key.encode("ascii", "backslashreplace").decode() if not key.isprintable() else key


def _survey(value: Any) -> Survey:
    slug = clean_line(value, "survey", 60)
    if not slug:
        raise InputError("survey", _("This is required."))
    survey = Survey.objects.filter(slug=slug).first()
    if survey is None:
        raise InputError("survey", _("There is no survey “%(slug)s”.") % {"slug": slug})
    return survey


def _required_line(value: Any, where: str) -> str:
    line = clean_line(value, where)
    if not line:
        raise InputError(where, _("This is required."))
    return line


def _score(body: dict[str, Any], scale: scoring.Scale) -> int:
    if "score" not in body:
        raise InputError("score", _("This is required."))
    try:
        return scoring.check_score(body["score"], scale)
    except scoring.ScoreError as error:
        raise InputError("score", score_reason(error, scale)) from None


def _customer(body: dict[str, Any], errors: Errors, path: str = "customer") -> CustomerDraft | None:
    given = body.get(path)
    if given is None:
        return None
    if not isinstance(given, dict):
        errors.append((path, _("This must be an object.")))
        return None
    before = len(errors)
    errors += _unknown(given, CUSTOMER_FIELDS, f"{path}.")

    def read(clean: Callable[..., Value], name: str, *more: Any) -> Value | None:
        return _try(errors, clean, given.get(name), f"{path}.{name}", *more)

    draft = CustomerDraft(
        external_id=read(clean_line, "external_id") or "",
        name=read(clean_line, "name") or "",
        email=read(clean_email, "email") or "",
        phone=read(clean_phone, "phone") or "",
        locale=read(clean_locale, "locale") or "",
        time_zone=read(clean_zone, "time_zone") or "",
        account=read(clean_line, "account") or "",
        annual_value=read(clean_amount, "annual_value"),
        attributes=read(_attributes, "attributes") or {},
        tier=read(clean_line, "tier", 40) or "",
    )
    if not draft.identities and len(errors) == before:
        errors.append((path, _("A customer needs an external_id, an email or a phone.")))
    return draft


def _attributes(value: Any, where: str) -> dict[str, Any]:
    """A flat object: text, numbers, true, false or null under at most 50 names."""
    if value is None:
        return {}
    if not isinstance(value, dict) or len(value) > MOST_ATTRIBUTES:
        raise InputError(
            where, _("This must be an object of at most %(most)s names.") % {"most": MOST_ATTRIBUTES}
        )
    return {clean_line(key, where, 60): _attribute(each, where) for key, each in value.items()}


def _attribute(value: Any, where: str) -> Any:
    if isinstance(value, str):
        return clean_text(value, where, 500)
    if value is None or isinstance(value, bool):
        return value
    # JSON itself has neither NaN nor infinity, and PostgreSQL refuses them.
    if isinstance(value, int | float) and abs(value) < 10**15:
        return value
    raise InputError(where, _("Each value must be text, a number, true, false or null."))
