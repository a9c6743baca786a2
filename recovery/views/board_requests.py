"""For supervisors: what other departments have not answered in time, the longest overdue first."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery.templatetags.moments import chip_until
from recovery.views import door
from recovery.views.board_tabs import REQUESTS, every_tab, late_requests

PER_PAGE = 50


@door.staff_page(door.SUPERVISOR, door.ADMINISTRATOR, door.ANALYST)
@require_safe
def requests_late(request: HttpRequest) -> HttpResponse:
    at, zone = now(), timezone.get_current_timezone()
    rows = late_requests(request, at).order_by("due_at", "pk")
    rows = rows.select_related("department", "ticket__customer", "ticket__owner", "ticket__team")
    rows = rows.prefetch_related("ticket__customer__identities")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        **every_tab(request, at, REQUESTS),
        "page_obj": page,
        "rows": [(row, chip_until(row.due_at, at, zone)) for row in page.object_list],
    }
    return render(request, "recovery/board_requests.html", context)
