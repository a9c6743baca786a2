"""Who may come in, and what every staff page asks first."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _

from recovery import access
from recovery.access import NotPermitted
from recovery.models import Ticket
from recovery.models.ticket import TicketQuerySet

View = Callable[..., HttpResponseBase]

AGENT, SUPERVISOR, ANALYST, ADMINISTRATOR = "agent", "supervisor", "analyst", "administrator"
WORKERS = (AGENT, SUPERVISOR, ADMINISTRATOR)


def staff_page(*roles: str) -> Callable[[View], View]:
    """Only for somebody who works here, and only for these roles if any are named: else 403."""

    def decorate(view: View) -> View:
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            role = access.role_of(request.user)
            if not role or (roles and role not in roles):
                raise PermissionDenied(_("Your role does not open this page. Ask your administrator."))
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def staff(request: HttpRequest) -> User:
    """The colleague behind a request that came through `staff_page`."""
    assert isinstance(request.user, User)
    return request.user


def may_act(user: User) -> bool:
    return access.role_of(user) in WORKERS


def leads(user: User) -> bool:
    """Whether they answer for the tickets of others."""
    return access.role_of(user) in (SUPERVISOR, ADMINISTRATOR)


def teams_of(request: HttpRequest) -> set[int]:
    """The teams whose tickets this person sees."""
    return access.teams_of(staff(request))


def seen_by(request: HttpRequest) -> TicketQuerySet:
    """The tickets this person may see."""
    if access.sees_everything(access.role_of(request.user)):
        return access.visible_to(request.user)
    return access.visible_to(request.user, teams_of(request))


def ticket_or_404(request: HttpRequest, number: str, act: str = "") -> Ticket:
    """Somebody else's ticket does not exist; an act above one's role is refused with 403."""
    try:
        return access.ticket_for(staff(request), number, act)
    except Ticket.DoesNotExist as missing:
        raise Http404 from missing
    except NotPermitted as refused:
        raise PermissionDenied(str(refused)) from refused


def asked(request: HttpRequest, name: str) -> str:
    """A value of the query string, fit for a query."""
    return request.GET.get(name, "").replace("\0", "").strip()
