"""In any order of taking, working, dying, freezing, moving and waiting each row is done once, none stays."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

import pytest
from django.db import transaction
from django.db.models import QuerySet
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from dispatch import claims, engine, kinds
from dispatch.claims import BACKOFF, MOST_ATTEMPTS, Taken
from dispatch.kinds import Kind
from dispatch.models import Claim
from tests.dispatch.toys import MINUTE, MONDAY, due_toys, make_toy, marks, play, toys

WORKERS = st.integers(0, 2)
PICK = st.integers(0, 100)
MINUTES = st.integers(-5, 1)


class Killed(BaseException):
    """The process is gone: nothing it would have done after this happens."""


@dataclass
class Worker:
    """What a worker believes to hold; it may be wrong by now."""

    holder: str
    taken: list[Taken] = field(default_factory=list)
    begun: list[Taken] = field(default_factory=list)


class Rows(RuleBasedStateMachine):
    """Toys, whose step looks whether somebody cancelled or moved them but not whether it was taken already:
    only the claims keep it from a second time."""

    def __init__(self) -> None:
        super().__init__()
        self.rollback = transaction.atomic()
        self.rollback.__enter__()
        self.at = MONDAY
        self.turns: dict[int, int] = {}  # how often each row has come due
        self.highest = 0
        self.trouble = ""
        self.names = (f"worker {number}" for number in count())
        self.workers = [Worker(next(self.names)) for _worker in range(3)]
        self.kind = Kind("toys", due_toys, self.step, "created_at")
        kinds.register(self.kind)

    def teardown(self) -> None:
        try:
            self.everything_ends()
        finally:
            transaction.set_rollback(True)
            self.rollback.__exit__(None, None, None)

    def step(self, pk: int, at: datetime) -> None:
        if not toys().filter(pk=pk, reason__in=["by_hand", "bounced"], created_at__lte=at).exists():
            return
        play(pk, at)
        if self.trouble == "dies":
            raise Killed
        if self.trouble == "fails":
            raise RuntimeError

    def some_row(self, pick: int, reason: str) -> int | None:
        rows = list(toys().filter(reason=reason).order_by("pk").values_list("pk", flat=True))
        return rows[pick % len(rows)] if rows else None

    def claim_under(self, row: Taken) -> QuerySet[Claim]:
        return Claim.objects.filter(kind="toys", subject=row.subject, fence=row.fence)

    def one_with(self, what: str, pick: int) -> Worker:
        able = [worker for worker in self.workers if getattr(worker, what)]
        return able[pick % len(able)]

    def replace(self, worker: Worker) -> None:
        self.workers[self.workers.index(worker)] = Worker(next(self.names))

    # --- what people do ---

    @initialize()
    def begin_with_three(self) -> None:
        for minutes in (-1, 0, 1):
            self.turns[make_toy(at=self.at + minutes * MINUTE)] = 1

    @rule(pick=PICK, minutes=MINUTES)
    def move(self, pick: int, minutes: int) -> None:
        if pk := self.some_row(pick, "by_hand"):
            toys().filter(pk=pk).update(created_at=self.at + minutes * MINUTE)

    @rule(pick=PICK)
    def cancel_or_take_back(self, pick: int) -> None:
        if pk := self.some_row(pick, "complained"):
            toys().filter(pk=pk).update(reason="by_hand")
        elif pk := self.some_row(pick, "by_hand"):
            toys().filter(pk=pk).update(reason="complained")

    @rule()
    def ask_again(self) -> None:
        for pk in toys().filter(reason="bounced").values_list("pk", flat=True):
            self.turns[pk] += 1
        toys().filter(reason="bounced").update(reason="by_hand")

    @rule(seconds=st.sampled_from([1, 9, 61, 301, 1801]))
    def wait(self, seconds: int) -> None:
        """Somebody keeps house, and after a long time mends what was given up."""
        self.at += timedelta(seconds=seconds)
        claims.bury(self.at)
        claims.forget(self.at)
        if seconds > 1800:
            self.mend()

    # --- what workers do, each believing what it was told ---

    @rule(number=WORKERS, limit=st.integers(1, 3), suspects=st.booleans())
    def take(self, number: int, limit: int, suspects: bool) -> None:
        worker = self.workers[number]
        living = set(Claim.objects.filter(lease_until__gt=self.at).values_list("subject", flat=True))
        taken = claims.take(self.kind, self.at, limit=limit, holder=worker.holder, suspects=suspects)
        assert len(taken) <= limit
        assert not {each.subject for each in taken} & living
        for each in taken:
            assert each.fence > self.highest
            self.highest = each.fence
        worker.taken += taken

    @precondition(lambda self: any(worker.taken for worker in self.workers))
    @rule(pick=PICK, trouble=st.sampled_from(["", "", "fails", "dies"]))
    def perform(self, pick: int, trouble: str) -> None:
        worker = self.one_with("taken", pick)
        self.trouble = trouble
        try:
            engine.perform(self.kind, worker.taken.pop(0), self.at, lambda *_failed: None)
        except Killed:
            self.replace(worker)
        finally:
            self.trouble = ""

    @precondition(lambda self: any(worker.taken for worker in self.workers))
    @rule(pick=PICK, seconds=st.sampled_from([0, 61]))
    def begin_and_freeze(self, pick: int, seconds: int) -> None:
        """For a moment, or until its lease is over and somebody else does the row."""
        worker = self.one_with("taken", pick)
        row = worker.taken.pop(0)
        claim = self.claim_under(row).filter(lease_until__gt=self.at, dead_at=None)
        ours = claim.exists()
        assert claims.begin(row, self.at) == ours
        if ours:
            worker.begun.append(row)
        if seconds:
            self.wait(seconds)
            engine.run_one("toys", row.subject, self.at)

    @precondition(lambda self: any(worker.begun for worker in self.workers))
    @rule(pick=PICK)
    def wake(self, pick: int) -> None:
        """It goes on where it froze, however long ago that was."""
        row = self.one_with("begun", pick).begun.pop(0)
        ours = self.claim_under(row).exists()
        with transaction.atomic():
            assert claims.end(row) == ours
            if ours:
                self.step(row.subject, self.at)

    @rule(number=WORKERS, told=st.booleans())
    def die(self, number: int, told: bool) -> None:
        """Somebody may be told, who lets go of what it had not begun."""
        worker = self.workers[number]
        if told:
            claims.let_go(worker.holder, self.at)
        self.replace(worker)

    @rule(pick=PICK)
    def nudge(self, pick: int) -> None:
        if pk := self.some_row(pick, "by_hand"):
            engine.run_one("toys", pk, self.at)

    def mend(self) -> None:
        for row in claims.dead():
            assert claims.try_again(row.pk)

    # --- what always holds ---

    @invariant()
    def each_turn_has_its_effect_once(self) -> None:
        for pk, reason in toys().values_list("pk", "reason"):
            assert marks(pk) == self.turns[pk] - (reason != "bounced"), (pk, reason)

    @invariant()
    def only_what_used_up_its_attempts_is_dead(self) -> None:
        assert not claims.dead().filter(attempts__lt=MOST_ATTEMPTS).exists()
        assert not Claim.objects.filter(attempts__gt=MOST_ATTEMPTS).exists()

    def everything_ends(self) -> None:
        """With workers that live and steps that succeed, nothing stays for longer than the longest pause."""
        for _round in range(2):
            self.at += max(BACKOFF) + timedelta(seconds=1)
            claims.bury(self.at)
            self.mend()
            engine.run_all(self.at)
        assert not claims.waiting(self.kind, self.at).exists()
        self.each_turn_has_its_effect_once()
        assert not toys().filter(reason="by_hand").exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("only_toys")
def test_each_row_is_done_once_and_none_is_left() -> None:
    run_state_machine_as_test(
        Rows,
        settings=settings(
            max_examples=40,
            stateful_step_count=60,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
