"""The numbers about value in the plain way: every ticket is read, and Python counts. For comparison only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import QuerySet

from recovery.insight.as_of import facts_then
from recovery.insight.cohort import RECOVERED, Answer, counted
from recovery.insight.comebacks import WITHIN, follows_of
from recovery.insight.kept import answers_of as all_answers_of
from recovery.insight.kept import keys, resolutions_of, rows_of
from recovery.insight.known import OPEN_AFTER, last_turn
from recovery.insight.retention import Table, level_of
from recovery.models import Goodwill, TicketEvent, TicketResponse
from recovery.models.ticket import TicketQuerySet
from surveys.models import Response, ResponseVersion


@dataclass(frozen=True, slots=True)
class Known:
    """One ticket at the moment: whether it was in work then, and whose it is. `worth` is a year's value."""

    pk: int
    in_work: bool
    merged: bool
    customer: int | None
    worth: float | None
    lost_at: datetime | None
    opened_at: datetime
    opening: int
    cause_found: int | None
    cause_said: int | None

    @property
    def causes(self) -> set[int]:
        """What was found and what was said, where it is known."""
        return {cause for cause in (self.cause_found, self.cause_said) if cause is not None}


@dataclass(frozen=True)
class Past:
    """`answers` are those that count: within the horizon of a resolution before them. `then` is a past moment
    looked at."""

    at: datetime
    then: datetime | None
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
    gone = merged_of(cohort, as_of)
    return Past(at, as_of, list(known_of(cohort, at, gone)), resolved, answers)


def merged_of(cohort: TicketQuerySet, as_of: datetime | None) -> frozenset[int]:
    rows = rows_of(cohort) if as_of is None else facts_then(cohort, as_of).rows
    return frozenset(row["pk"] for row in rows if row["merged_into_id"] is not None)


def known_of(cohort: TicketQuerySet, at: datetime, gone: frozenset[int]) -> Iterable[Known]:
    rows = cohort.annotate(turn=last_turn(at)).order_by("pk")
    fields = (
        *("pk", "turn", "customer_id", "customer__annual_value", "customer__lost_at"),
        *("opened_at", "response_id", "cause_found_id", "cause_said_id"),
    )
    for row in rows.values(*fields):
        value = row["customer__annual_value"]
        yield Known(
            pk=row["pk"],
            in_work=row["turn"] in OPEN_AFTER,
            merged=row["pk"] in gone,
            customer=row["customer_id"],
            worth=None if value is None else float(value),
            lost_at=row["customer__lost_at"],
            opened_at=row["opened_at"],
            opening=row["response_id"],
            cause_found=row["cause_found_id"],
            cause_said=row["cause_said_id"],
        )


# --- value --------------------------------------------------------------------------------------------------


class Staked(NamedTuple):
    """`amount` is (value, low, high)."""

    customer: int
    ticket: int
    worth: float | None
    was: int | None
    level: int | None
    is_well: bool
    amount: tuple[float, float, float] | None


def staked(past: Past, table: Table) -> tuple[list[Staked], list[Staked]]:
    """At risk, and kept; by customer."""
    there = [each for each in past.tickets if each.lost_at is None or each.lost_at > past.at]
    open_now = by_customer(each for each in there if each.in_work)
    well = by_customer(each for each in past.recovered(-1) if each in there)
    newest = {customer: newest_of(customer, past) for customer in open_now}
    last = {customer: said_by(past.answers[each.pk][-1].pk, past) for customer, each in well.items()}
    return (
        [of_risk(each, newest[customer], table, past) for customer, each in sorted(open_now.items())],
        [of_kept(each, last[customer], table, past) for customer, each in sorted(well.items())],
    )


def by_customer(tickets: Iterable[Known]) -> dict[int, Known]:
    return {ticket.customer: ticket for ticket in tickets if ticket.customer is not None}


class Said(NamedTuple):
    """An answer as it was at the moment looked at."""

    at: datetime
    pk: int
    band: str
    level: int


