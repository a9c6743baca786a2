"""The targets as a file: one a row, with its number, its interval, its verdict and its definition."""

from __future__ import annotations

import math

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, pgettext
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery.views import door, insight_slice
from recovery.views.insight_file import as_file, dated
from recovery.views.insight_targets import Row, rows_for


@door.staff_page()
@require_safe
def export_targets(request: HttpRequest) -> HttpResponse:
    """Values in the unit of the target: points of NPS, hours of working time, else percent.

    An end of an interval that the data do not reach is empty.
    """
    asked = insight_slice.read(request, now())
    return as_file(
        dated("targets", asked), heads(), (cells(row) for row in rows_for(door.staff(request), asked))
    )


def heads() -> list[str]:
    return [
        pgettext("figure", "number"),
        gettext("of whom"),
        gettext("target"),
        gettext("at most or at least"),
        pgettext("a day", "by"),
        gettext("count"),
        gettext("of"),
        gettext("value"),
        pgettext("end of an interval", "low"),
        pgettext("end of an interval", "high"),
        gettext("from"),
        gettext("to"),
        gettext("verdict"),
        gettext("definition"),
    ]


def cells(row: Row) -> list[object]:
    found, ends = row.found, row.found.interval
    target = found.target
    return [
        row.name,
        row.whose,
        float(target.value),
        gettext("at most") if target.falls else gettext("at least"),
        target.by_day.isoformat(),
        "" if found.hits is None else found.hits,
        found.n,
        "" if found.value is None else round(found.value, 2),
        round(ends.low, 2) if ends else "",
        round(ends.high, 2) if ends and math.isfinite(ends.high) else "",
        found.period.first.isoformat(),
        found.period.last.isoformat(),
        str(row.verdict),
        str(row.definition),
    ]
