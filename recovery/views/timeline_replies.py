"""The conversation with the customer in the timeline's words, and what became of each message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from recovery.lifecycle.reply import UNDO
from recovery.models import Reply
from recovery.templatetags.moments import moment
from recovery.views.words import channel_word, fill
from surveys.models import Message
from surveys.views.messages import REASONS

if TYPE_CHECKING:
    from recovery.models import TicketEvent
    from recovery.views.timeline import Entry, Reader

Telling = Callable[["Reader", "TicketEvent", "Entry"], None]
OURS, THEIRS = "ours", "theirs"


@dataclass(frozen=True)
class Shown:
    """A reply and what became of it; one that `waits` can still be taken back, of one that `goes_on` more
    will be known in seconds, and one that `is_fresh` was written just now."""

    row: Reply
    state: str
    waits: bool = False
    failed: bool = False
    goes_on: bool = False
    is_fresh: bool = False


def shown(row: Reply, now: datetime) -> Shown:
    message = row.message
    if row.state == Reply.TAKEN_BACK:
        return Shown(row, gettext("Taken back: the customer never got it"))
    if message is None:
        return Shown(row, "")
    why = str(REASONS.get(message.reason, message.reason))
    if message.state == Message.QUEUED:
        fresh = not why and now < row.at + 2 * UNDO
        return Shown(row, queued_words(message, why, now), waits=True, goes_on=not why, is_fresh=fresh)
    if message.state == Message.SENDING:
        return Shown(row, gettext("Being sent"), goes_on=True)
    if message.state == Message.ACCEPTED:
        return Shown(row, gettext("Sent {time}").format(time=moment(message.finished_at, now)))
    words = gettext("{state}: {why}") if why else "{state}"
    return Shown(row, words.format(state=message.get_state_display(), why=why), failed=True)


def queued_words(message: Message, why: str, now: datetime) -> str:
    """The gate says when it asks again; a reply just written has not come to it yet."""
    if not why:
        late = now > message.send_at + 2 * UNDO
        return gettext("Not sent yet: it waits its turn") if late else gettext("Goes out in a few seconds")
    return gettext("Not sent yet: {why} ({time})").format(why=why, time=moment(message.send_at, now))


def reply_sent(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    entry.look, entry.reply = OURS, reader.reply(event.data.get("reply"))
    facts = reader.facts(event, channel=channel_word(event.data.get("channel")))
    entry.sentence = fill(_("%(who)s wrote to the customer · %(channel)s"), facts)
    if event.data.get("subject"):
        entry.lines.append(str(event.data["subject"]))


def reply_taken_back(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    entry.text = ""
    entry.sentence = fill(_("%(who)s took the reply back before it was sent"), reader.facts(event))


def customer_wrote(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    entry.look = THEIRS
    facts = reader.facts(event, channel=channel_word(event.data.get("channel")))
    entry.sentence = fill(_("The customer wrote · %(channel)s"), facts)


def cause_named(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    facts = reader.facts(event, cause=reader.cause(event.data.get("cause")))
    entry.sentence = fill(_("%(who)s noted what the customer says was wrong: %(cause)s"), facts)


REPLY_WORDING: Final[dict[str, Telling]] = {
    "reply_sent": reply_sent,
    "reply_taken_back": reply_taken_back,
    "customer_wrote": customer_wrote,
    "cause_named": cause_named,
}
