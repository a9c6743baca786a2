"""Requests to departments: asked, answered by a private link, climbing a ladder of their own."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from recovery import lifecycle
from recovery.access import sight_of
from recovery.lifecycle import Refused
from recovery.lifecycle.request import rung_times, usual_due
from recovery.models import Department, Request, Ticket
from surveys.messages import verdict
from surveys.models import Account, Message, PublicLink, SendingRules
from tests.due import due, take_step
from tests.make import DAY, HOUR, MINUTE, MONDAY, Cast

AT = MONDAY + HOUR


@pytest.fixture
def warehouse(cast: Cast) -> Department:
    """Two working hours, 9 to 17 in Shanghai: asked at 11, due at 13."""
    return Department.objects.create(
        name="Warehouse",
        email="warehouse@dept.example",
        lead_email="lead@dept.example",
        minutes=120,
        calendar=cast.calendar,
    )


def ask(cast: Cast, department: Department, ticket: Ticket | None = None, **more: Any) -> Ticket:
    facts: dict[str, Any] = {"by": cast.lina, "at": AT, "title": "Find parcel 4711", **more}
    return lifecycle.ask_department(ticket or cast.ticket(), department=department, **facts)


def only(ticket: Ticket) -> Request:
    return Request.objects.get(ticket=ticket)


def refused(code: str) -> "pytest.RaisesExc[Refused]":
    return pytest.raises(Refused, check=lambda error: error.code == code)


def resolve(cast: Cast, ticket: Ticket) -> Ticket:
    return lifecycle.resolve(
        ticket, by=cast.lina, at=AT + HOUR, cause_found=cast.late, what_was_done="Sent again"
    )


def test_it_is_due_after_the_departments_usual_working_time(cast: Cast, warehouse: Department) -> None:
    ticket = ask(cast, warehouse, at=MONDAY + 6.5 * HOUR)  # 16:30: half an hour today, the rest tomorrow
    assert only(ticket).due_at == MONDAY + DAY - HOUR + 90 * MINUTE


def test_it_writes_one_mail_with_a_private_link_to_the_department(cast: Cast, warehouse: Department) -> None:
    ticket = ask(cast, warehouse)
    mail = Message.objects.get(kind="request_asked")
    assert mail.to_address == "warehouse@dept.example"
    link = PublicLink.objects.get(purpose=PublicLink.REQUEST)
    assert link.about == f"request:{only(ticket).pk}"
    assert "/r/" in mail.text
    assert ticket.events.latest("id").kind == "request_sent"


def test_it_leaves_the_customers_clock_running(cast: Cast, warehouse: Department) -> None:
    ticket = cast.ticket()
    before = list(ticket.deadlines.values_list("due_at", flat=True))
    ask(cast, warehouse, ticket, holds_ticket=True)
    assert list(ticket.deadlines.values_list("due_at", flat=True)) == before


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"title": "  "}, "title_missing"),
        ({"owner_email": "nobody"}, "email_malformed"),
        ({"due_at": AT}, "due_in_the_past"),
    ],
)
def test_it_refuses_what_cannot_be_asked(
    cast: Cast, warehouse: Department, facts: dict[str, Any], code: str
) -> None:
    with refused(code):
        ask(cast, warehouse, **facts)
    assert not Request.objects.exists()
    assert not Message.objects.filter(kind="request_asked").exists()


def test_it_refuses_a_department_that_is_switched_off(cast: Cast, warehouse: Department) -> None:
    warehouse.active = False
    with refused("department_unknown"):
        ask(cast, warehouse)


def test_a_ticket_that_waits_for_it_is_not_resolved_before_the_answer(
    cast: Cast, warehouse: Department
) -> None:
    ticket = ask(cast, warehouse, holds_ticket=True)
    with refused("request_open"):
        resolve(cast, ticket)
    ticket = lifecycle.answer_request(only(ticket).pk, at=AT + MINUTE, done=True, answer="Found in bay 3")
    assert resolve(cast, ticket).status == "resolved"


def test_a_ticket_that_does_not_wait_is_resolved(cast: Cast, warehouse: Department) -> None:
    assert resolve(cast, ask(cast, warehouse)).status == "resolved"


def test_its_answer_is_kept_and_told_to_the_owner(cast: Cast, warehouse: Department) -> None:
    ticket = ask(cast, warehouse)
    row = only(ticket)
    lifecycle.answer_request(row.pk, at=AT + HOUR, done=False, answer="Not here", who="Mr Gao")
    row.refresh_from_db()
    assert (row.state, row.answer, row.owner_name) == ("declined", "Not here", "Mr Gao")
    assert row.next_step_at is None
    event = ticket.events.latest("id")
    assert (event.kind, event.text, event.by_name) == ("request_answered", "Not here", "")
    assert Message.objects.get(kind="request_answered").user == cast.lina


def test_it_is_answered_once(cast: Cast, warehouse: Department) -> None:
    row = only(ask(cast, warehouse))
    lifecycle.answer_request(row.pk, at=AT + HOUR, done=True, answer="Found")
    with refused("request_over"):
        lifecycle.answer_request(row.pk, at=AT + HOUR, done=False, answer="Lost again")


def test_it_is_cancelled_and_the_department_hears_of_it(cast: Cast, warehouse: Department) -> None:
    ticket = ask(cast, warehouse)
    lifecycle.cancel_request(ticket, by=cast.lina, at=AT + HOUR, request=only(ticket), reason="Found it")
    assert only(ticket).state == "cancelled"
    assert Message.objects.get(kind="request_cancelled").to_address == "warehouse@dept.example"
    with refused("request_over"):
        lifecycle.answer_request(only(ticket).pk, at=AT + HOUR, done=True, answer="Found")


def test_no_rule_for_customers_holds_a_mail_to_a_department_back(cast: Cast, warehouse: Department) -> None:
    """At night in UTC, with consent required, and the tenth mail of the day to the same address."""
    SendingRules.objects.update_or_create(
        pk=SendingRules.ONLY, defaults={"consent_required": True, "per_person_per_day": 1}
    )
    for _each in range(3):
        ask(cast, warehouse)
    for mail in Message.objects.filter(kind="request_asked"):
        assert verdict(mail, mail.send_at.replace(hour=23)).ok


def test_its_mails_are_seen_by_who_sees_the_ticket(cast: Cast, warehouse: Department) -> None:
    ask(cast, warehouse)
    mails = Message.objects.filter(kind="request_asked")
    assert mails.filter(sight_of(cast.chen).messages).count() == 1
    assert mails.filter(sight_of(cast.bob).messages).count() == 0


def test_it_refuses_to_reckon_with_a_calendar_that_never_opens(cast: Cast, warehouse: Department) -> None:
    cast.calendar.hours.all().delete()
    row = Request(department=warehouse, due_at=AT)
    assert rung_times(row)[2] == AT + HOUR
    with refused("too_far"):
        usual_due(warehouse, AT)


# 13:00 due; half of its time later 14:00; all of it 15:00.
RUNGS: list[tuple[str, timedelta, str | None, int]] = [
    ("a minute before", 2 * HOUR - MINUTE, None, 0),
    ("when due: the owner", 2 * HOUR, "lina", 1),
    ("half its time later: the supervisor", 3 * HOUR, "chen", 2),
    ("all its time later: who is above", 4 * HOUR, "wu", 3),
]


@pytest.mark.parametrize(("name", "after", "told", "level"), RUNGS, ids=[row[0] for row in RUNGS])
def test_it_climbs_its_own_ladder(
    cast: Cast, warehouse: Department, name: str, after: timedelta, told: str | None, level: int
) -> None:
    row = only(ask(cast, warehouse))
    step_at(row, AT + after)
    row.refresh_from_db()
    assert row.level == level
    notices = Message.objects.filter(kind="request_late")
    assert [notice.user for notice in notices] == ([getattr(cast, told)] if told else [])


def step_at(row: Request, at: datetime) -> None:
    for pk in due("requests", at):
        take_step("requests", pk, at)


def test_each_rung_is_told_once_however_often_the_step_runs(cast: Cast, warehouse: Department) -> None:
    row = only(ask(cast, warehouse))
    for minutes in (120, 121, 180, 180, 241, 400):
        step_at(row, AT + minutes * MINUTE)
    take_step("requests", row.pk, AT + 500 * MINUTE)
    events = row.ticket.events.filter(kind="request_late").order_by("id")
    assert [event.data["level"] for event in events] == [1, 2, 3]
    reminders = Message.objects.filter(kind="request_reminder").order_by("id")
    assert [mail.to_address.split("@")[0] for mail in reminders] == [
        "warehouse",
        *("warehouse", "lead"),
        *("warehouse", "lead"),
    ]


def test_what_is_answered_climbs_no_more(cast: Cast, warehouse: Department) -> None:
    row = only(ask(cast, warehouse))
    lifecycle.answer_request(row.pk, at=AT + HOUR, done=True, answer="Found")
    assert row.pk not in due("requests", AT + DAY)


def test_an_open_request_goes_with_a_merged_ticket(cast: Cast, warehouse: Department) -> None:
    ticket, target = ask(cast, warehouse), cast.ticket()
    lifecycle.merge(ticket, by=cast.lina, at=AT + HOUR, into=target)
    assert only(target).state == "open"


def test_an_account_owner_does_not_resolve_their_own_low_score_where_the_policy_says_so(cast: Cast) -> None:
    customer = cast.customer()
    customer.account = Account.objects.create(name="Acme", owner=cast.lina)
    customer.save(update_fields=["account"])
    ticket = cast.ticket(customer=customer)
    cast.policy.second_pair_of_eyes = True
    cast.policy.save(update_fields=["second_pair_of_eyes"])
    with refused("second_pair_of_eyes"):
        resolve(cast, ticket)
    done = lifecycle.resolve(
        ticket, by=cast.majun, at=AT, cause_found=cast.late, what_was_done="Looked at it again"
    )
    assert done.status == "resolved"


def test_an_account_owner_does_not_end_it_by_merging_either(cast: Cast) -> None:
    customer = cast.customer()
    customer.account = Account.objects.create(name="Acme", owner=cast.lina)
    customer.save(update_fields=["account"])
    cast.policy.second_pair_of_eyes = True
    cast.policy.save(update_fields=["second_pair_of_eyes"])
    ticket, other = cast.ticket(customer=customer), cast.ticket()
    with refused("second_pair_of_eyes"):
        lifecycle.merge(ticket, by=cast.lina, at=AT, into=other)
    lifecycle.merge(ticket, by=cast.majun, at=AT, into=other)
    ticket.refresh_from_db()
    assert ticket.status == "closed"


def test_an_account_owner_resolves_it_where_the_policy_does_not_mind(cast: Cast) -> None:
    customer = cast.customer()
    customer.account = Account.objects.create(name="Acme", owner=cast.lina)
    customer.save(update_fields=["account"])
    assert resolve(cast, cast.ticket(customer=customer)).status == "resolved"
