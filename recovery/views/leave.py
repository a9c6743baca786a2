"""Being away: one's own leave with who covers, and for supervisors that of their people."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from dispatch.clock import now
from recovery import access
from recovery.assignment.leave import keep_leave
from recovery.forms.leave import LeaveForm
from recovery.lifecycle.act import name_of
from recovery.lifecycle.back import come_back
from recovery.models import Leave, StaffProfile
from recovery.templatetags.moments import city
from recovery.views import door

PER_PAGE = 50


def people_of(user: User) -> QuerySet[User]:
    """Whose leave this person may enter and end: their own, and that of whoever they supervise."""
    everybody = User.objects.filter(is_active=True, staff__isnull=False).order_by("first_name", "username")
    everybody = everybody.exclude(staff__role=StaffProfile.ANALYST)
    if access.role_of(user) == door.ADMINISTRATOR:
        return everybody
    theirs = access.colleagues_of(access.supervised_by(user)).order_by().values("pk")
    return everybody.filter(pk__in=theirs) | everybody.filter(pk=user.pk)


def leaves_ahead(people: QuerySet[User], at: datetime) -> QuerySet[Leave]:
    rows = Leave.objects.filter(user__in=people.order_by().values("pk"), ends_at__gt=at)
    return rows.select_related("user", "cover").order_by("starts_at", "pk")


@door.staff_page(*door.WORKERS)
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest) -> HttpResponse:
    user, at = door.staff(request), now()
    people = people_of(user)
    form = LeaveForm(user, people, at, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            kept = keep_leave(form.instance)
        except ValidationError as refused:
            form.add_error(None, refused)
        else:
            messages.success(request, said(kept))
            return redirect("leave")
    page = Paginator(leaves_ahead(people, at), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page_obj": page,
        "now": at,
        "city": city(timezone.get_current_timezone()),
        "of_others": len(people) > 1,
        "hands_over": access.role_of(user) != door.AGENT,
    }
    return render(request, "recovery/leave.html", context, status=422 if form.errors else 200)


def said(kept: Leave) -> str:
    if kept.cover is None:
        return _("The leave of %(name)s is kept.") % {"name": name_of(kept.user)}
    names = {"name": name_of(kept.user), "cover": name_of(kept.cover)}
    if is_away_too(kept):
        return _("The leave of %(name)s is kept. %(cover)s covers, but is away for part of it.") % names
    return _("The leave of %(name)s is kept; %(cover)s covers.") % names


def is_away_too(kept: Leave) -> bool:
    """Whether who covers has leave in the same time; the next in line stands in then."""
    theirs = Leave.objects.filter(user=kept.cover)
    return theirs.filter(starts_at__lt=kept.ends_at, ends_at__gt=kept.starts_at).exists()


@door.staff_page(*door.WORKERS)
@require_POST
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody else's leave does not exist for who may not end it."""
    at = now()
    rows = leaves_ahead(people_of(door.staff(request)), at)
    leave = get_object_or_404(rows, pk=pk)
    ahead = leave.starts_at > at
    come_back(leave, at=at)
    messages.success(request, _("The leave is cancelled.") if ahead else _("The leave is over."))
    return redirect("leave")
