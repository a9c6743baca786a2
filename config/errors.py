"""The page for an error nobody caught: a database that is away is said as such, to people and to machines."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.views.defaults import server_error

RETRY_SECONDS = "15"


def unexpected(request: HttpRequest) -> HttpResponse:
    if not isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return server_error(request)
    answer = server_error(request, template_name="503.html")
    answer.status_code = 503
    answer["Retry-After"] = RETRY_SECONDS
    return answer
