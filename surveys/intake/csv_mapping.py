"""Which column means what: the mapping of a source, checked."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from surveys import scoring
from surveys.intake.csv_file import FileProblem
from surveys.intake.text import InputError, clean_zone

ANSWER_COLUMNS = ("external_id", "score", "comment", "submitted_at", "updated_at", "touchpoint", "locale")
CUSTOMER_COLUMNS = ("customer_external_id", "email", "phone", "name", "account", "annual_value", "tier")
COLUMNS = ANSWER_COLUMNS + CUSTOMER_COLUMNS


@dataclass(frozen=True, slots=True)
class Profile:
    """How the files of one source are read; the words of the mapping, checked."""

    columns: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)
    encoding: str = ""
    delimiter: str = ","
    decimal: str = "."
    date_format: str = ""
    time_zone: str = ""
    blanks: frozenset[str] = scoring.DEFAULT_BLANKS
    customer_prefix: str = ""
    identity: str = "column"
    equal_rows: str = ""
    opens_tickets: bool | None = None


def profile_from_json(given: Any) -> Profile:
    """Raise FileProblem naming the key that is wrong."""
    if not isinstance(given, dict):
        raise FileProblem(_("A mapping is a JSON object."))
    known = set(Profile.__dataclass_fields__) - {"answers"}
    for key in given.keys() - known:
        raise wrong(key, _("there is no such key; there are %(keys)s") % {"keys": ", ".join(sorted(known))})
    columns = dict(_texts(given.get("columns", {}), "columns"))
    answers = _texts(columns.pop("answers", {}), "columns.answers")
    for name, column in columns.items():
        if name not in COLUMNS:
            raise wrong(f"columns.{name}", _("there are %(keys)s, answers") % {"keys": ", ".join(COLUMNS)})
        if not isinstance(column, str):
            raise wrong(f"columns.{name}", _("this must be the heading of a column"))
    return Profile(
        columns=columns,
        answers=answers,
        encoding=_text(given, "encoding", ""),
        delimiter=_one_of(given, "delimiter", {",", ";", "\t", "|"}, ","),
        decimal=_one_of(given, "decimal", {".", ","}, "."),
        date_format=_date_format(given),
        time_zone=_zone(given),
        blanks=_blanks(given.get("blanks", [])),
        customer_prefix=_text(given, "customer_prefix", ""),
        identity=_one_of(given, "identity", {"column", "fingerprint"}, "column"),
        equal_rows=_one_of(given, "equal_rows", {"", "one", "each"}, ""),
        opens_tickets=_flag(given, "opens_tickets"),
    )


def wrong(key: str, why: str) -> FileProblem:
    return FileProblem(_("Mapping, “%(key)s”: %(why)s.") % {"key": key, "why": why})


def _texts(given: Any, key: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise wrong(key, _("this must be an object"))
    return given


def _text(given: dict[str, Any], key: str, fallback: str) -> str:
    value = given.get(key, fallback)
    if not isinstance(value, str):
        raise wrong(key, _("this must be text"))
    return value


def _one_of(given: dict[str, Any], key: str, choices: set[str], fallback: str) -> str:
    value = _text(given, key, fallback)
    if value not in choices:
        shown = ", ".join(json.dumps(each) for each in sorted(choices) if each)
        raise wrong(key, _("this must be one of %(choices)s") % {"choices": shown})
    return value


def _flag(given: dict[str, Any], key: str) -> bool | None:
    value = given.get(key)
    if value is not None and not isinstance(value, bool):
        raise wrong(key, _("this must be true or false"))
    return value


def _date_format(given: dict[str, Any]) -> str:
    pattern = _text(given, "date_format", "")
    if pattern and not re.search(r"%[Ycx]", pattern):
        raise wrong("date_format", _("this lacks the year (%(code)s)") % {"code": "%Y"})
    return pattern


def _zone(given: dict[str, Any]) -> str:
    try:
        return clean_zone(_text(given, "time_zone", ""), "time_zone")
    except InputError as error:
        raise wrong("time_zone", error.reason.rstrip(".")) from None


def _blanks(given: Any) -> frozenset[str]:
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise wrong("blanks", _("this must be a list of words"))
    return scoring.DEFAULT_BLANKS | {each.strip().casefold() for each in given}
