"""The customers of a cohort at one moment: who has an open low score, who recovered, and how they scored.

Each counts once, by the latest of their tickets; one who is marked lost by then counts no more. Only narrow
rows are read, and only of those tickets: a long history is never read whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any, Final, NamedTuple

from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from recovery.insight.as_of import Earlier, answers_then, earlier_answers
from recovery.insight.cohort import HORIZON, RECOVERED, counted
from recovery.insight.kept import Answer, resolutions_of
from recovery.insight.scales import Mark, Scales
from recovery.insight.told import Told
from recovery.models import Ticket, TicketEvent
from recovery.models.ticket import IN_WORK, TicketQuerySet
from surveys.models import Response
from surveys.models.response import ResponseQuerySet

# The acts after which a ticket stands elsewhere. The ticket that took in another one stays where it was.
TURNS: Final = Q(kind__in=["opened", "reopened", "resolved", "closed"]) | Q(
    kind="merged", data__has_key="into"
)
OPEN_AFTER: Final = ("opened", "reopened")
# So many answers of a past moment are looked up at a time.
AT_A_TIME: Final = 10_000

GIVEN: Final = "customer__responses__"
# The columns of `Who`, and of `Said`.
WHO: Final = (
    *("customer_id", "pk", "customer__annual_value", "opened_at"),
    *("response_id", "response__survey_id", "was_era", "response__score"),
)
SAID: Final = ("answered_at", "pk", "band", "survey_id", "era", "score")
GIVEN_TO: Final = tuple(name if name == "era" else GIVEN + name for name in SAID)


class Said(NamedTuple):
    """A valid answer, as it was at the moment looked at."""

    at: datetime
    pk: int
    band: str
    mark: Mark

    @classmethod
    def of(cls, row: Sequence[Any]) -> Said:
        """From the columns of SAID."""
        at, pk, band, survey, era, score = row
        return cls(at, pk, band, Mark(survey, era, score))


class Known(NamedTuple):
    """A customer, and the ticket they count by. `worth` is a year's value, `was` the score that opened it.

    `now` is the answer that counts for them: None where no valid one is left. `is_well` is whether that is
    a passive's or a promoter's, and was given after the ticket was opened.
    """

    customer: int
    ticket: int
    worth: Decimal | None
    was: Mark | None
    now: Mark | None
    is_well: bool


class Who(NamedTuple):
    """The same as it stands in the ticket's rows today, with the answer that opened it."""

    customer: int
    ticket: int
    worth: Decimal | None
    opened_at: datetime
    opening: int
    survey: int
    era: int
    score: int | None

    @property
    def was(self) -> Mark | None:
        return None if self.score is None else Mark(self.survey, self.era, self.score)

    def is_well(self, said: Said | None) -> bool:
        """Whether they have answered well since, by another answer than the one that opened the ticket."""
        return (
            said is not None
            and said.band in RECOVERED
            and said.pk != self.opening
            and said.at >= self.opened_at
        )


def at_risk(told: Told, at: datetime, scales: Scales) -> Iterator[Known]:
    """Who has a ticket in work, with the latest answer they have given on anything; in two queries.

    Of a past moment in two more.
    """
    tickets = of_those_there(in_work(told, at), at)
    if told.which.as_of is not None:
        yield from at_risk_then(tickets, told.which.as_of, scales)
        return
    # Read through to the end first: that is all there is to keep in mind of them.
    latest = latest_of(valid_answers(tickets, at), scales)
    for who in of_each_customer(tickets, scales):
        yield person_of(who, who.was, latest.get(who.customer))


def recovered(told: Told, at: datetime, scales: Scales) -> Iterator[Known]:
    """Whose latest answer after a resolution is a passive's or a promoter's, with that answer.

    One query; of a past moment five for each ten thousand of them.
    """
    tickets = of_those_there(told.behind([("now", RECOVERED)]), at)
    if told.which.as_of is not None:
        yield from recovered_then(tickets, told.which.as_of, scales)
        return
    rows = with_eras(with_answers(tickets, scales), scales)
    newest = rows.order_by("customer_id", "-pk", f"-{GIVEN}answered_at", f"-{GIVEN}pk")
    for row in newest.distinct("customer_id").values_list(*WHO, *GIVEN_TO).iterator():
        who = Who(*row[: len(WHO)])
        yield person_of(who, who.was, Said.of(row[len(WHO) :]))


def next_answers(told: Told, scales: Scales) -> Iterator[Mark]:
    """The first answer of each recovered ticket."""
    tickets = told.behind([("next", RECOVERED)])
    if told.which.as_of is not None:
        ids = tickets.order_by().values_list("pk", flat=True).iterator()
        for some in pieces(ids):
            found = past_of(with_keys(some), told.which.as_of, scales).answers(0)
            yield from (said.mark for said in found.values())
        return
    rows = with_answers(tickets, scales).order_by("pk", f"{GIVEN}answered_at", f"{GIVEN}pk")
    for row in rows.distinct("pk").values_list(*GIVEN_TO).iterator():
        yield Said.of(row).mark


def person_of(who: Who, was: Mark | None, said: Said | None) -> Known:
    now = None if said is None else said.mark
    return Known(who.customer, who.ticket, who.worth, was, now, who.is_well(said))


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


