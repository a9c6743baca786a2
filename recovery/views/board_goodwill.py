"""For supervisors: the goodwill that waits for their word, approved or refused in its row."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from dispatch.clock import now
from recovery import lifecycle
from recovery.lifecycle import Refused
from recovery.models import Goodwill
from recovery.views import door
from recovery.views.board_tabs import GOODWILL, every_tab, to_decide

PER_PAGE = 50
LONGEST_REASON = 300

leaders = door.staff_page(door.SUPERVISOR, door.ADMINISTRATOR)


@leaders
@require_safe
def goodwill_to_approve(request: HttpRequest) -> HttpResponse:
    return listed(request, {}, 200)


@leaders
@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve it or not, and back to the list; or the list with why not, and the reason as it was typed."""
    rows = Goodwill.objects.filter(ticket__in=door.seen_by(request).order_by()).select_related("ticket")
    row = get_object_or_404(rows, pk=pk)
    ticket = door.ticket_or_404(request, row.ticket.number, "decide-goodwill")
    approve = request.POST.get("do") == "approve"
    reason = request.POST.get("reason", "").replace("\0", "").strip()[:LONGEST_REASON]
    try:
        lifecycle.decide_goodwill(
            ticket, by=door.staff(request), at=now(), goodwill=row, approve=approve, reason=reason
        )
    except Refused as refused:
        problem = {"pk": pk, "number": ticket.number, "words": str(refused), "reason": reason}
        return listed(request, {"problem": problem}, 409)
    said = (
        gettext("The goodwill of {number} is approved.")
        if approve
        else gettext("The goodwill of {number} is not approved, and who proposed it is told why.")
    )
    messages.success(request, said.format(number=ticket.number))
    return redirect(GOODWILL)


def listed(request: HttpRequest, context: dict[str, Any], status: int) -> HttpResponse:
    """Who waits longest comes first."""
    rows = to_decide(door.staff(request), request).order_by("pk")
    rows = rows.select_related("kind", "team", "ticket__customer").prefetch_related(
        "ticket__customer__identities"
    )
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    context |= {**every_tab(request, now(), GOODWILL), "page_obj": page}
    return render(request, "recovery/board_goodwill.html", context, status=status)
