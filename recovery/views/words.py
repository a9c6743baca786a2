"""Codes as people say them: why this owner, why this priority, why not asked again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from recovery.models import RuleCondition
from recovery.models.policy import DEADLINE_KINDS, PRIORITIES
from recovery.models.ticket import OUTCOMES
from recovery.rules.fields import field_named
from surveys.models import Response
from surveys.models.fields import CALL_TIMES, CHANNELS, LANGUAGES

Words = str | Promise

# Reasons as the acts keep them; one not listed here is text somebody wrote, shown as it is.
REASONS: Final[dict[str, Words]] = {
    "other_pending": _("another resurvey of this person is still open"),
    "pending_resurvey": _("another resurvey of this person is still open"),
    "unknown_customer": _("it is not known who answered"),
    "no_address": _("there is no e-mail address"),
    "suppressed": _("the address must not be written to"),
    "no_consent": _("they have not agreed to be written to"),
    "survey_inactive": _("the survey is switched off"),
    "cooldown": _("they were asked a short while ago"),
    "expired": _("the time to answer was over"),
    "reopened": _("the ticket was reopened"),
    "answered_elsewhere": _("they answered in another way"),
    "message_dead": _("the message could not be delivered"),
    "message_rejected": _("the mail server refused the message"),
    "invitation_gone": _("the invitation was removed"),
    "still_low": _("the answer was low again"),
    "hold_out_over": _("it would have come too late to count"),
}

BECAUSE: Final[dict[str, Words]] = {
    "account_owner": _("owns the account %(account)s"),
    "least_loaded": _("had the fewest open tickets (%(load)s of %(capacity)s)"),
    "round_robin": _("was next in turn (%(load)s of %(capacity)s)"),
    "skill": _("has the skill “%(skill)s” (%(load)s of %(capacity)s)"),
    "language": _("speaks %(language)s (%(load)s of %(capacity)s)"),
    "skill_and_language": _("has the skill “%(skill)s” and speaks %(language)s (%(load)s of %(capacity)s)"),
    "skill_no_language": _(
        "has the skill “%(skill)s”; nobody with room speaks %(language)s as well (%(load)s of %(capacity)s)"
    ),
    "language_no_skill": _(
        "speaks %(language)s; nobody with room has the skill “%(skill)s” (%(load)s of %(capacity)s)"
    ),
    "no_skill": _(
        "had the fewest open tickets (%(load)s of %(capacity)s); nobody with room has the skill “%(skill)s”"
    ),
    "no_language": _(
        "had the fewest open tickets (%(load)s of %(capacity)s); nobody with room speaks %(language)s"
    ),
    "no_skill_or_language": _(
        "had the fewest open tickets (%(load)s of %(capacity)s); "
        "nobody with room has the skill “%(skill)s” or speaks %(language)s"
    ),
    "supervisor": _("supervises the team; nobody else was available"),
    "supervisor_no_room": _("supervises the team; nobody else had room"),
    "by_hand": _("given by %(by)s"),
    "escalated": _("got it from %(before)s by level %(level)s of the escalation"),
    "handed_over": _("took over from %(before)s, given by %(by)s"),
}

SEVERITY: Final[dict[str, Words]] = {
    "band": _("the score is low (%(value)s)"),
    "survey": _("survey %(value)s"),
    "touchpoint": _("it happened at %(value)s"),
    "tier": _("tier %(value)s"),
    "keyword": _("their words include “%(value)s”"),
    "contact_me": _("they ask to be contacted"),
    "dropped_from_promoter": _("they were a promoter before"),
    "account_known": _("they belong to an account"),
    "repeat_low_score": _("they gave another low score"),
    "complaint": _("they complained (%(value)s)"),
}
# The same where a rule asks that it be not so.
SEVERITY_NOT: Final[dict[str, Words]] = {
    "contact_me": _("they do not ask to be contacted"),
    "dropped_from_promoter": _("they were no promoter before"),
    "account_known": _("they belong to no account"),
}
# A further condition, by its comparison.
COMPARED: Final[dict[str, Words]] = {
    RuleCondition.IS: _("%(field)s: %(value)s"),
    RuleCondition.IS_NOT: _("%(field)s: %(value)s, not %(wanted)s"),
    RuleCondition.CONTAINS: _("%(field)s: %(value)s, with “%(wanted)s” in it"),
    RuleCondition.ABOVE: _("%(field)s: %(value)s, above %(wanted)s"),
    RuleCondition.BELOW: _("%(field)s: %(value)s, below %(wanted)s"),
    RuleCondition.EMPTY: _("%(field)s: nothing"),
    RuleCondition.FILLED: _("%(field)s: %(value)s"),
}

SHORT_PRIORITIES: Final = {1: "P1", 2: "P2", 3: "P3", 4: "P4"}


def name_in(choices: Any, code: object) -> str:
    """The word of a code, or the code itself where the list does not hold it."""
    return str(dict(choices).get(code, code if code is not None else ""))


def band_word(code: object) -> str:
    return name_in(Response.BANDS, code)


def channel_word(code: object) -> str:
    return name_in(CHANNELS, code)


def call_time_word(code: object) -> str:
    return name_in(CALL_TIMES, code)


def outcome_word(code: object) -> str:
    return name_in(OUTCOMES, code)


def kind_word(code: object) -> str:
    return name_in(DEADLINE_KINDS, code)


def priority_word(code: object) -> str:
    return name_in(PRIORITIES, code)


def reason_word(code: object) -> str:
    return str(REASONS.get(str(code), code)) if code else ""


def because_words(reason: Mapping[str, Any]) -> str:
    """Why this person owns the ticket."""
    words = BECAUSE.get(str(reason.get("code")))
    if words is None:
        return ""
    because = fill(words, {**reason, "language": name_in(LANGUAGES, reason.get("language", ""))})
    return (
        fill(_("%(because)s, of those at work now"), {"because": because})
        if reason.get("at_work")
        else because
    )


def severity_words(reasons: list[dict[str, Any]]) -> list[str]:
    """Why the ticket came in with this priority, one line per reason."""
    return [line for line in (severity_line(reason) for reason in reasons) if line]


def severity_line(reason: Mapping[str, Any]) -> str:
    code, value = str(reason.get("code")), reason.get("value", "")
    if code == "field":
        return condition_words(reason)
    words = SEVERITY_NOT.get(code) if value is False else SEVERITY.get(code)
    value = band_word(value) if code == "band" else value
    return fill(words, {**reason, "value": value}) if words else ""


def condition_words(reason: Mapping[str, Any]) -> str:
    """A further condition that held: which field, and what was found in it."""
    name = str(reason.get("field"))
    field = field_named(name)
    words = COMPARED.get(str(reason.get("operator")))
    if field is None or words is None:
        return ""
    found = value_word(name, reason.get("value"))
    return fill(words, {**reason, "field": field.label, "value": found})


def value_word(field: str, value: object) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    choices = {"band": Response.BANDS, "channel": CHANNELS, "customer.language": LANGUAGES}.get(field)
    return (name_in(choices, value) if choices else str(value if value is not None else "")) or "–"


def fill(words: Words, facts: Mapping[str, Any]) -> str:
    """The sentence with its facts; a fact an old event does not hold is a dash."""
    return str(words) % Facts(facts)


class Facts(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "–"


def someone(name: str) -> str:
    return name or gettext("The system")
