"""The version of a ticket as an ETag: what was read, and what the sender believes it is changing."""

from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from recovery.api.problems import VersionMissing, VersionStale
from recovery.models import Ticket


def etag(ticket: Ticket) -> str:
    return f'"{ticket.version}"'


def check_version(request: Request, ticket: Ticket) -> None:
    """Raises VersionMissing (428), VersionStale (412); a race lost later is found by the act (409)."""
    given = request.headers.get("If-Match", "").strip()
    if not given:
        raise VersionMissing
    known = [f'"{given}"'] if given.isascii() and given.isdigit() else parse_etags(given)
    if not known:
        raise ValidationError({"If-Match": _('Give the version as an ETag, such as "7".')})
    if known != ["*"] and etag(ticket) not in known:
        raise VersionStale
