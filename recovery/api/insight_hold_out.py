"""The hold-outs of a period as JSON: the same counts and the same words as on the report."""

from __future__ import annotations

from recovery.api.insight import Question, Shown, define, ends_of, shown_difference, shown_rate
from recovery.insight.hold_out import HoldOutFigures, Side, figures_of, hold_outs_of
from recovery.models.ticket import TicketQuerySet


def shown_hold_outs(question: Question, seen: TicketQuerySet) -> list[Shown]:
    """The newest first; all draws count whatever the period, as far as their tickets are seen."""
    found = figures_of(hold_outs_of(question.which, question.at), seen, question.at)
    return [shown_hold_out(each) for each in found]


def shown_hold_out(found: HoldOutFigures) -> Shown:
    """`preliminary` until it has ended and everybody had time to answer: it is not to be judged before."""
    return {
        "name": found.hold_out.name,
        "survey": found.hold_out.survey.slug,
        "state": found.state,
        "planned": found.planned,
        "taken": found.taken,
        "still_needed": found.still_needed,
        "now": shown_side(found.now),
        "later": {**shown_side(found.later), "early": found.early},
        **shown_difference(found.difference),
        "randomised": True,
        "preliminary": found.preliminary,
        "cut_short": found.cut_short,
        "spared": [{"reason": code, "count": number} for code, number in found.spared.most_common()],
        "definition": define("hold_out"),
    }


def shown_side(side: Side) -> Shown:
    return {
        "drawn": side.drawn,
        "asked": side.asked,
        "recovered": shown_rate(side.rate, "hold_out"),
        "bounds": ends_of(side.bounds),
    }
