"""What can fall due, as the rooms above have said it at start: where its rows are, and what one step does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet


@dataclass(frozen=True)
class Kind:
    """`due` gives the rows due at a time, the longest waiting first; `step` does one and checks again.

    A step runs inside the transaction that ends its claim. A kind that `claims_itself` takes, counts and
    ends its rows on its own, outside any transaction. One that `speaks` says something to customers: it
    rests while the database may have forgotten what was said. What is `never_given_up` is tried again every
    minute for ever. `untaken` gives those of the due rows that wait for nothing but a worker, where that is
    not all of them. `due_at` names the column the rows wait for; ''
    where no column tells.
    """

    name: str
    due: Callable[[datetime], QuerySet[Any]]
    step: Callable[[int, datetime], object]
    due_at: str = "due_at"
    speaks: bool = False
    claims_itself: bool = False
    never_given_up: bool = False
    untaken: Callable[[datetime], QuerySet[Any]] | None = None

    def ids(self, at: datetime, limit: int = 500) -> list[int]:
        return list(self.due(at).values_list("pk", flat=True)[:limit])


_kinds: dict[str, Kind] = {}


def register(*kinds: Kind, first: bool = False) -> None:
    """Later ones are worked on after earlier ones, those that come `first` before all; the same name again
    replaces."""
    new = {kind.name: kind for kind in kinds}
    if first:
        new |= {name: kind for name, kind in _kinds.items() if name not in new}
        _kinds.clear()
    _kinds.update(new)


def all_kinds() -> list[Kind]:
    return list(_kinds.values())


def find(name: str) -> Kind | None:
    return _kinds.get(name)
