"""Refuses requests at once while PostgreSQL is away, so that they do not wait in line for it."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from config.database import Server, server
from config.errors import away

Answer = Callable[[HttpRequest], HttpResponse]

# They answer without the database; static files are answered before.
OPEN = ("/health/live", "/metrics")


class GuardMiddleware:
    """Stands before whatever asks the database: sessions, sign-in, the reader's language."""

    def __init__(self, get_response: Answer, watched: Server = server) -> None:
        self.get_response = get_response
        self.server = watched

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path in OPEN or self.server.answers():
            return self.get_response(request)
        return away(request)
