"""Coaching: how one owner's closed tickets went, a fair sample to look at, and what was said about them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Prefetch, prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy
from django.views.decorators.http import require_POST, require_safe

from dispatch.clock import now
from recovery import access, lifecycle
from recovery.insight import coaching
from recovery.lifecycle import Refused
from recovery.lifecycle.act import name_of
from recovery.models import QualityCheck, Ticket
from recovery.models.ticket import TicketQuerySet
from recovery.templatetags.moments import span
from recovery.views import door
from recovery.views.tickets import number as number_of
from recovery.views.words import outcome_word

PER_PAGE = 25
WEEKS: Final = (4, 13, 26, 52)
TREND: Final = timedelta(days=366)


class MarkForm(forms.Form):
    mark = forms.TypedChoiceField(
        label=_("Mark"),
        choices=[(1, "1"), (2, "2"), (3, "3"), (4, "4"), (5, "5")],
        coerce=int,
        widget=forms.RadioSelect,
    )
    note = forms.CharField(
        label=_("What went well, what would have been better"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


@dataclass
class Line:
    """A closed ticket; `form` where this supervisor may say what they think of it."""

    ticket: Any
    heard: str
    outcome: str
    checks: list[QualityCheck]
    form: MarkForm | None = None


@door.staff_page(*door.WORKERS)
@require_safe
def coach(request: HttpRequest) -> HttpResponse:
    people = coached_by(request)
    return page(request, people, owner_of(request, people), {}, 200)


def coached_by(request: HttpRequest) -> list[User]:
    """Whom this person may coach: who works in the teams they supervise; nobody coaches themselves."""
    user = door.staff(request)
    teams = access.supervised_by(user)
    return [each for each in access.colleagues_of(teams) if each != user] if teams else []


def owner_of(request: HttpRequest, people: list[User]) -> User | None:
    """Who was chosen among those; else oneself, read only. None: nobody is chosen yet."""
    user, wanted = door.staff(request), number_of(door.asked(request, "owner"))
    if wanted and wanted != user.pk:
        found = next((each for each in people if each.pk == wanted), None)
        if found is None:
            raise Http404
        return found
    return user if wanted or not people else None


def tickets_of(request: HttpRequest, owner: User) -> TicketQuerySet:
    """One's own; of others, those in the teams one supervises."""
    if owner == door.staff(request):
        return door.seen_by(request)
    return door.seen_by(request).filter(team__in=access.supervised_by(door.staff(request)))


def page(
    request: HttpRequest,
    people: list[User],
    owner: User | None,
    failed: dict[int, MarkForm],
    status: int,
) -> HttpResponse:
    at = now()
    weeks = number_of(door.asked(request, "weeks"))
    context: dict[str, Any] = {
        "people": [(each.pk, name_of(each)) for each in people],
        "owner": owner,
        "owner_name": name_of(owner),
        "mine": owner == door.staff(request),
        "weeks": weeks if weeks in WEEKS else WEEKS[0],
        "spans": [(each, ngettext_lazy("%d week", "%d weeks") % each) for each in WEEKS],
        "now": at,
    }
    if owner is not None:
        context |= facts_of(request, owner, context["weeks"], at, failed)
    return render(request, "recovery/coaching.html", context, status=status)


def facts_of(
    request: HttpRequest, owner: User, weeks: int, at: datetime, failed: dict[int, MarkForm]
) -> dict[str, Any]:
    tickets, by = tickets_of(request, owner), door.staff(request)
    rows = with_facts(coaching.closed(tickets, owner.pk, at - timedelta(weeks=weeks), at))
    page_obj = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    listed = list(page_obj.object_list)
    drawn = [] if owner == by else list(coaching.sample(with_facts(tickets), owner.pk, at))
    with_marks([*listed, *drawn])
    checks = QualityCheck.objects.filter(owner=owner, at__gte=at - TREND, ticket__in=tickets)
    return {
        "page_obj": page_obj,
        "lines": [line_of(each) for each in listed],
        "months": coaching.trend(checks, timezone.get_current_timezone()),
        "sample": [marked(each, by, failed) for each in drawn],
    }


def with_facts(rows: TicketQuerySet) -> TicketQuerySet:
    related = ("customer", "response", "cause_said", "cause_found")
    return coaching.with_story(rows).select_related(*related)


def with_marks(tickets: list[Ticket]) -> None:
    """With everything else a line shows, in two queries."""
    checks = QualityCheck.objects.select_related("by").order_by("-at")
    prefetch_related_objects(tickets, "customer__identities", Prefetch("quality_checks", checks))


def line_of(ticket: Any) -> Line:
    heard = span(ticket.heard_at - ticket.opened_at) if ticket.heard_at else ""
    checks = [each for each in ticket.quality_checks.all() if each.cycle == ticket.cycle]
    return Line(ticket, heard, outcome_word(ticket.outcome) if ticket.outcome else "", checks)


def marked(ticket: Any, by: User, failed: dict[int, MarkForm]) -> Line:
    """With the form, holding what this supervisor said before."""
    line = line_of(ticket)
    before = next((each for each in line.checks if each.by_id == by.pk), None)
    values = {"mark": before.mark, "note": before.note} if before else None
    line.form = failed.get(ticket.pk) or MarkForm(initial=values, auto_id=f"mark-{ticket.pk}-%s")
    return line


@require_POST
@door.staff_page(door.SUPERVISOR, door.ADMINISTRATOR)
def mark(request: HttpRequest, number: str) -> HttpResponse:
    """Keep a mark of a ticket of the sample; or show why not, with what was typed."""
    ticket = door.ticket_or_404(request, number)
    user = door.staff(request)
    if ticket.team_id not in access.supervised_by(user):
        raise PermissionDenied
    drawn = coaching.sample(tickets_of(request, ticket.owner), ticket.owner_id, now())
    if ticket.pk not in [each.pk for each in drawn]:
        raise PermissionDenied(_("Only the tickets drawn for this week are marked."))
    form = MarkForm(request.POST, auto_id=f"mark-{ticket.pk}-%s")
    if not form.is_valid():
        return page(request, coached_by(request), ticket.owner, {ticket.pk: form}, 422)
    try:
        lifecycle.check_quality(ticket, by=user, at=now(), **form.cleaned_data)
    except Refused as refused:
        form.add_error(refused.field if refused.field in form.fields else None, str(refused))
        return page(request, coached_by(request), ticket.owner, {ticket.pk: form}, 409)
    messages.success(request, _("Your mark for %(number)s is kept.") % {"number": ticket.number})
    return redirect(f"{reverse('coaching')}?owner={ticket.owner_id}")
