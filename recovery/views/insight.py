"""Did it work? What became of the low scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery.insight.cohort import BANDS, RECOVERED, STATES, stories
from recovery.insight.definitions import DEFINITIONS
from recovery.insight.recovery import COLUMNS, Rate, Recovery, recovery
from recovery.views import door, insight_slice
from recovery.views import insight_words as words
from recovery.views.insight_frame import Line, behind, page, rate_line
from recovery.views.insight_groups import GROUPINGS, groups
from recovery.views.insight_pictures import flow_picture
from recovery.views.insight_slice import Asked


@door.staff_page()
@require_safe
def show_recovery(request: HttpRequest) -> HttpResponse:
    asked = insight_slice.read(request, now())
    told = stories(asked.cohort)
    found = recovery(told)
    by = door.asked(request, "by")
    return page(
        request,
        "insight",
        asked,
        "insight",
        found=found,
        reached=words.reached_words(found),
        comparison=words.comparison(found),
        picture=flow_picture(found) if found.size else None,
        all_url=behind(asked),
        reached_url=behind(asked, reached="1"),
        table=matrix(found, asked),
        lines=recovery_lines(found, asked),
        ever_and_now=ever_and_now(found, asked),
        why=[(words.why_words(code), count) for code, count in found.why_not_asked.most_common()],
        csv_url=f"{reverse('insight-csv')}?{asked.query}",
        **groups(told, by if by in GROUPINGS else "cause"),
    )


@dataclass(frozen=True)
class Cell:
    count: int
    url: str


def matrix(found: Recovery, asked: Asked) -> dict[str, Any]:
    """Reached or not by next answer; a column without anybody is left out, but never a band or the silent."""
    shown = [state for state in STATES if found.columns["next"][state] or state in (*BANDS, "no_answer")]
    sides = ((True, gettext("Reached")), (False, gettext("Not reached")), (None, gettext("All")))
    rows = [
        (name, [cell(found, asked, side, [state]) for state in shown] + [cell(found, asked, side, STATES)])
        for side, name in sides
    ]
    return {"heads": [words.STATES[state] for state in shown], "rows": rows}


def cell(found: Recovery, asked: Asked, reached: bool | None, states: Iterable[str]) -> Cell:
    states = list(states)
    which = {"state": ",".join(states)} if len(states) < len(STATES) else {}
    if reached is not None:
        which["reached"] = "1" if reached else "0"
    return Cell(found.count(reached=reached, states=states), behind(asked, **which))


def recovery_lines(found: Recovery, asked: Asked) -> list[Line]:
    answered, recovered = ",".join(BANDS), ",".join(RECOVERED)
    lines = [
        rate_line("recovered", _("Recovered"), found.recovered(), behind(asked, state=recovered)),
        Line(_("Bounds"), bounds_words(found), DEFINITIONS["bounds"]),
        rate_line("converted", _("Converted"), found.converted(), behind(asked, state="promoter")),
        rate_line("reached", _("Reached"), found.reached, behind(asked, reached="1"), later_words(found)),
        rate_line("asked", _("Asked again"), found.asked, behind(asked, stage="asked")),
        rate_line("responded", _("Response"), found.responded, behind(asked, stage="asked", state=answered)),
    ]
    if found.difference is not None:
        text = words.difference_words(found.difference)
        lines.insert(2, Line(_("Difference"), text, DEFINITIONS["difference"]))
    return lines


def bounds_words(found: Recovery) -> str:
    bounds = found.bounds
    if bounds is None or found.size < 10:
        most = found.recovered().hits + found.unanswered
        return gettext("{low} to {high} of {n}").format(low=found.recovered().hits, high=most, n=found.size)
    return gettext("{low} to {high} of all {n}").format(
        n=f"{found.size:,}", low=words.percent(bounds.low), high=words.percent(bounds.high)
    )


def later_words(found: Recovery) -> str:
    if not found.reached_later:
        return ""
    return ngettext(
        "{n} more was reached only after they had answered",
        "{n} more were reached only after they had answered",
        found.reached_later,
    ).format(n=f"{found.reached_later:,}")


def ever_and_now(found: Recovery, asked: Asked) -> list[dict[str, Any]]:
    """Recovered and converted by the next, the latest and the best answer."""
    measures: list[tuple[str | Promise, Callable[[str], Rate], tuple[str, ...]]] = [
        (_("Recovered"), found.recovered, RECOVERED),
        (_("Converted"), found.converted, BANDS[:1]),
    ]
    return [
        {
            "name": name,
            "cells": [
                (words.rate_words(rate(column)), behind(asked, column=column, state=",".join(states)))
                for column in COLUMNS
            ],
        }
        for name, rate, states in measures
    ]
