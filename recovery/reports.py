"""The board's page by mail: the last whole week or month, when the reader's working time begins.

Its numbers are those of the page, of what the reader may see when it goes out; the page is linked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from recovery import access
from recovery.catch_up import POLICIES
from recovery.insight import segment
from recovery.insight.board import Board, board_of
from recovery.insight.cohort import Slice
from recovery.insight.hold_out import HoldOutFigures
from recovery.insight.recovery import Rate
from recovery.insight.targets import VERDICT_NAMES, Judged, Period
from recovery.lifecycle import Refused, notices
from recovery.lifecycle.own_time import opens_for
from recovery.models import ReportMail, StaffProfile, Target, Team
from recovery.models.staff import role_of
from surveys.estimates import Difference
from surveys.models import Message, Survey
from surveys.models.lookup import number

KIND: Final = "report"
SWEEP: Final = "reports"
FILTERS: Final = ("survey", "team", "touchpoint", "segment")
MOST: Final = 20


# --- who wants what, and when -------------------------------------------------------------------------------


def start_report(user: User, *, rhythm: str, query: str, at: datetime) -> ReportMail:
    """From now on this report comes by mail; asked for twice it comes once. Raises Refused."""
    if rhythm not in dict(ReportMail.RHYTHMS):
        raise Refused("rhythm_unknown", _("Choose when the report is to come."))
    if not user.email:
        raise Refused("no_address", _("You have no e-mail address here: ask your administrator."))
    kept = filters_of(query)
    known = ReportMail.objects.filter(user=user)
    if known.count() >= MOST and not known.filter(rhythm=rhythm, query=kept).exists():
        raise Refused("too_many", _("These are many reports already: stop one of them first."))
    next_at = next_time(user, rhythm, at)
    row, _new = ReportMail.objects.get_or_create(
        user=user, rhythm=rhythm, query=kept, defaults={"created_at": at, "next_at": next_at}
    )
    return row


def stop_report(user: User, pk: int) -> bool:
    """Whether there was such a report of theirs."""
    return bool(ReportMail.objects.filter(user=user, pk=pk).delete()[0])


def filters_of(query: str) -> str:
    """Whom a page was narrowed to; its days move on with every mail and are not kept."""
    given = QueryDict(query.replace("\0", ""))
    kept = {name: given[name] for name in FILTERS if given.get(name)}
    return urlencode(kept)[:1000]


def next_time(user: User, rhythm: str, at: datetime) -> datetime:
    """The first opening of their working week, or month, that lies after `at`."""
    begins = begin_of(user, rhythm, at)
    opens = opens_for(user, begins, even_on_leave=True)
    while opens <= at:
        begins = begin_after(user, rhythm, begins)
        opens = opens_for(user, begins, even_on_leave=True)
    return opens


def begin_of(user: User, rhythm: str, at: datetime) -> datetime:
    """Midnight of the Monday, or of the first of the month, at or before a moment, where they are."""
    zone = zone_of(user)
    here = at.astimezone(zone).date()
    first = here - timedelta(days=here.weekday()) if rhythm == ReportMail.WEEKLY else here.replace(day=1)
    return datetime.combine(first, time(), tzinfo=zone)


def begin_after(user: User, rhythm: str, begins: datetime) -> datetime:
    """That of the next week or month; forty days on lies in the next month from any first."""
    return begin_of(user, rhythm, begins + timedelta(days=7 if rhythm == ReportMail.WEEKLY else 40))


def period_before(user: User, rhythm: str, at: datetime) -> Period:
    """The last whole week or month."""
    end = begin_of(user, rhythm, at)
    start = begin_of(user, rhythm, end - timedelta(hours=12))
    return Period(start.date(), end.date() - timedelta(days=1), zone_of(user))


def zone_of(user: User) -> ZoneInfo:
    profile = StaffProfile.objects.filter(user=user).first()
    return profile.zone if profile else ZoneInfo("UTC")


# --- sending ------------------------------------------------------------------------------------------------


def due_reports(at: datetime) -> QuerySet[ReportMail]:
    rows = ReportMail.objects.filter(next_at__lte=at, user__is_active=True).exclude(user__email="")
    return rows.order_by("next_at", "pk")


@transaction.atomic
def send_report(report_id: int, at: datetime) -> Message | None:
    """Queue the mail of this period, once, and set the time of the next; None: it is not due any more, comes
    too late to be of use, or its reader works here no longer."""
    rows = ReportMail.objects.select_for_update(of=("self",)).select_related("user")
    row = rows.filter(pk=report_id, next_at__lte=at).first()
    if row is None:
        return None
    due_at, row.next_at = row.next_at, next_time(row.user, row.rhythm, at)
    row.save(update_fields=["next_at"])
    limit = POLICIES[SWEEP].skip_after
    assert limit is not None
    if at >= due_at + limit or not role_of(row.user):
        return None
    period = period_before(row.user, row.rhythm, due_at)
    key = f"{KIND}:{row.pk}:{period.first.isoformat()}"
    return notices.write(row.user, KIND, at, key, words(row, period, at))


@dataclass(frozen=True)
class Narrowed:
    """The filters as they hold for this reader today; what is gone, or theirs no more, narrows nothing."""

    team: Team | None
    survey: Survey | None
    touchpoint: str
    segment: str

    def slice(self, period: Period) -> Slice:
        return Slice(
            start=period.start,
            end=period.end,
            survey=self.survey.pk if self.survey else None,
            teams=frozenset(Team.ids_below({self.team.pk})) if self.team else None,
            touchpoint=self.touchpoint,
            segment=self.segment,
        )

    def query(self, period: Period) -> str:
        which = {"from": period.first, "to": period.last}
        rows = {"team": self.team, "survey": self.survey}
        ids = {name: row.pk for name, row in rows.items() if row}
        texts = {"touchpoint": self.touchpoint, "segment": self.segment}
        return urlencode({**which, **ids, **{name: text for name, text in texts.items() if text}})


def narrowed(user: User, query: str) -> Narrowed:
    given = QueryDict(query)
    team, survey = (number(given.get(name, "")) for name in ("team", "survey"))
    return Narrowed(
        team=access.visible_teams(user).filter(pk=team).first() if team else None,
        survey=Survey.objects.filter(pk=survey).first() if survey else None,
        touchpoint=given.get("touchpoint", ""),
        segment=segment_of(given.get("segment", "")),
    )


def segment_of(text: str) -> str:
    try:
        return str(segment.parse(text)) if text else ""
    except ValueError:
        return ""


# --- words --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Said:
    """A rate in whole percent; None where it is of fewer than ten, which are said as counts."""

    hits: int
    n: int
    share: int | None = None
    low: int | None = None
    high: int | None = None


def said(rate: Rate) -> Said:
    if rate.share is None or rate.interval is None:
        return Said(rate.hits, rate.n)
    return Said(
        rate.hits,
        rate.n,
        *(round(100 * part) for part in (rate.share, rate.interval.low, rate.interval.high)),
    )


def words(row: ReportMail, period: Period, at: datetime) -> dict[str, Any]:
    """What the templates show. Names are translated where they are rendered, in the reader's language."""
    which = narrowed(row.user, row.query)
    found = board_of(access.visible_to(row.user), access.teams_of(row.user), which.slice(period), period, at)
    return {
        "rhythm": row.rhythm,
        "first": period.first,
        "last": period.last,
        "as_of": at,
        "narrowed": which,
        **figures(found),
        "board_url": f"{settings.PUBLIC_URL}/insight/board/?{which.query(period)}",
        "stop_url": f"{settings.PUBLIC_URL}/insight/mails/",
    }


