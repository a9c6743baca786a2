"""Every number about recovery as JSON: with its counts, its interval and the definition the page prints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from dispatch import clock
from recovery.access import visible_to
from recovery.api.acts import team_named
from recovery.api.filters import is_id
from recovery.insight import segment
from recovery.insight.cause_trends import CauseTrends, trends
from recovery.insight.causes import SIDES, Pareto, by_month, pareto_of_months
from recovery.insight.cohort import Slice
from recovery.insight.definitions import DEFINITIONS
from recovery.insight.recovery import Rate
from recovery.insight.told import Told
from recovery.models import Team
from surveys.api.strict import read_instant, unknown_fields
from surveys.estimates import (
    MIN_ANSWERS_FOR_PERCENT,
    CensoredTimes,
    Difference,
    Interval,
)
from surveys.models import Survey

PARAMETERS: Final = {
    "from": "The first day (2026-03-02, in your time zone) or instant of the scores. Left out: since the"
    " beginning; the pages show the last 90 days, so name the days to compare the two",
    "to": "The last day, included, or the instant before which the scores were given. Left out: until now",
    "survey": "Slug",
    "team": "Name or id; the teams below it belong to it",
    "touchpoint": "As the answers name it",
    "segment": "tier:Gold, channel:page, language:en or attribute:region=East",
    "as_of": "As everything stood at the end of this day, or at this instant; not one to come",
}
PARAMETERS_SHOWN = [
    OpenApiParameter(name, OpenApiTypes.STR, description=text) for name, text in PARAMETERS.items()
]

Shown = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """What stands in the query, understood. `at` is the moment the numbers are of."""

    at: datetime
    which: Slice
    survey: Survey | None
    said: Shown


def asked(request: Request, known: Iterable[str] = PARAMETERS) -> Question:
    """Raises ValidationError naming every parameter that is not known or not understood."""
    now = clock.now()
    given = {name: str(value) for name, value in request.query_params.items() if value}
    user = request.user
    assert isinstance(user, User)  # the permission has let nobody else in
    errors: dict[str, Any] = dict(unknown_fields(given, known))
    found: dict[str, Any] = {}
    for name, read in READERS.items():
        try:
            found[name] = read(user, given[name]) if name in given else None
        except ValidationError as error:
            errors.update(error.detail if isinstance(error.detail, dict) else {name: error.detail})
    as_of = found.get("as_of")
    if as_of is not None:
        errors.update(untimely(as_of, found.get("from"), now, user))
    if errors:
        raise ValidationError(errors)
    as_of = min(as_of, now) if as_of else None
    team, survey = found["team"], found["survey"]
    which = Slice(
        start=found["from"],
        end=found["to"],
        survey=survey.pk if survey else None,
        teams=frozenset(Team.ids_below({team.pk})) if team else None,
        touchpoint=given.get("touchpoint", "").replace("\0", ""),
        as_of=as_of,
        segment=found["segment"] or "",
    )
    times = {"from": which.start, "to": which.end, "as_of": as_of}
    ends = {name: moment.isoformat() if moment else None for name, moment in times.items()}
    names = {"survey": survey.slug if survey else None, "team": team.name if team else None}
    said = {**ends, **names, "touchpoint": which.touchpoint or None, "segment": which.segment or None}
    return Question(as_of or now, which, survey, {name: said[name] for name in PARAMETERS if name in known})


def read_start(user: User, text: str) -> datetime:
    return instant_of("from", user, text, timedelta())


def read_end(user: User, text: str) -> datetime:
    return instant_of("to", user, text, timedelta(days=1))


def read_as_of(user: User, text: str) -> datetime:
    """The last moment of a day, or the instant itself."""
    end = instant_of("as_of", user, text, timedelta(days=1))
    return end - timedelta(microseconds=1) if len(text) == 10 else end


def untimely(as_of: datetime, start: datetime | None, now: datetime, user: User) -> dict[str, str]:
    """Why nothing can be said as of this moment; today may be asked for before it is over."""
    today_ends = midnight(now.astimezone(zone_of(user)).date() + timedelta(days=1), user)
    if as_of >= today_ends:
        return {"as_of": _("Nobody knows yet how it will stand then.")}
    if start is not None and as_of < start:
        return {"as_of": _("It lies before the first day of the period.")}
    return {}


def instant_of(name: str, user: User, text: str, further: timedelta) -> datetime:
    """An instant with its offset, or a day in the zone of whoever asks."""
    try:
        day = date.fromisoformat(text) if len(text) == 10 else None
        # A plus sign that nobody escaped arrives as a space.
        return read_instant(text.replace(" ", "+")) if day is None else midnight(day + further, user)
    except (ValueError, OverflowError):
        raise ValidationError(
            {name: _("Give a day such as 2026-03-02, or a time with its offset.")}
        ) from None


def zone_of(user: User) -> ZoneInfo:
    profile = getattr(user, "staff", None)
    return profile.zone if profile else ZoneInfo("UTC")


def midnight(day: date, user: User) -> datetime:
    return read_instant(datetime.combine(day, time(), zone_of(user)).isoformat())


def read_segment(_user: User, text: str) -> str:
    try:
        return str(segment.parse(text))
    except ValueError as error:
        raise ValidationError({"segment": str(error)}) from None


def read_survey(_user: User, slug: str) -> Survey:
    survey = Survey.objects.filter(slug=slug.replace("\0", "")).first()
    if survey is None:
        raise ValidationError({"survey": _("There is no such survey.")})
    return survey


def read_team(user: User, text: str) -> Team:
    return team_named(user, int(text) if is_id(text) else text.replace("\0", ""))


READERS: Final = {
    "from": read_start,
    "to": read_end,
    "survey": read_survey,
    "team": read_team,
    "segment": read_segment,
    "as_of": read_as_of,
}


# --- the pieces every answer is made of ---------------------------------------------------------------------


def define(name: str) -> str:
    return str(DEFINITIONS[name])


def ends_of(interval: Interval | None) -> Shown:
    return {"low": interval.low, "high": interval.high} if interval else {"low": None, "high": None}


def shown_difference(found: Difference | None) -> Shown:
    """A difference of two shares, as a fraction of 1; all null where there is none."""
    return {
        "difference": found.value if found else None,
        **ends_of(found.interval if found else None),
        "is_clear": found.is_clear if found else None,
    }


def shown_rate(rate: Rate, definition: str) -> Shown:
    """Shares are fractions of 1; below ten they are null, and the counts say all there is to say."""
    return {
        "count": rate.hits,
        "of": rate.n,
        "share": rate.share,
        **ends_of(rate.interval),
        "definition": define(definition),
    }


def shown_percentiles(times: CensoredTimes) -> Shown:
    """Null where fewer than ten count, or so many are not done yet; an open end of an interval is null."""
    shown: Shown = {}
    for name, percent in (("median", 50), ("p80", 80)):
        found = times.percentile(percent) if times.count >= MIN_ANSWERS_FOR_PERCENT else None
        shown[name] = {"value": found.value, "low": found.low, "high": found.high} if found else None
    return shown


class Insight(APIView):
    """Numbers about the low scores this person may see."""

    http_method_names = ["get", "head", "options"]

    def kept(self, question: Question) -> Told:
        """What became of each of them, at the moment asked for."""
        return Told(visible_to(self.request.user), question.which)


# --- causes -------------------------------------------------------------------------------------------------


class CausesView(Insight):
    @extend_schema(
        operation_id="insight_causes",
        summary="Causes, the commonest first; found by staff and said by customers are kept apart",
        parameters=PARAMETERS_SHOWN,
        responses=OpenApiTypes.OBJECT,
    )
    def get(self, request: Request) -> Response:
        question = asked(request)
        kept = self.kept(question)
        user = request.user
        assert isinstance(user, User)  # the permission has let nobody else in
        # Months are those of whoever asks, as on the page.
        with timezone.override(zone_of(user)):
            shown = {side: shown_side(side, kept, question) for side in SIDES}
        return Response({**question.said, "at": question.at.isoformat(), **shown})


def shown_side(side: str, kept: Told, question: Question) -> Shown:
    counts = kept.by_month(f"cause_{side}")
    found = pareto_of_months(counts)
    trend = trends(found, by_month(counts), question.which, question.at)
    return {**shown_pareto(side, found), "trend": shown_trends(trend)}


def shown_pareto(side: str, found: Pareto) -> Shown:
    enough = found.known >= MIN_ANSWERS_FOR_PERCENT
    return {
        "known": found.known,
        "unknown": found.unknown,
        "definition": define(f"cause_{side}"),
        "causes": [
            {
                "code": row.cause.code,
                "name": str(row.cause),
                "count": row.count,
                "share": row.share if enough else None,
                "upto": row.upto if enough else None,
            }
            for row in found.rows
        ],
    }


def shown_trends(found: CauseTrends) -> Shown:
    """Changes are fractions of 1 a month; the direction is more, less, unclear, perhaps_chance or too_few."""
    return {
        "months": [f"{month:%Y-%m}" for month in found.months],
        "months_left_out": [f"{month:%Y-%m}" for month in found.left_out],
        "known": found.known,
        "is_enough": found.is_enough,
        "causes": [
            {
                "code": row.cause.code,
                "count": row.count,
                "change_a_month": row.per_month.value if row.per_month else None,
                **ends_of(row.per_month.interval if row.per_month else None),
                "p": row.p,
                "direction": row.direction,
            }
            for row in found.rows
        ],
        "definition": define("cause_trend"),
    }
