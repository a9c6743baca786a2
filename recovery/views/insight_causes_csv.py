"""The causes as a file: one a row, all of them, and how many each month has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, pgettext
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery.insight.cause_trends import trends
from recovery.insight.causes import SIDES, Monthly, Pareto, agreement, by_month, pareto
from recovery.insight.definitions import DEFINITIONS
from recovery.insight.recovery import Rate
from recovery.views import door, insight_cause_trends, insight_slice
from recovery.views.insight_causes import SIDE_NAMES
from recovery.views.insight_file import as_file, dated
from recovery.views.insight_slice import Asked
from surveys.estimates import MIN_ANSWERS_FOR_PERCENT

Row = list[object]
BLANK: Final = ("", "", "", "")


@door.staff_page()
@require_safe
def export_causes(request: HttpRequest) -> HttpResponse:
    """Shares as fractions of 1 of the tickets whose cause is known; none from fewer than ten."""
    asked = insight_slice.read(request, now())
    return as_file(dated("causes", asked), heads(), cause_rows(asked))


def heads() -> list[str]:
    return [
        pgettext("figure", "number"),
        gettext("cause"),
        gettext("month"),
        gettext("count"),
        gettext("of"),
        gettext("share"),
        pgettext("end of an interval", "low"),
        pgettext("end of an interval", "high"),
        gettext("with those above"),
        gettext("definition"),
    ]


def cause_rows(asked: Asked) -> Iterable[Row]:
    told = asked.kept.counted("cause_found", "cause_said")
    for side in SIDES:
        found, months = pareto(told, side), by_month(asked.kept.by_month(f"cause_{side}"))
        yield from side_rows(found, side, months)
        trend = trends(found, months, asked.which, asked.at)
        yield from insight_cause_trends.csv_rows(str(SIDE_NAMES[side]), trend)
    same = agreement(told)
    name = gettext("Said as found")
    yield [name, "", "", same.hits, same.n, *shares(same), "", str(DEFINITIONS["cause_agreement"])]


def side_rows(found: Pareto, side: str, months: Monthly) -> Iterable[Row]:
    """The commonest cause first, its months below it; then those without a cause, and all together."""
    name = str(SIDE_NAMES[side])
    meaning = str(DEFINITIONS[f"cause_{side}"])
    for row in found.rows:
        rate = Rate(row.count, found.known)
        upto = round(row.upto, 4) if found.known >= MIN_ANSWERS_FOR_PERCENT else ""
        yield [name, str(row.cause), "", row.count, found.known, *shares(rate), upto, meaning]
        yield from month_rows(name, str(row.cause), months, months.counts[row.cause.pk], meaning)
    size = found.known + found.unknown
    yield [name, gettext("cause not known yet"), "", found.unknown, size, *BLANK, meaning]
    yield from month_rows(name, gettext("cause not known yet"), months, months.unknown, meaning)
    yield [name, gettext("all low scores"), "", size, size, *BLANK, meaning]
    yield from month_rows(name, gettext("all low scores"), months, months.all, meaning)


def month_rows(name: str, cause: str, months: Monthly, counts: list[int], meaning: str) -> Iterable[Row]:
    """Of all low scores of the month: of those whose cause is known only, a new month would look better."""
    for month, count, size in zip(months.months, counts, months.all, strict=True):
        yield [name, cause, f"{month:%Y-%m}", count, size, *BLANK, meaning]


def shares(rate: Rate) -> tuple[object, object, object]:
    if rate.share is None or rate.interval is None:
        return ("", "", "")
    return (round(rate.share, 4), round(rate.interval.low, 4), round(rate.interval.high, 4))