def figures(found: Board) -> dict[str, Any]:
    recovered, risk = found.found.recovered(), found.value.at_risk
    return {
        "size": found.found.size,
        "reached": said(found.found.reached),
        "recovered": said(recovered),
        "ours": said(found.found.recovered_among(reached=True)),
        "theirs": said(found.found.recovered_among(reached=False)),
        "difference": difference(found.found.difference),
        "hold_outs": [hold_out_words(each) for each in found.hold_outs],
        "contacted": said(found.contacted),
        "survey": survey_words(found),
        "risk": whole(risk.total.value, risk.total.low, risk.total.high) if risk.counted else None,
        "risk_customers": risk.customers,
        "causes": [(cause.cause, cause.count, bar(cause.count, found)) for cause in found.causes.rows[:5]],
        "causes_known": found.causes.known,
        "targets": [
            (each.target, VERDICT_NAMES[each.verdict], target_words(each)) for each in found.targets[:8]
        ],
    }


def difference(value: Difference | None) -> dict[str, Any] | None:
    if value is None:
        return None
    points, low, high = (round(100 * each) for each in (value.value, value.interval.low, value.interval.high))
    return {"points": points, "low": low, "high": high, "clear": value.is_clear, "more": points > 0}


def hold_out_words(found: HoldOutFigures) -> dict[str, Any]:
    return {
        "name": str(found.hold_out),
        "ours": said(found.now.rate),
        "theirs": said(found.later.rate),
        "difference": difference(found.difference),
        "cut_short": found.cut_short,
        "taken": found.taken,
        "planned": found.planned,
    }


def survey_words(found: Board) -> dict[str, Any] | None:
    if found.survey is None:
        return None
    figure, unit = found.survey.figure, 1 if found.survey.figure.kind == "nps" else 100
    ends = figure.interval
    return {
        "survey": found.survey.survey,
        "nps": figure.kind == "nps",
        "answered": figure.answered,
        "value": None if figure.value is None else round(unit * figure.value),
        "low": round(unit * ends.low) if ends else None,
        "high": round(unit * ends.high) if ends else None,
    }


def target_words(found: Judged) -> dict[str, Any]:
    """Times to a tenth of an hour, everything else whole; an end that the data do not reach is None."""
    value, ends = found.value, found.interval
    hours = found.target.metric in Target.IN_HOURS
    places = 1 if hours else None
    return {
        "nps": found.target.metric == "nps",
        "hours": hours,
        "n": found.n,
        "hits": found.hits,
        "value": None if value is None else round(value, places),
        "low": round(ends.low, places) if ends else None,
        "high": round(ends.high, places) if ends and math.isfinite(ends.high) else None,
    }


def whole(*amounts: float) -> list[int]:
    return [round(amount) for amount in amounts]


def bar(count: int, found: Board) -> int:
    """Of a hundred; something is never nothing."""
    most = max(row.count for row in found.causes.rows)
    return max(1, round(100 * count / most))
