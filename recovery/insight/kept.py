"""The rows a story is told from: where its ticket stands, what was asked, heard and answered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import F, Min, QuerySet

from recovery.insight.sent import Deliveries, deliveries
from recovery.models import Contact, Resurvey, TicketEvent
from recovery.models.contact import HEARD
from recovery.models.ticket import TicketQuerySet
from surveys.models import Response


class Answer(NamedTuple):
    at: datetime
    pk: int
    band: str


class Ask(NamedTuple):
    cycle: int
    state: str
    outcome: str
    reason: str
    asked_at: datetime | None


# What stands in the ticket's own row.
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Facts:
    """All of it by ticket; what a ticket has none of is not there. Times and answers are in order."""

    rows: Sequence[Row]
    resolved: Mapping[int, list[datetime]]
    answers: Mapping[int, list[Answer]]
    asks: Mapping[int, list[Ask]]
    heard: Mapping[int, datetime]
    sent: Deliveries


def facts_now(cohort: TicketQuerySet) -> Facts:
    """In six queries, however many tickets there are."""
    return Facts(
        rows=rows_of(cohort),
        resolved=resolutions_of(cohort),
        answers=answers_of(cohort),
        asks=asks_of(cohort),
        heard=heard_of(cohort),
        sent=deliveries(cohort),
    )


def rows_of(cohort: TicketQuerySet) -> list[Row]:
    names = (
        *("pk", "status", "cycle", "merged_into_id", "opened_at", "team_id", "touchpoint"),
        *("cause_found_id", "cause_said_id", "customer__tier"),
    )
    return list(cohort.order_by("pk").values(*names))


def keys(cohort: TicketQuerySet) -> QuerySet[Any]:
    return cohort.order_by().values("pk")


def resolutions_of(cohort: TicketQuerySet) -> dict[int, list[datetime]]:
    """When each ticket was resolved, once per cycle."""
    found: dict[int, list[datetime]] = defaultdict(list)
    events = TicketEvent.objects.filter(kind="resolved", ticket__in=keys(cohort)).order_by("at", "id")
    for ticket, at in events.values_list("ticket_id", "at"):
        found[ticket].append(at)
    return found


def answers_of(cohort: TicketQuerySet) -> dict[int, list[Answer]]:
    """The person's valid answers on the ticket's line since it was opened, but for the one that opened it."""
    found: dict[int, list[Answer]] = defaultdict(list)
    rows = cohort.order_by().filter(
        customer__responses__state=Response.COMPLETE,
        customer__responses__score__isnull=False,
        customer__responses__survey__line=F("line"),
        customer__responses__answered_at__gte=F("opened_at"),
    )
    response = "customer__responses__"
    names = ("pk", "response_id", f"{response}answered_at", f"{response}pk", f"{response}band")
    for ticket, opening, at, pk, band in rows.values_list(*names):
        if pk != opening:
            found[ticket].append(Answer(at, pk, band))
    return {ticket: sorted(given) for ticket, given in found.items()}


def asks_of(cohort: TicketQuerySet) -> dict[int, list[Ask]]:
    found: dict[int, list[Ask]] = defaultdict(list)
    rows = Resurvey.objects.filter(ticket__in=keys(cohort)).order_by("cycle")
    names = ("ticket_id", "cycle", "state", "outcome", "reason", "asked_at")
    for ticket, *ask in rows.values_list(*names):
        found[ticket].append(Ask(*ask))
    return found


def heard_of(cohort: TicketQuerySet, at: datetime | None = None) -> dict[int, datetime]:
    """When each person was first reached, or replied; by `at` if given."""
    rows = Contact.objects.filter(outcome__in=HEARD, ticket__in=keys(cohort)).order_by()
    if at is not None:
        rows = rows.filter(at__lte=at)
    return dict(rows.values("ticket").annotate(first=Min("at")).values_list("ticket", "first"))
