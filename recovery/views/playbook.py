"""The playbook on the ticket page: its guide, its checklist, and what usually follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from dispatch.clock import now
from recovery import access, lifecycle
from recovery.lifecycle import Refused
from recovery.lifecycle.act import name_of
from recovery.lifecycle.playbook import next_issues, playbook_of
from recovery.models import PlaybookStep, Ticket
from recovery.models.named import in_language
from recovery.views import door


@dataclass(frozen=True)
class Step:
    """`by` is who ticked it off, '' while it is open."""

    row: PlaybookStep
    done: bool
    by: str


def playbook_facts(request: HttpRequest, ticket: Ticket) -> dict[str, Any]:
    """In at most five queries."""
    book = playbook_of(ticket)
    issues = next_issues(ticket)
    if book is None:
        return {"playbook": None, "next_issues": issues}
    steps = steps_of(ticket, book.pk)
    user = door.staff(request)
    return {
        "playbook": book,
        "guide": in_language(book.guide, book.guide_zh),
        "steps": steps,
        "steps_done": sum(step.done for step in steps),
        "next_issues": issues,
        "may_tick": ticket.is_in_work and access.may(user, "resolve", ticket),
    }


def steps_of(ticket: Ticket, book: int) -> list[Step]:
    ticked = {
        row.step_id: row
        for row in ticket.steps_done.filter(cycle=ticket.cycle, step__playbook=book).select_related("by")
    }
    rows = PlaybookStep.objects.filter(playbook=book)
    return [
        Step(row, row.pk in ticked, name_of(ticked[row.pk].by) if row.pk in ticked else "") for row in rows
    ]


@door.staff_page()
@require_POST
def tick(request: HttpRequest, number: str, step: int) -> HttpResponse:
    """Tick a step off or untick it; the checklist comes back, alone where the page asked for it alone."""
    ticket = door.ticket_or_404(request, number, "resolve")
    row = PlaybookStep.objects.filter(pk=step).first()
    if row is None:
        raise Http404
    try:
        lifecycle.tick_step(ticket, row, by=door.staff(request), at=now(), done="done" in request.POST)
    except Refused as refused:
        messages.error(request, str(refused))
    if "HX-Request" not in request.headers:
        return redirect("ticket", number)
    fresh = door.ticket_or_404(request, number)
    context = {"ticket": fresh, **playbook_facts(request, fresh)}
    return render(request, "recovery/parts/ticket_playbook.html", context)
