"""What the cadence booked, and the end of its attempts, in the timeline's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from recovery.templatetags.moments import time_there
from recovery.views.words import channel_word, fill

if TYPE_CHECKING:
    from recovery.models import TicketEvent
    from recovery.views.timeline import Entry, Reader

Telling = Callable[["Reader", "TicketEvent", "Entry"], None]


def next_lines(reader: Reader, event: TicketEvent) -> list[str]:
    """What was promised along with a contact, as the cadence proposed."""
    booked = event.data.get("next")
    if not isinstance(booked, dict):
        return []
    facts = {"due": reader.when(booked.get("due_at")), "channel": channel_word(booked.get("channel"))}
    there = time_there(str(booked.get("local_time", "")), str(booked.get("time_zone", "")))
    said = fill(_("Next attempt booked for %(due)s · %(channel)s"), facts)
    return [said, there] if there else [said]


def unreachable(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    attempts = int(event.data.get("attempts") or 0)
    words = ngettext(
        "%(who)s gave up reaching the customer after %(attempts)d attempt",
        "%(who)s gave up reaching the customer after %(attempts)d attempts",
        attempts,
    )
    entry.sentence = fill(words, reader.facts(event, attempts=attempts))
    if event.data.get("told"):
        entry.lines.append(gettext("They were written to, with a link to choose a time themselves"))
    if event.data.get("callback_cancelled"):
        entry.lines.append(gettext("The booked callback was cancelled"))


REACHING_WORDING: Final[dict[str, Telling]] = {"unreachable": unreachable}
