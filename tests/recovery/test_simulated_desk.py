"""The agents of the simulated history: what they do is what somebody could have done."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from recovery import business_hours
from recovery.management.simulation.decency import decent_time, is_decent
from recovery.management.simulation.desk import Case, Desk
from recovery.models import Contact, Ticket
from tests.make import DAY, HOUR, MONDAY, Cast


def test_it_calls_nobody_who_is_not_known(cast: Cast) -> None:
    ticket = cast.ticket()
    Ticket.objects.filter(pk=ticket.pk).update(customer=None)
    hours = {ticket.team_id: cast.calendar.as_working_calendar()}
    world: Any = SimpleNamespace(hours=hours, is_away=lambda *_who: False)
    planned: list[datetime] = []
    agenda: Any = SimpleNamespace(plan=lambda at, _step: planned.append(at))
    desk = Desk(world, Random(4), agenda, MONDAY + 9 * DAY)
    case = Case(ticket.pk, "late", None, neglected=False)
    desk.cases[ticket.pk] = case
    desk.try_contact(case, MONDAY)
    assert not Contact.objects.exists()
    assert len(planned) == 1  # it is put right as far as it can be


@pytest.mark.parametrize("zone", ["Europe/London", "America/New_York", "Australia/Sydney", "Asia/Shanghai"])
def test_it_finds_a_time_in_the_customers_day_and_in_the_teams_hours_where_both_meet(
    cast: Cast, zone: str
) -> None:
    hours, there = cast.calendar.as_working_calendar(), ZoneInfo(zone)
    both = [MONDAY + n * HOUR / 3 for n in range(72)]
    meets = any(is_decent(each, there) and business_hours.is_open(hours, each) for each in both)
    for after in range(24):
        at = decent_time(hours, there, MONDAY + after * HOUR)
        assert at >= MONDAY + after * HOUR
        assert 8 <= at.astimezone(there).hour < 20
        assert business_hours.is_open(hours, at) == meets


def test_it_calls_nobody_in_their_night_but_waits_for_their_day(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = cast.ticket()
    assert ticket.customer
    ticket.customer.time_zone = "America/New_York"
    there = ZoneInfo("America/New_York")
    hours = {ticket.team_id: cast.calendar.as_working_calendar()}
    world: Any = SimpleNamespace(hours=hours, is_away=lambda *_who: False)
    planned: list[datetime] = []
    agenda: Any = SimpleNamespace(plan=lambda at, _step: planned.append(at))
    desk = Desk(world, Random(4), agenda, MONDAY + 9 * DAY)
    person: Any = SimpleNamespace(row=ticket.customer, picks_up=1.0)
    case = Case(ticket.pk, "late", person, neglected=False)
    desk.cases[ticket.pk] = case
    night = MONDAY.astimezone(there).replace(hour=3)
    monkeypatch.setattr(desk.rng, "random", lambda: 0.9)  # they would call, not write
    desk.try_contact(case, night)
    assert not Contact.objects.exists()
    assert case.tries == 0
    assert is_decent(planned[0], there)
    assert planned[0] - night < timedelta(days=1)
