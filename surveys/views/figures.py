"""Figures in words and pictures for staff pages."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from surveys import scoring
from surveys.models import Survey
from surveys.results import Figure

FIGURE_NAMES: dict[str, Promise] = {
    "nps": gettext_lazy("NPS"),
    "csat": gettext_lazy("satisfied"),
    "ces": gettext_lazy("made it easy"),
}
MINUS = "−"


@dataclass(frozen=True, slots=True)
class Piece:
    """A band of the bar: where it begins and how wide it is, in parts of 100."""

    band: str
    name: str
    count: int
    percent: float
    start: float

    @property
    def share(self) -> str:
        return in_percent(self.percent / 100)


def in_words(figure: Figure) -> str:
    """ "+23" points or "78 %"; '' where there are too few answers to say."""
    if figure.value is None:
        return ""
    return in_points(figure.value) if figure.kind == "nps" else in_percent(figure.value)


def interval_in_words(figure: Figure) -> str:
    interval = figure.interval
    if interval is None:
        return ""
    show = in_points if figure.kind == "nps" else in_percent
    return _("%(low)s to %(high)s") % {"low": show(interval.low), "high": show(interval.high)}


def in_points(value: float) -> str:
    points = round(value)
    return f"+{points}" if points > 0 else f"{MINUS}{-points}" if points < 0 else "0"


def in_percent(share: float) -> str:
    return _("%(number)s %%") % {"number": round(100 * share)}


def band_names(kind: str) -> dict[str, str]:
    """NPS has promoters; satisfaction and effort have high answers."""
    if kind == "nps":
        return {
            scoring.DETRACTOR: _("detractors"),
            scoring.PASSIVE: _("passives"),
            scoring.PROMOTER: _("promoters"),
        }
    return {scoring.DETRACTOR: _("low"), scoring.PASSIVE: _("middle"), scoring.PROMOTER: _("high")}


def pieces(figure: Figure) -> list[Piece]:
    """The bands from the worst to the best; empty without answers."""
    bands = figure.bands
    names = band_names(figure.kind)
    counts = {
        scoring.DETRACTOR: bands.detractors,
        scoring.PASSIVE: bands.passives,
        scoring.PROMOTER: bands.promoters,
    }
    start, bar = 0.0, []
    for band, count in counts.items():
        percent = 100 * count / figure.answered if figure.answered else 0.0
        bar.append(Piece(band, names[band], count, percent, start))
        start += percent
    return bar if figure.answered else []


def scale_in_words(survey: Survey) -> str:
    words = {"lowest": survey.lowest, "highest": survey.highest, "cut": survey.low_cut}
    if survey.best == "min":
        return _("%(lowest)s to %(highest)s, %(lowest)s is best; %(cut)s and above is low") % words
    return _("%(lowest)s to %(highest)s, %(highest)s is best; %(cut)s and below is low") % words
