"""Whether messages to customers go out: seen by who is in charge, stopped and released by administrators."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final, cast

from django.contrib import messages as flash
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.decorators import login_required, permission_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from dispatch.clock import now
from surveys.messages import breaker, rules
from surveys.models import Message, SendingRules

Act = Callable[[User, str, datetime], bool]
# What to do, what is said then, and what the record of changes keeps.
ACTS: Final[dict[str, tuple[Act, str | Promise, str]]] = {
    "stop": (rules.stop, _("Stopped: from now on nothing goes out to customers."), "Stopped all sending."),
    "resume": (
        lambda by, _why, at: rules.resume(by, at),
        _("Messages to customers go out again."),
        "Let sending go on.",
    ),
    "release": (
        lambda by, _why, at: rules.release(by, at),
        _("Released: what was held goes out in turn."),
        "Released what was held.",
    ),
}
MOST_COUNTED = 10_000


@login_required
@permission_required("surveys.view_sendingrules", raise_exception=True)
@require_safe
def show_sending(request: HttpRequest) -> HttpResponse:
    kept, at = rules.current(), now()
    waiting = Message.objects.filter(state=Message.QUEUED, user=None).order_by()
    context = {
        "rules": kept,
        "rest": rules.rest_of(kept),
        "quiet": kept.quiet_from != kept.quiet_until,
        "due": breaker.at_most(waiting.filter(send_at__lte=at), MOST_COUNTED),
        "later": breaker.at_most(waiting.filter(send_at__gt=at), MOST_COUNTED),
        "most_counted": MOST_COUNTED,
        "may_act": request.user.has_perm("surveys.change_sendingrules"),
    }
    return render(request, "surveys/sending.html", context)


@require_POST
@login_required
@permission_required("surveys.change_sendingrules", raise_exception=True)
def act_on_sending(request: HttpRequest, act: str) -> HttpResponse:
    if act not in ACTS:
        raise Http404
    do, done, record = ACTS[act]
    user, why = cast(User, request.user), request.POST.get("why", "").replace("\0", "").strip()
    if not do(user, why, now()):
        flash.error(request, gettext("Nothing was changed: somebody was faster."))
    else:
        kept = SendingRules.objects.filter(pk=SendingRules.ONLY)
        LogEntry.objects.log_actions(user.pk, kept, CHANGE, f"{record} {why}".strip(), single_object=True)
        flash.success(request, str(done))
    return redirect("sending")
