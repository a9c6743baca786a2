"""The survey page of one invitation. Only a pressed *Send* writes; there is no cookie and no script."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from dispatch import clock
from surveys.intake.page import contact_channels, draft_from_page, typed_before
from surveys.intake.record import record
from surveys.intake.signals import Promise, promise_for
from surveys.intake.text import InputErrors
from surveys.messages.links import find_link
from surveys.models import Customer, Invitation, PublicLink, Response
from surveys.models.fields import closest_language
from surveys.views.survey_form import asked, form_context, language_context, rendered, wished_language

LARGEST_BODY = 64 * 1024
# How long a page may lie open before it must be shown again; what was typed is kept.
PAGE_AGE = timedelta(days=1)
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}

# Channels by which people are written to.
WRITTEN = ("email", "sms", "chat")

View = Callable[[HttpRequest, str], HttpResponse]


def private(view: View) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, token: str) -> HttpResponse:
        response = view(request, token)
        for name, value in HEADERS.items():
            response[name] = value
        return response

    return guarded


@csrf_exempt  # the token and the page's signed nonce authorise, not a cookie
@private
@require_http_methods(["GET", "HEAD", "POST"])
def survey_page(request: HttpRequest, token: str) -> HttpResponse:
    at = clock.now()
    link = _live_link(token, at)
    if not link or not link.invitation:
        return _gone(request)
    page = Page(request, link, link.invitation)
    with translation.override(page.language):
        return page.send(token, at) if request.method == "POST" else page.show(page.first_typed())


@private
@require_safe
def survey_thanks(request: HttpRequest, token: str) -> HttpResponse:
    at = clock.now()
    link = _live_link(token, at)
    if not link or not link.invitation:
        return _gone(request)
    response = Response.objects.filter(invitation=link.invitation).first()
    if response is None:
        return HttpResponseRedirect(_address(request, "survey-page", token))
    page = Page(request, link, link.invitation)
    with translation.override(page.language):
        promise = _promised(response, at)
        context = {
            **page.frame(),
            "response": response,
            "promise": _promise(promise, response, link.invitation.customer, at),
            "promise_url": promise.url if promise else "",
            "page_url": _address(request, "survey-page", token),
        }
        return rendered(request, "thanks", context, page.language)


class Page:
    """The page of one invitation, in the customer's language or the one they switched to."""

    def __init__(self, request: HttpRequest, link: PublicLink, invitation: Invitation) -> None:
        self.request = request
        self.link = link
        self.invitation = invitation
        self.language = wished_language(request) or invitation.customer.locale

    def first_typed(self) -> dict[str, str]:
        """The earlier answer if there is one; a score in the link only preselects."""
        earlier = self._earlier()
        typed = typed_before(earlier) if earlier else {}
        wished = self.request.GET.get("score", "")
        return {**typed, "score": wished} if wished else typed

    def send(self, token: str, at: datetime) -> HttpResponse:
        # Asked before anything reads the body.
        if int(self.request.META.get("CONTENT_LENGTH") or 0) > LARGEST_BODY:
            return self.show({}, {"": _("That was too long. Please shorten your text.")}, 413)
        typed = self.request.POST.dict()
        if not _is_nonce_of(self.link, typed.get("nonce", "")):
            return self.show(
                typed, {"": _("This page was open for a long time. Please press Send again.")}, 422
            )
        questions = asked(self.invitation.survey)
        try:
            draft = draft_from_page(self.invitation, questions, typed, language=self.language, at=at)
        except InputErrors as refused:
            return self.show(typed, dict(refused.errors), 422)
        record(draft, at=at, replace=True)
        return HttpResponseRedirect(_address(self.request, "survey-thanks", token))

    def show(
        self, typed: Mapping[str, str], errors: Mapping[str, str] | None = None, status: int = 200
    ) -> HttpResponse:
        survey, customer = self.invitation.survey, self.invitation.customer
        context = {
            **self.frame(),
            **form_context(
                survey,
                asked(survey),
                contact_channels(customer),
                language=self.language,
                typed=typed,
                errors=errors or {},
            ),
            "problem": (errors or {}).get(""),
            "nonce": _signer().sign(str(self.link.pk)),
            "earlier": self._earlier(),
        }
        return rendered(self.request, "page", context, self.language, status)

    def frame(self) -> dict[str, Any]:
        until = timezone.localtime(self.link.expires_at, self.invitation.customer.zone)
        return {
            **language_context(self.request, self.language),
            "title": self.invitation.survey.title(self.language),
            "until": date_format(until, "DATE_FORMAT"),
        }

    def _earlier(self) -> Response | None:
        return Response.objects.filter(invitation=self.invitation).select_related("survey").first()


def _signer() -> signing.TimestampSigner:
    return signing.TimestampSigner(salt="surveys.survey_page")


def _is_nonce_of(link: PublicLink, nonce: str) -> bool:
    try:
        return _signer().unsign(nonce, max_age=PAGE_AGE) == str(link.pk)
    except signing.BadSignature:
        return False


def _live_link(token: str, at: datetime) -> PublicLink | None:
    link = find_link(token, PublicLink.SURVEY, at)
    invitation = link.invitation if link else None
    over = invitation is None or (invitation.expires_at is not None and at >= invitation.expires_at)
    return None if over else link


def _gone(request: HttpRequest) -> HttpResponse:
    """The same for a link nobody made, one that is over and one that was taken back."""
    language = wished_language(request) or closest_language(translation.get_language())
    with translation.override(language):
        return rendered(request, "gone", language_context(request, language), language, 404)


def _address(request: HttpRequest, name: str, token: str) -> str:
    wished = wished_language(request)
    return reverse(name, args=[token]) + (f"?lang={wished}" if wished else "")


def _promised(response: Response, at: datetime) -> Promise | None:
    return promise_for(response.pk, at) if response.is_low or response.contact_me else None


def _promise(promise: Promise | None, response: Response, customer: Customer, at: datetime) -> str:
    """Who will be in touch, in one sentence; '' where nobody has to."""
    if not (response.is_low or response.contact_me):
        return ""
    if promise is None or promise.by < at:
        return _("Somebody will contact you.")
    return promise.text or _in_words(promise, response, customer, at)


def _in_words(promise: Promise, response: Response, customer: Customer, at: datetime) -> str:
    usual = customer.preferred_channel or ("phone" if customer.phone else "email")
    channel = promise.channel or response.contact_channel or usual
    words = {"name": promise.name, "moment": _moment(promise.by, customer, at)}
    if channel == "phone":
        return _("%(name)s will call you by %(moment)s.") % words
    if channel in WRITTEN:
        return _("%(name)s will write to you by %(moment)s.") % words
    return _("%(name)s will get in touch with you by %(moment)s.") % words


def _moment(by: datetime, customer: Customer, at: datetime) -> str:
    """In the customer's zone, and naming ours where theirs is not known."""
    local, today = timezone.localtime(by, customer.zone), timezone.localtime(at, customer.zone)
    clock = date_format(local, "H:i" if customer.time_zone else "H:i (T)")
    if local.date() == today.date():
        return _("today %(time)s") % {"time": clock}
    return _("%(day)s, %(time)s") % {"day": date_format(local, "MONTH_DAY_FORMAT"), "time": clock}
