"""What a hold-out shows, as a manager can repeat it, and why somebody was spared."""

from __future__ import annotations

from math import ceil
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from recovery.insight.hold_out import ANSWERED, ASKED, DRAWN, LATER, NOW, RECOVERED_THEN, HoldOutFigures
from recovery.lifecycle import hold_out
from recovery.views.insight_words import counts_words, difference_words, percent
from recovery.views.words import reason_word

SIDES: Final[dict[str, Promise]] = {NOW: _("Followed up at once"), LATER: _("Followed up later")}
STEPS: Final[dict[str, Promise]] = {
    DRAWN: _("Drawn"),
    ASKED: _("Asked again"),
    ANSWERED: _("Answered"),
    RECOVERED_THEN: _("Recovered"),
}
SPARED: Final[dict[str, Promise]] = {
    hold_out.COMPLAINT: _("it was a complaint"),
    hold_out.ASKED_FOR_CONTACT: _("they asked to be contacted"),
    hold_out.URGENT: _("the ticket was urgent"),
    hold_out.SEVERE: _("their words or their history made it severe"),
    hold_out.VALUABLE: _("their annual value"),
    hold_out.TIER: _("their tier"),
    hold_out.DRAWN_BEFORE: _("they had been drawn before"),
}


def spared_words(code: str) -> str:
    return str(SPARED.get(code, "")) or reason_word(code)


def verdict(found: HoldOutFigures) -> str:
    """The difference, marked as preliminary until the size is reached and everybody had time to answer."""
    if found.preliminary:
        return preliminary_words(found)
    if found.cut_short:
        return cut_short_words(found)
    return gettext("Randomised: {said}").format(said=said(found))


def preliminary_words(found: HoldOutFigures) -> str:
    facts = {"taken": f"{found.taken:,}", "planned": f"{found.planned:,}", "said": said(found)}
    if found.state == "running":
        return gettext(
            "Preliminary: {taken} of {planned} are drawn to be followed up later. It is not to be judged"
            " before it ends. So far: {said}"
        ).format(**facts)
    return gettext(
        "Preliminary: {taken} of {planned} were drawn, and some may still answer. It is not to be judged"
        " before their time is over. So far: {said}"
    ).format(**facts)


def cut_short_words(found: HoldOutFigures) -> str:
    return gettext(
        "Randomised, but ended by hand after {taken} of {planned}: an end that was chosen while the figures"
        " were known can mislead. {said}"
    ).format(taken=f"{found.taken:,}", planned=f"{found.planned:,}", said=said(found))


def said(found: HoldOutFigures) -> str:
    difference, ours, theirs = found.difference, found.now.rate, found.later.rate
    if difference is None or ours.share is None or theirs.share is None:
        return gettext(
            "{ours} of those followed up at once recovered, {theirs} of those followed up later: too few to"
            " compare."
        ).format(ours=counts_words(ours), theirs=counts_words(theirs))
    return gettext(
        "of those followed up at once who answered, {ours} are no longer detractors, of those followed up"
        " later {theirs}: {difference}."
    ).format(ours=percent(ours.share), theirs=percent(theirs.share), difference=difference_words(difference))


def needed_words(found: HoldOutFigures) -> str:
    """How many are still needed, where it goes on."""
    if not found.still_needed:
        return ""
    return ngettext(
        "{n} more has to be drawn to be followed up later: about {scores} more low scores, if as many of"
        " them are drawn as so far.",
        "{n} more have to be drawn to be followed up later: about {scores} more low scores, if as many of"
        " them are drawn as so far.",
        found.still_needed,
    ).format(n=f"{found.still_needed:,}", scores=f"{scores_needed(found):,}")


def scores_needed(found: HoldOutFigures) -> int:
    """How many low scores it takes at the pace so far, those spared included; by the share alone before
    anybody was drawn."""
    drawn, met = found.later.drawn, found.now.drawn + found.later.drawn + sum(found.spared.values())
    if not drawn:
        drawn, met = found.hold_out.share, 100
    return ceil(found.still_needed * met / drawn)


def bounds_words(low: float, high: float, drawn: int) -> str:
    return gettext("{low} to {high} of all {n}").format(low=percent(low), high=percent(high), n=f"{drawn:,}")
