"""Repeat contact: who came back within two weeks of a resolution about the same, or what usually follows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final, NamedTuple

from django.db.models import Case, Count, DateTimeField, F, Min, Q, QuerySet, When

from recovery.insight.cohort import keys
from recovery.insight.recovery import Rate
from recovery.models import NextIssue, TicketEvent, TicketResponse
from recovery.models.ticket import TicketQuerySet

WITHIN: Final = timedelta(days=14)
CAUSES: Final = ("cause_found", "cause_said")


@dataclass(frozen=True)
class Comebacks:
    """How many of the tickets resolved two weeks ago or more came back; `came_back` are their ids.

    `too_early` were resolved later than that; `not_known` are the ids of those that came back as well, about
    something whose cause nobody has named yet: they are judged, but not in `came_back`.
    """

    rate: Rate
    came_back: frozenset[int]
    not_known: frozenset[int]
    too_early: int
    over: QuerySet[TicketEvent]

    @cached_property
    def by_team(self) -> dict[int, Rate]:
        """The rate of the tickets each team has now."""
        counts = self.over.values_list("ticket__team").annotate(
            hits=Count("ticket", filter=Q(ticket__in=self.came_back), distinct=True),
            judged=Count("ticket", distinct=True),
        )
        return {team: Rate(hits, judged) for team, hits, judged in counts}


class Return(NamedTuple):
    """A ticket, and something its customer did within two weeks of a resolution of it: a new ticket, another
    low score, or a message. A ticket bears the causes it has today."""

    ticket: int
    found: int | None
    said: int | None
    other: int
    found_there: int | None
    said_there: int | None

    @property
    def causes(self) -> set[int]:
        return {cause for cause in (self.found, self.said) if cause is not None}

    @property
    def causes_there(self) -> set[int]:
        return {cause for cause in (self.found_there, self.said_there) if cause is not None}


def comebacks(cohort: TicketQuerySet, seen: TicketQuerySet, at: datetime) -> Comebacks:
    """In four queries. `seen` are the tickets of the reader: what came back elsewhere they do not see."""
    resolved = resolutions(cohort, at)
    over = resolved.filter(at__lte=at - WITHIN)
    first = resolved.values("ticket").annotate(first=Min("at"))
    counts = first.aggregate(
        judged=Count("ticket", filter=Q(first__lte=at - WITHIN)),
        too_early=Count("ticket", filter=Q(first__gt=at - WITHIN)),
    )
    came_back, not_known = sorted_out(list(returns(over, seen)))
    return Comebacks(
        rate=Rate(len(came_back), counts["judged"]),
        came_back=came_back,
        not_known=not_known,
        too_early=counts["too_early"],
        over=over,
    )


def resolutions(cohort: TicketQuerySet, at: datetime) -> QuerySet[TicketEvent]:
    """Of tickets whose customer is known: who is not cannot be seen to come back."""
    theirs = keys(cohort.filter(customer__isnull=False))
    return TicketEvent.objects.filter(kind="resolved", at__lte=at, ticket__in=theirs).order_by()


def sorted_out(found: list[Return]) -> tuple[frozenset[int], frozenset[int]]:
    """The tickets that came back about the same, and those of which nobody knows about what."""
    follows = follows_of() if found else {}
    same = frozenset(each.ticket for each in found if is_same(each, follows))
    unnamed = frozenset(each.ticket for each in found if not each.causes_there)
    return same, unnamed - same


def is_same(each: Return, follows: dict[int, set[int]]) -> bool:
    wanted = each.causes.union(*(follows.get(cause, set()) for cause in each.causes))
    return each.other == each.ticket or bool(each.causes_there & wanted)


def follows_of() -> dict[int, set[int]]:
    """What usually follows a cause."""
    found: dict[int, set[int]] = defaultdict(set)
    for cause, follows in NextIssue.objects.values_list("cause_id", "follows_id"):
        found[cause].add(follows)
    return found


# --- what customers did -------------------------------------------------------------------------------------


def returns(over: QuerySet[TicketEvent], seen: TicketQuerySet) -> Iterable[Return]:
    """All that followed these resolutions within two weeks, in one query."""
    signs = [low_scores_after(over), messages_after(over)]
    if seen.query.where:
        signs = [each.filter(ticket__in=keys(seen)) for each in signs]
    low, wrote = (each.values_list(*RETURN) for each in signs)
    return (Return(*row) for row in low.union(wrote))


# Of a sign: its customer's other tickets, and the events of those.
TICKET: Final = "ticket__customer__tickets"
EVENT: Final = f"{TICKET}__events"
RETURN: Final = (
    *(TICKET, *(f"{TICKET}__{cause}" for cause in CAUSES)),
    *("ticket", *(f"ticket__{cause}" for cause in CAUSES)),
)


def low_scores_after(over: QuerySet[TicketEvent]) -> QuerySet[Any]:
    """Each answer that opened a ticket of theirs or joined one."""
    opened = When(role=TicketResponse.OPENED, then=F("ticket__opened_at"))
    given = Case(opened, default=F("response__answered_at"), output_field=DateTimeField())
    rows = TicketResponse.objects.filter(role__in=(TicketResponse.OPENED, TicketResponse.ABSORBED))
    return followed(rows.alias(given=given), "given", over)


def messages_after(over: QuerySet[TicketEvent]) -> QuerySet[Any]:
    return followed(TicketEvent.objects.filter(kind="customer_wrote"), "at", over)


def followed(signs: QuerySet[Any], moment: str, over: QuerySet[TicketEvent]) -> QuerySet[Any]:
    after = {
        f"{EVENT}__in": over.values("pk"),
        f"{EVENT}__at__lt": F(moment),
        f"{EVENT}__at__gte": F(moment) - WITHIN,
    }
    return signs.filter(**after).order_by()
