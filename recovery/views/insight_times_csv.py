"""How fast, as a file: promises kept and how long people waited, as on the page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery.insight.definitions import DEFINITIONS
from recovery.insight.dues import OWNER
from recovery.insight.times import KINDS, Pace, Times
from recovery.views import door, insight_slice
from recovery.views.insight_file import as_file, dated
from recovery.views.insight_times import KIND_NAMES
from recovery.views.insight_times_groups import GROUP_NAMES, group_names, times_for
from surveys.estimates import MIN_ANSWERS_FOR_PERCENT, CensoredTimes

Row = list[object]
BLANK: Final = ("", "", "")
PERCENTILES: Final = ((50, _("half within")), (80, _("four in five within")))


@door.staff_page()
@require_safe
def export_times(request: HttpRequest) -> HttpResponse:
    """Shares as fractions of 1, times in minutes; an end that was not reached is left empty."""
    asked = insight_slice.read(request, now())
    found = times_for(asked)
    return as_file(dated("times", asked), heads(), times_rows(found))


def heads() -> list[str]:
    return [
        pgettext("figure", "number"),
        gettext("by"),
        gettext("of whom"),
        gettext("count"),
        gettext("of"),
        gettext("value"),
        pgettext("end of an interval", "low"),
        pgettext("end of an interval", "high"),
        gettext("unit"),
        gettext("definition"),
    ]


def times_rows(found: Times) -> Iterable[Row]:
    """Groups as on the page: those of ten and more, of the others nothing but the total is said. Of people
    with fewer there are the counts.
    """
    names = group_names(found)
    for kind in KINDS:
        yield from pace_rows(kind, "", "", found.all[kind])
        for by, groups in found.by.items():
            for key, pace in groups[kind].items():
                if pace.is_enough or by == OWNER:
                    yield from pace_rows(kind, GROUP_NAMES[by], names[by][key], pace)


def pace_rows(kind: str, by: str | Promise, whom: str, pace: Pace) -> Iterable[Row]:
    kept, waited = pace.promises, pace.waited
    name, in_time = KIND_NAMES[kind]
    ends = kept.kept.interval
    shares = (kept.kept.share, ends.low, ends.high) if ends else BLANK
    meaning = DEFINITIONS[f"{kind}_kept"]
    yield row(in_time, by, whom, kept.kept.hits, kept.kept.n, shares, gettext("share"), meaning)
    for fate, count in counts_of(pace):
        said = gettext("{name}: {share}").format(name=name, share=fate)
        yield row(said, by, whom, count, "", BLANK, "", meaning)
    if pace.allowed:
        said = gettext("{name}: {share}").format(name=name, share=gettext("promised within"))
        within = ("", pace.allowed.least, pace.allowed.most)
        yield row(said, by, whom, "", "", within, gettext("working minutes"), DEFINITIONS["promised_within"])
    clocks = ((waited.working, gettext("working minutes")), (waited.calendar, gettext("minutes")))
    for run, unit in clocks:
        for percent, label in PERCENTILES:
            said = gettext("{name}: {share}").format(name=name, share=label)
            values = percentile(run, percent)
            yield row(said, by, whom, run.events, run.count, values, unit, DEFINITIONS[f"{kind}_time"])


def counts_of(pace: Pace) -> list[tuple[str, int]]:
    kept, waited = pace.promises, pace.waited
    return [
        (gettext("tickets missed"), kept.tickets_missed),
        (gettext("open and overdue"), kept.overdue),
        (gettext("still ahead"), kept.running),
        (gettext("ended early"), kept.dropped),
        (gettext("still waiting"), waited.open),
        (gettext("closed without it"), waited.closed_unheard),
        (gettext("merged into another ticket"), waited.merged),
    ]


def percentile(run: CensoredTimes, percent: int) -> Iterable[object]:
    found = run.percentile(percent) if run.count >= MIN_ANSWERS_FOR_PERCENT else None
    return (found.value, found.low, found.high) if found else BLANK


def row(
    name: str | Promise,
    by: str | Promise,
    whom: str,
    count: object,
    of: object,
    values: Iterable[object],
    unit: str,
    meaning: str | Promise,
) -> Row:
    shown = [round(each, 4) if isinstance(each, float) else "" if each is None else each for each in values]
    return [str(name), str(by), whom, count, of, *shown, unit, str(meaning)]
