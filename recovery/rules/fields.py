"""What a further condition may ask: every field of an answer, its customer and their account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from recovery.models import RuleCondition
from surveys.models import Account, Customer, Question, Response

TEXT, NUMBER, YES_NO, LANGUAGE = "text", "number", "yes_no", "language"
ANSWERS, ATTRIBUTES = "answers.", "customer.attributes."
YES, NO = frozenset({"yes", "true", "1", "是"}), frozenset({"no", "false", "0", "否"})


@dataclass(frozen=True)
class Field:
    """`read` finds its value in an answer: None, '' or an empty list where there is none."""

    label: str | Promise
    read: Callable[[Response], Any]
    kind: str = TEXT


def of_customer(name: str) -> Callable[[Response], Any]:
    def read(response: Response) -> Any:
        customer: Customer | None = response.customer
        return getattr(customer, name) if customer else None

    return read


def account_of(response: Response) -> Account | None:
    return response.customer.account if response.customer else None


def account_name(response: Response) -> Any:
    account = account_of(response)
    return account.name if account else None


def account_owner(response: Response) -> Any:
    """By either of their names."""
    account = account_of(response)
    owner = account.owner if account else None
    return [owner.get_username(), owner.get_full_name()] if owner else None


FIELDS: Final[dict[str, Field]] = {
    "score": Field(_("score"), lambda response: response.score, NUMBER),
    "band": Field(_("band"), lambda response: response.band),
    "survey": Field(_("survey"), lambda response: response.survey.slug),
    "comment": Field(_("comment"), lambda response: response.comment),
    "touchpoint": Field(_("touchpoint"), lambda response: response.touchpoint),
    "channel": Field(_("channel"), lambda response: response.channel),
    "language": Field(_("language of the answer"), lambda response: response.locale, LANGUAGE),
    "contact_me": Field(_("asks to be contacted"), lambda response: response.contact_me, YES_NO),
    "customer.name": Field(_("customer’s name"), of_customer("name")),
    "customer.tier": Field(_("customer’s tier"), of_customer("tier")),
    "customer.annual_value": Field(_("customer’s annual value"), of_customer("annual_value"), NUMBER),
    "customer.language": Field(_("customer’s language"), of_customer("locale"), LANGUAGE),
    "customer.time_zone": Field(_("customer’s time zone"), of_customer("time_zone")),
    "account.name": Field(_("account"), account_name),
    "account.owner": Field(_("owner of the account"), account_owner),
}


def field_named(name: str) -> Field | None:
    """The field of this name; any attribute of a customer, and the answer to any question, are fields too."""
    if name.startswith(ATTRIBUTES) and len(name) > len(ATTRIBUTES):
        key = name.removeprefix(ATTRIBUTES)
        return Field(key, lambda response: attributes_of(response).get(key), kind="")
    if name.startswith(ANSWERS) and len(name) > len(ANSWERS):
        key = name.removeprefix(ANSWERS)
        return Field(key, lambda response: answers_of(response).get(key), kind="")
    return FIELDS.get(name)


def attributes_of(response: Response) -> dict[str, Any]:
    found = response.customer.attributes if response.customer else {}
    return found if isinstance(found, dict) else {}


def answers_of(response: Response) -> dict[str, Any]:
    """What was answered to the further questions, by their keys; read once for an answer in hand."""
    known: dict[str, Any] | None = response.__dict__.get("_answers_by_key")
    if known is None:
        known = {each.question.key: each.value for each in answers_with_questions(response)}
        response.__dict__["_answers_by_key"] = known
    return known


def answers_with_questions(response: Response) -> Any:
    if "answers" in getattr(response, "_prefetched_objects_cache", {}):
        return response.answers.all()
    return response.answers.select_related("question")


def known_fields() -> list[str]:
    """Every field by name, questions by their keys; `customer.attributes.` takes any name behind it."""
    asked = Question.objects.filter(kind__in=[Question.RATING, Question.CHOICE])
    keys = asked.order_by("key").values_list("key", flat=True).distinct()
    return [*FIELDS, *(f"{ANSWERS}{key}" for key in keys), f"{ATTRIBUTES}…"]


def check(name: str, operator: str, value: str) -> None:
    """Raises ValidationError, by form field, where a condition could never be asked."""
    field = field_named(name)
    if field is None or (name.startswith(ANSWERS) and name not in known_fields()):
        words = _("There is no such field. There are: %(fields)s.")
        raise ValidationError({"field": words % {"fields": ", ".join(known_fields())}})
    if operator in (RuleCondition.EMPTY, RuleCondition.FILLED):
        if value.strip():
            raise ValidationError({"value": _("Nothing is compared here: leave the value empty.")})
        return
    values = values_of(value)
    if not values:
        raise ValidationError({"value": _("Say with what it is compared.")})
    if operator in (RuleCondition.ABOVE, RuleCondition.BELOW):
        check_order(field, values)
    elif field.kind == NUMBER and operator != RuleCondition.CONTAINS:
        refuse_unless_numbers(values)
    elif field.kind == YES_NO and not all(each.casefold() in YES | NO for each in values):
        raise ValidationError({"value": _("Write yes or no.")})
    elif name == "band" and not set(values) <= set(dict(Response.BANDS)):
        words = _("There are these bands: %(bands)s.")
        raise ValidationError({"value": words % {"bands": ", ".join(dict(Response.BANDS))}})


def check_order(field: Field, values: list[str]) -> None:
    if field.kind not in (NUMBER, ""):
        raise ValidationError({"operator": _("Only a number is above or below another.")})
    if len(values) > 1:
        raise ValidationError({"value": _("Write one number.")})
    refuse_unless_numbers(values)


def refuse_unless_numbers(values: list[str]) -> None:
    if any(number(each) is None for each in values):
        raise ValidationError({"value": _("Write a number, such as 6 or 12000.")})


def values_of(value: str) -> list[str]:
    return [each.strip() for each in value.replace("，", ",").split(",") if each.strip()]


def number(value: object) -> Decimal | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        found = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def holds(condition: RuleCondition, found: Any) -> bool:
    """Whether the condition holds for what was found."""
    field = field_named(condition.field)
    if field is None:
        return False  # a field of an earlier time: nothing can be said of it
    operator, several = condition.operator, found if isinstance(found, list) else [found]
    there = [each for each in several if each not in (None, "")]
    if operator in (RuleCondition.EMPTY, RuleCondition.FILLED):
        return bool(there) == (operator == RuleCondition.FILLED)
    wanted = values_of(condition.value)
    if operator in (RuleCondition.ABOVE, RuleCondition.BELOW):
        return any(is_beyond(operator, each, wanted) for each in there)
    if operator == RuleCondition.CONTAINS:
        return any(one.casefold() in str(each).casefold() for one in wanted for each in there)
    same = any(is_same(field, each, one) for one in wanted for each in there)
    return same == (operator == RuleCondition.IS)


def is_beyond(operator: str, found: Any, wanted: list[str]) -> bool:
    value, limit = number(found), number(wanted[0]) if wanted else None
    if value is None or limit is None:
        return False
    return value > limit if operator == RuleCondition.ABOVE else value < limit


def is_same(field: Field, found: Any, wanted: str) -> bool:
    if isinstance(found, bool):
        return wanted.casefold() in (YES if found else NO)
    one, other = str(found).strip().casefold(), wanted.casefold()
    if field.kind == LANGUAGE:
        return one == other or one.startswith(f"{other}-")
    if field.kind in (NUMBER, "") and number(found) is not None and number(wanted) is not None:
        return number(found) == number(wanted)
    return one == other


def shown(found: Any) -> object:
    """What was found, as it is kept with the reason: JSON, and no longer than a line."""
    if isinstance(found, list):
        return ", ".join(str(each) for each in found)[:200]
    if isinstance(found, bool | int) or found is None:
        return found
    return f"{found.normalize():f}" if isinstance(found, Decimal) else str(found)[:200]
