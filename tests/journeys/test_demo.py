"""The demo from the inside: what it loads, what its mailbox shows, and who one can be there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from random import Random

import pytest
import time_machine
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now
from pytest_django import Settings
from pytest_django.plugin import DjangoDbBlocker

from recovery import lifecycle, sweeps
from recovery.demo import facts, mailbox, visitor
from recovery.management.commands.demo_live import Receiver
from recovery.management.simulation import live
from recovery.management.simulation.live import Town
from recovery.management.simulation.sending import ensure_sending
from recovery.models import Cause, Ticket, TicketEvent
from recovery.triage import triage
from recovery.views.frame import MENU
from surveys import invitations
from surveys.intake.page import external_id
from surveys.intake.record import ResponseDraft, record
from surveys.models import Customer, Invitation, Message, Response, SendingRules, Source, Suppression, Survey
from tests.due import due

pytestmark = pytest.mark.django_db

ROLES = {"lina": "agent", "chen": "supervisor", "vera": "analyst", "admin": "administrator"}


@pytest.fixture(scope="module")
def loaded(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A tiny demo, loaded twice; its folder."""
    from django.conf import settings

    before, folder = settings.DEMO_DIR, tmp_path_factory.mktemp("demo")
    settings.DEMO_DIR = folder
    # The history ends now, so now is fixed: at a weekend nobody may have anything left to do.
    wednesday = time_machine.travel(datetime(2026, 11, 18, 10, 0, tzinfo=UTC), tick=True)
    with wednesday, django_db_blocker.unblock(), transaction.atomic():
        call_command("demo_load", months=1, scale=0.15)
        first = (folder / "demo.json").read_text()
        call_command("demo_load", months=1, scale=0.15)
        assert (folder / "demo.json").read_text() == first
        yield folder
        transaction.set_rollback(True)
    settings.DEMO_DIR = before


@pytest.fixture
def demo(loaded: Path, settings: Settings) -> Path:
    settings.DEMO = True
    settings.DEMO_DIR = loaded
    for mail in (loaded / "demo-mail").glob("*"):
        mail.unlink()
    return loaded


def a_mail(to: str, subject: str = "How was it?", html: str = "") -> str:
    mail = EmailMessage()
    mail["To"], mail["Subject"] = to, subject
    mail.set_content("Please answer: http://localhost:8000/s/abc_DEF-123/?score=2\n")
    if html:
        mail.add_alternative(html, subtype="html")
    return mailbox.keep(mail.as_bytes())


def signed_in(username: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(username=username))
    return client


def test_it_writes_what_scripts_and_people_need(demo: Path) -> None:
    written = json.loads((demo / "demo.json").read_text())

    assert set(written) == {"base_url", "users", "api_token", "survey", "sources"}
    assert {user["name"]: user["role"] for user in written["users"]} == ROLES
    assert written["survey"] == "demo"


def test_it_writes_to_customers_at_any_hour_unless_told_otherwise(demo: Path) -> None:
    kept = SendingRules.objects.get()
    assert kept.quiet_from == kept.quiet_until
    assert kept.per_minute >= 600
    SendingRules.objects.update(per_minute=5)
    ensure_sending()
    assert SendingRules.objects.get().per_minute == 5


@pytest.mark.parametrize("username", ROLES)
def test_it_lets_each_of_its_people_sign_in(demo: Path, username: str) -> None:
    known = facts.read()
    assert known is not None
    password = next(user.password for user in known.users if user.name == username)
    client = Client()

    assert client.post("/login/", {"username": username, "password": "wrong"}).status_code == 200
    assert client.post("/login/", {"username": username, "password": password}).status_code == 302


def test_it_gives_a_token_that_records_a_response(demo: Path) -> None:
    known = facts.read()
    assert known is not None
    body = {
        "survey": known.survey,
        "external_id": "walk-1",
        "customer": {"email": "w@mail.example"},
        "score": 1,
    }
    posted = Client().post(
        "/api/v1/responses/",
        body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {known.api_token}"},
    )

    assert posted.status_code == 201, posted.content
    assert posted.json()["band"] == "detractor"


@pytest.mark.parametrize("username", ROLES)
def test_it_fills_every_page_of_the_menu(demo: Path, username: str) -> None:
    client = signed_in(username)
    role = ROLES[username]
    pages = [reverse(item.name) for item in MENU if role in item.roles]

    for page in pages:
        answer = client.get(page)
        assert answer.status_code == 200, page


