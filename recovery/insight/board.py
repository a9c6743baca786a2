"""The one page for the board: what stands on it, for the page and for the mail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from recovery.insight.causes import FOUND, Pareto, pareto
from recovery.insight.cohort import Slice
from recovery.insight.hold_out import HoldOutFigures, figures_of, hold_outs_of
from recovery.insight.recovery import Rate, Recovery, recovery
from recovery.insight.said import which_answers
from recovery.insight.targets import Judged, Period, judged, targets_for
from recovery.insight.times import promises
from recovery.insight.told import Told
from recovery.insight.value import Value, value_of
from recovery.models.policy import FIRST_CONTACT
from recovery.models.ticket import TicketQuerySet
from surveys.models import Survey
from surveys.results import SurveyFigures, figures_for


@dataclass(frozen=True)
class Board:
    """`survey` is the figure of the one asked for, else of the NPS survey with the most answers, if any.

    `hold_outs` are those of the period that may be judged.
    """

    found: Recovery
    hold_outs: list[HoldOutFigures]
    contacted: Rate
    survey: SurveyFigures | None
    value: Value
    causes: Pareto
    targets: list[Judged]


def board_of(seen: TicketQuerySet, teams: Iterable[int], which: Slice, period: Period, at: datetime) -> Board:
    """`teams` are those the reader sees. The number of queries does not grow with anything on the page."""
    kept = Told(seen, which)
    told = kept.counted("cause_found")
    targets = targets_for(teams, teams=which.teams, survey=which.survey)
    return Board(
        found=recovery(told),
        hold_outs=judged_hold_outs(seen, which, at),
        contacted=promises(kept.tickets(), at)[FIRST_CONTACT].kept,
        survey=survey_of(which),
        value=value_of(kept, at),
        causes=pareto(told, FOUND),
        targets=judged(targets, seen, period, at, which.as_of),
    )


def judged_hold_outs(seen: TicketQuerySet, which: Slice, at: datetime) -> list[HoldOutFigures]:
    """Those that have ended and whom nobody may still answer, in six queries; in one where none has ended."""
    ended = [each for each in hold_outs_of(which, at) if each.ended_at and each.ended_at <= at]
    return [each for each in figures_of(ended, seen, at) if not each.preliminary]


def survey_of(which: Slice) -> SurveyFigures | None:
    surveys = Survey.objects.filter(pk=which.survey) if which.survey else Survey.objects.filter(kind="nps")
    figures = figures_for(list(surveys), which_answers(which))
    if which.survey is None:
        figures = [each for each in figures if each.answered]
    return max(figures, key=lambda each: each.answered, default=None)
