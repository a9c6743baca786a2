"""Two waves of the same people side by side."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, Final

from django.db.models import BooleanField, Case, Q, When

from surveys.eras import Era, Suspicion
from surveys.models import Invitation, Survey
from surveys.panel.answers import Answers, Line, line_of
from surveys.panel.paired import Paired
from surveys.panel.people import People
from surveys.results.answers import Which, era_shown
from surveys.results.statements import Statement, found_by, further, over

BOTH, ONLY_FIRST, ONLY_SECOND = "both", "only_first", "only_second"
AGAIN_FIRST, AGAIN_SECOND = "again_first", "again_second"

# One person a row: the first answer in either wave, and the first to being asked again in either.
FIRSTS: Final = """
SELECT customer_id AS customer,
    max(id) FILTER (WHERE NOT later AND NOT again) AS one_id,
    max(given_at) FILTER (WHERE NOT later AND NOT again) AS one_at,
    max(said) FILTER (WHERE NOT later AND NOT again) AS one_said,
    max(id) FILTER (WHERE later AND NOT again) AS two_id,
    max(given_at) FILTER (WHERE later AND NOT again) AS two_at,
    max(said) FILTER (WHERE later AND NOT again) AS two_said,
    max(id) FILTER (WHERE NOT later AND again) AS one_again_id,
    max(given_at) FILTER (WHERE NOT later AND again) AS one_again_at,
    max(said) FILTER (WHERE NOT later AND again) AS one_again_said,
    max(id) FILTER (WHERE later AND again) AS two_again_id,
    max(given_at) FILTER (WHERE later AND again) AS two_again_at,
    max(said) FILTER (WHERE later AND again) AS two_again_said
FROM (
    SELECT DISTINCT ON (customer_id, later, again) customer_id, later, again, id, given_at, said
    FROM ({rows}) AS given ORDER BY customer_id, later, again, given_at, id
) AS firsts
GROUP BY customer_id
"""
# What makes somebody one of each, and the answers that show it.
OF_BOTH: Final = "one_id, one_at, one_said, two_id, two_at, two_said"
ONE: Final = "{0}_id AS one_id, {0}_at AS one_at, {0}_said AS one_said, NULL::bigint AS two_id,"
NO_OTHER: Final = " NULL::timestamptz AS two_at, NULL::int AS two_said"
WHO: Final = {
    BOTH: (OF_BOTH, "one_id IS NOT NULL AND two_id IS NOT NULL"),
    ONLY_FIRST: (ONE.format("one") + NO_OTHER, "one_id IS NOT NULL AND two_id IS NULL"),
    ONLY_SECOND: (ONE.format("two") + NO_OTHER, "one_id IS NULL AND two_id IS NOT NULL"),
    AGAIN_FIRST: (ONE.format("one_again") + NO_OTHER, "one_id IS NULL AND one_again_id IS NOT NULL"),
    AGAIN_SECOND: (ONE.format("two_again") + NO_OTHER, "two_id IS NULL AND two_again_id IS NOT NULL"),
}
SHAPES: Final = """
SELECT one_said, two_said, count(*),
    count(*) FILTER (WHERE one_id IS NULL AND one_again_id IS NOT NULL),
    count(*) FILTER (WHERE two_id IS NULL AND two_again_id IS NOT NULL)
FROM ({}) AS people GROUP BY one_said, two_said
"""
SOME: Final = "SELECT customer, {columns} FROM ({}) AS everybody WHERE {condition}"


@dataclass(frozen=True)
class Waves:
    """How many answered in both of two windows, each by their first valid answer in it, and in one only.

    What somebody answered when asked again after a low score is no part of it, so that both waves are asked
    in the same way; `again_first` and `again_second` are those who have no other answer in that wave.
    """

    answers: Answers
    paired: Paired
    only_first: int
    only_second: int
    again_first: int
    again_second: int

    @property
    def survey(self) -> Survey:
        return self.answers.survey

    @property
    def suspicion(self) -> Suspicion | None:
        return self.answers.suspicion

    @property
    def both(self) -> int:
        return self.paired.n


def waves(
    survey: Survey, first: Which, second: Which, era: Era | None = None, line: Line | None = None
) -> Waves:
    """Counted in five queries at most. Raises ValueError as `windows` does."""
    answers = answers_of(survey, first, second, era, line)
    pairs: Counter[tuple[int, int]] = Counter()
    beside: Counter[str] = Counter()
    for one, two, people, again_first, again_second in found_by(firsts(answers, first, second), SHAPES):
        if one is not None and two is not None:
            pairs[one, two] += people
        beside[ONLY_FIRST] += people if one is not None and two is None else 0
        beside[ONLY_SECOND] += people if one is None and two is not None else 0
        beside[AGAIN_FIRST] += again_first
        beside[AGAIN_SECOND] += again_second
    return Waves(
        answers=answers,
        paired=Paired(survey.kind, answers.era.scale, pairs),
        only_first=beside[ONLY_FIRST],
        only_second=beside[ONLY_SECOND],
        again_first=beside[AGAIN_FIRST],
        again_second=beside[AGAIN_SECOND],
    )


def who_in_waves(
    survey: Survey,
    first: Which,
    second: Which,
    which: str,
    era: Era | None = None,
    line: Line | None = None,
) -> People:
    """The people behind one of the counts; nobody behind one that does not exist. Raises as `waves` does."""
    answers = answers_of(survey, first, second, era, line)
    found = firsts(answers, first, second)
    if found is None or which not in WHO:
        return People(answers.era.scale, None)
    columns, condition = WHO[which]
    some = SOME.replace("{columns}", columns).replace("{condition}", condition)
    return People(answers.era.scale, further(found, some))


def answers_of(survey: Survey, first: Which, second: Which, era: Era | None, line: Line | None) -> Answers:
    """From the beginning of the first wave to the end of the second. Raises ValueError where they overlap:
    one answer cannot stand on both sides."""
    if first.until is None or second.since is None or first.until > second.since:
        raise ValueError("The first wave ends before the second begins.")
    return Answers(
        survey=survey,
        era=era or era_shown(survey, second),
        which=replace(second, since=first.since),
        line=line or line_of(survey),
    )


def firsts(answers: Answers, first: Which, second: Which) -> Statement | None:
    compared: Any = answers.compared
    rows = compared.filter(Q(given_at__lt=first.until) | Q(given_at__gte=second.since)).annotate(
        later=true_if(Q(given_at__gte=second.since)),
        again=true_if(Q(invitation__purpose=Invitation.RESURVEY)),
    )
    return over(rows.values("customer_id", "id", "given_at", "said", "later", "again"), FIRSTS)


def true_if(condition: Q) -> Case:
    return Case(When(condition, then=True), default=False, output_field=BooleanField())
