"""From all low scores to those who answered again, with every loss on the way named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from recovery.insight.cohort import ASKED as STORY_ASKED
from recovery.insight.cohort import (
    MERGED,
    NO_ANSWER,
    NOT_ASKED,
    STILL_IN_WORK,
    TO_BE_ASKED,
    UNPROMPTED,
    WAITING,
    Story,
)
from recovery.insight.recovery import Rate
from recovery.insight.sent import INVITATION_GONE
from recovery.insight.told import Told
from recovery.models.ticket import TicketQuerySet

LOW, RESOLVED, ASKED, DELIVERED, ANSWERED = "low", "resolved", "asked", "delivered", "answered"
STAGES: Final = (LOW, RESOLVED, ASKED, DELIVERED, ANSWERED)

UNDELIVERED = "undelivered"
# Which losses may follow a stage.
LOSSES: Final[dict[str, tuple[str, ...]]] = {
    LOW: (STILL_IN_WORK, MERGED),
    RESOLVED: (TO_BE_ASKED, NOT_ASKED, UNPROMPTED),
    ASKED: (UNDELIVERED,),
    DELIVERED: (WAITING, NO_ANSWER),
    ANSWERED: (),
}


class Loss(NamedTuple):
    """What became of a ticket instead of the next stage, and the code of why where there is one."""

    kind: str
    reason: str = ""


class Place(NamedTuple):
    """How far a ticket came: the last stage it reached, and its loss; none where it answered."""

    stage: str
    loss: Loss | None = None


# What a place is told from, beside the fields every number is made of.
PLACED: Final = (UNDELIVERED,)


@dataclass(frozen=True, slots=True)
class Step:
    """A stage: how many came so far, and what those who went no further were lost to, the most first."""

    stage: str
    count: int
    losses: list[tuple[Loss, int]]

    @property
    def lost(self) -> int:
        return sum(count for _loss, count in self.losses)


@dataclass(frozen=True)
class Funnel:
    """How many tickets came to each place."""

    places: Counter[Place]

    @property
    def size(self) -> int:
        return self.places.total()

    @cached_property
    def steps(self) -> list[Step]:
        """Of every stage the count is the count of the next one and all losses between them."""
        ended: Counter[str] = Counter()
        for place, count in self.places.items():
            ended[place.stage] += count
        return [
            Step(stage, sum(ended[later] for later in STAGES[number:]), self._losses(stage))
            for number, stage in enumerate(STAGES)
        ]

    def _losses(self, stage: str) -> list[tuple[Loss, int]]:
        lost = [(place.loss, count) for place, count in self.places.items() if place.stage == stage]
        return sorted(
            ((loss, count) for loss, count in lost if loss is not None),
            key=lambda each: (LOSSES[stage].index(each[0].kind), -each[1], each[0].reason),
        )

    def rate(self, stage: str) -> Rate:
        """How many of those at the stage before came to this one; of the first, of all."""
        counts = {step.stage: step.count for step in self.steps}
        before = STAGES[max(0, STAGES.index(stage) - 1)]
        return Rate(counts[stage], counts[before])


def funnel(told: Iterable[Story]) -> Funnel:
    """Where each low score stood, by its story and what became of what was sent in its present cycle."""
    places: Counter[Place] = Counter()
    for story in told:
        places[place_of(story)] += story.count
    return Funnel(places)


def place_of(story: Story) -> Place:
    state, undelivered = story.next, story.undelivered
    if story.answered:
        # Who answers was heard of it, whatever the mail server said.
        return Place(ANSWERED) if story.stage == STORY_ASKED else Place(RESOLVED, Loss(UNPROMPTED))
    if state in (STILL_IN_WORK, MERGED):
        return Place(LOW, Loss(state))
    if state == TO_BE_ASKED or (state == NOT_ASKED and undelivered is None):
        return Place(RESOLVED, Loss(state, story.why))
    lost_for = story.why or undelivered or (INVITATION_GONE if undelivered is None else "")
    if lost_for or state == NOT_ASKED:
        return Place(ASKED, Loss(UNDELIVERED, lost_for))
    return Place(DELIVERED, Loss(state))


def behind(told: Told, stage: str, loss: Loss | None = None) -> TicketQuerySet:
    """The tickets that came to a stage; with a loss, those lost to it after that stage."""
    if loss is not None:
        return told.where(PLACED, lambda story: place_of(story) == (stage, loss))
    beyond = STAGES[STAGES.index(stage) :] if stage in STAGES else ()
    return told.where(PLACED, lambda story: place_of(story).stage in beyond)
