"""On a customer's page: they have left, or they have not after all."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from dispatch.clock import now
from recovery import access
from recovery.forms.lost import LostForm
from recovery.lifecycle import Refused
from recovery.lifecycle.lost import mark_lost, take_back_lost
from recovery.views import door
from surveys.models import Customer


def customer_or_404(request: HttpRequest, pk: int) -> Customer:
    """Somebody else's customer does not exist."""
    people = access.visible_customers(door.staff(request)).prefetch_related("identities")
    customer = people.filter(pk=pk).first()
    if customer is None:
        raise Http404
    return customer


@door.staff_page(door.SUPERVISOR, door.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def lose_customer(request: HttpRequest, pk: int) -> HttpResponse:
    """What is refused comes back with what was typed."""
    at, customer = now(), customer_or_404(request, pk)
    form = LostForm(request.POST if request.method == "POST" else None, initial=known(customer, at))
    if request.method == "POST" and form.is_valid() and marked(request, customer, form, at):
        messages.success(request, _("%(name)s is marked lost.") % {"name": customer})
        return redirect("customer", pk)
    context = {"customer": customer, "form": form, "now": at}
    return render(request, "recovery/customer_lost.html", context, status=422 if form.errors else 200)


def marked(request: HttpRequest, customer: Customer, form: LostForm, at: datetime) -> bool:
    reason = form.cleaned_data["reason"]
    try:
        mark_lost(customer, by=door.staff(request), at=at, lost_at=form.lost_at(at), reason=reason)
    except Refused as refused:
        form.add_error(refused.field or None, str(refused))
        return False
    return True


def known(customer: Customer, at: datetime) -> dict[str, Any]:
    return {"day": timezone.localtime(customer.lost_at or at).date(), "reason": customer.lost_reason}


@door.staff_page(door.SUPERVISOR, door.ADMINISTRATOR)
@require_http_methods(["POST"])
def keep_customer(request: HttpRequest, pk: int) -> HttpResponse:
    customer = customer_or_404(request, pk)
    take_back_lost(customer, by=door.staff(request), at=now())
    messages.success(request, _("%(name)s is a customer again.") % {"name": customer})
    return redirect("customer", pk)
