"""What people said as JSON: the figure of each survey, and of one survey all there is to know."""

from __future__ import annotations

from typing import Any, Final

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recovery.api.insight import PARAMETERS, PARAMETERS_SHOWN, Shown, asked, define, ends_of
from recovery.insight.said import which_answers
from surveys.eras import Suspicion
from surveys.estimates import Difference, nps_bounds
from surveys.models import Survey
from surveys.results import (
    Asking,
    Breakdown,
    Figure,
    Part,
    Rate,
    Results,
    SurveyFigures,
    Trend,
    Which,
    breakdown_of,
    figures_for,
    results_of,
)
from surveys.scoring import Scale, band

KNOWN: Final = frozenset(PARAMETERS) | {"by"}
BY: Final = OpenApiParameter(
    "by",
    OpenApiTypes.STR,
    description=(
        "With a survey: touchpoint, channel, language, tier, account, attribute:region (an attribute of the"
        " customer) or choice:reason (a question of the survey)"
    ),
)


class NpsView(APIView):
    http_method_names = ["get", "head", "options"]

    @extend_schema(
        operation_id="insight_nps",
        summary=(
            "The figure of each survey: NPS in points, for CSAT and CES the share of high answers. Of one"
            " survey also its scores, trend, response and parts"
        ),
        parameters=[*(shown for shown in PARAMETERS_SHOWN if shown.name != "team"), BY],
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request) -> Response:
        if request.query_params.get("team"):
            raise ValidationError({"team": _("An answer belongs to no team: leave the team out.")})
        question = asked(request, KNOWN)
        by = request.query_params.get("by", "").replace("\0", "")
        if by and question.survey is None:
            raise ValidationError({"by": _("Name the survey whose answers are to be told apart.")})
        surveys = [question.survey] if question.survey else list(Survey.objects.all())
        which = which_answers(question.which)
        said = {**question.said, "by": by or None, "at": question.at.isoformat()}
        shown = [shown_figures(each) for each in figures_for(surveys, which)]
        if question.survey:
            shown[0].update(detailed(question.survey, which, by))
        return Response({**said, "surveys": shown})


def shown_figures(figures: SurveyFigures) -> Shown:
    figure, bands = figures.figure, figures.figure.bands
    return {
        "survey": figures.survey.slug,
        "kind": figure.kind,
        "answered": figure.answered,
        "promoters": bands.promoters,
        "passives": bands.passives,
        "detractors": bands.detractors,
        "unanswered": figures.unanswered,
        **value_of(figure),
        "mean": shown_mean(figure) if figure.kind != "nps" else None,
        "definition": define(figure.kind),
        "asked": figures.invited,
        "replied": figures.replied,
        "bounds": shown_bounds(figures) if figure.kind == "nps" else None,
        "scale": shown_scale(figure.scale),
        "distribution": distribution(figure),
        "on_former_scales": [
            {"scale": shown_scale(era.scale), "answered": count} for era, count in figures.former
        ],
    }


def value_of(figure: Figure) -> Shown:
    """Null from fewer than ten answers: the counts say all there is to say."""
    return {"value": figure.value, **ends_of(figure.interval)}


def shown_mean(figure: Figure) -> Shown:
    return {"value": figure.mean, **ends_of(figure.mean_interval), "definition": define("survey_mean")}


def shown_bounds(figures: SurveyFigures) -> Shown:
    silent = figures.invited - figures.replied
    bounds = nps_bounds(figures.figure.bands, silent) if figures.figure.is_enough else None
    return {**ends_of(bounds), "silent": silent, "definition": define("nps_bounds")}


def shown_scale(scale: Scale) -> Shown:
    return {
        "lowest": scale.lowest,
        "highest": scale.highest,
        "best": scale.highest if scale.best == "max" else scale.lowest,
    }


def distribution(figure: Figure) -> list[Shown]:
    """Every score of the scale, the lowest first."""
    counts, shares = figure.levels.counts, figure.levels.shares
    return [
        {
            "score": score,
            "band": band(score, figure.scale),
            "count": counts.get(score, 0),
            "share": shares[score] if figure.is_enough else None,
        }
        for score in range(figure.scale.lowest, figure.scale.highest + 1)
    ]


# --- one survey ---------------------------------------------------------------------------------------------


def detailed(survey: Survey, which: Which, by: str) -> Shown:
    results = results_of(survey, which)
    return {
        "given_when_asked_again": results.asked_again,
        "not_counted": {**results.beside, "off_scale": results.off_scale},
        "before": shown_before(results),
        "trend": shown_trend(results.trend),
        "response": shown_asking(results.asking),
        "suspected_scale_changes": [shown_suspicion(each) for each in results.suspicions],
        "breakdown": shown_breakdown(results, by) if by else None,
        "definitions": {name: define(name) for name in ("survey_scales", "survey_as_of")},
    }


def shown_before(results: Results) -> Shown:
    return {
        "answered": results.before.answered,
        **value_of(results.before),
        "difference": shown_difference(results.difference),
        "not_compared": results.not_compared or None,
        "definition": define("survey_difference"),
    }


def shown_difference(difference: Difference | None) -> Shown | None:
    if difference is None:
        return None
    return {"value": difference.value, **ends_of(difference.interval), "is_clear": difference.is_clear}


def shown_trend(trend: Trend) -> Shown:
    changes = {id(point) for point in trend.changes}
    points = [
        {
            "first_day": point.first.isoformat(),
            "answered": point.figure.answered,
            **value_of(point.figure),
            "scale": shown_scale(point.era.scale),
            "scale_changed": id(point) in changes,
        }
        for point in trend.points
    ]
    return {"step": trend.step, "points": points}


def shown_suspicion(found: Suspicion) -> Shown:
    return {"from": found.month.isoformat(), "side": found.side, "limit": found.limit, "opens": found.opens}


def shown_asking(asking: Asking | None) -> Shown | None:
    if asking is None:
        return None
    return {
        **shown_rate(asking.all),
        "channels": [{"channel": name, **shown_rate(rate)} for name, rate in asking.channels],
        "touchpoints": [{"touchpoint": name, **shown_rate(rate)} for name, rate in asking.touchpoints],
        "never_asked": [
            {"state": each.state, "reason": each.reason, "count": count} for each, count in asking.unasked
        ],
        "definition": define("survey_response"),
    }


def shown_rate(rate: Rate) -> Shown:
    return {"count": rate.answered, "of": rate.delivered, "share": rate.share, **ends_of(rate.interval)}


def shown_breakdown(results: Results, by: str) -> Shown:
    try:
        found: Breakdown = breakdown_of(results, by)
    except ValueError as error:
        raise ValidationError({"by": _("Answers cannot be told apart by that.")}) from error
    return {
        "by": by,
        "compared": found.compared,
        "ranked": [shown_part(part) for part in found.ranked],
        "not_ranked": [shown_part(part) for part in found.small],
        "definition": define("survey_parts"),
    }


def shown_part(part: Part) -> dict[str, Any]:
    bands = part.figure.bands
    difference = shown_difference(part.difference)
    return {
        "key": part.key,
        "answered": part.figure.answered,
        "promoters": bands.promoters,
        "passives": bands.passives,
        "detractors": bands.detractors,
        **value_of(part.figure),
        "against_others": difference and {**difference, "is_clear": part.is_clear, "p_holm": part.p},
    }
