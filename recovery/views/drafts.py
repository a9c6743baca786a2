"""A reply that was taken back is written on: it stands in its form again, as it was."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from recovery import forms
from recovery.models import Reply, Ticket
from recovery.views import door
from recovery.views.filters import number


def to_draft(ticket: Ticket, reply: int) -> HttpResponse:
    """The page of the ticket, with this reply in its form."""
    return redirect(f"{reverse('ticket', args=[ticket.number])}?draft={reply}")


def put_back(request: HttpRequest, ticket: Ticket, form: forms.ActForm | None) -> bool:
    """Fill the form with the reply the address names, if it was taken back; whether that was done."""
    wanted = number(door.asked(request, "draft"))
    taken_back = (each for each in ticket.replies.all() if each.state == Reply.TAKEN_BACK)
    row = next((each for each in taken_back if each.pk == wanted), None)
    if row is None or form is None:
        return False
    form.initial.update(channel=row.channel, subject=row.subject, text=row.text)
    return True
