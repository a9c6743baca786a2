"""The figure of each part of the answers, such as a branch or a tier, and what sets it off from the rest."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, Final

from django.db.models import CharField, F, Func, OuterRef, QuerySet, Subquery, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce, Lower, NullIf

from surveys.estimates import Difference, holm
from surveys.models import Account, Answer, Customer, Question, Response, Survey
from surveys.results.answers import tally
from surveys.results.detail import Results
from surveys.results.figure import Figure

TOUCHPOINT, CHANNEL, LANGUAGE, TIER, ACCOUNT = "touchpoint", "channel", "language", "tier", "account"
PLAIN: Final = (TOUCHPOINT, CHANNEL, LANGUAGE, TIER, ACCOUNT)
# Before the name of an attribute of the customer, or the key of a question.
ATTRIBUTE, CHOICE = "attribute:", "choice:"
MOST_ATTRIBUTES: Final = 30
# How sure it has to be, after Holm, that a part differs from the others.
LEVEL: Final = 0.05


@dataclass(frozen=True, slots=True)
class Part:
    """`key` is '' for answers that name none. `p` is the p-value of `difference` after Holm's correction.

    `difference` is this part less all the others together, None where either is too few.
    """

    key: str
    figure: Figure
    others: Figure
    difference: Difference | None = None
    p: float | None = None

    @property
    def is_clear(self) -> bool:
        return self.p is not None and self.p <= LEVEL


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Every answer of the figure is in exactly one part."""

    by: str
    parts: tuple[Part, ...]

    @property
    def ranked(self) -> list[Part]:
        """Those with thirty answers or more, the best first."""
        enough = [part for part in self.parts if part.figure.may_be_ranked]
        return sorted(enough, key=lambda part: (-(part.figure.value or 0.0), part.key))

    @property
    def small(self) -> list[Part]:
        """The rest, the largest first: their order says nothing about who is better."""
        rest = [part for part in self.parts if not part.figure.may_be_ranked]
        return sorted(rest, key=lambda part: (-part.figure.answered, part.key))

    def part(self, key: str) -> Part | None:
        return next((part for part in self.parts if part.key == key), None)

    @property
    def compared(self) -> int:
        """How many differences were looked at."""
        return sum(part.difference is not None for part in self.parts)


def breakdown_of(results: Results, by: str) -> Breakdown:
    """Raise ValueError for what answers cannot be told apart by. One query.

    Where a scale seems to have changed within the period, no part is compared with the others.
    """
    rows = _told_apart(results.rows, results.survey, by)
    parts = [_part(results, str(key), levels) for (key,), levels in tally(rows, "part").items()]
    if not results.suspected_within:
        parts = _with_differences(parts)
    return Breakdown(by, tuple(parts))


def _part(results: Results, key: str, levels: Counter[int]) -> Part:
    scale, kind = results.era.scale, results.survey.kind
    rest = Counter(dict(results.figure.levels.counts))
    rest.subtract({level: count for level, count in levels.items() if scale.holds(level)})
    return Part(key, Figure.of(kind, scale, levels), Figure.of(kind, scale, rest))


def _with_differences(parts: list[Part]) -> list[Part]:
    """Each part against all others together, with Holm's correction for so many looks."""
    looks = [(part, part.figure.p_against(part.others)) for part in parts]
    corrected = iter(holm([p for _part, p in looks if p is not None]))
    return [
        part if p is None else replace(part, difference=part.figure.less(part.others), p=next(corrected))
        for part, p in looks
    ]


def compared(breakdown: Breakdown, one: str, other: str) -> tuple[Part, Part, Difference | None] | None:
    """Two parts and the first less the second; None where either is not there, or both are one."""
    first, second = breakdown.part(one), breakdown.part(other)
    if first is None or second is None or first == second:
        return None
    return first, second, first.figure.less(second.figure)


# --- what answers can be told apart by ----------------------------------------------------------------------


def _told_apart(rows: QuerySet[Response, Any], survey: Survey, by: str) -> QuerySet[Response, Any]:
    """The rows with the key of their `part`."""
    if by.startswith(CHOICE):
        return _by_choice(rows, survey, by.removeprefix(CHOICE))
    if by.startswith(ATTRIBUTE):
        # A name from outside is a value here, never part of a lookup.
        told: Any = KeyTextTransform(by.removeprefix(ATTRIBUTE), F("customer__attributes"))
    elif by == LANGUAGE:
        told = Lower(Coalesce(NullIf(F("locale"), Value("")), F("customer__locale")))
    elif by == ACCOUNT:
        told = Cast("customer__account", CharField())
    elif by in PLAIN:
        told = F("customer__tier") if by == TIER else F(by)
    else:
        raise ValueError(f"Answers cannot be told apart by {by[:60]!r}.")
    return rows.annotate(part=Coalesce(told, Value(""), output_field=TextField()))


def _by_choice(rows: QuerySet[Response, Any], survey: Survey, key: str) -> QuerySet[Response, Any]:
    question = survey.questions.filter(key=key, kind=Question.CHOICE).first()
    if question is None:
        raise ValueError("The survey has no such choice.")
    # The value is JSON; what it says as text has no quotes around it.
    text = Func(F("value"), template="(%(expressions)s #>> '{}')", output_field=TextField())
    chosen = Answer.objects.filter(response=OuterRef("pk"), question=question).annotate(text=text)
    told = Subquery(chosen.values("text")[:1])
    return rows.annotate(part=Coalesce(told, Value(""), output_field=TextField()))


def attributes_of(rows: QuerySet[Response, Any]) -> list[str]:
    """The attributes that the customers behind these answers have, by name. One query."""
    customers = Customer.objects.filter(pk__in=rows.values("customer")).alias(
        shape=Func(F("attributes"), function="jsonb_typeof", output_field=TextField())
    )
    names = customers.filter(shape="object").annotate(
        attribute=Func(F("attributes"), function="jsonb_object_keys", output_field=TextField())
    )
    return list(names.order_by("attribute").values_list("attribute", flat=True).distinct()[:MOST_ATTRIBUTES])


def choices_of(survey: Survey) -> list[Question]:
    """The questions whose answers are one of a few. One query."""
    return list(survey.questions.filter(kind=Question.CHOICE))


def accounts_named(keys: list[str]) -> dict[str, str]:
    """The names of accounts by the keys of their parts. One query."""
    return {str(each.pk): each.name for each in Account.objects.filter(pk__in=[key for key in keys if key])}
