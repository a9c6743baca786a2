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
    "lasting": _(
        "Lasting: of those converted who have answered once more since, however much later, those who are"
        " promoters still, with Wilson’s 95 % interval."
    ),
    "reached_later": _(
        "Reached too late: heard for the first time after they had already answered again. They count as not"
        " reached."
    ),
    "unanswered": _(
        "Without an answer: low scores without a next answer, for whatever reason. They are in no rate of"
        " those who answered, and in both bounds."
    ),
    "recovered_among": _(
        "Recovered among the reached, or among those nobody reached: recovered / those of them who gave a"
        " next answer, with Wilson’s 95 % interval."
    ),
    "bounds": _(
        "Bounds: recovered / all low scores, if nobody without a next answer recovered, and if all of"
        " them did. The truth lies between, however silent people are."
    ),
    "difference": _(
        "Difference: recovered among the reached less recovered among those nobody reached, in points,"
        " with Newcombe’s 95 % interval. Not randomised: people who can be reached may differ. People who"
        " are asked again move up by themselves, too, so a recovery rate alone says little."
    ),
    "group_difference": _(
        "Against all others: recovered in the group less recovered in all other groups together, in points,"
        " with Newcombe’s 95 % interval. Of many groups some differ by chance: a difference that Holm’s"
        " correction for so many comparisons does not bear out says so. Nothing here is randomised."
    ),
    "dose": _(
        "Time to contact: of those reached before their next answer, how the recovered share changes from one"
        " class of waiting to the next (within 4 hours, 24 hours, 3 days, later), as the slope of the"
        " Cochran-Armitage test for trend with its 95 % interval. Only observed: who can be reached early may"
        " differ from who cannot."
    ),
    "as_of": _(
        "As it stood: only what had happened, and had come in, by the end of that day. Later tickets,"
        " contacts, answers and changes of an answer are left out; team and cause are those of that day (of a"
        " team or cause renamed since, today’s team and no cause). A customer’s tier and attributes, who may"
        " see a ticket, and that an answer was withdrawn, are as they are today."
    ),
    "segment": _(
        "Segment: tier and attributes are those the customer has today; channel and language are those of the"
        " low score itself, or the customer’s language where it names none."
    ),
    "hold_out": _(
        "By lot: while a hold-out runs, a keyed hash of the ticket’s number decides which low scores are"
        " followed up later instead of at once; urgent, severe and valuable cases, complaints and whoever"
        " asks to be contacted are never drawn. Both sides are asked the same question, in the same words,"
        " so many days after the low score. Recovered: the first answer from then on, while the survey’s"
        " time to answer lasts, is a passive’s or a promoter’s / all who gave one, with Wilson’s 95 %"
        " interval; the difference has Newcombe’s. Everybody counts on the side they were drawn for,"
        " whatever was done since, and all draws count whatever the period. How many are drawn, and for how"
        " long an answer counts, was fixed before it began: until it has ended and everybody had time to"
        " answer, it is preliminary."
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
        " time they have waited so far. Tickets closed without the customer being heard count as not heard,"
        " whenever they were closed: closing them makes nothing faster (cumulative incidence; Fine and Gray"
        " 1999). A merged ticket counts until the merge."
    ),
    "resolution_time": _(
        "Time to resolution: from the opening of the ticket to its first resolution (Kaplan-Meier, 95 %"
        " intervals). Open tickets count, with the time they have waited so far; a merged ticket counts until"
        " the merge."
    ),
    "deadlines_then": _(
        "As of a past day every deadline counts under the due time that was in force then; what was met,"
        " missed or ended later counts as not yet. Team and priority are those the ticket has now."
    ),
    "promised_within": _(
        "Promised within: the working time the policies allow for it, from the shortest to the longest where"
        " they differ, as each deadline has it today; extensions by hand and waiting for the customer are not"
        " in it."
    ),
    "times_by_owner": _(
        "By owner: the tickets each person owns now, whoever had them before. People are ranked by the share"
        " in time from 30 deadlines each that were met or whose time has passed; below 10 only their counts"
        " are given. What people are given to do differs: look at what was promised before comparing."
    ),
    "loop_funnel": _(
        "Each stage is a part of the one before, with Wilson’s 95 % interval; what is missing is named under"
        " it, and all counts add up to all low scores. Sent the question again: the question was written to"
        " them, in the present cycle of the ticket. It arrived: the mail server took the message, or they"
        " answered. Answered unasked: a valid answer came before any question; nothing is lost there, but"
        " nobody asked. “Asked again” in the report leaves out those whose question ended undelivered."
    ),
    "loop_slots": _(
        "Attempts: every contact of the log but replies, whose hour the customer chose. Reached: those with"
        " the outcome “reached”, with Wilson’s 95 % interval; several attempts at one customer count as if"
        " they were independent. By the clock of the customer’s zone, or of the team’s calendar where that is"
        " not known. Fewer than ten attempts are shown as their counts; a best and a worst are named from"
        " thirty attempts each, and only where their intervals do not overlap."
    ),
    "loop_attempts": _(
        "Attempts per reach: attempts until the first that reached, of all tickets tried / tickets reached;"
        " the interval is Wilson’s 95 % interval of the share of attempts that reached, turned round. Reached"
        " by then: Kaplan-Meier over the number of the attempt, with 95 % intervals; who is still being"
        " tried, was given up, or replied by themselves first counts with the attempts made so far."
        " From fewer than 10 customers at whom an attempt was made there is no share."
    ),
    "loop_waiting": _(
        "Waits: times in which the clock stood because the customer had to do something first, by whoever"
        " stopped it, in working minutes of the team’s calendar; those still going on count up to now, and a"
        " hold-out’s do not count. Began after a reply: the customer had written or replied in that cycle,"
        " and nothing had gone to them since (no attempt, no reply); Wilson’s 95 % interval."
    ),
    "loop_cycles": _(
        "Cycles: the first run of a ticket, and one more for each time it was reopened, because the next"
        " answer was low again or a colleague said why. Reopened: tickets reopened at least once / tickets"
        " resolved at least once, with Wilson’s 95 % interval, by the cause found at the first resolution."
    ),
    "loop_then": _(
        "As of a past day only contacts, waits, answers and messages up to its end count. A message whose end"
        " came later was still on its way; one sent again since shows what became of it last."
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
        " Blank, withdrawn and unreadable answers are in no part of it and are counted beside it. Answers"
        " given when asked again after a low score are in it like all others."
    ),
    "survey_mean": _(
        "Mean: of the valid answers, in the numbers of the scale, with Student’s 95 % interval."
    ),
    "survey_response": _(
        "Response: answered / delivered. Whoever was asked lately may still answer; an invitation that could"
        " not be delivered is in neither."
    ),
    "survey_difference": _(
        "Difference: in points, with its 95 % interval (NPS: adjusted Wald, variances added; shares:"
        " Newcombe). Where the interval holds 0 it is no clear difference. Two groups picked because they"
        " looked far apart prove less than the interval says."
    ),
    "survey_parts": _(
        "Against all the others: the group less all other answers together. Among many groups some differ by"
        " chance alone; so a difference is called clear only if it holds with Holm’s correction (1979) for"
        " all the groups of ten answers or more that were compared. The intervals shown are not corrected."
    ),
    "survey_scales": _(
        "Scale: only answers on the scale in force at the end of the period are in the figure; those on"
        " another are counted beside it, and nothing is compared across a change. Where 30 or more answers on"
        " either side show an end of the scale falling silent, and chance would do that less than once in a"
        " million (and less than once in 100,000 by Fisher’s exact test), we ask whether it changed."
    ),
    "survey_as_of": _(
        "As it stood on a day: answers given and come in by then, as they were then. Withdrawn answers, and"
        " what a customer is like, are as they are today."
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
    "cause_trend": _(
        "Trend of a cause: by how many points its share of the tickets whose cause is known changes from one"
        " whole month to the next, with the 95 % interval of the test of Cochran and Armitage. It takes three"
        " whole months with 30 such tickets, and ten of the cause; months in part are left out. More or less"
        " often is said where the test, corrected for all causes looked at (Holm), finds it at 5 %. Tickets"
        " whose cause is not known yet may change it."
    ),
    "fix_rate": _(
        "Low scores with the cause found, of all valid answers: of the days since the initiative took effect,"
        " 90 at most, and of as many days before. The difference is with Newcombe’s 95 % interval. Causes not"
        " known yet count as others; the day that is running is in neither span. Not randomised: other things"
        " changed too."
    ),
    "fix_known": _(
        "The same days: low scores with the cause found, of the low scores whose cause is known. It does not"
        " depend on how many causes are known yet, and says nothing of how many low scores there are."
    ),
    "fix_hurt": _(
        "Those it had hurt: low scores with the cause from before the initiative’s day whose person was first"
        " asked again on that day or later; recovered is the share of those who answered whose next answer is"
        " no low score, with Wilson’s 95 % interval. People asked again move up by themselves."
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
        " only are in no cell; they are counted beside the table. Where the scale seems to have changed and"
        " nobody has said so, only answers from that month on are compared."
    ),
    "panel_change": _(
        "Change: the figure of the same people later less earlier. Its 95 % interval is that of each person’s"
        " own change, so it knows that both answers come from one person: for an NPS Student’s, with one pair"
        " added (after Agresti and Min 2005), for CSAT and CES that of Bonett and Price (2012). It says what"
        " changed, not why: who begins low moves up by chance, and who begins high down."
    ),
    "waves": _(
        "Two waves: the people who have a valid answer in both periods, each by the first one in it. Answers"
        " to being asked again after a low score are left out, so that both waves are asked in the same way."
        " Who answered in one of them only, or in one of them only when asked again, is counted beside it,"
        " and in neither figure."
    ),
    "driver_mean": _("Mean rating from 1 to 5, with Student’s 95 % interval."),
    "driver_importance": _(
        "Importance: Spearman’s rank correlation of the rating with how good the overall score of the same"
        " answer is, with Fisher’s 95 % interval (Bonett and Wright 2000). It says what goes together, not"
        " what causes it."
    ),
    "driver_stated": _(
        "Stated importance: the mean of how important people said it is to them, from 1 to 5, with Student’s"
        " 95 % interval, of all answers of the period that said so."
    ),
    "driver_gap": _(
        "Gap: how it was less what was expected, from −4 to 4; below 0 it fell short. Only answers that say"
        " both count; the interval is Student’s 95 % interval of the paired differences. Expectation is what"
        " people say they expected when they answer, after the fact."
    ),
    "weighted_gap": _(
        "Weighted gap (SERVQUAL): sum(w × gap) / sum(w) over the drivers with ten pairs or more, w the"
        " importance the map goes by where it is above 0. Its 95 % interval takes the weights as given, and"
        " does not take gaps of one answer for those of several."
    ),
    "driver_map": _(
        "The map is cut at the medians of the drivers on it. What to do is said only where a driver’s 95 %"
        " intervals, that of its rating and that of its importance, each lie wholly on one side of the cut;"
        " else it is too close to tell. A driver with fewer than 30 ratings is listed, and has no place."
    ),
    "satisfaction_index": _(
        "Satisfaction index: the mean ratings of the drivers on the map, weighted by their importance (one"
        " that is not above 0 weighs nothing), from 0 (all rated 1) to 100 (all rated 5). Its 95 % interval"
        " takes the weights as given."
    ),
}
