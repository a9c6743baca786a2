"""Writing with the customer: ten seconds to take it back, one thread, nothing reopened by thanks."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings

from recovery import lifecycle
from recovery.lifecycle import Refused
from recovery.lifecycle.canned import canned_for, filled, unknown_placeholders
from recovery.lifecycle.reply import UNDO, usual_subject
from recovery.models import CannedText, Reply, Ticket
from surveys.messages import consent, send, suppress
from surveys.messages.email import as_mail, message_id
from surveys.models import DeliveryAttempt, Message, SendingRules
from tests.make import DAY, HOUR, MINUTE, MONDAY, Cast

AT = MONDAY + 5 * MINUTE
SECOND = timedelta(seconds=1)


def fresh(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def write(cast: Cast, ticket: Ticket, **values: Any) -> Reply:
    lifecycle.reply(
        fresh(ticket), **{"by": cast.lina, "at": AT, "channel": "email", "text": "We are sorry.", **values}
    )
    return Reply.objects.latest("pk")


def the_message(reply: Reply) -> Message:
    assert reply.message is not None
    return Message.objects.get(pk=reply.message.pk)


def test_it_queues_a_mail_in_the_customers_language_ten_seconds_ahead(cast: Cast) -> None:
    ticket = cast.ticket(customer=cast.customer("张伟", email="wei@example.com", locale="zh-hans"))
    reply = write(cast, ticket, text="对不起。", subject="您的包裹")
    message = the_message(reply)
    assert UNDO == 10 * SECOND
    assert (message.state, message.send_at) == (Message.QUEUED, AT + UNDO)
    assert (message.kind, message.channel, message.locale) == ("ticket_reply", "email", "zh-hans")
    assert (message.to_address, message.to_name, message.user) == ("wei@example.com", "张伟", None)
    assert message.subject == "您的包裹"
    assert message.text.startswith("对不起。\n")
    assert "<p>对不起。</p>" in message.html
    assert message.about == f"ticket:{ticket.number}"


def test_it_is_one_event_and_opens_a_new_ticket_without_counting_as_heard(cast: Cast) -> None:
    ticket = cast.ticket()
    reply = write(cast, ticket)
    done = fresh(ticket)
    event = done.events.last()
    assert event is not None
    assert (done.status, done.version, event.kind) == ("open", 2, "reply_sent")
    assert event.data["reply"] == reply.pk
    assert not done.deadlines.exclude(met_at=None).exists()


def test_it_is_not_sent_before_the_time_to_take_it_back_is_over(cast: Cast) -> None:
    message = the_message(write(cast, cast.ticket()))
    assert send(message.pk, AT + UNDO - SECOND) == Message.QUEUED
    assert send(message.pk, AT + UNDO) == Message.ACCEPTED


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"text": " \n"}, "text_missing"),
        ({"text": "x" * 5001}, "text_too_long"),
        ({"text": "By {due}."}, "blank_left"),
        ({"channel": "phone"}, "channel_unknown"),
        ({"channel": "sms"}, "no_address"),
    ],
)
def test_it_refuses_what_cannot_be_sent(cast: Cast, values: dict[str, str], code: str) -> None:
    ticket = cast.ticket()
    with pytest.raises(Refused) as refused:
        write(cast, ticket, **values)
    assert refused.value.code == code
    assert not Reply.objects.exists()
    assert fresh(ticket).version == 1


def test_it_refuses_text_messages_that_nobody_carries(cast: Cast, settings: LazySettings) -> None:
    settings.PROVIDERS = {}
    ticket = cast.ticket(customer=cast.customer(phone="+8613800138000"))
    with pytest.raises(Refused) as refused:
        write(cast, ticket, channel="sms")
    assert refused.value.code == "nobody_carries"


def test_it_refuses_an_address_that_must_not_be_written_to(cast: Cast) -> None:
    customer = cast.customer(email="no@example.com")
    suppress("no@example.com", reason="unsubscribed", at=MONDAY)
    with pytest.raises(Refused) as refused:
        write(cast, cast.ticket(customer=customer))
    assert (refused.value.code, refused.value.field) == ("suppressed", "channel")


@pytest.mark.parametrize(("required", "word"), [(False, False), (True, None), (True, False)])
def test_it_refuses_whom_the_rules_keep_from_being_written_to(
    cast: Cast, required: bool, word: bool | None
) -> None:
    person = cast.customer(email="wei@example.com")
    ticket = cast.ticket(customer=person)
    SendingRules.objects.update_or_create(pk=SendingRules.ONLY, defaults={"consent_required": required})
    if word is not None:
        consent.record(person, given=word, source="survey", at=MONDAY)
    with pytest.raises(Refused) as refused:
        write(cast, ticket)
    assert (refused.value.code, refused.value.field) == ("no_consent", "channel")
    assert not Message.objects.filter(kind="ticket_reply").exists()


@pytest.mark.parametrize(("required", "word"), [(False, None), (True, True)])
def test_it_writes_to_whom_the_rules_allow(cast: Cast, required: bool, word: bool | None) -> None:
    person = cast.customer(email="wei@example.com")
    ticket = cast.ticket(customer=person)
    SendingRules.objects.update_or_create(pk=SendingRules.ONLY, defaults={"consent_required": required})
    if word is not None:
        consent.record(person, given=word, source="survey", at=MONDAY)
    assert write(cast, ticket).message is not None


def test_it_refuses_when_somebody_was_faster(cast: Cast) -> None:
    ticket = cast.ticket()
    write(cast, ticket)
    with pytest.raises(lifecycle.Stale):
        lifecycle.reply(ticket, by=cast.majun, at=AT, channel="email", text="Sorry from me, too")


def test_it_refuses_a_ticket_that_became_part_of_another(cast: Cast) -> None:
    ticket = lifecycle.merge(cast.ticket(), by=cast.lina, at=AT, into=cast.ticket())
    with pytest.raises(Refused) as refused:
        write(cast, ticket)
    assert refused.value.code == "merged"


def test_it_keeps_one_conversation_in_a_mailbox(cast: Cast) -> None:
    ticket = cast.ticket()
    first, second, third = (write(cast, ticket) for _each in range(3))
    keys = [message_id(the_message(each).dedup_key) for each in (first, second)]
    mail = as_mail(the_message(third)).message()
    assert mail["In-Reply-To"] == keys[1]
    assert mail["References"] == " ".join(keys)
    assert mail["List-Unsubscribe"]
    assert [first.subject[:4], second.subject, third.subject] == [
        "What",
        f"Re: {first.subject}",
        second.subject,
    ]


def test_a_reply_taken_back_is_not_part_of_the_conversation(cast: Cast) -> None:
    ticket = cast.ticket()
    lifecycle.take_back(ticket, write(cast, ticket), by=cast.lina, at=AT)
    assert "In-Reply-To" not in the_message(write(cast, ticket)).headers


def test_its_usual_subject_speaks_the_customers_language(cast: Cast) -> None:
    ticket = cast.ticket()
    assert usual_subject(ticket) == f"What you told Redress ({ticket.number})"


# --- Taking it back ---


def test_it_takes_a_reply_back_while_it_waits(cast: Cast) -> None:
    ticket = cast.ticket()
    reply = write(cast, ticket)
    done = lifecycle.take_back(ticket, reply, by=cast.majun, at=AT + 9 * SECOND)
    reply.refresh_from_db()
    message = the_message(reply)
    assert (reply.state, message.state, message.reason) == ("taken_back", "cancelled", "taken_back")
    assert [event.kind for event in done.events.all()][1:] == ["reply_sent", "reply_taken_back"]
    assert send(message.pk, AT + HOUR) == Message.CANCELLED


def test_it_refuses_to_take_back_what_is_gone(cast: Cast) -> None:
    ticket = cast.ticket()
    reply = write(cast, ticket)
    send(the_message(reply).pk, AT + UNDO)
    with pytest.raises(Refused) as refused:
        lifecycle.take_back(ticket, reply, by=cast.lina, at=AT + 11 * SECOND)
    assert refused.value.code == "reply_gone"
    assert fresh(ticket).version == 2


def test_it_refuses_to_take_back_what_may_have_arrived(cast: Cast) -> None:
    ticket = cast.ticket()
    reply = write(cast, ticket)
    DeliveryAttempt.objects.create(
        message=the_message(reply), fence=1, provider="x", started_at=AT, result="uncertain"
    )
    with pytest.raises(Refused) as refused:
        lifecycle.take_back(ticket, reply, by=cast.lina, at=AT)
    assert refused.value.code == "reply_gone"


def test_it_refuses_to_take_back_twice(cast: Cast) -> None:
    ticket = cast.ticket()
    reply = write(cast, ticket)
    lifecycle.take_back(ticket, reply, by=cast.lina, at=AT)
    with pytest.raises(Refused) as refused:
        lifecycle.take_back(ticket, reply, by=cast.lina, at=AT)
    assert refused.value.code == "taken_back_already"


def test_it_refuses_to_take_back_the_reply_of_another_ticket(cast: Cast) -> None:
    reply = write(cast, cast.ticket())
    with pytest.raises(Refused) as refused:
        lifecycle.take_back(cast.ticket(), reply, by=cast.lina, at=AT)
    assert refused.value.code == "no_such_reply"
    assert the_message(reply).state == Message.QUEUED


# --- What the customer writes ---


def test_what_the_customer_writes_joins_the_thread_and_tells_the_owner(cast: Cast) -> None:
    ticket = cast.ticket()
    done = lifecycle.customer_wrote(ticket, at=AT, text=" Here is the photo. ", channel="email")
    row, event = done.replies.get(), done.events.last()
    assert event is not None
    assert (row.direction, row.text, row.by) == (Reply.THEIRS, "Here is the photo.", None)
    assert (event.kind, event.by, event.data["reply"]) == ("customer_wrote", None, row.pk)
    notice = Message.objects.get(kind="customer_wrote")
    assert notice.user == cast.lina
    assert "Here is the photo." in notice.text
    assert "because you own the ticket" in notice.text


def test_what_the_customer_writes_ends_no_wait(cast: Cast) -> None:
    ticket = lifecycle.start_waiting(cast.ticket(), by=cast.lina, at=AT, reason="A photo")
    assert lifecycle.customer_wrote(ticket, at=AT, text="Which photo?", channel="email").status == "waiting"


def test_thanks_reopen_nothing_and_are_told_all_the_same(cast: Cast) -> None:
    ticket = lifecycle.resolve(
        cast.ticket(), by=cast.lina, at=AT, cause_found=cast.late, what_was_done="Sent again"
    )
    done = lifecycle.customer_wrote(ticket, at=AT + DAY, text="Thanks!", channel="email")
    assert (done.status, done.cycle) == ("resolved", 1)
    notice = Message.objects.get(kind="customer_wrote")
    assert send(notice.pk, AT + DAY) == Message.ACCEPTED


def test_what_is_written_to_a_merged_ticket_arrives_where_the_work_goes_on(cast: Cast) -> None:
    into = cast.ticket()
    ticket = lifecycle.merge(cast.ticket(), by=cast.lina, at=AT, into=into)
    assert lifecycle.customer_wrote(ticket, at=AT, text="Hello?", channel="email") == into


@pytest.mark.parametrize(("text", "code"), [(" ", "text_missing"), ("x" * 5001, "text_too_long")])
def test_it_refuses_of_the_customer_what_is_nothing_or_too_much(cast: Cast, text: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        lifecycle.customer_wrote(cast.ticket(), at=AT, text=text, channel="email")
    assert refused.value.code == code


# --- Canned texts ---


def test_it_fills_in_the_blanks_on_the_customers_clock_and_in_their_language(cast: Cast) -> None:
    customer = cast.customer("Marie Duval", time_zone="Europe/Paris")
    ticket = cast.ticket(customer=customer)
    canned = CannedText.objects.create(
        name="Sorry",
        text="Dear {customer}, {agent} of {team} calls by {due} ({number}).",
        text_zh="{customer}您好",
    )
    assert filled(canned, ticket, cast.lina, AT) == (
        f"Dear Marie Duval, Li Na of East calls by today 07:00 ({ticket.number})."
    )
    customer.locale = "zh-hans"
    assert filled(canned, ticket, cast.lina, AT) == "Marie Duval您好"


def test_it_promises_the_callback_that_is_booked(cast: Cast) -> None:
    ticket = lifecycle.book_callback(
        cast.ticket(), by=cast.lina, at=AT, local_time="2026-03-04T18:00", time_zone="Asia/Shanghai"
    )
    canned = CannedText(text="By {due}")
    assert filled(canned, fresh(ticket), cast.lina, AT) == "By Wed 4 Mar 18:00"


def test_it_leaves_a_blank_that_nothing_is_known_for(cast: Cast) -> None:
    ticket = lifecycle.resolve(
        cast.ticket(), by=cast.lina, at=AT, cause_found=cast.late, what_was_done="Sent again"
    )
    assert filled(CannedText(text="By {due}"), fresh(ticket), cast.lina, AT) == "By {due}"


def test_it_offers_texts_of_the_channel_and_the_team_those_of_the_cause_first(cast: Cast) -> None:
    texts: dict[str, dict[str, Any]] = {
        "Any": {},
        "Other cause": {"cause": cast.rude},
        "The cause": {"cause": cast.late},
        "Short": {"channel": "sms"},
        "Western": {"team": cast.west},
        "Old": {"active": False},
    }
    for name, fields in texts.items():
        CannedText.objects.create(name=name, text="Hello", **fields)
    ticket = lifecycle.name_cause(cast.ticket(), by=cast.lina, at=AT, cause=cast.late)
    assert [str(each) for each in canned_for(ticket, "email")] == ["The cause", "Any", "Other cause"]
    assert [str(each) for each in canned_for(ticket, "sms")] == ["The cause", "Any", "Short", "Other cause"]


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("Dear {customer}", []),
        ("Dear {name}, {agent}", ["{name}"]),
        ("Dear {Customer} {}", ["{Customer}", "{}"]),
        ("Dear {customer", ["{customer"]),
        ("Dear customer}", ["}"]),
    ],
)
def test_it_knows_what_nobody_can_fill_in(text: str, unknown: list[str]) -> None:
    assert unknown_placeholders(text) == unknown
