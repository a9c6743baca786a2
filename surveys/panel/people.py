"""The people behind a number, a page at a time: those whom a reader may see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db.models import QuerySet

from surveys.models import Customer, Response
from surveys.panel.paired import Given
from surveys.results.statements import Statement, found_by, further, over
from surveys.scoring import Scale, band


class Person(NamedTuple):
    """Somebody with the answers that put them behind the number: one, two, or none on the scale."""

    customer: int
    answers: tuple[Given, ...]


# A statement over people gives of each, beside the customer, up to two answers.
PAGE: Final = """
SELECT customer, one_id, one_at, one_said, two_id, two_at, two_said
FROM ({}) AS people ORDER BY customer OFFSET %s LIMIT %s
"""
NOTHING: Final[Statement] = ("SELECT NULL::bigint WHERE false", ())
SEEN: Final = """
SELECT * FROM ({}) AS people WHERE customer IN ({customers}) AND NOT EXISTS (
    SELECT 1 FROM unnest(ARRAY[one_id, two_id]) AS answer
    WHERE answer IS NOT NULL AND answer NOT IN ({responses})
)
"""


@dataclass(frozen=True)
class People:
    """By customer; read only where they are looked at."""

    scale: Scale
    found: Statement | None

    def __len__(self) -> int:
        rows = found_by(self.found, "SELECT count(*) FROM ({}) AS people")
        return int(rows[0][0]) if rows else 0

    def __getitem__(self, some: slice) -> list[Person]:
        start, stop = some.start or 0, some.stop
        limit = None if stop is None else max(0, stop - start)
        return [self._person(*row) for row in found_by(self.found, PAGE, [start, limit])]

    def __iter__(self) -> Iterator[Person]:
        return iter(self[:])

    def _person(self, customer: int, *found: Any) -> Person:
        answers = (self._given(*found[at : at + 3]) for at in (0, 3))
        return Person(customer, tuple(each for each in answers if each))

    def _given(self, response: int | None, at: datetime, score: int) -> Given | None:
        return Given(response, at, score, band(score, self.scale)) if response else None

    def seen(self, customers: QuerySet[Customer, Any], responses: QuerySet[Response, Any]) -> People:
        """Those of these customers all of whose answers are among these."""
        who, what = (over(rows.order_by().values("pk"), "{rows}") for rows in (customers, responses))
        if self.found is None or who is None:
            return replace(self, found=None)
        readable, values = what or NOTHING
        more = SEEN.replace("{customers}", who[0]).replace("{responses}", readable)
        return replace(self, found=further(self.found, more, [*who[1], *values]))
