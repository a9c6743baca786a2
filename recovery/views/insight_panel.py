"""The same people: how those who answered began, what they say now, and two waves of them compared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery.insight.definitions import DEFINITIONS
from recovery.insight.said import which_answers
from recovery.pictures import NARROW, WIDE, Labels
from recovery.pictures.matrix import Part, Row, matrix_svg
from recovery.views import door, insight_slice
from recovery.views import insight_panel_words as words
from recovery.views.filters import number
from recovery.views.insight_frame import page
from recovery.views.insight_of_answers import hidden_fields, link, survey_of
from recovery.views.insight_pictures import Picture
from recovery.views.insight_slice import Asked, day_of, midnight
from recovery.views.insight_survey_words import figure_words, scale_words, suspicion_words
from recovery.views.insight_surveys import declare_url
from recovery.views.insight_words import TONES
from surveys.eras import Era
from surveys.models import Survey
from surveys.panel import (
    BANDS,
    COLUMNS,
    NOT_LOW,
    NOW,
    STATES,
    Answers,
    Line,
    Panel,
    Waves,
    eras_of,
    line_of,
    panel,
    waves,
)
from surveys.results import Which
from surveys.scoring import DETRACTOR, PROMOTER

WAVE_DAYS: Final = ("first_from", "first_to", "second_from", "second_to")
OWN: Final = ("scale", *WAVE_DAYS)


@dataclass(frozen=True)
class Days:
    """The days of two waves, both ends included."""

    first_from: date
    first_to: date
    second_from: date
    second_to: date


@dataclass(frozen=True)
class Wanted:
    """Which panel the address asks for: of which survey, on which of its scales, and which two waves."""

    request: HttpRequest
    asked: Asked
    which: Which
    survey: Survey
    eras: list[Era]
    era: Era
    days: Days | None

    @cached_property
    def line(self) -> Line:
        return line_of(self.survey)

    @property
    def answers(self) -> Answers:
        return Answers(self.survey, self.era, self.which, self.line)

    @cached_property
    def panel(self) -> Panel:
        return panel(self.survey, self.which, self.era, self.line)

    @property
    def windows(self) -> tuple[Which, Which] | None:
        days = self.days
        if days is None:
            return None
        first, second = (
            replace(self.which, since=midnight(begins), until=midnight(ends + timedelta(days=1)))
            for begins, ends in ((days.first_from, days.first_to), (days.second_from, days.second_to))
        )
        return first, second

    @cached_property
    def waves(self) -> Waves | None:
        return waves(self.survey, *self.windows, self.era, self.line) if self.windows else None

    def people(self, **which: str) -> str:
        return link("insight-panel-people", self.request, self.asked, OWN, **which)


def wanted_of(request: HttpRequest, asked: Asked) -> Wanted | None:
    """None where there is no survey. What is asked for wrongly is named among the errors, and left out."""
    which = which_answers(asked.which)
    survey = survey_of(asked, asked.surveys, which)
    if survey is None:
        return None
    eras = eras_of(survey, which)
    era = era_of(eras, door.asked(request, "scale"), asked.errors)
    return Wanted(request, asked, which, survey, eras, era, days_of(request, asked, era))


def era_of(eras: list[Era], text: str, errors: list[str]) -> Era:
    """By its number, the earliest is 1; else the last."""
    place = number(text)
    if text and not 1 <= place <= len(eras):
        errors.append(gettext("The survey has had no such scale; the latest one is shown."))
        return eras[-1]
    return eras[place - 1] if text else eras[-1]


def days_of(request: HttpRequest, asked: Asked, era: Era) -> Days | None:
    """The two waves asked for, else the halves of the period in which the scale was in force."""
    given = [day_of(door.asked(request, name), asked.errors) for name in WAVE_DAYS]
    usual = halves(asked, era)
    if usual is None and None in given:
        return None
    days = Days(*(day or getattr(usual, name) for day, name in zip(given, WAVE_DAYS, strict=True)))
    if days.first_from <= days.first_to < days.second_from <= days.second_to:
        return days
    asked.errors.append(
        gettext("Each wave begins before it ends, and the first ends before the second begins.")
    )
    return None


def halves(asked: Asked, era: Era) -> Days | None:
    begins, ends = (
        timezone.localtime(moment).date()
        for moment in (
            max(midnight(asked.first), era.since or midnight(asked.first)),
            min(midnight(asked.last), era.until or midnight(asked.last)),
        )
    )
    if ends <= begins:
        return None
    middle = begins + (ends - begins) // 2
    return Days(begins, middle, middle + timedelta(days=1), ends)


@door.staff_page()
@require_safe
def show_panel(request: HttpRequest) -> HttpResponse:
    asked = insight_slice.read(request, now())
    wanted = wanted_of(request, asked)
    if wanted is None:
        return page(request, "insight_panel", asked, "insight-panel", of_answers=True)
    found = wanted.panel
    return page(
        request,
        "insight_panel",
        asked,
        "insight-panel",
        of_answers=True,
        wanted=wanted,
        survey=wanted.survey,
        found=found,
        warning=suspicion_words(found.suspicion) if found.suspicion else "",
        declare_url=declare_url(request, wanted.survey),
        scale=scale_words(wanted.era.scale),
        scales=scales_of(wanted),
        all_url=wanted.people(),
        again_url=wanted.people(state=",".join(BANDS)),
        change=words.change_sentence(found),
        low=words.low_sentence(wanted.survey.kind, found.share(NOW, NOT_LOW, [DETRACTOR])),
        picture=picture_of(found) if found.size else None,
        heads=[words.states(wanted.survey.kind)[state] for state in STATES],
        rows=matrix(found, wanted),
        shares=shares(found, wanted),
        share_heads=words.shares(wanted.survey.kind),
        twice=twice(found),
        beside=beside(found, wanted),
        waves=waves_context(wanted),
        csv_url=link("insight-panel-csv", request, asked, OWN),
        definitions_shown=[
            DEFINITIONS[code]
            for code in (
                "panel_people",
                "panel_now",
                "panel_ever",
                "panel_change",
                "panel_scale",
                "waves",
                "few",
            )
        ],
    )


def scales_of(wanted: Wanted) -> list[dict[str, Any]]:
    """Where the scale changed, each of them to choose; nothing where there is only one."""
    if len(wanted.eras) < 2:
        return []
    return [
        {
            "name": scale_words(era.scale),
            "until": timezone.localtime(era.until).date() if era.until else None,
            "chosen": era == wanted.era,
            "url": link("insight-panel", wanted.request, wanted.asked, scale=str(place)),
        }
        for place, era in enumerate(wanted.eras, start=1)
    ]


def ways_to_begin(found: Panel) -> list[tuple[str, list[str]]]:
    """Each first band, and all of them."""
    began = words.began(found.survey.kind)
    return [*((str(began[first]), [first]) for first in BANDS), (gettext("All"), list(BANDS))]


def matrix(found: Panel, wanted: Wanted) -> list[dict[str, Any]]:
    """One row for each way to begin, and one for all; the last cell is the sum."""
    rows = ways_to_begin(found)
    return [
        {
            "name": name,
            "cells": [cell(found, wanted, firsts, [state]) for state in STATES]
            + [cell(found, wanted, firsts, list(STATES))],
        }
        for name, firsts in rows
    ]


def cell(
    found: Panel, wanted: Wanted, firsts: list[str], states: list[str], column: str = NOW
) -> tuple[int, str]:
    which = {"first": ",".join(firsts)} if len(firsts) < len(BANDS) else {}
    which |= {"state": ",".join(states)} if len(states) < len(STATES) else {}
    which |= {"column": column} if column != NOW else {}
    return found.count(firsts, states, column), wanted.people(**which)


def shares(found: Panel, wanted: Wanted) -> list[dict[str, Any]]:
    """Now and ever, of those who answered again, with the bounds over everybody who began so."""
    rows = ways_to_begin(found)
    return [
        {
            "name": name,
            "again": cell(found, wanted, firsts, list(BANDS)),
            "cells": [
                {
                    "text": words.share_words(share) if share.n else "–",
                    "bounds": words.bounds_words(share) if share.everyone else "",
                    "url": cell(found, wanted, firsts, list(states), column)[1] if share.hits else "",
                }
                for states in ((PROMOTER,), NOT_LOW)
                for column in COLUMNS
                for share in [found.share(column, states, firsts)]
            ],
        }
        for name, firsts in rows
    ]


def twice(found: Panel) -> dict[str, Any] | None:
    """The figures of those who answered again, at first and now."""
    if not found.answered_again:
        return None
    paired = found.change
    return {
        "n": paired.n,
        "earlier": figure_words(paired.earlier),
        "later": figure_words(paired.later),
        "change": words.change_words(paired),
    }


def beside(found: Panel, wanted: Wanted) -> list[tuple[str, int, str]]:
    """Who and what is in no cell, with the people where there are any."""
    counted = [
        (gettext("people who answered on another scale only"), found.elsewhere_only, "only"),
        (
            gettext("people above who answered on another scale too; those answers are left out"),
            found.elsewhere_too,
            "too",
        ),
        (gettext("blank answers"), found.blank, ""),
        (gettext("answers that do not lie on the scale"), found.off_scale, ""),
        (gettext("answers of nobody known"), found.nameless, ""),
    ]
    return [
        (name, count, wanted.people(elsewhere=which) if which else "")
        for name, count, which in counted
        if count
    ]


def picture_of(found: Panel) -> Picture:
    began, states = words.began(found.survey.kind), words.states(found.survey.kind)
    rows = [
        Row(
            str(began[first]),
            [
                Part(str(states[state]), found.count([first], [state]), TONES.get(state, "silent"))
                for state in STATES
            ],
        )
        for first in BANDS
    ]
    labels = Labels(gettext("How people began, and what they say now"), words.change_sentence(found))
    wide, narrow = (matrix_svg(rows, labels, width=width, ident="panel") for width in (WIDE, NARROW))
    return Picture(wide, narrow)


def days_shown(wanted: Wanted) -> dict[str, str]:
    """The days as they were typed, right or wrong; else those that are compared."""
    days = wanted.days or halves(wanted.asked, wanted.era)
    usual = {name: str(getattr(days, name)) if days else "" for name in WAVE_DAYS}
    return {name: door.asked(wanted.request, name) or usual[name] for name in WAVE_DAYS}


def waves_context(wanted: Wanted) -> dict[str, Any]:
    """The form with the days of both waves, and what came of them."""
    filled = {"fields": hidden_fields(wanted.request, ["scale"]), "days": days_shown(wanted)}
    found = wanted.waves
    if found is None:
        return filled
    paired = found.paired
    return {
        **filled,
        "found": found,
        "warning": suspicion_words(found.suspicion) if found.suspicion else "",
        "sentence": words.waves_sentence(found),
        "rows": [
            (gettext("First wave"), figure_words(paired.earlier)),
            (gettext("Second wave"), figure_words(paired.later)),
        ],
        "change": words.change_words(paired),
        "both": (found.both, wanted.people(wave="both")),
        "only_first": (found.only_first, wanted.people(wave="only_first")),
        "only_second": (found.only_second, wanted.people(wave="only_second")),
        "again_first": (found.again_first, wanted.people(wave="again_first")),
        "again_second": (found.again_second, wanted.people(wave="again_second")),
    }
