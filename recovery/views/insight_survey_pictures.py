"""The pictures of what people said: how many gave each score, and the figure over time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from recovery.pictures import NARROW, WIDE, Labels
from recovery.pictures.levels import Level, levels_svg
from recovery.pictures.ranges import Range, ranges_svg
from recovery.pictures.trend import Goal, Mark, trend_svg
from recovery.views.insight_goals import Row
from recovery.views.insight_pictures import Picture
from recovery.views.insight_survey_words import NAMES, figure_words, headline, value_words
from recovery.views.insight_words import percent
from surveys.results import Figure, Part, Point, Trend
from surveys.scoring import band
from surveys.views.figures import band_names


def levels_picture(figure: Figure) -> Picture | None:
    if not figure.answered:
        return None
    levels = [
        Level(
            name=str(score),
            count=count,
            text=percent(share) if figure.is_enough else str(count),
            tone=band(score, figure.scale),
            told=_("{score}: {count} answers, {band}").format(
                score=score, count=f"{count:,}", band=band_names(figure.kind)[band(score, figure.scale)]
            ),
        )
        for score, count, share in counted_levels(figure)
    ]
    labels = Labels(_("How many gave each score"), headline(figure))
    return Picture(
        levels_svg(levels, labels, width=WIDE, ident="scores"),
        levels_svg(levels, labels, width=NARROW, ident="scores"),
    )


def counted_levels(figure: Figure) -> list[tuple[int, int, float]]:
    """Every score of the scale, the lowest first, with its answers and its share of all."""
    counts = figure.levels.counts
    return [(score, counts.get(score, 0), share) for score, share in figure.levels.shares.items()]


def trend_picture(trend: Trend, kind: str, target: Row | None = None) -> Picture | None:
    """None where no week or month has enough answers, or only one has."""
    if sum(len(run) for run in trend.runs) < 2:
        return None
    joined = {id(point) for run in trend.runs for point in run[1:]}
    changes = {id(point) for point in trend.changes}
    marks = [mark_of(point, trend, kind, id(point) in joined, id(point) in changes) for point in trend.points]
    labels = Labels(
        _("{name} over time, with its 95 % interval").format(name=NAMES[kind]),
        " ".join(
            part
            for part in (
                _("The line is broken where fewer than ten answered, and where the scale changed."),
                target.told if target else "",
            )
            if part
        ),
    )
    floor, tick = axis_of(kind)
    goal = goal_of(target) if target else None
    return Picture(
        *(
            trend_svg(marks, labels, width=width, tick=tick, ident="months", floor=floor, goal=goal)
            for width in (WIDE, NARROW)
        )
    )


def goal_of(target: Row) -> Goal:
    return Goal(target.value, target.aim)


def parts_picture(
    ranked: Sequence[tuple[str, Part]], all_of_them: Figure, target: Row | None = None
) -> Picture | None:
    """Groups of thirty answers or more under each other, with an upright line at the figure of all, and one
    at its target."""
    kind = all_of_them.kind
    ranges = [found for name, part in ranked if (found := range_of(name, part))]
    if len(ranges) < 2 or all_of_them.value is None:
        return None
    labels = Labels(
        _("{name} by group, with 95 % intervals").format(name=NAMES[kind]),
        _("All together: {figure}").format(figure=figure_words(all_of_them)),
    )
    floor, tick = axis_of(kind)
    middle = times_of(kind) * all_of_them.value
    draw = partial(
        ranges_svg, ranges, labels, tick=tick, middle=middle, floor=floor, ident="parts",
        goal=goal_of(target) if target else None,
    )  # fmt: skip
    return Picture(draw(width=WIDE), draw(width=NARROW))


def range_of(name: str, part: Part) -> Range | None:
    figure, times = part.figure, times_of(part.figure.kind)
    if figure.value is None or figure.interval is None:
        return None
    ends = figure.interval
    tone = "accent" if part.is_clear else "neutral"
    return Range(name, times * figure.value, times * ends.low, times * ends.high, figure_words(figure), tone)


def times_of(kind: str) -> int:
    """NPS is drawn in its points, shares in parts of a hundred."""
    return 1 if kind == "nps" else 100


def axis_of(kind: str) -> tuple[float, Callable[[float], str]]:
    """The least the axis shows, and how it writes a value; shares are drawn in parts of a hundred."""
    if kind == "nps":
        return -100, lambda value: value_words("nps", value)
    return 0, lambda value: percent(value / 100)


def mark_of(point: Point, trend: Trend, kind: str, joins: bool, changed: bool) -> Mark:
    figure, times = point.figure, times_of(kind)
    name = stretch_name(point.first, trend.step)
    interval = figure.interval
    return Mark(
        name=short_name(point.first, trend.step),
        told=_("{name}: {figure}, {n} answers").format(
            name=name, figure=figure_words(figure), n=figure.answered
        ),
        value=None if figure.value is None else times * figure.value,
        low=None if interval is None else times * interval.low,
        high=None if interval is None else times * interval.high,
        joins=joins,
        change=_("scale changed") if changed else "",
    )


def stretch_name(first: date, step: str) -> str:
    if step == "week":
        return _("week of {day}").format(day=date_format(first, "SHORT_DATE_FORMAT"))
    return str(date_format(first, "YEAR_MONTH_FORMAT"))


def short_name(first: date, step: str) -> str:
    """As it stands on the axis."""
    return str(date_format(first, "MONTH_DAY_FORMAT" if step == "week" else "YEAR_MONTH_FORMAT"))
