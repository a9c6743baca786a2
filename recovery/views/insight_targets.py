"""Targets: where each number should be by a day, and whether it can be said to be there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery import access
from recovery.insight.definitions import DEFINITIONS
from recovery.insight.targets import (
    AT_RISK,
    MET,
    MISSED,
    ON_TRACK,
    UNCLEAR,
    VERDICT_NAMES,
    VERDICTS,
    Judged,
    Period,
    definition_of,
    judged,
    targets_for,
)
from recovery.models import Target
from recovery.pictures import Bar
from recovery.views import door, insight_slice
from recovery.views.insight_frame import page
from recovery.views.insight_pictures import Picture, bars_picture
from recovery.views.insight_slice import Asked

TONES: Final = {MISSED: "late", AT_RISK: "soon", UNCLEAR: "paused", ON_TRACK: "met", MET: "met"}


@dataclass(frozen=True)
class Row:
    """One target as the page says it."""

    found: Judged
    url: str

    @property
    def name(self) -> str:
        return str(self.found.target.get_metric_display())

    @property
    def whose(self) -> str:
        target = self.found.target
        return " · ".join(str(each) for each in (target.team, target.survey) if each) or gettext("everybody")

    @property
    def label(self) -> str:
        return f"{self.name} · {self.whose}"

    @property
    def goal(self) -> str:
        target = self.found.target
        said = in_unit(target.metric, float(target.value))
        if target.falls:
            return gettext("{value} or less").format(value=said)
        return gettext("{value} or more").format(value=said)

    @property
    def number(self) -> str:
        return number_words(self.found)

    @property
    def verdict(self) -> str | Promise:
        return VERDICT_NAMES[self.found.verdict]

    @property
    def tone(self) -> str:
        return TONES[self.found.verdict]

    @property
    def period(self) -> str:
        span = self.found.period
        return gettext("{first} to {last}").format(
            first=date_format(span.first, "SHORT_DATE_FORMAT"),
            last=date_format(span.last, "SHORT_DATE_FORMAT"),
        )

    @property
    def by_day(self) -> str:
        return date_format(self.found.target.by_day, "DATE_FORMAT")

    @property
    def definition(self) -> str | Promise:
        return DEFINITIONS[definition_of(self.found.target.metric)]


def in_unit(metric: str, value: float) -> str:
    return signed(value) if metric == "nps" else gettext("{n} %").format(n=f"{value:g}")


def signed(value: float) -> str:
    """+41, −7.5, 0: as the pages say an NPS."""
    said = f"{value:g}".replace("-", "−")
    return f"+{said}" if value > 0 else said


def number_words(found: Judged) -> str:
    """42 % (36 to 49); the counts where they are few."""
    if found.value is None or found.interval is None:
        return few_words(found)
    say = signed if found.target.metric == "nps" else str
    low, high = (say(round(end)) for end in (found.interval.low, found.interval.high))
    value = in_unit(found.target.metric, round(found.value))
    return gettext("{value} ({low} to {high})").format(value=value, low=low, high=high)


def few_words(found: Judged) -> str:
    if not found.n:
        return "–"
    if found.hits is not None:
        return gettext("{hits} of {n}").format(hits=found.hits, n=found.n)
    return ngettext("{n} answer", "{n} answers", found.n).format(n=found.n)


@door.staff_page()
@require_safe
def show_targets(request: HttpRequest) -> HttpResponse:
    asked = insight_slice.read(request, now())
    rows = rows_for(door.staff(request), asked)
    return page(
        request,
        "insight_targets",
        asked,
        "insight-targets",
        rows=rows,
        sentence=sentence([row.found for row in rows]),
        picture=picture_of(rows),
        definition=DEFINITIONS["target"],
        meanings=list({str(row.definition): row.definition for row in rows}.values()),
        may_set=access.role_of(request.user) == door.ADMINISTRATOR,
        ignored=bool(asked.touchpoint or asked.segment),
        csv_url=f"{reverse('insight-targets-csv')}?{asked.query}",
    )


def rows_for(user: User, asked: Asked) -> list[Row]:
    """Of the team or survey the page is narrowed to, else all this person may see; the worst first."""
    found = judged_for(user, asked)
    found.sort(key=lambda each: (VERDICTS.index(each.verdict), each.target.by_day, each.target.pk))
    return [Row(each, url_of(each, asked)) for each in found]


def judged_for(user: User, asked: Asked) -> list[Judged]:
    survey = asked.survey.pk if asked.survey else None
    targets = targets_for(access.teams_of(user), teams=asked.which.teams, survey=survey)
    period = Period(asked.first, asked.last, timezone.get_current_timezone())
    return judged(targets, asked.seen, period, asked.at, asked.as_of)


def sentence(found: list[Judged]) -> str:
    counts = {verdict: sum(each.verdict == verdict for each in found) for verdict in VERDICTS}
    said = [
        gettext("{n} {verdict}").format(n=count, verdict=VERDICT_NAMES[verdict])
        for verdict, count in counts.items()
        if count
    ]
    whole = ngettext("{n} target: {list}.", "{n} targets: {list}.", len(found))
    return whole.format(n=len(found), list=gettext(", ").join(said))


def picture_of(rows: list[Row]) -> Picture | None:
    """Each number with its interval, and a stroke where it should be; NPS on its own range of 200 points."""
    bars = [bar_of(row) for row in rows if row.found.value is not None]
    return bars_picture(bars, gettext("Numbers and their targets"), "targets", full=1) if bars else None


def bar_of(row: Row) -> Bar:
    found = row.found
    assert found.value is not None
    assert found.interval is not None
    value, low, high, mark = (
        on_track_of(found.target, each)
        for each in (found.value, found.interval.low, found.interval.high, float(found.target.value))
    )
    return Bar(row.label, value, row.number, row.tone, low, high, mark)


def on_track_of(target: Target, value: float) -> float:
    return (value + 100) / 200 if target.metric == "nps" else value / 100


# --- where a number stands ----------------------------------------------------------------------------------

PAGES: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "reached": ("insight-tickets", {"reached": "1"}),
    "responded": ("insight-tickets", {"stage": "asked", "state": "promoter,passive,detractor"}),
    "recovered": ("insight-tickets", {"state": "promoter,passive"}),
    "converted": ("insight-tickets", {"state": "promoter"}),
    "repeat_contact": ("insight-tickets", {"behind": "came_back"}),
    "contacted_in_time": ("insight-times", {}),
    "resolved_in_time": ("insight-times", {}),
}


def url_of(found: Judged, asked: Asked) -> str:
    """The tickets behind the number, or the page it stands on, with the filters of the target."""
    target, span = found.target, found.period
    query = QueryDict(mutable=True)
    query["from"], query["to"] = span.first.isoformat(), span.last.isoformat()
    if target.team_id:
        query["team"] = str(target.team_id)
    if target.survey_id:
        query["survey"] = str(target.survey_id)
    if asked.as_of_day:
        query["as_of"] = asked.as_of_day.isoformat()
    if target.metric in Target.OF_A_SURVEY:
        return f"{reverse('insight-surveys')}?{query.urlencode()}" if target.survey and found.n else ""
    name, which = PAGES[target.metric]
    query.update(which)
    return f"{reverse(name)}?{query.urlencode()}" if found.n else ""
