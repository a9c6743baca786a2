"""What the field at the top of every page finds as one types: a page, a view, a ticket, a customer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery import access
from recovery.models import Ticket
from recovery.views import door, frame
from recovery.views.choices import choices_for
from recovery.views.search import customers_like, number_of, tickets_like
from recovery.views.tickets import views_for

MOST = 5
LONGEST = 200


@dataclass(frozen=True)
class Found:
    name: str | Promise
    url: str
    more: str = ""


@dataclass(frozen=True)
class Group:
    code: str
    name: str
    found: list[Found]


@door.staff_page()
@require_safe
def jump(request: HttpRequest) -> HttpResponse:
    """A few of each kind; pages and views alone where nothing was typed."""
    words = door.asked(request, "q")[:LONGEST]
    groups = [group for group in groups_for(request, words) if group.found]
    return render(request, "recovery/parts/palette.html", {"groups": groups})


def groups_for(request: HttpRequest, words: str) -> Iterator[Group]:
    if words:
        yield Group("tickets", _("Tickets"), tickets(request, words))
    yield Group("pages", _("Pages"), named(pages(request), words))
    yield Group("views", _("Views"), named(views(request), words))
    if words:
        yield Group("customers", _("Customers"), customers(request, words))
        everything = Found(_("All tickets with “%(words)s”") % {"words": words}, searched("tickets", words))
        people = Found(_("All customers with “%(words)s”") % {"words": words}, searched("customers", words))
        yield Group("search", _("Search"), [everything, people])


def searched(page: str, words: str) -> str:
    return f"{reverse(page)}?{urlencode({'q': words})}"


def named(found: Iterable[Found], words: str) -> list[Found]:
    """Those whose name holds what was typed."""
    sought = words.casefold()
    return [each for each in found if sought in str(each.name).casefold()]


def pages(request: HttpRequest) -> Iterator[Found]:
    role = frame.role_in(request)
    for item in frame.MENU:
        if role in item.roles:
            yield Found(item.label, reverse(item.name))
    yield Found(_("Arrange views"), reverse("saved-views"))


def views(request: HttpRequest) -> Iterator[Found]:
    choices = choices_for(door.staff(request), door.seen_by(request), now())
    for view in views_for(request, choices):
        yield Found(view.name, view.url)


def tickets(request: HttpRequest, words: str) -> list[Found]:
    """The one whose number was typed first, then the newest."""
    seen = door.seen_by(request)
    rows = tickets_like(seen, words).select_related("customer", "response").order_by("-pk")
    found = list(rows.prefetch_related("customer__identities")[:MOST])
    number = number_of(words)
    if number and not any(each.number == number for each in found):
        exact = seen.filter(number=number).select_related("customer", "response").first()
        found = [*([exact] if exact else []), *found][:MOST]
    return [ticket_found(each) for each in sorted(found, key=lambda each: each.number != number)]


def ticket_found(ticket: Ticket) -> Found:
    said = Truncator(ticket.response.comment).chars(60)
    more = " · ".join(part for part in (ticket.get_status_display(), said) if part)
    return Found(f"{ticket.number} {ticket.customer_name}", reverse("ticket", args=[ticket.number]), more)


def customers(request: HttpRequest, words: str) -> list[Found]:
    people: Any = customers_like(access.visible_customers(door.staff(request)), words)
    rows = people.select_related("account").prefetch_related("identities").order_by("-pk")[:MOST]
    return [
        Found(str(each), reverse("customer", args=[each.pk]), str(each.account or each.email or each.phone))
        for each in rows
    ]
