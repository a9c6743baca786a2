"""What had happened to each ticket of a cohort by a moment, as its events tell it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple

from recovery.insight.cohort import keys
from recovery.models import TicketEvent
from recovery.models.ticket import TicketQuerySet

OPENED, RESOLVED, REOPENED = "opened", "resolved", "reopened"
CONTACTED, REPLY_SENT, TAKEN_BACK, WROTE = "contacted", "reply_sent", "reply_taken_back", "customer_wrote"
KINDS: Final = (OPENED, RESOLVED, REOPENED, CONTACTED, REPLY_SENT, TAKEN_BACK, WROTE)


class Happened(NamedTuple):
    """One act. `outcome` is that of a contact, `reply` which reply it was about."""

    kind: str
    cycle: int
    at: datetime
    outcome: str | None
    reply: int | None
    cause_found: str | None


Histories = dict[int, list[Happened]]


def histories(cohort: TicketQuerySet, at: datetime) -> Histories:
    """The acts up to `at` that began a cycle or ended it, and who spoke, in their order; in one query."""
    found: Histories = defaultdict(list)
    rows = TicketEvent.objects.filter(ticket__in=keys(cohort), kind__in=KINDS, at__lte=at)
    facts = ("data__outcome", "data__reply", "data__cause_found")
    names = ("ticket_id", "kind", "cycle", "at", *facts)
    for ticket, *happened in rows.order_by("ticket", "version").values_list(*names):
        found[ticket].append(Happened(*happened))
    return dict(found)


def cycle_reached(acts: Iterable[Happened]) -> int:
    return 1 + sum(act.kind == REOPENED for act in acts)
