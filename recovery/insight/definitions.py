"""What every number means, one text each: the page prints it beside the number, the API sends it along."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

DEFINITIONS: Final[dict[str, Promise]] = {
    "cohort": _(
        "Low scores: every ticket a detractor’s answer opened, by the day that answer was first given,"
        " whatever became of it. A ticket merged into another is counted as merged, so that all counts"
        " add up to all low scores."
    ),
    "reached": _(
        "Reached: at least one contact with the outcome “reached” or “replied” / all low scores. A"
        " contact after the next answer had been given does not count: it cannot have changed that"
        " answer."
    ),
    "asked": _(
        "Asked again: the question was sent after a resolution / resolved tickets whose person had not"
        " answered unasked. Those not asked are listed by reason."
    ),
    "responded": _("Response: answered / asked again. Who was asked lately may still answer."),
    "next": _(
        "Next answer: the first valid answer of the same person to the same question (any survey of its"
        " line), given within 90 days after a resolution of the ticket. Where there is none, the state of"
        " the ticket stands in its place; it is never dropped."
    ),
    "now": _("Now: the same, by the latest such answer."),
    "ever": _("Ever: the same, by the best such answer."),
    "recovered": _(
        "Recovered: the next answer is a passive’s or a promoter’s / all who gave a next answer, with"
        " Wilson’s 95 % interval."
    ),
    "converted": _("Converted: the next answer is a promoter’s / all who gave a next answer."),
    "bounds": _(
        "Bounds: recovered / all low scores, if nobody without a next answer recovered, and if all of"
        " them did. The truth lies between, however silent people are."
    ),
    "difference": _(
        "Difference: recovered among the reached less recovered among those nobody reached, in points,"
        " with Newcombe’s 95 % interval. Not randomised: people who can be reached may differ. People who"
        " are asked again move up by themselves, too, so a recovery rate alone says little."
    ),
    "few": _(
        "A figure from fewer than 10 answers is shown as its counts; groups are ranked from 30 answers each."
    ),
    "first_contact_kept": _(
        "Contacted in time: first-contact deadlines met on time / those met or whose time has passed, of"
        " every cycle. Open and overdue counts against. A deadline that ended early (resolved without a"
        " contact, merged) is counted beside it."
    ),
    "resolution_kept": _(
        "Resolved in time: resolution deadlines met on time / those met or whose time has passed, of"
        " every cycle. Open and overdue counts against."
    ),
    "first_contact_time": _(
        "Time to first contact: from the opening of the ticket to the first contact with the outcome"
        " “reached” or “replied”, in cycle 1 (Kaplan-Meier, 95 % intervals). Open tickets count, with the"
        " time they have waited so far."
    ),
    "resolution_time": _(
        "Time to resolution: from the opening of the ticket to its first resolution (Kaplan-Meier, 95 %"
        " intervals). Open tickets count, with the time they have waited so far."
    ),
    "working_time": _(
        "Working time is that of each deadline’s own calendar; waiting for the customer is not taken off."
    ),
    "cause_found": _(
        "Cause found: what staff found when they resolved the ticket. Shares are of the tickets whose"
        " cause is known."
    ),
    "cause_said": _(
        "Cause said: what the customer said was wrong. Shares are of the tickets whose cause is known."
    ),
    "nps": _(
        "NPS: 100 × (promoters − detractors) / valid answers, with its adjusted Wald 95 % interval."
        " Blank, withdrawn and unreadable answers are in no part of it and are counted beside it."
    ),
    "nps_bounds": _(
        "Bounds for silence: the NPS if everybody who was asked and did not answer were a detractor, or a"
        " promoter."
    ),
    "csat": _("Satisfied: answers in the high band / valid answers, with Wilson’s 95 % interval."),
    "ces": _("Made it easy: answers in the high band / valid answers, with Wilson’s 95 % interval."),
}
