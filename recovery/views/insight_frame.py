"""What every insight page shares: its tabs, its filters, and a number with its meaning and its tickets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from recovery.insight.definitions import DEFINITIONS
from recovery.insight.recovery import Rate
from recovery.views import insight_words as words
from recovery.views.insight_goals import Row
from recovery.views.insight_slice import Asked

TABS: Final = [
    ("insight", _("Did it work?")),
    ("insight-loop", _("The loop")),
    ("insight-times", _("How fast")),
    ("insight-causes", _("Causes")),
    ("insight-fixes", _("Did the fix work?")),
    ("insight-surveys", _("What they said")),
    ("insight-panel", _("The same people")),
    ("insight-drivers", _("What drives it")),
    ("insight-value", _("Value")),
    ("insight-targets", _("Targets")),
]


@dataclass(frozen=True)
class Line:
    """One number: what it is called, what it says, the tickets behind it, what it means, and its target."""

    name: str | Promise
    text: str
    definition: str | Promise
    url: str = ""
    note: str = ""
    rate: Rate | None = None
    goal: Row | None = None


def page(request: HttpRequest, template: str, asked: Asked, tab: str, **context: Any) -> HttpResponse:
    tabs = [
        {"url": f"{reverse(name)}?{asked.query}", "name": label, "chosen": name == tab}
        for name, label in TABS
    ]
    frame = {"asked": asked, "tabs": tabs, "now": asked.at, "definitions": DEFINITIONS}
    frame["targets_url"] = f"{reverse('insight-targets')}?{asked.query}"
    return render(request, f"recovery/{template}.html", {**frame, **context})


def behind(asked: Asked, **which: str) -> str:
    """Where the tickets behind a number are listed; the list is told when the number was reckoned."""
    drawn = {} if asked.as_of else {"drawn": f"{asked.now.astimezone(UTC):%Y-%m-%dT%H:%MZ}"}
    query = "&".join(part for part in (asked.query, urlencode({**which, **drawn})) if part)
    return f"{reverse('insight-tickets')}?{query}"


def rate_line(
    code: str, name: str | Promise, rate: Rate, url: str, note: str = "", goal: Row | None = None
) -> Line:
    """A rate with its counts beside it, where it does not consist of them."""
    counts = words.counts_words(rate) if rate.share is not None else ""
    beside = " · ".join(part for part in (counts, note) if part)
    url = url if rate.n else ""
    return Line(name, words.rate_words(rate), DEFINITIONS[code], url, beside, rate, goal)
