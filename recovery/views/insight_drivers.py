"""What drives it: how each part of the service is rated, how important it is, and what was expected."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery.insight.definitions import DEFINITIONS
from recovery.insight.said import which_answers
from recovery.pictures import NARROW, WIDE, Labels
from recovery.pictures.drivers import Axis, Point, Quarters, map_svg
from recovery.views import door, insight_gaps, insight_slice
from recovery.views.insight_csv import Row, row
from recovery.views.insight_file import as_file, dated
from recovery.views.insight_frame import page
from recovery.views.insight_of_answers import link, survey_of
from recovery.views.insight_panel_csv import ends_of, heads
from recovery.views.insight_pictures import Picture
from recovery.views.insight_slice import Asked
from recovery.views.insight_survey_words import scale_words
from surveys.drivers import (
    CORRELATED,
    IMPROVE,
    KEEP,
    LOW_PRIORITY,
    NICE,
    STATED,
    UNCLEAR,
    Driver,
    DriverMap,
    driver_map,
    with_ratings,
)
from surveys.estimates import Interval

OWN: Final = ("importance",)
IMPORTANCES: Final[dict[str, Promise]] = {
    STATED: _("Importance as people state it"),
    CORRELATED: _("Importance as it goes with the score"),
}
PLACES: Final[dict[str, Promise]] = {
    IMPROVE: _("Improve now"),
    KEEP: _("Keep it up"),
    NICE: _("Nice to have"),
    LOW_PRIORITY: _("Low priority"),
    UNCLEAR: _("too close to tell"),
}
# Colour means time or band; here only what calls for an act stands out, and what cannot be told is grey.
TONES: Final = {
    IMPROVE: "accent",
    KEEP: "neutral",
    NICE: "neutral",
    LOW_PRIORITY: "neutral",
    UNCLEAR: "silent",
}


@door.staff_page()
@require_safe
def show_drivers(request: HttpRequest) -> HttpResponse:
    asked = insight_slice.read(request, now())
    found = found_for(asked, door.asked(request, "importance"))
    if found is None:
        return page(request, "insight_drivers", asked, "insight-drivers", of_answers=True)
    return page(
        request,
        "insight_drivers",
        asked,
        "insight-drivers",
        of_answers=True,
        found=found,
        survey=found.survey,
        scale=scale_words(found.era.scale),
        sentences=sentences(found),
        picture=picture_of(found) if found.cuts else None,
        rows=rows_of(found),
        is_by_statement=found.by == STATED,
        importances=importances(found, request, asked),
        gaps=gaps_of(found),
        csv_url=link("insight-drivers-csv", request, asked, OWN),
        definitions_shown=[DEFINITIONS[code] for code in definitions_of(found)],
    )


@door.staff_page()
@require_safe
def export_drivers(request: HttpRequest) -> HttpResponse:
    asked = insight_slice.read(request, now())
    found = found_for(asked, door.asked(request, "importance"))
    return as_file(dated("drivers", asked), heads(), csv_rows(found) if found else [])


def found_for(asked: Asked, importance: str) -> DriverMap | None:
    """Of the survey asked for, else of the one most answered that asks for ratings; None where none does."""
    which = which_answers(asked.which)
    survey = survey_of(asked, with_ratings(asked.surveys), which)
    return driver_map(survey, which, importance if importance in IMPORTANCES else "") if survey else None


def importances(found: DriverMap, request: HttpRequest, asked: Asked) -> list[dict[str, Any]]:
    """What the map may go by; nothing to choose where importance is not asked."""
    if not found.is_stated:
        return []
    return [
        {
            "name": name,
            "url": link("insight-drivers", request, asked, importance=by),
            "chosen": by == found.by,
        }
        for by, name in IMPORTANCES.items()
    ]


def gaps_of(found: DriverMap) -> dict[str, Any] | None:
    """None where nobody asks what was expected."""
    if not found.gaps:
        return None
    return {
        "sentences": insight_gaps.sentences(found),
        "rows": insight_gaps.rows_of(found),
        "total": insight_gaps.total_of(found),
        "picture": insight_gaps.picture_of(found),
    }


def definitions_of(found: DriverMap) -> list[str]:
    importance = "driver_stated" if found.by == STATED else "driver_importance"
    gaps = ["driver_gap", "weighted_gap"] if found.gaps else []
    return ["driver_mean", importance, "driver_map", "satisfaction_index", *gaps, "panel_scale"]


# --- words --------------------------------------------------------------------------------------------------


def sentences(found: DriverMap) -> list[str]:
    said = [words for place in (IMPROVE, KEEP) if (words := place_words(found, place))]
    if words := nothing_first_words(found):
        said.insert(0, words)
    if found.cuts is None:
        said.append(no_map_words(found))
    if found.index is not None:
        value = measure_words(found.index.value, found.index.interval, decimals=0)
        said.append(gettext("Satisfaction index: {value} of 100.").format(value=value))
    return said


def nothing_first_words(found: DriverMap) -> str:
    """Where nothing is clearly to be improved: that it is so, and who is rated lowest all the same."""
    places, lowest = {found.place(driver) for driver in found.placed}, found.lowest_rated
    if found.cuts is None or lowest is None or IMPROVE in places:
        return ""
    if places == {UNCLEAR}:
        said = gettext(
            "No driver stands out: their intervals overlap the middle. The lowest rated is {name}, {mean}."
        )
    else:
        said = gettext("No driver clearly comes first to improve. The lowest rated is {name}, {mean}.")
    return said.format(name=lowest.question, mean=mean_words(lowest))


def place_words(found: DriverMap, place: str) -> str:
    """What to improve, and what to keep up; nothing where nothing stands there."""
    names = [str(driver.question) for driver in found.drivers if found.place(driver) == place]
    say = stated_words if found.by == STATED else correlated_words
    return say(place, len(names)).format(names=gettext(", ").join(names)) if names else ""


def correlated_words(place: str, n: int) -> str:
    if place == IMPROVE:
        return ngettext(
            "Improve now: {names}. It goes with the score more than the others, and is rated lower.",
            "Improve now: {names}. They go with the score more than the others, and are rated lower.",
            n,
        )
    return ngettext(
        "Keep it up: {names}. It goes with the score more than the others, and is rated higher.",
        "Keep it up: {names}. They go with the score more than the others, and are rated higher.",
        n,
    )


def stated_words(place: str, n: int) -> str:
    if place == IMPROVE:
        return ngettext(
            "Improve now: {names}. People call it more important than the others, and rate it lower.",
            "Improve now: {names}. People call them more important than the others, and rate them lower.",
            n,
        )
    return ngettext(
        "Keep it up: {names}. People call it more important than the others, and rate it higher.",
        "Keep it up: {names}. People call them more important than the others, and rate them higher.",
        n,
    )


def no_map_words(found: DriverMap) -> str:
    few = ngettext(
        "{n} driver has the 30 ratings it takes to be placed; a map needs two.",
        "{n} drivers have the 30 ratings it takes to be placed; a map needs two.",
        len(found.placed),
    )
    return few.format(n=len(found.placed))


def measure_words(value: float | None, ends: Interval | None, decimals: int) -> str:
    """4.2 (4.0 to 4.4); the value alone where no interval can be had, a dash where there is none."""
    if value is None:
        return "–"
    if ends is None:
        return as_number(value, decimals)
    return gettext("{value} ({low} to {high})").format(
        value=as_number(value, decimals),
        low=as_number(ends.low, decimals),
        high=as_number(ends.high, decimals),
    )


def as_number(value: float, decimals: int) -> str:
    return f"{value:.{decimals}f}".replace("-", "−")


def mean_words(driver: Driver) -> str:
    if driver.mean is not None and driver.interval is None:
        return gettext("{value}, all the same").format(value=as_number(driver.mean, 1))
    return measure_words(driver.mean, driver.interval, 1)


def importance_words(driver: Driver) -> str:
    if driver.by == CORRELATED:
        return measure_words(driver.importance, driver.importance_interval, 2)
    if driver.importance is not None and driver.importance_interval is None:
        return gettext("{value}, all the same").format(value=as_number(driver.importance, 1))
    return measure_words(driver.importance, driver.importance_interval, 1)


def rows_of(found: DriverMap) -> list[dict[str, Any]]:
    """Numbered as in the picture; who has no place bears no number and says why."""
    rows = []
    for place, driver in enumerate(found.drivers, start=1):
        quarter = found.place(driver)
        rows.append(
            {
                "number": place if quarter else "",
                "name": str(driver.question),
                "n": driver.n,
                "mean": mean_words(driver),
                "importance": importance_words(driver),
                "stated": driver.importance_n,
                "place": PLACES[quarter] if quarter else why_unplaced(driver),
                "has_verdict": quarter not in ("", UNCLEAR),
            }
        )
    return rows


def why_unplaced(driver: Driver) -> str:
    if driver.n < 30:
        return gettext("not placed: fewer than 30 ratings")
    if driver.importance_n < 30:
        return gettext("not placed: fewer than 30 say how important it is")
    if driver.importance is None:
        return gettext("not placed: everybody gave the same")
    return gettext("not placed: it stands alone")


# --- the picture and the file -------------------------------------------------------------------------------


def picture_of(found: DriverMap) -> Picture:
    assert found.cuts is not None
    means, importances = found.cuts
    points = [
        Point(
            driver.mean or 0.0,
            driver.importance or 0.0,
            f"{driver.question}: {PLACES[found.place(driver)]}",
            TONES[found.place(driver)],
        )
        for driver in found.placed
    ]
    across = Axis(gettext("mean rating"), means, 0.5)
    is_stated = found.by == STATED
    name = gettext("stated importance") if is_stated else gettext("importance")
    up = Axis(name, importances, 0.5 if is_stated else 0.1)
    quarters = Quarters(str(PLACES[IMPROVE]), str(PLACES[KEEP]), str(PLACES[LOW_PRIORITY]), str(PLACES[NICE]))
    labels = Labels(gettext("Drivers by rating and importance"), " ".join(sentences(found)))
    wide, narrow = (
        map_svg(points, across, up, quarters, labels, width=width, ident="drivers")
        for width in (WIDE, NARROW)
    )
    return Picture(wide, narrow)


def csv_rows(found: DriverMap) -> Iterable[Row]:
    for driver in found.drivers:
        name = str(driver.question)
        yield row(
            "driver_mean",
            gettext("mean rating"),
            whom=name,
            of=driver.n,
            shares=ends_of(driver.mean, driver.interval),
        )
        is_stated = driver.by == STATED
        yield row(
            "driver_stated" if is_stated else "driver_importance",
            gettext("stated importance") if is_stated else gettext("importance"),
            whom=name,
            of=driver.importance_n,
            shares=ends_of(driver.importance, driver.importance_interval),
        )
        quarter = found.place(driver)
        yield row("driver_map", PLACES[quarter] if quarter else why_unplaced(driver), whom=name, of=driver.n)
    index = found.index
    if index is not None:
        shares = ends_of(index.value, index.interval)
        yield row("satisfaction_index", gettext("satisfaction index"), of=index.answers, shares=shares)
    yield from insight_gaps.csv_rows(found)
