"""Whether initiatives worked, as JSON: the numbers of the page, one initiative at a time."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from recovery.access import role_of, sees_everything, teams_of, visible_initiatives, visible_to
from recovery.api.filters import is_id
from recovery.api.insight import PARAMETERS, Insight, Shown, asked, define, ends_of, shown_rate, zone_of
from recovery.insight.fixes import Fix, Span, View, fix
from recovery.insight.recovery import Rate
from recovery.models import Initiative
from surveys.estimates import Difference

OWN: Final = ("as_of", "initiative")


class FixesView(Insight):
    @extend_schema(
        operation_id="insight_fixes",
        summary="Low scores with a cause before and after an initiative against it, and those it had hurt",
        parameters=[
            OpenApiParameter("initiative", OpenApiTypes.INT, description="Its id; the latest if left out"),
            OpenApiParameter("as_of", OpenApiTypes.STR, description=PARAMETERS["as_of"]),
        ],
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request) -> Response:
        question, user = asked(request, OWN), request.user
        assert isinstance(user, User)  # the permission has let nobody else in
        initiatives = list(visible_initiatives(teams_of(user)))
        chosen = chosen_of(request, initiatives)
        view = View(
            visible_to(user), sees_everything(role_of(user)), question.at, question.which.as_of is not None
        )
        with timezone.override(zone_of(user)):
            found = fix(view, chosen) if chosen else None
        listed = [{"id": each.pk, "title": each.title} for each in initiatives]
        shown = shown_fix(found) if found else None
        return Response({"at": question.at.isoformat(), "initiatives": listed, "chosen": shown})


def chosen_of(request: Request, initiatives: list[Initiative]) -> Initiative | None:
    text = request.query_params.get("initiative", "")
    if not text:
        return initiatives[0] if initiatives else None
    found = next((each for each in initiatives if is_id(text) and each.pk == int(text)), None)
    if found is None:
        raise ValidationError({"initiative": _("There is no such initiative.")})
    return found


def shown_fix(found: Fix) -> Shown:
    initiative = found.initiative
    return {
        "id": initiative.pk,
        "title": initiative.title,
        "cause": initiative.cause.code,
        "since": initiative.since.isoformat(),
        "survey": initiative.survey.slug if initiative.survey else None,
        "team": initiative.team.name if initiative.team else None,
        "before": shown_span(found.before),
        "after": shown_span(found.after),
        "of_answers": {**shown_change(found.of_answers), "definition": define("fix_rate")},
        "of_known": {**shown_change(found.of_known), "definition": define("fix_known")},
        "fewer_even_if_all_unknown": found.holds_at_most,
        "randomised": False,
        "hurt": {"asked": found.hurt.asked, "recovered": shown_rate(found.hurt.recovered, "fix_hurt")},
    }


def shown_span(span: Span | None) -> Shown | None:
    """Null while there is no whole day; `of_answers` is null for a team, to which no answer belongs."""
    if span is None:
        return None
    return {
        "first": span.first.isoformat(),
        "last": span.last.isoformat(),
        "low_scores": span.low,
        "cause_not_known": span.unknown,
        "of_answers": shown_of(span.of_answers, "fix_rate"),
        "of_known": shown_of(span.of_known, "fix_known"),
    }


def shown_of(rate: Rate | None, code: str) -> Shown | None:
    return None if rate is None else shown_rate(rate, code)


def shown_change(change: Difference | None) -> Shown:
    return {
        "difference": change.value if change else None,
        **ends_of(change.interval if change else None),
        "is_clear": change.is_clear if change else None,
    }
