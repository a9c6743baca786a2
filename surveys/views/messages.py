from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from django.contrib import messages as flash
from django.contrib.auth.decorators import login_required, permission_required
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from dispatch.clock import now
from surveys import messages
from surveys.access import visible_messages
from surveys.messages import kinds
from surveys.messages.doubt import BY_HAND, in_doubt
from surveys.messages.links import hide_tokens
from surveys.models import DeliveryAttempt, Message
from surveys.models.fields import CHANNELS
from surveys.models.message import NEEDY
from surveys.views.pages import Pages

PER_PAGE = 50
NEEDS_A_PERSON = "needs_a_person"
# What messages can go by; the other channels are for people.
CARRIED = ("email", "sms", "chat")

Act = Callable[[Message, User, datetime], Message]
ACTS: Final[dict[str, tuple[Act, str | Promise]]] = {
    "resend": (messages.resend, _("The message is queued to be sent again.")),
    "mark-sent": (messages.mark_sent, _("The message counts as sent.")),
    "drop": (messages.drop, _("The message is dropped: it will not be sent.")),
}

# A reason not listed here is what the mail server said, shown as it said it.
REASONS: Final[dict[str, str | Promise]] = {
    "not_after": _("it was too late to be of use"),
    "suppressed": _("the address must not be written to"),
    "colleague_left": _("the colleague's account is closed"),
    "invitation_answered": _("the survey was answered meanwhile"),
    "invitation_expired": _("the time to answer was over"),
    "invitation_cancelled": _("the invitation was cancelled"),
    "quiet_hours": _("it waits until the customer's quiet hours are over"),
    "rate": _("it waits for its turn"),
    "enough_for_a_day": _("this address has had enough messages for a day"),
    "sending_stopped": _("it waits: sending was stopped by a colleague"),
    "sending_held": _("it waits: sending is held until somebody has looked"),
    "no_consent": _("the customer has not agreed to be written to"),
    "ticket_gone": _("the ticket was removed"),
    "ticket_merged": _("the ticket became part of another"),
    "ticket_resolved": _("the ticket was resolved meanwhile"),
    "ticket_closed": _("the ticket was closed meanwhile"),
    "ticket_reopened": _("the ticket was reopened meanwhile"),
    "reached_meanwhile": _("the customer was reached meanwhile"),
    "callback_settled": _("the callback is done, moved or cancelled"),
    "resurvey_over": _("the question was settled meanwhile"),
    "sender_died": _("the sender stopped half way: it may have arrived or not"),
    "held_up": _("the sender was held up and did not begin"),
    "database_restored": _("the database was restored: nothing is sent before somebody has reconciled it"),
    "no_witness": _("it waits: what is sent cannot be remembered outside the database, see Dispatch"),
    "restored": _("it may have arrived in the time that was lost when the database was restored"),
    "waits_to_ask": _("it may have arrived: the provider will be asked"),
    "nobody_knows": _("the provider could not say whether it has it"),
    "window_over": _("it may have arrived, and the provider no longer knows a repetition"),
    "provider_changed": _("it may have arrived through a provider that is no longer used"),
    "no_provider_sms": _("nobody carries SMS: an administrator sets SMS_URL"),
    "no_provider_chat": _("nobody carries chat messages: an administrator sets CHAT_URL"),
    "too_many_attempts": _("too many attempts"),
    "marked_sent": _("marked as sent by a colleague"),
    "dropped": _("dropped by a colleague"),
    "taken_back": _("taken back by a colleague before it was sent"),
    "resent": _("sent again by a colleague"),
}
RESULTS: Final[dict[str, str | Promise]] = {
    "": _("under way"),
    "accepted": _("accepted by the provider"),
    "rejected": _("refused by the provider"),
    "retry": _("not possible, tried again later"),
    "uncertain": _("unknown whether it arrived"),
    "asking": _("the provider is being asked"),
    "found": _("asked: the provider has it"),
    "absent": _("asked: the provider never had it"),
    "unknown": _("asked: the provider could not say"),
    "resent": _("sent again by a colleague"),
    "marked_sent": _("marked as sent by a colleague"),
    "dropped": _("dropped by a colleague"),
}
TRIES = ("", "accepted", "rejected", "retry", "uncertain")
CLASSES: Final[dict[str, str | Promise]] = {
    "A": _("knows a repetition by its key"),
    "B": _("can be asked what became of a message"),
    "C": _("neither knows a repetition nor can be asked"),
}


