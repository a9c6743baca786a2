from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from dispatch import epoch, watch
from dispatch.models import Claim, Pulse
from recovery import alarms
from recovery.models import Callback
from surveys.models import Message, Pace, Refusal, SendingRules
from tests.due import due, take_step
from tests.make import DAY, MINUTE, MONDAY, Cast, make_user

SECOND = MINUTE / 60


@pytest.fixture(autouse=True)
def _no_fence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epoch, "describe", lambda: None)


def ended(state: str = "uncertain", *, at: datetime = MONDAY, **fields: Any) -> Message:
    values = {"kind": "invitation", "to_address": "a@b.c", "state": state, "send_at": at, **fields}
    number = Message.objects.count()
    return Message.objects.create(dedup_key=f"ended{number}", created_at=at, finished_at=at, **values)


def dead_row(subject: int = 1, at: datetime = MONDAY) -> Claim:
    return Claim.objects.create(kind="waits", subject=subject, fence=1, lease_until=at, dead_at=at)


def mails() -> list[Message]:
    return list(Message.objects.filter(kind="attention").order_by("id"))


class TestEnded:
    def test_it_tells_every_administrator_once_and_nobody_else(self, cast: Cast) -> None:
        other = make_user("root", "administrator", locale="zh-hans")
        make_user("gone", "administrator")
        type(other).objects.filter(username="gone").update(is_active=False)
        message, row = ended(), dead_row()
        alarms.look(MONDAY + 2 * MINUTE)
        assert {mail.user for mail in mails()} == {cast.admin, other}
        message.refresh_from_db()
        row.refresh_from_db()
        assert message.alarmed_at == row.alarmed_at == MONDAY + 2 * MINUTE
        alarms.look(MONDAY + DAY)
        assert len(mails()) == 2

    def test_it_tells_what_ended_together_in_one_mail(self, cast: Cast) -> None:
        ended()
        ended("dead", at=MONDAY + MINUTE)
        ended("dead", at=MONDAY + MINUTE)
        dead_row(at=MONDAY + MINUTE)
        alarms.look(MONDAY + 119 * SECOND)
        assert mails() == []
        alarms.look(MONDAY + 2 * MINUTE)
        [mail] = mails()
        assert "1 message may have arrived or not." in mail.text
        assert "2 messages could not be sent." in mail.text
        assert "1 due thing was given up" in mail.text
        assert "/messages/?state=needs_a_person" in mail.text
        assert "/dispatch/" in mail.text
        assert "/dispatch/" in mail.html

    def test_it_tells_within_five_minutes_by_the_canary(self, cast: Cast) -> None:
        Pulse.objects.create()
        ended()
        at = MONDAY
        while not mails():
            for pk in due(watch.CANARY, at):
                take_step(watch.CANARY, pk, at)
            at += 10 * SECOND
        assert at - MONDAY < 5 * MINUTE

    def test_it_tells_again_of_what_ended_later(self, cast: Cast) -> None:
        ended()
        alarms.look(MONDAY + 2 * MINUTE)
        dead_row(at=MONDAY + 3 * MINUTE)
        alarms.look(MONDAY + 5 * MINUTE)
        assert ["due thing" in mail.text for mail in mails()] == [False, True]

    @pytest.mark.parametrize("state", ["accepted", "rejected", "suppressed", "sending"])
    def test_it_keeps_quiet_about_other_ends(self, cast: Cast, state: str) -> None:
        ended(state)
        alarms.look(MONDAY + DAY)
        assert mails() == []

    def test_it_never_tells_of_itself(self, cast: Cast) -> None:
        ended("dead", kind="attention")
        alarms.look(MONDAY + DAY)
        assert Message.objects.count() == 1

    def test_it_counts_nothing_as_told_while_there_is_nobody_to_tell(self, cast: Cast) -> None:
        type(cast.admin).objects.filter(pk=cast.admin.pk).update(email="")
        message = ended()
        alarms.look(MONDAY + DAY)
        message.refresh_from_db()
        assert (mails(), message.alarmed_at) == ([], None)


