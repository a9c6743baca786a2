"""Causes: what we found, and what customers said."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery.insight.causes import FOUND, SAID, SIDES, pareto
from recovery.insight.cohort import Story, stories
from recovery.insight.definitions import DEFINITIONS
from recovery.views import door, insight_slice
from recovery.views import insight_words as words
from recovery.views.insight_frame import behind, page
from recovery.views.insight_pictures import causes_picture
from recovery.views.insight_slice import Asked


@door.staff_page()
@require_safe
def show_causes(request: HttpRequest) -> HttpResponse:
    asked = insight_slice.read(request, now())
    told = stories(asked.cohort)
    blocks = [cause_block(told, side, asked) for side in SIDES]
    return page(request, "insight_causes", asked, "insight-causes", blocks=blocks, size=len(told))


SIDE_NAMES: Final[dict[str, str | Promise]] = {FOUND: _("What we found"), SAID: _("What customers said")}


def cause_block(told: list[Story], side: str, asked: Asked) -> dict[str, Any]:
    found = pareto(told, side)
    shown = found.known >= 10
    return {
        "side": side,
        "name": SIDE_NAMES[side],
        "found": found,
        "first": found.rows[0] if found.rows else None,
        "picture": causes_picture(found, f"causes-{side}") if found.rows else None,
        "definition": DEFINITIONS[f"cause_{side}"],
        "rows": [
            (
                row,
                words.percent(row.share) if shown else "",
                words.percent(row.upto) if shown else "",
                behind(asked, **{f"cause_{side}": str(row.cause.pk)}),
            )
            for row in found.rows
        ],
    }
