"""What people said, in words: figures with their intervals, differences, changes of the scale."""

from __future__ import annotations

from datetime import date
from typing import Final

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from recovery.views.insight_words import Points, percent, points_of, why_words
from surveys.eras import Era, Suspicion
from surveys.estimates import MIN_ANSWERS_FOR_PERCENT, MIN_ANSWERS_FOR_RANKING, Difference
from surveys.models import Invitation, Response
from surveys.results import Asking, Breakdown, Figure, Part, Rate, Results
from surveys.scoring import Scale
from surveys.views.figures import band_names, in_points

NAMES: Final[dict[str, Promise]] = {"nps": _("NPS"), "csat": _("Satisfied"), "ces": _("Made it easy")}
HEADLINES: Final[dict[str, Promise]] = {
    "nps": _("The NPS is {value} ({low} to {high}), from {n} answers."),
    "csat": _("{value} are satisfied ({low} to {high}), of {n} answers."),
    "ces": _("{value} say it was easy ({low} to {high}), of {n} answers."),
}
BESIDE: Final[dict[str, Promise]] = {
    Response.UNANSWERED: _("without a score"),
    Response.WITHDRAWN: _("withdrawn"),
    Response.TEST: _("tests"),
}


def value_words(kind: str, value: float) -> str:
    """+23, or 78 %."""
    return in_points(value) if kind == "nps" else percent(value)


def figure_words(figure: Figure) -> str:
    """+23 (+8 to +38); the bands where they are few, a dash where nobody answered."""
    if figure.value is None or figure.interval is None:
        return bands_words(figure) if figure.answered else "–"
    ends = [value_words(figure.kind, end) for end in (figure.interval.low, figure.interval.high)]
    return gettext("{value} ({low} to {high})").format(
        value=value_words(figure.kind, figure.value), low=ends[0], high=ends[1]
    )


def bands_words(figure: Figure) -> str:
    names, bands = band_names(figure.kind), figure.bands
    counts = {"detractor": bands.detractors, "passive": bands.passives, "promoter": bands.promoters}
    return ", ".join(
        gettext("{name} {count}").format(name=names[band], count=count) for band, count in counts.items()
    )


def headline(figure: Figure) -> str:
    if not figure.answered:
        return gettext("Nobody answered in this period.")
    if figure.value is None or figure.interval is None:
        few = ngettext(
            "{n} answer came in, too few for a figure: {bands}.",
            "{n} answers came in, too few for a figure: {bands}.",
            figure.answered,
        )
        return few.format(n=figure.answered, bands=bands_words(figure))
    return str(HEADLINES[figure.kind]).format(
        value=value_words(figure.kind, figure.value),
        low=value_words(figure.kind, figure.interval.low),
        high=value_words(figure.kind, figure.interval.high),
        n=f"{figure.answered:,}",
    )


def mean_words(figure: Figure) -> str:
    if figure.mean is None:
        return ""
    ends = figure.mean_interval
    if ends is None:
        return gettext("The mean is {mean}.").format(mean=f"{figure.mean:.2f}")
    return gettext("The mean is {mean} ({low} to {high}).").format(
        mean=f"{figure.mean:.2f}", low=f"{ends.low:.2f}", high=f"{ends.high:.2f}"
    )


# --- differences --------------------------------------------------------------------------------------------


def points_between(kind: str, difference: Difference) -> Points:
    """The difference and its ends in points, of NPS or of a hundred."""
    return points_of(difference, 1 if kind == "nps" else 100)


def higher_or_lower(kind: str, difference: Difference) -> str:
    """12 points lower (3 to 21): for a difference that is clear."""
    points = points_between(kind, difference)
    if points.value >= 0:
        said = ngettext(
            "{n} point higher ({low} to {high})", "{n} points higher ({low} to {high})", points.number
        )
    else:
        said = ngettext(
            "{n} point lower ({low} to {high})", "{n} points lower ({low} to {high})", points.number
        )
    return said.format(**points.unsigned)


def unclear(kind: str, difference: Difference) -> str:
    return gettext("{points} points, {low} to {high}").format(**points_between(kind, difference).signed)


def before_words(results: Results) -> str:
    """The period against the one before it, or why they are not compared."""
    found, kind = results.difference, results.survey.kind
    if found is None:
        return not_compared_words(results)
    if found.is_clear:
        return gettext("It is {difference} than in the period before, of the same length ({figure}).").format(
            difference=higher_or_lower(kind, found), figure=before_figure(results)
        )
    return gettext(
        "No clear difference to the period before, of the same length ({figure}): {difference}."
    ).format(difference=unclear(kind, found), figure=before_figure(results))


def before_figure(results: Results) -> str:
    figure = results.before
    value = value_words(figure.kind, figure.value) if figure.value is not None else "–"
    return gettext("{value} from {n} answers").format(value=value, n=f"{figure.answered:,}")


def not_compared_words(results: Results) -> str:
    if results.not_compared == "scale":
        return gettext("The scale has changed since the period before: the two are not compared.")
    if results.not_compared == "suspected":
        return gettext(
            "The scale seems to have changed meanwhile: it is not compared with the period before."
        )
    if results.not_compared == "few" and results.figure.is_enough:
        return gettext("From the period before there are {n} answers, too few to compare with.").format(
            n=results.before.answered
        )
    return ""


