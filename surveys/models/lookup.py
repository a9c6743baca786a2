from __future__ import annotations

from typing import TypeVar

from django.db.models import Model, Q, QuerySet

# More of what was looked for than anybody pages through.
MOST_FOUND = 10_000

Row = TypeVar("Row", bound=Model)


def any_of(rows: QuerySet[Row], *conditions: Q, most: int | None = MOST_FOUND + 1) -> QuerySet[Row]:
    """The rows that meet one of the conditions; of more than `most` that meet one, the newest.

    Each condition is a query of its own, because PostgreSQL uses no index for an OR across tables.
    """
    plain = rows.order_by()
    found = [narrowed(plain.filter(condition), most) for condition in conditions]
    return rows.filter(pk__in=found[0].union(*found[1:]))


def narrowed(rows: QuerySet[Row], most: int | None) -> QuerySet[Row, int]:
    ids = rows.values_list("pk", flat=True)
    return ids if most is None else ids.order_by("-pk")[:most]
