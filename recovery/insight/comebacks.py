"""Repeat contact: who came back within two weeks of a resolution about the same, or what usually follows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import QuerySet

from recovery.insight.known import Known, Past
from recovery.insight.recovery import Rate
from recovery.models import NextIssue, TicketEvent, TicketResponse
from recovery.models.ticket import TicketQuerySet

WITHIN: Final = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Comebacks:
    """Ids of tickets: `judged` were resolved two weeks ago or more, `came_back` is the part that came back.

    `too_early` were resolved later than that; `not_known` came back as well, about something whose cause
    nobody has named yet, and are in `judged` but not in `came_back`.
    """

    judged: frozenset[int]
    came_back: frozenset[int]
    too_early: frozenset[int]
    not_known: frozenset[int]

    @property
    def rate(self) -> Rate:
        return Rate(len(self.came_back), len(self.judged))

    def among(self, tickets: frozenset[int]) -> Rate:
        """The same of some of the tickets."""
        return Rate(len(self.came_back & tickets), len(self.judged & tickets))


@dataclass(frozen=True, slots=True)
class Sign:
    """Something a customer did: a new ticket, another low score, or a message."""

    at: datetime
    ticket: int
    causes: frozenset[int]


def comebacks(past: Past, seen: TicketQuerySet) -> Comebacks:
    """In three queries. `seen` are the tickets of the reader: what came back elsewhere they do not see."""
    resolved = [ticket for ticket in past.tickets if past.resolutions.get(ticket.pk) and ticket.customer]
    over = {ticket.pk: over_at(past, ticket) for ticket in resolved}
    judged = [ticket for ticket in resolved if over[ticket.pk]]
    signs = signs_of({ticket.customer for ticket in judged if ticket.customer}, seen, past.at)
    follows = follows_of() if judged else {}
    found = {ticket.pk: answer_of(ticket, over[ticket.pk], signs, follows) for ticket in judged}
    return Comebacks(
        judged=frozenset(found),
        came_back=frozenset(pk for pk, is_same in found.items() if is_same),
        too_early=frozenset(ticket.pk for ticket in resolved if not over[ticket.pk]),
        not_known=frozenset(pk for pk, is_same in found.items() if is_same is None),
    )


def over_at(past: Past, ticket: Known) -> list[datetime]:
    """The resolutions whose two weeks are over."""
    return [at for at in past.resolutions[ticket.pk] if at + WITHIN <= past.at]


def follows_of() -> dict[int, set[int]]:
    """What usually follows a cause."""
    found: dict[int, set[int]] = defaultdict(set)
    for cause, follows in NextIssue.objects.values_list("cause_id", "follows_id"):
        found[cause].add(follows)
    return found


def signs_of(customers: set[int], seen: TicketQuerySet, at: datetime) -> dict[int, list[Sign]]:
    """By customer."""
    found: dict[int, list[Sign]] = defaultdict(list)
    theirs = seen.filter(customer__in=customers).order_by().values("pk")
    for customer, sign in (*low_scores_of(theirs), *messages_of(theirs)):
        if sign.at <= at:
            found[customer].append(sign)
    return found


def low_scores_of(theirs: QuerySet[Any]) -> Iterable[tuple[int, Sign]]:
    """Each answer that opened a ticket of theirs or joined one; a ticket bears the causes it has today."""
    roles = (TicketResponse.OPENED, TicketResponse.ABSORBED)
    rows = TicketResponse.objects.filter(ticket__in=theirs, role__in=roles).order_by()
    ticket = ("ticket__customer_id", "ticket_id", "ticket__cause_found_id", "ticket__cause_said_id")
    for customer, pk, found, said, role, opened, answered in rows.values_list(
        *ticket, "role", "ticket__opened_at", "response__answered_at"
    ):
        at = opened if role == TicketResponse.OPENED else answered
        yield customer, Sign(at, pk, frozenset({found, said} - {None}))


def messages_of(theirs: QuerySet[Any]) -> Iterable[tuple[int, Sign]]:
    rows = TicketEvent.objects.filter(ticket__in=theirs, kind="customer_wrote").order_by()
    ticket = ("ticket__customer_id", "ticket_id", "ticket__cause_found_id", "ticket__cause_said_id")
    for customer, pk, found, said, at in rows.values_list(*ticket, "at"):
        yield customer, Sign(at, pk, frozenset({found, said} - {None}))


def answer_of(
    ticket: Known, resolved: list[datetime], signs: dict[int, list[Sign]], follows: dict[int, set[int]]
) -> bool | None:
    """Whether they came back about the same; None where they did, and nobody knows about what."""
    assert ticket.customer is not None
    theirs = [
        sign for sign in signs.get(ticket.customer, []) if any(at < sign.at <= at + WITHIN for at in resolved)
    ]
    same = ticket.causes.union(*(follows.get(cause, set()) for cause in ticket.causes))
    if any(sign.ticket == ticket.pk or sign.causes & same for sign in theirs):
        return True
    return None if any(not sign.causes for sign in theirs) else False