def of_each_customer(tickets: TicketQuerySet, scales: Scales) -> Iterator[Who]:
    rows = with_eras(tickets, scales).order_by("customer_id", "-pk").distinct("customer_id")
    for row in rows.values_list(*WHO).iterator():
        yield Who(*row)


def with_eras(tickets: QuerySet[Any], scales: Scales) -> QuerySet[Any]:
    """Each with the era of its low score."""
    found: QuerySet[Any] = tickets.annotate(was_era=scales.era("response__survey", "response__answered_at"))
    return found


# --- and which answers --------------------------------------------------------------------------------------


def valid_answers(tickets: TicketQuerySet, at: datetime) -> ResponseQuerySet:
    """Those that the customers of these tickets had given up to a moment, on anything."""
    customers = tickets.order_by().values("customer")
    return Response.objects.counted().filter(customer__in=customers, answered_at__lte=at)


def latest_of(answers: ResponseQuerySet, scales: Scales) -> dict[int, Said]:
    """The latest of each customer."""
    rows = answers.annotate(era=scales.era("survey", "answered_at"))
    newest = rows.order_by("customer_id", "-answered_at", "-pk").distinct("customer_id")
    found = newest.values_list("customer_id", *SAID).iterator()
    return {customer: Said.of(said) for customer, *said in found}


def with_answers(tickets: TicketQuerySet, scales: Scales) -> QuerySet[Any]:
    """Each beside every answer that counts for it, as `cohort.answers_of` has them."""
    follows = F(f"{GIVEN}answered_at")
    another = Q(**{f"{GIVEN}pk__lt": F("response_id")}) | Q(**{f"{GIVEN}pk__gt": F("response_id")})
    rows: Any = tickets.filter(
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
    found: QuerySet[Any] = rows.annotate(era=scales.era(f"{GIVEN}survey", f"{GIVEN}answered_at"))
    return found


# --- as they were at a past moment --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Past:
    """Some tickets, and what their people had said by a moment; `earlier` are the answers changed since."""

    tickets: TicketQuerySet
    as_of: datetime
    scales: Scales
    earlier: Mapping[int, Earlier]

    def was(self, who: Who) -> Mark | None:
        then = self.earlier.get(who.opening)
        if then is None:
            return who.was
        return None if then.score is None else self.scales.mark(who.survey, then.score, then.at)

    def latest(self) -> dict[int, Said]:
        """The latest valid answer of each customer, on anything. Two queries."""
        unchanged = valid_answers(self.tickets, self.as_of).filter(received_at__lte=self.as_of)
        found = latest_of(unchanged.exclude(pk__in=list(self.earlier)), self.scales)
        for customer, said in self._changed():
            found[customer] = max(said, found.get(customer, said))
        return found

    def _changed(self) -> Iterator[tuple[int, Said]]:
        then = {pk: each for pk, each in self.earlier.items() if each.is_scored and each.at <= self.as_of}
        rows = Response.objects.filter(
            pk__in=list(then), state__in=[Response.COMPLETE, Response.UNANSWERED], received_at__lte=self.as_of
        )
        for customer, pk, survey in rows.order_by().values_list("customer_id", "pk", "survey_id"):
            if customer is not None:
                yield customer, self._said(Answer(then[pk].at, pk, then[pk].band), survey, None)

    def answers(self, which: int) -> dict[int, Said]:
        """By ticket, the answer that was its first (0) or latest (-1) after a resolution. Three queries."""
        resolved, found = resolutions_of(self.tickets), {}
        for ticket, given in answers_then(self.tickets, self.as_of, self.earlier).items():
            before = [at for at in resolved.get(ticket, []) if at <= self.as_of]
            if answers := counted(given, before):
                found[ticket] = answers[which]
        rows = Response.objects.filter(pk__in=[answer.pk for answer in found.values()]).order_by()
        today = {pk: (survey, score) for pk, survey, score in rows.values_list("pk", "survey_id", "score")}
        return {ticket: self._said(answer, *today[answer.pk]) for ticket, answer in found.items()}

    def _said(self, answer: Answer, survey: int, today: int | None) -> Said:
        then = self.earlier.get(answer.pk)
        score = today if then is None else then.score
        assert score is not None  # a valid answer has one
        return Said(answer.at, answer.pk, answer.band, self.scales.mark(survey, score, answer.at))


def past_of(tickets: TicketQuerySet, as_of: datetime, scales: Scales) -> Past:
    return Past(tickets, as_of, scales, earlier_answers(tickets, as_of))


def at_risk_then(tickets: TicketQuerySet, as_of: datetime, scales: Scales) -> Iterator[Known]:
    past = past_of(tickets, as_of, scales)
    latest = past.latest()
    for who in of_each_customer(tickets, scales):
        yield person_of(who, past.was(who), latest.get(who.customer))


def recovered_then(tickets: TicketQuerySet, as_of: datetime, scales: Scales) -> Iterator[Known]:
    for some in pieces(of_each_customer(tickets, scales)):
        past = past_of(with_keys(who.ticket for who in some), as_of, scales)
        answers = past.answers(-1)
        for who in some:
            yield person_of(who, past.was(who), answers.get(who.ticket))


def with_keys(tickets: Iterable[int]) -> TicketQuerySet:
    return Ticket.objects.filter(pk__in=list(tickets))


def pieces(rows: Iterable[Any]) -> Iterator[list[Any]]:
    rows = iter(rows)
    while some := list(islice(rows, AT_A_TIME)):
        yield some
