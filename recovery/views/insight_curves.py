"""How many are done by when, drawn: Kaplan-Meier curves with their bands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from django.utils.translation import gettext as _

from recovery.insight.reach import Search
from recovery.insight.times import Waited
from recovery.pictures import NARROW, WIDE, Curve, Labels, Point, curve_svg
from recovery.views.insight_goals import Row
from recovery.views.insight_pictures import Picture
from recovery.views.insight_words import half_within, interval_words, working_span
from surveys.estimates import MIN_ANSWERS_FOR_PERCENT, CensoredTimes, SurvivalStep

# Minutes between two ticks of working time: the first that leaves at most TICKS of them.
STEPS: Final = (1, 2, 5, 10, 15, 30, *(60 * 2**power for power in range(16)))
TICKS: Final = 8
# No screen shows more steps of a curve side by side.
FINEST: Final = 400


def times_curve(kind: str, title: str, times: Waited, goal: Row | None = None) -> Picture | None:
    """In working time, with half and four in five marked; None below ten, and where nothing is done yet.

    It ends where fewer than ten are left, unless it is the plain share of all: then its end is no guess. A
    goal is the time within which half should be done: an upright line.
    """
    working = times.working
    steps = steps_to_draw(working)
    goals = [(60 * goal.value, goal.aim)] if goal else []
    curve = curve_of(working, steps, working_ticks, working_span, goals)
    description = " ".join(part for part in (half_within(kind, times.working), goal and goal.told) if part)
    return drawn(curve, Labels(_("{what}: done by when").format(what=title), description), f"curve-{kind}")


def steps_to_draw(times: CensoredTimes) -> list[SurvivalStep]:
    """Of a long curve the last step of each stretch no wider than a line: the others are not reckoned."""
    until = len(times.times) if times.is_complete else times.telling_steps
    places = times.times[:until]
    if until <= FINEST or places[-1] <= 0:
        return [times.step(index) for index in range(until)]
    lasts = {int(FINEST * time / places[-1]): index for index, time in enumerate(places)}
    return [times.step(index) for index in lasts.values()]


def attempts_curve(search: Search, description: str) -> Picture | None:
    """Reached by which attempt, as far as ten were tried; None where nobody was reached by then."""
    curve = curve_of(search.times, search.times.telling, attempt_ticks, None)
    return drawn(curve, Labels(_("Reached by which attempt"), description), "curve-attempts")


def drawn(curve: Curve | None, labels: Labels, ident: str) -> Picture | None:
    if curve is None:
        return None
    wide, narrow = (curve_svg(curve, labels, width=width, ident=ident) for width in (WIDE, NARROW))
    return Picture(wide, narrow) if wide else None


Ticks = Callable[[float], list[tuple[float, str]]]


def curve_of(
    times: CensoredTimes,
    steps: Sequence[SurvivalStep],
    ticks: Ticks,
    say: Callable[[float], str] | None,
    goals: Sequence[tuple[float, str]] = (),
) -> Curve | None:
    """The first `steps` of the curve of `times`; the axis goes on to the goals."""
    if times.count < MIN_ANSWERS_FOR_PERCENT or not steps:
        return None
    until = steps[-1].time
    points = [Point(step.time, 1 - step.survival, 1 - step.high, 1 - step.low) for step in steps]
    marks = [mark for mark in marks_of(times, say) if mark[0] <= until] if say else ()
    reach = max(until, *(place for place, _words in goals), 0.0)
    return Curve(thinned(points, until), until, ticks(reach), marks, goals)


def thinned(points: list[Point], until: float) -> list[Point]:
    """The last point of each stretch no wider than a line."""
    if len(points) <= FINEST or until <= 0:
        return points
    return list({int(FINEST * point.x / until): point for point in points}.values())


def marks_of(times: CensoredTimes, say: Callable[[float], str]) -> list[tuple[float, float, str]]:
    """Where half and four in five are done, with the interval of that time."""
    found = [(percent, times.percentile(percent)) for percent in (50, 80)]
    return [(each.value, percent / 100, interval_words(each, say)) for percent, each in found if each]


def working_ticks(until: float) -> list[tuple[float, str]]:
    step = next((step for step in STEPS if until / step <= TICKS), STEPS[-1])
    places = range(0, int(until) + 1, step)
    return [(float(minutes), hours_words(minutes)) for minutes in places]


def hours_words(minutes: int) -> str:
    if minutes % 60:
        return _("{m} min").format(m=minutes)
    return _("{h} h").format(h=f"{minutes // 60:,}")


def attempt_ticks(until: float) -> list[tuple[float, str]]:
    step = max(1, round(until / 12))
    return [(float(number), f"{number}") for number in range(0, int(until) + 1, step)]