def part_words(kind: str, part: Part) -> str:
    """A part against all the others together; empty where either is too few."""
    if part.difference is None:
        return ""
    if part.is_clear:
        return gettext("{difference} than the others").format(
            difference=higher_or_lower(kind, part.difference)
        )
    if part.difference.is_clear:
        return gettext("may be chance, among so many ({difference})").format(
            difference=unclear(kind, part.difference)
        )
    return gettext("no clear difference ({difference})").format(difference=unclear(kind, part.difference))


def parts_sentence(kind: str, breakdown: Breakdown, names: dict[str, str]) -> str:
    """The parts that stand out, the largest difference first; at most three are named.

    Only such as somebody can act on: with answers enough to be ranked, and known by a name.
    """
    clear = sorted(
        (part for part in breakdown.ranked if part.is_clear and part.key),
        key=lambda part: -abs(part.difference.value if part.difference else 0.0),
    )
    if not breakdown.compared:
        return gettext("Too few answers to compare one group with the others.")
    if not clear and any(part.is_clear for part in breakdown.parts):
        return gettext(
            "No group with a name and {least} answers or more differs clearly; of the smaller ones, and those"
            " not known, some do."
        ).format(least=MIN_ANSWERS_FOR_RANKING)
    if not clear:
        return ngettext(
            "{n} group was compared with the others: it does not differ clearly.",
            "{n} groups were compared with the others: none differs clearly.",
            breakdown.compared,
        ).format(n=breakdown.compared)
    said = [
        gettext("{name}: {difference}").format(name=names[part.key], difference=part_words(kind, part))
        for part in clear[:3]
    ]
    return gettext("{groups}.").format(groups="; ".join(said))


def two_words(kind: str, names: tuple[str, str], found: tuple[Part, Part, Difference | None]) -> str:
    """Whether one group really is worse than another, in a sentence."""
    first, second, difference = found
    words = {
        "one": names[0],
        "other": names[1],
        "one_figure": figure_words(first.figure),
        "other_figure": figure_words(second.figure),
    }
    if difference is None:
        return gettext(
            "{one}: {one_figure}. {other}: {other_figure}. To compare them takes {least} answers of each."
        ).format(**words, least=MIN_ANSWERS_FOR_PERCENT)
    if difference.is_clear:
        return gettext(
            "{one} really differs from {other}: {difference}. {one}: {one_figure}, {other}: {other_figure}."
        ).format(**words, difference=higher_or_lower(kind, difference))
    return gettext(
        "Between {one} and {other} there is no clear difference ({difference}). {one}: {one_figure},"
        " {other}: {other_figure}."
    ).format(**words, difference=unclear(kind, difference))


# --- who was asked ------------------------------------------------------------------------------------------


def rate_words(rate: Rate) -> str:
    """24 % (20 to 29), of 412; the counts where they are few."""
    if rate.share is None or rate.interval is None:
        return (
            gettext("{hits} of {n}").format(hits=rate.answered, n=rate.delivered) if rate.delivered else "–"
        )
    return gettext("{share} ({low} to {high})").format(
        share=percent(rate.share), low=round(100 * rate.interval.low), high=round(100 * rate.interval.high)
    )


def unasked_words(asking: Asking) -> list[tuple[str, int]]:
    """Those never asked, or not yet, by reason."""
    waiting = {Invitation.PLANNED: gettext("will be asked when it is due")}
    return [(waiting.get(each.state) or why_words(each.reason), number) for each, number in asking.unasked]


# --- scales -------------------------------------------------------------------------------------------------


def scale_words(scale: Scale, beside: Scale | None = None) -> str:
    """0–10, or 1–5 (1 is best); beside one with the same ends also what is low: 0–10 (5 and worse is low)."""
    words = f"{scale.lowest}–{scale.highest}"
    ends = (scale.lowest, scale.highest, scale.best)
    if beside is not None and beside != scale and ends == (beside.lowest, beside.highest, beside.best):
        return gettext("{scale} ({cut} and worse is low)").format(scale=words, cut=scale.low)
    if scale.best == "min":
        return gettext("{scale} ({best} is best)").format(scale=words, best=scale.lowest)
    return words


def former_words(former: tuple[tuple[Era, int], ...], now: Scale) -> list[str]:
    return [
        ngettext(
            "{n} answer on another scale, {scale}, is not in it.",
            "{n} answers on another scale, {scale}, are not in it.",
            count,
        ).format(n=f"{count:,}", scale=scale_words(era.scale, now))
        for era, count in former
    ]


def suspicion_words(found: Suspicion) -> str:
    words = {
        ("above", False): gettext("From {month} on nobody gave more than {limit}: has the scale changed?"),
        ("below", False): gettext("From {month} on nobody gave less than {limit}: has the scale changed?"),
        ("above", True): gettext("Before {month} nobody gave more than {limit}: has the scale changed?"),
        ("below", True): gettext("Before {month} nobody gave less than {limit}: has the scale changed?"),
    }
    return words[found.side, found.opens].format(month=month_words(found.month), limit=found.limit)


def month_words(first: date) -> str:
    return str(date_format(first, "YEAR_MONTH_FORMAT"))
