"""A firm whose truth is known: what its numbers should say is not estimated but chosen.

People drift by themselves: of those who cannot be reached 30 in 100 recover with nothing done. People who can
be reached are others to begin with: 6 points more of them recover. Following up adds exactly 12 points to
whoever is followed up; that is who can be reached. The lot keeps a fifth of those from being followed up
before they are asked again; nobody else is drawn, as nobody could follow them up. Who answers is chance.

`python -m tests.recovery.insight.firm` prints what the product's own functions make of a thousand such firms.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import django
import numpy as np

if TYPE_CHECKING:
    from recovery.insight.recovery import Rate
    from surveys.estimates import Difference, Interval

SEEDS: Final = 1_000
BY_THEMSELVES, REACHABLE, FOLLOWED_UP = 0.30, 0.06, 0.12
CAN_BE_REACHED, ANSWER, SHARE = 0.70, 0.40, 0.20
# The plan of the hold-out: the difference worth seeing, and the chance of seeing it.
WORTH_SEEING, POWER = 0.10, 0.80


@dataclass(frozen=True)
class Numbers:
    """What one firm's report says: recovered if followed up, reached against not reached, and by lot."""

    naive: Rate
    observed: Difference
    by_lot: Difference


@dataclass(frozen=True)
class Line:
    """How often an interval held what it is asked about, in per cent; the mean of the estimates in points."""

    name: str
    mean: float
    truth: float
    held_truth: float
    held_twelve: float


def planned() -> tuple[int, int]:
    """How many are drawn on each side, by the product's own plan."""
    from surveys.estimates import sample_sizes

    expected = BY_THEMSELVES + REACHABLE
    answers = sample_sizes(expected, expected + WORTH_SEEING, share=SHARE, power=POWER)
    return int(np.ceil(answers.first / ANSWER)), int(np.ceil(answers.second / ANSWER))


def observed_truth() -> float:
    """What reached against not reached comes to here: the reached are those who can be and were followed up;
    the others cannot be reached, or were drawn for later."""
    cannot, later = 1 - CAN_BE_REACHED, CAN_BE_REACHED * SHARE
    others = BY_THEMSELVES + REACHABLE * later / (cannot + later)
    return naive_truth() - others


def naive_truth() -> float:
    return BY_THEMSELVES + REACHABLE + FOLLOWED_UP


def run(seed: int) -> Numbers:
    """One firm, from the low scores to its report; the lot draws until the later side is full."""
    from recovery.insight.hold_out import Side, difference_of
    from recovery.insight.recovery import Rate

    chance = np.random.default_rng(seed)
    size = planned()[0]
    reachable = chance.random(size * 12) < CAN_BE_REACHED
    later = reachable & (chance.random(reachable.size) < SHARE)
    until_full = np.searchsorted(np.cumsum(later), size) + 1
    reachable, later = reachable[:until_full], later[:until_full]
    at_once = reachable & ~later
    recovers = BY_THEMSELVES + REACHABLE * reachable + FOLLOWED_UP * at_once
    recovered = chance.random(recovers.size) < recovers
    answered = chance.random(recovers.size) < ANSWER
    sides = [
        Side(count(side), count(side), count(side, answered), count(side, answered, recovered))
        for side in (at_once, later)
    ]
    by_lot = difference_of(*sides)
    observed = reached_against_others(at_once, answered, recovered)
    assert by_lot is not None
    assert observed is not None
    return Numbers(Rate(sides[0].recovered, sides[0].answered), observed, by_lot)


def count(*which: np.ndarray) -> int:
    return int(np.logical_and.reduce(which).sum())


def reached_against_others(
    reached: np.ndarray, answered: np.ndarray, recovered: np.ndarray
) -> Difference | None:
    """The line of the report that is not randomised, of the same counts as the product makes them."""
    from collections import Counter

    from recovery.insight.cohort import ASKED, NO_ANSWER
    from recovery.insight.recovery import COLUMNS, Recovery

    flow: Counter[tuple[bool, str, str]] = Counter()
    for side, members in ((True, reached), (False, ~reached)):
        flow[side, ASKED, "passive"] = count(members, answered, recovered)
        flow[side, ASKED, "detractor"] = count(members, answered, ~recovered)
        flow[side, ASKED, NO_ANSWER] = count(members, ~answered)
    states = Counter({state: number for (_side, _stage, state), number in flow.items()})
    told = Recovery(flow.total(), flow, dict.fromkeys(COLUMNS, states), Counter(), 0, Counter())
    return told.difference


def table(seeds: int = SEEDS) -> list[Line]:
    found = [run(seed) for seed in range(seeds)]
    naive = [(each.naive.share or 0, each.naive.interval) for each in found]
    observed = [(each.observed.value, each.observed.interval) for each in found]
    by_lot = [(each.by_lot.value, each.by_lot.interval) for each in found]
    return [
        line("Recovered, of those followed up (no comparison)", naive, naive_truth()),
        line("Reached against not reached (not randomised)", observed, observed_truth()),
        line("By lot: at once against later (randomised)", by_lot, FOLLOWED_UP),
    ]


def line(name: str, estimates: Sequence[tuple[float, Interval | None]], truth: float) -> Line:
    values = [value for value, _interval in estimates]
    intervals = [interval for _value, interval in estimates if interval is not None]
    return Line(
        name,
        mean=100 * sum(values) / len(values),
        truth=100 * truth,
        held_truth=100 * sum(each.holds(truth) for each in intervals) / len(values),
        held_twelve=100 * sum(each.holds(FOLLOWED_UP) for each in intervals) / len(values),
    )


def as_markdown(lines: list[Line]) -> str:
    head = (
        "| what the report says | mean of the estimates | what it truly comes to | intervals that hold that |"
        " intervals that hold 12 |\n|---|---:|---:|---:|---:|"
    )
    rows = [
        f"| {each.name} | {each.mean:.1f} | {each.truth:.1f} | {each.held_truth:.1f} % |"
        f" {each.held_twelve:.1f} % |"
        for each in lines
    ]
    return "\n".join([head, *rows])


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    print(f"{SEEDS} firms, each until {planned()[0]:,} are drawn for later")
    print(as_markdown(table()))
