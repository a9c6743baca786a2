"""From when on the events of a ticket tell the same story as its rows do now.

As of a moment after that, what is kept is what was: nothing that a story turns on bears a later date.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from django.db.models import F, Max, QuerySet

from recovery.insight.as_of import TELLING
from recovery.insight.cohort import Story, stories
from recovery.insight.kept import heard_of, keys
from recovery.models import Resurvey, TicketEvent
from recovery.models.ticket import TicketQuerySet

# After everything that has happened.
EVER_AFTER: Final = datetime(9000, 1, 1, tzinfo=UTC)


def steady_since(cohort: TicketQuerySet, told: Iterable[Story]) -> dict[int, datetime]:
    """By ticket. One whose events tell another story than its rows is not here: it is told anew each time."""
    by_events = {story.ticket: story for story in stories(cohort, EVER_AFTER)}
    last = last_dates(cohort)
    return {story.ticket: last[story.ticket] for story in told if by_events.get(story.ticket) == story}


def last_dates(cohort: TicketQuerySet) -> dict[int, datetime]:
    """The latest date of anything a story is told from."""
    found: dict[int, datetime] = {}
    for ticket, at in dates(cohort):
        if at is not None:
            found[ticket] = max(at, found.get(ticket, at))
    return found


def dates(cohort: TicketQuerySet) -> Iterator[tuple[int, datetime | None]]:
    """In six queries."""
    events = TicketEvent.objects.filter(ticket__in=keys(cohort), kind__in=(*TELLING, "assigned"))
    yield from latest(events, "ticket", "at")
    yield from heard_of(cohort).items()
    answers = cohort.filter(customer__responses__survey__line=F("line"))
    yield from latest(answers, "pk", "customer__responses__received_at")
    yield from latest(answers, "pk", "customer__responses__versions__replaced_at")
    asked = Resurvey.objects.filter(ticket__in=keys(cohort))
    yield from latest(asked, "ticket", "asked_at")
    yield from latest(asked, "ticket", "invitation__messages__finished_at")


def latest(rows: QuerySet[Any], ticket: str, date: str) -> Iterable[tuple[int, datetime | None]]:
    found: Any = rows.order_by().values(ticket).annotate(latest=Max(date))
    return ((row[ticket], row["latest"]) for row in found)
