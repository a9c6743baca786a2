"""Tickets: the list, one with all that belongs to it, and a complaint that came by another way."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    PolymorphicProxySerializer,
    extend_schema,
    extend_schema_view,
)
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from dispatch import clock
from recovery.access import ticket_for, visible_to
from recovery.api.authentication import caller
from recovery.api.complaints import take_complaint
from recovery.api.filters import CallbackFilter, TicketFilter, with_due_at
from recovery.api.serializers.responses import ComplaintGiven
from recovery.api.serializers.tickets import CallbackListed, TicketHandedOn, TicketRow, TicketWhole, whole
from recovery.models import Callback, Ticket
from surveys.api.filters import Filters

NUMBER = OpenApiParameter("number", str, OpenApiParameter.PATH, description="R-1001")

BY_PHONE = OpenApiExample(
    "A complaint by phone",
    {
        "survey": "delivery",
        "customer": {"name": "Zhang Wei", "phone": "+8613800138000"},
        "comment": "The parcel came open and half empty.",
        "channel": "phone",
    },
    request_only=True,
)


TAKEN = PolymorphicProxySerializer(
    component_name="ComplaintTaken", serializers=[TicketWhole, TicketHandedOn], resource_type_field_name=None
)


class KnowsTheTime:
    """Late is told by the moment of asking."""

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "at": clock.now()}  # type: ignore[misc]


@extend_schema_view(get=extend_schema(summary="Tickets you may see"))
class Tickets(KnowsTheTime, generics.ListAPIView[Ticket]):
    queryset = Ticket.objects.none()
    serializer_class = TicketRow
    filter_backends = [Filters]
    filterset_class = TicketFilter
    orderings = {"number": "id", "opened_at": "opened_at", "priority": "priority", "due_at": "due_at"}
    usual_ordering = "-number"

    def get_queryset(self) -> QuerySet[Ticket]:
        rows = visible_to(self.request.user).for_lists()
        return with_due_at(rows.select_related("cause_said", "cause_found"))

    @extend_schema(
        summary="A complaint that came by phone, mail, counter or social media",
        request=ComplaintGiven,
        responses={201: TAKEN, 200: TAKEN},
        examples=[BY_PHONE],
    )
    def post(self, request: Request) -> Response:
        at = clock.now()
        ticket, is_new = take_complaint(request.data, by=caller(request), at=at)
        return shown_if_seen(caller(request), ticket, status=201 if is_new else 200)


def shown(ticket: Ticket, status: int = 200) -> Response:
    body = whole(ticket, clock.now())
    return Response(body, status=status, headers={"ETag": f'"{body["version"]}"'})


def shown_if_seen(user: User, ticket: Ticket, status: int) -> Response:
    """Whoever takes a complaint for another team can tell the customer who has it now, and reads no more."""
    if visible_to(user).filter(pk=ticket.pk).exists():
        return shown(ticket, status)
    return Response(TicketHandedOn(ticket).data, status=status)


class OneTicket(APIView):
    @extend_schema(summary="Everything about a ticket", parameters=[NUMBER], responses=TicketWhole)
    def get(self, request: Request, number: str) -> Response:
        return shown(ticket_for(caller(request), number))


@extend_schema_view(get=extend_schema(summary="Callbacks of tickets you see; booked ones, without `state`"))
class Callbacks(generics.ListAPIView[Callback]):
    queryset = Callback.objects.none()
    serializer_class = CallbackListed
    filter_backends = [Filters]
    filterset_class = CallbackFilter
    orderings = {"due_at": "due_at"}
    usual_ordering = "due_at"

    def get_queryset(self) -> QuerySet[Callback]:
        rows = Callback.objects.filter(ticket__in=visible_to(self.request.user))
        if "state" not in self.request.query_params:
            rows = rows.filter(state=Callback.BOOKED)
        rows = rows.select_related("ticket__owner", "ticket__customer")
        return rows.prefetch_related("ticket__customer__identities")
