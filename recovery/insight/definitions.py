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
    "value_at_risk": _(
        "Value at risk: over customers with an open low score, the sum of annual value × (1 − expected"
        " retention of their latest score). A customer counts once; one marked lost is not at risk any more."
        " Who has no value recorded is counted beside it."
    ),
    "value_kept": _(
        "Value kept: over customers whose latest answer after a resolution is a passive’s or a promoter’s,"
        " the sum of annual value × (expected retention of that answer − that of the low score). People who"
        " are asked again move up by themselves, too: not all of it was kept by follow-up."
    ),
    "expected_retention": _(
        "Expected retention is an assumption, not a measurement: the share of customers of a level who are"
        " expected to be customers a year on. The figure goes by the middle of each range; the range printed"
        " beside it comes from the two ends. It is not a confidence interval."
    ),
    "if_all_left": _(
        "If the open ones all left: the whole annual value of the customers at risk, without any assumption."
    ),
    "if_as_last_quarter": _(
        "If as many recovered as last quarter: the share of the last quarter’s low scores whose next answer"
        " was a passive’s or a promoter’s (the silent counted as not recovered) is taken to recover to the"
        " retention of those answers; the rest stay as they are. The range comes from Wilson’s 95 % interval"
        " of that share."
    ),
    "lost": _(
        "Lost: customers marked lost in the period / customers there were when it began, with Wilson’s 95 %"
        " interval. A customer is there from the day they were first recorded."
    ),
    "lost_owed": _(
        "With a ticket: of those lost, the ones who at that time had a ticket in work, or one on which nobody"
        " had reached them."
    ),
    "repeat_contact": _(
        "Repeat contact: resolved tickets whose customer came back within 14 days (a new ticket, another low"
        " score, or a message) about the same cause or one listed as following it / resolved tickets whose 14"
        " days are over. Tickets without a known customer are left out."
    ),
    "goodwill": _(
        "Goodwill: what was given on the tickets of these low scores, as its cost. Per recovered customer it"
        " is all of it / low scores whose next answer is a passive’s or a promoter’s, because what did not"
        " help is part of the price. It is all that was given and no sample, so it has no interval."
    ),
    "cause_agreement": _(
        "Said as found: tickets where the cause the customer named is the one that was found / tickets where"
        " both are known, with Wilson’s 95 % interval."
    ),
    "target": _(
        "A target is judged with the 95 % interval of its number: met or on track where all of it lies on the"
        " right side, missed or at risk where all of it lies on the wrong one, and “cannot tell yet” while it"
        " holds the target. A number is measured over the days asked for; once a target’s day has passed,"
        " over as many days up to it."
    ),
    "panel_people": _(
        "The same people: everybody with a valid answer in the period to this survey, or another of its line,"
        " on the scale compared. They begin with their first such answer; of answers given at the same time,"
        " the order in which they came in counts, for a file the order of its rows. A blank is no answer."
        " Whoever gave no later answer is a column of their own, and never dropped."
    ),
    "panel_now": _(
        "Now: by the latest answer. The share is of those who answered again, with Wilson’s 95 % interval;"
        " beside it the bounds over everybody who began so: if none, and if all, of those without a later"
        " answer were the same."
    ),
    "panel_ever": _("Ever: the same, by the best of the later answers."),
    "panel_scale": _(
        "Answers given on another scale are compared with nothing here. People who answered on another scale"
        " only are in no cell; they are counted beside the table."
    ),
    "panel_change": _(
        "Change: the figure of the same people later less earlier. Its 95 % interval is that of each person’s"
        " own change, so it knows that both answers come from one person: for an NPS adjusted Wald with three"
        " pairs added (after Rocks 2016; Agresti and Min 2005), for CSAT and CES that of Bonett and Price"
        " (2012). It says what changed, not why: who begins low moves up by chance, and who begins high down."
    ),
    "waves": _(
        "Two waves: the people who have a valid answer in both periods, each by the latest one in it. Who"
        " answered in one of them only is counted beside it, and in neither figure."
    ),
    "driver_mean": _("Mean rating from 1 to 5, with Student’s 95 % interval."),
    "driver_importance": _(
        "Importance: Spearman’s rank correlation of the rating with how good the overall score of the same"
        " answer is, with Fisher’s 95 % interval (Bonett and Wright 2000). It says what goes together, not what"
        " causes it."
    ),
    "driver_map": _(
        "The map is cut at the medians of the drivers on it; one that lies on a median counts as above it. A"
        " driver with fewer than 30 ratings is listed, and has no place."
    ),
    "satisfaction_index": _(
        "Satisfaction index: the mean ratings of the drivers on the map, weighted by their importance (one"
        " that is not above 0 weighs nothing), from 0 (all rated 1) to 100 (all rated 5). Its 95 % interval"
        " takes the weights as given."
    ),
}
