"""The numbers of "did it work?" as a file: one a row, with its interval and its definition."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery.insight.cohort import STATES, Story, stories
from recovery.insight.definitions import DEFINITIONS
from recovery.insight.recovery import COLUMNS, Rate, Recovery, ranking, recovery
from recovery.views import door, insight_slice
from recovery.views import insight_words as words
from recovery.views.insight_groups import GROUPINGS, naming
from surveys.estimates import Interval


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
            gettext("by"),
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


Row = list[object]


def csv_rows(found: Recovery, told: list[Story]) -> Iterable[Row]:
    yield row("cohort", gettext("low scores"), count=found.size)
    sides = ((True, gettext("reached")), (False, gettext("not reached")))
    for reached, side in sides:
        for state in STATES:
            count = found.count(reached=reached, states=[state])
            yield row("next", words.STATES[state], whom=side, count=count, of=found.size)
    yield rate_row("reached", found.reached)
    yield rate_row("asked", found.asked)
    yield rate_row("responded", found.responded)
    for column in COLUMNS:
        yield rate_row("recovered", found.recovered(column), by=words.COLUMNS[column])
        yield rate_row("converted", found.converted(column), by=words.COLUMNS[column])
    for reached, side in sides:
        yield rate_row("recovered", found.recovered_among(reached=reached), whom=side)
    if found.difference is not None:
        shares = shares_of(found.difference.value, found.difference.interval)
        yield row("difference", gettext("difference"), shares=shares)
    yield row("bounds", gettext("bounds"), of=found.size, shares=shares_of(None, found.bounds))
    yield from group_rows(told)


def group_rows(told: list[Story]) -> Iterable[Row]:
    """Every group with its counts; those below thirty answers without a share."""
    for by, (label, key) in GROUPINGS.items():
        found = ranking(told, key)
        name = naming(by, found)
        for group in found.ranked:
            yield rate_row("recovered", group.recovered, by=label, whom=name(group.key))
        for group in found.small:
            yield row(
                "few",
                RATE_NAMES["recovered"],
                by=label,
                whom=name(group.key),
                count=group.recovered.hits,
                of=group.recovered.n,
            )


RATE_NAMES: Final[dict[str, Promise]] = {
    "reached": _("reached"),
    "asked": _("asked again"),
    "responded": _("response"),
    "recovered": _("recovered"),
    "converted": _("converted"),
}


def rate_row(code: str, rate: Rate, *, by: object = "", whom: object = "") -> Row:
    shares = shares_of(rate.share, rate.interval)
    return row(code, RATE_NAMES[code], by=by, whom=whom, count=rate.hits, of=rate.n, shares=shares)


def row(
    code: str,
    name: object,
    *,
    by: object = "",
    whom: object = "",
    count: object = "",
    of: object = "",
    shares: Iterable[object] = ("", "", ""),
) -> Row:
    return [name, by, whom, count, of, *shares, DEFINITIONS[code]]


def shares_of(share: float | None, ends: Interval | None) -> list[object]:
    known = [share, ends.low if ends else None, ends.high if ends else None]
    return ["" if value is None else round(value, 4) for value in known]


def plain(value: object) -> object:
    """Text that a spreadsheet would run as a formula is kept as text."""
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text[:1] in ("=", "+", "-", "@", "\t", "\r") else value
