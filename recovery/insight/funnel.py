"""From all low scores to those who answered again, with every loss on the way named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
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
    keys,
)
from recovery.insight.happened import Histories, cycle_reached
from recovery.insight.recovery import Rate
from recovery.models import Resurvey
from recovery.models.ticket import TicketQuerySet
from surveys.models import Invitation, Message

LOW, RESOLVED, ASKED, DELIVERED, ANSWERED = "low", "resolved", "asked", "delivered", "answered"
STAGES: Final = (LOW, RESOLVED, ASKED, DELIVERED, ANSWERED)

UNDELIVERED = "undelivered"
# Why a message has not arrived, where its state says it.
ON_ITS_WAY, UNCERTAIN = "on_its_way", "uncertain"
INVITATION_GONE = "invitation_gone"
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

    ticket: int
    stage: str
    loss: Loss | None


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
    places: list[Place]

    @property
    def size(self) -> int:
        return len(self.places)

    @cached_property
    def steps(self) -> list[Step]:
        """Of every stage the count is the count of the next one and all losses between them."""
        ended = Counter(place.stage for place in self.places)
        lost = Counter((place.stage, place.loss) for place in self.places if place.loss is not None)
        return [
            Step(
                stage,
                sum(ended[later] for later in STAGES[number:]),
                sorted(
                    ((loss, count) for (where, loss), count in lost.items() if where == stage and loss),
                    key=lambda each: (LOSSES[stage].index(each[0].kind), -each[1], each[0].reason),
                ),
            )
            for number, stage in enumerate(STAGES)
        ]

    def rate(self, stage: str) -> Rate:
        """How many of those at the stage before came to this one; of the first, of all."""
        counts = {step.stage: step.count for step in self.steps}
        before = STAGES[max(0, STAGES.index(stage) - 1)]
        return Rate(counts[stage], counts[before])

    def tickets(self, stage: str, loss: Loss | None = None) -> set[int]:
        """Those that came to a stage; with a loss, those lost to it after that stage."""
        if loss is not None:
            return {place.ticket for place in self.places if (place.stage, place.loss) == (stage, loss)}
        beyond = STAGES[STAGES.index(stage) :] if stage in STAGES else ()
        return {place.ticket for place in self.places if place.stage in beyond}


def funnel(told: Iterable[Story], acts: Histories, sent: Deliveries) -> Funnel:
    """Where each low score stood, by its story, its present cycle, and what became of what was sent."""
    return Funnel([place_of(story, sent.get((story.ticket, cycle_of(story, acts)))) for story in told])


def cycle_of(story: Story, acts: Histories) -> int:
    return cycle_reached(acts.get(story.ticket, []))


def place_of(story: Story, undelivered: str | None) -> Place:
    """`undelivered` is None where nothing was sent in the present cycle, empty where it arrived."""
    ticket, state = story.ticket, story.next
    if story.answered:
        # Who answers was heard of it, whatever the mail server said.
        asked = story.stage == STORY_ASKED
        return Place(ticket, ANSWERED, None) if asked else Place(ticket, RESOLVED, Loss(UNPROMPTED))
    if state in (STILL_IN_WORK, MERGED):
        return Place(ticket, LOW, Loss(state))
    if state == TO_BE_ASKED or (state == NOT_ASKED and undelivered is None):
        return Place(ticket, RESOLVED, Loss(state, story.why))
    lost_for = story.why or undelivered or (INVITATION_GONE if undelivered is None else "")
    if lost_for or state == NOT_ASKED:
        return Place(ticket, ASKED, Loss(UNDELIVERED, lost_for))
    return Place(ticket, DELIVERED, Loss(state))


# By ticket and cycle why what was sent had not arrived; empty where it had.
Deliveries = dict[tuple[int, int], str]


def deliveries(cohort: TicketQuerySet, at: datetime) -> Deliveries:
    """What became of every question sent by `at`, in one query. Those of a hold-out are none of the loop."""
    rows = Resurvey.objects.filter(ticket__in=keys(cohort), asked_at__lte=at, cycle__gt=0)
    message = "invitation__messages__"
    names = ("invitation_id", "invitation__state", "invitation__reason")
    said = (f"{message}state", f"{message}reason", f"{message}finished_at")
    found = rows.order_by(f"{message}id").values_list("ticket_id", "cycle", *names, *said)
    return {(ticket, cycle): why_undelivered(Sent(*sent), at) for ticket, cycle, *sent in found}


class Sent(NamedTuple):
    invitation: int | None
    invitation_state: str | None
    invitation_reason: str | None
    state: str | None
    reason: str | None
    finished_at: datetime | None


UNFINISHED: Final = (Message.QUEUED, Message.SENDING)


def why_undelivered(sent: Sent, at: datetime) -> str:
    if sent.invitation is None:
        return INVITATION_GONE
    if sent.state is None:
        # Asked without a message of ours: what is known is the invitation alone.
        gone = sent.invitation_state == Invitation.CANCELLED
        return (sent.invitation_reason or INVITATION_GONE) if gone else ""
    if sent.state in UNFINISHED or (sent.finished_at is not None and sent.finished_at > at):
        return ON_ITS_WAY
    if sent.state == Message.ACCEPTED:
        return ""
    return REASON_OF.get(sent.state) or sent.reason or sent.state


# A refusal carries the words of the mail server: its kind is what counts.
REASON_OF: Final = {
    Message.REJECTED: "message_rejected",
    Message.DEAD: "message_dead",
    Message.EXPIRED: "not_after",
    Message.UNCERTAIN: UNCERTAIN,
}
