"""The numbers of the loop as a file: one a row, with its interval and its definition."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final, TypeVar

from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery.insight.cycles import Cycles
from recovery.insight.definitions import DEFINITIONS
from recovery.insight.funnel import Funnel
from recovery.insight.loop import Loop
from recovery.insight.reach import Reach, Search, Tally
from recovery.insight.recovery import Rate
from recovery.insight.waiting import Waiting, by_owner
from recovery.models import Cause
from recovery.views import door, insight_slice
from recovery.views import insight_loop_words as loop_words
from recovery.views.insight_file import as_file, dated
from recovery.views.insight_loop_behind import loop_of
from recovery.views.insight_loop_names import names_of
from recovery.views.words import channel_word
from surveys.estimates import MIN_ANSWERS_FOR_PERCENT, CensoredTimes

Row = list[object]
Key = TypeVar("Key")
BLANK: Final = ("", "", "")


@door.staff_page()
@require_safe
def export_loop(request: HttpRequest) -> HttpResponse:
    asked = insight_slice.read(request, now())
    return as_file(dated("loop", asked), heads(), loop_rows(loop_of(asked), asked.people_of))


def heads() -> list[str]:
    return [
        pgettext("figure", "number"),
        gettext("of whom"),
        gettext("count"),
        gettext("of"),
        gettext("value"),
        pgettext("end of an interval", "low"),
        pgettext("end of an interval", "high"),
        gettext("unit"),
        gettext("definition"),
    ]


def loop_rows(found: Loop, people_of: Collection[int] | None) -> Iterable[Row]:
    yield from funnel_rows(found.funnel)
    yield from reach_rows(found.reach)
    yield from search_rows(found.reach.search)
    yield from waiting_rows(found.waiting, people_of)
    yield from cycle_rows(found.cycles)


def funnel_rows(found: Funnel) -> Iterable[Row]:
    for step in found.steps:
        name = loop_words.STAGES[step.stage]
        yield rate_row("loop_funnel", name, "", found.rate(step.stage))
        for loss, count in step.losses:
            yield rate_row("loop_funnel", name, loop_words.loss_words(loss), Rate(count, step.count))


def reach_rows(found: Reach) -> Iterable[Row]:
    yield rate_row("loop_slots", REACHED, "", found.everything.rate)
    yield from tally_rows(loop_words.slot, found.slots)
    yield from tally_rows(loop_words.weekday, found.weekdays)
    yield from tally_rows(loop_words.hour, found.hours)
    yield from tally_rows(channel_word, found.channels)


REACHED: Final = _("attempts that reached somebody")


def tally_rows(name: Callable[[Key], str], tallies: Mapping[Key, Tally]) -> Iterable[Row]:
    for key in sorted(tallies, key=str):
        yield rate_row("loop_slots", REACHED, name(key), tallies[key].rate)


def search_rows(found: Search) -> Iterable[Row]:
    code, cost = "loop_attempts", found.per_reach
    ends = (cost.value, cost.low, cost.high) if cost else BLANK
    rate = found.rate
    yield row(code, _("attempts per reach"), "", rate.n, rate.hits, ends, _("attempts"))
    for step in found.times.telling:
        shares = (1 - step.survival, 1 - step.high, 1 - step.low)
        attempt = gettext("attempt {n}").format(n=f"{step.time:.0f}")
        yield row(code, _("reached by then"), attempt, step.events, step.at_risk, shares, _("share"))


def waiting_rows(found: Waiting, people_of: Collection[int] | None) -> Iterable[Row]:
    yield from wait_rows("", found)
    owners = by_owner(found, people_of)
    groups = [*owners.ranked, *owners.listed]
    names = names_of(by for by, _some in groups)
    for by, some in groups:
        yield from wait_rows(names[by], some)


def wait_rows(whom: str, found: Waiting) -> Iterable[Row]:
    code, n = "loop_waiting", len(found.pauses)
    yield rate_row(code, _("waits that began after a reply"), whom, found.after_reply)
    minutes = (round(found.minutes, 1), "", "")
    yield row(code, _("time the clock stood"), whom, n, "", minutes, _("working minutes"))
    half = median(found.lengths)
    yield row(code, _("half of the waits over within"), whom, n, "", half, _("working minutes"))


def median(times: CensoredTimes) -> tuple[object, object, object]:
    found = times.median if times.count >= MIN_ANSWERS_FOR_PERCENT else None
    return (found.value, found.low, found.high) if found else BLANK


def cycle_rows(found: Cycles) -> Iterable[Row]:
    size = found.size
    for number, count in sorted(found.distribution.items()):
        yield rate_row("loop_cycles", _("tickets"), loop_words.cycles_words(number), Rate(count, size))
    yield rate_row("loop_cycles", REOPENED, "", found.reopened)
    groups = found.by_cause
    names = {cause.code: str(cause) for cause in Cause.objects.filter(code__in=groups)}
    for code, rate in sorted(groups.items()):
        yield rate_row("loop_cycles", REOPENED, names.get(code, code), rate)


REOPENED: Final = _("reopened after it was resolved")


def rate_row(code: str, name: str | Promise, whom: str, rate: Rate) -> Row:
    ends = rate.interval
    values = (rate.share, ends.low, ends.high) if ends else BLANK
    return row(code, name, whom, rate.hits, rate.n, values, _("share"))


def row(
    code: str,
    name: str | Promise,
    whom: str,
    count: object,
    of: object,
    values: Iterable[object],
    unit: str | Promise,
) -> Row:
    shown = [round(each, 4) if isinstance(each, float) else "" if each is None else each for each in values]
    return [str(name), whom, count, of, *shown, str(unit), str(DEFINITIONS[code])]
