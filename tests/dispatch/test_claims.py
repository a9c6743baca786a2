from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from dispatch import claims, engine
from dispatch.claims import BACKOFF, MOST_ATTEMPTS, Taken
from dispatch.kinds import Kind
from dispatch.models import Claim
from dispatch.watch import Waiting
from tests.dispatch.conftest import Elsewhere
from tests.dispatch.toys import (
    LEASE,
    MINUTE,
    MONDAY,
    SECOND,
    TOYS,
    due_toys,
    make_toy,
    make_toys,
    marks,
    play,
    toys,
    waiting,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("only_toys")]
LATER = MONDAY + LEASE


def take(at: datetime = MONDAY, limit: int = 20, holder: str = "me", suspects: bool = False) -> list[Taken]:
    return claims.take(TOYS, at, limit=limit, holder=holder, suspects=suspects)


def subjects(taken: list[Taken]) -> list[int]:
    return [each.subject for each in taken]


def finish(taken: Taken, at: datetime) -> bool:
    with transaction.atomic():
        ours = claims.end(taken)
        if ours:
            play(taken.subject, at)
        return ours


class TestTaking:
    def test_it_takes_what_is_due_the_longest_waiting_first(self) -> None:
        young, old = make_toy(), make_toy(at=MONDAY - MINUTE)
        make_toy(at=MONDAY + SECOND)
        assert subjects(take(limit=1)) == [old]
        assert subjects(take()) == [young]
        assert take() == []

    def test_what_is_taken_is_left_alone_until_the_lease_is_over(self) -> None:
        pk = make_toy()
        take()
        assert take(LATER - SECOND) == []
        assert subjects(take(LATER)) == [pk]

    def test_it_narrows_to_the_rows_it_is_asked_for(self) -> None:
        first, second = make_toys(2)
        assert subjects(claims.take(TOYS, MONDAY, limit=5, holder="me", only=[second, 4711])) == [second]
        assert subjects(take()) == [first]

    def test_a_row_asked_for_is_not_taken_from_who_has_it(self) -> None:
        pk = make_toy()
        take()
        assert claims.take(TOYS, MONDAY, limit=1, holder="other", only=[pk]) == []

    def test_a_suspect_asked_for_is_taken_when_its_pause_is_over(self) -> None:
        pk = make_toy()
        [taken] = take()
        claims.begin(taken, MONDAY)
        claims.failed(taken, "x", MONDAY)
        assert claims.take(TOYS, MONDAY + 9 * SECOND, limit=1, holder="me", only=[pk]) == []
        [again] = claims.take(TOYS, MONDAY + 10 * SECOND, limit=1, holder="me", only=[pk])
        assert again.subject == pk

    def test_the_length_of_the_lease_is_a_setting(self, settings: Settings) -> None:
        settings.DISPATCH_LEASE_SECONDS = 7.5
        make_toy()
        take()
        assert Claim.objects.get().lease_until == MONDAY + timedelta(seconds=7.5)

    def test_the_claims_commit_does_not_wait_for_the_disk(self) -> None:
        make_toy()
        with CaptureQueriesContext(connection) as queries:
            take()
        said = [query["sql"].strip() for query in queries]
        quick = said.index("SET LOCAL synchronous_commit TO off")
        [written] = [
            number for number, sql in enumerate(said) if sql.startswith("INSERT INTO dispatch_claim")
        ]
        assert quick < written


