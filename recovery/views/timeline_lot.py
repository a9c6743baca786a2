"""What the lot of a hold-out did to a ticket, in the timeline's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

from recovery.lifecycle import lot
from recovery.views.words import Words, channel_word, fill, outcome_word, reason_word

if TYPE_CHECKING:
    from recovery.models import TicketEvent
    from recovery.views.timeline import Entry, Reader

EARLY: Final[dict[str, Words]] = {
    lot.WROTE: _("Followed up now: the customer wrote"),
    lot.ASKED_FOR_CONTACT: _("Followed up now: the customer asks to be contacted"),
    lot.SECOND_LOW: _("Followed up now: another low score came in"),
    "over": _("The time the lot had set is over: it is followed up now"),
}

Telling = Callable[["Reader", "TicketEvent", "Entry"], None]


def held_out(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    facts = reader.facts(event, until=reader.when(event.data.get("until")))
    entry.sentence = fill(_("Followed up later, by lot, until %(until)s (hold-out “%(hold_out)s”)"), facts)


def held_out_asked(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    said, why = event.data, reason_word(event.data.get("reason"))
    if said.get("asked"):
        entry.look = "sent"
        facts = {"channel": channel_word(said.get("channel")), "until": reader.when(said.get("expires_at"))}
        entry.sentence = fill(_("Asked for the hold-out by %(channel)s"), facts)
        entry.lines.append(fill(_("They may answer until %(until)s"), facts))
    elif said.get("earliest_at"):
        facts = {"until": reader.when(said["earliest_at"]), "why": why}
        entry.sentence = fill(_("The question of the hold-out is held until %(until)s: %(why)s"), facts)
    else:
        entry.sentence = fill(_("Not asked for the hold-out: %(why)s"), {"why": why})


def held_out_answer(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    entry.look, entry.score, entry.band = "customer", event.data["score"], str(event.data.get("outcome"))
    facts = reader.facts(event, outcome=outcome_word(event.data.get("outcome")))
    entry.sentence = fill(
        _("Asked for the hold-out, they gave %(score)s after %(before)s: %(outcome)s"), facts
    )


LOT_WORDING: Final[dict[str, Telling]] = {
    "held_out": held_out,
    "held_out_asked": held_out_asked,
    "held_out_answer": held_out_answer,
}
