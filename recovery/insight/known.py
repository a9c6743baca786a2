"""What is known of a cohort at one moment, read once for all the numbers about value that stand on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import OuterRef, Q, Subquery

from recovery.insight.as_of import facts_then
from recovery.insight.cohort import RECOVERED, Answer, answers_of, counted, resolutions_of
from recovery.models import TicketEvent
from recovery.models.ticket import TicketQuerySet
from surveys.scoring import Scale

# The acts after which a ticket stands elsewhere. The ticket that took in another one stays where it was.
TURNS: Final = Q(kind__in=["opened", "reopened", "resolved", "closed"]) | Q(
    kind="merged", data__has_key="into"
)
OPEN_AFTER: Final = ("opened", "reopened")

SCALE: Final = ("lowest", "highest", "best", "low_cut", "high_cut")


@dataclass(frozen=True, slots=True)
class Known:
    """One ticket at the moment: whether it was in work then, and whose it is. `worth` is a year's value."""

    pk: int
    in_work: bool
    merged: bool
    customer: int | None
    worth: float | None
    lost_at: datetime | None
    score: int | None
    scale: Scale
    cause_found: int | None
    cause_said: int | None

    @property
    def causes(self) -> set[int]:
        """What was found and what was said, where it is known."""
        return {cause for cause in (self.cause_found, self.cause_said) if cause is not None}


@dataclass(frozen=True)
class Past:
    """`answers` are those that count: within the horizon of a resolution before them."""

    at: datetime
    tickets: list[Known]
    resolutions: Mapping[int, list[datetime]]
    answers: dict[int, list[Answer]]

    def recovered(self, which: int = 0) -> list[Known]:
        """Whose next answer (`which` 0) or latest (-1) is a passive's or a promoter's."""
        return [
            ticket
            for ticket in self.tickets
            if not ticket.merged and (given := self.answers.get(ticket.pk)) and given[which].band in RECOVERED
        ]


def past_of(cohort: TicketQuerySet, at: datetime, as_of: datetime | None = None) -> Past:
    """Everything as of `at`: in three queries for now, in eight for a past moment `as_of`."""
    resolved: Mapping[int, list[datetime]]
    if as_of is None:
        resolved = resolutions_of(cohort)
        given = answers_of(cohort, resolved)
    else:
        facts = facts_then(cohort, as_of)
        resolved = facts.resolved
        given = {pk: counted(theirs, resolved.get(pk, [])) for pk, theirs in facts.answers.items()}
    answers = {pk: theirs for pk, theirs in given.items() if theirs}
    return Past(at, list(known_of(cohort, at)), resolved, answers)


def known_of(cohort: TicketQuerySet, at: datetime) -> Iterable[Known]:
    rows = cohort.annotate(turn=last_turn(at)).order_by("pk")
    fields = (
        *("pk", "turn", "customer_id", "customer__annual_value", "customer__lost_at"),
        *("response__score", "cause_found_id", "cause_said_id"),
    )
    for row in rows.values(*fields, *(f"response__survey__{name}" for name in SCALE)):
        value = row["customer__annual_value"]
        yield Known(
            pk=row["pk"],
            in_work=row["turn"] in OPEN_AFTER,
            merged=row["turn"] == "merged",
            customer=row["customer_id"],
            worth=None if value is None else float(value),
            lost_at=row["customer__lost_at"],
            score=row["response__score"],
            scale=scale_of(row, "response__survey__"),
            cause_found=row["cause_found_id"],
            cause_said=row["cause_said_id"],
        )


def last_turn(at: Any) -> Subquery:
    """The last act before a moment (or a column of the ticket) that moved it in or out of work."""
    before = TicketEvent.objects.filter(TURNS, ticket=OuterRef("pk"), at__lte=at)
    return Subquery(before.order_by("-version").values("kind")[:1])


def scale_of(row: dict[str, Any], prefix: str) -> Scale:
    lowest, highest, best, low, high = (row[f"{prefix}{name}"] for name in SCALE)
    return Scale(lowest, highest, "min" if best == "min" else "max", low, high)
