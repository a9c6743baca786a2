"""The people behind a number of the panel: those whom the reader may see, by the answers they may see."""

from __future__ import annotations

from typing import Any, Final

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery import access
from recovery.views import door, insight_slice
from recovery.views import insight_panel_words as words
from recovery.views.insight_of_answers import link
from recovery.views.insight_panel import OWN, Wanted, wanted_of
from recovery.views.insight_words import COLUMNS as COLUMN_NAMES
from surveys.models import Customer, Response
from surveys.panel import (
    BANDS,
    COLUMNS,
    NOW,
    STATES,
    People,
    Person,
    who,
    who_elsewhere,
    who_in_waves,
)

PER_PAGE = 50
IN_WAVES: Final[dict[str, Promise]] = {
    "both": _("answered in both waves"),
    "only_first": _("answered in the first wave only"),
    "only_second": _("answered in the second wave only"),
    "again_first": _("answered in the first wave only when asked again"),
    "again_second": _("answered in the second wave only when asked again"),
}
ELSEWHERE: Final[dict[str, Promise]] = {
    "only": _("answered on another scale only"),
    "too": _("answered on another scale too"),
}


@door.staff_page()
@require_safe
def show_people(request: HttpRequest) -> HttpResponse:
    asked = insight_slice.read(request, now())
    wanted = wanted_of(request, asked)
    found = behind(request, wanted) if wanted else None
    seen: Any = [] if found is None else seen_by(request, found)
    page_obj = Paginator(seen, PER_PAGE).get_page(request.GET.get("page"))
    shown = page_obj.paginator.count
    counted = shown if found is None or seen is found else len(found)
    context = {
        "asked": asked,
        "now": asked.at,
        "page_obj": page_obj,
        "counted": counted,
        "hidden": counted - shown,
        "rows": rows_of(list(page_obj.object_list)),
        "said": said(request, wanted) if wanted else [],
        "back_url": link("insight-panel", request, asked, OWN),
    }
    return render(request, "recovery/insight_panel_people.html", context)


def behind(request: HttpRequest, wanted: Wanted) -> People | None:
    """Whom the number counts; None where there is no such number."""
    wave, elsewhere = door.asked(request, "wave"), door.asked(request, "elsewhere")
    if wave:
        return behind_wave(wanted, wave)
    if elsewhere:
        return who_elsewhere(wanted.answers, too=elsewhere == "too") if elsewhere in ELSEWHERE else None
    column = door.asked(request, "column")
    return who(
        wanted.answers,
        some_of(request, "first", BANDS),
        some_of(request, "state", STATES),
        column if column in COLUMNS else NOW,
    )


def behind_wave(wanted: Wanted, wave: str) -> People | None:
    if wanted.windows is None or wave not in IN_WAVES:
        return None
    return who_in_waves(wanted.survey, *wanted.windows, wave, wanted.era, wanted.line)


def some_of(request: HttpRequest, name: str, every: tuple[str, ...]) -> list[str]:
    """The codes the address names; all of them where it names none."""
    text = door.asked(request, name)
    return text.split(",") if text else list(every)


def seen_by(request: HttpRequest, people: People) -> People:
    """Those whom the reader may see, by answers none of which belongs to somebody else's ticket."""
    user = door.staff(request)
    if access.sees_everything(access.role_of(user)):
        return people
    readable = map(Response.objects.filter, parts_of(access.sight_of(user).responses))
    return people.seen(access.visible_customers(user), *readable)


def parts_of(condition: Q) -> list[Q]:
    """Conditions one of which holds where this one does."""
    if condition.connector != Q.OR or condition.negated:
        return [condition]
    return [part if isinstance(part, Q) else Q(part) for part in condition.children]


def rows_of(people: list[Person]) -> list[dict[str, Any]]:
    customers = Customer.objects.prefetch_related("identities").in_bulk([each.customer for each in people])
    return [
        {
            "customer": customers[each.customer],
            "first": each.answers[0] if each.answers else None,
            "latest": each.answers[1] if len(each.answers) > 1 else None,
        }
        for each in people
    ]


def said(request: HttpRequest, wanted: Wanted) -> list[str]:
    """Which number it is, in words."""
    wave, elsewhere = door.asked(request, "wave"), door.asked(request, "elsewhere")
    if wave or elsewhere:
        known = IN_WAVES.get(wave) or ELSEWHERE.get(elsewhere)
        return [str(wanted.survey), *([str(known)] if known else [])]
    firsts, states = some_of(request, "first", ()), some_of(request, "state", ())
    column = door.asked(request, "column")
    name = COLUMN_NAMES[column if column in COLUMNS else NOW]
    names, state_names = words.began(wanted.survey.kind), words.states(wanted.survey.kind)
    began = [str(names[first]) for first in firsts if first in names]
    became = [str(state_names[state]) for state in states if state in state_names]
    return [
        str(wanted.survey),
        *began,
        *([gettext("{column}: {states}").format(column=name, states=", ".join(became))] if became else []),
    ]
