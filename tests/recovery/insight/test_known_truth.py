"""What the numbers say of a firm whose truth is known: the lot finds it, the bare rate does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from random import Random

import pytest
from statsmodels.stats.proportion import confint_proportions_2indep

from recovery.insight.cohort import Slice
from recovery.insight.definitions import DEFINITIONS
from recovery.insight.hold_out import figures_of, hold_outs_of
from recovery.lifecycle import hold_out
from recovery.models import HoldOut, Resurvey, Ticket
from surveys.estimates import newcombe_difference, sample_sizes
from tests.due import due, take_step
from tests.make import DAY, HOUR, MONDAY, Cast
from tests.recovery.insight import firm
from tests.recovery.insight.firm import Line
from tests.recovery.insight.histories import answer, heard, low, put_right

ASK_AT = MONDAY + 14 * DAY


@pytest.fixture(scope="module")
def lines() -> list[Line]:
    return firm.table()


class TestThousandFirms:
    def test_by_lot_it_finds_the_twelve_points(self, lines: list[Line]) -> None:
        by_lot = lines[2]
        assert 93 <= by_lot.held_twelve <= 97
        assert by_lot.mean == pytest.approx(12, abs=0.3)

    def test_the_bare_rate_says_nothing_of_them(self, lines: list[Line]) -> None:
        naive = lines[0]
        assert naive.held_twelve == 0
        assert 93 <= naive.held_truth <= 97  # it is right about what it says: 48 %, drift and all

    def test_the_reached_differ_by_what_they_are_and_what_was_done(self, lines: list[Line]) -> None:
        observed = lines[1]
        assert 93 <= observed.held_truth <= 97
        assert observed.truth == pytest.approx(18 - 6 * 0.14 / 0.44)  # of the others, 14 in 44 can be reached
        assert observed.mean == pytest.approx(observed.truth, abs=0.3)
        assert abs(observed.mean - 12) > 2

    def test_that_line_says_that_it_is_not_randomised(self) -> None:
        assert "Not randomised" in str(DEFINITIONS["difference"])

    def test_the_size_is_that_of_the_plan(self) -> None:
        plan = HoldOut(share=20, difference=10, power=80, expected_recovered=36, expected_response=40)
        assert firm.planned()[0] == hold_out_size(plan)

    def test_the_table_of_the_handbook_is_this_one(
        self, lines: list[Line], pytestconfig: pytest.Config
    ) -> None:
        assert firm.as_markdown(lines) in (pytestconfig.rootpath / "docs/metrics.md").read_text()


def hold_out_size(row: HoldOut) -> int:
    expected = row.expected_recovered / 100
    answers = sample_sizes(
        expected, expected + row.difference / 100, share=row.share / 100, power=row.power / 100
    )
    return hold_out.to_draw(answers.first, row.expected_response)


# --- one small firm through the real acts ---------------------------------------------------------------


def drawn_by(seed: int) -> Callable[[str, str], float]:
    """Instead of the keyed hash, which depends on the numbers tickets happen to have."""
    chance = Random(seed)
    return lambda _key, _number: chance.random()


def ask_what_is_due(at: datetime) -> None:
    for question in due("resurveys", at):
        take_step("resurveys", question, at)


def follow_up(cast: Cast, ticket: Ticket, number: int) -> None:
    """Seven in ten pick up; three in four are put right before they are asked."""
    if number % 10 < 7:
        heard(cast, ticket, at=ticket.opened_at + HOUR)
    if number % 4 != 3:
        put_right(cast, Ticket.objects.get(pk=ticket.pk), at=ticket.opened_at + 2 * DAY)


def say(cast: Cast, tickets: list[Ticket], every: int) -> None:
    """Two of three answer, three days after they were asked; of all, one in `every` would be happy now."""
    for number, ticket in enumerate(tickets):
        if number % 3 != 2:
            score = 9 if number % every == 0 else 3
            answer(cast, Ticket.objects.get(pk=ticket.pk), score, at=ticket.opened_at + 17 * DAY)


def test_sixty_tickets_are_drawn_asked_and_counted(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hold_out, "fraction_of", drawn_by(seed=6))
    cast.policy.steps.all().delete()
    plan = {"share": 30, "difference": 45, "expected_recovered": 20, "expected_response": 90}
    row = HoldOut.objects.create(name="Sixty", survey=cast.survey, days=14, **plan)
    row = hold_out.start(row, by=cast.admin, at=MONDAY - DAY)
    for number in range(60):
        low(cast, at=MONDAY + number % 3 * DAY)
    sides = {
        side: list(Ticket.objects.filter(hold_out_draw__side=side).order_by("pk"))
        for side in ("now", "later")
    }
    row.refresh_from_db()
    assert (row.state, row.ended_why, row.planned_later) == ("ended", "full", 15)
    for number, ticket in enumerate(sides["now"]):
        follow_up(cast, ticket, number)
    for day in range(14, 18):
        ask_what_is_due(MONDAY + day * DAY)

    asked = Resurvey.objects.filter(asked_at__isnull=False).select_related("ticket")
    assert {each.asked_at - each.ticket.opened_at for each in asked if each.asked_at} == {14 * DAY}
    assert {each.ticket_id for each in asked} == {each.pk for side in sides.values() for each in side}
    assert Counter(each.ticket_id for each in asked).most_common(1)[0][1] == 1

    say(cast, sides["now"], every=2)
    say(cast, sides["later"], every=4)
    at = MONDAY + 31 * DAY
    (found,) = figures_of(hold_outs_of(Slice(), at), Ticket.objects.all(), at)
    assert (len(sides["now"]), len(sides["later"])) == (43, 15)  # the last two came when it was full
    assert (found.now.drawn, found.now.asked, found.now.answered, found.now.recovered) == (43, 43, 29, 15)
    assert (found.later.drawn, found.later.asked, found.later.answered, found.later.recovered) == (
        15,
        15,
        10,
        3,
    )
    assert not found.preliminary
    assert not found.cut_short
    assert found.difference == newcombe_difference(15, 29, 3, 10)
    low_end, high_end = confint_proportions_2indep(15, 29, 3, 10, method="newcomb", compare="diff")
    assert found.difference is not None
    assert found.difference.interval.low == pytest.approx(low_end, abs=1e-6)
    assert found.difference.interval.high == pytest.approx(high_end, abs=1e-6)