class TestManyTakers:
    def test_eight_at_once_never_take_the_same_row(self, elsewhere: Elsewhere) -> None:
        pks = make_toys(400)

        def take_all() -> list[Taken]:
            found: list[Taken] = []
            misses = 0
            while misses < 3:
                some = take(limit=7)
                found += some
                misses += not some
            return found

        taken = [each for one in elsewhere.all([take_all] * 8) for each in one]
        assert sorted(subjects(taken)) == pks
        assert len({each.fence for each in taken}) == 400

    def test_eight_at_once_do_each_row_once(self, elsewhere: Elsewhere) -> None:
        pks = make_toys(200)
        run = elsewhere.all([lambda: engine.run_all(MONDAY)] * 8)
        assert sum(run) == 200
        assert [marks(pk) for pk in pks] == [1] * 200
        assert not Claim.objects.exists()

    def test_a_taker_passes_by_a_row_that_somebody_has_locked(
        self, elsewhere: Elsewhere, impatient: None
    ) -> None:
        locked, free = make_toys(2)
        with elsewhere.frozen(lambda: toys().select_for_update().get(pk=locked)):
            assert subjects(take()) == [free]
        assert subjects(take()) == [locked]

    def test_a_taker_passes_by_a_row_whose_worker_is_frozen_in_its_transaction(
        self, elsewhere: Elsewhere, impatient: None
    ) -> None:
        frozen = make_toy()
        [taken] = take()
        assert claims.begin(taken, MONDAY)
        free = make_toy()
        with elsewhere.frozen(lambda: claims.end(taken)):
            assert subjects(take(LATER)) == [free]
            assert take(LATER, suspects=True) == []
            assert claims.take(TOYS, LATER, limit=1, holder="other", only=[frozen]) == []
        assert subjects(take(LATER, suspects=True)) == [frozen]

    def test_whoever_keeps_house_passes_by_the_claim_of_a_frozen_worker(
        self, elsewhere: Elsewhere, impatient: None
    ) -> None:
        make_toy()
        [taken] = take()
        assert claims.begin(taken, MONDAY)
        Claim.objects.update(attempts=MOST_ATTEMPTS)
        with elsewhere.frozen(lambda: claims.end(taken)):
            assert claims.bury(LATER) == 0
            assert claims.let_go("me", LATER) == 0
        assert claims.bury(LATER) == 1
        Claim.objects.update(dead_at=None, attempts=1)
        with elsewhere.frozen(lambda: claims.end(taken)):
            assert claims.forget(LATER + timedelta(days=1)) == 0
        assert claims.forget(LATER + timedelta(days=1)) == 1

    def test_a_taker_that_looked_before_another_took_leaves_it_the_row(self) -> None:
        """Its look at the claims can be older than its lock on the row."""
        pk = make_toy()
        [taken] = take()
        with transaction.atomic():
            assert claims.claim(TOYS, [pk], MONDAY, "slow") == []
        assert claims.begin(taken, MONDAY)


class TestFence:
    def test_who_took_it_later_has_the_higher_fence_and_who_lost_it_changes_nothing(self) -> None:
        pk = make_toy()
        [stale] = take()
        [taken] = take(LATER, holder="other")
        assert taken.fence > stale.fence
        before = Claim.objects.values().get()
        assert not claims.begin(stale, LATER)
        assert not finish(stale, LATER)
        claims.failed(stale, "late", LATER)
        assert Claim.objects.values().get() == before
        assert marks(pk) == 0
        assert claims.begin(taken, LATER)
        assert finish(taken, LATER)
        assert marks(pk) == 1

    def test_a_frozen_worker_that_wakes_commits_nothing(self) -> None:
        pk = make_toy()
        [stale] = take()
        assert claims.begin(stale, MONDAY)
        [taken] = take(LATER, suspects=True)
        assert not finish(stale, LATER)
        assert marks(pk) == 0
        assert claims.begin(taken, LATER)
        assert finish(taken, LATER)
        assert not finish(stale, LATER)
        assert marks(pk) == 1

    def test_it_does_not_begin_after_its_lease(self) -> None:
        make_toy()
        [taken] = take()
        assert not claims.begin(taken, LATER)
        assert claims.begin(taken, LATER - SECOND)
        assert Claim.objects.get().lease_until == LATER - SECOND + LEASE

    def test_a_fence_never_comes_back(self) -> None:
        pk = make_toy()
        fences = []
        for _time in range(5):
            [taken] = take()
            fences.append(taken.fence)
            assert finish(taken, MONDAY)
            toys().update(reason="by_hand")
        assert fences == sorted(set(fences))
        assert marks(pk) == 5


class TestAttempts:
    def test_beginning_counts_and_failing_pauses_longer_each_time_until_it_is_dead(self) -> None:
        pk = make_toy()
        at = MONDAY
        for attempt, pause in enumerate((*BACKOFF, None), start=1):
            [taken] = take(at, suspects=attempt > 1)
            assert claims.begin(taken, at)
            claims.failed(taken, "no \0 luck" + "x" * 600, at)
            row = Claim.objects.get()
            assert (row.attempts, row.error) == (attempt, ("no  luck" + "x" * 600)[:500])
            if pause:
                assert (row.dead_at, row.lease_until) == (None, at + pause)
                assert take(at + pause - SECOND, suspects=True) == []
                at += pause
        assert [row.subject for row in claims.dead()] == [pk]
        forever = at + timedelta(days=365)
        assert take(forever) == take(forever, suspects=True) == []
        assert claims.take(TOYS, forever, limit=1, holder="me", only=[pk]) == []

    def test_it_pauses_ten_seconds_a_minute_five_and_thirty(self) -> None:
        assert [pause.total_seconds() for pause in BACKOFF] == [10, 60, 300, 1800]
        assert MOST_ATTEMPTS == 5

    def test_suspects_are_taken_only_when_asked_for(self) -> None:
        suspect = make_toy(at=MONDAY - MINUTE)
        [taken] = take()
        claims.begin(taken, MONDAY)
        fresh = make_toy()
        assert subjects(take(LATER)) == [fresh]
        assert subjects(take(LATER, suspects=True)) == [suspect]

    def test_a_row_that_took_down_its_worker_five_times_is_buried_once(self) -> None:
        pk = make_toy()
        at = MONDAY
        for attempt in range(MOST_ATTEMPTS):
            [taken] = take(at, suspects=attempt > 0)
            assert claims.begin(taken, at)
            assert claims.bury(at) == 0
            at += LEASE
        assert take(at, suspects=True) == []
        assert claims.bury(at) == 1
        assert claims.bury(at) == 0
        assert [(row.subject, row.dead_at) for row in claims.dead()] == [(pk, at)]

    def test_a_dead_row_is_free_again_once_a_person_says_so(self) -> None:
        pk = make_toy()
        take()
        claim = Claim.objects.get()
        assert not claims.try_again(claim.pk)
        Claim.objects.update(attempts=5, dead_at=MONDAY)
        assert claims.try_again(claim.pk)
        assert not claims.try_again(claim.pk)
        assert subjects(take()) == [pk]