def test_it_closes_the_loop_of_one_person_playing_all_sides(demo: Path) -> None:
    at = now()
    first = visitor.ask(at)
    ticket = answered(first, 2, at + timedelta(seconds=20))
    assert ticket is not None
    lina = User.objects.get(username="lina")
    assert ticket.owner == lina

    ticket = lifecycle.log_contact(ticket, by=lina, at=at + timedelta(minutes=1), outcome="reached")
    done_at = at + timedelta(minutes=2)
    cause = Cause.objects.get(code="long_wait")
    lifecycle.resolve(ticket, by=lina, at=done_at, cause_found=cause, what_was_done="Put right.")
    asked_at = done_at + timedelta(seconds=10)
    for pk in due("resurveys", asked_at):
        sweeps.ask_again(pk, asked_at)
    again = Invitation.objects.get(customer=first.customer, purpose=Invitation.RESURVEY)
    closed = answered(again, 9, asked_at + timedelta(seconds=30))

    assert closed is not None
    assert (closed.number, closed.status, closed.outcome) == (ticket.number, "closed", "promoter")
    assert not closed.deadlines.exclude(breached_at=None).exists()


def answered(invitation: Invitation, score: int, at: datetime) -> Ticket | None:
    draft = ResponseDraft(
        survey=invitation.survey,
        source=Source.objects.get(slug="page"),
        external_id=external_id(invitation),
        score=score,
        known_customer=invitation.customer,
        invitation=invitation,
        channel="page",
    )
    return triage(record(draft, at=at, nudge=False).response.pk, at=at)


def test_it_asks_the_visitor_as_often_as_they_like(demo: Path) -> None:
    at = now()
    first = visitor.ask(at)
    answered(first, 10, at + timedelta(seconds=2))
    second = visitor.ask(at + timedelta(seconds=5))

    assert first.pk != second.pk
    assert first.customer == second.customer
    assert Message.objects.filter(invitation=second, to_address__endswith="@demo.example").exists()


def test_it_makes_the_visitor_somebody_else_while_an_invitation_or_a_ticket_is_open(demo: Path) -> None:
    at = now()
    unanswered = visitor.ask(at)
    low = visitor.ask(at + timedelta(seconds=5))
    answered(low, 1, at + timedelta(seconds=7))
    third = visitor.ask(at + timedelta(seconds=9))

    assert len({unanswered.customer, low.customer, third.customer}) == 3


def test_it_shows_whom_a_mail_went_to_and_its_words(demo: Path) -> None:
    a_mail("Somebody <customer7@mail.example>", "For another")
    mine = a_mail("Alex Reed <you@demo.example>", "For you")
    client = Client()

    page = client.get("/demo/inbox/").content.decode()
    everybody = client.get("/demo/inbox/", {"whose": "all"}).content.decode()
    opened = client.get(f"/demo/inbox/{mine}/").content.decode()

    assert "For you" in page
    assert "For another" not in page
    assert "For another" in everybody
    assert 'href="http://localhost:8000/s/abc_DEF-123/?score=2"' in opened


def test_it_finds_mail_by_address(demo: Path) -> None:
    a_mail("Somebody <customer7@mail.example>", "For another")

    assert b"For another" in Client().get("/demo/inbox/", {"to": "CUSTOMER7"}).content
    assert b"For another" not in Client().get("/demo/inbox/", {"to": "customer8"}).content


