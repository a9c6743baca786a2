"""Staff pages about surveys: what is asked, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from dispatch import clock
from surveys.access import visible_surveys
from surveys.models import Survey
from surveys.models.fields import closest_language
from surveys.results import Figure, SurveyFigures, figures_of, monthly, survey_figures
from surveys.views import figures as shown
from surveys.views.survey_form import asked, form_context, language_context, rendered, wished_language

PERIODS: dict[str, tuple[int | None, Promise]] = {
    "30": (30, gettext_lazy("last 30 days")),
    "90": (90, gettext_lazy("last 90 days")),
    "365": (365, gettext_lazy("last 12 months")),
    "all": (None, gettext_lazy("since the beginning")),
}
USUAL_PERIOD = "365"
MONTHS = 24


@dataclass(frozen=True, slots=True)
class Shown:
    """A figure as a page prints it."""

    figure: Figure

    @property
    def name(self) -> str:
        return str(shown.FIGURE_NAMES[self.figure.kind])

    @property
    def words(self) -> str:
        return shown.in_words(self.figure)

    @property
    def interval(self) -> str:
        return shown.interval_in_words(self.figure)

    @property
    def pieces(self) -> list[shown.Piece]:
        return shown.pieces(self.figure)

    @property
    def mean(self) -> str:
        return "" if self.figure.mean is None else f"{self.figure.mean:.1f}"


@login_required
@require_safe
def list_surveys(request: HttpRequest) -> HttpResponse:
    period, since = _period(request, clock.now())
    surveys = list(visible_surveys(request.user))
    context = {
        "lines": [_line(each) for each in figures_of(surveys, since)],
        "period": period,
        "periods": [(code, name) for code, (_days, name) in PERIODS.items()],
    }
    return render(request, "surveys/surveys.html", context)


@login_required
@require_safe
def show_survey(request: HttpRequest, slug: str) -> HttpResponse:
    at = clock.now()
    period, since = _period(request, at)
    survey = get_object_or_404(visible_surveys(request.user), slug=slug)
    context = {
        **_line(survey_figures(survey, since)),
        "period": period,
        "periods": [(code, name) for code, (_days, name) in PERIODS.items()],
        "scale": shown.scale_in_words(survey),
        "is_usual_nps": (survey.lowest, survey.highest, survey.best) == (0, 10, "max"),
        "months": _months(survey, at),
        "questions": survey.questions.all(),
        "edit_url": _edit_url(request, survey),
    }
    return render(request, "surveys/survey.html", context)


@login_required
@require_safe
def preview_survey(request: HttpRequest, slug: str) -> HttpResponse:
    """The page as a customer gets it, but for the button that sends."""
    survey = get_object_or_404(visible_surveys(request.user), slug=slug)
    language = wished_language(request) or closest_language(translation.get_language())
    with translation.override(language):
        context = {
            **language_context(request, language),
            **form_context(survey, asked(survey), ["phone", "email"], language=language, typed={}, errors={}),
            "title": survey.title(language),
            "is_preview": True,
        }
        return rendered(request, "page", context, language)


def _period(request: HttpRequest, at: datetime) -> tuple[str, datetime | None]:
    wished = request.GET.get("days", USUAL_PERIOD)
    period = wished if wished in PERIODS else USUAL_PERIOD
    days, _name = PERIODS[period]
    return period, None if days is None else at - timedelta(days=days)


def _line(figures: SurveyFigures) -> dict[str, Any]:
    rate = figures.response_rate
    return {
        "survey": figures.survey,
        "figures": figures,
        "shown": Shown(figures.figure),
        "rate": "" if rate is None else shown.in_percent(rate),
    }


def _months(survey: Survey, at: datetime) -> Sequence[tuple[date, Shown]]:
    """The latest first."""
    since = at - timedelta(days=31 * MONTHS)
    return [(each.first, Shown(each.figure)) for each in reversed(monthly(survey, since))]


def _edit_url(request: HttpRequest, survey: Survey) -> str:
    if not (request.user.is_staff and request.user.has_perm("surveys.change_survey")):
        return ""
    return reverse("admin:surveys_survey_change", args=[survey.pk])
