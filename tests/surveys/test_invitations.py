from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from surveys.invitations import (
    Verdict,
    ask,
    expire_invitation,
    invite,
    may_ask,
    send_invitation,
)
from surveys.messages import find_link, suppress
from surveys.models import Customer, Invitation, Message, PublicLink, Survey
from tests.due import due
from tests.surveys.make import MONDAY, make_customer, make_survey

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
ASK, RESURVEY = Invitation.SURVEY, Invitation.RESURVEY


@dataclass
class Case:
    name: str
    reason: str = ""
    earliest: datetime | None = None
    purpose: str = ASK
    # What was asked before: purpose, state, and how long ago it was sent.
    before: list[tuple[str, str, timedelta]] = field(default_factory=list)
    survey: dict[str, Any] = field(default_factory=dict)
    customer: dict[str, Any] = field(default_factory=dict)
    suppressed: bool = False


CASES = [
    Case("never asked"),
    Case("never asked, resurvey", purpose=RESURVEY),
    Case("survey switched off", "survey_inactive", survey={"active": False}),
    Case("no address", "no_address", customer={"email": ""}),
    Case("unsubscribed", "suppressed", suppressed=True),
    Case("unsubscribed, resurvey", "suppressed", purpose=RESURVEY, suppressed=True),
    Case("asked 29 days ago", "cooldown", MONDAY + DAY, before=[(ASK, "answered", 29 * DAY)]),
    Case("asked 30 days ago", before=[(ASK, "answered", 30 * DAY)]),
    Case("asked 29 days ago, mail never left", before=[(ASK, "cancelled", 29 * DAY)]),
    Case("no cooldown on this survey", before=[(ASK, "answered", DAY)], survey={"cooldown_days": 0}),
    Case("a resurvey is free of the cooldown", purpose=RESURVEY, before=[(ASK, "answered", 2 * DAY)]),
    Case(
        "a resurvey waits a day for an open question",
        "cooldown",
        MONDAY + timedelta(hours=1),
        purpose=RESURVEY,
        before=[(ASK, "sent", timedelta(hours=23))],
    ),
    Case("and no longer", purpose=RESURVEY, before=[(ASK, "sent", DAY)]),
    Case("nor for an answered one", purpose=RESURVEY, before=[(ASK, "answered", timedelta(hours=1))]),
    Case(
        "one resurvey is pending",
        "pending_resurvey",
        MONDAY + 12 * DAY,
        RESURVEY,
        [(RESURVEY, "sent", 2 * DAY)],
    ),
    Case(
        "no survey beside a pending resurvey",
        "pending_resurvey",
        MONDAY + DAY,
        ASK,
        [(RESURVEY, "sent", 13 * DAY)],
    ),
    Case(
        "an answered resurvey is out of the way", purpose=RESURVEY, before=[(RESURVEY, "answered", 2 * DAY)]
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_says_whether_a_person_may_be_asked(case: Case) -> None:
    survey, customer = make_survey(**case.survey), make_customer(**case.customer)
    if case.suppressed:
        suppress("zhang.wei@example.com", "unsubscribed", MONDAY)
    for purpose, state, ago in case.before:
        asked(survey, customer, purpose=purpose, state=state, sent_at=MONDAY - ago)
    verdict = may_ask(customer, survey, at=MONDAY, purpose=case.purpose)
    assert verdict == Verdict(case.reason == "", case.reason, case.earliest)


def asked(survey: Survey, customer: Customer, *, sent_at: datetime, **fields: Any) -> Invitation:
    return Invitation.objects.create(
        survey=survey,
        customer=customer,
        sent_at=sent_at,
        send_at=sent_at,
        created_at=sent_at,
        expires_at=sent_at + 14 * DAY,
        **fields,
    )


def test_it_counts_the_cooldown_over_all_surveys_of_one_line() -> None:
    customer = make_customer()
    asked(make_survey("phone", line="service"), customer, sent_at=MONDAY - DAY)
    same_line, other_line = make_survey("chat", line="service"), make_survey("delivery")
    assert may_ask(customer, same_line, at=MONDAY, purpose=ASK).reason == "cooldown"
    assert may_ask(customer, other_line, at=MONDAY, purpose=ASK).allowed


class TestAsk:
    def test_it_asks_with_one_message_and_one_link(self) -> None:
        invitation = ask(make_customer(), make_survey(), at=MONDAY, purpose=ASK, touchpoint="Pudong store")
        assert isinstance(invitation, Invitation)
        assert (invitation.state, invitation.sent_at) == ("sent", MONDAY)
        assert invitation.expires_at == MONDAY + 14 * DAY
        message = Message.objects.get()
        assert (message.dedup_key, message.kind) == (f"invitation:{invitation.pk}", "invitation")
        assert message.invitation == invitation
        assert "Pudong store" in message.text
        url = next(line for line in message.text.splitlines() if "/s/" in line)
        token = url.rstrip("/").rsplit("/", 1)[1]
        link = find_link(token, PublicLink.SURVEY, MONDAY + 13 * DAY)
        assert link
        assert link.invitation == invitation
        assert find_link(token, PublicLink.SURVEY, MONDAY + 14 * DAY) is None

    def test_it_shows_every_score_as_a_link_that_preselects(self) -> None:
        ask(make_customer(), make_survey(), at=MONDAY, purpose=ASK)
        html = Message.objects.get().html
        assert all(f'?score={score}"' in html for score in range(11))
        assert "?score=11" not in html
        assert "<img" not in html
        assert "How likely are you to recommend us?" in html

    def test_it_asks_in_the_persons_language(self) -> None:
        ask(make_customer(locale="zh-hans"), make_survey(), at=MONDAY, purpose=ASK)
        message = Message.objects.get()
        assert "您有多大可能推荐我们?" in message.text
        assert 'lang="zh-Hans"' in message.html

    def test_it_asks_again_in_other_words_after_a_ticket(self) -> None:
        ask(make_customer(), make_survey(), at=MONDAY, purpose=RESURVEY)
        assert Message.objects.get().kind == "resurvey_invitation"

    def test_it_leaves_nothing_behind_when_refused(self) -> None:
        refused = ask(make_customer(email=""), make_survey(), at=MONDAY, purpose=ASK)
        assert refused == Verdict(False, "no_address")
        assert not (Invitation.objects.exists())
        assert not (Message.objects.exists())
        assert not (PublicLink.objects.exists())


@pytest.mark.django_db(transaction=True)
def test_it_asks_once_when_two_ask_at_once() -> None:
    survey, customer, start = make_survey(), make_customer(), threading.Barrier(2)

    def work() -> None:
        start.wait()
        ask(customer, survey, at=MONDAY, purpose=ASK)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Invitation.objects.count() == Message.objects.count() == 1


class TestPlanned:
    def planned(self, **customer: Any) -> Invitation:
        return invite(make_customer(**customer), make_survey(), send_at=MONDAY, at=MONDAY - DAY)

    def test_it_asks_when_due_and_only_once(self) -> None:
        invitation = self.planned()
        assert due("invitations", MONDAY - timedelta(seconds=1)) == []
        send_invitation(invitation.pk, MONDAY - timedelta(seconds=1))
        assert Message.objects.count() == 0
        assert due("invitations", MONDAY) == [invitation.pk]
        send_invitation(invitation.pk, MONDAY)
        send_invitation(invitation.pk, MONDAY)
        invitation.refresh_from_db()
        assert (invitation.state, invitation.sent_at) == ("sent", MONDAY)
        assert Message.objects.count() == 1
        assert due("invitations", MONDAY) == []

    def test_it_does_not_stand_in_its_own_way(self) -> None:
        invitation = self.planned()
        Invitation.objects.update(purpose=RESURVEY)
        send_invitation(invitation.pk, MONDAY)
        assert Message.objects.get().kind == "resurvey_invitation"

    def test_it_holds_with_the_reason_until_it_is_allowed(self) -> None:
        invitation = self.planned()
        asked(invitation.survey, invitation.customer, state="answered", sent_at=MONDAY - 20 * DAY)
        send_invitation(invitation.pk, MONDAY)
        invitation.refresh_from_db()
        held = (invitation.state, invitation.reason, invitation.send_at)
        assert held == ("held", "cooldown", MONDAY + 10 * DAY)
        send_invitation(invitation.pk, MONDAY + 10 * DAY)
        invitation.refresh_from_db()
        assert (invitation.state, invitation.reason) == ("sent", "")

    def test_it_cancels_with_the_reason_when_waiting_does_not_help(self) -> None:
        invitation = self.planned()
        suppress("zhang.wei@example.com", "bounced", MONDAY)
        send_invitation(invitation.pk, MONDAY)
        invitation.refresh_from_db()
        assert (invitation.state, invitation.reason) == ("cancelled", "suppressed")
        assert Message.objects.count() == 0


class TestExpiry:
    @pytest.mark.parametrize(("state", "becomes"), [("sent", "expired"), ("answered", "answered")])
    def test_it_expires_what_nobody_answered(self, state: str, becomes: str) -> None:
        invitation = asked(make_survey(), make_customer(), sent_at=MONDAY, state=state)
        end = MONDAY + 14 * DAY
        assert due("expiries", end) == ([invitation.pk] if state == "sent" else [])
        expire_invitation(invitation.pk, end - timedelta(seconds=1))
        invitation.refresh_from_db()
        assert invitation.state == state
        expire_invitation(invitation.pk, end)
        invitation.refresh_from_db()
        assert invitation.state == becomes
