"""The page on which whoever is in charge sees whether customers are written to, and stops and releases it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client

from surveys.messages import rules
from surveys.models import Consent, SendingRules
from tests.surveys.make import MONDAY, make_customer, make_message, make_rules

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_monday")]

PAGE, MINUTE = "/messages/sending/", timedelta(minutes=1)


@pytest.fixture
def on_monday() -> Iterator[None]:
    with time_machine.travel(MONDAY, tick=False):
        yield


def client_of(username: str, *permissions: str, **fields: Any) -> Client:
    user = User.objects.create_user(username, first_name=username.title(), **fields)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def ada() -> Client:
    """An administrator."""
    return client_of("ada", is_staff=True, is_superuser=True)


@pytest.fixture
def chen() -> Client:
    """A supervisor: sees, and does not act."""
    return client_of("chen", "view_sendingrules", "change_message")


@pytest.fixture
def li() -> Client:
    return client_of("li")


def text_of(client: Client) -> str:
    answer = client.get(PAGE)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


class TestWhoMay:
    @pytest.mark.parametrize(("who", "status"), [("ada", 200), ("chen", 200), ("li", 403)])
    def test_those_in_charge_see_it(self, request: pytest.FixtureRequest, who: str, status: int) -> None:
        client: Client = request.getfixturevalue(who)
        assert client.get(PAGE).status_code == status

    def test_strangers_are_asked_who_they_are(self, client: Client) -> None:
        assert client.get(PAGE).status_code == 302
        assert client.post(f"{PAGE}stop/").status_code == 302
        assert rules.rest() is None

    @pytest.mark.parametrize("act", ["stop", "resume", "release"])
    @pytest.mark.parametrize("who", ["chen", "li"])
    def test_only_administrators_act(self, request: pytest.FixtureRequest, who: str, act: str) -> None:
        kept = make_rules(held_at=MONDAY, paused_at=MONDAY if act == "resume" else None)
        client: Client = request.getfixturevalue(who)
        assert client.post(f"{PAGE}{act}/").status_code == 403
        found = SendingRules.objects.get()
        assert (found.paused_at, found.held_at) == (kept.paused_at, kept.held_at)

    def test_supervisors_get_no_buttons(self, ada: Client, chen: Client) -> None:
        assert f"{PAGE}stop/" in text_of(ada)
        assert f"{PAGE}stop/" not in text_of(chen)

    def test_a_look_changes_nothing(self, ada: Client) -> None:
        assert ada.get(f"{PAGE}stop/").status_code == 405
        assert ada.post(f"{PAGE}shout/").status_code == 404
        assert rules.rest() is None


class TestActs:
    def test_stopping_and_letting_go_again(self, ada: Client) -> None:
        ada.post(f"{PAGE}stop/", {"why": "the wrong text\0"})
        said = text_of(ada)
        for words in ("Stopped by Ada", "the wrong text", f"{PAGE}resume/"):
            assert words in said
        assert f"{PAGE}stop/" not in said
        ada.post(f"{PAGE}resume/")
        said = text_of(ada)
        assert "They go out" in said
        assert "by Ada" in said
        assert rules.rest() is None

    def test_releasing_what_is_held(self, ada: Client) -> None:
        rules.hold("volume", {"due": 12345, "usual": 60}, MONDAY - MINUTE)
        said = text_of(ada)
        for words in ("12345 messages were due at once", "Up to 60 in an hour", f"{PAGE}release/"):
            assert words in said
        ada.post(f"{PAGE}release/")
        assert "They go out" in text_of(ada)
        assert SendingRules.objects.get().released_by == "Ada"

    def test_the_second_to_press_is_told_that_nothing_changed(self, ada: Client) -> None:
        answer = ada.post(f"{PAGE}release/", follow=True)
        assert "Nothing was changed" in answer.content.decode()
        assert SendingRules.objects.get().released_at is None

    def test_who_did_it_stays_on_record(self, ada: Client) -> None:
        ada.post(f"{PAGE}stop/", {"why": "the wrong text"})
        ada.post(f"{PAGE}resume/")
        ada.post(f"{PAGE}resume/")
        kept = [(entry.user.username, entry.change_message) for entry in LogEntry.objects.order_by("pk")]
        assert kept == [("ada", "Stopped all sending. the wrong text"), ("ada", "Let sending go on.")]

    def test_what_is_due_and_what_waits_is_counted(self, ada: Client) -> None:
        for minutes in (-1, 0, 5):
            make_message(send_at=MONDAY + minutes * MINUTE)
        make_message(user=User.objects.get(username="ada"))
        make_message(state="accepted")
        said = text_of(ada)
        assert "Due now</dt><dd>2</dd>" in said
        assert "Waiting for their time</dt><dd>1</dd>" in said

    @pytest.mark.parametrize("why", ["volume", "clock"])
    def test_it_is_said_in_chinese_as_well(self, ada: Client, why: str) -> None:
        rules.hold(why, {"due": 12, "usual": 60, "seconds": 61}, MONDAY)
        answer = ada.get(PAGE, headers={"accept-language": "zh-hans"})
        assert answer.status_code == 200
        assert 'lang="zh-hans"' in answer.content.decode()


class TestAdmin:
    RULES = "/admin/surveys/sendingrules/"

    @pytest.mark.parametrize(
        ("why", "words"), [("volume", "far more fell due"), ("clock", "the clock of the database leapt")]
    )
    def test_it_says_in_words_why_sending_is_held(self, admin_client: Client, why: str, words: str) -> None:
        make_rules(held_at=MONDAY, held_why=why)
        page = admin_client.get(self.RULES, follow=True).content.decode()
        assert words in page
        assert f">{why}<" not in page
        make_rules()
        assert words not in admin_client.get(self.RULES, follow=True).content.decode()

    def test_the_rules_are_one_row_that_is_edited(self, ada: Client) -> None:
        address = ada.get(self.RULES).headers["Location"]
        assert ada.get(address).status_code == 200
        given = {"quiet_from": "22:00", "quiet_until": "07:00", "per_minute": 5, "per_person_per_day": 2}
        assert ada.post(address, given).status_code == 302
        found = SendingRules.objects.get()
        assert (found.quiet_from.hour, found.quiet_until.hour, found.per_minute) == (22, 7, 5)
        assert ada.get(f"{self.RULES}add/").status_code == 403
        assert ada.get(f"{self.RULES}1/delete/").status_code == 403

    def test_an_edit_does_not_undo_a_stop(self, ada: Client) -> None:
        rules.stop(User.objects.get(username="ada"), "", MONDAY)
        given = {"quiet_from": "21:00", "quiet_until": "08:00", "per_minute": 0, "per_person_per_day": 3}
        assert b"per_minute" in ada.post(f"{self.RULES}1/change/", given).content
        assert SendingRules.objects.get().per_minute == 60
        ada.post(f"{self.RULES}1/change/", {**given, "per_minute": 5, "paused_at_0": ""})
        found = SendingRules.objects.get()
        assert (found.per_minute, found.paused_at) == (5, MONDAY)

    def test_consent_is_added_and_never_changed(self, ada: Client) -> None:
        customer = make_customer()
        given = {"customer": customer.pk, "channel": "email", "given": "on", "source": "fair in May"}
        assert ada.post("/admin/surveys/consent/add/", given).status_code == 302
        row = Consent.objects.get()
        assert (row.given, row.at) == (True, MONDAY)
        ada.post(f"/admin/surveys/consent/{row.pk}/change/", {**given, "given": ""})
        row.refresh_from_db()
        assert row.given
        assert ada.post(f"/admin/surveys/consent/{row.pk}/delete/", {"post": "yes"}).status_code == 403
        assert ada.get("/admin/surveys/consent/").status_code == 200
