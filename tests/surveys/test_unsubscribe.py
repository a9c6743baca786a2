from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from surveys.invitations import ask
from surveys.messages import is_suppressed, send, suppress
from surveys.models import Consent, Customer, Invitation, Message, PublicLink, Suppression
from tests.surveys.make import MONDAY, make_customer, make_survey

pytestmark = pytest.mark.django_db

ADDRESS = "zhang.wei@example.com"


@pytest.fixture(autouse=True)
def monday() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(MONDAY, tick=False) as traveller:
        yield traveller


@pytest.fixture
def url() -> str:
    """As it stands in the header of a real invitation."""
    ask(make_customer(), make_survey(), at=MONDAY, purpose=Invitation.SURVEY)
    header = str(Message.objects.get().headers["List-Unsubscribe"])
    return "/u/" + header.strip("<>").split("/u/")[1]


@pytest.fixture
def mail_program() -> Client:
    """Without a cookie and without a CSRF token."""
    return Client(enforce_csrf_checks=True)


def test_it_changes_nothing_when_a_scanner_opens_the_link(mail_program: Client, url: str) -> None:
    for _visit in range(3):
        shown = mail_program.get(url)
        mail_program.head(url)
    assert shown.status_code == 200
    assert "z•••@example.com" in shown.text
    assert ADDRESS not in shown.text
    assert not Suppression.objects.exists()


def test_it_unsubscribes_at_one_click(mail_program: Client, url: str) -> None:
    done = mail_program.post(url, {"List-Unsubscribe": "One-Click"})
    assert done.status_code == 200
    assert is_suppressed(ADDRESS)
    assert Suppression.objects.get().reason == "unsubscribed"


def test_it_keeps_in_the_ledger_what_was_said(mail_program: Client, url: str) -> None:
    for word in ("stop", "stop", "keep"):
        mail_program.post(url, {word: "1"})
    kept = Consent.objects.order_by("id").values_list("given", "channel", "source", "at")
    assert list(kept) == [
        (False, "email", "unsubscribe_page", MONDAY),
        (True, "email", "unsubscribe_page", MONDAY),
    ]


def test_it_keeps_nothing_of_a_look(mail_program: Client, url: str) -> None:
    mail_program.get(url)
    assert not Consent.objects.exists()


def test_it_stays_unsubscribed_when_pressed_twice(mail_program: Client, url: str) -> None:
    for _press in range(2):
        assert mail_program.post(url, {"stop": "1"}).status_code == 200
    assert Suppression.objects.count() == 1


def test_it_keeps_whoever_wants_to_stay(mail_program: Client, url: str) -> None:
    mail_program.post(url, {"stop": "1"})
    assert "keep" in mail_program.get(url).text
    kept = mail_program.post(url, {"keep": "1"})
    assert kept.status_code == 200
    assert not is_suppressed(ADDRESS)


def test_it_does_not_lift_a_colleagues_block(mail_program: Client, url: str) -> None:
    suppress(ADDRESS, "by_hand", MONDAY)
    mail_program.post(url, {"keep": "1"})
    assert is_suppressed(ADDRESS)


def test_it_holds_for_the_address_and_not_for_the_person(mail_program: Client, url: str) -> None:
    message = Message.objects.get()
    assert message.customer
    message.customer.identities.create(kind="email", value="wei@work.example.com")
    mail_program.post(url, {"stop": "1"})
    assert is_suppressed(ADDRESS)
    assert not is_suppressed("wei@work.example.com")


def test_it_still_works_when_the_message_is_gone(mail_program: Client, url: str) -> None:
    Message.objects.all().delete()
    mail_program.post(url, {"stop": "1"})
    assert is_suppressed(ADDRESS)


def test_it_stops_what_was_already_queued(mail_program: Client, url: str) -> None:
    mail_program.post(url, {"stop": "1"})
    assert send(Message.objects.get().pk, MONDAY) == Message.SUPPRESSED
    assert Invitation.objects.get().state == Invitation.CANCELLED


def test_it_says_the_same_of_unknown_expired_and_revoked_links(
    mail_program: Client, url: str, monday: time_machine.Traveller
) -> None:
    unknown = mail_program.post("/u/" + "x" * 32 + "/", {"stop": "1"})
    PublicLink.objects.update(revoked_at=MONDAY)
    revoked = mail_program.post(url, {"stop": "1"})
    PublicLink.objects.update(revoked_at=None)
    monday.shift(timedelta(days=731))
    expired = mail_program.post(url, {"stop": "1"})
    assert [unknown.status_code, revoked.status_code, expired.status_code] == [404, 404, 404]
    assert unknown.content == revoked.content == expired.content
    assert not Suppression.objects.exists()


def test_it_leaves_no_trace_in_the_browser(mail_program: Client, url: str) -> None:
    shown = mail_program.get(url)
    assert not shown.cookies
    assert "no-store" in shown["Cache-Control"]
    assert (shown["Referrer-Policy"], shown["X-Robots-Tag"]) == ("no-referrer", "noindex")


def test_it_speaks_the_persons_language(mail_program: Client, url: str) -> None:
    Customer.objects.update(locale="zh-hans")
    assert 'lang="zh-Hans"' in mail_program.get(url).text
