"""The page behind a request's private link: a department answers without a seat here."""

from __future__ import annotations

from datetime import datetime

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from dispatch.clock import now
from recovery import lifecycle
from recovery.lifecycle import Refused
from recovery.models import Request
from surveys.messages import find_link
from surveys.messages.compose import brand
from surveys.models import PublicLink


class AnswerForm(forms.Form):
    who = forms.CharField(label=_("Your name"), max_length=200)
    answer = forms.CharField(
        label=_("What was done, or why not?"), max_length=5000, widget=forms.Textarea(attrs={"rows": 5})
    )
    done = forms.TypedChoiceField(
        label=_("Is it done?"),
        choices=[("yes", _("Yes, it is done")), ("no", _("No, it cannot be done"))],
        coerce=lambda value: value == "yes",
        empty_value=None,
        widget=forms.RadioSelect,
    )


# The token in the address is the authority; there is no session to protect.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def answer_request(request: HttpRequest, token: str) -> HttpResponse:
    """GET only shows: scanners follow every link in a mail. POST answers, once."""
    at = now()
    link = find_link(token, PublicLink.REQUEST, at)
    row = request_of(link)
    if row is None:
        return page(request, None, {}, status=404)
    if request.method != "POST" or row.state != Request.OPEN:
        return page(request, row, {"form": AnswerForm(initial={"who": row.owner_name})})
    with in_language_of(row):
        return take(request, row, at)


def request_of(link: PublicLink | None) -> Request | None:
    _room, _colon, number = link.about.partition("request:") if link else ("", "", "")
    rows = Request.objects.select_related("department__calendar", "ticket")
    return rows.filter(pk=number).first() if number.isdigit() else None


def take(request: HttpRequest, row: Request, at: datetime) -> HttpResponse:
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return page(request, row, {"form": form}, status=422)
    given = form.cleaned_data
    try:
        lifecycle.answer_request(row.pk, at=at, done=given["done"], answer=given["answer"], who=given["who"])
    except Refused as refused:
        form.add_error(None, str(refused))
        return page(request, row, {"form": form}, status=409)
    return redirect(request.path)


def in_language_of(row: Request | None) -> translation.override:
    return translation.override(row.department.locale if row else translation.get_language())


def page(
    request: HttpRequest, row: Request | None, context: dict[str, object], status: int = 200
) -> HttpResponse:
    zone = row.department.calendar.time_zone if row else None
    with in_language_of(row), timezone.override(zone):
        lang = translation.to_locale(translation.get_language() or "en").replace("_", "-")
        shown = {**context, "row": row, "brand": brand(), "lang": lang}
        response = render(request, "recovery/request.html", shown, status=status)
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response
