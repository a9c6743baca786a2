from __future__ import annotations

from collections.abc import Callable
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
from surveys.messages.links import hide_tokens
from surveys.models import Message
from surveys.models.message import NEEDY
from surveys.views.pages import Pages

PER_PAGE = 50
NEEDS_A_PERSON = "needs_a_person"

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
    "sender_died": _("the sender stopped half way: it may have arrived or not"),
    "too_many_attempts": _("too many attempts"),
    "marked_sent": _("marked as sent by a colleague"),
    "dropped": _("dropped by a colleague"),
    "resent": _("sent again by a colleague"),
}
RESULTS: Final[dict[str, str | Promise]] = {
    "": _("under way"),
    "accepted": _("accepted by the mail server"),
    "rejected": _("refused by the mail server"),
    "retry": _("not possible, tried again later"),
    "uncertain": _("unknown whether it arrived"),
    "resent": _("sent again by a colleague"),
    "marked_sent": _("marked as sent by a colleague"),
    "dropped": _("dropped by a colleague"),
}


@login_required
@require_safe
def list_messages(request: HttpRequest) -> HttpResponse:
    state, kind, sought = (given(request, key) for key in ("state", "kind", "q"))
    seen = visible_messages(request.user)
    page = Pages(chosen(seen, state, kind, sought), PER_PAGE).get_page(request.GET.get("page"))
    for message in page.object_list:
        show(message)
    context = {
        "page_obj": page,
        "state": state,
        "kind": kind,
        "q": sought,
        "states": [(NEEDS_A_PERSON, _("needs a person")), *Message.STATES],
        "kinds": [(each, kinds.name_of(each)) for each in sorted(kinds.NAMES)],
        "needy": seen.filter(state__in=Message.NEEDS_A_PERSON).count(),
        "filtered": bool(state or kind or sought),
        "needs_a_person": NEEDS_A_PERSON,
    }
    return render(request, "surveys/messages.html", context)


def given(request: HttpRequest, key: str) -> str:
    # PostgreSQL refuses text with a NUL.
    return request.GET.get(key, "").replace("\0", "").strip()


def chosen(seen: QuerySet[Message], state: str, kind: str, sought: str) -> QuerySet[Message]:
    """What needs a person first, then the newest. An unknown filter value finds nothing."""
    rows = seen.defer("text", "html", "headers")
    if state == NEEDS_A_PERSON:
        rows = rows.filter(state__in=Message.NEEDS_A_PERSON)
    elif state:
        rows = rows.filter(state=state)
    if kind:
        rows = rows.filter(kind=kind)
    if sought:
        rows = rows.filter(to_address__icontains=sought)
    # Within one state none comes before the others.
    return rows.order_by("-id") if state else rows.order_by(NEEDY.desc(), "-id")


def show(message: Message) -> Message:
    """With its kind and reason in the reader's words."""
    message.kind_name = kinds.name_of(message.kind)  # type: ignore[attr-defined]
    message.why = REASONS.get(message.reason, message.reason)  # type: ignore[attr-defined]
    return message


@login_required
@require_safe
def show_message(request: HttpRequest, pk: int) -> HttpResponse:
    seen = visible_messages(request.user).select_related("customer", "user", "invitation")
    message = show(get_object_or_404(seen, pk=pk))
    attempts = [
        (attempt, RESULTS.get(attempt.result, attempt.result), REASONS.get(attempt.detail, attempt.detail))
        for attempt in message.deliveries.all()
    ]
    needs = message.state in Message.NEEDS_A_PERSON
    may_act = request.user.has_perm("surveys.change_message")
    context = {"message": message, "attempts": attempts, "needs": needs, "may_act": may_act}
    context["text"] = hide_tokens(message.text)
    return render(request, "surveys/message.html", context)


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
