"""Every error of the API as a problem document (RFC 9457): what is wrong, where, and what to do."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import Http404, UnreadablePostError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions
from rest_framework.response import Response

from recovery.access import NotPermitted
from recovery.lifecycle import Refused, Stale
from surveys.intake.record import Conflict
from surveys.intake.text import InputErrors

log = logging.getLogger("django.request")

CONTENT_TYPE = "application/problem+json"
LONGEST_REASON = 500
SECONDS_UNTIL_RETRY = 5

Place = dict[str, str]

TITLES: dict[int, str | Promise] = {
    400: gettext_lazy("The request is not valid"),
    401: gettext_lazy("Nobody is signed in"),
    403: gettext_lazy("This is not allowed"),
    404: gettext_lazy("There is no such thing"),
    405: gettext_lazy("This method is not possible here"),
    406: gettext_lazy("Only JSON is answered"),
    409: gettext_lazy("This is not possible now"),
    412: gettext_lazy("Somebody changed it meanwhile"),
    413: gettext_lazy("The body is too large"),
    415: gettext_lazy("Only JSON is read"),
    428: gettext_lazy("The version is missing"),
    500: gettext_lazy("This is our error"),
    503: gettext_lazy("The database does not answer"),
}


class TooLarge(exceptions.APIException):
    status_code = 413
    default_code = "too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(_("At most %(limit)s bytes are read. Send less at once.") % {"limit": limit})


class VersionMissing(exceptions.APIException):
    status_code = 428
    default_code = "version_missing"
    default_detail = gettext_lazy('Send If-Match with the version you know, such as "7".')


class VersionStale(exceptions.APIException):
    status_code = 412
    default_code = "stale"
    default_detail = gettext_lazy("It was changed since you read it. Read it again, then decide.")


def problem(
    status: int,
    code: str,
    detail: object,
    errors: list[Place] | None = None,
    headers: Mapping[str, str] | None = None,
    **more: object,
) -> Response:
    return Response(
        body_of(status, code, detail, errors, **more),
        status=status,
        headers=dict(headers or {}),
        content_type=CONTENT_TYPE,
    )


def body_of(
    status: int, code: str, detail: object, errors: list[Place] | None = None, **more: object
) -> dict[str, Any]:
    """The document itself. `code` is stable; title, detail and reasons are for people."""
    return {
        "type": f"urn:redress:problem:{code}",
        "title": str(TITLES.get(status, TITLES[400])),
        "status": status,
        "detail": printable(detail),
        "code": code,
        "errors": [
            {"path": printable(each["path"]), "reason": printable(each["reason"])} for each in errors or []
        ],
        **more,
    }


def printable(text: object) -> str:
    """A lone surrogate may be quoted from the request; no answer can carry it."""
    return str(text).encode("utf-8", "backslashreplace").decode()[:LONGEST_REASON]


def handle(error: Exception, context: Mapping[str, Any]) -> Response:
    """The answer for whatever a view raised."""
    return known(error) or unexpected(error, context)


def known(error: Exception) -> Response | None:
    """The problem for an error that is the sender's, or passes; None for one that is ours."""
    match error:
        case InputErrors():
            return invalid([{"path": path, "reason": reason} for path, reason in error.errors])
        case Conflict():
            return problem(409, "conflict", error, [{"path": "external_id", "reason": str(error)}])
        case Refused():
            return refused(error)
        case ObjectDoesNotExist() | Http404():
            return problem(404, "not_found", _("It does not exist, or you may not see it."))
        case UnreadablePostError():
            return problem(400, "unreadable", _("The body ended early."))
        case OperationalError() | InterfaceError():
            return unavailable(error)
        case exceptions.ValidationError():
            return invalid(list(places(error.detail)))
        case exceptions.APIException():
            return from_framework(error)
    return None


def invalid(errors: list[Place]) -> Response:
    return problem(
        400, "invalid", _("Correct what “errors” lists, and send it again. Nothing was stored."), errors
    )


def refused(error: Refused) -> Response:
    errors = [{"path": error.field, "reason": str(error)}] if error.field else []
    if isinstance(error, Stale):
        return problem(409, error.code, error, expected=error.expected, actual=error.actual)
    return problem(403 if isinstance(error, NotPermitted) else 409, error.code, error, errors)


def unavailable(error: Exception) -> Response:
    log.error("the database does not answer", exc_info=error)
    headers = {"Retry-After": str(SECONDS_UNTIL_RETRY)}
    return problem(503, "unavailable", _("Send the same request again in a few seconds."), headers=headers)


def from_framework(error: exceptions.APIException) -> Response:
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header  # type: ignore[attr-defined]
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(int(error.wait))  # type: ignore[attr-defined]
    codes = error.get_codes()
    code = codes if isinstance(codes, str) else error.default_code
    return problem(error.status_code, code, error.detail, headers=headers)


def places(detail: Any, path: str = "") -> Iterator[Place]:
    """A tree of errors as a flat list: `windows[0].open` and its reason."""
    if isinstance(detail, Mapping):
        for name, below in detail.items():
            yield from places(below, step(path, name))
    elif isinstance(detail, list):
        for index, below in enumerate(detail):
            is_tree = isinstance(below, Mapping | list)
            yield from places(below, f"{path}[{index}]" if is_tree else path)
    else:
        yield {"path": path, "reason": str(detail)}


def step(path: str, name: object) -> str:
    if name in ("non_field_errors", ""):
        return path
    if isinstance(name, int):
        return f"{path}[{name}]"
    return f"{path}.{name}" if path else str(name)


def unexpected(error: Exception, context: Mapping[str, Any]) -> Response:
    """Said to whoever watches, as for any other page; the sender learns no more than that it is ours."""
    request = context["request"]._request
    log.error("%s: %s", request.method, request.path, exc_info=error, extra={"status_code": 500})
    got_request_exception.send(sender=type(context["view"]), request=request)
    return problem(500, "internal", _("Nothing is known to be stored. We have been told; try again later."))
