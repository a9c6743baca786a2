"""The numbers of "did it work?" as a file: one a row, with its interval and its definition."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.timezone import now
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from recovery.insight.cohort import STATES, Story, stories
from recovery.insight.definitions import DEFINITIONS
from recovery.insight.recovery import COLUMNS, Rate, Recovery, ranking, recovery
from recovery.views import door, insight_slice
from recovery.views import insight_words as words
from recovery.views.insight_groups import GROUPINGS, naming


@door.staff_page()
@require_safe
def export_csv(request: HttpRequest) -> HttpResponse:
    """The numbers of the page with their intervals and definitions, one a row."""
    asked = insight_slice.read(request, now())
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    name = f"recovery-{asked.first}-{asked.last}.csv"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.write("\ufeff")  # without it spreadsheets misread Chinese
    out = csv.writer(answer)
    out.writerow(
        [
            pgettext("figure", "number"),
            gettext("of whom"),
            gettext("count"),
            gettext("of"),
            gettext("share"),
            pgettext("end of an interval", "low"),
            pgettext("end of an interval", "high"),
            gettext("definition"),
        ]
    )
    told = stories(asked.cohort)
    out.writerows([plain(value) for value in row] for row in csv_rows(recovery(told), told))
    return answer


def csv_rows(found: Recovery, told: list[Story]) -> Iterable[list[object]]:
    yield [gettext("low scores"), "", found.size, "", "", "", "", DEFINITIONS["cohort"]]
    for reached, side in ((True, gettext("reached")), (False, gettext("not reached"))):
        for state in STATES:
            count = found.count(reached=reached, states=[state])
            yield [words.STATES[state], side, count, found.size, "", "", "", DEFINITIONS["next"]]
    rates = {"reached": found.reached, "asked": found.asked, "responded": found.responded}
    for name, rate in rates.items():
        yield rate_row(name, "", rate)
    for column in COLUMNS:
        yield rate_row("recovered", words.COLUMNS[column], found.recovered(column))
        yield rate_row("converted", words.COLUMNS[column], found.converted(column))
    for reached, side in ((True, gettext("reached")), (False, gettext("not reached"))):
        yield rate_row("recovered", side, found.recovered_among(reached=reached))
    if found.difference is not None:
        ends = found.difference.interval
        shares = [round(x, 4) for x in (found.difference.value, ends.low, ends.high)]
        yield [gettext("difference"), "", "", "", *shares, DEFINITIONS["difference"]]
    if found.bounds is not None:
        shares = [round(x, 4) for x in (found.bounds.low, found.bounds.high)]
        yield [gettext("bounds"), "", found.recovered().hits, found.size, "", *shares, DEFINITIONS["bounds"]]
    yield from group_rows(told)


def rate_row(name: str, part: object, rate: Rate) -> list[object]:
    share, ends = rate.share, rate.interval
    shares = (
        [round(x, 4) for x in (share, ends.low, ends.high)] if share is not None and ends else ["", "", ""]
    )
    return [RATE_NAMES[name], part, rate.hits, rate.n, *shares, DEFINITIONS[name]]


RATE_NAMES: Final[dict[str, Promise]] = {
    "reached": _("reached"),
    "asked": _("asked again"),
    "responded": _("response"),
    "recovered": _("recovered"),
    "converted": _("converted"),
}


def group_rows(told: list[Story]) -> Iterable[list[object]]:
    """Every group with its counts; those below thirty answers without a share."""
    for by, (_label, key) in GROUPINGS.items():
        found = ranking(told, key)
        name = naming(by, found)
        for group in found.ranked:
            yield rate_row("recovered", name(group.key), group.recovered)
        for group in found.small:
            yield [
                *rate_row("recovered", name(group.key), group.recovered)[:4],
                "",
                "",
                "",
                DEFINITIONS["few"],
            ]


def plain(value: object) -> object:
    """Text that a spreadsheet would run as a formula is kept as text."""
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text[:1] in ("=", "+", "-", "@", "\t", "\r") else value
