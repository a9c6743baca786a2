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
# Each answer is looked up by its key: NOT IN would go through a list of everything readable for each of them,
# as soon as the list is too long to be hashed.
SEEN: Final = """
SELECT * FROM ({}) AS people WHERE customer IN ({customers}) AND NOT EXISTS (
    SELECT 1 FROM unnest(ARRAY[one_id, two_id]) AS answer WHERE answer IS NOT NULL AND NOT ({readable})
)
"""
AMONG: Final = "EXISTS (SELECT 1 FROM ({rows}) AS theirs (id) WHERE theirs.id = answer)"
NOWHERE: Final = "false"


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

    def seen(self, customers: QuerySet[Customer, Any], *responses: QuerySet[Response, Any]) -> People:
        """Those of these customers each of whose answers is among some of these.

        What joins several lists by OR is better given as so many querysets: each is looked up by itself.
        """
        who = over(customers.order_by().values("pk"), "{rows}")
        if self.found is None or who is None:
            return replace(self, found=None)
        among = [each for rows in responses if (each := over(rows.order_by().values("pk"), AMONG))]
        readable = " OR ".join(sql for sql, _values in among) or NOWHERE
        more = SEEN.replace("{customers}", who[0]).replace("{readable}", readable)
        values = [value for _sql, some in (who, *among) for value in some]
        return replace(self, found=further(self.found, more, values))
