"""Customers, invitations and surveys. The room that knows the teams narrows whom a person sees."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import generics
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from dispatch import clock
from surveys.api.filters import CodesFilter, Filters
from surveys.api.serializers import (
    CustomerGiven,
    CustomerShown,
    InvitationGiven,
    InvitationShown,
    SurveyShown,
)
from surveys.intake.customers import IdentityTaken, change_customer, find_customer, find_or_make_customer
from surveys.intake.drafts import CustomerDraft
from surveys.intake.parse import customer_from_json
from surveys.intake.text import InputErrors
from surveys.invitations import invite
from surveys.models import Customer, CustomerIdentity, Invitation, Survey

WEI = OpenApiExample(
    "A customer",
    {"external_id": "C-1001", "name": "Zhang Wei", "email": "zhang.wei@example.com", "locale": "zh-CN"},
    request_only=True,
)
ASK = OpenApiExample(
    "Ask tomorrow",
    {"survey": "delivery", "customer": 12, "send_at": "2026-03-03T09:00:00+08:00"},
    request_only=True,
)


class People:
    """Narrowed by whoever knows which customers a person may see."""

    request: Any

    def people(self) -> QuerySet[Customer]:
        return Customer.objects.all()

    def get_queryset(self) -> QuerySet[Any]:
        return self.people().select_related("account").prefetch_related("identities")


class CustomerFilter(filters.FilterSet):  # type: ignore[misc]  # the package has no types
    q = filters.CharFilter(
        method="search", label="Part of the name, or an e-mail address, phone or external id"
    )

    def search(self, rows: QuerySet[Customer], _name: str, text: str) -> QuerySet[Customer]:
        known = CustomerIdentity.objects.filter(value__iexact=text).values("customer")
        return rows.filter(Q(name__holds=text) | Q(pk__in=known))

    class Meta:
        model = Customer
        fields: list[str] = []


@extend_schema_view(get=extend_schema(summary="Customers"))
class Customers(People, generics.ListAPIView[Customer]):
    queryset = Customer.objects.none()
    serializer_class = CustomerShown
    filter_backends = [Filters]
    filterset_class = CustomerFilter

    @extend_schema(
        summary="A customer; 200 where one of the identities is known already",
        request=CustomerGiven,
        responses={201: CustomerShown, 200: CustomerShown},
        examples=[WEI],
    )
    def post(self, request: Request) -> Response:
        draft = read_customer(request.data)
        known = find_customer(draft)
        if known is not None and not self.people().filter(pk=known.pk).exists():
            raise ValidationError({"external_id": _("Another customer has this already.")})
        customer = find_or_make_customer(draft, clock.now())
        return Response(CustomerShown(customer).data, status=200 if known else 201)


@extend_schema_view(get=extend_schema(summary="One customer"))
class OneCustomer(People, generics.RetrieveAPIView[Customer]):
    queryset = Customer.objects.none()
    serializer_class = CustomerShown

    @extend_schema(
        summary="Change what is given; an empty value clears it",
        request=CustomerGiven,
        responses=CustomerShown,
    )
    def patch(self, request: Request, pk: int) -> Response:
        customer = self.get_object()
        given = request.data if isinstance(request.data, dict) else {}
        draft = read_customer({**kept(customer), **given} if given else request.data)
        try:
            changed = change_customer(customer, draft, given)
        except IdentityTaken as error:
            raise ValidationError({error.kind: str(error)}) from None
        return Response(CustomerShown(self.get_queryset().get(pk=changed.pk)).data)


def kept(customer: Customer) -> dict[str, str]:
    """What goes on finding the person, as far as the change leaves it."""
    return {"external_id": customer.external_id, "email": customer.email, "phone": customer.phone}


def read_customer(body: Any) -> CustomerDraft:
    """Raises InputErrors with paths from the top of the body."""
    try:
        return customer_from_json(body)
    except InputErrors as error:
        raise InputErrors([(path.partition(".")[2], reason) for path, reason in error.errors]) from None


class InvitationFilter(filters.FilterSet):  # type: ignore[misc]
    survey = filters.CharFilter(field_name="survey__slug")
    customer = filters.NumberFilter(field_name="customer_id", min_value=1, max_value=2**62)
    state = CodesFilter(choices=Invitation.STATES)
    purpose = filters.ChoiceFilter(choices=Invitation.PURPOSES)

    class Meta:
        model = Invitation
        fields: list[str] = []


@extend_schema_view(get=extend_schema(summary="Invitations"))
class Invitations(People, generics.ListAPIView[Invitation]):
    queryset = Invitation.objects.none()
    serializer_class = InvitationShown
    filter_backends = [Filters]
    filterset_class = InvitationFilter
    orderings = {"id": "id", "send_at": "send_at"}

    def get_queryset(self) -> QuerySet[Invitation]:
        return Invitation.objects.filter(customer__in=self.people()).select_related("survey")

    @extend_schema(
        summary="Ask a customer, now or later",
        request=InvitationGiven,
        responses={201: InvitationShown},
        examples=[ASK],
    )
    def post(self, request: Request) -> Response:
        at = clock.now()
        form = InvitationGiven(data=request.data, context={"people": self.people()})
        form.is_valid(raise_exception=True)
        invitation = invite(**{"send_at": at, **form.validated_data}, at=at)
        return Response(InvitationShown(invitation).data, status=201)


@extend_schema_view(get=extend_schema(summary="One invitation"))
class OneInvitation(People, generics.RetrieveAPIView[Invitation]):
    queryset = Invitation.objects.none()
    serializer_class = InvitationShown

    def get_queryset(self) -> QuerySet[Invitation]:
        return Invitation.objects.filter(customer__in=self.people()).select_related("survey")


@extend_schema_view(get=extend_schema(summary="Surveys with their questions"))
class Surveys(generics.ListAPIView[Survey]):
    queryset = Survey.objects.prefetch_related("questions")
    serializer_class = SurveyShown
    filter_backends = [Filters]
    usual_ordering = "id"
