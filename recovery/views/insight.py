"""Did it work? What became of the low scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery.insight.cohort import BANDS, RECOVERED, STATES, STILL_IN_WORK, Story
from recovery.insight.definitions import DEFINITIONS
from recovery.insight.groups import CAUSE, FIELDS, WAIT_NAMES
from recovery.insight.hold_out import planned_of
from recovery.insight.recovery import COLUMNS, Rate, Recovery, dose, recovery
from recovery.insight.told import WAIT
from recovery.views import door, insight_slice
from recovery.views import insight_words as words
from recovery.views.insight_again import in_work_again
from recovery.views.insight_frame import Line, behind, page, rate_line
from recovery.views.insight_goals import Goals, goals_for
from recovery.views.insight_groups import GROUPINGS, groups
from recovery.views.insight_hold_out import shown_hold_outs
from recovery.views.insight_pictures import figures_picture, flow_picture
from recovery.views.insight_slice import Asked
from surveys.scoring import PROMOTER

# Everybody without a next answer.
SILENT: Final = tuple(state for state in STATES if state not in BANDS)


@door.staff_page()
@require_safe
def show_recovery(request: HttpRequest) -> HttpResponse:
    asked = insight_slice.read(request, now())
    by = door.asked(request, "by")
    by = by if by in GROUPINGS else CAUSE
    told = asked.kept.counted(*sorted({WAIT, FIELDS[by]}))
    found = recovery(told)
    goals = goals_for(asked, numbers_of(found)) if found.size else {}
    lines = recovery_lines(found, asked, goals)
    return page(
        request,
        "insight",
        asked,
        "insight",
        found=found,
        hold_outs=shown_hold_outs(asked),
        planned=planned_of(asked.which),
        reached=words.reached_words(found),
        comparison=words.comparison(found),
        picture=flow_picture(found, lambda which: behind(asked, **which)) if found.size else None,
        figures_picture=figures_picture(lines),
        all_url=behind(asked),
        reached_url=behind(asked, reached="1"),
        table=matrix(found, asked),
        lines=lines,
        goals=goals,
        dose=dose_line(told, asked),
        ever_and_now=ever_and_now(found, asked, goals),
        why=why_not_asked(found, asked),
        again=in_work_again(asked, found.count(states=[STILL_IN_WORK])) if found.size else None,
        csv_url=f"{reverse('insight-csv')}?{asked.query}",
        **groups(told, by, asked, goals),
    )


def numbers_of(found: Recovery) -> dict[str, Rate]:
    """Those of the page that can have a target."""
    return {
        "recovered": found.recovered(),
        "converted": found.converted(),
        "reached": found.reached,
        "responded": found.responded,
    }


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


def recovery_lines(found: Recovery, asked: Asked, goals: Goals) -> list[Line]:
    """Every figure with its counts, its interval, its meaning and its target."""
    answered, recovered = ",".join(BANDS), ",".join(RECOVERED)

    def line(code: str, name: str | Promise, rate: Rate, **which: str) -> Line:
        return rate_line(code, name, rate, behind(asked, **which), goal=goals.get(code))

    return [
        line("recovered", _("Recovered"), found.recovered(), state=recovered),
        *compared_lines(found, asked),
        Line(_("Bounds"), bounds_words(found), DEFINITIONS["bounds"]),
        line("unanswered", _("Without an answer"), silent(found), state=",".join(SILENT)),
        line("converted", _("Converted"), found.converted(), state=PROMOTER),
        lasting_line(found, asked),
        line("reached", _("Reached"), found.reached, reached="1"),
        *too_late_lines(found, asked),
        line("asked", _("Asked again"), found.asked, stage="asked"),
        line("responded", _("Response"), found.responded, stage="asked", state=answered),
    ]


def silent(found: Recovery) -> Rate:
    return Rate(found.unanswered, found.size)


def compared_lines(found: Recovery, asked: Asked) -> list[Line]:
    """Both sides of the comparison, and the difference where there is one."""
    sides = ((True, "1", _("Recovered, of the reached")), (False, "0", _("Recovered, of those not reached")))
    state = ",".join(RECOVERED)
    lines = [
        rate_line(
            "recovered_among",
            name,
            found.recovered_among(reached=reached),
            behind(asked, reached=code, state=state),
        )
        for reached, code, name in sides
    ]
    lines[0] = replace(lines[0], definition="")  # said once, below both
    if found.difference is not None:
        text = words.difference_words(found.difference)
        lines.append(Line(_("Difference"), text, DEFINITIONS["difference"]))
    return lines


def lasting_line(found: Recovery, asked: Asked) -> Line:
    since = gettext("{answered} of {n} converted have answered once more").format(
        answered=f"{found.lasting.n:,}", n=f"{found.converted().hits:,}"
    )
    url = behind(asked, lasting=PROMOTER)
    return rate_line("lasting", _("Lasting"), found.lasting, url, since if found.converted().hits else "")


def too_late_lines(found: Recovery, asked: Asked) -> list[Line]:
    if not found.reached_later:
        return []
    text, url = f"{found.reached_later:,}", behind(asked, later="1")
    return [Line(_("Reached too late"), text, DEFINITIONS["reached_later"], url)]


def dose_line(told: list[Story], asked: Asked) -> Line:
    found = dose(told)
    note = " · ".join(
        f"{WAIT_NAMES[wait]}: {words.rate_of_words(rate)}" for wait, rate in found.recovered.items() if rate.n
    )
    return Line(_("Time to contact"), words.dose_words(found), DEFINITIONS["dose"], note=note)


def why_not_asked(found: Recovery, asked: Asked) -> list[tuple[str, int, str]]:
    return [
        (words.why_words(code), count, behind(asked, why=code))
        for code, count in found.why_not_asked.most_common()
    ]


def bounds_words(found: Recovery) -> str:
    bounds = found.bounds
    if bounds is None or found.size < 10:
        most = found.recovered().hits + found.unanswered
        return gettext("{low} to {high} of {n}").format(low=found.recovered().hits, high=most, n=found.size)
    return gettext("{low} to {high} of all {n}").format(
        n=f"{found.size:,}", low=words.percent(bounds.low), high=words.percent(bounds.high)
    )


def ever_and_now(found: Recovery, asked: Asked, goals: Goals) -> list[dict[str, Any]]:
    """Recovered and converted by the next, the latest and the best answer; a target is one of the next."""
    measures: list[tuple[str, str | Promise, Callable[[str], Rate], tuple[str, ...]]] = [
        ("recovered", _("Recovered"), found.recovered, RECOVERED),
        ("converted", _("Converted"), found.converted, (PROMOTER,)),
    ]
    return [
        {
            "name": name,
            "cells": [
                rate_cell(rate(column), behind(asked, column=column, state=",".join(states)))
                for column in COLUMNS
            ],
            "goal": goals.get(code),
        }
        for code, name, rate, states in measures
    ]


def rate_cell(rate: Rate, url: str) -> tuple[str, str, str]:
    """The rate, its counts where it does not consist of them, and its tickets."""
    counts = words.counts_words(rate) if rate.share is not None else ""
    return words.rate_words(rate), counts, url if rate.n else ""
