"""The weekly mail as it would go out now, before it does."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery import weekly
from recovery.models import Calendar
from recovery.views import door
from surveys.messages.compose import brand, render_html

# The mail brings its own styles, as mails must; nothing else may run or load in its frame.
MAIL_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)


@door.staff_page(door.SUPERVISOR, door.ADMINISTRATOR)
@require_safe
def preview(request: HttpRequest) -> HttpResponse:
    """The page around the mail: when it goes out, or why it does not."""
    at, calendar = now(), calendar_for(request)
    context = {
        "opens": weekly.opening(calendar.as_working_calendar(), at) if calendar else None,
        "gets_it": weekly.leads(door.staff(request)),
        "calendar": calendar,
        "now": at,
    }
    return render(request, "recovery/weekly.html", context)


@door.staff_page(door.SUPERVISOR, door.ADMINISTRATOR)
@xframe_options_sameorigin
@require_safe
def body(request: HttpRequest) -> HttpResponse:
    """The mail itself, in the reader's language and time."""
    at, calendar = now(), calendar_for(request)
    if calendar is None:
        raise Http404
    response = HttpResponse(in_new_tabs(render_html(weekly.KIND, context_of(request, calendar, at))))
    response["Content-Security-Policy"] = MAIL_POLICY
    response["Cache-Control"] = "no-store"
    return response


def context_of(request: HttpRequest, calendar: Calendar, at: datetime) -> dict[str, Any]:
    found = weekly.words(weekly.weekly(door.staff(request), calendar, at), at)
    return {**found, "brand": brand(), "subject": str(_("Weekly mail"))}


def calendar_for(request: HttpRequest) -> Calendar | None:
    """An administrator who leads no team reads it by the first calendar there is."""
    return weekly.calendar_of(door.staff(request)) or Calendar.objects.order_by("pk").first()


def in_new_tabs(html: str) -> str:
    """Links leave the frame."""
    return html.replace("<head>", '<head><base target="_blank">', 1)