class TestLateness:
    def late_callback(self, cast: Cast, at: datetime = MONDAY) -> Callback:
        ticket = cast.ticket()
        Message.objects.filter(state="queued").update(state="accepted")
        return Callback.objects.create(
            ticket=ticket, cycle=1, local_time="2026-03-02T10:00", time_zone="UTC", due_at=at
        )

    def look(self, *minutes: float) -> list[str]:
        """The mails written while looking at these minutes after Monday."""
        before = len(mails())
        for minute in minutes:
            alarms.look(MONDAY + minute * MINUTE)
            Message.objects.filter(state="queued").update(state="accepted")
        return [mail.text for mail in mails()[before:]]

    def test_it_tells_once_of_what_is_late_for_two_minutes(self, cast: Cast) -> None:
        self.late_callback(cast)
        assert self.look(1, 1.5, 2, 3) == []
        [text] = self.look(3.5)
        assert "Late: callbacks, 1 due, the oldest for 3 min." in text
        assert self.look(4, 10, 60, 24 * 60) == []

    def test_it_forgets_what_was_late_for_a_moment(self, cast: Cast) -> None:
        callback = self.late_callback(cast)
        self.look(1.5)
        Callback.objects.filter(pk=callback.pk).update(state=Callback.CANCELLED)
        self.look(2)
        assert not Claim.objects.exists()
        self.late_callback(cast, MONDAY + MINUTE)
        assert self.look(4) == []

    def test_it_tells_anew_once_it_was_over(self, cast: Cast) -> None:
        callback = self.late_callback(cast)
        assert len(self.look(1.5, 4)) == 1
        Callback.objects.filter(pk=callback.pk).update(state=Callback.CANCELLED)
        self.look(5)
        assert Claim.objects.filter(kind="lateness").exists()
        self.look(15)
        assert not Claim.objects.exists()
        self.late_callback(cast, MONDAY + 20 * MINUTE)
        assert len(self.look(22, 25)) == 1

    def test_it_does_not_call_late_what_is_held_on_purpose(self, cast: Cast) -> None:
        ended("queued", at=MONDAY, customer=cast.customer())
        rules = SendingRules.objects.create(paused_at=MONDAY)
        assert alarms.late_kinds(MONDAY + DAY) == []
        rules.delete()
        assert [each.kind for each in alarms.late_kinds(MONDAY + DAY)] == ["messages"]

    def test_it_does_not_call_late_what_waits_for_its_turn_under_the_rate(self, cast: Cast) -> None:
        for _ in range(3):
            ended("queued", at=MONDAY, customer=cast.customer())
        at = MONDAY + 5 * MINUTE
        pace = Pace.objects.create(next_slot_at=at + 50 * SECOND)
        assert alarms.late_kinds(at) == []
        # Nobody gives out turns any more: now it is.
        at = pace.next_slot_at
        assert [(each.kind, each.number) for each in alarms.late_kinds(at)] == [("messages", 3)]

    def test_it_does_not_call_late_what_its_provider_refuses(self, cast: Cast) -> None:
        ended("queued", at=MONDAY, customer=cast.customer())
        at = MONDAY + 5 * MINUTE
        Refusal.objects.create(channel="email", provider="smtp", since=MONDAY, tried_at=at, in_a_row=5)
        assert alarms.late_kinds(at) == alarms.late_kinds(at + 2 * MINUTE) == []
        Refusal.objects.update(channel="sms")
        assert [each.kind for each in alarms.late_kinds(at)] == ["messages"]


@pytest.mark.parametrize(("locale", "subject"), [("en", "Something waits for a person"), ("zh-hans", "")])
def test_it_writes_in_the_readers_language(cast: Cast, locale: str, subject: str) -> None:
    cast.admin.staff.locale = locale
    cast.admin.staff.save()
    ended()
    alarms.look(MONDAY + 2 * MINUTE)
    [mail] = mails()
    assert mail.locale == locale
    assert subject in mail.subject
