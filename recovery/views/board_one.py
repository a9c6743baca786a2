"""The acts of the board on one ticket: beside the row, or on a page of their own."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dispatch.clock import now
from recovery import access, forms
from recovery.lifecycle import Refused
from recovery.lifecycle.nudge import refuse_nudging
from recovery.lifecycle.table import check_allowed
from recovery.models import Ticket
from recovery.views import door
from recovery.views.board_acts import ACTS, in_table, told
from recovery.views.colleagues import say_who_is_away
from recovery.views.rows import for_rows, row_of
from recovery.views.tickets import number as number_of
from recovery.views.words import Words

# In the order of the sheet, with the name and the key of each.
OFFERED: Final[dict[str, tuple[Words, str]]] = {
    "assign": (_("Hand over"), "a"),
    "extend": (_("Extend"), "x"),
    "nudge": (_("Nudge"), "u"),
    "take-over": (_("Take over"), "t"),
}


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
        at = now()
        done = ACTS[do](ticket, door.staff(request), at, form.cleaned_data)
    except Refused as refused:
        beside = {"text": "reason"}.get(refused.field, refused.field)
        form.add_error(beside if beside in form.fields else None, str(refused))
        return show(request, door.ticket_or_404(request, number), {do: form}, 409)
    messages.success(request, told(do, done, form.cleaned_data, at))
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


def why_not(user: User, do: str, ticket: Ticket, at: datetime) -> str:
    """Why the board does not offer this act on this ticket; '' where it does."""
    act = in_table(do)
    if not access.may(user, act, ticket):
        return gettext("Only who supervises the team of this ticket may do this.")
    try:
        check_allowed(act, ticket.status)
        if do == "nudge":
            refuse_nudging(ticket, user, at)
    except Refused as refused:
        return str(refused)
    taken = do == "take-over" and ticket.owner == user and not ticket.awaits_room
    return gettext("It is yours already.") if taken else ""


def show(
    request: HttpRequest, ticket: Ticket, failed: dict[str, forms.BulkForm], status: int
) -> HttpResponse:
    """Each act as a form, or why it is not offered; what was just refused stays with everything typed."""
    user, at = door.staff(request), now()
    why = {do: "" if do in failed else why_not(user, do, ticket, at) for do in OFFERED}
    acts: dict[str, Any] = {
        do.replace("-", "_"): (failed.get(do) or empty(ticket, do)).needing(do)
        for do in OFFERED
        if not why[do]
    }
    say_who_is_away(acts.get("assign"), at)
    context = {
        "ticket": ticket,
        "row": row_of(for_rows(Ticket.objects.filter(pk=ticket.pk)).get(), at),
        "acts": acts,
        "not_offered": [(do, name, key, why[do]) for do, (name, key) in OFFERED.items() if why[do]],
        "back": back_of(request),
    }
    part = "recovery/parts/board_act.html" if request.headers.get("HX-Request") else "recovery/board_one.html"
    return render(request, part, context, status=status)
