"""One page for the board: a sentence, a picture, five figures, targets, causes, and how we know."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery.insight.board import Board, board_of
from recovery.insight.cohort import RECOVERED
from recovery.insight.definitions import DEFINITIONS
from recovery.insight.recovery import Rate
from recovery.views import door, hold_out_words, insight_slice
from recovery.views import insight_survey_words as survey_words
from recovery.views import insight_value_words as money_words
from recovery.views import insight_words as words
from recovery.views.insight_frame import Line, behind, page, rate_line
from recovery.views.insight_goals import Goals, Row, goals_among, period_of
from recovery.views.insight_pictures import flow_picture
from recovery.views.insight_slice import Asked
from recovery.views.insight_targets import url_of
from recovery.views.insight_value import beside, people_url
from surveys.results import Figure

MOST_CAUSES, MOST_TARGETS = 5, 6


@door.staff_page()
@require_safe
def show_board(request: HttpRequest) -> HttpResponse:
    asked = insight_slice.read(request, now())
    board = board_of(asked.seen, door.teams_of(request), asked.which, period_of(asked), asked.at)
    return page(
        request,
        "insight_board",
        asked,
        "insight",
        found=board.found,
        reached=words.reached_words(board.found),
        by_lot=[(each.hold_out, hold_out_words.verdict(each)) for each in board.hold_outs],
        comparison=words.comparison(board.found),
        picture=flow_picture(board.found, lambda which: behind(asked, **which)) if board.found.size else None,
        all_url=behind(asked),
        reached_url=behind(asked, reached="1"),
        lines=five_figures(board, asked, goals_among(board.targets, asked)),
        targets=[Row(each, url_of(each, asked)) for each in board.targets[:MOST_TARGETS]],
        targets_left=max(0, len(board.targets) - MOST_TARGETS),
        causes=causes(board, asked),
        causes_known=board.causes.known,
        page_url=f"{reverse('insight')}?{asked.query}",
    )


def five_figures(board: Board, asked: Asked, goals: Goals) -> list[Line]:
    found, risk = board.found, board.value.at_risk
    return [
        survey_line(board, asked),
        rate_line(
            "reached", _("Reached"), found.reached, behind(asked, reached="1"), goal=goals.get("reached")
        ),
        rate_line(
            "first_contact_kept",
            _("Contacted in time"),
            board.contacted,
            times_url(asked),
            goal=goals.get("contacted_in_time"),
        ),
        rate_line(
            "recovered",
            _("Recovered"),
            found.recovered(),
            behind(asked, state=",".join(RECOVERED)),
            goal=goals.get("recovered"),
        ),
        Line(
            _("Value at risk"),
            money_words.stakes_words(risk),
            DEFINITIONS["value_at_risk"],
            people_url(asked, "at_risk") if risk.customers else "",
            " · ".join(beside(risk)),
        ),
    ]


def times_url(asked: Asked) -> str:
    return f"{reverse('insight-times')}?{asked.query}"


def survey_line(board: Board, asked: Asked) -> Line:
    """The NPS with its interval; of another kind of survey the share of its high answers."""
    if board.survey is None:
        asks = any(each.kind == "nps" for each in asked.surveys)
        said = gettext("no answers") if asks else gettext("no survey asks it")
        return Line(_("NPS"), "–", DEFINITIONS["nps"], note=said)
    figure, survey = board.survey.figure, board.survey.survey
    name = survey_words.NAMES[figure.kind]
    counts = ngettext("{n} answer", "{n} answers", figure.answered).format(n=f"{figure.answered:,}")
    url = survey_url(asked, survey.pk)
    goal = goals_among(board.targets, asked, survey=survey.pk).get(figure.kind)
    note = f"{survey} · {counts}"
    return Line(name, figure_words(figure), DEFINITIONS[figure.kind], url, note, goal=goal)


def survey_url(asked: Asked, survey: int) -> str:
    """Where the same answers make the same figure: the survey's own tab, with every filter of this page."""
    query = QueryDict(asked.query, mutable=True)
    query["survey"] = str(survey)
    return f"{reverse('insight-surveys')}?{query.urlencode()}"


def figure_words(figure: Figure) -> str:
    if figure.value is None:
        return gettext("too few answers") if figure.answered else gettext("no answers")
    return survey_words.figure_words(figure)


def causes(board: Board, asked: Asked) -> list[tuple[Any, str, str]]:
    return [
        (
            row.cause,
            words.counts_words(Rate(row.count, board.causes.known)),
            behind(asked, cause_found=str(row.cause.pk)),
        )
        for row in board.causes.rows[:MOST_CAUSES]
    ]
