"""Liveness asks only whether the process answers; readiness whether it can serve: PostgreSQL, not Redis."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    return HttpResponse("live\n", content_type="text/plain")


@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        answer = HttpResponse("PostgreSQL does not answer\n", content_type="text/plain", status=503)
        answer["Retry-After"] = "5"
        return answer
    return HttpResponse("ready\n", content_type="text/plain")
