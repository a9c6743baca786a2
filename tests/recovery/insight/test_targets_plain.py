"""What targets are held against is what each story and deadline told by itself, whatever happened."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from recovery.insight.targets import Period, beside, judged, measure_tickets
from recovery.lifecycle import Refused
from recovery.models import Target, Ticket
from tests.make import DAY, HOUR, MONDAY, Cast
from tests.recovery.insight.histories import heard, low, put_right
from tests.recovery.insight.plain_targets import plainly, said
from tests.recovery.insight.test_times_plain import act
from tests.recovery.insight.test_told import World, keep_all

PERIOD = Period(date(2026, 1, 1), date(2026, 12, 31), UTC)
METRICS = [name for name, _label in Target.METRICS if name not in Target.OF_A_SURVEY]


def targets_of(cast: Cast) -> list[Target]:
    """Of each number one for everybody, for every team and for a survey, and one whose day has passed."""
    whose: list[dict[str, Any]] = [{}, {"survey": cast.survey}, {"by_day": date(2026, 3, 12)}]
    whose += [{"team": cast.region}, {"team": cast.west, "survey": cast.survey}]
    return [
        Target.objects.create(**{"metric": metric, "value": Decimal(8), "by_day": date(2026, 12, 31), **one})
        for metric in METRICS
        for one in whose
    ]


class Busy(World):
    """A world where tickets are handed over, put right and taken up again as often as all else."""

    def step(self) -> str:
        with suppress(Refused):
            act(self.cast, self.chance, self.at + HOUR)
        return super().step()


def test_every_number_is_the_plain_one_now_and_at_moments_before(cast: Cast) -> None:
    world, targets = Busy(cast, Random(1)), targets_of(cast)
    for _ in range(30):
        world.step()
    keep_all()
    for _ in range(6):
        world.step()
    agree(targets, world.at + 20 * DAY, None)
    for share in (0.6, 0.9):
        then = MONDAY + share * (world.at - MONDAY)
        agree(targets, then, then)


def agree(targets: list[Target], at: datetime, as_of: datetime | None) -> None:
    pairs = [(target, PERIOD.up_to(target.by_day)) for target in targets]
    found = measure_tickets(pairs, Ticket.objects.all(), at, as_of)
    for target, span in pairs:
        told = (target.metric, target.team, target.survey, as_of)
        assert said(found[target.pk]) == plainly(target, span, at, as_of), told


def test_no_number_lists_every_ticket(cast: Cast) -> None:
    """One whose day has passed costs a page what the numbers of the page cost, and no story is told."""
    for _ in range(3):
        put_right(cast, heard(cast, low(cast)))
    keep_all()
    passed = date(2026, 3, 20)
    for metric in METRICS:
        Target.objects.create(metric=metric, value=8, by_day=passed)
    with CaptureQueriesContext(connection) as asked:
        found = beside(dict.fromkeys(METRICS, None), Ticket.objects.all(), PERIOD, MONDAY + 90 * DAY)  # type: ignore[arg-type]
    assert {each.period.last for each in found.values()} == {passed}
    assert len(found) == len(METRICS)
    assert len(asked) <= 18
    assert not [row["sql"] for row in asked.captured_queries if "tier" in row["sql"]], "as a story is told"


def test_low_scores_may_come_in_between_its_questions(cast: Cast) -> None:
    """After whichever question: each number is of those before it or of those with it, and nothing breaks."""
    for _ in range(2):
        heard(cast, low(cast))
    keep_all()
    targets = [Target.objects.create(metric=metric, value=8, by_day=date(2026, 12, 31)) for metric in METRICS]
    targets += [Target.objects.create(metric="reached", value=8, by_day=date(2026, 12, 31), team=cast.east)]
    with CaptureQueriesContext(connection) as asked:
        judged(targets, Ticket.objects.all(), PERIOD, MONDAY + DAY)
    for turn in range(len(asked)):
        before = Ticket.objects.count()
        with connection.execute_wrapper(after(turn, lambda: low(cast))):
            found = judged(targets, Ticket.objects.all(), PERIOD, MONDAY + DAY)
        assert Ticket.objects.count() == before + 1, turn
        rates = [each for each in found if each.target.metric == "reached"]
        assert {each.n for each in rates} <= {before, before + 1}


def after(turn: int, happens: Callable[[], object]) -> Callable[..., Any]:
    """Does something once, when so many questions have been answered."""
    answered = 0

    def wrapper(execute: Callable[..., Any], *args: Any) -> Any:
        nonlocal answered
        answered += 1
        if answered == turn + 2:
            happens()
        return execute(*args)

    return wrapper
