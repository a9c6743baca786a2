"""The agents of the simulated history: what they do is what somebody could have done."""

from __future__ import annotations

from datetime import datetime
from random import Random
from types import SimpleNamespace
from typing import Any

from recovery.management.simulation.desk import Case, Desk
from recovery.models import Contact, Ticket
from tests.make import DAY, MONDAY, Cast


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
