"""What drives the score, as JSON."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recovery.api.insight import Shown, asked, define, ends_of
from recovery.api.insight_panel import OF_ANSWERS, parameters, shown_scale, survey_of
from recovery.insight.said import which_answers
from surveys.drivers import (
    CORRELATED,
    STATED,
    Driver,
    DriverMap,
    Index,
    driver_map,
    with_ratings,
)
from surveys.gaps import Gap
from surveys.models import Survey
from surveys.weighted import Weighted

IMPORTANCE: Final = OpenApiParameter(
    "importance",
    OpenApiTypes.STR,
    enum=[STATED, CORRELATED],
    description="What the map and the weights go by. Left out: as stated where thirty have stated it",
)


class DriversView(APIView):
    """Open to all staff, as every figure of a survey: it names nobody."""

    http_method_names = ["get", "head", "options"]

    @extend_schema(
        operation_id="insight_drivers",
        summary="Each driver's mean rating, importance and place on the map, its gap to what was expected,"
        " and the satisfaction index",
        parameters=[*parameters(), IMPORTANCE],
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request) -> Response:
        question = asked(request, {*OF_ANSWERS, IMPORTANCE.name})
        by = importance_asked(request)
        which = which_answers(question.which)
        survey = survey_of(question, with_ratings(Survey.objects.all()), which)
        found = driver_map(survey, which, by)
        if by == STATED and not found.is_stated:
            raise ValidationError({IMPORTANCE.name: _("This survey does not ask how important anything is.")})
        said = {**question.said, "survey": survey.slug, "at": question.at.isoformat()}
        return Response({**said, **shown_map(found)})


def importance_asked(request: Request) -> str:
    by = request.query_params.get(IMPORTANCE.name, "")
    if by not in ("", STATED, CORRELATED):
        raise ValidationError({IMPORTANCE.name: _("Give one of: stated, correlated.")})
    return by


def shown_map(found: DriverMap) -> Shown:
    return {
        "scale": shown_scale(found.era.scale),
        "answers": found.answers,
        "answers_on_another_scale": found.elsewhere,
        "cuts": {"mean": found.cuts[0], "importance": found.cuts[1]} if found.cuts else None,
        "definition": define("driver_map"),
        "importance_by": found.by,
        "importance_is_asked": found.is_stated,
        "drivers": [shown_driver(driver, found.place(driver)) for driver in found.drivers],
        "index": shown_index(found.index),
        "expectation_is_asked": bool(found.gaps),
        "gap": shown_total(found.gap),
    }


def shown_driver(driver: Driver, place: str) -> Shown:
    """Below ten ratings mean and importance are null; without a place on the map that is null.

    The place is "unclear" where an interval holds the cut: too close to tell.
    """
    return {
        "question": driver.question.key,
        "name": str(driver.question),
        "ratings": driver.n,
        "mean": {"value": driver.mean, **ends_of(driver.interval), "definition": define("driver_mean")},
        "importance": {
            "value": driver.importance,
            **ends_of(driver.importance_interval),
            "answers": driver.importance_n,
            "definition": define("driver_stated" if driver.by == STATED else "driver_importance"),
        },
        "place": place or None,
        "gap": shown_gap(driver.gap),
    }


def shown_gap(gap: Gap | None) -> Shown | None:
    """Null where nobody asks what was expected; below ten pairs the means are null, the counts are there."""
    if gap is None:
        return None
    return {
        "value": gap.value,
        **ends_of(gap.interval),
        "perceived": gap.perceived,
        "expected": gap.expected,
        "pairs": gap.n,
        "below": gap.below,
        "as_expected": gap.as_expected,
        "above": gap.above,
        "definition": define("driver_gap"),
    }


def shown_total(gap: Weighted | None) -> Shown:
    return {
        "value": gap.value if gap else None,
        **ends_of(gap.interval if gap else None),
        "answers": gap.answers if gap else 0,
        "drivers": gap.parts if gap else 0,
        "definition": define("weighted_gap"),
    }


def shown_index(index: Index | None) -> Shown:
    return {
        "value": index.value if index else None,
        **ends_of(index.interval if index else None),
        "answers": index.answers if index else 0,
        "drivers": index.drivers if index else 0,
        "definition": define("satisfaction_index"),
    }
