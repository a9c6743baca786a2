"""What people answered, as numbers: figures with intervals, months, parts, who was asked, what changed."""

from surveys.results.answers import Which
from surveys.results.asking import Asking, Rate
from surveys.results.detail import Results, results_of
from surveys.results.figure import Figure
from surveys.results.overview import (
    Month,
    SurveyFigures,
    figures_for,
    figures_of,
    monthly,
    most_answered,
    survey_figures,
)
from surveys.results.parts import Breakdown, Part, attributes_of, breakdown_of, choices_of, compared
from surveys.results.trend import Point, Trend

__all__ = [
    "Asking",
    "Breakdown",
    "Figure",
    "Month",
    "Part",
    "Point",
    "Rate",
    "Results",
    "SurveyFigures",
    "Trend",
    "Which",
    "attributes_of",
    "breakdown_of",
    "choices_of",
    "compared",
    "figures_for",
    "figures_of",
    "monthly",
    "most_answered",
    "results_of",
    "survey_figures",
]
