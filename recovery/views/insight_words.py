"""Figures as people say them: never a percentage from fewer than ten, never without its interval."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from recovery.insight import cohort
from recovery.insight.cohort import TOO_LATE
from recovery.insight.recovery import Dose, Group, Rate, Recovery
from recovery.insight.times import Waited
from recovery.models.policy import FIRST_CONTACT, RESOLUTION
from recovery.templatetags.moments import span
from recovery.views.words import reason_word
from surveys import scoring
from surveys.estimates import MIN_ANSWERS_FOR_PERCENT, CensoredTimes, Difference, TimeEstimate

STATES: Final[dict[str, Promise]] = {
    scoring.PROMOTER: _("Promoter"),
    scoring.PASSIVE: _("Passive"),
    scoring.DETRACTOR: _("Still a detractor"),
    cohort.NO_ANSWER: _("No answer"),
    cohort.WAITING: _("May still answer"),
    cohort.TO_BE_ASKED: _("To be asked"),
    cohort.NOT_ASKED: _("Not asked"),
    cohort.STILL_IN_WORK: _("In work, no answer yet"),
    cohort.MERGED: _("Merged"),
}
STAGES: Final[dict[str, Promise]] = {
    cohort.ASKED: _("Asked again"),
    cohort.UNPROMPTED: _("Answered unasked"),
    cohort.TO_BE_ASKED: _("To be asked"),
    cohort.NOT_ASKED: _("Not asked"),
    cohort.STILL_IN_WORK: _("In work, no answer yet"),
    cohort.MERGED: _("Merged"),
}
TONES: Final = {
    scoring.PROMOTER: "promoter",
    scoring.PASSIVE: "passive",
    scoring.DETRACTOR: "detractor",
    cohort.NO_ANSWER: "silent",
    cohort.WAITING: "silent",
    cohort.NOT_ASKED: "silent",
}
WHY: Final[dict[str, Promise]] = {
    TOO_LATE: _("they answered, too late to count"),
    "message_rejected": _("the mail server refused the message"),
    "message_dead": _("the message could not be delivered"),
    "": _("no reason was kept"),
}
COLUMNS: Final[dict[str, Promise]] = {
    "next": _("Next answer"),
    "now": _("Now"),
    "ever": _("Ever"),
    "lasting": _("Answer after that"),
}


def percent(share: float) -> str:
    return gettext("{n} %").format(n=round(100 * share))


def rate_words(rate: Rate) -> str:
    """46 % (39 to 53); its counts where they are few, a dash where there is nobody."""
    if rate.share is None or rate.interval is None:
        return counts_words(rate)
    return gettext("{share} ({low} to {high})").format(
        share=percent(rate.share), low=whole(rate.interval.low), high=whole(rate.interval.high)
    )


def rate_of_words(rate: Rate) -> str:
    """46 % (39 to 53) of 187; its counts where they are few."""
    if rate.share is None:
        return counts_words(rate)
    return gettext("{rate} of {n}").format(rate=rate_words(rate), n=f"{rate.n:,}")


def counts_words(rate: Rate) -> str:
    if not rate.n:
        return "–"
    return gettext("{hits} of {n}").format(hits=f"{rate.hits:,}", n=f"{rate.n:,}")


def state_words(column: str, states: list[str]) -> str:
    """Next answer: Promoter, Passive."""
    known = [str(STATES[state]) for state in states if state in STATES]
    return f"{COLUMNS[column]}: {', '.join(known)}" if known else ""


def whole(share: float) -> int:
    return round(100 * share)


def why_words(code: str) -> str:
    return str(WHY.get(code, "")) or reason_word(code)


# --- the sentence -------------------------------------------------------------------------------------------


def reached_words(found: Recovery) -> str:
    """The share of the reached in brackets, where there are enough to have one."""
    return f" ({percent(found.reached.share)})" if found.reached.share is not None else ""


def comparison(found: Recovery) -> str:
    """What the page is quoted for: the reached against those nobody reached, or why that cannot be said."""
    ours, theirs = found.recovered_among(reached=True), found.recovered_among(reached=False)
    if not found.answered:
        return gettext("Nobody has answered again yet, so nobody can say whether it worked.")
    if found.difference is None or ours.share is None or theirs.share is None:
        return too_few_words(ours, theirs)
    return gettext(
        "Of those who answered again, {ours} of the reached are no longer detractors, against {theirs} of"
        " those we did not reach: {difference}."
    ).format(
        ours=percent(ours.share), theirs=percent(theirs.share), difference=difference_words(found.difference)
    )


def too_few_words(ours: Rate, theirs: Rate) -> str:
    if not theirs.n:
        words = gettext(
            "Of those we reached, {ours} who answered again are no longer detractors. Nobody we did not reach"
            " has answered, so there is nothing to compare it with."
        )
    elif not ours.n:
        words = gettext(
            "Of those we did not reach, {theirs} who answered again are no longer detractors. Nobody we"
            " reached has answered yet, so there is nothing to compare it with."
        )
    else:
        words = gettext(
            "Of those we reached, {ours} who answered again are no longer detractors; of those we did not"
            " reach, {theirs}. That is too few for a comparison: it takes {least} answers on both sides."
        )
    return words.format(ours=counts_words(ours), theirs=counts_words(theirs), least=MIN_ANSWERS_FOR_PERCENT)


@dataclass(frozen=True)
class Points:
    """A difference and the ends of its interval in whole points; an end is said as 0 only if it is 0."""

    value: float
    low: float
    high: float

    @property
    def decimals(self) -> int:
        """So many that each end shows on which side of 0 it lies."""
        ends = (self.low, self.high)
        return next((some for some in (0, 1, 2) if all(round(end, some) or not end for end in ends)), 3)

    @property
    def signed(self) -> dict[str, str]:
        said = (signed(each, self.decimals) for each in (self.value, self.low, self.high))
        return dict(zip(("points", "low", "high"), said, strict=True))

    @property
    def unsigned(self) -> dict[str, str]:
        """How large, where words say which way: the end nearer to 0 is the low one."""
        low, high = sorted((abs(self.low), abs(self.high)))
        said = (f"{each:.{self.decimals}f}" for each in (abs(self.value), low, high))
        return dict(zip(("n", "low", "high"), said, strict=True))

    @property
    def number(self) -> int:
        """What the noun agrees with: 1 point, but 1.0 points."""
        return 2 if self.decimals else abs(round(self.value))


def points_of(difference: Difference, times: float = 100) -> Points:
    ends = difference.interval
    return Points(times * difference.value, times * ends.low, times * ends.high)


def difference_words(difference: Difference) -> str:
    points = points_of(difference)
    if not difference.is_clear:
        return gettext("no clear difference ({points} points, {low} to {high})").format(**points.signed)
    if difference.value > 0:
        said = ngettext(
            "{n} point more ({low} to {high})", "{n} points more ({low} to {high})", points.number
        )
    else:
        said = ngettext(
            "{n} point fewer ({low} to {high})", "{n} points fewer ({low} to {high})", points.number
        )
    return said.format(**points.unsigned)


def group_words(group: Group) -> str:
    """How a group differs from all the others together; empty where there is nothing to hold it against."""
    found = group.difference
    if found is None:
        return ""
    if not group.may_be_chance:
        return difference_words(found)
    return gettext("perhaps chance among so many groups ({points} points, {low} to {high})").format(
        **points_of(found).signed
    )


def dose_words(found: Dose) -> str:
    """The trend over the classes of waiting, said as what it is: observed, not tried."""
    if found.per_step is None:
        return gettext("too few answers of people we reached to see a trend: {n}").format(n=f"{found.n:,}")
    facts = points_of(found.per_step).signed
    if not found.per_step.is_clear:
        return gettext("no clear trend ({points} points per step of waiting, {low} to {high})").format(
            **facts
        )
    if found.per_step.value < 0:
        return gettext(
            "the longer people waited to be heard, the fewer recovered: {points} points per step"
            " ({low} to {high})"
        ).format(**facts)
    return gettext(
        "the longer people waited to be heard, the more recovered: {points} points per step ({low} to {high})"
    ).format(**facts)


def signed(points: float, decimals: int = 0) -> str:
    return f"{points:+.{decimals}f}".replace("-", "−") if round(points, decimals) else "0"


# --- times --------------------------------------------------------------------------------------------------


def working_span(minutes: float) -> str:
    """Working time is said in hours, never in days: a working day is not 24 hours."""
    hours, rest = divmod(round(minutes), 60)
    if hours:
        return gettext("{h} h {m}").format(h=f"{hours:,}", m=f"{rest:02}")
    return gettext("{m} min").format(m=rest)


def wall_span(minutes: float) -> str:
    return span(timedelta(minutes=round(minutes)))


def half_within(kind: str, times: CensoredTimes) -> str:
    """The sentence above the table: when half of all were done, those still open counted."""
    found = times.median if times.count >= MIN_ANSWERS_FOR_PERCENT else None
    if found is None:
        return str(NOT_YET[kind]).format(done=f"{times.events:,}", n=f"{times.count:,}")
    return str(HALF_WITHIN[kind]).format(time=interval_words(found, working_span))


HALF_WITHIN: Final[dict[str, Promise]] = {
    FIRST_CONTACT: _(
        "Half of the customers were heard within {time} of working time, those not heard counted."
    ),
    RESOLUTION: _("Half of the tickets were resolved within {time} of working time, open tickets counted."),
}
NOT_YET: Final[dict[str, Promise]] = {
    FIRST_CONTACT: _("{done} of {n} customers were heard so far."),
    RESOLUTION: _("{done} of {n} tickets were resolved so far."),
}


def unfinished_words(times: Waited) -> str:
    """Those without it, by why: in brackets behind how many there are in all; empty where there are none."""
    facts = {"open": f"{times.open:,}", "closed": f"{times.closed_unheard:,}", "merged": f"{times.merged:,}"}
    said = []
    if times.closed_unheard:
        said.append(
            gettext("{open} still waiting, {closed} closed without being heard; both count as not heard")
        )
    elif times.open:
        said.append(gettext("{open} without it so far; they count with the time they have waited"))
    if times.merged:
        said.append(gettext("{merged} merged into another ticket; they count until then"))
    return " ".join(f"({each.format(**facts)})" for each in said)


def estimate_words(times: CensoredTimes, percent_done: int, say: Any) -> str:
    """2 h 10 (1 h 50 to 2 h 40); how many where they are few, or where so many are not done."""
    if times.count < MIN_ANSWERS_FOR_PERCENT:
        return gettext("too few to say: {done} of {n} done").format(done=times.events, n=times.count)
    found = times.percentile(percent_done)
    if found is None:
        return gettext("not so many yet: {done} of {n} done").format(done=times.events, n=times.count)
    return interval_words(found, say)


def interval_words(found: TimeEstimate, say: Any) -> str:
    low = say(found.low if found.low is not None else 0)
    if found.high is None:
        return gettext("{value} ({low} or more)").format(value=say(found.value), low=low)
    return gettext("{value} ({low} to {high})").format(value=say(found.value), low=low, high=say(found.high))
