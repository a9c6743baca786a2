"""The answer where the database is away, for people and for machines, without needing the database."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.defaults import server_error

from recovery.api.problems import CONTENT_TYPE, body_of

RETRY_SECONDS = "15"


def unexpected(request: HttpRequest) -> HttpResponse:
    """The page for an error nobody caught."""
    is_away = isinstance(sys.exc_info()[1], OperationalError | InterfaceError)
    return away(request) if is_away else server_error(request)


def away(request: HttpRequest) -> HttpResponse:
    """503 with Retry-After: a page in every language, a problem document, or a line for a probe."""
    answer = document(request) if request.path.startswith("/api/") else page(request)
    answer.status_code = 503
    answer["Retry-After"] = RETRY_SECONDS
    answer["Cache-Control"] = "no-store"
    return answer


def document(request: HttpRequest) -> HttpResponse:
    with translation.override(translation.get_language_from_request(request)):
        body = body_of(503, "unavailable", _("Send the same request again in a few seconds."))
    return JsonResponse(body, content_type=CONTENT_TYPE)


def page(request: HttpRequest) -> HttpResponse:
    if request.path.startswith("/health/"):
        return HttpResponse("PostgreSQL does not answer\n", content_type="text/plain")
    return server_error(request, template_name="503.html")
