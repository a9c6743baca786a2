"""The acts of the ticket page: each takes what its form says to the one function that does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from dispatch.clock import now
from recovery import access, forms, lifecycle
from recovery.lifecycle import Refused
from recovery.models import Callback, Ticket
from recovery.templatetags.moments import moment
from recovery.views import after, door, given, reaching, replies
from recovery.views.board_acts import due_of
from recovery.views.drafts import to_draft
from recovery.views.ticket import show_again
from recovery.views.words import Words

Values = dict[str, Any]
Do = Callable[[Ticket, User, datetime, Values], Ticket]
# A message with something to press in it.
RICH: Final = "rich"


@dataclass(frozen=True)
class Act:
    """`done` is what the page says afterwards."""

    do: Do
    done: Words


def contact(ticket: Ticket, by: User, at: datetime, values: Values) -> Ticket:
    return lifecycle.log_contact(
        ticket, by=by, at=at, outcome=values["outcome"], channel=values["channel"], note=values["note"]
    )


def callback(ticket: Ticket, by: User, at: datetime, values: Values) -> Ticket:
    """Book a callback, or move the one that is booked."""
    slot = {"local_time": values["local_time"], "time_zone": values["time_zone"]}
    if Callback.objects.filter(ticket=ticket, state=Callback.BOOKED).exists():
        return lifecycle.move_callback(ticket, by=by, at=at, **slot, reason=values["note"])
    return lifecycle.book_callback(
        ticket, by=by, at=at, **slot, channel=values["channel"], note=values["note"]
    )


def cancel_callback(ticket: Ticket, by: User, at: datetime, values: Values) -> Ticket:
    return lifecycle.cancel_callback(ticket, by=by, at=at, reason=values["reason"])


def note(ticket: Ticket, by: User, at: datetime, values: Values) -> Ticket:
    return lifecycle.note(ticket, by=by, at=at, text=values["text"])


def wait(ticket: Ticket, by: User, at: datetime, values: Values) -> Ticket:
    return lifecycle.start_waiting(ticket, by=by, at=at, reason=values["reason"], until=values["until"])


def resume(ticket: Ticket, by: User, at: datetime, values: Values) -> Ticket:
    return lifecycle.resume(ticket, by=by, at=at, note=values["note"])


def priority(ticket: Ticket, by: User, at: datetime, values: Values) -> Ticket:
    return lifecycle.change_priority(
        ticket, by=by, at=at, priority=values["priority"], reason=values["reason"]
    )


def policy(ticket: Ticket, by: User, at: datetime, values: Values) -> Ticket:
    return lifecycle.change_policy(ticket, by=by, at=at, policy=values["policy"], reason=values["reason"])


def assign(ticket: Ticket, by: User, at: datetime, values: Values) -> Ticket:
    return lifecycle.assign(ticket, by=by, at=at, to=values["owner"], reason=values["reason"])


def escalate(ticket: Ticket, by: User, at: datetime, values: Values) -> Ticket:
    return lifecycle.escalate(ticket, by=by, at=at, reason=values["reason"])


def extend(ticket: Ticket, by: User, at: datetime, values: Values) -> Ticket:
    return lifecycle.extend(
        ticket, by=by, at=at, minutes=values["minutes"], reason=values["reason"], kind=values["kind"]
    )


def resolve(ticket: Ticket, by: User, at: datetime, values: Values) -> Ticket:
    return lifecycle.resolve(
        ticket,
        by=by,
        at=at,
        cause_found=values["cause_found"],
        cause_said=values["cause_said"],
        what_was_done=values["what_was_done"],
    )


def reopen(ticket: Ticket, by: User, at: datetime, values: Values) -> Ticket:
    return lifecycle.reopen(ticket, by=by, at=at, reason=values["reason"])


def merge(ticket: Ticket, by: User, at: datetime, values: Values) -> Ticket:
    try:
        into = access.ticket_for(by, values["into"].strip(), "merge")
    except Ticket.DoesNotExist:
        raise Refused("no_such_ticket", _("There is no such ticket among yours."), field="into") from None
    return lifecycle.merge(ticket, by=by, at=at, into=into, reason=values["reason"])


ACTS: Final[dict[str, Act]] = {
    "contact": Act(contact, _("The contact is logged.")),
    "callback": Act(callback, _("The callback is booked.")),
    "next-attempt": Act(reaching.book_next, _("The next attempt is booked.")),
    "unreachable": Act(reaching.give_up, _("Given up. They can still choose a time themselves.")),
    "cancel-callback": Act(cancel_callback, _("The callback is cancelled.")),
    "note": Act(note, _("The note is kept.")),
    "wait": Act(wait, _("The clock stands until the customer has done it.")),
    "resume": Act(resume, _("The clock runs again.")),
    "priority": Act(priority, _("The priority is changed, and the deadlines with it.")),
    "policy": Act(policy, _("It is under the other policy, and the deadlines with it.")),
    "assign": Act(assign, _("The ticket is handed over.")),
    "escalate": Act(escalate, _("Your supervisor is told.")),
    "extend": Act(extend, _("The deadline is extended: it falls due %(due)s.")),
    "resolve": Act(resolve, _("The ticket is resolved.")),
    "reopen": Act(reopen, _("The ticket is open again.")),
    "merge": Act(merge, _("The tickets are one now.")),
    "reply": Act(replies.reply, _("The reply is written.")),
    "take-back": Act(replies.take_back, _("The reply is taken back: the customer never gets it.")),
    "cause": Act(replies.name_cause, _("The cause is noted.")),
    "request": Act(given.request, _("The department is asked.")),
    "cancel-request": Act(given.cancel_request, _("The request is cancelled.")),
    "goodwill": Act(given.goodwill, _("The goodwill is noted.")),
    "approve-goodwill": Act(given.approve, _("The goodwill is approved.")),
    "refuse-goodwill": Act(given.refuse, _("The goodwill is not approved.")),
    "withdraw-goodwill": Act(given.withdraw, _("The proposal is withdrawn.")),
}


@door.staff_page()
def act_on_ticket(request: HttpRequest, number: str, act: str) -> HttpResponse:
    """Do it and go back to the ticket; or show the ticket again with why not, and everything typed."""
    if act not in ACTS:
        raise Http404
    if request.method != "POST":
        return redirect("ticket", number)
    user, at = door.staff(request), now()
    ticket = door.ticket_or_404(request, number, forms.in_table(act))
    form = forms.ACT_FORMS[act](act, ticket, request.POST)
    if not form.is_valid():
        return show_again(request, number, form, at, status=422)
    ticket.version = form.cleaned_data["version"]
    try:
        done = ACTS[act].do(ticket, user, at, form.cleaned_data)
    except Refused as refused:
        form.add_error(refused.field if refused.field in form.fields else None, str(refused))
        return show_again(request, number, form, at, status=409)
    if act == "reply":
        messages.success(request, replies.undo(request, done, at), extra_tags=RICH)
    else:
        messages.success(request, after.told(user, act, done, words_of(act, done, form.cleaned_data, at)))
    if act == "callback":
        reaching.warn_of_time(request, done, at)
    if act == "take-back":
        return to_draft(done, form.cleaned_data["reply"])
    return after.leave(request, act, done, at)


def words_of(act: str, ticket: Ticket, values: Values, at: datetime) -> str:
    """What was done, and until when where a deadline moved."""
    if act != "extend":
        return str(ACTS[act].done)
    due = due_of(ticket, values["kind"])
    words = ACTS[act].done if due else _("The deadline is extended; its clock stands for now.")
    return str(words) % {"due": moment(due, at)}
