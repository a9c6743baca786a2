"""One page for the board: a sentence, a picture, five figures, targets, causes, and how we know."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery.insight.board import Board, board_of
from recovery.insight.cohort import RECOVERED
from recovery.insight.definitions import DEFINITIONS
from recovery.insight.recovery import Rate
from recovery.insight.targets import Period
from recovery.views import door, insight_slice
from recovery.views import insight_value_words as money_words
from recovery.views import insight_words as words
from recovery.views.insight_frame import Line, behind, page, rate_line
from recovery.views.insight_pictures import flow_picture
from recovery.views.insight_slice import Asked
from recovery.views.insight_targets import Row, url_of
from recovery.views.insight_value import beside, people_url

MOST_CAUSES, MOST_TARGETS = 5, 6


@door.staff_page()
@require_safe
def show_board(request: HttpRequest) -> HttpResponse:
    asked = insight_slice.read(request, now())
    period = Period(asked.first, asked.last, timezone.get_current_timezone())
    board = board_of(asked.seen, door.teams_of(request), asked.which, period, asked.at)
    return page(
        request,
        "insight_board",
        asked,
        "insight",
        found=board.found,
        reached=words.reached_words(board.found),
        comparison=words.comparison(board.found),
        picture=flow_picture(board.found) if board.found.size else None,
        all_url=behind(asked),
        reached_url=behind(asked, reached="1"),
        lines=five_figures(board, asked),
        targets=[Row(each, url_of(each, asked)) for each in board.targets[:MOST_TARGETS]],
        targets_left=max(0, len(board.targets) - MOST_TARGETS),
        causes=causes(board, asked),
        causes_known=board.causes.known,
        page_url=f"{reverse('insight')}?{asked.query}",
    )


def five_figures(board: Board, asked: Asked) -> list[Line]:
    found, risk = board.found, board.value.at_risk
    return [
        survey_line(board),
        rate_line("reached", _("Reached"), found.reached, behind(asked, reached="1")),
        rate_line("first_contact_kept", _("Contacted in time"), board.contacted, times_url(asked)),
        rate_line("recovered", _("Recovered"), found.recovered(), behind(asked, state=",".join(RECOVERED))),
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


def survey_line(board: Board) -> Line:
    """The NPS with its interval; of another kind of survey the share of its high answers."""
    if board.survey is None:
        return Line(_("NPS"), "–", DEFINITIONS["nps"], note=gettext("no survey asks it"))
    figure, survey = board.survey.figure, board.survey.survey
    name = {"nps": _("NPS"), "csat": _("Satisfied"), "ces": _("Made it easy")}[figure.kind]
    counts = gettext("{n} answers").format(n=f"{figure.answered:,}")
    url = reverse("survey", args=[survey.slug])
    return Line(name, figure_words(board), DEFINITIONS[figure.kind], url, f"{survey} · {counts}")


def figure_words(board: Board) -> str:
    assert board.survey is not None
    figure = board.survey.figure
    if figure.value is None or figure.interval is None:
        return gettext("too few answers")
    unit = 1 if figure.kind == "nps" else 100
    value, low, high = (
        f"{round(unit * each)}".replace("-", "−")
        for each in (figure.value, figure.interval.low, figure.interval.high)
    )
    share = value if figure.kind == "nps" else gettext("{n} %").format(n=value)
    return gettext("{share} ({low} to {high})").format(share=share, low=low, high=high)


def causes(board: Board, asked: Asked) -> list[tuple[Any, str, str]]:
    return [
        (
            row.cause,
            words.counts_words(Rate(row.count, board.causes.known)),
            behind(asked, cause_found=str(row.cause.pk)),
        )
        for row in board.causes.rows[:MOST_CAUSES]
    ]
