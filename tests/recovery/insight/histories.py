"""Short histories of tickets, made by the real acts, for counting by hand; and long ones made by chance."""

from __future__ import annotations

from datetime import datetime
from random import Random

from recovery.lifecycle import ask_again, end_unanswered, log_contact, merge, reopen, resolve
from recovery.models import HoldOut, HoldOutDraw, Resurvey, Ticket
from recovery.triage import triage
from tests.make import DAY, HOUR, MONDAY, Cast

ASK_AFTER = 3 * DAY


def low(cast: Cast, *, at: datetime = MONDAY, **fields: object) -> Ticket:
    return cast.ticket(at=at, **fields)  # type: ignore[arg-type]


def heard(cast: Cast, ticket: Ticket, *, at: datetime = MONDAY + HOUR, outcome: str = "reached") -> Ticket:
    return log_contact(ticket, by=cast.lina, at=at, outcome=outcome)


def put_right(cast: Cast, ticket: Ticket, *, at: datetime = MONDAY + DAY) -> Ticket:
    return resolve(ticket, by=cast.lina, at=at, cause_found=cast.late, what_was_done="Sent again")


def ask(ticket: Ticket, *, at: datetime = MONDAY + DAY + ASK_AFTER) -> Resurvey:
    resurvey = ask_again(ticket.resurveys.get(cycle=ticket.cycle).pk, at=at)
    assert resurvey is not None
    return resurvey


def answer(cast: Cast, ticket: Ticket, score: int, *, at: datetime, **fields: object) -> Ticket | None:
    response = cast.response(score, customer=ticket.customer, at=at, **fields)
    return triage(response.pk, at=at)


def loop(cast: Cast, score: int | None, *, reached: bool = True, at: datetime = MONDAY) -> Ticket:
    """Opened, reached or not, put right, asked again; answered with `score`, or not."""
    ticket = low(cast, at=at)
    if reached:
        ticket = heard(cast, ticket, at=at + HOUR)
    ticket = put_right(cast, ticket, at=at + DAY)
    ask(ticket, at=at + DAY + ASK_AFTER)
    if score is not None:
        answer(cast, ticket, score, at=at + 5 * DAY)
    return Ticket.objects.get(pk=ticket.pk)


def ended_hold_out(
    cast: Cast, *, at: datetime = MONDAY, ended_at: datetime = MONDAY + DAY, planned: int = 10
) -> HoldOut:
    """Ten on each side, who answered after fourteen days: eight and four of them detractors no longer."""
    row = HoldOut.objects.create(
        name="Do calls help?",
        survey=cast.survey,
        state=HoldOut.ENDED,
        key="known",
        planned_now=planned,
        planned_later=planned,
        answer_days=2,
        started_at=at - DAY,
        ended_at=ended_at,
    )
    for side, recovered in ((HoldOutDraw.NOW, 8), (HoldOutDraw.LATER, 4)):
        for number in range(10):
            ticket = low(cast, at=at)
            HoldOutDraw.objects.create(hold_out=row, ticket=ticket, side=side, at=at, ask_at=at + 14 * DAY)
            cast.response(9 if number < recovered else 3, customer=ticket.customer, at=at + 15 * DAY)
    return row


def wander(cast: Cast, chance: Random, *, steps: int = 12) -> Ticket:
    """A ticket that goes wherever chance leads it, by the real acts, a day or so at a time."""
    at = MONDAY + chance.randrange(20) * DAY
    known = chance.random() < 0.8
    ticket = low(cast, at=at) if known else unknown(cast, at)
    for _ in range(chance.randrange(steps)):
        at += chance.choice([HOUR, DAY, 4 * DAY, 4 * DAY, 20 * DAY])
        ticket = Ticket.objects.get(pk=ticket.pk)
        step(cast, chance, ticket, at)
    return ticket


def unknown(cast: Cast, at: datetime) -> Ticket:
    ticket = triage(cast.response(1, customer=None, at=at).pk, at=at)
    assert ticket is not None
    return ticket


def step(cast: Cast, chance: Random, ticket: Ticket, at: datetime) -> None:
    if ticket.is_in_work:
        act = chance.choice(["contact", "resolve", "resolve", "resolve", "answer", "merge"])
        if act == "contact":
            heard(cast, ticket, at=at, outcome=chance.choice(["reached", "replied", "no_answer"]))
        elif act == "resolve":
            put_right(cast, ticket, at=at)
        elif act == "answer" and ticket.customer:
            answer(cast, ticket, chance.randrange(11), at=at)
        elif act == "merge" and chance.random() < 0.4:
            merge(ticket, by=cast.chen, at=at, into=low(cast, at=at), reason="the same matter")
        return
    act = chance.choice(["ask", "ask", "silence", "silence", "answer", "reopen"])
    resurvey = ticket.resurveys.filter(cycle=ticket.cycle).first()
    if act == "ask" and resurvey:
        ask_again(resurvey.pk, at=at)
    elif act == "answer" and ticket.customer:
        answer(cast, ticket, chance.randrange(11), at=at)
    elif act == "silence" and resurvey:
        end_unanswered(resurvey.pk, at=at)
    elif act == "reopen" and ticket.merged_into_id is None and not has_open(ticket):
        reopen(ticket, by=cast.chen, at=at, reason="They called back")


def has_open(ticket: Ticket) -> bool:
    if ticket.customer_id is None:
        return False
    others = Ticket.objects.filter(customer=ticket.customer_id, line=ticket.line).exclude(status="closed")
    return others.exclude(pk=ticket.pk).exists()
