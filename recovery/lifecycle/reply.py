"""Writing with the customer: what we send, what we take back in time, and what they write to us."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from recovery.lifecycle import hold_out, lot, notices
from recovery.lifecycle.act import acting, name_of
from recovery.lifecycle.canned import blanks_left
from recovery.lifecycle.concern import about_ticket
from recovery.lifecycle.loop import refuse_merged
from recovery.lifecycle.table import Refused
from recovery.models import Reply, Ticket
from recovery.models.ticket import NEW, OPEN
from surveys.messages import consent, is_suppressed, queue_message, rules
from surveys.messages.compose import EMAIL, brand, one_line
from surveys.messages.deliver import lock, record_end
from surveys.messages.doubt import in_doubt
from surveys.messages.email import message_id
from surveys.messages.providers.chosen import provider_of
from surveys.models import Customer, Message

KIND: Final = "ticket_reply"
UNDO: Final = timedelta(seconds=10)
LONGEST: Final = 5000
# By which identity of the customer a channel reaches them.
REACHED_BY: Final = {EMAIL: "email", "sms": "phone"}


def address_of(customer: Customer | None, channel: str) -> str:
    """Where a reply by this channel goes, '' if nowhere."""
    return customer.identity(REACHED_BY[channel]) if customer and channel in REACHED_BY else ""


def reply_channels(ticket: Ticket) -> list[str]:
    """The channels by which this customer can be written to, and which somebody carries."""
    return [code for code in REACHED_BY if address_of(ticket.customer, code) and provider_of(code)]


def usual_subject(ticket: Ticket) -> str:
    """Of the thread where there is one, so that a mailbox keeps it together; else in the customer's words."""
    sent = (each for each in ticket.replies.all() if each.state == Reply.WRITTEN and each.channel == EMAIL)
    begun = next((each for each in sent if each.subject), None)
    if begun:
        return begun.subject if begun.subject.startswith("Re: ") else f"Re: {begun.subject}"[:200]
    with translation.override(ticket.customer.locale if ticket.customer else "en"):
        return gettext("What you told {brand} ({number})").format(brand=brand(), number=ticket.number)


@transaction.atomic
def reply(
    ticket: Ticket,
    *,
    by: User | None,
    at: datetime,
    channel: str,
    text: str,
    subject: str = "",
) -> Ticket:
    """Write to the customer, by "email" or "sms". It goes out after `UNDO`, until when it can be taken back.

    Writing is not hearing: the first-contact deadline is met by what they answer. Raises Refused, Stale.
    """
    text = "\n".join(text.strip().splitlines())
    check_text(text)
    with acting(ticket, "reply", by=by, at=at) as change:
        refuse_merged(change.ticket)
        address = checked_address(change.ticket, channel)
        subject = checked_subject(change.ticket, channel, subject)
        row = Reply.objects.create(
            ticket=change.ticket,
            cycle=change.ticket.cycle,
            direction=Reply.OURS,
            channel=channel,
            subject=subject,
            text=text,
            at=at,
            by=by,
            by_name=name_of(by),
        )
        row.message = queued(row, change.ticket, address, at)
        row.save(update_fields=["message"])
        if change.ticket.status == NEW:
            change.set(status=OPEN)
        change.tell("reply_sent", row.text, reply=row.pk, channel=channel, subject=subject)
    return change.ticket


def check_text(text: str) -> None:
    if not text.strip():
        raise Refused("text_missing", _("Write the reply first."), field="text")
    if len(text) > LONGEST:
        raise Refused("text_too_long", _("This is too long for one message."), field="text")
    left = blanks_left(text)
    if left:
        words = _("Fill in %(blank)s first: nothing is known for it.") % {"blank": left[0]}
        raise Refused("blank_left", words, field="text")


def checked_address(ticket: Ticket, channel: str) -> str:
    if channel not in REACHED_BY:
        raise Refused("channel_unknown", _("Choose one of the channels."), field="channel")
    address = address_of(ticket.customer, channel)
    if not address:
        raise Refused("no_address", _("No address of the customer is known for this."), field="channel")
    if provider_of(channel) is None:
        raise Refused("nobody_carries", _("Nobody carries such messages yet."), field="channel")
    if is_suppressed(address, channel):
        words = _("They do not want to be written to there: call them, or choose another way.")
        raise Refused("suppressed", words, field="channel")
    if consent.is_missing(ticket.customer, required=rules.current().consent_required, channel=channel):
        words = _("They have not agreed to be written to in this way: call them, or choose another way.")
        raise Refused("no_consent", words, field="channel")
    return address


