"""Whether following up works in the simulated firm: what is true there, and the hold-outs that ask.

The truth. Who scored low drifts back by themselves: OWN in 100 are no longer detractors when they are asked
again, somewhat more of those who pick up the phone, somewhat fewer of those who do not. Having been heard
before they answer adds ADDED points, for everybody alike. Nobody changes by having been drawn.

So both sides of a hold-out differ by ADDED x (the share heard at once - the share of those for later who were
heard early), and 95 in 100 intervals on the report hold what that comes to. Reached against not reached comes
out higher, because who can be reached drifts back more often, too.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Any, Final

from recovery.lifecycle import hold_out
from recovery.management.simulation.world import World
from recovery.models import HoldOut
from surveys import scoring

OWN: Final = 0.20
ADDED: Final = 0.60
# By so much those who always pick up drift back more often than those who never do.
LEANING: Final = 0.4
USUAL_PICKS_UP: Final = 0.525
# Of those who are back, so many are promoters: of those whose matter was put right in time, and of others.
DELIGHTED, RELIEVED = 0.68, 0.43

# Which survey; how far into the history it starts (0 the first day, 1 the last; None: not yet); its plan.
PLANS: Final[tuple[tuple[str, float | None, dict[str, Any]], ...]] = (
    (
        "relationship",
        0.1,
        {
            "name": "Does calling at once win people back?",
            "share": 50,
            "days": 7,
            "difference": 50,
            "expected_recovered": 20,
            "expected_response": 75,
            "spared_priority": 1,
        },
    ),
    (
        "delivery",
        0.5,
        {
            "name": "Does it work after a delivery, too?",
            "share": 50,
            "days": 7,
            "difference": 50,
            "expected_recovered": 20,
            "expected_response": 65,
            "spared_tiers": ["Gold"],
        },
    ),
    (
        "support",
        None,
        {"name": "After a service call", "share": 30, "difference": 30, "expected_response": 60},
    ),
)


def chance_of_recovery(picks_up: float, *, heard: bool) -> float:
    """Of no longer being a detractor when asked again; `picks_up` is their chance to answer a call."""
    return OWN + LEANING * (picks_up - USUAL_PICKS_UP) + ADDED * heard


def band_when_asked_again(rng: Random, picks_up: float, *, heard: bool, in_time: bool) -> str:
    if rng.random() >= chance_of_recovery(picks_up, heard=heard):
        return scoring.DETRACTOR
    delighted = DELIGHTED if heard and in_time else RELIEVED
    return scoring.PROMOTER if rng.random() < delighted else scoring.PASSIVE


def plan_hold_outs(
    world: World,
    rng: Random,
    start: datetime,
    until: datetime,
    plan: Callable[[datetime, Callable[[datetime], None]], None],
) -> None:
    """Each starts in its time; of a draft, whoever looks finds how many low scores it would take."""
    for survey, share, fields in PLANS:
        row = HoldOut.objects.create(survey=world.surveys[survey], **fields)
        key = f"{rng.getrandbits(256):064x}"
        if share is not None:
            at = (start + share * (until - start)).replace(microsecond=0)
            plan(at, functools.partial(begin, row, world, key))


def begin(row: HoldOut, world: World, key: str, at: datetime) -> None:
    hold_out.start(row, by=world.users["wu"], at=at, key=key)
