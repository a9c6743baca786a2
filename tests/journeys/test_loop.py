"""The whole loop over HTTP, mail and tasks: a 2 is owned, promised, resolved, asked again, counted."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from dispatch import tasks
from recovery.models import ApiToken, Deadline, Ticket
from surveys.models import Message, Response
from tests.make import Cast
from tests.post import Mailbox, eventually, link_in, text_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("worker")]

KIM = {"external_id": "c-9", "name": "Kim Lee", "email": "kim@example.org", "time_zone": "Asia/Shanghai"}


def post_score(client: Client, cast: Cast, score: int, external_id: str, **body: Any) -> Any:
    _row, token = ApiToken.issue(cast.admin.pk, "Shop")
    return client.post(
        "/api/v1/responses/",
        {"survey": "delivery", "external_id": external_id, "customer": KIM, "score": score, **body},
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )


def act(client: Client, ticket: Ticket, name: str, **fields: Any) -> None:
    ticket.refresh_from_db()
    answer = client.post(f"/tickets/{ticket.number}/{name}/", {"version": ticket.version, **fields})
    assert answer.status_code == 302, answer.content.decode()[:3000]


def nonce_of(page: str) -> dict[str, str]:
    """The hidden fields of the survey page's form."""
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return dict(hidden)


def answer_survey(client: Client, link: str, score: int, why: str) -> str:
    """Open the mailed link, press Send, read what is said."""
    page = client.get(link)
    assert page.status_code == 200
    form = {**nonce_of(page.content.decode()), "score": score, "why": why}
    thanks = client.post(link.split("?")[0], form, follow=True)
    assert thanks.status_code == 200
    return thanks.content.decode()


@pytest.fixture
def kims_ticket(client: Client, firm: Cast, mailbox: Mailbox) -> Ticket:
    answer = post_score(client, firm, 2, "r-1", comment="Two boxes missing")
    assert answer.status_code == 201, answer.content
    ticket = Ticket.objects.get(number=answer.json()["ticket"])
    notice = mailbox.wait_for(f"{ticket.owner.username}@staff.example", ticket.number)
    assert "Two boxes missing" in text_of(notice)
    return ticket


def heard(ticket: Ticket) -> bool:
    """Whether the first contact of the present cycle is met."""
    row = Deadline.objects.filter(ticket=ticket, kind="first_contact").latest("cycle")
    return row.met_at is not None


def work_and_resolve(client: Client, firm: Cast, ticket: Ticket) -> None:
    client.force_login(ticket.owner)
    assert ticket.number in client.get("/desk/").content.decode()
    act(client, ticket, "contact", outcome="no_answer", channel="phone")
    assert not heard(ticket)
    act(client, ticket, "contact", outcome="reached", channel="phone", note="Will send the boxes")
    assert heard(ticket)
    refused = client.post(
        f"/tickets/{ticket.number}/resolve/", {"version": ticket.version, "what_was_done": "Sent the boxes"}
    )
    assert refused.status_code in (409, 422)
    assert "Sent the boxes" in refused.content.decode()
    act(client, ticket, "resolve", cause_found=firm.late.pk, what_was_done="Sent the boxes")
    client.logout()


def asked_again(mailbox: Mailbox, times: int) -> str:
    """The resurvey's link, once the timetable's tick has let the worker send it."""
    tasks.tick.delay()
    eventually(lambda: len(mailbox.to("kim@example.org")) >= times, f"{times} mails to Kim")
    return link_in(mailbox.to("kim@example.org")[times - 1], "/s/")


