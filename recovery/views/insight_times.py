"""How fast: promises kept, and how long people waited."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery.insight.definitions import DEFINITIONS
from recovery.insight.times import KINDS, Promises, Waited, promises, waited
from recovery.models.policy import FIRST_CONTACT, RESOLUTION
from recovery.views import door, insight_slice
from recovery.views import insight_words as words
from recovery.views.insight_frame import Line, behind, page
from recovery.views.insight_pictures import times_picture
from recovery.views.insight_slice import Asked


@door.staff_page()
@require_safe
def show_times(request: HttpRequest) -> HttpResponse:
    asked = insight_slice.read(request, now())
    kept, times = promises(asked.cohort, asked.at), waited(asked.cohort, asked.at)
    blocks = [times_block(kind, kept[kind], times[kind], asked) for kind in KINDS]
    size = times[FIRST_CONTACT].count
    return page(request, "insight_times", asked, "insight-times", blocks=blocks, size=size)


KIND_NAMES: Final[dict[str, tuple[str | Promise, str | Promise]]] = {
    FIRST_CONTACT: (_("First contact"), _("Contacted in time")),
    RESOLUTION: (_("Resolution"), _("Resolved in time")),
}


def times_block(kind: str, kept: Promises, times: Waited, asked: Asked) -> dict[str, Any]:
    name, in_time = KIND_NAMES[kind]
    return {
        "name": name,
        "in_time": Line(
            in_time,
            words.rate_words(kept.kept),
            DEFINITIONS[f"{kind}_kept"],
            note=words.counts_words(kept.kept),
        ),
        "kept": kept,
        "missed_url": behind(asked, missed=kind),
        "sentence": words.half_within(kind, times.working),
        "times": times,
        "definition": DEFINITIONS[f"{kind}_time"],
        "rows": [
            (
                label,
                words.estimate_words(times.working, percent, words.working_span),
                words.estimate_words(times.calendar, percent, words.wall_span),
            )
            for percent, label in ((50, gettext("half within")), (80, gettext("four in five within")))
        ],
        "picture": times_picture(kind, str(name), times),
    }
