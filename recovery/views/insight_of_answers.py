"""What the pages about answers share: of which survey they are, and links that keep what was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from recovery.views import door
from recovery.views.insight_slice import FILTERS, Asked
from surveys.models import Survey
from surveys.results import Which, most_answered


def survey_of(asked: Asked, surveys: Sequence[Survey], which: Which) -> Survey | None:
    """The one asked for, else the one of these with the most answers."""
    if asked.survey is not None:
        return asked.survey
    busiest = most_answered(surveys, which) if surveys else []
    return busiest[0][0] if busiest else next(iter(surveys), None)


def link(name: str, request: HttpRequest, asked: Asked, own: Sequence[str] = (), **more: str) -> str:
    """Another page with the same filters, with what this page was asked for beside them, and with more."""
    kept = {each: door.asked(request, each) for each in own if door.asked(request, each)}
    query = "&".join(part for part in (asked.query, urlencode({**kept, **more})) if part)
    return f"{reverse(name)}?{query}"


def hidden_fields(request: HttpRequest, own: Sequence[str] = ()) -> list[tuple[str, str]]:
    """The filters as fields of another form of the page."""
    return [(name, door.asked(request, name)) for name in (*FILTERS, *own) if door.asked(request, name)]
