"""The numbers of the value page as a file: one a row, with its range or interval and its definition."""

from __future__ import annotations

from collections.abc import Iterable

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, pgettext
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery.insight.definitions import DEFINITIONS
from recovery.insight.given import Given
from recovery.insight.recovery import Rate
from recovery.insight.retention import Table
from recovery.insight.value import Stakes
from recovery.insight.worth import Worth
from recovery.views import door, insight_slice
from recovery.views import insight_value_words as money_words
from recovery.views.insight_file import as_file, dated
from recovery.views.insight_value import worth_for

Row = list[object]


@door.staff_page()
@require_safe
def export_value(request: HttpRequest) -> HttpResponse:
    """Amounts in the currency they were recorded in, shares as fractions of 1."""
    asked = insight_slice.read(request, now())
    heads = [
        pgettext("figure", "number"),
        gettext("of whom"),
        gettext("count"),
        gettext("of"),
        gettext("value"),
        pgettext("end of an interval", "low"),
        pgettext("end of an interval", "high"),
        gettext("definition"),
    ]
    found = worth_for(door.staff(request), asked)
    return as_file(dated("value", asked), heads, rows(found))


def rows(found: Worth) -> Iterable[Row]:
    yield stakes_row("value_at_risk", gettext("value at risk"), found.value.at_risk)
    well = found.value.at_risk.well
    yield row(
        "value_at_risk",
        gettext("value of those at risk who have answered well since"),
        count=well.customers,
        of=found.value.at_risk.customers,
        value=well.worth,
    )
    yield stakes_row("value_kept", gettext("value kept"), found.value.kept)
    yield rate_row("lost", gettext("lost"), found.lost.rate)
    yield row("lost", gettext("value of the lost"), count=len(found.lost.customers), value=found.lost.worth)
    yield rate_row("lost_owed", gettext("lost with a ticket"), found.lost.owed)
    for reason, count in found.lost.reasons:
        yield row("lost", gettext("lost"), whom=reason, count=count, of=len(found.lost.customers))
    yield rate_row("repeat_contact", gettext("repeat contact"), found.comebacks.rate)
    yield from goodwill_rows(found.given)
    yield from retention_rows(found.value.table)


def stakes_row(code: str, name: str, found: Stakes) -> Row:
    total = found.total
    ends = (total.value, total.low, total.high) if found.counted else ("", "", "")
    return row(code, name, count=found.counted, of=found.customers, value=ends[0], ends=ends[1:])


def goodwill_rows(found: Given) -> Iterable[Row]:
    sides = (
        (gettext("tickets with goodwill"), found.per_ticket),
        (gettext("recovered"), found.per_recovered),
    )
    for name, spent in sides:
        yield row("goodwill", gettext("goodwill"), whom=name, count=spent.count, value=spent.cost)
        if spent.each is not None:
            yield row("goodwill", gettext("goodwill each"), whom=name, count=spent.count, value=spent.each)
    for each in found.by_cause:
        cause = each.cause or gettext("no cause known yet")
        spent = each.spent
        yield row("goodwill", gettext("goodwill"), whom=str(cause), count=spent.count, value=spent.cost)


def retention_rows(table: Table) -> Iterable[Row]:
    for level, found in table.items():
        name = str(money_words.LEVEL_NAMES[level])
        ends = (found.low, found.high)
        yield row("expected_retention", gettext("expected to stay"), whom=name, value=found.middle, ends=ends)


def rate_row(code: str, name: str, rate: Rate) -> Row:
    interval = rate.interval
    ends = (interval.low, interval.high) if interval else ("", "")
    value = "" if rate.share is None else rate.share
    return row(code, name, count=rate.hits, of=rate.n, value=value, ends=ends)


def row(
    code: str,
    name: str,
    *,
    whom: str = "",
    count: object = "",
    of: object = "",
    value: object = "",
    ends: Iterable[object] = ("", ""),
) -> Row:
    figures = [round(each, 4) if isinstance(each, float) else each for each in (value, *ends)]
    return [name, whom, count, of, *figures, DEFINITIONS[code]]