def newest_of(customer: int, past: Past) -> Said | None:
    """Of all they had given by then."""
    rows = Response.objects.filter(customer=customer).exclude(state__in=[Response.WITHDRAWN, Response.TEST])
    if past.then is not None:
        rows = rows.filter(received_at__lte=past.then)
    given = [said_by(pk, past) for pk in rows.values_list("pk", flat=True)]
    return max((each for each in given if each is not None and each.at <= past.at), default=None)


def said_by(pk: int, past: Past) -> Said | None:
    """None where it bore no score then."""
    answer = Response.objects.select_related("survey").get(pk=pk)
    at, score, band = answer.answered_at, answer.score, answer.band
    if (version := version_of(answer, past.then)) is not None:
        score, band = version.score, version.band
        before = answer.versions.filter(pk__lt=version.pk).order_by("pk").last()
        came_in = before.replaced_at if before else answer.received_at
        at = answer.submitted_at or version.source_updated_at or came_in
    return None if score is None else Said(at, pk, band, level_of(score, answer.survey.scale_at(at)))


def version_of(answer: Response, then: datetime | None) -> ResponseVersion | None:
    """What it said at a past moment, where it was changed since."""
    return answer.versions.filter(replaced_at__gt=then).order_by("pk").first() if then else None


def level_by(answer: Said | None) -> int | None:
    return None if answer is None else answer.level


def of_risk(ticket: Known, answer: Said | None, table: Table, past: Past) -> Staked:
    level, amount = level_by(answer), None
    if ticket.worth is not None and level is not None:
        stays = table[level]
        amount = tuple(ticket.worth * (1 - each) for each in (stays.middle, stays.high, stays.low))
    return staked_on(ticket, answer, amount, past)


def of_kept(ticket: Known, answer: Said | None, table: Table, past: Past) -> Staked:
    level, was, amount = level_by(answer), level_by(said_by(ticket.opening, past)), None
    if ticket.worth is not None and level is not None and was is not None:
        new, old = table[level], table[was]
        ends = (new.middle - old.middle, new.low - old.high, new.high - old.low)
        amount = tuple(ticket.worth * each for each in ends)
    return staked_on(ticket, answer, amount, past)


def staked_on(ticket: Known, answer: Said | None, amount: Any, past: Past) -> Staked:
    assert ticket.customer is not None
    is_well = answer is not None and answer.band in RECOVERED
    if answer is not None and (answer.pk == ticket.opening or answer.at < ticket.opened_at):
        is_well = False
    was = level_by(said_by(ticket.opening, past))
    return Staked(ticket.customer, ticket.pk, ticket.worth, was, level_by(answer), is_well, amount)


def retention_after(past: Past, table: Table) -> float | None:
    """The mean of the next answers of whoever recovered."""
    found = [level_by(said_by(past.answers[each.pk][0].pk, past)) for each in past.recovered()]
    levels = [level for level in found if level is not None]
    return sum(table[level].middle for level in levels) / len(levels) if levels else None


# --- who came back, and what was given ----------------------------------------------------------------------


@dataclass(frozen=True)
class Comebacks:
    judged: frozenset[int]
    came_back: frozenset[int]
    too_early: frozenset[int]
    not_known: frozenset[int]


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


def cost_by_cause(cohort: TicketQuerySet, at: datetime) -> dict[int | None, tuple[float, frozenset[int]]]:
    cost: dict[int | None, float] = defaultdict(float)
    tickets: dict[int | None, set[int]] = defaultdict(set)
    rows = Goodwill.objects.filter(ticket__in=keys(cohort), state=Goodwill.GIVEN, decided_at__lte=at)
    for row in rows.select_related("ticket").order_by("pk"):
        cost[row.ticket.cause_found_id] += float(row.cost)
        tickets[row.ticket.cause_found_id].add(row.ticket_id)
    return {cause: (cost[cause], frozenset(tickets[cause])) for cause in cost}


def answers_of(cohort: TicketQuerySet, resolutions: Mapping[int, list[datetime]]) -> dict[int, list[Answer]]:
    """The person's valid answers on the ticket's line, each within the horizon of a resolution before it."""
    given = all_answers_of(cohort)
    return {ticket: counted(answers, resolutions.get(ticket, [])) for ticket, answers in given.items()}