def test_a_detractor_becomes_a_promoter_and_is_counted(
    client: Client, firm: Cast, mailbox: Mailbox, kims_ticket: Ticket
) -> None:
    work_and_resolve(client, firm, kims_ticket)
    said = answer_survey(client, asked_again(mailbox, 1), 9, "All good now")
    assert "thank" in said.lower()
    kims_ticket.refresh_from_db()
    assert (kims_ticket.status, kims_ticket.outcome) == ("closed", "promoter")
    kinds = list(kims_ticket.events.values_list("kind", flat=True))
    assert kinds == [
        "opened",
        "contacted",
        "contacted",
        "resolved",
        "resurvey_planned",
        "resurvey_asked",
        "outcome",
        "closed",
    ]
    client.force_login(firm.vera)
    assert client.get("/insight/").status_code == 200
    report = client.get("/api/v1/insight/recovery/").json()
    assert report["low_scores"]["count"] == 1
    assert report["outcomes"]["now"]["promoter"] == sum(report["outcomes"]["now"].values()) == 1
    assert set(Message.objects.values_list("state", flat=True)) == {"accepted"}


def test_a_detractor_who_stays_one_begins_cycle_2(
    client: Client, firm: Cast, mailbox: Mailbox, kims_ticket: Ticket
) -> None:
    work_and_resolve(client, firm, kims_ticket)
    said = answer_survey(client, asked_again(mailbox, 1), 3, "Still one missing")
    assert kims_ticket.owner.get_full_name() in said
    kims_ticket.refresh_from_db()
    assert (kims_ticket.status, kims_ticket.cycle) == ("open", 2)
    assert Deadline.objects.filter(ticket=kims_ticket, cycle=2, met_at=None).count() == 2
    mailbox.wait_for(f"{kims_ticket.owner.username}@staff.example", "open again")
    work_and_resolve(client, firm, kims_ticket)
    answer_survey(client, asked_again(mailbox, 2), 10, "Perfect")
    kims_ticket.refresh_from_db()
    assert (kims_ticket.status, kims_ticket.outcome, kims_ticket.cycle) == ("closed", "promoter", 2)


def test_opening_the_mail_answers_nothing(
    client: Client, firm: Cast, mailbox: Mailbox, kims_ticket: Ticket
) -> None:
    """A link scanner that fetches every link changes nothing at all."""
    work_and_resolve(client, firm, kims_ticket)
    link = asked_again(mailbox, 1).split("?")[0]
    for score in (0, 3, 10):
        assert client.get(f"{link}?score={score}").status_code == 200
        assert client.head(f"{link}?score={score}").status_code == 200
    assert Response.objects.count() == 1
    kims_ticket.refresh_from_db()
    assert kims_ticket.status == "resolved"


def test_the_same_post_twice_and_a_second_low_score_stay_one_ticket(
    client: Client, firm: Cast, mailbox: Mailbox, kims_ticket: Ticket
) -> None:
    again = post_score(client, firm, 2, "r-1", comment="Two boxes missing")
    assert (again.status_code, again.json()["ticket"]) == (200, kims_ticket.number)
    second = post_score(client, firm, 0, "r-2", comment="Now I am angry")
    assert (second.status_code, second.json()["ticket"]) == (201, kims_ticket.number)
    good = post_score(client, firm, 8, "r-3")
    assert (good.status_code, good.json()["ticket"]) == (201, None)
    assert Ticket.objects.count() == 1
    kims_ticket.refresh_from_db()
    assert kims_ticket.priority == 2
    mailbox.wait_for(f"{kims_ticket.owner.username}@staff.example", "another low score")


def test_a_passed_deadline_is_told_once_and_stands_on_the_board(
    client: Client, firm: Cast, mailbox: Mailbox, kims_ticket: Ticket
) -> None:
    Deadline.objects.filter(kind="first_contact").update(due_at=now(), next_step_at=now())
    for _tick in range(3):
        tasks.tick.delay()
    mailbox.wait_for("chen@staff.example", kims_ticket.number)
    tasks.tick.delay()
    eventually(lambda: kims_ticket.events.filter(kind="escalated").exists(), "an escalation")
    assert kims_ticket.events.filter(kind="escalated").count() == 1
    assert len(mailbox.to("chen@staff.example")) == 1
    client.force_login(firm.chen)
    assert kims_ticket.number in client.get("/overdue/").content.decode()


def test_a_webhook_of_bad_input_stores_nothing(client: Client, firm: Cast, mailbox: Mailbox) -> None:
    refused = post_score(client, firm, 11, "r-1")
    assert refused.status_code == 400
    assert not Response.objects.exists()
