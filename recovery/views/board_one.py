"""The acts of the board on one ticket: beside the row, or on a page of their own."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from dispatch.clock import now
from recovery import access, forms, lifecycle
from recovery.lifecycle import Refused
from recovery.models import Ticket
from recovery.views import door
from recovery.views.board_acts import ACTS, DONE, in_table
from recovery.views.rows import for_rows, row_of
from recovery.views.tickets import number as number_of

OFFERED = ("assign", "extend", "take-over", "nudge")


@door.staff_page(door.SUPERVISOR, door.ADMINISTRATOR)
def act_on_one(request: HttpRequest, number: str) -> HttpResponse:
    """The acts; or, posted, one of them, then the list again; or why not, with everything typed."""
    ticket = door.ticket_or_404(request, number)
    if request.method != "POST":
        return show(request, ticket, {}, 200)
    do = request.POST.get("do", "")
    form = forms.BulkForm(access.colleagues_for(ticket), request.POST, prefix=do)
    if do not in ACTS or not form.is_valid():
        return show(request, ticket, {do: form}, 422)
    ticket = door.ticket_or_404(request, number, in_table(do))
    ticket.version = number_of(request.POST.get("version", "")) or ticket.version
    try:
        ACTS[do](ticket, door.staff(request), now(), form.cleaned_data)
    except Refused as refused:
        beside = {"text": "reason"}.get(refused.field, refused.field)
        form.add_error(beside if beside in form.fields else None, str(refused))
        return show(request, door.ticket_or_404(request, number), {do: form}, 409)
    messages.success(request, str(DONE[do]) % {"number": ticket.number})
    return back_to_list(request)


def back_to_list(request: HttpRequest) -> HttpResponse:
    url = f"{reverse('overdue')}?{back_of(request)}"
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return redirect(url)


def back_of(request: HttpRequest) -> str:
    """The query of the list: it stays a query whatever somebody makes of it."""
    given = request.POST.get("back", request.GET.get("back", ""))
    return "".join(letter for letter in given if letter.isprintable())[:2000]


def empty(ticket: Ticket, do: str) -> forms.BulkForm:
    return forms.BulkForm(access.colleagues_for(ticket), prefix=do)


def show(
    request: HttpRequest, ticket: Ticket, failed: dict[str, forms.BulkForm], status: int
) -> HttpResponse:
    user, at = door.staff(request), now()
    acts: dict[str, Any] = {
        name.replace("-", "_"): (failed.get(name) or empty(ticket, name)).needing(name)
        for name in OFFERED
        if access.may(user, in_table(name), ticket) and lifecycle.is_allowed(in_table(name), ticket.status)
    }
    context = {
        "ticket": ticket,
        "row": row_of(for_rows(Ticket.objects.filter(pk=ticket.pk)).get(), at),
        "acts": acts,
        "failed": "".join(failed),
        "mine": ticket.owner == user,
        "back": back_of(request),
    }
    part = "recovery/parts/board_act.html" if request.headers.get("HX-Request") else "recovery/board_one.html"
    return render(request, part, context, status=status)
