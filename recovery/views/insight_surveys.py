"""What they said: the figure of a survey, its scores, its months, its parts, and who was never heard."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery.insight.definitions import DEFINITIONS
from recovery.insight.said import which_answers
from recovery.insight.targets import in_unit_of
from recovery.views import door, insight_slice
from recovery.views import insight_survey_words as words
from recovery.views.insight_frame import page
from recovery.views.insight_goals import Row, goals_for
from recovery.views.insight_slice import Asked
from recovery.views.insight_survey_parts import parts_shown
from recovery.views.insight_survey_pictures import (
    counted_levels,
    levels_picture,
    parts_picture,
    stretch_name,
    trend_picture,
)
from recovery.views.insight_words import percent
from surveys.models import Survey
from surveys.models.fields import CHANNELS
from surveys.results import Figure, Rate, Results, Trend, most_answered, results_of
from surveys.scoring import band
from surveys.views.figures import band_names


@door.staff_page()
@require_safe
def show_surveys(request: HttpRequest) -> HttpResponse:
    asked = insight_slice.read(request, now())
    survey, others = chosen(asked)
    if survey is None:
        return page(request, "insight_surveys", asked, "insight-surveys", of_answers=True)
    results = results_of(survey, which_answers(asked.which))
    parts = parts_shown(results, request)
    goal = goal_of(asked, results)
    return page(
        request,
        "insight_surveys",
        asked,
        "insight-surveys",
        of_answers=True,
        survey=survey,
        others=others,
        results=results,
        parts=parts,
        by=parts.by,
        parts_picture=parts_picture([(row.name, row.part) for row in parts.ranked], results.figure, goal),
        goal=goal,
        team_ignored=asked.team is not None,
        said=said(results),
        figure_name=words.NAMES[survey.kind],
        figure_definition=DEFINITIONS[survey.kind],
        kept=[(name, value) for name, value in request.GET.items() if name not in ("one", "other")],
        warnings=[words.suspicion_words(each) for each in results.suspicions],
        declare_url=declare_url(request, survey),
        levels=levels_table(results.figure),
        levels_picture=levels_picture(results.figure),
        trend=trend_table(results.trend, goal),
        trend_picture=trend_picture(results.trend, survey.kind, goal),
        asking=asking_shown(results),
        answers_url=answers_url(asked, survey),
        csv_url=f"{reverse('insight-surveys-csv')}?{request.GET.urlencode()}",
    )


def chosen(asked: Asked) -> tuple[Survey | None, list[tuple[Survey, int]]]:
    """The survey asked for, else the one with the most answers; and the others that have any."""
    if asked.survey is not None:
        return asked.survey, []
    found = most_answered(asked.surveys, which_answers(asked.which))
    if not found:
        return (asked.surveys[0] if len(asked.surveys) == 1 else None), []
    return found[0][0], found[1:]


def goal_of(asked: Asked, results: Results) -> Row | None:
    """The target of this survey's figure, judged with it."""
    kind, survey = results.survey.kind, results.survey
    return goals_for(replace(asked, survey=survey), {kind: results.figure}, of_answers=True).get(kind)


@dataclass(frozen=True)
class Said:
    """The sentences on top of the page."""

    headline: str
    before: str
    mean: str
    beside: list[str]
    bounds: str
    silent: int


def said(results: Results) -> Said:
    figure = results.figure
    return Said(
        headline=words.headline(figure),
        before=words.before_words(results),
        mean="" if results.survey.kind == "nps" else words.mean_words(figure),
        beside=[
            *asked_again_words(results),
            *words.former_words(results.former, results.era.scale),
            *beside_words(results),
        ],
        bounds=bounds_words(results),
        silent=results.asking.all.silent if results.asking else 0,
    )


def asked_again_words(results: Results) -> list[str]:
    """How many of the answers are second ones to a low score: they are in the figure like all others."""
    number = results.asked_again
    if not number:
        return []
    said = ngettext(
        "{n} of them was given when asked again after a low score.",
        "{n} of them were given when asked again after a low score.",
        number,
    )
    return [said.format(n=f"{number:,}")]


def beside_words(results: Results) -> list[str]:
    """What came in and counts for nothing."""
    counts = [
        _("{what}: {n}").format(what=words.BESIDE[state], n=f"{number:,}")
        for state, number in results.beside.items()
    ]
    if results.off_scale:
        counts.append(_("not on the scale: {n}").format(n=f"{results.off_scale:,}"))
    return [_("Not counted: {counts}.").format(counts=", ".join(counts))] if counts else []


def bounds_words(results: Results) -> str:
    bounds = results.bounds
    if bounds is None:
        return ""
    return _("{low} to {high}").format(
        low=words.value_words("nps", bounds.low), high=words.value_words("nps", bounds.high)
    )


def levels_table(figure: Figure) -> list[tuple[int, str, int, str]]:
    """The scores from the best to the worst: band, answers, share."""
    names = band_names(figure.kind)
    rows = [
        (score, names[band(score, figure.scale)], count, percent(share) if figure.is_enough else "")
        for score, count, share in counted_levels(figure)
    ]
    return sorted(rows, key=lambda row: -figure.scale.goodness(row[0]))


@dataclass(frozen=True)
class Stretch:
    name: str
    figure: Figure
    text: str
    scale: str
    against: str | Promise


def trend_table(trend: Trend, goal: Row | None = None) -> list[Stretch]:
    """The latest first; the scale is named where there is more than one, and each held against the target."""
    several = len({point.era for point in trend.points}) > 1
    last = trend.points[-1].era.scale if trend.points else None
    return [
        Stretch(
            stretch_name(point.first, trend.step),
            point.figure,
            words.figure_words(point.figure),
            words.scale_words(point.era.scale, last) if several else "",
            side_of(point.figure, goal) if goal else "",
        )
        for point in reversed(trend.points)
    ]


def side_of(figure: Figure, goal: Row) -> str | Promise:
    """Where the whole interval of a week or month lies, seen from the target."""
    interval = in_unit_of(goal.found.target.metric, figure)[1]
    if interval is None:
        return "–"
    if interval.low >= goal.value:
        return _("at or above it")
    return _("below it") if interval.high < goal.value else _("cannot tell")


def asking_shown(results: Results) -> dict[str, Any] | None:
    asking = results.asking
    if asking is None:
        return None
    return {
        "all": asking.all,
        "text": words.rate_words(asking.all),
        "tables": [
            (_("Channel"), [rate_row(channel_name(code), rate) for code, rate in asking.channels]),
            (_("Touchpoint"), [rate_row(name or _("not known"), rate) for name, rate in asking.touchpoints]),
        ],
        "unasked": words.unasked_words(asking),
    }


def rate_row(name: str, rate: Rate) -> tuple[str, str, Rate]:
    return name, words.rate_words(rate), rate


def channel_name(code: str) -> str:
    return str(dict(CHANNELS).get(code, code)) or _("not known")


def answers_url(asked: Asked, survey: Survey) -> str:
    """The list of the answers; it knows no other filters, so beside one of those it is not offered."""
    if asked.touchpoint or asked.segment or asked.as_of:
        return ""
    return f"{reverse('responses')}?survey={survey.slug}&since={asked.first}&until={asked.last}"


def declare_url(request: HttpRequest, survey: Survey) -> str:
    """Where whoever may change the survey declares that its scale did."""
    user = door.staff(request)
    if not (user.is_staff and user.has_perm("surveys.change_survey")):
        return ""
    return reverse("admin:surveys_survey_change", args=[survey.pk])
