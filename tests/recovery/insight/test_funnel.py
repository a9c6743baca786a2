"""From all low scores to answered, every loss named."""

from collections import Counter
from datetime import datetime
from itertools import pairwise
from random import Random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recovery.insight.cohort import ASKED as STORY_ASKED
from recovery.insight.cohort import BANDS, Slice, low_scores, stories
from recovery.insight.funnel import (
    ANSWERED,
    ASKED,
    DELIVERED,
    LOSSES,
    LOW,
    PLACED,
    RESOLVED,
    STAGES,
    UNDELIVERED,
    Funnel,
    Loss,
    Place,
    behind,
    funnel,
)
from recovery.insight.loop import Loop
from recovery.insight.loop import loop as loop_of
from recovery.insight.recovery import Rate, recovery
from recovery.insight.sent import INVITATION_GONE, ON_ITS_WAY
from recovery.insight.telling import rebuild, tell_batch
from recovery.insight.told import Told
from recovery.lifecycle import ask_again, end_unanswered, merge, reopen
from recovery.models import Resurvey, Ticket
from surveys.messages.deliver import record_end
from surveys.models import Invitation, Message
from tests.make import DAY, HOUR, MONDAY, Cast
from tests.recovery.insight.histories import answer, ask, heard, loop, low, put_right, wander

LATER = MONDAY + 60 * DAY
# loop() asks on the fifth day.
ASKED_AT = MONDAY + 4 * DAY


def found(at: datetime | None = None) -> Funnel:
    cohort = low_scores(Ticket.objects.all(), Slice(as_of=at))
    return funnel(stories(cohort, at))


def count_behind(at: datetime | None, stage: str, loss: Loss | None = None) -> int:
    return behind(Told(Ticket.objects.all(), Slice(as_of=at)), stage, loss).count()


def counts(given: Funnel) -> dict[str, int]:
    return {step.stage: step.count for step in given.steps}


def losses(given: Funnel) -> dict[str, dict[Loss, int]]:
    return {step.stage: dict(step.losses) for step in given.steps if step.losses}


def sent(ticket: Ticket, state: str, *, at: datetime = ASKED_AT, reason: str = "") -> None:
    """What became of the message that asked them."""
    message = Message.objects.get(invitation__resurvey__ticket=ticket)
    record_end(message, state, reason, at)


class TestByHand:
    def test_every_stage_and_every_loss(self, cast: Cast) -> None:
        low(cast)
        merge(low(cast), by=cast.chen, at=MONDAY, into=low(cast))
        put_right(cast, low(cast))
        nowhere = put_right(cast, low(cast, customer=cast.customer(email="", phone="+8613800138000")))
        ask_again(nowhere.resurveys.get().pk, at=ASKED_AT)
        answer(cast, put_right(cast, low(cast)), 9, at=MONDAY + 2 * DAY)
        for state in (Message.REJECTED, Message.UNCERTAIN, Message.ACCEPTED):
            sent(loop(cast, None), state)
        loop(cast, None)
        silent = loop(cast, None)
        sent(silent, Message.ACCEPTED)
        end_unanswered(silent.resurveys.get().pk, at=MONDAY + 40 * DAY)
        sent(loop(cast, 9), Message.ACCEPTED)
        given = found()
        assert counts(given) == {LOW: 12, RESOLVED: 9, ASKED: 6, DELIVERED: 3, ANSWERED: 1}
        assert losses(given) == {
            LOW: {Loss("in_work"): 2, Loss("merged"): 1},
            RESOLVED: {Loss("to_be_asked"): 1, Loss("not_asked", "no_address"): 1, Loss("unprompted"): 1},
            ASKED: {
                Loss(UNDELIVERED, "message_rejected"): 1,
                Loss(UNDELIVERED, "uncertain"): 1,
                Loss(UNDELIVERED, ON_ITS_WAY): 1,
            },
            DELIVERED: {Loss("waiting"): 1, Loss("no_answer"): 1},
        }
        assert given.rate(ANSWERED) == Rate(1, 3)

    def test_it_is_the_same_before_and_after_the_sweep_ends_what_was_refused(self, cast: Cast) -> None:
        ticket = loop(cast, None)
        sent(ticket, Message.REJECTED, reason="550 no such user")
        before = found()
        end_unanswered(ticket.resurveys.get().pk, at=ASKED_AT + HOUR)
        assert found() == before
        assert before.places == {Place(ASKED, Loss(UNDELIVERED, "message_rejected")): 1}

    @pytest.mark.parametrize(
        ("state", "reason", "why"),
        [
            (Message.DEAD, "too_many_attempts", "message_dead"),
            (Message.SUPPRESSED, "suppressed", "suppressed"),
            (Message.SUPPRESSED, "no_consent", "no_consent"),
            (Message.EXPIRED, "not_after", "not_after"),
            (Message.CANCELLED, "dropped", "dropped"),
        ],
    )
    def test_a_message_that_did_not_go_out_says_why(
        self, cast: Cast, state: str, reason: str, why: str
    ) -> None:
        sent(loop(cast, None), state, reason=reason)
        assert losses(found()) == {ASKED: {Loss(UNDELIVERED, why): 1}}

    def test_who_answers_was_heard_of_it_whatever_the_mail_server_said(self, cast: Cast) -> None:
        sent(loop(cast, 9), Message.UNCERTAIN)
        assert counts(found())[ANSWERED] == 1

    def test_an_invitation_without_a_message_tells_of_itself(self, cast: Cast) -> None:
        first, second = loop(cast, None), loop(cast, None)
        Message.objects.all().delete()
        Invitation.objects.filter(resurvey__ticket=second).delete()
        assert losses(found()) == {
            ASKED: {Loss(UNDELIVERED, INVITATION_GONE): 1},
            DELIVERED: {Loss("waiting"): 1},
        }
        assert behind(Told(Ticket.objects.all(), Slice()), DELIVERED).get() == first

    def test_as_of_a_past_moment_the_message_was_still_on_its_way(self, cast: Cast) -> None:
        ticket = loop(cast, None)
        sent(ticket, Message.ACCEPTED, at=ASKED_AT + 2 * HOUR)
        assert losses(found(MONDAY + HOUR)) == {LOW: {Loss("in_work"): 1}}
        assert losses(found(MONDAY + 2 * DAY)) == {RESOLVED: {Loss("to_be_asked"): 1}}
        assert losses(found(ASKED_AT + HOUR)) == {ASKED: {Loss(UNDELIVERED, ON_ITS_WAY): 1}}
        assert losses(found(ASKED_AT + 2 * HOUR)) == {DELIVERED: {Loss("waiting"): 1}}

    def test_a_reopened_ticket_is_in_work_again(self, cast: Cast) -> None:
        ticket = loop(cast, None)
        sent(ticket, Message.REJECTED)
        end_unanswered(ticket.resurveys.get().pk, at=ASKED_AT + HOUR)
        ticket.refresh_from_db()
        reopen(ticket, by=cast.chen, at=ASKED_AT + DAY, reason="They called")
        assert losses(found()) == {LOW: {Loss("in_work"): 1}}

    def test_an_empty_cohort_has_stages_of_nobody(self, cast: Cast) -> None:
        assert counts(found()) == dict.fromkeys(STAGES, 0)
        assert found().rate(ANSWERED).share is None