@login_required
@require_safe
def list_messages(request: HttpRequest) -> HttpResponse:
    state, kind, channel, sought = (given(request, key) for key in ("state", "kind", "channel", "q"))
    seen = visible_messages(request.user)
    rows = chosen(seen, state, kind, channel, sought)
    page = Pages(rows, PER_PAGE).get_page(request.GET.get("page"))
    for message in page.object_list:
        show(message)
    context = {
        "page_obj": page,
        "state": state,
        "kind": kind,
        "channel": channel,
        "q": sought,
        "states": [(NEEDS_A_PERSON, _("needs a person")), *Message.STATES],
        "kinds": [(each, kinds.name_of(each)) for each in sorted(kinds.NAMES)],
        "channels": [(code, name) for code, name in CHANNELS if code in CARRIED],
        "needy": seen.filter(state__in=Message.NEEDS_A_PERSON).count(),
        "filtered": bool(state or kind or channel or sought),
        "needs_a_person": NEEDS_A_PERSON,
    }
    return render(request, "surveys/messages.html", context)


def given(request: HttpRequest, key: str) -> str:
    # PostgreSQL refuses text with a NUL.
    return request.GET.get(key, "").replace("\0", "").strip()


def chosen(seen: QuerySet[Message], state: str, kind: str, channel: str, sought: str) -> QuerySet[Message]:
    """What needs a person first, then the newest. An unknown filter value finds nothing."""
    rows = seen.defer("text", "html", "headers")
    if state == NEEDS_A_PERSON:
        rows = rows.filter(state__in=Message.NEEDS_A_PERSON)
    elif state:
        rows = rows.filter(state=state)
    if kind:
        rows = rows.filter(kind=kind)
    if channel:
        rows = rows.filter(channel=channel)
    if sought:
        rows = rows.filter(to_address__icontains=sought)
    # Within one state none comes before the others.
    return rows.order_by("-id") if state else rows.order_by(NEEDY.desc(), "-id")


def show(message: Message) -> Message:
    """With its kind, channel and reason in the reader's words."""
    message.kind_name = kinds.name_of(message.kind)  # type: ignore[attr-defined]
    message.by = dict(CHANNELS).get(message.channel, message.channel)  # type: ignore[attr-defined]
    message.why = REASONS.get(message.reason, message.reason)  # type: ignore[attr-defined]
    return message


@login_required
@require_safe
def show_message(request: HttpRequest, pk: int) -> HttpResponse:
    seen = visible_messages(request.user).select_related("customer", "user", "invitation")
    message = show(get_object_or_404(seen, pk=pk))
    attempts = tries(message)
    needs = message.state in Message.NEEDS_A_PERSON
    may_act = request.user.has_perm("surveys.change_message")
    context = {"message": message, "attempts": attempts, "needs": needs, "may_act": may_act}
    context["tried"] = attempts[-1].number if attempts else 0
    context["in_doubt"] = [each for each in attempts if each.in_doubt] if needs else []
    context["text"] = hide_tokens(message.text)
    return render(request, "surveys/message.html", context)


@dataclass(frozen=True, slots=True)
class Try:
    """One line of what was done to hand a message over, in the reader's words."""

    number: int
    row: DeliveryAttempt
    result: str | Promise
    detail: str | Promise
    ability: str | Promise
    in_doubt: bool


def tries(message: Message) -> list[Try]:
    """All that was done; only tries to send are numbered."""
    doubtful = set(in_doubt(message.deliveries.all()).values_list("pk", flat=True))
    lines, number = [], 0
    for row in message.deliveries.all():
        number += row.result in TRIES
        by_hand = row.provider == BY_HAND
        lines.append(
            Try(
                number,
                row,
                RESULTS.get(row.result, row.result),
                REASONS.get(row.detail, row.detail),
                "" if by_hand else CLASSES.get(row.provider_class, ""),
                row.pk in doubtful,
            )
        )
    return lines


@require_POST
@login_required
@permission_required("surveys.change_message", raise_exception=True)
def act_on_message(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    if act not in ACTS:
        raise Http404
    do, done = ACTS[act]
    message = get_object_or_404(visible_messages(request.user), pk=pk)
    try:
        do(message, cast(User, request.user), now())
    except messages.NotAllowed:
        flash.error(request, gettext("Nothing was changed: this message no longer needs a decision."))
    else:
        flash.success(request, str(done))
    return redirect("message", pk)
