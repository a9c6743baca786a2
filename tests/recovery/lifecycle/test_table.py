"""Every act in every status, done for real: what the table allows goes through, the rest changes nothing."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Model

from recovery import lifecycle
from recovery.lifecycle import ALLOWED, Plan, Refused, loop
from recovery.models import (
    Callback,
    Contact,
    Deadline,
    Department,
    Escalation,
    Goodwill,
    GoodwillKind,
    Request,
    Resurvey,
    Ticket,
    TicketEvent,
    TicketResponse,
    Wait,
)
from recovery.triage import triage
from surveys.models import Invitation, Message
from tests.make import DAY, HOUR, MONDAY, Cast, make_policy

STATUSES = ("new", "open", "waiting", "resolved", "closed")
NOW = MONDAY + 3 * DAY
KEPT: list[type[Model]] = [
    *(Ticket, TicketEvent, TicketResponse, Deadline, Wait, Escalation),
    *(Callback, Contact, Resurvey, Invitation, Message),
]

# The status each act leads to, by the status it is done in; "-" is refused.
MATRIX = """
act            new       open      waiting   resolved  closed
absorb         new       open      waiting   resolved  -
update         new       open      waiting   resolved  closed
assign         new       open      waiting   resolved  -
contact        open      open      waiting   -         -
callback       open      open      waiting   -         -
unreachable    open      open      waiting   -         -
wait           waiting   waiting   -         -         -
resume         -         -         open      -         -
note           new       open      waiting   resolved  closed
priority       new       open      waiting   -         -
policy         new       open      waiting   -         -
extend         new       open      waiting   -         -
escalate       new       open      waiting   -         -
recompute      new       open      waiting   -         -
resolve        resolved  resolved  resolved  -         -
resurvey       -         -         -         resolved  -
outcome        -         -         -         closed    closed
reopen         -         -         -         open      open
close          -         -         -         closed    -
merge          closed    closed    closed    -         -
merge_into     new       open      waiting   -         -
cause          new       open      waiting   -         -
reply          open      open      waiting   resolved  closed
take-back      open      open      waiting   resolved  closed
customer-wrote new       open      waiting   resolved  closed
nudge          new       open      waiting   -         -
request        new       open      waiting   resolved  -
answer-request new       open      waiting   resolved  closed
late-request   new       open      waiting   resolved  closed
goodwill       new       open      waiting   resolved  -
decide-goodwill new      open      waiting   resolved  closed
"""
ROWS = [line.split() for line in MATRIX.strip().splitlines()[1:]]
CASES = [
    pytest.param(row[0], status, after, id=f"{row[0]} when {status}")
    for row in ROWS
    for status, after in zip(STATUSES, row[1:], strict=True)
]


def ticket_in(cast: Cast, status: str) -> Ticket:
    """A ticket that came into this status by the acts of its story."""
    ticket = cast.ticket()
    if status == "open":
        ticket = lifecycle.log_contact(ticket, by=cast.lina, at=MONDAY, outcome="voicemail")
    if status == "waiting":
        ticket = lifecycle.start_waiting(ticket, by=cast.lina, at=MONDAY, reason="Receipt")
    if status in ("resolved", "closed"):
        ticket = resolve(cast, ticket)
    if status == "closed":
        answer = cast.response(9, customer=ticket.customer, at=MONDAY + 2 * HOUR)
        triage(answer.pk, at=MONDAY + 2 * HOUR)
        ticket.refresh_from_db()
    assert ticket.status == status
    return ticket


def resolve(cast: Cast, ticket: Ticket) -> Ticket:
    return lifecycle.resolve(
        ticket, by=cast.lina, at=MONDAY + HOUR, cause_found=cast.late, what_was_done="Sent again"
    )


def make_department(cast: Cast, name: str = "Warehouse") -> Department:
    return Department.objects.create(
        name=name, email=f"{name.lower()}@example.com", minutes=120, calendar=cast.calendar
    )


def prepared(cast: Cast, act: str, ticket: Ticket) -> Callable[[], Any]:
    """The act, ready to be done; what it needs beside the ticket is made now."""
    by: dict[str, Any] = {"by": cast.lina, "at": NOW}
    other = cast.ticket()
    again = cast.response(2, customer=ticket.customer, at=MONDAY + HOUR)
    better = cast.response(9, customer=ticket.customer, at=NOW)
    plan = Plan(team=cast.east, policy=cast.policy, priority=3)
    if act == "resurvey":
        Resurvey.objects.filter(ticket=ticket).delete()
    if act == "take-back":
        lifecycle.reply(ticket, **by, channel="email", text="We are sorry")
        ticket.refresh_from_db()
    slot: dict[str, Any] = {"local_time": "2026-03-09T18:00", "time_zone": "Asia/Shanghai"}
    asked = Request.objects.create(
        ticket=ticket,
        cycle=1,
        department=make_department(cast, "Depot"),
        owner_email="depot@example.com",
        title="Find the parcel",
        asked_at=MONDAY,
        due_at=NOW - HOUR,
        next_step_at=NOW - HOUR,
    )
    if act not in ("answer-request", "late-request"):
        asked.delete()
    kind = GoodwillKind.objects.create(name="Voucher", usual_cost=0)
    proposed = Goodwill.objects.create(
        ticket=ticket,
        cycle=1,
        team=cast.east,
        kind=kind,
        cost=1,
        state=Goodwill.PROPOSED,
        at=MONDAY,
        by=cast.lina,
    )
    acts: dict[str, Callable[[], Any]] = {
        "absorb": lambda: lifecycle.absorb(ticket, again, plan, at=NOW),
        "update": lambda: lifecycle.update_answer(ticket, ticket.response, at=NOW, before={"score": 2}),
        "assign": lambda: lifecycle.assign(ticket, **by, to=cast.chen),
        "contact": lambda: lifecycle.log_contact(ticket, **by, outcome="reached"),
        "callback": lambda: lifecycle.book_callback(ticket, **by, **slot),
        "unreachable": lambda: lifecycle.give_up_reaching(ticket, **by, reason="No number is theirs"),
        "wait": lambda: lifecycle.start_waiting(ticket, **by, reason="Receipt"),
        "resume": lambda: lifecycle.resume(ticket, **by),
        "note": lambda: lifecycle.note(ticket, **by, text="Called last week as well"),
        "priority": lambda: lifecycle.change_priority(ticket, **by, priority=2),
        "policy": lambda: lifecycle.change_policy(ticket, **by, policy=make_policy("Gold"), reason="x"),
        "extend": lambda: lifecycle.extend(ticket, **by, minutes=60, reason="Parts come late"),
        "escalate": lambda: lifecycle.escalate(ticket, **by, reason="A refund"),
        "recompute": lambda: lifecycle.recompute_deadlines(ticket, **by),
        "resolve": lambda: lifecycle.resolve(ticket, **by, cause_found=cast.late, what_was_done="Again"),
        "resurvey": lambda: loop.plan_resurvey(ticket, at=NOW),
        "outcome": lambda: lifecycle.record_outcome(ticket, better, at=NOW),
        "reopen": lambda: lifecycle.reopen(ticket, **by, reason="Broken again"),
        "close": lambda: loop.close(ticket, at=NOW),
        "merge": lambda: lifecycle.merge(ticket, **by, into=other),
        "merge_into": lambda: lifecycle.merge(other, **by, into=ticket),
        "cause": lambda: lifecycle.name_cause(ticket, **by, cause=cast.late),
        "reply": lambda: lifecycle.reply(ticket, **by, channel="email", text="We are sorry"),
        "take-back": lambda: lifecycle.take_back(ticket, ticket.replies.get(), **by),
        "nudge": lambda: lifecycle.nudge(ticket, by=cast.chen, at=NOW, text="She called me"),
        "request": lambda: lifecycle.ask_department(
            ticket, **by, department=make_department(cast), title="Find the parcel"
        ),
        "answer-request": lambda: lifecycle.answer_request(asked.pk, at=NOW, done=True, answer="Found"),
        "late-request": lambda: lifecycle.climb_request(asked.pk, at=NOW),
        "goodwill": lambda: lifecycle.give_goodwill(ticket, **by, kind=kind, cost=Decimal(0)),
        "decide-goodwill": lambda: lifecycle.decide_goodwill(
            ticket, by=cast.admin, at=NOW, goodwill=proposed, approve=True
        ),
        "customer-wrote": lambda: lifecycle.customer_wrote(ticket, at=NOW, text="Thanks!", channel="email"),
    }
    return acts[act]


def everything() -> list[list[dict[str, Any]]]:
    return [list(model._default_manager.order_by("pk").values()) for model in KEPT]


def test_the_matrix_names_every_act_of_the_table() -> None:
    assert {row[0] for row in ROWS} - {"merge_into"} == set(ALLOWED)


@pytest.mark.parametrize(("act", "status", "after"), CASES)
def test_an_act_leads_on_or_changes_nothing(cast: Cast, act: str, status: str, after: str) -> None:
    ticket = ticket_in(cast, status)
    do = prepared(cast, act, ticket)
    before, events = everything(), ticket.events.count()
    if after == "-":
        with pytest.raises(Refused) as refused:
            do()
        assert refused.value.code == "not_allowed_now"
        assert everything() == before
    else:
        do()
        done = Ticket.objects.get(pk=ticket.pk)
        assert done.status == after
        assert done.version > ticket.version
        assert done.events.count() - events == done.version - ticket.version