def deliver_by_chance(chance: Random) -> None:
    """Every message meets one of its ends, or none yet."""
    ends = [Message.ACCEPTED, Message.ACCEPTED, Message.REJECTED, Message.DEAD, Message.UNCERTAIN, ""]
    for message in Message.objects.filter(state=Message.QUEUED, invitation__purpose="resurvey"):
        end = chance.choice(ends)
        if end:
            record_end(message, end, "", message.created_at + chance.randrange(1, 100) * HOUR)
    for pk in Resurvey.objects.filter(state=Resurvey.ASKED, cycle__gt=0).values_list("pk", flat=True):
        if chance.random() < 0.5:
            end_unanswered(pk, at=LATER)


@pytest.mark.parametrize("seed", range(4))
def test_counts_add_up_at_every_stage_and_agree_with_the_stories(cast: Cast, seed: int) -> None:
    chance = Random(seed)
    for _ in range(12):
        wander(cast, chance)
    tell_batch(limit=20)
    deliver_by_chance(chance)
    moments: list[datetime | None] = [None, *(MONDAY + days * DAY for days in (3, 11, 24, 40))]
    for _told in ("some", "all"):
        for moment in moments:
            check(moment)
        list(rebuild())


def check(at: datetime | None) -> None:
    given = found(at)
    cohort = low_scores(Ticket.objects.all(), Slice(as_of=at))
    told = stories(cohort, at)
    steps = given.steps
    assert steps[0].count == given.size == len(told)
    assert funnel(Told(Ticket.objects.all(), Slice(as_of=at)).counted(*PLACED)) == given
    for step, after in pairwise(steps):
        assert step.count == after.count + step.lost
        assert all(loss.kind in LOSSES[step.stage] for loss, _count in step.losses)
        assert count_behind(at, step.stage) == step.count
        for loss, count in step.losses:
            assert count_behind(at, step.stage, loss) == count
    assert steps[-1].losses == []
    figures = recovery(told)
    assert steps[-1].count == figures.count(stages=[STORY_ASKED], states=BANDS)
    kinds = Counter(place.loss.kind for place in given.places.elements() if place.loss)
    for state in ("in_work", "merged", "to_be_asked", "unprompted"):
        assert kinds[state] == figures.count(stages=[state])


def test_the_whole_loop_takes_as_many_queries_for_many_as_for_few(cast: Cast) -> None:
    def all_of_it(at: datetime | None) -> Loop:
        return loop_of(Told(Ticket.objects.all(), Slice(as_of=at)), at or LATER)

    def queries(at: datetime | None) -> int:
        with CaptureQueriesContext(connection) as captured:
            all_of_it(at)
        return len(captured)

    heard(cast, low(cast))
    few = queries(None), queries(ASKED_AT + DAY)
    for _ in range(5):
        ask(loop_without_asking(cast))
    assert (queries(None), queries(ASKED_AT + DAY)) == few
    assert few[0] <= 13, "nothing is kept yet: every story is told anew"
    list(rebuild())
    assert queries(None) <= 6


def loop_without_asking(cast: Cast) -> Ticket:
    return put_right(cast, heard(cast, low(cast)))
