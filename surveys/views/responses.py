"""Staff pages about answers: finding one, and everything about it."""

from datetime import date, timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.dateparse import parse_date
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from dispatch.clock import midnight
from surveys.access import visible_responses, visible_surveys
from surveys.models import Answer, Question, Response
from surveys.models.lookup import any_of, is_pair
from surveys.views.pages import Pages

PER_PAGE = 50
WAITING = "untriaged"
LONGEST_SEARCH = 200


@login_required
@require_safe
def list_responses(request: HttpRequest) -> HttpResponse:
    wished = {
        name: request.GET.get(name, "").replace("\x00", "").strip()[:LONGEST_SEARCH]
        for name in ("survey", "band", "state", "since", "until", "q")
    }
    rows = _chosen(visible_responses(request.user), wished).order_by("-answered_at", "-id")
    rows = rows.select_related("survey", "source", "customer").prefetch_related("customer__identities")
    page = Pages(rows, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        **wished,
        "page_obj": page,
        "rows": [(each, triage_in_words(each)) for each in page.object_list],
        "surveys": visible_surveys(request.user),
        "bands": Response.BANDS,
        "states": [*Response.STATES, (WAITING, _("waiting for triage"))],
        "filtered": any(wished.values()),
    }
    return render(request, "surveys/responses.html", context)


@login_required
@require_safe
def show_response(request: HttpRequest, pk: int) -> HttpResponse:
    rows = visible_responses(request.user).select_related(
        "survey", "source", "customer__account", "invitation"
    )
    response = get_object_or_404(rows, pk=pk)
    answers = response.answers.select_related("question")
    context = {
        "response": response,
        "answers": [(each.question, _answer_in_words(each)) for each in answers],
        "versions": response.versions.order_by("-id"),
        "triage": triage_in_words(response),
        "note": response.triage_note,
        "others": _others(request, response),
    }
    return render(request, "surveys/response.html", context)


def triage_in_words(response: Response) -> str:
    """What became of an answer, and why."""
    note: dict[str, Any] = response.triage_note
    if response.triaged_at is None:
        return _("waiting for triage")
    words = {"ticket": note.get("ticket") or "", "rule": note.get("rule") or ""}
    sentences = {
        "opened": _("opened ticket %(ticket)s"),
        "absorbed": _("added to the open ticket %(ticket)s"),
        "updated": _("change noted on ticket %(ticket)s"),
        "outcome": _("outcome of ticket %(ticket)s"),
    }
    sentence = sentences.get(note.get("result", "")) if words["ticket"] else None
    return (sentence or _no_ticket(note)) % words


def _no_ticket(note: dict[str, Any]) -> str:
    reasons = {
        "unanswered": _("no ticket: there is no score"),
        "source_opens_no_tickets": _("no ticket: its source opens none"),
        "withdrawn": _("no ticket: the answer was withdrawn"),
        "test": _("no ticket: it is a test"),
    }
    by_rule = _("no ticket: rule “%(rule)s”") if note.get("rule") else _("no ticket: the score is not low")
    return reasons.get(note.get("why", ""), by_rule)


def _chosen(rows: QuerySet[Response], wished: dict[str, str]) -> QuerySet[Response]:
    if wished["survey"]:
        rows = rows.filter(survey__slug=wished["survey"])
    if wished["band"]:
        rows = rows.filter(band=wished["band"])
    if wished["state"] == WAITING:
        rows = rows.filter(triaged_at=None)
    elif wished["state"]:
        rows = rows.filter(state=wished["state"])
    if since := _day(wished["since"]):
        rows = rows.filter(answered_at__gte=midnight(since))
    if until := _day(wished["until"]):
        rows = rows.filter(answered_at__lt=midnight(until + timedelta(days=1)))
    return _found(rows, wished["q"]) if wished["q"] else rows


def _found(rows: QuerySet[Response], words: str) -> QuerySet[Response]:
    said = [Q(comment__holds=words), Q(external_id=words), Q(customer__name__holds=words)]
    # no phone number or address is a word of two Chinese characters
    written = [] if is_pair(words) else [Q(customer__identities__value__icontains=words)]
    return any_of(rows, *said, *written)


def _day(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def _answer_in_words(answer: Answer) -> str:
    if answer.question.kind == Question.RATING:
        return _("%(rating)s of 5") % {"rating": answer.value}
    if answer.question.kind == Question.CHOICE:
        return dict(answer.question.choices_in(get_language() or "en")).get(answer.value, str(answer.value))
    return str(answer.value)


def _others(request: HttpRequest, response: Response) -> list[Response]:
    """The latest other answers of the same person."""
    if response.customer is None:
        return []
    theirs = visible_responses(request.user).filter(customer=response.customer).exclude(pk=response.pk)
    return list(theirs.select_related("survey").order_by("-answered_at", "-id")[:10])
