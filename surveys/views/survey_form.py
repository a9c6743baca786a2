"""The survey page as things to show: rows of points, in one language. Shared by the page and its preview."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from surveys.intake.answers import RATING
from surveys.intake.page import field_name
from surveys.models import Question, Survey
from surveys.models.fields import CALL_TIMES, CHANNELS

LANGUAGE_NAMES = (("en", "English"), ("zh-hans", "中文"))
SCALE_CLASSES = (5, 7, 11)


@dataclass(frozen=True, slots=True)
class Point:
    value: str
    label: str
    chosen: bool


@dataclass(slots=True)
class Row:
    """One question as it stands on the page."""

    kind: str
    name: str
    text: str
    typed: str
    error: str = ""
    points: list[Point] = field(default_factory=list)
    low_label: str = ""
    high_label: str = ""
    asks: str = Question.PERCEIVED
    # Of the first rating of its sort: all of that sort, which stand together at its place.
    ratings: list["Row"] = field(default_factory=list)

    @property
    def scale_class(self) -> str:
        most = next((each for each in SCALE_CLASSES if len(self.points) <= each), SCALE_CLASSES[-1])
        return f"scale-{most}"


def asked(survey: Survey) -> list[Question]:
    """The active questions, the score first."""
    questions = list(survey.questions.filter(active=True))
    return sorted(questions, key=lambda each: each.kind != Question.SCORE)


def form_context(
    survey: Survey,
    questions: Sequence[Question],
    channels: Sequence[str],
    *,
    language: str,
    typed: Mapping[str, str],
    errors: Mapping[str, str],
) -> dict[str, Any]:
    rows = [_row(survey, each, questions, language, typed, errors) for each in questions]
    return {
        "rows": _with_ratings_together(rows),
        "errors": errors,
        "typed": typed,
        "channels": _points(channels, CHANNELS, typed.get("contact_channel", "")),
        "times": _points([code for code, _label in CALL_TIMES], CALL_TIMES, typed.get("contact_time", "")),
    }


def language_context(request: HttpRequest, language: str) -> dict[str, Any]:
    """The language of the page, and links to the same page in the others."""
    links = []
    for code, name in LANGUAGE_NAMES:
        query = request.GET.copy()
        query["lang"] = code
        if code != language:
            links.append({"code": code, "name": name, "url": f"?{query.urlencode()}"})
    return {"lang": language, "language_links": links}


def wished_language(request: HttpRequest) -> str:
    wished = request.GET.get("lang", "").lower()
    return {"en": "en", "zh": "zh-hans", "zh-hans": "zh-hans"}.get(wished, "")


def rendered(
    request: HttpRequest, name: str, context: dict[str, Any], language: str, status: int = 200
) -> HttpResponse:
    response = render(request, f"surveys/page/{name}.html", context, status=status)
    response["Content-Language"] = language
    return response


def _with_ratings_together(rows: Sequence[Row]) -> list[Row]:
    """How it was, what was expected and how important it is, each once, at the place of its first rating."""
    sorts: dict[str, list[Row]] = {}
    for row in rows:
        if row.kind == Question.RATING:
            row.ratings = sorts.setdefault(row.asks, [])
            row.ratings.append(row)
    return [row for row in rows if not row.ratings or row.ratings[0] is row]


def _row(
    survey: Survey,
    question: Question,
    questions: Sequence[Question],
    language: str,
    typed: Mapping[str, str],
    errors: Mapping[str, str],
) -> Row:
    name = field_name(question, questions)
    value = typed.get(name, "")
    return Row(
        kind=question.kind,
        name=name,
        text=question.wording("text", language),
        typed=value,
        error=errors.get(name, ""),
        points=[Point(code, label, code == value) for code, label in _choices(survey, question, language)],
        low_label=question.wording("low_label", language),
        high_label=question.wording("high_label", language),
        asks=question.asks,
    )


def _choices(survey: Survey, question: Question, language: str) -> list[tuple[str, str]]:
    if question.kind == Question.CHOICE:
        return question.choices_in(language)
    if question.kind not in (Question.SCORE, Question.RATING):
        return []
    scale = survey.scale if question.kind == Question.SCORE else RATING
    return [(str(number), str(number)) for number in range(scale.lowest, scale.highest + 1)]


def _points(codes: Sequence[str], names: Sequence[tuple[str, Any]], chosen: str) -> list[Point]:
    labels = dict(names)
    return [Point(code, str(labels[code]), code == chosen) for code in codes]
