"""One door per act: the version first, then the form, then the act; the answer is the ticket."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from dispatch import clock
from recovery.access import ticket_for
from recovery.api.acts import Act
from recovery.api.authentication import caller
from recovery.api.preconditions import check_version
from recovery.api.serializers.tickets import TicketWhole
from recovery.api.views.tickets import NUMBER, shown

IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, required=True, description='The version you know: `"7"`.'
)


class OneAct(APIView):
    act: Act

    def post(self, request: Request, number: str) -> Response:
        by = caller(request)
        ticket = ticket_for(by, number, self.act.name)
        check_version(request, ticket)
        given = self.act.read(request.data)
        return shown(self.act.do(ticket, by=by, at=clock.now(), **given))


def view_of(act: Act) -> type[OneAct]:
    """A view of its own for each act, so that the schema names what each takes."""
    described = extend_schema(
        operation_id=f"tickets_{act.name}",
        summary=act.summary,
        parameters=[NUMBER, IF_MATCH],
        request=act.form,
        responses=TicketWhole,
        examples=[OpenApiExample(act.summary, act.example, request_only=True)],
    )
    return extend_schema_view(post=described)(type(f"{act.name.title()}Act", (OneAct,), {"act": act}))
