"""What is dispatched, what waits, and what was given up: read by who looks after it, acted on by fewer."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages as flash
from django.contrib.auth.decorators import login_required, permission_required
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from dispatch import claims, epoch, watch
from dispatch.clock import now
from dispatch.models import Claim, Pulse
from dispatch.nudge import nudge
from dispatch.watch import Subject

PER_PAGE = 50
READ, ACT = "dispatch.view_claim", "dispatch.change_claim"

FENCE = {
    epoch.RESTORED: _(
        "The database was restored to an earlier state: nothing is sent until that is settled."
    ),
    epoch.MOVED: _("The database lives on another server now: nothing is sent until that is settled."),
}
MUTE = {
    epoch.UNREADABLE: _(
        "On %(host)s the file that remembers what was sent cannot be read (%(words)s): no message is sent. "
        "Make it readable, or have an administrator run “manage.py reconcile” there. "
        "Then what waits goes out."
    ),
    epoch.UNWRITABLE: _(
        "On %(host)s what is sent can be remembered neither in %(words)s nor in Redis: no message is sent. "
        "Make the file writable or start Redis. Then what waits goes out by itself."
    ),
}


@dataclass(frozen=True, slots=True)
class Dead:
    """A row that was given up, as a line of the list."""

    claim: Claim
    kind: str
    subject: Subject | None


@dataclass(frozen=True, slots=True)
class Group:
    """All given up of one kind, and how many they are."""

    kind: str
    name: str
    number: int


@login_required
@permission_required(READ, raise_exception=True)
@require_safe
def show(request: HttpRequest) -> HttpResponse:
    at = now()
    groups = groups_of_dead()
    pages = Paginator(claims.dead().order_by("-dead_at", "-pk"), PER_PAGE)
    pages.count = sum(group.number for group in groups)  # it need not ask again
    page = pages.get_page(request.GET.get("page"))
    pulse = Pulse.objects.first() or Pulse()
    context = {
        "page_obj": page,
        "dead": lines_of(list(page.object_list)),
        "groups": groups,
        "sign_of_life": pulse.canary_at,
        "too_silent": watch.too_silent(watch.since(pulse.canary_at, at)),
        "fence": FENCE.get(pulse.behind["why"], "") if pulse.behind else "",
        "mute": MUTE[pulse.mute["why"]] % pulse.mute if pulse.mute else "",
        "waiting": [
            {
                "name": watch.name_of(each.kind),
                "waits": each,
                "minutes": each.lateness(at).total_seconds() // 60,
            }
            for each in watch.waiting(at)
        ],
        "most": watch.MOST_COUNTED,
        "may_act": request.user.has_perm(ACT),
    }
    return render(request, "dispatch/dispatch.html", context)


def groups_of_dead() -> list[Group]:
    counted = claims.dead().order_by("kind").values_list("kind").annotate(number=Count("pk"))
    return [Group(kind, watch.name_of(kind), number) for kind, number in counted]


def lines_of(dead: list[Claim]) -> list[Dead]:
    known = watch.subjects([(each.kind, each.subject) for each in dead])
    return [Dead(each, watch.name_of(each.kind), known.get((each.kind, each.subject))) for each in dead]


@require_POST
@login_required
@permission_required(ACT, raise_exception=True)
def try_again(request: HttpRequest, pk: int) -> HttpResponse:
    claim = claims.dead().filter(pk=pk).first()
    if claim is not None and claims.try_again(pk):
        nudge(claim.kind, claim.subject)
        flash.success(request, gettext("It is free again and will be tried at once."))
    else:
        flash.error(request, gettext("Nothing was changed: somebody has freed it already."))
    return redirect("dispatch")


@require_POST
@login_required
@permission_required(ACT, raise_exception=True)
def try_all_again(request: HttpRequest) -> HttpResponse:
    """Everything given up of one kind."""
    kind = request.POST.get("kind", "").replace("\0", "")
    number = claims.try_all_again(kind)
    if number:
        nudge(kind)
        text = ngettext(
            "%(number)d row is free again and will be tried at once.",
            "%(number)d rows are free again and will be tried at once.",
            number,
        )
        flash.success(request, text % {"number": number})
    else:
        flash.error(request, gettext("Nothing was changed: somebody has freed it already."))
    return redirect("dispatch")
