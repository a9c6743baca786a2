"""One timeline: what the customer said, what colleagues did, what the product decided. Newest first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from recovery.lifecycle.contact import ZONE_RULES
from recovery.models import Cause, Reply, Ticket, TicketEvent
from recovery.templatetags.moments import moment, time_there
from recovery.views.timeline_given import GIVEN_WORDING
from recovery.views.timeline_ladder import changed_lines, ladder_lines
from recovery.views.timeline_loop import LOOP_WORDING
from recovery.views.timeline_lot import EARLY, LOT_WORDING
from recovery.views.timeline_reaching import REACHING_WORDING, next_lines
from recovery.views.timeline_replies import REPLY_WORDING, Shown, shown
from recovery.views.words import (
    Words,
    band_word,
    because_words,
    channel_word,
    fill,
    kind_word,
    severity_words,
    someone,
)

CUSTOMER, CALL, NOTE, SYSTEM = "customer", "call", "note", "system"


@dataclass
class Entry:
    """`look` is the class of its row; `text` is what a person wrote; `lines` say what else changed."""

    at: datetime
    sentence: str
    look: str = SYSTEM
    text: str = ""
    lines: list[str] = field(default_factory=list)
    score: int | None = None
    band: str = ""
    version: int = 0
    kind: str = ""
    reply: Shown | None = None


def entries_of(ticket: Ticket, now: datetime, since: int = 0) -> list[Entry]:
    """Every event after version `since`, newest first."""
    reader = Reader(ticket, now)
    events = ticket.events.filter(version__gt=since).select_related("by").order_by("-id")
    return [reader.read(event) for event in events]


class Reader:
    """Puts the events of one ticket into words."""

    def __init__(self, ticket: Ticket, now: datetime) -> None:
        self.ticket = ticket
        self.now = now
        self._causes: dict[str, str] | None = None
        self._replies: dict[int, Reply] | None = None

    def read(self, event: TicketEvent) -> Entry:
        entry = Entry(event.at, "", text=event.text, version=event.version, kind=event.kind)
        word = WORDING.get(event.kind)
        if word is None:
            entry.sentence = event.get_kind_display()
        else:
            word(self, event, entry)
        entry.lines += self.moved(event.data.get("deadlines"))
        return entry

    def when(self, value: object) -> str:
        at = parse_datetime(str(value)) if value else None
        return moment(at, self.now) if at else "–"

    def facts(self, event: TicketEvent, **more: object) -> dict[str, Any]:
        return {**event.data, "who": who_of(event), **more}

    def cause(self, code: object) -> str:
        if self._causes is None:
            self._causes = {cause.code: str(cause) for cause in Cause.objects.all()}
        return self._causes.get(str(code), str(code))

    def reply(self, pk: object) -> Shown | None:
        if self._replies is None:
            self._replies = {row.pk: row for row in self.ticket.replies.all()}
        row = self._replies.get(pk) if isinstance(pk, int) else None
        return shown(row, self.now) if row else None

    def moved(self, deadlines: object) -> list[str]:
        """First contact due today 15:02; Resolution: today 17:00 → tomorrow 10:00."""
        if not isinstance(deadlines, list):
            return []
        return [self.moved_line(each) for each in deadlines if isinstance(each, dict)]

    def moved_line(self, each: dict[str, Any]) -> str:
        name = CAPITAL_KINDS.get(str(each.get("kind")), each.get("kind"))
        facts = {"kind": name, "to": self.when(each.get("to")), "before": self.when(each.get("from"))}
        if each.get("to") is None:
            return fill(_("%(kind)s: the clock stands, it was due %(before)s"), facts)
        if each.get("from") is None:
            return fill(_("%(kind)s due %(to)s"), facts)
        return fill(_("%(kind)s: %(before)s → %(to)s"), facts)


CAPITAL_KINDS: Final[dict[str, Words]] = {"first_contact": _("First contact"), "resolution": _("Resolution")}


def who_of(event: TicketEvent) -> str:
    return someone(event.by_name)


def is_system(event: TicketEvent) -> bool:
    return event.by_id is None and not event.by_name


def scored(event: TicketEvent, entry: Entry) -> None:
    entry.score, entry.band = event.data.get("score"), str(event.data.get("band") or "")


def opened(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    rule = event.data.get("rule")
    words = _("Opened by the rule “%(rule)s”: %(team)s, owner %(owner)s") if rule else OPENED
    entry.sentence, entry.text = fill(words, reader.facts(event)), ""
    reason = event.data.get("because")
    if isinstance(reason, dict) and because_words(reason):
        entry.lines.append(fill(_("%(owner)s %(because)s"), {**event.data, "because": because_words(reason)}))
    entry.lines += severity_words(event.data.get("reasons") or [])


OPENED = _("Opened because the score is low: %(team)s, owner %(owner)s")


def absorbed(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    entry.look = CUSTOMER
    scored(event, entry)
    facts = reader.facts(event, band=band_word(event.data.get("band")))
    entry.sentence = fill(_("Another low score joined: %(score)s, %(band)s"), facts)
    if event.data.get("from") != event.data.get("to"):
        entry.lines.append(fill(_("Priority P%(from)s became P%(to)s"), event.data))


def updated(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    entry.look = CUSTOMER
    scored(event, entry)
    before = event.data.get("before")
    earlier = before.get("score") if isinstance(before, dict) else None
    words = (
        _("The customer changed the answer from %(earlier)s to %(score)s")
        if earlier != event.data.get("score")
        else _("The customer changed the answer; the score is still %(score)s")
    )
    entry.sentence = fill(words, reader.facts(event, earlier=earlier))


def assigned(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    reason = event.data.get("because")
    same_team = event.data.get("team_from") == event.data.get("team_to")
    if is_system(event):
        words = _("It went from %(from)s to %(to)s")
    elif same_team:
        words = _("%(who)s handed it from %(from)s to %(to)s")
    else:
        words = _("%(who)s handed it from %(from)s (%(team_from)s) to %(to)s (%(team_to)s)")
    entry.sentence = fill(words, reader.facts(event))
    if isinstance(reason, dict) and because_words(reason):
        facts = {"owner": event.data.get("to"), "because": because_words(reason)}
        entry.lines.append(fill(_("%(owner)s %(because)s"), facts))


CONTACTS: Final[dict[str, Words]] = {
    "reached": _("%(who)s spoke with the customer · %(channel)s"),
    "replied": _("The customer replied to %(who)s · %(channel)s"),
    "no_answer": _("%(who)s tried · no answer · %(channel)s"),
    "voicemail": _("%(who)s left a voicemail · %(channel)s"),
    "wrong_number": _("%(who)s tried · wrong number · %(channel)s"),
    "refused": _("%(who)s tried · the customer does not want to talk · %(channel)s"),
}


def contacted(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    entry.look = CALL
    words = CONTACTS.get(str(event.data.get("outcome")), "%(who)s · %(outcome)s")
    if is_system(event) and event.data.get("outcome") == "replied":
        entry.look, words = CUSTOMER, _("The customer replied · %(channel)s")
    entry.sentence = fill(words, reader.facts(event, channel=channel_word(event.data.get("channel"))))
    if event.data.get("first_contact_met"):
        late = event.data.get("late")
        entry.lines.append(
            gettext("First contact made, late") if late else gettext("First contact made in time")
        )
    if event.data.get("callback"):
        entry.lines.append(gettext("The callback is done"))
    entry.lines += next_lines(reader, event)


def callback(words: Words, unsigned: Words) -> Callable[[Reader, TicketEvent, Entry], None]:
    """`unsigned` is said where the customer or the product did it."""

    def tell(reader: Reader, event: TicketEvent, entry: Entry) -> None:
        entry.look = SYSTEM if is_system(event) else CALL
        facts = reader.facts(
            event, due=reader.when(event.data.get("due_at")), before=reader.when(event.data.get("from"))
        )
        entry.sentence = fill(unsigned if is_system(event) else words, facts)
        there = time_there(str(event.data.get("local_time", "")), str(event.data.get("time_zone", "")))
        entry.lines += [there] if there else []

    return tell


def callback_due(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    missed = event.data.get("missed")
    words = _("The callback was missed: it was due %(due)s") if missed else _("The callback is due: %(due)s")
    callback(words, words)(reader, event, entry)


def callback_moved(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    unsigned = (
        _("The rules of the time zone changed: the callback moved from %(before)s to %(due)s")
        if event.data.get("reason") == ZONE_RULES
        else _("The customer moved the callback from %(before)s to %(due)s")
    )
    callback(_("%(who)s moved the callback from %(before)s to %(due)s"), unsigned)(reader, event, entry)


def waiting(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    until = event.data.get("until")
    words = (
        _("%(who)s stopped the clock until %(until)s: the customer must do something first")
        if until
        else _("%(who)s stopped the clock: the customer must do something first")
    )
    entry.sentence = fill(words, reader.facts(event, until=reader.when(until)))


def resumed(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    early = EARLY.get(str(event.data.get("lot")))
    if early:
        entry.sentence = str(early)
        return
    words = (
        _("The wait was over; the clock runs again")
        if is_system(event)
        else _("%(who)s let the clock run again")
    )
    entry.sentence = fill(words, reader.facts(event))


def noted(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    """A note of nobody is a word the customer left on their own page."""
    if is_system(event):
        entry.look, entry.sentence = CUSTOMER, gettext("The customer added a word")
    else:
        entry.look, entry.sentence = NOTE, who_of(event)


def priority_changed(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    entry.sentence = fill(_("%(who)s changed the priority from P%(from)s to P%(to)s"), reader.facts(event))


def extended(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    facts = reader.facts(event, kind=kind_word(event.data.get("deadline")))
    entry.sentence = fill(_("%(who)s allowed %(minutes)s more working minutes for the %(kind)s"), facts)


def nudged(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    entry.sentence = fill(_("%(who)s nudged %(to)s"), reader.facts(event))
    entry.look = NOTE


def escalated(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    if not event.data.get("deadline"):
        entry.sentence = fill(_("%(who)s asked %(to)s for help"), reader.facts(event))
        return
    facts = reader.facts(
        event, kind=kind_word(event.data["deadline"]), due=reader.when(event.data.get("due_at"))
    )
    words = (
        _("Late: %(kind)s was due %(due)s. Level %(level)s, %(to)s was told")
        if event.data.get("late")
        else _("Soon due: %(kind)s, %(due)s. %(to)s was told")
    )
    entry.sentence = fill(words, facts)
    entry.lines += ladder_lines(event.data)
    entry.lines += [passed_over(reader, each) for each in event.data.get("passed_over", [])]


def breached(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    kind = kind_word(event.data.get("deadline"))
    facts = reader.facts(event, kind=kind, due=reader.when(event.data.get("due_at")))
    entry.sentence = fill(_("Late: %(kind)s was due %(due)s"), facts)
    entry.lines += [passed_over(reader, each) for each in event.data.get("passed_over", [])]


def passed_over(reader: Reader, each: dict[str, Any]) -> str:
    """What fell due at the same time and was told to nobody by itself."""
    levels = ", ".join(str(level) for level in each.get("levels", []))
    facts = {"kind": CAPITAL_KINDS.get(str(each.get("deadline"))), "due": reader.when(each.get("due_at"))}
    if not levels:
        return fill(_("%(kind)s was late too, due %(due)s"), facts)
    return fill(_("%(kind)s, due %(due)s: passed over level %(levels)s"), {**facts, "levels": levels})


def resolved(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    entry.look = CALL
    entry.sentence = fill(_("%(who)s resolved it"), reader.facts(event))
    found, told = event.data.get("cause_found"), event.data.get("cause_said")
    if told:
        entry.lines.append(fill(_("Cause the customer named: %(cause)s"), {"cause": reader.cause(told)}))
    if found:
        entry.lines.append(fill(_("Cause found: %(cause)s"), {"cause": reader.cause(found)}))
    if event.data.get("late"):
        entry.lines.append(gettext("The resolution was late"))
    if event.data.get("callback_cancelled"):
        entry.lines.append(gettext("The booked callback was cancelled"))


def reopened(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    words = (
        _("Reopened, because the answer was low again: cycle %(cycle)s, owner %(owner)s")
        if is_system(event)
        else _("%(who)s reopened it: cycle %(cycle)s, owner %(owner)s")
    )
    entry.sentence = fill(words, reader.facts(event, cycle=event.cycle))


def merged(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    words = (
        _("%(who)s merged it into %(into)s")
        if event.data.get("into")
        else _("%(who)s merged %(from)s into this ticket")
    )
    entry.sentence = fill(words, reader.facts(event))


def recomputed(reader: Reader, event: TicketEvent, entry: Entry) -> None:
    words = (
        _("%(who)s put it under the policy “%(policy)s” instead of “%(policy_from)s”")
        if event.data.get("policy_from")
        else _("Deadlines reckoned anew: policy “%(policy)s” v%(policy_version)s, calendar “%(calendar)s”")
    )
    entry.sentence = fill(words, reader.facts(event))
    entry.lines += changed_lines(event.data)


WORDING: Final[dict[str, Callable[[Reader, TicketEvent, Entry], None]]] = {
    "opened": opened,
    "absorbed": absorbed,
    "updated": updated,
    "assigned": assigned,
    "contacted": contacted,
    "callback_booked": callback(
        _("%(who)s booked a callback for %(due)s"), _("The customer booked a callback for %(due)s")
    ),
    "callback_moved": callback_moved,
    "callback_cancelled": callback(
        _("%(who)s cancelled the callback of %(due)s"), _("The customer cancelled the callback of %(due)s")
    ),
    "callback_due": callback_due,
    "waiting": waiting,
    "resumed": resumed,
    "noted": noted,
    "priority_changed": priority_changed,
    "extended": extended,
    "nudged": nudged,
    "escalated": escalated,
    "breached": breached,
    "resolved": resolved,
    "reopened": reopened,
    "merged": merged,
    "recomputed": recomputed,
    **LOOP_WORDING,
    **LOT_WORDING,
    **REACHING_WORDING,
    **REPLY_WORDING,
    **GIVEN_WORDING,
}
