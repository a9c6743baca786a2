"""How fast as JSON: promises kept, and how long people waited, of all and by group."""

from __future__ import annotations

from django.contrib.auth.models import User
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from recovery.access import compares_people_of
from recovery.api.insight import (
    PARAMETERS_SHOWN,
    Insight,
    Shown,
    asked,
    define,
    shown_percentiles,
    shown_rate,
)
from recovery.insight.dues import OWNER, PRIORITY, TEAM
from recovery.insight.times import KINDS, Allowed, Pace, Promises, Times, Waited, times


class TimesView(Insight):
    @extend_schema(
        operation_id="insight_times",
        summary="Deadlines kept, and how long people waited, open tickets counted",
        description="By team and by priority; by owner of the teams one answers for.",
        parameters=PARAMETERS_SHOWN,
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request) -> Response:
        question = asked(request)
        user = request.user
        assert isinstance(user, User)  # the permission has let nobody else in
        people_of = compares_people_of(user)
        by = (TEAM, PRIORITY) if people_of == frozenset() else (TEAM, PRIORITY, OWNER)
        found = times(self.kept(question).tickets(), question.at, by, people_of)
        kinds = {kind: shown_kind(kind, found) for kind in KINDS}
        then = {"then": define("deadlines_then")}
        if OWNER in by:
            then["by_owner"] = define("times_by_owner")
        return Response({**question.said, "at": question.at.isoformat(), **kinds, **then})


def shown_kind(kind: str, found: Times) -> Shown:
    """Of all, and of the groups of ten and more: teams and owners by their id, priorities by their number.

    Owners with fewer are there with their counts.
    """
    groups = {
        f"by_{name}": [
            {name: key, **shown_pace(kind, pace)}
            for key, pace in kinds[kind].items()
            if pace.is_enough or name == OWNER
        ]
        for name, kinds in found.by.items()
    }
    return {**shown_pace(kind, found.all[kind]), **groups}


def shown_pace(kind: str, pace: Pace) -> Shown:
    return {
        "promised_within": shown_allowed(pace.allowed),
        "in_time": shown_promises(kind, pace.promises),
        "time": shown_waited(kind, pace.waited),
    }


def shown_allowed(allowed: Allowed | None) -> Shown:
    """Working minutes; null where nothing was promised."""
    return {
        "least": allowed.least if allowed else None,
        "most": allowed.most if allowed else None,
        "definition": define("promised_within"),
    }


def shown_promises(kind: str, kept: Promises) -> Shown:
    return {
        **shown_rate(kept.kept, f"{kind}_kept"),
        "missed": kept.missed,
        "tickets_missed": kept.tickets_missed,
        "overdue": kept.overdue,
        "running": kept.running,
        "dropped": kept.dropped,
    }


def shown_waited(kind: str, times: Waited) -> Shown:
    return {
        "count": times.count,
        "open": times.open,
        "closed_unheard": times.closed_unheard,
        "merged": times.merged,
        "working_minutes": shown_percentiles(times.working),
        "calendar_minutes": shown_percentiles(times.calendar),
        "definition": f"{define(f'{kind}_time')} {define('working_time')}",
    }
