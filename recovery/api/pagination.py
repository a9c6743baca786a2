"""Pages by cursor: a page begins after the last row of the one before, whatever came or went in between."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

USUAL, MOST = 50, 200
LARGEST_ID = 2**63 - 1
LIMIT = {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}


@dataclass(frozen=True)
class Order:
    """By one column, then by id, both in one direction; rows without a value come last."""

    name: str
    column: str

    @property
    def is_descending(self) -> bool:
        return self.name.startswith("-")

    def sort(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        sign = "-" if self.is_descending else ""
        if self.column == "id":
            return rows.order_by(f"{sign}id")
        column = F(self.column)
        # Where a column always has a value, "nulls last" only keeps its index from being used.
        last = True if self.may_be_empty(rows) else None
        first = column.desc(nulls_last=last) if self.is_descending else column.asc(nulls_last=last)
        return rows.order_by(first, f"{sign}id")

    def may_be_empty(self, rows: QuerySet[Any]) -> bool:
        columns: dict[str, bool] = {field.name: field.null for field in rows.model._meta.concrete_fields}
        return columns.get(self.column, True)

    def after(self, rows: QuerySet[Any], key: Any, pk: int) -> QuerySet[Any]:
        beyond = "lt" if self.is_descending else "gt"
        later = {f"id__{beyond}": pk}
        if self.column == "id":
            return rows.filter(**later)
        if key is None:
            return rows.filter(**{f"{self.column}__isnull": True}, **later)
        same = Q(**{self.column: key}, **later)
        further = Q(**{f"{self.column}__{beyond}": key}) | Q(**{f"{self.column}__isnull": True})
        return rows.filter(same | further)

    def cursor_of(self, row: Any) -> str:
        key = row.pk if self.column == "id" else getattr(row, self.column)
        plain = key.isoformat() if isinstance(key, datetime) else key
        text = json.dumps([self.name, isinstance(key, datetime), plain, row.pk])
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def read(self, cursor: str) -> tuple[Any, int]:
        """Raises ValueError for a cursor of another order, or that was tampered with."""
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        name, is_time, key, pk = json.loads(text)
        if name != self.name or type(pk) is not int or not 0 <= pk <= LARGEST_ID:
            raise ValueError("another list's cursor")
        return (datetime.fromisoformat(key) if is_time else key), pk


class Cursor(BasePagination):
    """The view names its `orderings` ({name: column}) and its `usual_ordering`; else it is `-id`."""

    next_url: str | None

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        order, limit = order_of(request, view), limit_of(request)
        rows = order.sort(queryset)
        if cursor := request.query_params.get("cursor"):
            rows = begin_after(rows, order, cursor)
        page = list(rows[: limit + 1])
        more = len(page) > limit
        url = request.build_absolute_uri()
        self.next_url = replace_query_param(url, "cursor", order.cursor_of(page[limit - 1])) if more else None
        return page[:limit]

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self.next_url, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        url = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["next", "results"],
            "properties": {"next": url, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        names = sorted(orderings_of(view))
        signed = [sign + name for name in names for sign in ("", "-")]
        return [
            parameter("cursor", {"type": "string"}, "Where to go on: part of `next`."),
            parameter(
                "limit", {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}, "Rows a page."
            ),
            parameter("ordering", {"type": "string", "enum": signed}, "A minus sign turns it round."),
        ]


def parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def orderings_of(view: Any) -> dict[str, str]:
    return getattr(view, "orderings", {"id": "id"})


def order_of(request: Request, view: Any) -> Order:
    usual: str = getattr(view, "usual_ordering", "-id")
    name = request.query_params.get("ordering") or usual
    column = orderings_of(view).get(name.removeprefix("-"))
    if column is None:
        known = ", ".join(sorted(orderings_of(view)))
        raise ValidationError({"ordering": _("Order by one of: %(names)s.") % {"names": known}})
    return Order(name, column)


def limit_of(request: Request) -> int:
    text = request.query_params.get("limit", str(USUAL))
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= MOST):
        raise ValidationError({"limit": _("Give a number from 1 to %(most)s.") % {"most": MOST}})
    return int(text)


def begin_after(rows: QuerySet[Any], order: Order, cursor: str) -> QuerySet[Any]:
    try:
        return order.after(rows, *order.read(cursor))
    except (ValueError, TypeError, binascii.Error, DjangoValidationError):
        raise ValidationError({"cursor": _("This list has no such cursor. Begin without one.")}) from None
