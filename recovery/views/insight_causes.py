"""Causes: what we found, and what customers said."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery.insight.cause_trends import trends
from recovery.insight.causes import (
    FOUND,
    SAID,
    SIDES,
    Monthly,
    Pareto,
    agreement,
    by_month,
    pareto,
)
from recovery.insight.cohort import Story
from recovery.insight.definitions import DEFINITIONS
from recovery.insight.told import AGREES
from recovery.models import Cause
from recovery.views import door, insight_cause_trends, insight_slice
from recovery.views import insight_words as words
from recovery.views.insight_behind import BEHIND
from recovery.views.insight_behind import SAID as SAID_OF
from recovery.views.insight_frame import Line, behind, page, rate_line
from recovery.views.insight_pictures import causes_picture
from recovery.views.insight_slice import Asked


@door.staff_page()
@require_safe
def show_causes(request: HttpRequest) -> HttpResponse:
    asked = insight_slice.read(request, now())
    told = asked.kept.counted("cause_found", "cause_said")
    blocks = [cause_block(told, side, asked) for side in SIDES]
    for block in blocks:
        months = by_month(asked.kept.by_month(f"cause_{block['side']}"))
        block["by_month"] = monthly_table(block["found"], months, block["side"], asked)
    return page(
        request,
        "insight_causes",
        asked,
        "insight-causes",
        blocks=blocks,
        size=sum(story.count for story in told),
        agreement=agreement_line(told, asked),
        csv_url=f"{reverse('insight-causes-csv')}?{asked.query}",
    )


SIDE_NAMES: Final[dict[str, str | Promise]] = {FOUND: _("What we found"), SAID: _("What customers said")}


def cause_block(told: list[Story], side: str, asked: Asked) -> dict[str, Any]:
    found = pareto(told, side)
    shown = found.known >= 10

    def url_of(cause: Cause) -> str:
        return behind(asked, **{f"cause_{side}": str(cause.pk)})

    return {
        "side": side,
        "name": SIDE_NAMES[side],
        "found": found,
        "first": found.rows[0] if found.rows else None,
        "picture": causes_picture(found, f"causes-{side}", url_of) if found.rows else None,
        "definition": DEFINITIONS[f"cause_{side}"],
        "unknown_url": behind(asked, **{f"cause_{side}": "0"}),
        "rows": [
            (
                row,
                words.percent(row.share) if shown else "",
                words.percent(row.upto) if shown else "",
                url_of(row.cause),
            )
            for row in found.rows
        ],
    }


MOST_MONTHS, MOST_CAUSES = 12, 8


def monthly_table(found: Pareto, months: Monthly, side: str, asked: Asked) -> dict[str, Any] | None:
    """The commonest causes by month, the latest twelve; nothing to compare within one month.

    Below them stand those without a cause and all together: without them a cause that is only not named yet
    reads like one that is gone.
    """
    if len(months.months) < 2 or not found.rows:
        return None
    shown = months.months[-MOST_MONTHS:]

    def linked(counts: list[int], **which: str) -> list[tuple[int, str]]:
        """Each count with its tickets: those of the month, as far as it lies in the period."""
        pairs = zip(counts[-len(shown) :], shown, strict=True)
        return [(count, within(month, asked, **which)) for count, month in pairs]

    field = f"cause_{side}"
    trend = insight_cause_trends.shown(trends(found, months, asked.which, asked.at))
    return {
        "trend": trend,
        "longer_url": "" if trend["is_enough"] else longer(asked),
        "months": [(month, part_words(month, asked)) for month in shown],
        "rows": [
            (
                row.cause,
                linked(months.counts[row.cause.pk], **{field: str(row.cause.pk)}),
                trend["of"].get(row.cause.pk, ""),
            )
            for row in found.rows[:MOST_CAUSES]
        ],
        "unknown": linked(months.unknown, **{field: "0"}),
        "all": linked(months.all),
        "left_out": max(0, len(found.rows) - MOST_CAUSES),
    }


def part_words(month: date, asked: Asked) -> str:
    """Which days of a month the period holds, where not all of them; days to come are not over yet."""
    until = min(asked.last, timezone.localtime(asked.at).date())
    if asked.first > month:
        return gettext("from {day}").format(day=short_day(asked.first))
    if until < last_of(month):
        return gettext("to {day}").format(day=short_day(until))
    return ""


def short_day(day: date) -> str:
    return str(date_format(day, pgettext("day of a week", "j M")))


def last_of(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def within(month: date, asked: Asked, **which: str) -> str:
    query = QueryDict(asked.query, mutable=True)
    query["from"] = max(month, asked.first).isoformat()
    query["to"] = min(last_of(month), asked.last).isoformat()
    query.update(which)
    return f"{reverse('insight-tickets')}?{query.urlencode()}"


def longer(asked: Asked) -> str:
    """The same page over the six whole months before the last day asked for."""
    month = asked.last.replace(day=1)
    for _each in range(6):
        month = (month - timedelta(days=1)).replace(day=1)
    query = QueryDict(asked.query, mutable=True)
    query["from"], query["to"] = month.isoformat(), asked.last.isoformat()
    return f"{reverse('insight-causes')}?{query.urlencode()}"


def agreement_line(told: list[Story], asked: Asked) -> Line:
    """How often what they said is what was found."""
    return rate_line(
        "cause_agreement", _("Said as found"), agreement(told), behind(asked, behind="cause_agreed")
    )


def agreed(asked: Asked) -> Iterable[int]:
    return asked.kept.behind([(AGREES, [True])]).values_list("pk", flat=True)


BEHIND["cause_agreed"] = agreed
SAID_OF["cause_agreed"] = lambda _which: gettext("the cause was found as the customer said it")
