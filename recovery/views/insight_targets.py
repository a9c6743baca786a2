"""Targets: where each number should be by a day, and whether it can be said to be there."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery import access
from recovery.insight.definitions import DEFINITIONS
from recovery.insight.targets import VERDICT_NAMES, VERDICTS, Judged, judged, targets_for
from recovery.models import Target
from recovery.pictures import Bar
from recovery.views import door, insight_slice
from recovery.views.insight_frame import page
from recovery.views.insight_goals import Row as Row
from recovery.views.insight_goals import period_of
from recovery.views.insight_pictures import Picture, bars_picture
from recovery.views.insight_slice import Asked

# Drawn on the curve of the times themselves.
NOT_DRAWN: Final = Target.IN_HOURS


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
    return judged(targets, asked.seen, period_of(asked), asked.at, asked.as_of)


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
    drawn = [row for row in rows if row.found.target.metric not in NOT_DRAWN]
    bars = [bar_of(row) for row in drawn if row.found.value is not None]
    return bars_picture(bars, gettext("Numbers and their targets"), "targets", full=1) if bars else None


def bar_of(row: Row) -> Bar:
    found = row.found
    assert found.value is not None
    assert found.interval is not None
    value, low, high, mark = (
        on_track_of(found.target, each)
        for each in (found.value, found.interval.low, found.interval.high, float(found.target.value))
    )
    return Bar(row.label, value, row.number, row.tone, low, high, mark, row.told, row.url)


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
    "first_contact_half": ("insight-times", {}),
    "resolution_half": ("insight-times", {}),
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
