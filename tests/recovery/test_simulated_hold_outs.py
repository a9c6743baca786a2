"""The hold-outs of the simulated history: what is true there, and that nobody cheats the lot."""

from __future__ import annotations

from datetime import datetime
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from recovery.lifecycle import hold_out, resume
from recovery.management.simulation.desk import BREATH, Desk
from recovery.management.simulation.hold_outs import ADDED, OWN, band_when_asked_again
from recovery.models import HoldOut, Ticket
from surveys import scoring
from tests.make import DAY, HOUR, MONDAY, Cast

PEOPLE = 20_000


def recovered(rng: Random, *, heard: bool) -> float:
    bands = [
        band_when_asked_again(rng, rng.uniform(0.25, 0.8), heard=heard, in_time=True) for _ in range(PEOPLE)
    ]
    return 1 - bands.count(scoring.DETRACTOR) / PEOPLE


def test_being_heard_adds_what_the_firm_says_it_adds() -> None:
    rng = Random(1)
    own, after = recovered(rng, heard=False), recovered(rng, heard=True)
    assert own == pytest.approx(OWN, abs=0.015)
    assert after - own == pytest.approx(ADDED, abs=0.015)


class Watched:
    """A desk whose agenda is looked at, with one ticket that the lot leaves for later."""

    def __init__(self, cast: Cast) -> None:
        row = HoldOut.objects.create(name="Calls", survey=cast.survey, days=10)
        hold_out.start(row, by=cast.admin, at=MONDAY - DAY, key="k" * 64)
        self.ticket = cast.ticket()
        self.planned: list[datetime] = []
        agenda: Any = SimpleNamespace(plan=lambda at, _step: self.planned.append(at))
        hours = {self.ticket.team_id: cast.calendar.as_working_calendar()}
        world: Any = SimpleNamespace(hours=hours, is_away=lambda *_who: False)
        self.desk = Desk(world, Random(4), agenda, MONDAY + 90 * DAY)
        self.desk.begin(self.ticket, "other", None, MONDAY)
        self.ask_at = MONDAY + 10 * DAY
        self.until = self.ask_at + cast.survey.answer_days * DAY


@pytest.fixture
def watched(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Watched:
    monkeypatch.setattr(hold_out, "side_of", lambda _row, _number: "later")
    return Watched(cast)


def test_nobody_touches_before_its_time_what_the_lot_leaves_for_later(watched: Watched) -> None:
    assert sorted(watched.planned) == [watched.ask_at, watched.until, watched.until + BREATH]
    assert not watched.desk.cases


def test_it_is_followed_up_like_any_other_once_its_time_has_come(watched: Watched) -> None:
    resume(watched.ticket, by=None, at=watched.until)
    watched.desk.take_up(watched.ticket.pk, watched.until + BREATH)
    assert list(watched.desk.cases) == [watched.ticket.pk]
    assert max(watched.planned) > watched.until + BREATH
    watched.desk.take_up(watched.ticket.pk, watched.until + HOUR)  # once
    assert not watched.desk.held_out


def test_who_comes_forward_is_followed_up_at_once(watched: Watched) -> None:
    watched.desk.came_forward(Ticket.objects.get(pk=watched.ticket.pk), MONDAY + HOUR)
    assert not watched.desk.cases
    ticket = hold_out.follow_up_early(watched.ticket, at=MONDAY + DAY, why="second_low")
    watched.desk.came_forward(ticket, MONDAY + DAY)
    assert list(watched.desk.cases) == [watched.ticket.pk]
