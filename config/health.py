"""Liveness asks only whether the process answers; readiness whether it can serve: PostgreSQL, not Redis."""

from collections.abc import Iterator
from datetime import timedelta

from django.db import Error, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from dispatch import epoch, watch
from dispatch.clock import now
from surveys.models import SendingRules


@never_cache
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    return said("live")


@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Whether this process can serve. While nothing is dispatched it goes on taking answers: that is said
    here, and refused only by `dispatching`, for whatever restarts the workers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return said("ready", *remarks())
    except Error:
        return away()


@never_cache
@require_safe
def dispatching(request: HttpRequest) -> HttpResponse:
    """Whether what is due is done: something was dispatched in the last 90 s."""
    try:
        silence = watch.silence(now())
    except Error:
        return away()
    return refused(in_words(silence), seconds=30) if watch.too_silent(silence) else said("dispatching")


def remarks() -> Iterator[str]:
    """What stands still though pages are served."""
    silence = watch.silence(now())
    if watch.too_silent(silence):
        yield in_words(silence)
    behind = epoch.describe()
    if behind:
        yield f"sending is fenced off until the database is reconciled: {behind['why']}"
    rules = SendingRules.objects.only("paused_at", "held_at", "held_why").first()
    if rules and rules.paused_at:
        yield "sending to customers is stopped by hand"
    if rules and rules.held_at:
        yield f"sending to customers is held: {rules.held_why}"


def in_words(silence: timedelta | None) -> str:
    if silence is None:
        return "nothing was ever dispatched"
    return f"nothing was dispatched for {silence.total_seconds():.0f} s"


def away() -> HttpResponse:
    return refused("PostgreSQL does not answer", seconds=5)


def refused(why: str, seconds: int) -> HttpResponse:
    answer = said(why)
    answer.status_code = 503
    answer["Retry-After"] = str(seconds)
    return answer


def said(*lines: str) -> HttpResponse:
    return HttpResponse("".join(f"{line}\n" for line in lines), content_type="text/plain")
