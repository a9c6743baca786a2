"""The reports somebody gets by mail: begin one with the filters of a page, see them, stop them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from dispatch.clock import now
from recovery.lifecycle import Refused
from recovery.models import ReportMail
from recovery.reports import Narrowed, narrowed, start_report, stop_report
from recovery.views import door
from recovery.views.insight_slice import segment_words


@dataclass(frozen=True)
class Row:
    mail: ReportMail
    which: Narrowed

    @property
    def filters(self) -> list[str]:
        which = self.which
        return [
            str(which.team) if which.team else _("all teams"),
            str(which.survey) if which.survey else _("all surveys"),
            which.touchpoint or _("all touchpoints"),
            *([segment_words(which.segment)] if which.segment else []),
        ]


@door.staff_page()
@require_http_methods(["GET", "HEAD", "POST"])
def report_mails(request: HttpRequest) -> HttpResponse:
    """POST begins one; a refusal stands above the list."""
    user, at = door.staff(request), now()
    refused = begin(request, user, at) if request.method == "POST" else ""
    if request.method == "POST" and not refused:
        return redirect("insight-mails")
    rows = [Row(mail, narrowed(user, mail.query)) for mail in ReportMail.objects.filter(user=user)]
    context = {"rows": rows, "refused": refused, "now": at}
    return render(request, "recovery/insight_mails.html", context, status=422 if refused else 200)


def begin(request: HttpRequest, user: User, at: datetime) -> str:
    """Why not, or nothing."""
    try:
        start_report(user, rhythm=request.POST.get("rhythm", ""), query=request.POST.get("query", ""), at=at)
    except Refused as refused:
        return str(refused)
    messages.success(request, _("The report will come to %(address)s.") % {"address": user.email})
    return ""


@door.staff_page()
@require_POST
def stop_mail(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody else's report does not exist."""
    if not stop_report(door.staff(request), pk):
        raise Http404
    messages.success(request, _("This report does not come any more."))
    return redirect("insight-mails")