def checked_subject(ticket: Ticket, channel: str, subject: str) -> str:
    """A text message has none."""
    if channel != EMAIL:
        return ""
    return one_line(subject)[:200] or usual_subject(ticket)


def queued(row: Reply, ticket: Ticket, address: str, at: datetime) -> Message:
    customer = ticket.customer
    assert customer is not None
    message = queue_message(
        dedup_key=f"{KIND}:{ticket.number}:{row.pk}",
        kind=KIND,
        to_address=address,
        to_name=customer.name,
        customer=customer,
        locale=customer.locale,
        channel=row.channel,
        about=about_ticket(ticket.number),
        context={"reply_subject": row.subject or brand(), "text": row.text},
        at=at,
        send_at=at + UNDO,
    )
    return in_thread(message, row)


def in_thread(message: Message, row: Reply) -> Message:
    """A mail names those before it, so that a mailbox shows one conversation."""
    earlier = Reply.objects.filter(
        ticket=row.ticket_id, channel=EMAIL, state=Reply.WRITTEN, message__isnull=False, pk__lt=row.pk
    )
    keys = [message_id(key) for key in earlier.order_by("id").values_list("message__dedup_key", flat=True)]
    if row.channel == EMAIL and keys:
        message.headers = {**message.headers, "In-Reply-To": keys[-1], "References": " ".join(keys[-10:])}
        message.save(update_fields=["headers"])
    return message


@transaction.atomic
def take_back(ticket: Ticket, reply: Reply, *, by: User | None, at: datetime) -> Ticket:
    """Stop a reply that still waits. Raises Refused once it is on its way.

    The message is locked before the ticket, as its sender does: who is first decides.
    """
    if reply.ticket_id != ticket.pk or reply.message_id is None:
        raise Refused("no_such_reply", _("There is no such reply to take back."))
    message = lock(reply.message_id)
    row = Reply.objects.get(pk=reply.pk)
    if row.state == Reply.TAKEN_BACK:
        raise Refused("taken_back_already", _("It was taken back already."))
    if message is None or message.state != Message.QUEUED or in_doubt(message.deliveries.all()).exists():
        raise Refused("reply_gone", _("It is on its way already: it cannot be taken back any more."))
    with acting(ticket, "take-back", by=by, at=at, any_version=True) as change:
        record_end(message, Message.CANCELLED, "taken_back", at)
        row.state = Reply.TAKEN_BACK
        row.save(update_fields=["state"])
        change.tell("reply_taken_back", row.text, reply=row.pk, channel=row.channel)
    return change.ticket


@transaction.atomic
def customer_wrote(ticket: Ticket, *, at: datetime, text: str, channel: str) -> Ticket:
    """What the customer writes joins the thread, and the owner is told (whoever supervises, while away).

    It changes no status: a wait goes on until a colleague has read whether it is what was waited for, and
    thanks on a ticket that is resolved or closed reopen nothing. Nor does it count as heard: that is a
    contact, logged by who read it. What is written to a merged ticket arrives where the work goes on.
    """
    if not text.strip():
        raise Refused("text_missing", _("Write something first."), field="text")
    if len(text) > LONGEST:
        raise Refused("text_too_long", _("This is too long for one message."), field="text")
    while ticket.merged_into is not None:
        ticket = ticket.merged_into
    with acting(ticket, "customer-wrote", by=None, at=at, any_version=True) as change:
        row = Reply.objects.create(
            ticket=change.ticket,
            cycle=change.ticket.cycle,
            direction=Reply.THEIRS,
            channel=channel,
            text=text.strip(),
            at=at,
        )
        change.tell("customer_wrote", row.text, reply=row.pk, channel=channel)
        person, recipient = notices.minder_of(change.ticket, at)
        notices.tell(
            person, "customer_wrote", change.ticket, at, f"reply:{row.pk}", reply=row, recipient=recipient
        )
    return hold_out.follow_up_early(change.ticket, at=at, why=lot.WROTE)
