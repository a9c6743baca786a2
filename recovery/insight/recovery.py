"""Did it work: how many were reached, asked again and recovered, and against whom that is measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from recovery.insight.cohort import (
    ASKED,
    BANDS,
    NOT_ASKED,
    RECOVERED,
    STAGES,
    STATES,
    TO_BE_ASKED,
    UNPROMPTED,
    Story,
)
from surveys.estimates import (
    MIN_ANSWERS_FOR_PERCENT,
    MIN_ANSWERS_FOR_RANKING,
    Difference,
    Interval,
    bounds,
    newcombe_difference,
    wilson,
)
from surveys.scoring import PROMOTER

NEXT, NOW, EVER = "next", "now", "ever"
COLUMNS: Final = (NEXT, NOW, EVER)


@dataclass(frozen=True, slots=True)
class Rate:
    """`hits` of `n`. Below ten, share and interval are None: show the counts."""

    hits: int
    n: int

    @property
    def share(self) -> float | None:
        return self.hits / self.n if self.n >= MIN_ANSWERS_FOR_PERCENT else None

    @property
    def interval(self) -> Interval | None:
        return wilson(self.hits, self.n) if self.n >= MIN_ANSWERS_FOR_PERCENT else None


@dataclass(frozen=True)
class Recovery:
    """Every count adds up to `size`: `flow` by (reached, stage, next state), `columns` by state."""

    size: int
    flow: Counter[tuple[bool, str, str]]
    columns: dict[str, Counter[str]]
    reached_later: int
    why_not_asked: Counter[str]

    def count(
        self, *, reached: bool | None = None, stages: Iterable[str] = STAGES, states: Iterable[str] = STATES
    ) -> int:
        """How many of the cohort, by any of the three columns of the flow."""
        in_stages, in_states = frozenset(stages), frozenset(states)
        return sum(
            number
            for (was_reached, stage, state), number in self.flow.items()
            if (reached is None or was_reached == reached) and stage in in_stages and state in in_states
        )

    @property
    def reached(self) -> Rate:
        return Rate(self.count(reached=True), self.size)

    @property
    def answered(self) -> int:
        return self.count(states=BANDS)

    @property
    def unanswered(self) -> int:
        """Everybody without a next answer, for whatever reason."""
        return self.size - self.answered

    @property
    def unprompted(self) -> int:
        return self.count(stages=[UNPROMPTED])

    @property
    def asked(self) -> Rate:
        """Of those there was something to ask: resolved, and no answer came before."""
        asked = self.count(stages=[ASKED])
        return Rate(asked, asked + self.count(stages=[TO_BE_ASKED, NOT_ASKED]))

    @property
    def responded(self) -> Rate:
        return Rate(self.count(stages=[ASKED], states=BANDS), self.count(stages=[ASKED]))

    def recovered(self, column: str = NEXT) -> Rate:
        return Rate(sum(self.columns[column][band] for band in RECOVERED), self.answered)

    def converted(self, column: str = NEXT) -> Rate:
        return Rate(self.columns[column][PROMOTER], self.answered)

    @property
    def bounds(self) -> Interval | None:
        """Recovered of the whole cohort, if none and if all of the unanswered had recovered."""
        return bounds(self.recovered().hits, self.unanswered, self.size)

    def recovered_among(self, *, reached: bool) -> Rate:
        return Rate(self.count(reached=reached, states=RECOVERED), self.count(reached=reached, states=BANDS))

    @property
    def difference(self) -> Difference | None:
        """Recovered among the reached less among those nobody reached; None below ten answers of either."""
        ours, theirs = self.recovered_among(reached=True), self.recovered_among(reached=False)
        if ours.share is None or theirs.share is None:
            return None
        return newcombe_difference(ours.hits, ours.n, theirs.hits, theirs.n)


def recovery(told: Sequence[Story]) -> Recovery:
    return Recovery(
        size=len(told),
        flow=Counter((story.reached, story.stage, story.next) for story in told),
        columns={column: Counter(getattr(story, column) for story in told) for column in COLUMNS},
        reached_later=sum(story.reached_later for story in told),
        why_not_asked=Counter(story.why for story in told if story.next == NOT_ASKED),
    )


# --- by group -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Group:
    key: Hashable
    size: int
    reached: int
    recovered: Rate


@dataclass(frozen=True, slots=True)
class Ranking:
    """Groups with thirty answers or more, the best first; the small ones by size, to be shown as counts."""

    ranked: list[Group]
    small: list[Group]


def ranking(told: Iterable[Story], key: Callable[[Story], Hashable]) -> Ranking:
    by_key: dict[Hashable, list[Story]] = {}
    for story in told:
        by_key.setdefault(key(story), []).append(story)
    groups = [group_of(name, members) for name, members in by_key.items()]
    groups.sort(key=lambda group: (-group.size, str(group.key)))
    ranked = [group for group in groups if group.recovered.n >= MIN_ANSWERS_FOR_RANKING]
    ranked.sort(key=lambda group: -(group.recovered.share or 0))
    return Ranking(ranked, [group for group in groups if group.recovered.n < MIN_ANSWERS_FOR_RANKING])


def group_of(key: Hashable, members: list[Story]) -> Group:
    answered = [story for story in members if story.answered]
    recovered = Rate(sum(story.recovered for story in answered), len(answered))
    return Group(key, len(members), sum(story.reached for story in members), recovered)


# By the time until the person was first heard, as a customer feels it: on the wall clock.
WITHIN: Final = (("4h", timedelta(hours=4)), ("24h", timedelta(hours=24)), ("3d", timedelta(days=3)))
LATER, NEVER = "later", "never"


def wait_of(story: Story) -> str:
    """How long the person waited to be heard, before their next answer."""
    if not story.reached or story.to_contact is None:
        return NEVER
    return next((name for name, limit in WITHIN if story.to_contact <= limit), LATER)
