"""Which answers count, as they stood at a moment, and how often each score occurs among them."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce, Least
from django.utils import timezone

from surveys.eras import Era, era_at
from surveys.models import Response, ResponseVersion, Survey

# What is no answer whatever else it says.
VOID = (Response.WITHDRAWN, Response.TEST)
LAST_ERA = -1


@dataclass(frozen=True, slots=True)
class Which:
    """Answers given from `since` to before `until`, at one touchpoint; what is empty does not narrow.

    With `at`, those given and come in by that moment, as they stood then. `answers` narrows them further,
    `asked` the invitations in the same manner; it is None where nobody can say whom it would leave.
    """

    since: datetime | None = None
    until: datetime | None = None
    touchpoint: str = ""
    at: datetime | None = None
    answers: Q = field(default_factory=Q)
    asked: Q | None = field(default_factory=Q)

    @property
    def last_moment(self) -> datetime | None:
        ends = [self.until - timedelta(microseconds=1)] if self.until else []
        return min([*ends, self.at] if self.at else ends, default=None)

    @property
    def start_before(self) -> datetime | None:
        """Where the period before begins: as many days of the current time zone as this one has."""
        if self.since is None or self.until is None:
            return None
        first, end = (timezone.make_naive(each) for each in (self.since, self.until))
        return timezone.make_aware(first - (end - first))


def era_shown(survey: Survey, which: Which) -> Era:
    """The one whose answers count: in force at the end of the period."""
    moment = which.last_moment
    return era_at(survey.eras, moment) if moment else survey.eras[-1]


def given(surveys: Sequence[Survey], which: Which) -> QuerySet[Response, Any]:
    """All that came in, of any time before `which.at`, with `said` (the score) and `given_at` as of then.

    An earlier version was given when its source says so, else when the answer first came in.
    """
    rows: Any = Response.objects.filter(which.answers, survey__in=surveys).order_by()
    if which.touchpoint:
        rows = rows.filter(touchpoint=which.touchpoint)
    if which.at and _changed_since(surveys, which.at):
        rows = _as_it_stood(rows, which.at)
    else:
        rows = rows.annotate(said=F("score"), given_at=F("answered_at"))
    known = Q(given_at__lte=which.at, received_at__lte=which.at) if which.at else Q()
    found: QuerySet[Response, Any] = rows.filter(known)
    return found


def _changed_since(surveys: Sequence[Survey], at: datetime) -> bool:
    return ResponseVersion.objects.filter(response__survey__in=surveys, replaced_at__gt=at).exists()


def _as_it_stood(rows: QuerySet[Response, Any], at: datetime) -> QuerySet[Response, Any]:
    earlier = ResponseVersion.objects.filter(response=OuterRef("pk"), replaced_at__gt=at)
    first = earlier.order_by("replaced_at", "id")
    is_unchanged = When(version__isnull=True, then=F("answered_at"))
    told_then = Coalesce(Subquery(first.values("source_updated_at")[:1]), F("received_at"))
    return rows.alias(version=Subquery(first.values("pk")[:1])).annotate(
        said=Case(When(version__isnull=True, then=F("score")), default=Subquery(first.values("score")[:1])),
        given_at=Case(is_unchanged, default=Least(F("answered_at"), told_then)),
    )


def valid(rows: QuerySet[Response, Any]) -> QuerySet[Response, Any]:
    """The valid answers: scored, and neither withdrawn nor a test."""
    scored: QuerySet[Response, Any] = rows.filter(~Q(state__in=VOID), Q(said__isnull=False))
    return scored


def within(
    rows: QuerySet[Any, Any], moment: str, since: datetime | None, until: datetime | None
) -> QuerySet[Any, Any]:
    if since:
        rows = rows.filter(**{f"{moment}__gte": since})
    return rows.filter(**{f"{moment}__lt": until}) if until else rows


def in_era(rows: QuerySet[Response, Any], era: Era, which: Which) -> QuerySet[Response, Any]:
    return within(rows, "given_at", *era.clipped(which.since, which.until))


def era_number(surveys: Sequence[Survey]) -> Case:
    """The place of an answer's era among those of its survey; the last one's is LAST_ERA."""
    changes = [
        When(survey=survey, given_at__lt=era.until, then=Value(number))
        for survey in surveys
        for number, era in enumerate(survey.eras[:-1])
    ]
    return Case(*changes, default=Value(LAST_ERA), output_field=IntegerField())


def tally(rows: QuerySet[Response, Any], *by: str) -> defaultdict[tuple[Any, ...], Counter[int]]:
    """How often each score occurs, by what they are grouped by. One query."""
    counts: defaultdict[tuple[Any, ...], Counter[int]] = defaultdict(Counter)
    for *group, score, number in rows.values_list(*by, "said").annotate(number=Count("*")):
        counts[tuple(group)][score] += number
    return counts
