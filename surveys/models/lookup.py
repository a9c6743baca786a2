from __future__ import annotations

import re
from typing import Any, TypeVar

from django.contrib.postgres.fields import ArrayField
from django.db.models import CharField, Func, Lookup, Model, Q, QuerySet, TextField
from django.db.models.lookups import IContains

# More of what was looked for than anybody pages through.
MOST_FOUND = 10_000

PAIR = re.compile(r"[\u3040-\ufdff]{2}")
# What a trigram index can find.
SHORTEST = 3

Row = TypeVar("Row", bound=Model)


class CharacterPairs(Func):
    """Every two neighbouring characters of a text that is written without spaces."""

    function = "character_pairs"
    arity = 1
    output_field = ArrayField(TextField())


@CharField.register_lookup
@TextField.register_lookup
class Holds(Lookup[str]):
    """As `icontains`; a word of two Chinese characters, too short for trigrams, is found by its pair."""

    lookup_name = "holds"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        words = str(self.rhs)
        if not is_pair(words):
            return IContains(self.lhs, words).as_sql(compiler, connection)
        lhs, params = compiler.compile(self.lhs)
        return f"character_pairs({lhs}) @> ARRAY[%s]::text[]", (*params, words)


def number(text: str) -> int:
    """The id that stands in an address; 0, which no row has, where none does."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def is_pair(words: str) -> bool:
    """Whether this is a word of two characters of a script that is written without spaces."""
    return PAIR.fullmatch(words) is not None


def is_indexed(words: str) -> bool:
    """Whether `holds` finds these words without reading every row."""
    return len(words) >= SHORTEST or is_pair(words)


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
