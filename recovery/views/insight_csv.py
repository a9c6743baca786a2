"""The numbers of "did it work?" as a file: one a row, with its interval and its definition."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery.insight.cohort import NOT_ASKED, STATES, Story
from recovery.insight.definitions import DEFINITIONS
from recovery.insight.groups import WAIT_NAMES, groups_of, names_of
from recovery.insight.recovery import COLUMNS, Rate, dose, recovery
from recovery.insight.told import WAIT, Told
from recovery.views import door, insight_slice
from recovery.views import insight_words as words
from recovery.views.insight_file import as_file, dated, heads_of_shares
from recovery.views.insight_groups import GROUPINGS
from surveys.estimates import Interval


@door.staff_page()
@require_safe
def export_csv(request: HttpRequest) -> HttpResponse:
    """The numbers of the page with their intervals and definitions, one a row."""
    asked = insight_slice.read(request, now())
    return as_file(dated("recovery", asked), heads_of_shares(), csv_rows(asked.kept))


Row = list[object]


def csv_rows(kept: Told) -> Iterable[Row]:
    told = kept.counted(WAIT)
    found = recovery(told)
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
    yield rate_row("unanswered", Rate(found.unanswered, found.size))
    yield rate_row("lasting", found.lasting)
    yield row("reached_later", gettext("reached too late"), count=found.reached_later, of=found.size)
    for reason, count in found.why_not_asked.most_common():
        yield row("asked", words.STATES[NOT_ASKED], by=words.why_words(reason), count=count, of=found.size)
    yield from dose_rows(told)
    yield from group_rows(kept)


def dose_rows(told: list[Story]) -> Iterable[Row]:
    found = dose(told)
    for wait, rate in found.recovered.items():
        shares = shares_of(rate.share, rate.interval)
        name, within = RATE_NAMES["recovered"], WAIT_NAMES[wait]
        yield row(
            "dose",
            name,
            by=gettext("time to contact"),
            whom=within,
            count=rate.hits,
            of=rate.n,
            shares=shares,
        )
    if found.per_step is not None:
        shares = shares_of(found.per_step.value, found.per_step.interval)
        yield row("dose", gettext("change per step of waiting"), of=found.n, shares=shares)


def group_rows(kept: Told) -> Iterable[Row]:
    """Every group with its counts; those below thirty answers without a share."""
    for by, label in GROUPINGS.items():
        found = groups_of(kept, by)
        name = names_of(by, [group.key for group in found])
        for group in found.ranked:
            yield rate_row("recovered", group.recovered, by=label, whom=name(group.key))
            if group.difference is not None:
                shares = shares_of(group.difference.value, group.difference.interval)
                against = gettext("difference to all others")
                yield row("group_difference", against, by=label, whom=name(group.key), shares=shares)
        for group in found.small:
            rate = group.recovered
            few = RATE_NAMES["recovered"]
            yield row("few", few, by=label, whom=name(group.key), count=rate.hits, of=rate.n)


RATE_NAMES: Final[dict[str, Promise]] = {
    "reached": _("reached"),
    "asked": _("asked again"),
    "responded": _("response"),
    "recovered": _("recovered"),
    "converted": _("converted"),
    "lasting": _("lasting"),
    "unanswered": _("without an answer"),
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