def test_it_walls_in_the_body_of_a_mail(demo: Path) -> None:
    mail_id = a_mail(
        "you@demo.example", html="<html><head></head><body><a href='http://x/'>x</a></body></html>"
    )
    body = Client().get(f"/demo/inbox/{mail_id}/body/")
    page = Client().get(f"/demo/inbox/{mail_id}/")

    assert "default-src 'none'" in body["Content-Security-Policy"]
    assert "sandbox" in body["Content-Security-Policy"]
    assert "script" not in body["Content-Security-Policy"]
    assert b'<base target="_blank">' in body.content
    assert b"<iframe" in page.content
    assert "X-Frame-Options" not in body
    assert page["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("mail_id", ["nothing", "1" * 19, "..%2Fsecret_key", "%00"])
def test_it_has_no_mail_of_another_name(demo: Path, mail_id: str) -> None:
    assert Client().get(f"/demo/inbox/{mail_id}/").status_code == 404
    assert Client().get(f"/demo/inbox/{mail_id}/body/").status_code == 404


@pytest.mark.parametrize(
    ("username", "page"), [("lina", "/desk/"), ("vera", "/insight/"), ("admin", "/admin/")]
)
def test_it_lets_one_become_the_people_of_the_demo(demo: Path, username: str, page: str) -> None:
    client = Client()
    became = client.post("/demo/become/", {"user": username})

    assert (became.status_code, became["Location"]) == (302, page)
    assert client.get(page).status_code == 200


def test_the_report_of_the_demo_has_a_hold_out_that_runs(demo: Path) -> None:
    client = Client()
    client.post("/demo/become/", {"user": "vera"})
    page = client.get("/insight/").content.decode()

    assert "Does calling at once win people back?" in page
    assert "Preliminary: " in page


def test_it_lets_nobody_become_anybody_else(demo: Path) -> None:
    assert Client().post("/demo/become/", {"user": "grace"}).status_code == 404
    assert Client().get("/demo/become/").status_code == 405


def test_it_sends_the_visitor_a_survey_on_request(demo: Path) -> None:
    before = Message.objects.count()

    assert Client().post("/demo/ask-me/").status_code == 302
    assert Message.objects.count() == before + 1


@pytest.mark.parametrize("path", ["/demo/inbox/", "/demo/ask-me/", "/demo/become/", "/demo/inbox/1/body/"])
def test_it_is_not_there_without_the_demo(demo: Path, settings: Settings, path: str) -> None:
    settings.DEMO = False

    assert Client().get(path).status_code == 404
    assert Client().post(path, {"user": "lina"}).status_code == 404


def test_it_keeps_only_the_latest_mails(demo: Path) -> None:
    kept = [a_mail("you@demo.example", str(number)) for number in range(4)]

    mailbox.forget_the_oldest(most=2)

    assert list(mailbox.newest_first()) == [kept[3], kept[2]]


def test_it_finds_the_survey_page_a_mail_leads_to() -> None:
    assert mailbox.survey_link("see http://h:1/s/a_B-1/?score=2 now") == "http://h:1/s/a_B-1/"
    assert mailbox.survey_link("no link here, only http://h:1/u/abc/") == ""


# --- While it runs ---


class TownAtHand(Town):
    """Reaches the site through the test client."""

    def http(self, method: str, path: str, body: str = "", kind: str = "", token: str = "") -> str:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        kind = kind or "application/octet-stream"
        answer = Client().generic(method, path, body, content_type=kind, headers=headers)
        assert answer.status_code < 400, answer.content
        return answer.content.decode()


@pytest.fixture
def town(demo: Path) -> Town:
    return TownAtHand("http://localhost:8000", Random(3))


def invitation_mail(customer: Customer) -> str:
    invitation = invitations.ask(
        customer, Survey.objects.get(slug="demo"), at=now(), purpose=Invitation.SURVEY, touchpoint="store"
    )
    assert isinstance(invitation, Invitation)
    return Message.objects.get(invitation=invitation).text


def somebody() -> Customer:
    """A customer who may be asked; some took back their address, some have an open ticket."""
    silent = Suppression.objects.values("address")
    known = Customer.objects.filter(identities__kind="email", identities__value__endswith="@mail.example")
    return known.exclude(identities__value__in=silent).exclude(tickets__isnull=False).earliest("pk")


def test_it_lets_customers_answer_the_page_their_mail_leads_to(town: Town) -> None:
    customer = somebody()
    town.received(customer.email, invitation_mail(customer))
    town.answer_on_the_page(town.unanswered.popleft(), now())

    assert Response.objects.filter(customer=customer, survey__slug="demo", channel="page").count() == 1


def test_it_leaves_the_visitors_own_mail_to_the_visitor(town: Town) -> None:
    visitor.ask(now())
    text = Message.objects.filter(to_address__endswith="@demo.example").latest("id").text
    town.received("you@demo.example", text)

    assert not town.unanswered


def test_it_lets_customers_answer_by_the_api(town: Town) -> None:
    before = Response.objects.filter(source__kind="api").count()
    town.answer_by_api(now())

    assert Response.objects.filter(source__kind="api").count() == before + 1


def test_it_floods_nobody(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    at = now()
    town.low_at.extend([at] * (live.MOST_LOW_A_MINUTE - 1))
    assert town.may_complain(at)
    town.low_at.append(at)
    assert not town.may_complain(at)
    assert {town.band(at) for _ in range(60)} == {"promoter", "passive"}

    later = at + timedelta(minutes=2)
    assert town.may_complain(later)
    monkeypatch.setattr(live, "MOST_OPEN", 0)
    assert not town.may_complain(later)


def test_it_lets_colleagues_work_and_leaves_the_visitors_tickets_alone(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "ENOUGH_OPEN", -1)
    at = now()
    mine = answered(visitor.ask(at), 2, at)
    assert mine is not None
    for step in range(40):
        town.somebody_works(at + timedelta(seconds=step))

    worked = TicketEvent.objects.filter(at__gte=at, by__isnull=False).exclude(ticket=mine)
    assert worked.exists()
    assert not worked.filter(by__username__in=live.PLAYED).exists()
    assert not mine.events.filter(by__isnull=False).exists()


def test_it_keeps_every_mail_it_receives(town: Town) -> None:
    envelope = Envelope()
    envelope.original_content = b"To: Somebody <customer7@mail.example>\r\nSubject: Hello\r\n\r\nWords.\r\n"
    said = asyncio.run(Receiver(town).handle_DATA(SMTP(town), Session(asyncio.new_event_loop()), envelope))

    kept = list(mailbox.mails())
    assert said.startswith("250")
    assert [(mail.address, mail.subject) for mail in kept] == [("customer7@mail.example", "Hello")]
