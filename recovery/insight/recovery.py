"""Did it work: how many were reached, asked again and recovered, and against whom that is measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from operator import attrgetter
from typing import Final, TypeVar

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
    MIN_ANSWERS_FOR_RANKING,
    Difference,
    Interval,
    bounds,
    holm,
    newcombe_difference,
    share_difference_p,
    share_trend,
)
from surveys.rates import Rate as Rate
from surveys.scoring import PROMOTER

NEXT, NOW, EVER = "next", "now", "ever"
COLUMNS: Final = (NEXT, NOW, EVER)
HOLM_LEVEL: Final = 0.05


@dataclass(frozen=True)
class Recovery:
    """Every count adds up to `size`: `flow` by (reached, stage, next state), `columns` by state.

    `after` are the answers after a next answer that was a promoter's, "no_answer" where none came yet.
    """

    size: int
    flow: Counter[tuple[bool, str, str]]
    columns: dict[str, Counter[str]]
    after: Counter[str]
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
    def lasting(self) -> Rate:
        """Of the converted who answered once more, those who are promoters still."""
        return Rate(self.after[PROMOTER], sum(self.after[band] for band in BANDS))

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
        size=sum(story.count for story in told),
        flow=tally(told, lambda story: (story.reached, story.stage, story.next)),
        columns={column: tally(told, attrgetter(column)) for column in COLUMNS},
        after=tally((story for story in told if story.lasting), attrgetter("lasting")),
        reached_later=sum(story.count for story in told if story.reached_later),
        why_not_asked=tally((story for story in told if story.next == NOT_ASKED), attrgetter("why")),
    )


Key = TypeVar("Key", bound=Hashable)


def tally(told: Iterable[Story], key: Callable[[Story], Key]) -> Counter[Key]:
    counts: Counter[Key] = Counter()
    for story in told:
        counts[key(story)] += story.count
    return counts


# --- by group -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Group:
    """`difference` is to all the others together: None where the group is not ranked, or where the others
    gave fewer than ten answers. `may_be_chance`: clear by itself, but not among so many comparisons.
    """

    key: Hashable
    size: int
    reached: int
    recovered: Rate
    difference: Difference | None = None
    may_be_chance: bool = False


@dataclass(frozen=True, slots=True)
class Ranking:
    """Groups with thirty answers or more, the best first; the small ones by size, to be shown as counts."""

    ranked: list[Group]
    small: list[Group]

    def __iter__(self) -> Iterator[Group]:
        yield from (*self.ranked, *self.small)


def ranking(told: Iterable[Story], key: Callable[[Story], Hashable]) -> Ranking:
    by_key: dict[Hashable, list[Story]] = {}
    for story in told:
        by_key.setdefault(key(story), []).append(story)
    groups = [group_of(name, members) for name, members in by_key.items()]
    groups.sort(key=lambda group: (-group.size, str(group.key)))
    ranked = [group for group in groups if group.recovered.n >= MIN_ANSWERS_FOR_RANKING]
    ranked.sort(key=lambda group: -(group.recovered.share or 0))
    small = [group for group in groups if group.recovered.n < MIN_ANSWERS_FOR_RANKING]
    return Ranking(against_the_others(ranked, groups), small)


def group_of(key: Hashable, members: list[Story]) -> Group:
    answered = sum(story.count for story in members if story.answered)
    recovered = sum(story.count for story in members if story.recovered)
    reached = sum(story.count for story in members if story.reached)
    return Group(key, sum(story.count for story in members), reached, Rate(recovered, answered))


def against_the_others(ranked: Sequence[Group], groups: Sequence[Group]) -> list[Group]:
    """Each with its difference to everybody else. Of many, some are large by chance (Holm 1979)."""
    hits, n = sum(group.recovered.hits for group in groups), sum(group.recovered.n for group in groups)
    pairs = {group: Rate(hits - group.recovered.hits, n - group.recovered.n) for group in ranked}
    pairs = {group: others for group, others in pairs.items() if others.share is not None}
    chances = [chance_of(group.recovered, others) for group, others in pairs.items()]
    # Of two groups either is all the others of the other one: that is one comparison.
    adjusted = dict(zip(pairs, chances if len(groups) == 2 else holm(chances), strict=True))
    return [compared(group, pairs[group], adjusted[group]) if group in pairs else group for group in ranked]


def chance_of(ours: Rate, theirs: Rate) -> float:
    p_value = share_difference_p(ours.hits, ours.n, theirs.hits, theirs.n)
    return 1.0 if p_value is None else p_value


def compared(group: Group, others: Rate, chance: float) -> Group:
    ours = group.recovered
    found = newcombe_difference(ours.hits, ours.n, others.hits, others.n)
    clear = found is not None and found.is_clear
    return replace(group, difference=found, may_be_chance=clear and chance > HOLM_LEVEL)


# By the time until the person was first heard, as a customer feels it: on the wall clock.
WITHIN: Final = (("4h", timedelta(hours=4)), ("24h", timedelta(hours=24)), ("3d", timedelta(days=3)))
LATER, NEVER = "later", "never"
WAITS: Final = (*(name for name, _limit in WITHIN), LATER)


def wait_of(story: Story) -> str:
    """How long the person waited to be heard, before their next answer."""
    if not story.reached or story.to_contact is None:
        return NEVER
    return next((name for name, limit in WITHIN if story.to_contact <= limit), LATER)


@dataclass(frozen=True, slots=True)
class Dose:
    """Recovered by how long the reached waited. `per_step`: how the share changes with each class of waiting.

    None below thirty answers in all, or where fewer than two classes have ten. Only observed: who can be
    reached early may differ.
    """

    recovered: dict[str, Rate]
    per_step: Difference | None

    @property
    def n(self) -> int:
        return sum(rate.n for rate in self.recovered.values())


def dose(told: Iterable[Story]) -> Dose:
    """Those whom we reached before their next answer, in the four classes of WAITS."""
    by_wait = {group.key: group.recovered for group in ranking(told, wait_of)}
    rates = {wait: by_wait.get(wait, Rate(0, 0)) for wait in WAITS}
    enough = sum(rate.share is not None for rate in rates.values()) >= 2
    if not enough or sum(rate.n for rate in rates.values()) < MIN_ANSWERS_FOR_RANKING:
        return Dose(rates, None)
    hits, totals = [rate.hits for rate in rates.values()], [rate.n for rate in rates.values()]
    return Dose(rates, share_trend(range(len(WAITS)), hits, totals))
