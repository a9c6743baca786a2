"""Where an act leads: the same ticket, the next one, or back to the list, as each person likes it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from recovery import access, lifecycle
from recovery.models import StaffProfile, Ticket
from recovery.views import door
from recovery.views.ticket import after_of, next_of

# What ends somebody's turn with a ticket; after the others one is not done with it.
MOVES_ON: Final = (
    "contact",
    "callback",
    "next-attempt",
    "unreachable",
    "wait",
    "resolve",
    "assign",
    "escalate",
    "reply",
)


def leave(request: HttpRequest, act: str, ticket: Ticket, at: datetime) -> HttpResponse:
    """On to the next ticket of my work or back to it, if the person likes that; else back to the ticket.

    Who has just reached nobody stays for the next attempt that is proposed. A ticket that the act took out of
    the person's sight is left in any case; beside the list, going back is staying.
    """
    user = door.staff(request)
    seen = access.visible_to(user).filter(pk=ticket.pk).exists()
    after = after_of(user) if act in MOVES_ON else StaffProfile.STAY
    if seen and (after == StaffProfile.STAY or proposes(act, ticket, at)):
        return redirect("ticket", ticket.number)
    beside = request.headers.get("HX-Target") == "detail"
    coming = next_of(request, user, ticket, at) if after == StaffProfile.NEXT else None
    if coming:
        return redirect("ticket", coming.number)
    return redirect("ticket", ticket.number) if seen and beside else redirect("desk")


def proposes(act: str, ticket: Ticket, at: datetime) -> bool:
    return act == "contact" and lifecycle.proposal_after(ticket, at) is not None


def told(user: User, act: str, ticket: Ticket, done: str) -> str:
    """What was done; and to which ticket, where another page may be the next one seen."""
    if act not in MOVES_ON or after_of(user) == StaffProfile.STAY:
        return done
    facts = {"number": ticket.number, "customer": ticket.customer_name, "done": done}
    return gettext("{number} {customer}: {done}").format(**facts)


@door.staff_page(*door.WORKERS)
@require_POST
def choose_after(request: HttpRequest) -> HttpResponse:
    """Kept for the person until they choose otherwise."""
    chosen = request.POST.get("after", "")
    if chosen in dict(StaffProfile.AFTER):
        StaffProfile.objects.filter(user=door.staff(request)).update(after_act=chosen)
    back = request.POST.get("back", "")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure())
    return redirect(back if safe else "desk")
