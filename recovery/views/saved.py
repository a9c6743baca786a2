"""Saved views: keep a list under a name, share it with a team, put them in order, take them away."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Max, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from recovery import access
from recovery.forms.saved_view import SavedViewForm
from recovery.models import SavedView
from recovery.views import door, seeded
from recovery.views.choices import choices_for
from recovery.views.tickets import asked_by, views_for


@door.staff_page()
@require_http_methods(["GET", "HEAD", "POST"])
def saved_views(request: HttpRequest) -> HttpResponse:
    """The page on which views are kept in order; a post saves the list somebody has in front of them."""
    user = door.staff(request)
    if request.method != "POST":
        form = SavedViewForm(user, initial={"query": seeded.as_kept(request.GET)})
        return page(request, {"new": form} if "query" in request.GET else {})
    data = request.POST.copy()
    data["query"] = seeded.as_kept(QueryDict(data.get("query", "")[:4000]))
    form = SavedViewForm(user, data)
    if not form.is_valid():
        return page(request, {"new": form}, status=422)
    try:
        view = keep(user, form.cleaned_data)
    except IntegrityError:
        form.refuse_taken()
        return page(request, {"new": form}, status=422)
    messages.success(request, _("The view “%(name)s” is saved.") % {"name": view.name})
    return redirect(f"{reverse('tickets')}?{view.query}" if view.query else "tickets")


@transaction.atomic
def keep(user: User, values: dict[str, Any]) -> SavedView:
    """At the end of the list. Raises IntegrityError where the name was taken since it was looked at."""
    last = SavedView.objects.filter(user=user).aggregate(last=Max("position"))["last"]
    return SavedView.objects.create(user=user, position=0 if last is None else last + 1, **values)


def page(request: HttpRequest, context: dict[str, Any], status: int = 200) -> HttpResponse:
    user = door.staff(request)
    rows = list(visible_views(user).select_related("team", "user"))
    leads = access.supervised_by(user)
    context = {
        "mine": [row for row in rows if row.team_id is None],
        "shared": [{"row": row, "mine": row.team_id in leads} for row in rows if row.team_id is not None],
        **context,
    }
    return render(request, "recovery/saved_views.html", context, status=status)


def visible_views(user: User) -> QuerySet[SavedView]:
    """One's own, and those of the teams one sees."""
    return SavedView.objects.filter(
        Q(user=user, team=None) | Q(team__in=access.visible_teams(user).order_by().values("pk"))
    )


def may_change(user: User, view: SavedView) -> bool:
    """One's own are one's own; a team's belong to who leads the team."""
    if view.team_id is None:
        return view.user_id == user.pk
    return view.team_id in access.supervised_by(user)


@require_POST
@door.staff_page()
def change_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Rename, remove or move one."""
    user = door.staff(request)
    view = visible_views(user).filter(pk=pk).first()
    if view is None:
        raise Http404
    if not may_change(user, view):
        raise PermissionDenied(_("Only who leads the team may change its views."))
    do = request.POST.get("do", "")
    if do == "rename":
        return rename(request, view)
    if do == "remove":
        view.delete()
        messages.success(request, _("The view “%(name)s” is removed.") % {"name": view.name})
    elif do in ("up", "down"):
        move(view, -1 if do == "up" else 1)
    return redirect("saved-views")


def rename(request: HttpRequest, view: SavedView) -> HttpResponse:
    form = SavedViewForm(view.user, {"name": request.POST.get("name", "")}, but=view.pk)
    if not form.is_valid():
        return page(request, {"renamed": view.pk, "rename": form}, status=422)
    view.name = form.cleaned_data["name"]
    try:
        with transaction.atomic():
            view.save(update_fields=["name"])
    except IntegrityError:
        form.refuse_taken()
        return page(request, {"renamed": view.pk, "rename": form}, status=422)
    return redirect("saved-views")


@transaction.atomic
def move(view: SavedView, step: int) -> None:
    """One place among its own kind: one's own, or those of the same team."""
    kind = Q(team=view.team_id) if view.team_id else Q(team=None, user=view.user_id)
    rows = list(SavedView.objects.select_for_update().filter(kind).order_by("position", "name"))
    at = next(place for place, row in enumerate(rows) if row.pk == view.pk)
    rows.insert(max(0, at + step), rows.pop(at))
    for place, row in enumerate(rows):
        row.position = place
    SavedView.objects.bulk_update(rows, ["position"])


@door.staff_page()
@require_safe
def views_menu(request: HttpRequest) -> HttpResponse:
    """The views with their counts by themselves, asked for by an open page."""
    asked, seen = asked_by(request), door.seen_by(request)
    listed = views_for(request, choices_for(asked.user, seen, asked.at))
    views, _none = seeded.counted(listed, seen, asked)
    context = {
        "views": views,
        "kept": seeded.as_kept(request.GET),
        "in_menu": door.asked(request, "as") == "menu",
    }
    return render(request, "recovery/parts/views.html", context)
