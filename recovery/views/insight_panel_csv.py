"""The numbers of the panel as a file: one a row, with its interval and its definition."""

from __future__ import annotations

from collections.abc import Iterable

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, pgettext
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery.views import door, insight_slice
from recovery.views import insight_panel_words as words
from recovery.views.insight_csv import Row, row
from recovery.views.insight_file import as_file, dated
from recovery.views.insight_panel import beside, wanted_of, ways_to_begin
from recovery.views.insight_survey_words import suspicion_words
from surveys.estimates import Difference, Interval
from surveys.panel import BANDS, COLUMNS, NOT_LOW, STATES, Paired, Panel, Waves
from surveys.results import Figure
from surveys.scoring import PROMOTER


@door.staff_page()
@require_safe
def export_panel(request: HttpRequest) -> HttpResponse:
    asked = insight_slice.read(request, now())
    wanted = wanted_of(request, asked)
    rows: list[Row] = []
    if wanted is not None:
        found, compared = wanted.panel, wanted.waves
        rows = [*cell_rows(found), *share_rows(found), *change_rows(found)]
        rows += [row("panel_scale", name, count=count) for name, count, _url in beside(found, wanted)]
        if found.suspicion:
            rows.append(row("panel_scale", suspicion_words(found.suspicion)))
        rows += wave_rows(compared) if compared else []
    return as_file(dated("same-people", asked), heads(), rows)


def heads() -> list[str]:
    """The columns are those of every file of figures; points stand where shares do."""
    return [
        pgettext("figure", "number"),
        gettext("by"),
        gettext("of whom"),
        gettext("count"),
        gettext("of"),
        pgettext("a number", "value"),
        pgettext("end of an interval", "low"),
        pgettext("end of an interval", "high"),
        gettext("definition"),
    ]


def cell_rows(found: Panel) -> Iterable[Row]:
    """The matrix: of those who began so, how many are now what."""
    began, states = words.began(found.survey.kind), words.states(found.survey.kind)
    for first in BANDS:
        for state in STATES:
            yield row(
                "panel_people",
                states[state],
                whom=began[first],
                count=found.count([first], [state]),
                of=found.count([first]),
            )


def share_rows(found: Panel) -> Iterable[Row]:
    """High, and not low, now and ever; each with its bounds over everybody."""
    names = words.shares(found.survey.kind)
    for whom, firsts in ways_to_begin(found):
        measures = [(states, column) for states in ((PROMOTER,), NOT_LOW) for column in COLUMNS]
        for name, (states, column) in zip(names, measures, strict=True):
            share, code = found.share(column, states, firsts), f"panel_{column}"
            numbers = ends_of(share.share, share.interval)
            yield row(code, name, whom=whom, count=share.hits, of=share.n, shares=numbers)
            limits = ends_of(None, share.bounds)
            yield row(code, name, by=gettext("bounds"), whom=whom, of=share.everyone, shares=limits)


def change_rows(found: Panel) -> Iterable[Row]:
    yield from paired_rows("panel_change", found.change, gettext("first answer"), gettext("latest answer"))


def wave_rows(found: Waves) -> Iterable[Row]:
    yield from paired_rows("waves", found.paired, gettext("first wave"), gettext("second wave"))
    yield row("waves", gettext("answered in the first wave only"), count=found.only_first)
    yield row("waves", gettext("answered in the second wave only"), count=found.only_second)
    for name, again in (
        (gettext("answered in the first wave only when asked again"), found.again_first),
        (gettext("answered in the second wave only when asked again"), found.again_second),
    ):
        yield row("waves", name, count=again)


def paired_rows(code: str, paired: Paired, earlier: str, later: str) -> Iterable[Row]:
    yield figure_row(code, earlier, paired.earlier)
    yield figure_row(code, later, paired.later)
    yield row(code, gettext("change"), of=paired.n, shares=difference_of(paired.difference))


def figure_row(code: str, name: str, figure: Figure) -> Row:
    return row(code, name, of=figure.answered, shares=ends_of(figure.value, figure.interval))


def difference_of(found: Difference | None) -> list[object]:
    return ends_of(found.value, found.interval) if found else ["", "", ""]


def ends_of(value: float | None, ends: Interval | None) -> list[object]:
    known = [value, ends.low if ends else None, ends.high if ends else None]
    return ["" if each is None else round(each, 4) for each in known]
