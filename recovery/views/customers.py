"""The people behind the tickets: found by what they say of themselves, shown with their whole story."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery import access
from recovery.pictures import sparkline_svg
from recovery.templatetags.moments import is_day
from recovery.views import door
from recovery.views.frame import how_many
from recovery.views.rows import for_rows, rows_of
from recovery.views.search import customers_like, looks_everywhere
from surveys.models import Customer, Response
from surveys.views.pages import Pages

PER_PAGE = 50
MOST = 100


@door.staff_page()
@require_safe
def list_customers(request: HttpRequest) -> HttpResponse:
    words = door.asked(request, "q")
    people = access.visible_customers(door.staff(request))
    if words:
        people = customers_like(people, words)
    page = Pages(people.order_by("-pk"), PER_PAGE).get_page(request.GET.get("page"))
    page.object_list = with_tickets(request, [each.pk for each in page.object_list])
    return render(
        request,
        "recovery/customers.html",
        {"page_obj": page, "words": words, "everywhere": looks_everywhere(words)},
    )


def with_tickets(request: HttpRequest, ids: list[int]) -> list[Customer]:
    """These people, each with how many of the tickets one sees they have, and how many are in work."""
    theirs = door.seen_by(request).filter(customer=OuterRef("pk"))
    people = Customer.objects.filter(pk__in=ids).select_related("account").prefetch_related("identities")
    return list(
        people.annotate(all_tickets=how_many(theirs), open_tickets=how_many(theirs.in_work())).order_by("-pk")
    )


@door.staff_page()
@require_safe
def show_customer(request: HttpRequest, pk: int) -> HttpResponse:
    at = now()
    people = access.visible_customers(door.staff(request)).select_related("account__owner")
    customer = people.prefetch_related("identities").filter(pk=pk).first()
    if customer is None:
        raise Http404
    seen = door.seen_by(request).filter(customer=customer)
    answers = answers_seen(request, customer)
    there = at.astimezone(customer.zone)
    context = {
        "customer": customer,
        "there": f"{there:%H:%M}" if customer.time_zone else "",
        "there_day": is_day(there),
        "rows": rows_of(for_rows(seen).order_by("-pk")[:MOST], at),
        "answers": answers,
        "sparks": sparks_of(answers),
        "leads": door.leads(door.staff(request)),
        "now": at,
    }
    return render(request, "recovery/customer.html", context)


def answers_seen(request: HttpRequest, customer: Customer) -> list[Response]:
    """Their answers, newest first, but for those that belong to a ticket of another team."""
    own = Q(ticket_link=None) | Exists(door.seen_by(request).filter(pk=OuterRef("ticket_link__ticket")))
    rows = Response.objects.filter(own, customer=customer).exclude(state=Response.TEST)
    return list(rows.select_related("survey", "ticket_link__ticket").order_by("-answered_at", "-id")[:MOST])


def sparks_of(answers: list[Response]) -> list[tuple[str, str]]:
    """One tiny picture per survey that was answered more than once on its scale of today."""
    known = Response.objects.filter(pk__in=[answer.pk for answer in answers])
    comparable = set(known.on_todays_scale().values_list("pk", flat=True))
    by_survey: dict[int, list[Response]] = {}
    for answer in reversed(answers):
        is_scored = answer.state == Response.COMPLETE and answer.score is not None
        if is_scored and answer.pk in comparable:
            by_survey.setdefault(answer.survey_id, []).append(answer)
    return [
        (
            str(rows[0].survey),
            sparkline_svg([row.score for row in rows if row.score is not None], rows[0].survey.scale),
        )
        for rows in by_survey.values()
        if len(rows) > 1
    ]
