"""What they said as a file: what the page shows, one number a row, with its interval and its definition."""

from __future__ import annotations

from collections.abc import Iterable

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery.insight.definitions import DEFINITIONS
from recovery.insight.said import which_answers
from recovery.views import door, insight_slice
from recovery.views import insight_survey_words as words
from recovery.views.insight_file import as_file, dated
from recovery.views.insight_survey_parts import all_groupings, part_names, wished_grouping
from recovery.views.insight_survey_pictures import counted_levels, stretch_name
from recovery.views.insight_surveys import channel_name, chosen
from surveys.estimates import Interval
from surveys.models import Survey
from surveys.results import Figure, Part, Rate, Results, breakdown_of, choices_of, results_of
from surveys.scoring import band
from surveys.views.figures import band_names

Row = list[object]


@door.staff_page()
@require_safe
def export_surveys(request: HttpRequest) -> HttpResponse:
    asked = insight_slice.read(request, now())
    survey, _others = chosen(asked)
    rows: Iterable[Row] = []
    if survey:
        rows = csv_rows(results_of(survey, which_answers(asked.which)), door.asked(request, "by"))
    return as_file(dated(f"answers-{survey.slug if survey else 'none'}", asked), heading(), rows)


def heading() -> Row:
    return [
        pgettext("figure", "number"),
        _("by"),
        _("of whom"),
        _("answers"),
        _("value"),
        pgettext("end of an interval", "low"),
        pgettext("end of an interval", "high"),
        _("in words"),
        _("definition"),
    ]


def csv_rows(results: Results, by: str) -> Iterable[Row]:
    """NPS in points, all else as shares of 1; a value that few answers cannot bear is left empty."""
    survey = results.survey
    yield figure_row(survey, results.figure)
    yield from difference_rows(results)
    if results.bounds and results.asking:
        words_of = _("silent: {n}").format(n=results.asking.all.silent)
        yield row("nps_bounds", _("bounds for silence"), ends=results.bounds, said=words_of)
    if results.survey.kind != "nps" and results.figure.mean is not None:
        figure = results.figure
        yield row("survey_mean", _("mean"), n=figure.answered, value=figure.mean, ends=figure.mean_interval)
    yield from level_rows(results)
    for point in results.trend.points:
        scale = words.scale_words(point.era.scale)
        yield figure_row(
            survey, point.figure, _("over time"), stretch_name(point.first, results.trend.step), scale
        )
    yield from part_rows(results, by)
    yield from asking_rows(results)
    for each in words.former_words(results.former, results.era.scale):
        yield row("survey_scales", _("not counted"), said=each)
    for state, count in results.beside.items():
        yield row(survey.kind, _("not counted"), whom=words.BESIDE[state], n=count)


def figure_row(survey: Survey, figure: Figure, by: object = "", whom: object = "", said: object = "") -> Row:
    name = words.NAMES[survey.kind]
    shown = said or words.figure_words(figure)
    return row(survey.kind, name, by, whom, figure.answered, figure.value, figure.interval, shown)


def difference_rows(results: Results) -> Iterable[Row]:
    said = words.before_words(results)
    found = results.difference
    yield figure_row(results.survey, results.before, _("period before"))
    value, ends = (found.value, found.interval) if found else (None, None)
    yield row(
        "survey_difference", _("difference"), n=results.before.answered, value=value, ends=ends, said=said
    )


def level_rows(results: Results) -> Iterable[Row]:
    names = band_names(results.survey.kind)
    for score, count, share in counted_levels(results.figure):
        value = share if results.figure.is_enough else None
        said = names[band(score, results.era.scale)]
        yield row("survey_scales", _("score"), whom=score, n=count, value=value, said=said)


def part_rows(results: Results, wished: str) -> Iterable[Row]:
    """Every group of the grouping the page shows, and how it differs from the others."""
    choices = choices_of(results.survey)
    groupings = all_groupings(results, choices)
    by = wished_grouping(wished, groupings)
    found = breakdown_of(results, by)
    names = part_names(found, choices)
    for part in (*found.ranked, *found.small):
        yield figure_row(results.survey, part.figure, groupings[by], names[part.key])
        yield from part_difference(results, part, groupings[by], names[part.key])


def part_difference(results: Results, part: Part, by: str, name: str) -> Iterable[Row]:
    if part.difference is None:
        return
    yield row(
        "survey_parts",
        _("against all the others"),
        by,
        name,
        part.figure.answered,
        part.difference.value,
        part.difference.interval,
        words.part_words(results.survey.kind, part),
    )


def asking_rows(results: Results) -> Iterable[Row]:
    asking = results.asking
    if asking is None:
        return
    yield rate_row(asking.all)
    for code, rate in asking.channels:
        yield rate_row(rate, _("by channel"), channel_name(code))
    for name, rate in asking.touchpoints:
        yield rate_row(rate, _("by touchpoint"), name or _("not known"))
    for reason, count in words.unasked_words(asking):
        yield row("survey_response", _("never asked"), whom=reason, n=count)


def rate_row(rate: Rate, by: object = "", whom: object = "") -> Row:
    said = _("{hits} of {n}").format(hits=rate.answered, n=rate.delivered)
    return row("survey_response", _("response"), by, whom, rate.answered, rate.share, rate.interval, said)


def row(
    code: str,
    name: object,
    by: object = "",
    whom: object = "",
    n: object = "",
    value: float | None = None,
    ends: Interval | None = None,
    said: object = "",
) -> Row:
    numbers = [value, ends.low if ends else None, ends.high if ends else None]
    shown = ["" if each is None else round(each, 4) for each in numbers]
    return [name, by, whom, n, *shown, said, DEFINITIONS[code]]
