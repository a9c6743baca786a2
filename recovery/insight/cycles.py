"""How often a ticket had to be begun again, and after which cause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from recovery.insight.happened import RESOLVED, Happened, Histories, cycle_reached
from recovery.insight.recovery import Rate
from recovery.insight.times import grouped


@dataclass(frozen=True, slots=True)
class Course:
    """One ticket: its cycles, and whether it was reopened after a resolution.

    `cause` is the code of what was found at the first resolution; empty before there was one.
    """

    ticket: int
    cycles: int
    resolved: bool
    reopened: bool
    cause: str


@dataclass(frozen=True)
class Cycles:
    courses: list[Course]

    @property
    def distribution(self) -> Counter[int]:
        """How many tickets have had so many cycles."""
        return Counter(course.cycles for course in self.courses)

    @property
    def reopened(self) -> Rate:
        return reopened_of(self.courses)

    @property
    def by_cause(self) -> dict[str, Rate]:
        """Of the tickets ever resolved, by the cause found then."""
        resolved = (course for course in self.courses if course.resolved)
        found = grouped(resolved, lambda course: course.cause)
        return {cause: reopened_of(courses) for cause, courses in found.items()}


def cycles(told: Histories) -> Cycles:
    return Cycles([course_of(ticket, acts) for ticket, acts in told.items()])


def course_of(ticket: int, acts: list[Happened]) -> Course:
    resolutions = [act for act in acts if act.kind == RESOLVED]
    reached = cycle_reached(acts)
    return Course(
        ticket=ticket,
        cycles=reached,
        resolved=bool(resolutions),
        # Only what was resolved can be reopened.
        reopened=reached > 1,
        cause=(resolutions[0].cause_found or "") if resolutions else "",
    )


def reopened_of(courses: Iterable[Course]) -> Rate:
    resolved = [course for course in courses if course.resolved]
    return Rate(sum(course.reopened for course in resolved), len(resolved))
