"""The loop in words: its stages, its losses, when people pick up, and how long a wait was."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Final, TypeVar

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from recovery.insight import cohort, funnel, sent
from recovery.insight.funnel import Funnel, Loss
from recovery.insight.reach import PerReach, Reach, Search, Tally, standouts
from recovery.insight.waiting import Waiting
from recovery.models.calendar import WEEKDAYS
from recovery.views import insight_words as words
from recovery.views.words import name_in
from surveys.estimates import SurvivalStep

Key = TypeVar("Key", bound=Hashable)

STAGES: Final[dict[str, Promise]] = {
    funnel.LOW: _("Low scores"),
    funnel.RESOLVED: _("Resolved"),
    funnel.ASKED: _("Sent the question again"),
    funnel.DELIVERED: _("It arrived"),
    funnel.ANSWERED: _("Answered"),
}
LOSSES: Final[dict[str, Promise]] = {
    cohort.STILL_IN_WORK: _("In work, no answer yet"),
    cohort.MERGED: _("Merged into another ticket"),
    cohort.TO_BE_ASKED: _("To be asked"),
    cohort.NOT_ASKED: _("Not asked"),
    cohort.UNPROMPTED: _("Answered unasked"),
    funnel.UNDELIVERED: _("Not delivered"),
    cohort.WAITING: _("May still answer"),
    cohort.NO_ANSWER: _("No answer"),
}
# Why a message did not arrive, or was not even begun, beyond what insight_words knows.
WHY: Final[dict[str, Promise]] = {
    sent.ON_ITS_WAY: _("it has not left us yet"),
    sent.UNCERTAIN: _("unknown whether it arrived"),
    "not_after": _("the message could not be sent in time"),
    "enough": _("they had been written to enough that day"),
    "dropped": _("a colleague decided not to send it"),
    "cancelled": _("the message was cancelled"),
    "ticket_reopened": _("the ticket was reopened before the message left"),
    "ticket_closed": _("the ticket was closed before the message left"),
    "resurvey_over": _("the loop was over before the message left"),
}


def loss_words(loss: Loss) -> str:
    name = str(LOSSES[loss.kind])
    if not loss.reason:
        return name
    why = str(WHY.get(loss.reason, "")) or words.why_words(loss.reason)
    return gettext("{loss}: {why}").format(loss=name, why=why)


def funnel_words(found: Funnel) -> str:
    """The whole way in a sentence."""
    counts = {step.stage: f"{step.count:,}" for step in found.steps}
    return ngettext(
        "Of {low} low score {resolved} was resolved; {asked} was sent the question again, {delivered} got it"
        " and {answered} answered.",
        "Of {low} low scores {resolved} were resolved; {asked} were sent the question again, {delivered} got"
        " it and {answered} answered.",
        found.size,
    ).format(**counts)


# --- when people pick up ------------------------------------------------------------------------------------


def weekday(number: int) -> str:
    return name_in(WEEKDAYS, number)


def hour(number: int) -> str:
    return gettext("{start}:00 to {end}:00").format(start=f"{number:02}", end=f"{number + 1:02}")


def slot(key: tuple[int, int]) -> str:
    return gettext("{day}, {hour}").format(day=weekday(key[0]), hour=hour(key[1]))


def attempts_words(tally: Tally) -> str:
    """62 % (45 to 76) of 29 attempts."""
    rate = tally.rate
    if rate.share is None:
        said = ngettext("{hits} of {n} attempt", "{hits} of {n} attempts", rate.n)
        return said.format(hits=f"{rate.hits:,}", n=f"{rate.n:,}")
    said = ngettext("{share} of {n} attempt", "{share} of {n} attempts", rate.n)
    return said.format(share=words.rate_words(rate), n=f"{rate.n:,}")


def best_and_worst(found: Reach) -> list[str]:
    """One sentence each for weekdays, hours and slots whose best and worst differ beyond doubt."""
    said = [
        contrast(ON_WEEKDAYS, weekday, found.weekdays),
        contrast(AT_HOURS, hour, found.hours),
        contrast(IN_SLOTS, slot, found.slots),
    ]
    return [sentence for sentence in said if sentence]


ON_WEEKDAYS: Final = _("By weekday, people pick up most on {best}: {more}; least on {worst}: {less}.")
AT_HOURS: Final = _("By the hour, people pick up most from {best}: {more}; least from {worst}: {less}.")
IN_SLOTS: Final = _("The best slot is {best}: {more}; the worst is {worst}: {less}.")


def contrast(sentence: Promise, name: Callable[[Key], str], tallies: Mapping[Key, Tally]) -> str:
    """Empty where nothing stands out."""
    pair = standouts(tallies)
    if pair is None:
        return ""
    (best, more), (worst, less) = ((name(key), attempts_words(tallies[key])) for key in pair)
    return str(sentence).format(best=best, more=more, worst=worst, less=less)


def zone_words(found: Reach) -> str:
    """By whose clock the hours are told."""
    own, all_of = found.in_own_zone, found.everything.rate.n
    if own == all_of:
        return gettext("Hours are those of the customer’s own clock.")
    if not own:
        return gettext("No customer’s time zone is known: hours are those of the team’s calendar.")
    return ngettext(
        "Hours are those of the customer’s own clock for {own} of {n} attempt; for the others of the team’s"
        " calendar, where the customer’s zone is not known.",
        "Hours are those of the customer’s own clock for {own} of {n} attempts; for the others of the team’s"
        " calendar, where the customer’s zone is not known.",
        all_of,
    ).format(own=f"{own:,}", n=f"{all_of:,}")


# --- how many attempts --------------------------------------------------------------------------------------


def search_words(search: Search) -> str:
    found = search.per_reach
    if found is None:
        return ngettext(
            "{reached} of {n} customer we tried was reached, in {attempts}.",
            "{reached} of {n} customers we tried were reached, in {attempts}.",
            search.times.count,
        ).format(
            reached=f"{search.rate.hits:,}", n=f"{search.times.count:,}", attempts=tries_words(search.rate.n)
        )
    return gettext("It takes {attempts} to reach a customer.").format(attempts=per_reach_words(found))


def tries_words(number: int) -> str:
    return ngettext("{n} attempt", "{n} attempts", number).format(n=f"{number:,}")


def per_reach_words(found: PerReach) -> str:
    """2.3 attempts (1.9 to 2.8)."""
    value, low = one_decimal(found.value), one_decimal(found.low)
    if found.high is None:
        return gettext("{value} attempts ({low} or more)").format(value=value, low=low)
    return gettext("{value} attempts ({low} to {high})").format(
        value=value, low=low, high=one_decimal(found.high)
    )


def one_decimal(number: float) -> str:
    """2.28 is 2.3: the formatting alone would cut it to 2.2."""
    return str(number_format(round(number, 1), 1))


# --- waiting ------------------------------------------------------------------------------------------------


def waiting_words(found: Waiting) -> str:
    return ngettext(
        "The clock stood {n} time for a customer, {time} of working time in all; {share} of these waits began"
        " after the customer had replied already.",
        "The clock stood {n} times for a customer, {time} of working time in all; {share} of these waits"
        " began after the customer had replied already.",
        len(found.pauses),
    ).format(
        n=f"{len(found.pauses):,}",
        time=words.working_span(found.minutes),
        share=words.rate_words(found.after_reply),
    )


# --- attempts and cycles ------------------------------------------------------------------------------------


def done_words(step: SurvivalStep) -> str:
    """The share done by this step, with its interval: 62 % (45 to 76)."""
    done, low, high = 1 - step.survival, 1 - step.high, 1 - step.low
    return gettext("{share} ({low} to {high})").format(
        share=words.percent(done), low=words.whole(low), high=words.whole(high)
    )


def cycles_words(number: int) -> str:
    return ngettext("{n} cycle", "{n} cycles", number).format(n=number)
