"""A part of a whole, with what may be said about it. Plain Python: no Django, no clock."""

from __future__ import annotations

from dataclasses import dataclass

from surveys.estimates import MIN_ANSWERS_FOR_PERCENT, Interval, wilson


@dataclass(frozen=True, slots=True)
class Rate:
    """`hits` of `n`. Below ten, share and interval are None: show the counts."""

    hits: int
    n: int

    @property
    def share(self) -> float | None:
        return self.hits / self.n if self.n >= MIN_ANSWERS_FOR_PERCENT else None

    @property
    def interval(self) -> Interval | None:
        return wilson(self.hits, self.n) if self.n >= MIN_ANSWERS_FOR_PERCENT else None
