"""The figure by branch, tier, language or whatever else tells answers apart; and two of them side by side."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from recovery.views import door
from recovery.views import insight_survey_words as words
from surveys.models import Question
from surveys.models.fields import CHANNELS, LANGUAGES
from surveys.results import Breakdown, Part, Results, attributes_of, breakdown_of, choices_of, compared
from surveys.results.parts import (
    ACCOUNT,
    ATTRIBUTE,
    CHANNEL,
    CHOICE,
    LANGUAGE,
    TIER,
    TOUCHPOINT,
    accounts_named,
)

GROUPINGS: dict[str, Promise] = {
    TOUCHPOINT: gettext_lazy("by touchpoint"),
    CHANNEL: gettext_lazy("by channel"),
    LANGUAGE: gettext_lazy("by language"),
    TIER: gettext_lazy("by tier"),
    ACCOUNT: gettext_lazy("by account"),
}
# A table is for reading; the file has every row.
MOST_ROWS = 40
# In an address, the group of answers that name none: an empty value would choose nothing.
NO_NAME = "-"


@dataclass(frozen=True)
class Grouping:
    code: str
    name: str
    chosen: bool


@dataclass(frozen=True)
class Row:
    name: str
    part: Part
    text: str
    difference: str


@dataclass(frozen=True)
class PartsShown:
    by: str
    groupings: list[Grouping]
    sentence: str
    ranked: list[Row]
    small: list[Row]
    left_out: int
    names: list[tuple[str, str]]
    one: str
    other: str
    two: str


def parts_shown(results: Results, request: HttpRequest) -> PartsShown:
    """Four queries: the attributes and the choices there are, the parts, and the names of accounts."""
    choices = choices_of(results.survey)
    groupings = all_groupings(results, choices)
    by = wished_grouping(door.asked(request, "by"), groupings)
    found = breakdown_of(results, by)
    names = part_names(found, choices)
    one, other = door.asked(request, "one"), door.asked(request, "other")
    ranked, small = (
        [row_of(results, names, part) for part in parts] for parts in (found.ranked, found.small)
    )
    return PartsShown(
        by=by,
        groupings=[Grouping(code, name, code == by) for code, name in groupings.items()],
        sentence=words.parts_sentence(results.survey.kind, found, names),
        ranked=ranked[:MOST_ROWS],
        small=small[:MOST_ROWS],
        left_out=len(ranked[MOST_ROWS:]) + len(small[MOST_ROWS:]),
        names=[(part.key or NO_NAME, names[part.key]) for part in (*found.ranked, *found.small)],
        one=one,
        other=other,
        two=two_sentence(results, found, names, one, other),
    )


def wished_grouping(wished: str, groupings: dict[str, str]) -> str:
    return wished if wished in groupings else TOUCHPOINT


def all_groupings(results: Results, choices: list[Question]) -> dict[str, str]:
    """What answers can be told apart by: themselves, their customers' attributes, the survey's questions."""
    language = get_language() or "en"
    attributes = {
        ATTRIBUTE + name: _("by {attribute}").format(attribute=name) for name in attributes_of(results.rows)
    }
    answers = {
        CHOICE + each.key: _("by answer: {question}").format(question=each.wording("text", language))
        for each in choices
    }
    return {code: str(name) for code, name in GROUPINGS.items()} | attributes | answers


def part_names(found: Breakdown, choices: list[Question]) -> dict[str, str]:
    """What each part is called, in the reader's language."""
    keys = [part.key for part in found.parts]
    known: dict[str, str] = {}
    if found.by == ACCOUNT:
        known = accounts_named(keys)
    elif found.by in (CHANNEL, LANGUAGE):
        known = {code: str(name) for code, name in (*CHANNELS, *LANGUAGES)}
    elif found.by.startswith(CHOICE):
        question = next(each for each in choices if CHOICE + each.key == found.by)
        known = dict(question.choices_in(get_language() or "en"))
    return {key: known.get(key, key) or _("not known") for key in keys}


def row_of(results: Results, names: dict[str, str], part: Part) -> Row:
    kind = results.survey.kind
    return Row(names[part.key], part, words.figure_words(part.figure), words.part_words(kind, part))


def two_sentence(results: Results, found: Breakdown, names: dict[str, str], one: str, other: str) -> str:
    """Empty until two different groups are chosen."""
    if not (one and other):
        return ""
    if results.suspected_within:
        return _("The scale seems to have changed within the period: no group is compared with another.")
    keys = ["" if key == NO_NAME else key for key in (one, other)]
    two = compared(found, keys[0], keys[1])
    if two is None:
        return _("Choose two different groups.")
    return words.two_words(results.survey.kind, (names[keys[0]], names[keys[1]]), two)
