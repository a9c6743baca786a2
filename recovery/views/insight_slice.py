"""Which low scores a reader asked for: the filters of the insight pages, read from the address."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, Final

from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from dispatch.clock import midnight as midnight
from recovery import access
from recovery.insight import segment
from recovery.insight.cohort import Slice, low_scores
from recovery.insight.told import Told
from recovery.models import Team, Ticket
from recovery.models.ticket import TicketQuerySet
from recovery.views import door
from recovery.views.tickets import number
from surveys.models import Survey

USUAL_DAYS = 90
# So many tickets are looked through for what may be chosen.
LATEST: Final = 20_000
SEGMENTS: Final[dict[str, Promise]] = {
    segment.TIER: pgettext_lazy("segment", "tier"),
    segment.CHANNEL: pgettext_lazy("segment", "channel"),
    segment.LANGUAGE: pgettext_lazy("segment", "language"),
}
FILTERS = ("from", "to", "survey", "team", "touchpoint", "segment", "as_of")


@dataclass(frozen=True)
class Asked:
    """What stands in the address, and the cohort it means. Both days belong to the period.

    `at` is the moment the numbers are of: the end of the day asked for with `as_of`, or `now`. `people_of`
    are the teams whose people are compared before this reader; None for all there are.
    """

    first: date
    last: date
    at: datetime
    now: datetime
    as_of: datetime | None
    seen: TicketQuerySet
    people_of: Collection[int] | None
    survey: Survey | None
    team: Team | None
    touchpoint: str
    segment: str
    surveys: list[Survey]
    teams: list[Team]
    errors: list[str]
    query: str

    @property
    def which(self) -> Slice:
        return Slice(
            start=midnight(self.first),
            end=midnight(self.last + timedelta(days=1)),
            survey=self.survey.pk if self.survey else None,
            teams=frozenset(Team.ids_below({self.team.pk})) if self.team else None,
            touchpoint=self.touchpoint,
            as_of=self.as_of,
            segment=self.segment,
        )

    @property
    def cohort(self) -> TicketQuerySet:
        return low_scores(self.seen, self.which)

    @cached_property
    def kept(self) -> Told:
        """What became of each of them, at the moment asked for."""
        return Told(self.seen, self.which)

    @property
    def touchpoints(self) -> list[str]:
        """Those that tickets of this reader came from."""
        named = self.seen.order_by("touchpoint").exclude(touchpoint="")
        return list(named.values_list("touchpoint", flat=True).distinct()[:200])

    @property
    def segments(self) -> list[tuple[str, str]]:
        """Those the latest tickets of this reader belong to, and the one asked for, in words. One query."""
        fields = ("customer__tier", "response__channel", "response__locale")
        latest = Ticket.objects.filter(pk__in=self.seen.order_by("-pk").values("pk")[:LATEST])
        rows = list(latest.order_by().values_list(*fields).distinct()[:500])
        kinds = (segment.TIER, segment.CHANNEL, segment.LANGUAGE)
        found = {
            str(segment.Segment(kind, value))
            for row in rows
            for kind, value in zip(kinds, row, strict=True)
            if value
        }
        return [(text, segment_words(text)) for text in sorted(found | ({self.segment} - {""}))]

    @property
    def period(self) -> str:
        return _("{first} to {last}").format(
            first=date_format(self.first, "DATE_FORMAT"), last=date_format(self.last, "DATE_FORMAT")
        )

    @property
    def today(self) -> date:
        return timezone.localtime(self.now).date()

    @property
    def as_of_day(self) -> date | None:
        return timezone.localtime(self.as_of).date() if self.as_of else None

    @property
    def query_now(self) -> str:
        """The same filters, as everything stands now."""
        query = QueryDict(self.query, mutable=True)
        query.pop("as_of", None)
        return query.urlencode()

    @property
    def narrowed_to(self) -> list[str]:
        """The filters in words, for whoever reads the page on paper."""
        return [
            str(self.team) if self.team else _("all teams"),
            str(self.survey) if self.survey else _("all surveys"),
            self.touchpoint or _("all touchpoints"),
            *([segment_words(self.segment)] if self.segment else []),
        ]


def segment_words(text: str) -> str:
    """tier: Gold; region: East."""
    found = segment.parse(text)
    name = found.name or str(SEGMENTS[found.kind])
    return _("{name}: {value}").format(name=name, value=found.value)


def end_of(day: date) -> datetime:
    """The last moment of a day in the reader's zone."""
    return midnight(day + timedelta(days=1)) - timedelta(microseconds=1)


def read(request: HttpRequest, at: datetime) -> Asked:
    """The last ninety days where the address says nothing; what it says wrongly is named, and left out."""
    errors: list[str] = []
    today = timezone.localtime(at).date()
    stood = day_past(door.asked(request, "as_of"), today, errors)
    begun = day_of(door.asked(request, "from"), errors)
    until = stood if stood and (begun is None or begun <= stood) else today
    last = day_of(door.asked(request, "to"), errors) or until
    first = begun or last - timedelta(days=USUAL_DAYS - 1)
    if first > last:
        errors.append(_("The first day lies after the last one; they were swapped."))
        first, last = last, first
    if stood and stood < first:
        errors.append(_("A day before the first low score shows nothing; it was left out."))
        stood = None
    as_of = min(end_of(stood), at) if stood else None
    surveys, teams = list(Survey.objects.all()), list(Team.objects.filter(pk__in=door.teams_of(request)))
    return Asked(
        first=first,
        last=last,
        at=as_of or at,
        now=at,
        as_of=as_of,
        seen=door.seen_by(request),
        people_of=access.compares_people_of(door.staff(request)),
        survey=chosen(surveys, door.asked(request, "survey"), errors),
        team=chosen(teams, door.asked(request, "team"), errors),
        touchpoint=door.asked(request, "touchpoint"),
        segment=segment_of(door.asked(request, "segment"), errors),
        surveys=surveys,
        teams=teams,
        errors=errors,
        query=kept(request.GET),
    )


def day_of(text: str, errors: list[str]) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if date(1990, 1, 1) <= day <= date(2199, 12, 31):
        return day
    errors.append(_("“%(text)s” is no day such as 2026-03-02.") % {"text": text[:40]})
    return None


def day_past(text: str, today: date, errors: list[str]) -> date | None:
    day = day_of(text, errors)
    if day is None or day <= today:
        return day
    errors.append(_("Nobody knows yet how it will stand on a day to come; it was left out."))
    return None


def segment_of(text: str, errors: list[str]) -> str:
    try:
        return str(segment.parse(text)) if text else ""
    except ValueError as error:
        errors.append(str(error))
        return ""


def chosen(rows: list[Any], text: str, errors: list[str]) -> Any:
    """The row of this id, None where none was asked for."""
    if not text:
        return None
    found = next((row for row in rows if row.pk == number(text)), None)
    if found is None:
        errors.append(_("One of the filters names something that is not there; it was left out."))
    return found


def kept(given: QueryDict) -> str:
    """The filters alone, as a query string to hang on a link."""
    query = QueryDict(mutable=True)
    for name in FILTERS:
        if given.get(name):
            query[name] = str(given[name])
    return query.urlencode()