class TestLettingGo:
    def test_what_its_holder_had_not_begun_is_free_at_once(self) -> None:
        begun, *innocent = make_toys(3)
        taken = take(holder="killed")
        make_toy()
        take(holder="alive")
        assert claims.begin(taken[0], MONDAY)
        assert claims.let_go("killed", MONDAY) == 2
        assert subjects(take()) == innocent
        assert take(suspects=True) == []
        assert subjects(take(LATER, suspects=True)) == [begun]

    @pytest.mark.parametrize("holder", ["", "nobody", "killed' OR 1=1", "k%"])
    def test_of_an_unknown_holder_nothing_is_freed(self, holder: str) -> None:
        make_toy()
        take(holder="killed")
        assert claims.let_go(holder, MONDAY) == 0
        assert take() == []

    def test_a_claim_let_go_is_taken_again_with_its_attempts(self) -> None:
        make_toy()
        [taken] = take()
        claims.begin(taken, MONDAY)
        claims.failed(taken, "x", MONDAY)
        [again] = take(MONDAY + 10 * SECOND, suspects=True, holder="killed")
        assert claims.let_go("killed", MONDAY + 10 * SECOND) == 1
        assert Claim.objects.get().attempts == 1
        assert not claims.begin(again, MONDAY + 10 * SECOND)


class TestForgetting:
    def test_a_claim_whose_row_is_no_longer_due_is_dropped_after_a_day(self) -> None:
        make_toy()
        take()
        toys().update(reason="bounced")
        day = LATER + timedelta(days=1)
        assert claims.forget(day - SECOND) == 0
        assert claims.forget(day) == 1
        assert not Claim.objects.exists()

    def test_the_dead_are_remembered(self) -> None:
        make_toy()
        take()
        Claim.objects.update(dead_at=MONDAY)
        assert claims.forget(MONDAY + timedelta(days=400)) == 0


class TestLateness:
    def test_it_counts_what_nobody_has_and_says_since_when(self) -> None:
        make_toy(at=MONDAY - MINUTE)
        make_toy()
        make_toy(at=MONDAY + SECOND)
        assert waiting(MONDAY) == Waiting("toys", 2, MONDAY - MINUTE)
        take(limit=1)
        assert waiting(MONDAY) == Waiting("toys", 1, MONDAY)
        assert waiting(LATER).number == 3

    def test_the_dead_are_not_late(self) -> None:
        make_toy()
        take()
        Claim.objects.update(dead_at=MONDAY)
        assert waiting(LATER) == Waiting("toys", 0, None)

    def test_nothing_due_is_not_late(self) -> None:
        assert waiting(MONDAY) == Waiting("toys", 0, None)


class TestKindsThatClaimThemselves:
    KIND = Kind("own", due_toys, play, "created_at", claims_itself=True)

    def test_they_are_chosen_among_the_longest_waiting_and_not_kept(self) -> None:
        pks = make_toys(5)
        taken = claims.take(self.KIND, MONDAY, limit=3, holder="me")
        assert len(set(subjects(taken))) == 3
        assert set(subjects(taken)) < set(pks)
        assert {each.fence for each in taken} == {0}
        assert not Claim.objects.exists()
        assert len(claims.take(self.KIND, MONDAY, limit=9, holder="me")) == 5

    def test_one_may_be_asked_for(self) -> None:
        _first, second = make_toys(2)
        assert subjects(claims.take(self.KIND, MONDAY, limit=1, holder="me", only=[second])) == [second]
