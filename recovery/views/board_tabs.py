"""The tabs of the board: how open work stands, goodwill that waits for a decision, requests that are late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db.models import DecimalField, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext

from recovery import access
from recovery.insight import standing
from recovery.lifecycle.goodwill import MOST
from recovery.models import Goodwill, GoodwillLimit, Request, StaffProfile
from recovery.views import door
from recovery.views.frame import Questions, facts_of
from recovery.views.picked import TABS

GOODWILL, REQUESTS = "overdue-goodwill", "overdue-requests"


@dataclass(frozen=True)
class More:
    """A tab whose rows are no tickets; `name` is that of its address."""

    name: str
    words: str
    why: str
    count: int

    @property
    def url(self) -> str:
        return reverse(self.name)


def to_decide(user: User, request: HttpRequest) -> QuerySet[Goodwill]:
    """What others proposed on the tickets this person sees, as far as they may decide: see `may_give`."""
    boundless = access.role_of(user) == StaffProfile.ADMINISTRATOR
    own = GoodwillLimit.objects.filter(role=access.role_of(user)).values("cost")[:1]
    without = Value(MOST if boundless else Decimal(0), output_field=DecimalField())
    rows = Goodwill.objects.filter(state=Goodwill.PROPOSED, ticket__in=door.seen_by(request).order_by())
    return rows.exclude(by=user).filter(cost__lte=Coalesce(Subquery(own), without))


def late_requests(request: HttpRequest, at: datetime) -> QuerySet[Request]:
    """What departments have not answered in time, on the tickets this person sees."""
    return Request.objects.filter(
        state=Request.OPEN, due_at__lte=at, ticket__in=door.seen_by(request).order_by()
    )


def more_tabs(request: HttpRequest, at: datetime) -> list[More]:
    """With their counts, which the menu's query tells too; nothing to approve for who only reads."""
    user = door.staff(request)
    questions: Questions = {REQUESTS: late_requests(request, at)}
    if door.leads(user):
        questions[GOODWILL] = to_decide(user, request)
    counts = facts_of(request, questions)
    words = {
        GOODWILL: (gettext("Goodwill to approve"), gettext("What colleagues proposed and you may decide.")),
        REQUESTS: (gettext("Late requests"), gettext("What departments have not answered in time.")),
    }
    return [More(name, *words[name], counts[name]) for name in words if name in counts]


def tabs_of(cells: list[standing.Cell]) -> list[dict[str, Any]]:
    return [
        {"code": code, "name": name, "why": why, "count": standing.total(cells, code)}
        for code, (name, why) in TABS.items()
    ]


def every_tab(request: HttpRequest, at: datetime, here: str) -> dict[str, Any]:
    """For a page that is one of the `more` tabs."""
    measured = standing.measure(door.teams_of(request), at)
    more = more_tabs(request, at)
    why = next((each.why for each in more if each.name == here), "")
    return {
        "tabs": tabs_of(standing.cells(door.seen_by(request), measured)),
        "more": more,
        "here": here,
        "why": why,
        "now": at,
    }
