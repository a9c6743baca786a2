"""One act on many tickets: each in a transaction of its own, each with its own result."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from django_filters.utils import translate_validation
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from dispatch import clock
from recovery.access import ticket_for, visible_to
from recovery.api import problems
from recovery.api.acts import ACTS, Act
from recovery.api.authentication import caller
from recovery.api.filters import TicketFilter
from recovery.api.serializers.bulk import MOST_AT_ONCE, BulkDone, BulkGiven
from recovery.lifecycle import Stale
from surveys.api.strict import unknown_fields

EXAMPLE = OpenApiExample(
    "Hand two over",
    {"act": "assign", "numbers": ["R-1001", "R-1002"], "owner": "lina", "reason": "On leave"},
    request_only=True,
)

OURS = frozenset({"act", "numbers", "filter", "versions"})


class Bulk(APIView):
    @extend_schema(
        summary="One act on many tickets, with a result for each",
        request=BulkGiven,
        responses=BulkDone,
        examples=[EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        at, form = clock.now(), read(request.data)
        act, versions = ACTS[form["act"]], form.get("versions", {})
        given = act.read(without_ours(request.data))
        numbers = form.get("numbers") or matching(request, form["filter"])
        rows = [
            one_of_many(caller(request), act, number, versions.get(number), given, at)
            for number in dict.fromkeys(numbers)
        ]
        done = sum(row["status"] == 200 for row in rows)
        return Response({"done": done, "refused": len(rows) - done, "results": rows})


def without_ours(body: Any) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in OURS}


def read(body: Any) -> dict[str, Any]:
    form = BulkGiven(data=body)
    form.is_valid(raise_exception=True)
    return dict(form.validated_data)


def matching(request: Request, wanted: dict[str, Any]) -> list[str]:
    """Raises ValidationError for a filter the list of tickets would refuse, and for too many tickets."""
    if strange := unknown_fields(wanted, TicketFilter.base_filters):
        raise ValidationError({"filter": strange})
    query = QueryDict(mutable=True)
    query.update({name: as_query(value) for name, value in wanted.items()})
    found = TicketFilter(query, visible_to(request.user), request=request)
    if not found.is_valid():
        raise ValidationError({"filter": translate_validation(found.errors).detail})
    numbers = list(found.qs.order_by("id").values_list("number", flat=True)[: MOST_AT_ONCE + 1])
    if len(numbers) > MOST_AT_ONCE:
        raise ValidationError({"filter": _("More than %(most)s tickets match.") % {"most": MOST_AT_ONCE}})
    return numbers


def as_query(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def one_of_many(
    user: Any, act: Act, number: str, version: int | None, given: dict[str, Any], at: datetime
) -> dict[str, Any]:
    try:
        ticket = ticket_for(user, number, act.name)
        if version not in (None, ticket.version):
            raise Stale(version or 0, ticket.version)
        changed = act.do(ticket, by=user, at=at, **given)
    except Exception as error:
        refusal = problems.known(error)
        if refusal is None or refusal.status_code == 503:
            raise
        return {"number": number, "status": refusal.status_code, "problem": refusal.data}
    return {"number": number, "status": 200, "version": changed.version}
