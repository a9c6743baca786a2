"""How people began, and what they say now: from each one's first answer of a period to the latest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

from surveys.eras import Era, Suspicion
from surveys.models import Survey
from surveys.panel.answers import Answers, Line, line_of
from surveys.panel.paired import BANDS, Paired, Share
from surveys.panel.people import People
from surveys.results.answers import Which, era_shown
from surveys.results.statements import Statement, found_by, further, over
from surveys.scoring import PASSIVE, PROMOTER, Scale, band

NO_LATER: Final = "no_later"
# What may have become of somebody: exactly one of these holds for each.
STATES: Final = (*BANDS, NO_LATER)
NOW, EVER = "now", "ever"
COLUMNS: Final = (NOW, EVER)
NOT_LOW: Final = (PROMOTER, PASSIVE)

# One person a row. Answers of one moment in the order they came in: that of the lines of a file. The best of
# the later ones is the highest or the lowest score, as the scale has it.
PEOPLE: Final = """
SELECT customer_id AS customer,
    max(id) FILTER (WHERE place = 1) AS one_id,
    max(given_at) FILTER (WHERE place = 1) AS one_at,
    max(said) FILTER (WHERE place = 1) AS one_said,
    max(id) FILTER (WHERE place > 1 AND place = answers) AS two_id,
    max(given_at) FILTER (WHERE place > 1 AND place = answers) AS two_at,
    max(said) FILTER (WHERE place > 1 AND place = answers) AS two_said,
    {best}(said) FILTER (WHERE place > 1) AS best_said
FROM (
    SELECT customer_id, id, given_at, said,
        row_number() OVER (PARTITION BY customer_id ORDER BY given_at, id) AS place,
        count(*) OVER (PARTITION BY customer_id) AS answers
    FROM ({{rows}}) AS given
) AS placed
GROUP BY customer_id
"""
SHAPES: Final = """
SELECT one_said, two_said, best_said, count(*) FROM ({}) AS people GROUP BY one_said, two_said, best_said
"""
WHO: Final = """
SELECT * FROM ({}) AS everybody
WHERE one_said = ANY(%s) AND ({column} = ANY(%s) OR (%s AND {column} IS NULL))
"""
# Who answered on another scale, and whether on this one too.
ELSEWHERE: Final = """
SELECT customer_id AS customer, bool_or(here) AS too, NULL::bigint AS one_id, NULL::timestamptz AS one_at,
    NULL::int AS one_said, NULL::bigint AS two_id, NULL::timestamptz AS two_at, NULL::int AS two_said
FROM ({rows}) AS given GROUP BY customer_id HAVING bool_or(elsewhere)
"""
TOO: Final = "SELECT too, count(*) FROM ({}) AS people GROUP BY too"


class Shape(NamedTuple):
    """The first answer of somebody, the latest, and the best of the later ones; None without a later one."""

    first: int
    latest: int | None
    best: int | None

    def state(self, column: str, scale: Scale) -> str:
        """By the latest answer ("now"), or the best of the later ones ("ever"); without any, `NO_LATER`."""
        score = self.latest if column == NOW else self.best
        return NO_LATER if score is None else band(score, scale)


@dataclass(frozen=True)
class Panel:
    """Everybody with a valid answer on one scale in the period: how many have which shape.

    Beside them, in no cell: people who answered on another scale only, of the others those who did so too,
    blank answers, answers that do not lie on their scale, and answers of nobody known. `suspicion` is a
    change of scale that nobody declared: what was answered before it counts as given on another scale.
    """

    answers: Answers
    shapes: Counter[Shape]
    elsewhere_only: int
    elsewhere_too: int
    blank: int
    off_scale: int
    nameless: int

    @property
    def survey(self) -> Survey:
        return self.answers.survey

    @property
    def era(self) -> Era:
        return self.answers.era

    @property
    def suspicion(self) -> Suspicion | None:
        return self.answers.suspicion

    @property
    def size(self) -> int:
        return self.shapes.total()

    @property
    def answered_again(self) -> int:
        return self.change.n

    @cached_property
    def cells(self) -> dict[str, Counter[tuple[str, str]]]:
        """How many by (first band, state), for either column."""
        found: dict[str, Counter[tuple[str, str]]] = {column: Counter() for column in COLUMNS}
        scale = self.era.scale
        for shape, people in self.shapes.items():
            for column in COLUMNS:
                found[column][band(shape.first, scale), shape.state(column, scale)] += people
        return found

    def count(self, firsts: Iterable[str] = BANDS, states: Iterable[str] = STATES, column: str = NOW) -> int:
        states = tuple(states)
        return sum(self.cells[column][first, state] for first in firsts for state in states)

    def share(self, column: str, states: Iterable[str], firsts: Iterable[str] = BANDS) -> Share:
        """Of those who began so and answered again, how many are, or ever were, in one of these states."""
        firsts = tuple(firsts)
        return Share(
            self.count(firsts, states, column), self.count(firsts, BANDS), self.count(firsts, STATES)
        )

    @cached_property
    def change(self) -> Paired:
        """From the first to the latest answer of those who answered again."""
        pairs: Counter[tuple[int, int]] = Counter()
        for shape, people in self.shapes.items():
            if shape.latest is not None:
                pairs[shape.first, shape.latest] += people
        return Paired(self.survey.kind, self.era.scale, pairs)


def panel(survey: Survey, which: Which, era: Era | None = None, line: Line | None = None) -> Panel:
    """Who answered the survey, or another of its line, on the scale of an era.

    Counted in six queries at most; in two less where the line is known.
    """
    answers = Answers(survey, era or era_shown(survey, which), which, line or line_of(survey))
    counts = answers.counts
    beside = dict(found_by(elsewhere(answers), TOO)) if counts.has_elsewhere else {}
    return Panel(
        answers=answers,
        shapes=Counter({Shape(*shape): number for *shape, number in found_by(people(answers), SHAPES)}),
        elsewhere_only=beside.get(False, 0),
        elsewhere_too=beside.get(True, 0),
        blank=counts.blank,
        off_scale=counts.off_scale,
        nameless=counts.nameless,
    )


def people(answers: Answers) -> Statement | None:
    best = "max" if answers.era.scale.best == "max" else "min"
    compared: Any = answers.compared
    rows = compared.values("customer_id", "id", "given_at", "said")
    return over(rows, PEOPLE.format(best=best))


def elsewhere(answers: Answers) -> Statement | None:
    return over(answers.by_place, ELSEWHERE)


# --- who they are -------------------------------------------------------------------------------------------


def who(
    answers: Answers,
    firsts: Iterable[str] = BANDS,
    states: Iterable[str] = STATES,
    column: str = NOW,
) -> People:
    """The people that `Panel.count` counts, with their first answer and the latest."""
    found, scale = people(answers), answers.era.scale
    if found is None:
        return People(scale, None)
    wanted = [scores_of(scale, firsts), scores_of(scale, became := frozenset(states)), NO_LATER in became]
    more = WHO.replace("{column}", "two_said" if column == NOW else "best_said")
    return People(scale, further(found, more, wanted))


def who_elsewhere(answers: Answers, *, too: bool) -> People:
    """Who answered on another scale: on this one too, or only there."""
    found = elsewhere(answers)
    more = "SELECT * FROM ({}) AS everybody WHERE too = %s"
    return People(answers.era.scale, further(found, more, [too]) if found else None)


def scores_of(scale: Scale, bands: Iterable[str]) -> list[int]:
    wanted = frozenset(bands)
    return [score for score in range(scale.lowest, scale.highest + 1) if band(score, scale) in wanted]
