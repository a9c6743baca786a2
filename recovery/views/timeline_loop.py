"""Asking again, and what the loop ended in, in the timeline's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

from recovery.views.words import channel_word, fill, outcome_word, reason_word

if TYPE_CHECKING:
    from recovery.models import TicketEvent
    from recovery.views.timeline import Entry, Reader

Telling = Callable[["Reader", "TicketEvent", "Entry"], None]


def resurvey_planned(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    reason = event.data.get("reason")
    if reason:
        entry.sentence = fill(_("They cannot be asked again: %(why)s"), {"why": reason_word(reason)})
        return
    entry.sentence = fill(
        _("They will be asked again %(due)s"), {"due": reader.when(event.data.get("due_at"))}
    )


def resurvey_held(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    until = event.data.get("earliest_at") or event.data.get("due_at")
    facts = {"until": reader.when(until), "why": reason_word(event.data.get("reason"))}
    entry.sentence = fill(_("Asking again is held until %(until)s: %(why)s"), facts)


def resurvey_asked(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    entry.look = "sent"
    channel, until = channel_word(event.data.get("channel")), reader.when(event.data.get("expires_at"))
    entry.sentence = fill(_("Asked again by %(channel)s"), {"channel": channel})
    entry.lines.append(fill(_("They may answer until %(until)s"), {"until": until}))


def outcome(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    facts = reader.facts(
        event, outcome=outcome_word(event.data.get("outcome")), why=reason_word(event.data.get("reason"))
    )
    if event.data.get("score") is None:
        entry.sentence = fill(_("Outcome: %(outcome)s, because %(why)s"), facts)
        return
    entry.look, entry.score, entry.band = "customer", event.data["score"], str(event.data.get("outcome"))
    entry.sentence = fill(_("Asked again, they gave %(score)s after %(before)s: %(outcome)s"), facts)


def closed(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    ending = outcome_word(event.data.get("outcome"))
    words = _("The loop is closed: %(outcome)s") if ending else _("The loop is closed")
    entry.sentence = fill(words, {"outcome": ending})


LOOP_WORDING: Final[dict[str, Telling]] = {
    "resurvey_planned": resurvey_planned,
    "resurvey_held": resurvey_held,
    "resurvey_asked": resurvey_asked,
    "outcome": outcome,
    "closed": closed,
}
