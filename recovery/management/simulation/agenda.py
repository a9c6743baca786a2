"""What happens next in simulated time."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import datetime
from itertools import count

Step = Callable[[datetime], None]


class Agenda:
    """Steps in order of their time; of equals, the one planned first."""

    def __init__(self) -> None:
        self._steps: list[tuple[datetime, int, Step]] = []
        self._serial = count()
        self._now: datetime | None = None

    def plan(self, at: datetime, step: Step) -> None:
        """What should have been before now comes next."""
        due = at if self._now is None else max(at, self._now)
        heapq.heappush(self._steps, (due, next(self._serial), step))

    def run_until(self, end: datetime) -> None:
        """Everything before `end`, also what is planned meanwhile."""
        while self._steps and self._steps[0][0] < end:
            at, _serial, step = heapq.heappop(self._steps)
            self._now = at
            step(at)
