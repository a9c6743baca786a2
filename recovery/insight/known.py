"""The customers of a cohort at one moment: who has an open low score, who recovered, and how they scored.

Each counts once, by the latest of their tickets; one who is marked lost by then counts no more. Only narrow
rows are read, and only of those tickets: a long history is never read whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any, Final, NamedTuple

from django.db.models import F, OuterRef, Q, Subquery

from recovery.insight.as_of import answers_then
from recovery.insight.cohort import HORIZON, RECOVERED, counted
from recovery.insight.kept import resolutions_of
from recovery.insight.told import Told
from recovery.models import Ticket, TicketEvent
from recovery.models.ticket import IN_WORK, TicketQuerySet
from surveys.models import Response, Survey
from surveys.scoring import Scale

# The acts after which a ticket stands elsewhere. The ticket that took in another one stays where it was.
TURNS: Final = Q(kind__in=["opened", "reopened", "resolved", "closed"]) | Q(
    kind="merged", data__has_key="into"
)
OPEN_AFTER: Final = ("opened", "reopened")
# So many answers of a past moment are looked up at a time.
AT_A_TIME: Final = 10_000

GIVEN: Final = "customer__responses__"
WHO: Final = ("customer_id", "pk", "customer__annual_value", "response__survey_id", "response__score")


class Scored(NamedTuple):
    """A score is on the scale of its survey."""

    survey: int
    score: int
    band: str


class Known(NamedTuple):
    """A customer, and the ticket they count by. `worth` is a year's value, `was` the score that opened it.

    `now` is the answer that counts for them: None where no valid one is left.
    """

    customer: int
    ticket: int
    worth: Decimal | None
    survey: int
    was: int | None
    now: Scored | None


def person_of(who: Sequence[Any], now: Scored | None) -> Known:
    """From the columns of WHO."""
    customer, ticket, worth, survey, was = who
    return Known(customer, ticket, worth, survey, was, now)


def at_risk(told: Told, at: datetime) -> Iterator[Known]:
    """Who has a ticket in work, with the latest answer they have given on anything; in two queries."""
    tickets = of_those_there(in_work(told, at), at)
    # Read through to the end first: that is all there is to keep in mind of them.
    latest = latest_answers(tickets, at)
    for who in of_each_customer(tickets).values_list(*WHO).iterator():
        yield person_of(who, latest.get(who[0]))


def recovered(told: Told, at: datetime) -> Iterator[Known]:
    """Whose latest answer after a resolution is a passive's or a promoter's, with that answer.

    One query; of a past moment three for each ten thousand of them.
    """
    tickets = of_those_there(told.behind([("now", RECOVERED)]), at)
    if told.which.as_of is not None:
        yield from recovered_then(tickets, told.which.as_of)
        return
    rows = with_answers(tickets).order_by("customer_id", "-pk", f"-{GIVEN}answered_at", f"-{GIVEN}pk")
    answer = (f"{GIVEN}survey_id", f"{GIVEN}score", f"{GIVEN}band")
    for row in rows.distinct("customer_id").values_list(*WHO, *answer).iterator():
        yield person_of(row[: len(WHO)], Scored(*row[len(WHO) :]))


def next_answers(told: Told) -> Iterator[Scored]:
    """The first answer of each recovered ticket, where it is still valid."""
    tickets = told.behind([("next", RECOVERED)])
    if told.which.as_of is not None:
        ids = tickets.order_by().values_list("pk", flat=True).iterator()
        for some in pieces(ids):
            yield from answers_before(some, told.which.as_of, 0).values()
        return
    rows = with_answers(tickets).order_by("pk", f"{GIVEN}answered_at", f"{GIVEN}pk").distinct("pk")
    for scored in rows.values_list(f"{GIVEN}survey_id", f"{GIVEN}score", f"{GIVEN}band").iterator():
        yield Scored(*scored)


def scales() -> dict[int, Scale]:
    """Of every survey, as they are today; in one query."""
    names = ("pk", "lowest", "highest", "best", "low_cut", "high_cut")
    return {
        pk: Scale(lowest, highest, "min" if best == "min" else "max", low, high)
        for pk, lowest, highest, best, low, high in Survey.objects.order_by().values_list(*names)
    }


# --- which tickets ------------------------------------------------------------------------------------------


def in_work(told: Told, at: datetime) -> TicketQuerySet:
    tickets = told.tickets()
    if told.which.as_of is None:
        return tickets.filter(status__in=IN_WORK)
    # Looked up first: they are few, and what is asked about them next would otherwise be planned for all.
    then = tickets.alias(turn=last_turn(at)).filter(turn__in=OPEN_AFTER).order_by()
    return Ticket.objects.filter(pk__in=list(then.values_list("pk", flat=True)))


def last_turn(at: Any) -> Subquery:
    """The last act before a moment (or a column of the ticket) that moved it in or out of work."""
    before = TicketEvent.objects.filter(TURNS, ticket=OuterRef("pk"), at__lte=at)
    return Subquery(before.order_by("-version").values("kind")[:1])


def of_those_there(tickets: TicketQuerySet, at: datetime) -> TicketQuerySet:
    """Whom nobody knows has no value to lose, and whoever is lost has none any more."""
    there = Q(customer__lost_at=None) | Q(customer__lost_at__gt=at)
    return tickets.filter(there, customer__isnull=False)


def of_each_customer(tickets: TicketQuerySet) -> TicketQuerySet:
    return tickets.order_by("customer_id", "-pk").distinct("customer_id")


# --- and which answers --------------------------------------------------------------------------------------


def latest_answers(tickets: TicketQuerySet, at: datetime) -> dict[int, Scored]:
    """The latest valid answer up to a moment of each customer of these tickets, on anything."""
    rows = Response.objects.counted().filter(
        customer__in=tickets.order_by().values("customer"), answered_at__lte=at
    )
    newest = rows.order_by("customer_id", "-answered_at", "-pk").distinct("customer_id")
    fields = ("customer_id", "survey_id", "score", "band")
    return {customer: Scored(*scored) for customer, *scored in newest.values_list(*fields).iterator()}


def with_answers(tickets: TicketQuerySet) -> TicketQuerySet:
    """Each beside every answer that counts for it, as `cohort.answers_of` has them."""
    follows = F(f"{GIVEN}answered_at")
    another = Q(**{f"{GIVEN}pk__lt": F("response_id")}) | Q(**{f"{GIVEN}pk__gt": F("response_id")})
    return tickets.filter(
        another,
        **{
            f"{GIVEN}state": Response.COMPLETE,
            f"{GIVEN}score__isnull": False,
            f"{GIVEN}survey__line": F("line"),
            f"{GIVEN}answered_at__gte": F("opened_at"),
            "events__kind": "resolved",
            "events__at__lte": follows,
            "events__at__gte": follows - HORIZON,
        },
    )


def recovered_then(tickets: TicketQuerySet, as_of: datetime) -> Iterator[Known]:
    for some in pieces(of_each_customer(tickets).values_list(*WHO).iterator()):
        answers = answers_before([row[1] for row in some], as_of, -1)
        for row in some:
            yield person_of(row, answers.get(row[1]))


def answers_before(tickets: Sequence[int], as_of: datetime, which: int) -> dict[int, Scored]:
    """By ticket, the answer that was its first (0) or latest (-1) at a past moment, if it is valid still."""
    some = Ticket.objects.filter(pk__in=tickets)
    resolved, found = resolutions_of(some), {}
    for ticket, given in answers_then(some, as_of).items():
        before = [at for at in resolved.get(ticket, []) if at <= as_of]
        if answers := counted(given, before):
            found[ticket] = answers[which].pk
    rows = Response.objects.counted().filter(pk__in=found.values()).order_by()
    fields = ("survey_id", "score", "band", "pk")
    valid = {pk: Scored(*scored) for *scored, pk in rows.values_list(*fields)}
    return {ticket: valid[pk] for ticket, pk in found.items() if pk in valid}


def pieces(rows: Iterable[Any]) -> Iterator[list[Any]]:
    rows = iter(rows)
    while some := list(islice(rows, AT_A_TIME)):
        yield some
