"""How the same people changed, as people say it."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from recovery.insight.recovery import Rate
from recovery.views import insight_words as words
from recovery.views.insight_survey_words import higher_or_lower, unclear, value_words
from surveys import scoring
from surveys.panel import NO_LATER, Paired, Panel, Share, Waves

# An NPS has promoters and detractors; satisfaction and effort have high and low answers.
OF_NPS, OF_OTHERS = True, False
BEGAN: Final[dict[bool, dict[str, Promise]]] = {
    OF_NPS: {
        scoring.PROMOTER: _("Began as promoters"),
        scoring.PASSIVE: _("Began as passives"),
        scoring.DETRACTOR: _("Began as detractors"),
    },
    OF_OTHERS: {
        scoring.PROMOTER: _("Began high"),
        scoring.PASSIVE: _("Began in the middle"),
        scoring.DETRACTOR: _("Began low"),
    },
}
STATES: Final[dict[bool, dict[str, Promise]]] = {
    OF_NPS: {
        scoring.PROMOTER: _("Promoter"),
        scoring.PASSIVE: _("Passive"),
        scoring.DETRACTOR: _("Detractor"),
        NO_LATER: _("No later answer"),
    },
    OF_OTHERS: {
        scoring.PROMOTER: _("High"),
        scoring.PASSIVE: _("Middle"),
        scoring.DETRACTOR: _("Low"),
        NO_LATER: _("No later answer"),
    },
}
# In the order of the columns: high now and ever, not low now and ever.
SHARES: Final[dict[bool, list[Promise]]] = {
    OF_NPS: [_("Promoter now"), _("Promoter ever"), _("No detractor now"), _("No detractor ever")],
    OF_OTHERS: [_("High now"), _("High ever"), _("Not low now"), _("Not low ever")],
}


def began(kind: str) -> dict[str, Promise]:
    return BEGAN[kind == "nps"]


def states(kind: str) -> dict[str, Promise]:
    return STATES[kind == "nps"]


def shares(kind: str) -> list[Promise]:
    return SHARES[kind == "nps"]


def change_words(paired: Paired) -> str:
    """30 points higher (8 to 52); nothing where there are fewer than ten."""
    difference = paired.difference
    if difference is None:
        return ""
    if difference.is_clear:
        return higher_or_lower(paired.kind, difference)
    return gettext("no clear difference ({difference})").format(difference=unclear(paired.kind, difference))


def share_words(share: Share) -> str:
    return words.rate_words(Rate(share.hits, share.n))


def bounds_words(share: Share) -> str:
    ends = share.bounds
    if ends is None:
        most = share.hits + share.everyone - share.n
        return gettext("{low} to {high} of {n}").format(low=share.hits, high=most, n=share.everyone)
    return gettext("{low} to {high} of all {n}").format(
        low=words.percent(ends.low), high=words.percent(ends.high), n=f"{share.everyone:,}"
    )


# --- sentences ----------------------------------------------------------------------------------------------

AT_FIRST: Final[dict[str, Promise]] = {
    "nps": _("The same {n} people: NPS {earlier} at first, {later} by their latest answer: {difference}."),
    "csat": _(
        "The same {n} people: {earlier} were satisfied at first, {later} by their latest answer:"
        " {difference}."
    ),
    "ces": _(
        "The same {n} people: {earlier} found it easy at first, {later} by their latest answer: {difference}."
    ),
}
IN_WAVES: Final[dict[str, Promise]] = {
    "nps": _("The same {n} people: NPS {earlier} in the first wave, {later} in the second: {difference}."),
    "csat": _(
        "The same {n} people: {earlier} were satisfied in the first wave, {later} in the second:"
        " {difference}."
    ),
    "ces": _(
        "The same {n} people: {earlier} found it easy in the first wave, {later} in the second: {difference}."
    ),
}


def change_sentence(found: Panel) -> str:
    if not found.answered_again:
        return gettext("Nobody has answered again yet, so nobody can say how they changed.")
    return paired_sentence(found.change, AT_FIRST)


def waves_sentence(found: Waves) -> str:
    if not found.both:
        return gettext("Nobody answered in both waves, so there is nobody to compare.")
    return paired_sentence(found.paired, IN_WAVES)


def paired_sentence(paired: Paired, said: dict[str, Promise]) -> str:
    """The values alone: their intervals stand in the table."""
    earlier, later = paired.earlier.value, paired.later.value
    if earlier is None or later is None:
        few = ngettext(
            "{n} person answered twice: too few for a figure, the table shows the counts.",
            "{n} people answered twice: too few for a figure, the table shows the counts.",
            paired.n,
        )
        return few.format(n=paired.n)
    return str(said[paired.kind]).format(
        n=f"{paired.n:,}",
        earlier=value_words(paired.kind, earlier),
        later=value_words(paired.kind, later),
        difference=change_words(paired),
    )


def low_sentence(kind: str, share: Share) -> str:
    """What became of those who began low; nothing where nobody did."""
    if not share.everyone:
        return ""
    if kind == "nps":
        said = ngettext(
            "Of {all} who began as a detractor, {n} answered again; no longer a detractor: {share}.",
            "Of {all} who began as detractors, {n} answered again; no longer detractors: {share}.",
            share.everyone,
        )
    else:
        said = ngettext(
            "Of {all} who began low, {n} answered again; no longer low: {share}.",
            "Of {all} who began low, {n} answered again; no longer low: {share}.",
            share.everyone,
        )
    return said.format(all=f"{share.everyone:,}", n=f"{share.n:,}", share=share_words(share))
