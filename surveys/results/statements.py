"""Statements the query builder has no words for, over rows it does: grouping sets, and counts of counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

Values = Sequence[Any]
# A statement, and what it is filled with.
Statement = tuple[str, Values]


def over(rows: QuerySet[Any, Any], statement: str) -> Statement | None:
    """The statement with `rows` for the `{rows}` in it, which stands before any place for a value of its own.

    None where there cannot be a row. A per cent sign in a statement is written twice.
    """
    try:
        sql, values = rows.query.sql_with_params()
    except EmptyResultSet:
        return None
    return statement.format(rows=sql), values


def further(statement: Statement, more: str, values: Values = ()) -> Statement:
    """A statement over what another one finds, which stands in it as `{}` before any value of its own."""
    sql, first = statement
    return more.replace("{}", sql, 1), [*first, *values]


def found_by(statement: Statement | None, more: str = "{}", values: Values = ()) -> list[tuple[Any, ...]]:
    """What it finds, `more` over it or the values it still lacks given; nothing where it is None."""
    if statement is None:
        return []
    with connection.cursor() as cursor:
        cursor.execute(*further(statement, more, values))
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found
