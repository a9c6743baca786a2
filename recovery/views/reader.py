"""Every page in the reader's time zone and, unless they chose another just now, in their language."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from recovery.models import StaffProfile


class ReaderMiddleware:
    """Takes zone and language from the colleague's profile; the page's language switch goes before it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        profile = profile_of(request)
        if profile is None:
            return self.get_response(request)
        if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
            translation.activate(profile.locale)
            request.LANGUAGE_CODE = translation.get_language() or profile.locale
        with timezone.override(profile.zone):
            return self.get_response(request)


def profile_of(request: HttpRequest) -> StaffProfile | None:
    if not request.user.is_authenticated:
        return None
    return getattr(request.user, "staff", None)
