"""What drives the score, as JSON."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recovery.api.insight import Shown, asked, define, ends_of
from recovery.api.insight_panel import OF_ANSWERS, parameters, shown_scale, survey_of
from recovery.insight.said import which_answers
from surveys.drivers import Driver, DriverMap, Index, driver_map, with_ratings
from surveys.models import Survey


class DriversView(APIView):
    """Open to all staff, as every figure of a survey: it names nobody."""

    http_method_names = ["get", "head", "options"]

    @extend_schema(
        operation_id="insight_drivers",
        summary="Each driver's mean rating and importance, its place on the map, and the satisfaction index",
        parameters=parameters(),
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request) -> Response:
        question = asked(request, OF_ANSWERS)
        which = which_answers(question.which)
        survey = survey_of(question, with_ratings(Survey.objects.all()), which)
        found = driver_map(survey, which)
        said = {**question.said, "survey": survey.slug, "at": question.at.isoformat()}
        return Response({**said, **shown_map(found)})


def shown_map(found: DriverMap) -> Shown:
    return {
        "scale": shown_scale(found.era.scale),
        "answers": found.answers,
        "answers_on_another_scale": found.elsewhere,
        "cuts": {"mean": found.cuts[0], "importance": found.cuts[1]} if found.cuts else None,
        "definition": define("driver_map"),
        "drivers": [shown_driver(driver, found.place(driver)) for driver in found.drivers],
        "index": shown_index(found.index),
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
            "definition": define("driver_importance"),
        },
        "place": place or None,
    }


def shown_index(index: Index | None) -> Shown:
    return {
        "value": index.value if index else None,
        **ends_of(index.interval if index else None),
        "answers": index.answers if index else 0,
        "drivers": index.drivers if index else 0,
        "definition": define("satisfaction_index"),
    }
