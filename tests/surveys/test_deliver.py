"""Against a real SMTP server on a free port; the server's own list of what it took is the judge."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from email import message_from_bytes
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from surveys.messages import NotAllowed, doubt, drop, due_messages, is_suppressed, mark_sent, resend, send
from surveys.messages import deliver as delivery
from surveys.messages.providers.base import ACCEPTED, Outcome
from surveys.models import DeliveryAttempt, Invitation, Message
from tests.surveys.make import MONDAY, make_customer, make_survey

pytestmark = pytest.mark.django_db


class Post:
    """A mail server that answers as it is told and keeps what it took."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.rcpt_answer = "250 OK"
        self.data_answer = "250 OK"
        self.hangs_up_at = ""
        self.pause = 0.0

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.hangs_up_at == "RCPT":
            self.hang_up(server)
        if self.rcpt_answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt_answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        await asyncio.sleep(self.pause)
        if self.data_answer.startswith("250"):
            self.taken.append(envelope.original_content or b"")
        if self.hangs_up_at == "DATA":
            self.hang_up(server)
        return self.data_answer

    def hang_up(self, server: SMTP) -> None:
        transport: Any = server.transport
        transport.abort()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def smtp(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()


@pytest.fixture
def post(smtp: None, settings: Settings) -> Iterator[Post]:
    handler = Post()
    controller = Controller(handler, hostname="127.0.0.1", port=settings.EMAIL_PORT)
    controller.start()
    yield handler
    controller.stop()


def queued(**fields: Any) -> Message:
    return Message.objects.create(
        **{
            "dedup_key": f"news:{Message.objects.count()}",
            "kind": "news",
            "to_address": "zhang.wei@example.com",
            "to_name": "张伟",
            "subject": "News",
            "text": "Something happened.\n",
            "send_at": MONDAY,
            "created_at": MONDAY,
            **fields,
        }
    )


def with_invitation(**fields: Any) -> Message:
    customer = make_customer()
    invitation = Invitation.objects.create(
        survey=make_survey(),
        customer=customer,
        state="sent",
        send_at=MONDAY,
        sent_at=MONDAY,
        created_at=MONDAY,
    )
    return queued(customer=customer, invitation=invitation, **fields)


def abandoned(**fields: Any) -> Message:
    """As a sender leaves it that died after its claim."""
    fields = {"lease_until": MONDAY + timedelta(seconds=60), **fields}
    return queued(state=Message.SENDING, fence=1, attempts=1, **fields)


def begin(message: Message) -> None:
    message.deliveries.create(fence=message.fence, provider="smtp", started_at=MONDAY)


def due(at: datetime) -> list[int]:
    return [message.pk for message in due_messages(at)]


def after(message: Message) -> Message:
    return Message.objects.select_related("invitation").get(pk=message.pk)


LATER = MONDAY + timedelta(seconds=60)
DAYS = timedelta(days=9)


class TestOneTry:
    def test_it_hands_the_message_over(self, post: Post) -> None:
        message = queued(
            html="<p>Something happened.</p>", headers={"List-Unsubscribe": "<https://x.test/u/1/>"}
        )
        assert send(message.pk, MONDAY) == Message.ACCEPTED
        mail = message_from_bytes(post.taken[0])
        assert mail["Message-ID"].startswith("<")
        assert mail["List-Unsubscribe"] == "<https://x.test/u/1/>"
        assert [part.get_content_type() for part in mail.walk()][1:] == ["text/plain", "text/html"]
        [attempt] = message.deliveries.all()
        assert (attempt.result, attempt.fence) == ("accepted", 1)

    def test_it_sends_nothing_twice(self, post: Post) -> None:
        message = queued()
        send(message.pk, MONDAY)
        assert send(message.pk, LATER) == Message.ACCEPTED
        assert len(post.taken) == 1

    def test_it_waits_for_the_hour(self, post: Post) -> None:
        message = queued(send_at=LATER)
        assert send(message.pk, MONDAY) == Message.QUEUED
        assert post.taken == []

    def test_it_records_a_refusal_and_does_not_try_again(self, post: Post) -> None:
        post.rcpt_answer = "550 5.7.1 not from you"
        message = with_invitation()
        assert send(message.pk, MONDAY) == Message.REJECTED
        assert "5.7.1 not from you" in after(message).reason
        invitation = after(message).invitation
        assert invitation
        assert (invitation.state, invitation.reason) == ("cancelled", "message_rejected")
        assert due(MONDAY + timedelta(days=1)) == []
        assert not is_suppressed(message.to_address)

    def test_it_never_writes_again_to_a_mailbox_that_does_not_exist(self, post: Post) -> None:
        post.rcpt_answer = "550 5.1.1 no such user"
        send(queued().pk, MONDAY)
        assert is_suppressed("zhang.wei@example.com")

    def test_it_records_a_refusal_after_the_data(self, post: Post) -> None:
        post.data_answer = "554 spam"
        assert send(queued().pk, MONDAY) == Message.REJECTED

    @pytest.mark.parametrize("where", ["rcpt_answer", "data_answer"])
    def test_it_tries_again_later_when_asked_to(self, post: Post, where: str) -> None:
        setattr(post, where, "451 try later")
        message = queued()
        assert send(message.pk, MONDAY) == Message.QUEUED
        assert timedelta(seconds=10) <= after(message).send_at - MONDAY < timedelta(seconds=15)
        setattr(post, where, "250 OK")
        assert send(message.pk, MONDAY + timedelta(seconds=15)) == Message.ACCEPTED
        assert len(post.taken) == 1

    def test_it_goes_on_trying_what_is_refused_with_growing_pauses(self, post: Post) -> None:
        post.rcpt_answer = "451 try later"
        message, at, pauses = with_invitation(), MONDAY, []
        for _try in range(8):
            assert send(message.pk, at) == Message.QUEUED
            pauses.append(round((after(message).send_at - at).total_seconds()))
            at = after(message).send_at
        assert pauses == [10, 60, 300, 1800, 1800, 1800, 1800, 1800]
        assert "try later" in after(message).reason
        post.rcpt_answer = "250 OK"
        assert send(message.pk, at) == Message.ACCEPTED
        assert message.deliveries.filter(result="retry").count() == 8

    def test_it_gives_up_what_is_refused_for_three_days(self, smtp: None) -> None:
        message, at = with_invitation(), MONDAY
        while send(message.pk, at) == Message.QUEUED and at < MONDAY + 2 * DAYS:
            at = after(message).send_at
        assert timedelta(0) <= at - MONDAY - timedelta(days=3) < timedelta(minutes=31)
        assert after(message).state == Message.DEAD
        assert "refused" in after(message).reason
        invitation = after(message).invitation
        assert invitation
        assert (invitation.state, invitation.reason) == ("cancelled", "message_dead")

    @pytest.mark.parametrize("limit", [timedelta(minutes=20), timedelta(days=5)])
    def test_it_tries_what_is_refused_until_its_own_limit(self, smtp: None, limit: timedelta) -> None:
        message, at = with_invitation(not_after=MONDAY + limit), MONDAY
        while send(message.pk, at) == Message.QUEUED and at < MONDAY + limit + DAYS:
            at = after(message).send_at
        assert timedelta(0) < at - MONDAY - limit < timedelta(minutes=31)
        assert (after(message).state, after(message).reason) == (Message.EXPIRED, "not_after")

    def test_it_counts_the_days_anew_when_a_person_sends_it_again(self, smtp: None) -> None:
        message = queued(state=Message.DEAD)
        message.deliveries.create(fence=0, provider="smtp", started_at=MONDAY - DAYS, result="retry")
        resend(message, User.objects.create_user("li"), MONDAY)
        assert send(message.pk, MONDAY) == Message.QUEUED

    def test_it_reads_no_more_for_a_message_that_was_refused_often(self, smtp: None) -> None:
        """The rows it reads stay few; so do the questions."""
        send(queued().pk, MONDAY)
        counts = []
        for often in (7, 700):
            message = queued(attempts=often, fence=often)
            DeliveryAttempt.objects.bulk_create(
                DeliveryAttempt(
                    message=message, fence=each, provider="smtp", started_at=MONDAY, result="retry"
                )
                for each in range(1, often + 1)
            )
            with CaptureQueriesContext(connection) as captured:
                assert send(message.pk, MONDAY) == Message.QUEUED
            counts.append(len(captured))
        assert counts[0] == counts[1]
        assert doubt.plan(after(message), None, MONDAY).step == doubt.SEND

    def test_it_does_not_claim_to_know_when_the_line_was_cut_after_the_data(self, post: Post) -> None:
        post.hangs_up_at = "DATA"
        message = with_invitation()
        assert send(message.pk, MONDAY) == Message.UNCERTAIN
        assert len(post.taken) == 1
        invitation = after(message).invitation
        assert invitation
        assert invitation.state == "sent"
        assert due(MONDAY + timedelta(days=1)) == []

    def test_it_tries_again_when_the_line_was_cut_before_the_data(self, post: Post) -> None:
        post.hangs_up_at = "RCPT"
        assert send(queued().pk, MONDAY) == Message.QUEUED

    def test_it_repeats_a_doubtful_notice_to_a_colleague(self, post: Post) -> None:
        post.hangs_up_at = "DATA"
        message = queued(user=User.objects.create_user("li"))
        assert send(message.pk, MONDAY) == Message.QUEUED
        post.hangs_up_at = ""
        assert send(message.pk, MONDAY + timedelta(minutes=1)) == Message.ACCEPTED
        first, second = (message_from_bytes(mail)["Message-ID"] for mail in post.taken)
        assert first == second

    def test_it_hangs_up_on_a_server_that_answers_too_slowly(self, post: Post, settings: Settings) -> None:
        settings.DISPATCH_LEASE_SECONDS = 1.2
        post.pause = 3
        assert send(queued().pk, MONDAY) == Message.UNCERTAIN

    def test_it_writes_the_attempt_before_the_call(self, monkeypatch: pytest.MonkeyPatch) -> None:
        message = queued()
        seen: list[int] = []

        def look(_message: Message) -> Outcome:
            seen.append(message.deliveries.filter(ended_at=None).count())
            return Outcome(ACCEPTED)

        monkeypatch.setattr("surveys.messages.email.deliver", look)
        send(message.pk, MONDAY)
        assert seen == [1]

    def test_it_stops_at_the_gate_without_an_attempt(self, post: Post) -> None:
        message = with_invitation(not_after=MONDAY - timedelta(seconds=1))
        assert send(message.pk, MONDAY) == Message.EXPIRED
        assert message.deliveries.count() == 0
        assert post.taken == []
        invitation = after(message).invitation
        assert invitation
        assert (invitation.state, invitation.reason) == ("cancelled", "not_after")

    def test_it_rejects_an_address_that_no_mail_can_carry(self, post: Post) -> None:
        message = queued(to_address="not an address\n")
        assert send(message.pk, MONDAY) == Message.REJECTED
        assert post.taken == []


class TestDeadSender:
    def test_it_calls_a_begun_one_uncertain(self, post: Post) -> None:
        message = abandoned()
        begin(message)
        assert due(LATER - timedelta(seconds=1)) == []
        assert due(LATER) == [message.pk]
        assert send(message.pk, LATER) == Message.UNCERTAIN
        assert post.taken == []

    def test_it_sends_one_that_was_not_begun(self, post: Post) -> None:
        message = abandoned()
        assert send(message.pk, LATER) == Message.ACCEPTED
        assert len(post.taken) == 1

    def test_it_repeats_a_begun_notice_to_a_colleague(self, post: Post) -> None:
        message = abandoned(user=User.objects.create_user("li"))
        begin(message)
        assert send(message.pk, LATER) == Message.ACCEPTED

    def test_it_gives_up_one_that_killed_every_sender(self, post: Post) -> None:
        message = abandoned()
        Message.objects.update(attempts=5)
        assert send(message.pk, LATER) == Message.DEAD
        assert post.taken == []

    @pytest.mark.parametrize(("crashes", "state"), [(4, Message.QUEUED), (5, Message.DEAD)])
    def test_it_counts_only_tries_that_killed_or_ended_in_doubt(
        self, smtp: None, crashes: int, state: str
    ) -> None:
        message = queued(attempts=crashes + 3, fence=crashes + 3)
        for fence in (1, 3, 5):
            message.deliveries.create(fence=fence, provider="smtp", started_at=MONDAY, result="retry")
        message.deliveries.create(
            fence=6, provider="smtp", started_at=MONDAY, result="retry", detail="database_restored"
        )
        assert send(message.pk, LATER) == state

    def test_it_lets_a_sender_without_the_fence_change_nothing(self, smtp: None) -> None:
        message = queued()
        claimed = delivery.claim(message.pk, MONDAY)
        assert claimed
        attempt = delivery.intend(claimed, MONDAY)
        assert attempt
        send(message.pk, LATER)
        before = Message.objects.values().get()
        assert delivery.finish(attempt, Outcome(ACCEPTED), LATER) is False
        assert delivery.intend(claimed, LATER) is None
        assert Message.objects.values().get() == before
        assert before["state"] == Message.UNCERTAIN

    def test_it_lets_the_sender_with_the_fence_finish(self, smtp: None) -> None:
        claimed = delivery.claim(queued().pk, MONDAY)
        attempt = claimed and delivery.intend(claimed, MONDAY)
        assert attempt
        assert delivery.finish(attempt, Outcome(ACCEPTED), LATER) is True
        assert Message.objects.get().state == Message.ACCEPTED


@pytest.mark.django_db(transaction=True)
@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_it_delivers_once_when_two_workers_want_it(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    message, start = queued(), threading.Barrier(2)
    post.pause = 0.2

    def lock_slowly(*given: Any, **how: Any) -> Message | None:
        row = lock(*given, **how)
        time.sleep(0.1)
        return row

    lock = delivery.lock
    monkeypatch.setattr(delivery, "lock", lock_slowly)

    def work() -> None:
        start.wait()
        send(message.pk, MONDAY)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(post.taken) == 1
    assert after(message).state == Message.ACCEPTED
    assert (after(message).fence, after(message).attempts) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_it_refuses_to_send_inside_a_transaction() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        send(queued().pk, MONDAY)


class TestPersonDecides:
    @pytest.fixture
    def li(self) -> User:
        return User.objects.create_user("li", first_name="Li", last_name="Na")

    @pytest.mark.parametrize("state", [Message.UNCERTAIN, Message.DEAD, Message.REJECTED])
    def test_it_sends_again(self, post: Post, li: User, state: str) -> None:
        message = queued(state=state, attempts=5, fence=5)
        resend(message, li, LATER)
        assert due(LATER) == [message.pk]
        assert send(message.pk, LATER) == Message.ACCEPTED
        by_hand, sent = message.deliveries.all()
        assert (by_hand.provider, by_hand.result, by_hand.detail) == ("by_hand", "resent", "Li Na")
        assert sent.result == "accepted"

    @pytest.mark.parametrize("act", [resend, mark_sent, drop])
    @pytest.mark.parametrize("state", [Message.QUEUED, Message.SENDING, Message.ACCEPTED, Message.CANCELLED])
    def test_it_refuses_where_nobody_is_needed(self, li: User, act: Any, state: str) -> None:
        message = queued(state=state)
        with pytest.raises(NotAllowed):
            act(message, li, LATER)
        assert after(message).state == state
        assert message.deliveries.count() == 0

    def test_it_opens_the_invitation_again_with_its_message(self, post: Post, li: User) -> None:
        message = self.dead_invitation()
        resend(message, li, LATER)
        assert send(message.pk, LATER) == Message.ACCEPTED
        invitation = after(message).invitation
        assert invitation
        assert (invitation.state, invitation.reason) == ("sent", "")

    def test_it_does_not_open_an_invitation_when_the_person_was_asked_again(self, li: User) -> None:
        message = self.dead_invitation()
        again = message.invitation
        assert again
        Invitation.objects.filter(pk=again.pk).update(purpose="resurvey")
        Invitation.objects.create(
            survey=again.survey,
            customer=again.customer,
            purpose="resurvey",
            state="sent",
            send_at=MONDAY,
            created_at=MONDAY,
        )
        with pytest.raises(NotAllowed):
            resend(message, li, LATER)
        assert after(message).state == Message.DEAD

    def test_it_counts_as_sent_when_a_person_knows(self, li: User) -> None:
        message = queued(state=Message.UNCERTAIN)
        mark_sent(message, li, LATER)
        assert (after(message).state, after(message).reason) == (Message.ACCEPTED, "marked_sent")

    def test_it_drops_a_message_with_its_invitation(self, li: User) -> None:
        message = with_invitation(state=Message.UNCERTAIN)
        drop(message, li, LATER)
        invitation = after(message).invitation
        assert after(message).state == Message.CANCELLED
        assert invitation
        assert (invitation.state, invitation.reason) == ("cancelled", "dropped")

    def dead_invitation(self) -> Message:
        message = with_invitation(state=Message.DEAD)
        Invitation.objects.filter(messages=message).update(state="cancelled", reason="message_dead")
        return message


def test_it_picks_the_longest_waiting_first_and_no_more_than_asked() -> None:
    young, old = queued(), queued(send_at=MONDAY - timedelta(hours=1))
    queued(state=Message.ACCEPTED)
    assert due(MONDAY) == [old.pk, young.pk]
    assert list(due_messages(MONDAY)[:1]) == [old]


def test_it_finds_the_first_of_many_without_looking_at_the_rest() -> None:
    queued()
    own = ("id", "dedup_key", "send_at")
    names = ", ".join(str(each.column) for each in Message._meta.concrete_fields if each.column not in own)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO surveys_message (dedup_key, send_at, {names})
            SELECT 'news:' || n, %s::timestamptz - interval '1 hour', {names}
            FROM surveys_message, generate_series(1, 20000) AS n
            """,
            [MONDAY],
        )
        cursor.execute("ANALYZE surveys_message")
    first = due_messages(MONDAY)[:200]
    plan = first.explain()
    assert "message_due_in_turn" in plan
    assert "Sort" not in plan
    assert len(first) == 200
