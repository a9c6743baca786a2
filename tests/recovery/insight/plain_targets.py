"""The numbers of targets the plain way: every story and deadline told one by one, the target's own picked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from recovery.insight.cohort import Slice, low_scores, stories
from recovery.insight.comebacks import comebacks
from recovery.insight.recovery import Rate, recovery
from recovery.insight.targets import HALF, KEPT, Number, Period
from recovery.models import Target, Team, Ticket
from recovery.models.ticket import TicketQuerySet
from surveys.estimates import CensoredTimes
from tests.recovery.insight.plain_times import by_kind, promised
from tests.recovery.insight.plain_times import told as told_times


def plainly(target: Target, span: Period, at: datetime, as_of: datetime | None) -> tuple[Any, ...]:
    cohort = low_scores(Ticket.objects.all(), Slice(span.start, span.end, as_of=as_of))
    told = {story.ticket: story for story in stories(cohort, as_of)}
    surveys = dict(cohort.order_by().values_list("pk", "response__survey"))
    teams = Team.ids_below({target.team_id}) if target.team_id else None
    mine = frozenset(
        ticket
        for ticket, story in told.items()
        if (teams is None or story.team in teams) and target.survey_id in (None, surveys[ticket])
    )
    if target.metric == "repeat_contact":
        return came_back(cohort, at, mine)
    if target.metric in KEPT.keys() | HALF.keys():
        return of_deadlines(target.metric, cohort, at, mine)
    found = recovery([told[ticket] for ticket in mine])
    rates = {
        "reached": found.reached,
        "responded": found.responded,
        "recovered": found.recovered(),
        "converted": found.converted(),
    }
    return said(rates[target.metric])


def came_back(cohort: TicketQuerySet, at: datetime, mine: frozenset[int]) -> tuple[Any, ...]:
    found = comebacks(cohort, Ticket.objects.all(), at)
    judged = set(found.over.values_list("ticket", flat=True))
    return len(found.came_back & mine), len(judged & mine)


def of_deadlines(metric: str, cohort: TicketQuerySet, at: datetime, mine: frozenset[int]) -> tuple[Any, ...]:
    kind = {**KEPT, **HALF}[metric]
    rows = [row for row in promised(cohort, at) if row.ticket in mine and row.kind == kind]
    if metric in KEPT:
        return said(by_kind(rows, at)[kind].kept)
    times = told_times(rows, at).working
    return times.count, times.events, times.steps


def said(number: Number) -> tuple[Any, ...]:
    if isinstance(number, CensoredTimes):
        return number.count, number.events, number.steps
    assert isinstance(number, Rate)
    return number.hits, number.n
