"""Responses in: one at a time with its ticket, or a thousand with triage to follow."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import generics
from rest_framework import response as rest
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView

from dispatch import clock
from dispatch.failpoints import failpoint
from dispatch.nudge import nudge
from recovery.access import visible_to
from recovery.api import problems
from recovery.api.filters import ResponseFilter
from recovery.api.parsers import BatchJson
from recovery.api.serializers.responses import BatchTaken, ResponseGiven, ResponseShown, ResponseTaken
from recovery.models import TicketResponse
from recovery.triage import triage
from surveys.access import visible_responses
from surveys.api.filters import Filters
from surveys.intake.parse import draft_from_json
from surveys.intake.record import Conflict, Recorded, record
from surveys.intake.text import InputErrors
from surveys.models import Response, Source

log = logging.getLogger(__name__)

MOST_AT_ONCE = 1_000

LOW = OpenApiExample(
    "A low score",
    {
        "survey": "delivery",
        "external_id": "crm-88231",
        "customer": {"external_id": "C-1001", "name": "Zhang Wei", "email": "zhang.wei@example.com"},
        "score": 2,
        "comment": "Two days late, and nobody called.",
        "submitted_at": "2026-03-02T09:30:00+08:00",
    },
    request_only=True,
)
TAKEN = OpenApiExample(
    "Its ticket",
    {
        "id": 412,
        "survey": "delivery",
        "band": "detractor",
        "score": 2,
        "state": "complete",
        "ticket": "R-1001",
    },
    response_only=True,
)


def api_source() -> Source:
    return Source.objects.get_or_create(slug="api", defaults={"name": "API", "kind": "api"})[0]


def take(body: Any, source: Source, at: datetime, **how: bool) -> Recorded:
    """Raises InputErrors, Conflict. Without an id of its own each body is a response of its own."""
    if isinstance(body, dict) and body.get("external_id") is None:
        body = {**body, "external_id": str(uuid4())}
    return record(draft_from_json(body, source=source, at=at), at=at, **how)


@extend_schema_view(get=extend_schema(summary="Responses, newest first"))
class Responses(generics.ListAPIView[Response]):
    queryset = Response.objects.none()
    serializer_class = ResponseShown
    filter_backends = [Filters]
    filterset_class = ResponseFilter
    orderings = {"id": "id", "answered_at": "answered_at"}

    def get_queryset(self) -> QuerySet[Response]:
        links = TicketResponse.objects.filter(
            response=OuterRef("pk"), ticket__in=visible_to(self.request.user)
        )
        rows = visible_responses(self.request.user).select_related("survey", "source")
        return rows.annotate(ticket=Subquery(links.values("ticket__number")[:1]))

    @extend_schema(
        summary="Record a response; a low score opens its ticket before the answer",
        request=ResponseGiven,
        responses={201: ResponseTaken, 200: ResponseTaken},
        examples=[LOW, TAKEN],
    )
    def post(self, request: Request) -> rest.Response:
        at = clock.now()
        recorded = take(request.data, api_source(), at)
        answer = taken(recorded, at)
        failpoint("before_2xx")
        return rest.Response(answer, status=201 if recorded.created else 200)


def taken(recorded: Recorded, at: datetime) -> dict[str, Any]:
    response = recorded.response
    return {
        "id": response.pk,
        "survey": response.survey.slug,
        "band": response.band,
        "score": response.score,
        "state": response.state,
        "ticket": ticket_number(recorded, at),
    }


def ticket_number(recorded: Recorded, at: datetime) -> str | None:
    """Recording has triaged it already. Who sent the same a moment later waits here for that to end."""
    if not (recorded.created or recorded.changed):
        try:
            triage(recorded.response.pk, at=at)
        except Exception:
            log.exception("triage failed; the sweep takes it up", extra={"response": recorded.response.pk})
    numbers = TicketResponse.objects.filter(response=recorded.response).values_list(
        "ticket__number", flat=True
    )
    return numbers.first()


class Batch(APIView):
    parser_classes = [BatchJson]

    @extend_schema(
        summary="Record up to 1,000 responses; their tickets are opened seconds later",
        request=ResponseGiven(many=True),
        responses=BatchTaken,
        examples=[LOW],
    )
    def post(self, request: Request) -> rest.Response:
        bodies = request.data
        if not isinstance(bodies, list) or len(bodies) > MOST_AT_ONCE:
            raise ValidationError(
                {"": _("Send a list of at most %(most)s responses.") % {"most": MOST_AT_ONCE}}
            )
        at, source = clock.now(), api_source()
        results = [one_of_many(body, source, at) for body in bodies]
        transaction.on_commit(lambda: nudge("triage"))
        return rest.Response({"results": results})


def one_of_many(body: Any, source: Source, at: datetime) -> dict[str, Any]:
    try:
        recorded = take(body, source, at, nudge=False)
    except (InputErrors, Conflict) as error:
        refusal = problems.known(error)
        assert refusal is not None  # both are known
        return {"status": refusal.status_code, "problem": refusal.data}
    status = 201 if recorded.created else 200
    return {"status": status, "id": recorded.response.pk, "external_id": recorded.response.external_id}
