"""The customers behind a sum: what each is worth, how they scored, and what that makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery.insight.value import AT_RISK, KEPT, Stake, one_by_one
from recovery.models import Ticket
from recovery.views import door, insight_slice
from recovery.views import insight_value_words as money_words
from recovery.views.insight_slice import Asked
from recovery.views.insight_value import lost_for
from surveys.models import Customer

PER_PAGE = 50

NAMES: Final[dict[str, str | Promise]] = {
    "at_risk": _("Customers at risk"),
    "at_risk_well": _("Customers at risk whose latest answer is a passive’s or a promoter’s"),
    "kept": _("Customers who recovered"),
    "lost": _("Lost customers"),
    "lost_owed": _("Lost customers we owed something"),
}


@dataclass(frozen=True)
class Row:
    customer: Customer
    ticket: Ticket | None
    stake: Stake | None

    @property
    def was(self) -> str | Promise:
        return self.level_of(self.stake.levels.was if self.stake else None)

    @property
    def level(self) -> str | Promise:
        return self.level_of(self.stake.levels.now if self.stake else None)

    @property
    def amount(self) -> str:
        amount = self.stake.amount if self.stake else None
        return money_words.amount_words(amount) if amount else "–"

    @staticmethod
    def level_of(level: int | None) -> str | Promise:
        return money_words.LEVEL_NAMES[level] if level else "–"


@door.staff_page()
@require_safe
def show_people(request: HttpRequest) -> HttpResponse:
    asked = insight_slice.read(request, now())
    which = door.asked(request, "which")
    which = which if which in NAMES else "at_risk"
    page_obj = Paginator(behind_sum(request, asked, which), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "asked": asked,
        "name": NAMES[which],
        "which": which,
        "page_obj": page_obj,
        "rows": rows_of(list(page_obj.object_list)),
        "back_url": f"{reverse('insight-value')}?{asked.query}",
        "now": asked.at,
    }
    return render(request, "recovery/insight_value_people.html", context)


def behind_sum(request: HttpRequest, asked: Asked, which: str) -> list[Any]:
    """Exactly the customers the sum counts: stakes, or ids of those who left."""
    if which in ("lost", "lost_owed"):
        found = lost_for(door.staff(request), asked)
        left = [pk for pk in found.customers if which == "lost" or pk in found.with_ticket]
        return of_reason(left, door.asked(request, "reason"))
    rows = one_by_one(asked.kept, asked.at, KEPT if which == "kept" else AT_RISK)
    return [row for row in rows if row.levels.is_well] if which == "at_risk_well" else rows


def of_reason(left: list[int], reason: str) -> list[int]:
    """Those who left for this reason, if one is asked for."""
    if not reason:
        return left
    theirs = set(Customer.objects.filter(pk__in=left, lost_reason=reason).values_list("pk", flat=True))
    return [pk for pk in left if pk in theirs]


def rows_of(found: Sequence[Stake | int]) -> list[Row]:
    """In three queries, whatever the page."""
    stakes = {each.customer: each for each in found if isinstance(each, Stake)}
    order = [each if isinstance(each, int) else each.customer for each in found]
    people = Customer.objects.filter(pk__in=order).select_related("account").prefetch_related("identities")
    known = {customer.pk: customer for customer in people}
    tickets = Ticket.objects.in_bulk([stake.ticket for stake in stakes.values()])
    return [
        Row(known[pk], tickets.get(stakes[pk].ticket) if pk in stakes else None, stakes.get(pk))
        for pk in order
        if pk in known
    ]
