"""Statements the query builder has no words for, over rows it does: grouping sets, and counts of counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet


def select_over(rows: QuerySet[Any, Any], statement: str, values: Sequence[Any] = ()) -> list[Any]:
    """What the statement finds; `{rows}` in it, before any of its own places for values, stands for `rows`.

    Nothing where `rows` cannot hold a row. A per cent sign in the statement is written twice.
    """
    try:
        sql, inner = rows.query.sql_with_params()
    except EmptyResultSet:
        return []
    with connection.cursor() as cursor:
        cursor.execute(statement.format(rows=sql), [*inner, *values])
        return list(cursor.fetchall())
