"""Requests and goodwill in the timeline's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from recovery.views.words import Words, fill

if TYPE_CHECKING:
    from recovery.models import TicketEvent
    from recovery.views.timeline import Entry, Reader

Telling = Callable[["Reader", "TicketEvent", "Entry"], None]


def request_sent(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    facts = reader.facts(event, due=reader.when(event.data.get("due_at")))
    entry.sentence = fill(_("%(who)s asked %(department)s, due %(due)s"), facts)
    if event.data.get("holds"):
        entry.lines.append(gettext("The ticket is not resolved before the answer"))


def request_answered(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    words = _("%(department)s did it: %(title)s") if event.data.get("done") else DECLINED
    entry.sentence = fill(words, event.data)
    if event.data.get("who"):
        entry.lines.append(str(event.data["who"]))
    if event.data.get("late"):
        entry.lines.append(pgettext("a request's answer", "late"))


DECLINED = _("%(department)s declined: %(title)s")


def request_late(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    facts = {**event.data, "due": reader.when(event.data.get("due_at"))}
    words = _("%(department)s has not answered “%(title)s”, due %(due)s: %(to)s is told (level %(level)s)")
    entry.sentence = fill(words, facts)


def goodwill_proposed(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    entry.sentence = fill(_("%(who)s proposed %(kind)s, %(cost)s"), reader.facts(event))
    why = event.data.get("why") or []
    if "limit" in why:
        entry.lines.append(gettext("Above what they may give alone"))
    if "budget" in why:
        entry.lines.append(gettext("Above what is left of the team’s budget this month"))


def plain(words: Words) -> Telling:
    def tell(reader: Reader, event: TicketEvent, entry: Entry) -> None:
        entry.sentence = fill(words, reader.facts(event))

    return tell


def goodwill_given(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    words = _("%(who)s approved %(kind)s, %(cost)s") if event.data.get("proposed_by") else GAVE
    entry.sentence = fill(words, reader.facts(event))


GAVE = _("%(who)s gave %(kind)s, %(cost)s")

GIVEN_WORDING: Final[dict[str, Telling]] = {
    "request_sent": request_sent,
    "request_answered": request_answered,
    "request_late": request_late,
    "request_cancelled": plain(_("%(who)s cancelled the request “%(title)s”")),
    "goodwill_proposed": goodwill_proposed,
    "goodwill_given": goodwill_given,
    "goodwill_refused": plain(_("%(who)s did not approve %(kind)s, %(cost)s")),
    "goodwill_withdrawn": plain(_("%(who)s withdrew the proposal of %(kind)s, %(cost)s")),
}
