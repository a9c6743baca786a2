"""What became of a reply once it cannot be taken back: asked for by the page that still says it goes out."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery.models import Reply
from recovery.views import door
from recovery.views.filters import number as number_of
from recovery.views.timeline_replies import shown

# Then the page stops asking: the timeline tells the rest.
MOST_ASKED: Final = 6


@door.staff_page()
@require_safe
def reply_state(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """Of the notice at the top of a page; with `as=entry`, of the entry in the timeline."""
    ticket = door.ticket_or_404(request, number)
    rows = Reply.objects.filter(ticket=ticket, direction=Reply.OURS).select_related("message")
    found = shown(get_object_or_404(rows, pk=pk), now())
    asked = number_of(door.asked(request, "asked")) + 1
    context = {
        "ticket": ticket,
        "reply": found,
        "asked": asked,
        "again": found.goes_on and asked < MOST_ASKED,
        "acts": door.may_act(door.staff(request)),
        "beside": door.asked(request, "beside") != "",
    }
    if door.asked(request, "as") == "entry":
        return render(request, "recovery/parts/reply_state.html", context)
    words = gettext("{number} {customer}: {done}")
    context["words"] = words.format(number=ticket.number, customer=ticket.customer_name, done=found.state)
    return render(request, "recovery/parts/reply_told.html", context)
