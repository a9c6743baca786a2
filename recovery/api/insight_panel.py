"""The same people asked again, and two waves of them, as JSON."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recovery.api.filters import is_id
from recovery.api.insight import PARAMETERS, Question, Shown, asked, define, ends_of, instant_of
from recovery.insight.said import which_answers
from surveys.eras import Era, Suspicion
from surveys.models import Survey
from surveys.panel import (
    BANDS,
    COLUMNS,
    NOT_LOW,
    STATES,
    Line,
    Paired,
    Panel,
    Share,
    Waves,
    eras_of,
    line_of,
    panel,
    waves,
)
from surveys.results import Figure, Which, most_answered
from surveys.scoring import PROMOTER, Scale

OF_ANSWERS: Final = tuple(name for name in PARAMETERS if name != "team")
OWN: Final = {
    "scale": "Which scale of the survey: 1 is its earliest; the one in force at the end if left out",
    "first_from": "The first day of the first wave; all four days or none",
    "first_to": "The last day of the first wave, included",
    "second_from": "The first day of the second wave",
    "second_to": "The last day of the second wave, included",
}
WAVES: Final = ("first_from", "first_to", "second_from", "second_to")


def parameters(*own: str) -> list[OpenApiParameter]:
    said = {name: PARAMETERS[name] for name in OF_ANSWERS} | {name: OWN[name] for name in own}
    return [OpenApiParameter(name, OpenApiTypes.STR, description=text) for name, text in said.items()]


def survey_of(question: Question, surveys: list[Survey], which: Which) -> Survey:
    """The one asked for, else the one of these that was answered most. Raises ValidationError."""
    if question.survey is not None:
        return question.survey
    if not surveys:
        raise ValidationError({"survey": _("There is no such survey.")})
    busiest = most_answered(surveys, which)
    return busiest[0][0] if busiest else surveys[0]


class PanelView(APIView):
    """Open to all staff, as every figure of a survey: it names nobody."""

    http_method_names = ["get", "head", "options"]

    @extend_schema(
        operation_id="insight_panel",
        summary="The same people: first by latest answer, now and ever, the change, and two waves",
        parameters=parameters(*OWN),
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request) -> Response:
        question = asked(request, {*OF_ANSWERS, *OWN})
        which = which_answers(question.which)
        survey = survey_of(question, list(Survey.objects.all()), which)
        era = era_asked(request, eras_of(survey, which))
        windows = windows_of(request)
        line = line_of(survey)
        found = panel(survey, which, era, line)
        compared = compare(survey, which, windows, era, line) if windows else None
        return Response(
            {
                **question.said,
                "survey": survey.slug,
                "at": question.at.isoformat(),
                **shown_panel(found),
                "waves": shown_waves(compared) if compared else None,
            }
        )


def era_asked(request: Request, eras: list[Era]) -> Era:
    text = request.query_params.get("scale", "")
    if not text:
        return eras[-1]
    if not is_id(text) or not 1 <= int(text) <= len(eras):
        raise ValidationError({"scale": _("The survey has had no such scale.")})
    return eras[int(text) - 1]


def windows_of(request: Request) -> tuple[datetime, datetime, datetime, datetime] | None:
    """The two waves as instants. Raises ValidationError naming each day that is missing or no day."""
    given = {name: request.query_params.get(name, "") for name in WAVES}
    if not any(given.values()):
        return None
    errors: dict[str, Any] = {name: [_("This is required.")] for name, text in given.items() if not text}
    if errors:
        raise ValidationError(errors)
    user = request.user
    assert isinstance(user, User)  # the permission has let nobody else in
    found: dict[str, datetime] = {}
    for name, text in given.items():
        further = timedelta(days=1) if name.endswith("_to") else timedelta()
        try:
            found[name] = instant_of(name, user, text, further)
        except ValidationError as error:
            errors.update(error.detail if isinstance(error.detail, dict) else {name: error.detail})
    if errors:
        raise ValidationError(errors)
    return found["first_from"], found["first_to"], found["second_from"], found["second_to"]


def compare(
    survey: Survey,
    which: Which,
    windows: tuple[datetime, datetime, datetime, datetime],
    era: Era,
    line: Line,
) -> Waves:
    first_from, first_to, second_from, second_to = windows
    first = replace(which, since=first_from, until=first_to)
    second = replace(which, since=second_from, until=second_to)
    if not first_from < first_to <= second_from < second_to:
        raise ValidationError(
            {
                "second_from": _(
                    "Each wave begins before it ends, and the first ends before the second begins."
                )
            }
        )
    return waves(survey, first, second, era, line)


# --- the pieces ---------------------------------------------------------------------------------------------


def shown_panel(found: Panel) -> Shown:
    return {
        "kind": found.survey.kind,
        "scale": shown_scale(found.era.scale),
        "people": found.size,
        "answered_again": found.answered_again,
        "matrix": {first: {state: found.count([first], [state]) for state in STATES} for first in BANDS},
        "all": {state: found.count(BANDS, [state]) for state in STATES},
        "definition": define("panel_people"),
        **{column: shown_column(found, column) for column in COLUMNS},
        "change": {**shown_paired(found.change), "definition": define("panel_change")},
        "other_scale": {
            "people_only": found.elsewhere_only,
            "people_too": found.elsewhere_too,
            "definition": define("panel_scale"),
        },
        "suspected_change": shown_suspicion(found.suspicion),
        "blank_answers": found.blank,
        "answers_off_the_scale": found.off_scale,
        "answers_of_nobody_known": found.nameless,
    }


def shown_suspicion(found: Suspicion | None) -> Shown | None:
    """From this month on nobody scored above, or below, the limit, as many had before; or the reverse."""
    if found is None:
        return None
    return {
        "month": found.month.isoformat(),
        "side": found.side,
        "limit": found.limit,
        "opens": found.opens,
    }


def shown_scale(scale: Scale) -> Shown:
    return {
        "lowest": scale.lowest,
        "highest": scale.highest,
        "best": scale.best,
        "low": scale.low,
        "high": scale.high,
    }


def shown_column(found: Panel, column: str) -> Shown:
    groups: dict[str, tuple[str, ...]] = {**{first: (first,) for first in BANDS}, "all": BANDS}
    shown: dict[str, Any] = {
        name: {
            "promoter": shown_share(found.share(column, (PROMOTER,), firsts)),
            "no_detractor": shown_share(found.share(column, NOT_LOW, firsts)),
        }
        for name, firsts in groups.items()
    }
    return {**shown, "definition": define(f"panel_{column}")}


def shown_share(share: Share) -> Shown:
    """Below ten the share is null, and the counts say all there is to say."""
    return {
        "count": share.hits,
        "of": share.n,
        "share": share.share,
        **ends_of(share.interval),
        "bounds": {**ends_of(share.bounds), "of": share.everyone},
    }


def shown_paired(paired: Paired) -> Shown:
    difference = paired.difference
    return {
        "people": paired.n,
        "earlier": shown_figure(paired.earlier),
        "later": shown_figure(paired.later),
        "difference": difference.value if difference else None,
        **ends_of(difference.interval if difference else None),
        "is_clear": difference.is_clear if difference else None,
    }


def shown_figure(figure: Figure) -> Shown:
    bands = figure.bands
    return {
        "promoters": bands.promoters,
        "passives": bands.passives,
        "detractors": bands.detractors,
        "value": figure.value,
        **ends_of(figure.interval),
    }


def shown_waves(found: Waves) -> Shown:
    return {
        **shown_paired(found.paired),
        "only_first": found.only_first,
        "only_second": found.only_second,
        "only_asked_again_in_first": found.again_first,
        "only_asked_again_in_second": found.again_second,
        "suspected_change": shown_suspicion(found.suspicion),
        "definition": define("waves"),
    }
