"""Query parameters: each is known, and each is well formed, or the list is refused."""

from datetime import datetime
from typing import Any

from django import forms
from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from surveys.api.strict import read_instant, unknown_fields

OF_EVERY_LIST = frozenset({"cursor", "limit", "ordering"})


class Filters(filters.DjangoFilterBackend):  # type: ignore[misc]  # the package has no types
    """Refuses a parameter the list does not have: a typing error must not widen a list."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        filterset = self.get_filterset_class(view, queryset)
        known = set(filterset.base_filters) if filterset else set()
        if strange := unknown_fields(request.query_params, known | OF_EVERY_LIST):
            raise ValidationError(strange)
        rows: QuerySet[Any] = super().filter_queryset(request, queryset, view)
        return rows


class InstantField(forms.CharField):
    def clean(self, value: Any) -> datetime | None:
        text = super().clean(value)
        # A plus sign that nobody escaped arrives as a space.
        try:
            return read_instant(text.replace(" ", "+")) if text else None
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None


@extend_schema_field(OpenApiTypes.DATETIME)
class InstantFilter(filters.Filter):  # type: ignore[misc]
    field_class = InstantField


class CodesFilter(filters.BaseInFilter, filters.ChoiceFilter):  # type: ignore[misc]
    """One code or several, separated by commas."""

    def filter(self, rows: QuerySet[Any], value: list[str] | None) -> QuerySet[Any]:
        codes = [code for code in value or [] if code]
        return rows.filter(**{f"{self.field_name}__in": codes}) if codes else rows


@extend_schema_field(OpenApiTypes.BOOL)
class YesNoFilter(filters.ChoiceFilter):  # type: ignore[misc]
    """`true` or `false`; anything else is refused."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=[("true", "true"), ("false", "false")], **kwargs)
