"""How it was against what was expected, on the page of what drives it: words, rows, picture and file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django.utils.translation import gettext

from recovery.pictures import NARROW, WIDE, Labels
from recovery.pictures.ranges import Range, ranges_svg
from recovery.views.insight_csv import Row, row
from recovery.views.insight_panel_csv import ends_of
from recovery.views.insight_pictures import Picture
from surveys.drivers import STATED, Driver, DriverMap
from surveys.estimates import Interval
from surveys.gaps import WIDEST, Gap
from surveys.weighted import Weighted

# Drawn in hundredths of a point, so that the axis finds round values.
_TIMES: Final = 100.0


def sentences(found: DriverMap) -> list[str]:
    """Which drivers lie clearly on either side of what was expected, and all of them together."""
    if not any(gap.n for _driver, gap in found.gaps):
        return [gettext("Nobody has said both how it was and what they expected in this period.")]
    said = [words for words in (short_words(found), exceeding_words(found)) if words]
    if not said:
        said = [unclear_words(found)]
    if words := weighted_words(found):
        said.append(words)
    return said


def short_words(found: DriverMap) -> str:
    names = [named(driver, gap) for driver, gap in found.gaps if gap.falls_short]
    words = gettext("Below what was expected: {names}.")
    return words.format(names=gettext(", ").join(names)) if names else ""


def exceeding_words(found: DriverMap) -> str:
    names = [named(driver, gap) for driver, gap in found.gaps if gap.exceeds]
    words = gettext("Above what was expected: {names}.")
    return words.format(names=gettext(", ").join(names)) if names else ""


def unclear_words(found: DriverMap) -> str:
    if any(gap.value is not None for _driver, gap in found.gaps):
        return gettext("No driver lies clearly below or above what was expected.")
    return gettext(
        "Fewer than ten people said of any driver both how it was and what they expected: that is too few for"
        " a figure."
    )


def weighted_words(found: DriverMap) -> str:
    gap = found.gap
    if gap is None:
        return nothing_weighs_words(found)
    if not says_how_sure(gap):
        return ""
    words = (
        gettext("All together, weighted by stated importance: {gap}.")
        if found.by == STATED
        else gettext("All together, weighted by how much each goes with the score: {gap}.")
    )
    return words.format(gap=points_words(gap.value, gap.interval))


def says_how_sure(gap: Weighted) -> bool:
    """Where all said the same of each of several drivers there is no interval, and no one value they said."""
    return gap.interval is not None or gap.parts == 1


def nothing_weighs_words(found: DriverMap) -> str:
    if all(gap.value is None for _driver, gap in found.gaps):
        return ""
    return gettext("They cannot be weighted together: no driver has an importance above 0.")


def named(driver: Driver, gap: Gap) -> str:
    return gettext("{name} {gap}").format(name=driver.question, gap=gap_words(gap))


def gap_words(gap: Gap) -> str:
    """−1.2 (−1.5 to −0.9); below ten how many found it worse, as expected and better; a dash for none."""
    if not gap.n:
        return "–"
    if gap.value is None:
        return gettext("{below} below, {same} as expected, {above} above").format(
            below=gap.below, same=gap.as_expected, above=gap.above
        )
    return points_words(gap.value, gap.interval)


def points_words(value: float, ends: Interval | None) -> str:
    """In points of the scale, with its sign; so many decimals that each end shows its side of 0."""
    if ends is None:
        return gettext("{value}, all the same").format(value=signed(value, 1))
    decimals = next((some for some in (1, 2) if shows_sides(ends, some)), 3)
    return gettext("{value} ({low} to {high})").format(
        value=signed(value, decimals), low=signed(ends.low, decimals), high=signed(ends.high, decimals)
    )


def shows_sides(ends: Interval, decimals: int) -> bool:
    return all(round(end, decimals) or not end for end in (ends.low, ends.high))


def signed(value: float, decimals: int) -> str:
    shown = f"{value:+.{decimals}f}" if round(value, decimals) else f"{0:.{decimals}f}"
    return shown.replace("-", "−")


def rows_of(found: DriverMap) -> list[dict[str, Any]]:
    """A row for each driver of which expectation is asked; perceived and expected are of the pairs only."""
    return [
        {
            "name": str(driver.question),
            "perceived": mean_words(gap.perceived),
            "expected": mean_words(gap.expected),
            "gap": gap_words(gap),
            "is_clear": gap.falls_short or gap.exceeds,
            "below": gap.below,
            "same": gap.as_expected,
            "above": gap.above,
            "n": gap.n,
        }
        for driver, gap in found.gaps
    ]


def total_of(found: DriverMap) -> dict[str, Any] | None:
    gap = found.gap
    if gap is None or not says_how_sure(gap):
        return None
    return {"gap": points_words(gap.value, gap.interval), "n": gap.answers, "drivers": gap.parts}


def mean_words(mean: float | None) -> str:
    return "–" if mean is None else f"{mean:.1f}"


def picture_of(found: DriverMap) -> Picture | None:
    """None where no gap has an interval."""
    ranges = [
        range_of(str(driver.question), gap.value, gap.interval, "accent" if gap.falls_short else "neutral")
        for driver, gap in found.gaps
        if gap.value is not None and gap.interval is not None
    ]
    if not ranges:
        return None
    total = found.gap
    if total is not None and total.interval is not None and len(ranges) > 1:
        ranges.append(range_of(gettext("all, weighted"), total.value, total.interval, "neutral"))
    labels = Labels(
        gettext("How it was, less what was expected, with 95 % intervals"), " ".join(sentences(found))
    )
    wide, narrow = (
        ranges_svg(
            ranges,
            labels,
            width=width,
            tick=lambda value: signed(value / _TIMES, 1),
            middle=0,
            floor=-_TIMES * WIDEST,
            ceiling=_TIMES * WIDEST,
            ident="gaps",
        )
        for width in (WIDE, NARROW)
    )
    return Picture(wide, narrow)


def range_of(name: str, value: float, ends: Interval, tone: str) -> Range:
    return Range(name, _TIMES * value, _TIMES * ends.low, _TIMES * ends.high, points_words(value, ends), tone)


def csv_rows(found: DriverMap) -> Iterable[Row]:
    """Each gap, and of how many answers it is below, as and above what was expected."""
    for driver, gap in found.gaps:
        name = str(driver.question)
        shares = ends_of(gap.value, gap.interval)
        yield row("driver_gap", gettext("gap"), whom=name, of=gap.n, shares=shares)
        for side, count in (
            (gettext("below what was expected"), gap.below),
            (gettext("as expected"), gap.as_expected),
            (gettext("above what was expected"), gap.above),
        ):
            yield row("driver_gap", side, whom=name, count=count, of=gap.n)
    total = found.gap
    if total is not None:
        shares = ends_of(total.value, total.interval)
        yield row("weighted_gap", gettext("weighted gap"), of=total.answers, shares=shares)
