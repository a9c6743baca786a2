"""One survey changed its scale on the way, so that the break is seen where its numbers are followed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from django.db.models import prefetch_related_objects

from recovery.management.simulation.world import World
from surveys.intake.banding import band_again
from surveys.models import FormerScale, Survey

SURVEY: Final = "support"
FORMER: Final = {"lowest": 1, "highest": 7, "low_cut": 3, "high_cut": 6}
# How far into the history: some two months before its end, within what the pages show at first.
CHANGED_AFTER: Final = 0.65


def plan_another_scale(
    world: World,
    start: datetime,
    until: datetime,
    plan: Callable[[datetime, Callable[[datetime], None]], None],
) -> None:
    """It is asked on its former scale until then, and on today's from there on."""
    survey = world.surveys[SURVEY]
    todays = {name: getattr(survey, name) for name in FORMER}
    put_on_scale(survey, FORMER)
    at = (start + CHANGED_AFTER * (until - start)).replace(microsecond=0)
    plan(at, functools.partial(change_scale, survey, todays))


def change_scale(survey: Survey, scale: Mapping[str, int], at: datetime) -> None:
    """As the survey's own page does it: the former scale is kept, and what was answered stays on it."""
    former = {name: getattr(survey, name) for name in FORMER}
    FormerScale.objects.create(survey=survey, until=at, best=survey.best, **former)
    put_on_scale(survey, scale)
    band_again(survey)


def put_on_scale(survey: Survey, scale: Mapping[str, int]) -> None:
    for name, value in scale.items():
        setattr(survey, name, value)
    survey.full_clean()
    survey.save(update_fields=list(scale))
    survey.refresh_from_db()  # forgets the former scales it knew
    prefetch_related_objects([survey], "questions")
