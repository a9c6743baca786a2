"""The numbers about value and the targets as JSON, from the functions of their pages."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any, Final

from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from recovery.access import teams_of, visible_customers, visible_to
from recovery.api.insight import (
    PARAMETERS,
    PARAMETERS_SHOWN,
    Insight,
    Question,
    Shown,
    asked,
    define,
    shown_rate,
    zone_of,
)
from recovery.insight.given import Given, Spent
from recovery.insight.lost import Lost
from recovery.insight.retention import Table
from recovery.insight.targets import Judged, Period, definition_of, judged, targets_for
from recovery.insight.told import Told
from recovery.insight.value import Amount, Stakes
from recovery.insight.worth import USUAL, Worth, worth_of

OF_TARGETS = ("from", "to", "survey", "team", "as_of")
FIRST_OF: Final = {
    "value": f"{PARAMETERS['from']}. Customers lost are those of the last 90 days even so",
    "targets": "The first day (2026-03-02, in your time zone) or instant. Left out: 90 days, as on the page",
}


def parameters_of(page: str) -> list[OpenApiParameter]:
    """Those of every such address, with what leaving the first day out means here."""
    first = OpenApiParameter("from", OpenApiTypes.STR, description=FIRST_OF[page])
    return [first if shown.name == "from" else shown for shown in PARAMETERS_SHOWN]


class ValueView(Insight):
    @extend_schema(
        operation_id="insight_value",
        summary="Value at risk and kept with its assumption, lost customers, repeat contact, goodwill",
        parameters=parameters_of("value"),
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request) -> Response:
        question, user = asked(request), request.user
        seen = visible_to(user)
        found = worth_of(visible_customers(user), Told(seen, question.which), question.at)
        return Response({**question.said, "at": question.at.isoformat(), **shown_worth(found)})


def shown_worth(found: Worth) -> Shown:
    return {
        "at_risk": {
            **shown_stakes(found.value.at_risk, "value_at_risk"),
            "answered_well_since": shown_well(found.value.at_risk.well),
        },
        "kept": shown_stakes(found.value.kept, "value_kept"),
        "expected_retention": shown_table(found.value.table),
        "lost": shown_lost(found.lost),
        "repeat_contact": {
            **shown_rate(found.comebacks.rate, "repeat_contact"),
            "too_early": found.comebacks.too_early,
            "not_known": len(found.comebacks.not_known),
        },
        "goodwill": shown_given(found.given),
    }


def shown_stakes(found: Stakes, definition: str) -> Shown:
    """`low` and `high` are the ends of the assumption, no interval; null where no value is known."""
    return {
        "customers": found.customers,
        "without_value": found.without_value,
        "without_score": found.without_score,
        "annual_value": round(found.worth, 2),
        **shown_amount(found.total if found.counted else None),
        "definition": define(definition),
    }


def shown_well(well: Stakes) -> Shown:
    """Those at risk who have given a passive's or a promoter's answer since the low score."""
    return {"customers": well.customers, "annual_value": round(well.worth, 2)}


def shown_amount(amount: Amount | None) -> Shown:
    if amount is None:
        return {"value": None, "low": None, "high": None}
    return {name: round(getattr(amount, name), 2) for name in ("value", "low", "high")}


def shown_table(table: Table) -> Shown:
    levels = [{"level": each.level, "low": each.low, "high": each.high} for each in table.values()]
    return {"levels": levels, "definition": define("expected_retention")}


def shown_lost(found: Lost) -> Shown:
    return {
        **shown_rate(found.rate, "lost"),
        "customers": len(found.customers),
        "newer": found.newer,
        "annual_value": round(found.worth, 2),
        "without_value": found.without_value,
        "with_ticket": shown_rate(found.owed, "lost_owed"),
        "reasons": [{"reason": reason, "count": count} for reason, count in found.reasons],
    }


def shown_given(found: Given) -> Shown:
    return {
        "per_ticket": shown_spent(found.per_ticket),
        "per_recovered": shown_spent(found.per_recovered),
        "by_cause": [
            {"code": row.cause.code if row.cause else None, **shown_spent(row.spent)}
            for row in found.by_cause
        ],
        "definition": define("goodwill"),
    }


def shown_spent(spent: Spent) -> Shown:
    """`each` is null below ten."""
    each = None if spent.each is None else round(spent.each, 2)
    return {"cost": round(spent.cost, 2), "count": spent.count, "each": each}


# --- targets ------------------------------------------------------------------------------------------------


class TargetsView(Insight):
    @extend_schema(
        operation_id="insight_targets",
        summary="Each target and whether its number meets it, judged with the interval",
        parameters=[shown for shown in parameters_of("targets") if shown.name in OF_TARGETS],
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request) -> Response:
        question, user = asked(request, OF_TARGETS), request.user
        assert isinstance(user, User)  # the permission has let nobody else in
        which = question.which
        survey = question.survey.pk if question.survey else None
        targets = targets_for(teams_of(user), teams=which.teams, survey=survey)
        found = judged(targets, visible_to(user), period_of(question, user), question.at, which.as_of)
        said = {**question.said, "at": question.at.isoformat(), "definition": define("target")}
        return Response({**said, "targets": [shown_judged(each) for each in found]})


def period_of(question: Question, user: User) -> Period:
    """The last ninety days where nothing is said, as on the page."""
    zone, which = zone_of(user), question.which
    end = (which.end or question.at).astimezone(zone)
    last = (end - timedelta(microseconds=1)).date()
    start = which.start.astimezone(zone).date() if which.start else last - USUAL + timedelta(days=1)
    if start > last:
        raise ValidationError({"from": _("The first day lies after the last one.")})
    return Period(start, last, zone)


def shown_judged(found: Judged) -> dict[str, Any]:
    target, interval = found.target, found.interval
    return {
        "metric": target.metric,
        "team": target.team.name if target.team else None,
        "survey": target.survey.slug if target.survey else None,
        "target": float(target.value),
        "by": target.by_day.isoformat(),
        "from": found.period.first.isoformat(),
        "to": found.period.last.isoformat(),
        "verdict": found.verdict,
        "count": found.hits,
        "of": found.n,
        "value": found.value,
        "low": interval.low if interval else None,
        # An end the data do not reach is none.
        "high": interval.high if interval and math.isfinite(interval.high) else None,
        "definition": define(definition_of(target.metric)),
    }
