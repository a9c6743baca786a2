"""The clock that stood for a customer. The East team works 9 to 17; its Monday begins at 10:00."""

from datetime import datetime

from django.db import connection
from django.test.utils import CaptureQueriesContext

from recovery.insight.cohort import Slice, low_scores
from recovery.insight.recovery import Rate
from recovery.insight.waiting import Pause, Waiting, by_owner, waiting
from recovery.lifecycle import customer_wrote, resume, start_waiting
from recovery.lifecycle.lot import BY_LOT
from recovery.models import Ticket, Wait
from tests.due import run_all
from tests.make import DAY, HOUR, MINUTE, MONDAY, Cast
from tests.recovery.insight.histories import heard, loop, low

LATER = MONDAY + 30 * DAY


def found(at: datetime = LATER) -> Waiting:
    return waiting(low_scores(Ticket.objects.all(), Slice()), at)


def wait(cast: Cast, ticket: Ticket, *, at: datetime, until: datetime | None = None) -> Ticket:
    ticket.refresh_from_db()
    return start_waiting(ticket, by=cast.lina, at=at, reason="Waits for a photo", until=until)


def wrote(ticket: Ticket, *, at: datetime) -> Ticket:
    return customer_wrote(ticket, at=at, text="Here it is", channel="email")


class TestHowLong:
    def test_it_counts_the_working_time_inside_the_wait(self, cast: Cast) -> None:
        ticket = wait(cast, low(cast), at=MONDAY + 6 * HOUR)  # 16:00
        resume(ticket, by=cast.lina, at=MONDAY + DAY)  # 10:00 on Tuesday
        (pause,) = found().pauses
        assert (pause.by, pause.minutes, pause.over) == (cast.lina.pk, 120, True)

    def test_a_wait_that_goes_on_counts_up_to_now_and_is_censored(self, cast: Cast) -> None:
        wait(cast, low(cast), at=MONDAY)
        at_noon = found(MONDAY + 2 * HOUR)
        assert (at_noon.minutes, at_noon.lengths.events) == (120, 0)
        assert found(MONDAY + 3 * HOUR).minutes == 180

    def test_it_is_the_same_before_and_after_the_sweep_has_ended_it(self, cast: Cast) -> None:
        wait(cast, low(cast), at=MONDAY, until=MONDAY + HOUR)
        before = found(MONDAY + 3 * HOUR)
        run_all(MONDAY + 3 * HOUR)
        assert before == found(MONDAY + 3 * HOUR)
        assert [(pause.minutes, pause.over) for pause in before.pauses] == [(60, True)]

    def test_as_of_a_past_moment_it_still_goes_on(self, cast: Cast) -> None:
        ticket = wait(cast, low(cast), at=MONDAY)
        resume(ticket, by=cast.lina, at=MONDAY + 2 * HOUR)
        then = found(MONDAY + HOUR)
        assert [(pause.minutes, pause.over) for pause in then.pauses] == [(60, False)]
        assert found(MONDAY - HOUR).pauses == []

    def test_what_a_hold_out_draws_waits_for_no_customer(self, cast: Cast) -> None:
        Wait.objects.create(ticket=low(cast), cycle=1, starts_at=MONDAY, reason=BY_LOT)
        assert found().pauses == []


class TestAfterReply:
    def begins(self, cast: Cast, ticket: Ticket) -> bool:
        wait(cast, ticket, at=MONDAY + 5 * HOUR)
        (pause,) = found().pauses
        return pause.after_reply

    def test_the_customer_wrote_and_nobody_said_a_word_since(self, cast: Cast) -> None:
        assert self.begins(cast, wrote(low(cast), at=MONDAY + HOUR))

    def test_a_logged_reply_counts_too(self, cast: Cast) -> None:
        assert self.begins(cast, heard(cast, low(cast), outcome="replied"))

    def test_an_attempt_since_gives_the_word_back(self, cast: Cast) -> None:
        ticket = wrote(low(cast), at=MONDAY + HOUR)
        ticket.refresh_from_db()
        assert not self.begins(cast, heard(cast, ticket, at=MONDAY + 2 * HOUR, outcome="no_answer"))

    def test_nobody_had_written(self, cast: Cast) -> None:
        assert not self.begins(cast, heard(cast, low(cast)))

    def test_what_was_written_the_moment_it_began_counts(self, cast: Cast) -> None:
        assert self.begins(cast, wrote(low(cast), at=MONDAY + 5 * HOUR))

    def test_what_was_written_after_it_began_does_not_count(self, cast: Cast) -> None:
        ticket = wait(cast, low(cast), at=MONDAY + HOUR)
        wrote(ticket, at=MONDAY + 2 * HOUR)
        assert found().after_reply == Rate(0, 1)

    def test_a_word_of_an_earlier_cycle_is_an_old_one(self, cast: Cast) -> None:
        ticket = loop(cast, 3)
        Ticket.objects.filter(pk=ticket.pk).update(cycle=2)
        ticket.refresh_from_db()
        assert ticket.cycle == 2
        wait(cast, ticket, at=MONDAY + 9 * DAY)
        assert found().after_reply == Rate(0, 1)


def pauses(by: int, count: int, after_reply: int) -> list[Pause]:
    return [Pause(100 * by + number, by, 60.0, True, number < after_reply) for number in range(count)]


class TestByOwner:
    def test_thirty_are_ranked_ten_are_listed_and_fewer_are_only_counted(self) -> None:
        groups = [pauses(1, 30, 3), pauses(2, 40, 20), pauses(3, 29, 29), pauses(4, 10, 0), pauses(5, 9, 9)]
        shown = by_owner(Waiting([pause for group in groups for pause in group]))
        assert [by for by, _some in shown.ranked] == [2, 1]
        assert {by for by, _some in shown.listed} == {3, 4}
        assert shown.few == 1
        assert shown.ranked[0][1].after_reply == Rate(20, 40)
        assert shown.ranked[0][1].minutes == 40 * 60


def test_it_asks_the_database_as_often_for_many_as_for_one(cast: Cast) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            found()
        return len(captured)

    wait(cast, low(cast), at=MONDAY + MINUTE)
    few = queries()
    for _ in range(5):
        wait(cast, low(cast), at=MONDAY + MINUTE)
    assert queries() == few == 4  # the waits, and a calendar with its hours and days
