"""Pages of a list that may be very long: what nobody pages through is not counted either."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.utils.functional import cached_property

from surveys.models.lookup import MOST_FOUND


class Pages(Paginator[Any]):
    """Counts, and shows, as far as MOST_FOUND rows; `total` says so where there are more."""

    @cached_property
    def counted(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by().values("pk")[: MOST_FOUND + 1].count())

    @cached_property
    def count(self) -> int:
        return min(self.counted, MOST_FOUND)

    @property
    def total(self) -> str:
        return f"{MOST_FOUND}+" if self.counted > MOST_FOUND else str(self.counted)
