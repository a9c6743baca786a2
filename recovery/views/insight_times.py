"""How fast: promises kept, and how long people waited; of all, of each team and at each priority."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery.insight.definitions import DEFINITIONS
from recovery.insight.dues import PRIORITY, TEAM
from recovery.insight.times import KINDS, Pace, Times, times
from recovery.models import Team
from recovery.models.policy import FIRST_CONTACT, RESOLUTION
from recovery.views import door, insight_slice
from recovery.views import insight_words as words
from recovery.views.insight_curves import times_curve
from recovery.views.insight_frame import Line, behind, page
from recovery.views.insight_slice import Asked
from recovery.views.insight_times_behind import missed_code
from recovery.views.words import priority_word


@door.staff_page()
@require_safe
def show_times(request: HttpRequest) -> HttpResponse:
    asked = insight_slice.read(request, now())
    found = times(asked.cohort, asked.at)
    names = group_names(found)
    blocks = [times_block(kind, found, names, asked) for kind in KINDS]
    size = found.all[FIRST_CONTACT].waited.count
    csv_url = f"{reverse('insight-times-csv')}?{asked.query}"
    return page(request, "insight_times", asked, "insight-times", blocks=blocks, size=size, csv_url=csv_url)


KIND_NAMES: Final[dict[str, tuple[str | Promise, str | Promise]]] = {
    FIRST_CONTACT: (_("First contact"), _("Contacted in time")),
    RESOLUTION: (_("Resolution"), _("Resolved in time")),
}
GROUP_NAMES: Final[dict[str, Promise]] = {TEAM: _("By team"), PRIORITY: _("By priority")}
Names = dict[str, dict[int, str]]


def times_block(kind: str, found: Times, names: Names, asked: Asked) -> dict[str, Any]:
    name, in_time = KIND_NAMES[kind]
    kept, waited = found.all[kind].promises, found.all[kind].waited
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
        "sentence": words.half_within(kind, waited.working),
        "times": waited,
        "unfinished": words.unfinished_words(waited),
        "definition": DEFINITIONS[f"{kind}_time"],
        "rows": [
            (
                label,
                words.estimate_words(waited.working, percent, words.working_span),
                words.estimate_words(waited.calendar, percent, words.wall_span),
            )
            for percent, label in ((50, gettext("half within")), (80, gettext("four in five within")))
        ],
        "picture": times_curve(kind, str(name), waited),
        "groups": [group_block(kind, by, found.by[by][kind], names[by], asked) for by in GROUP_NAMES],
    }


# --- groups -------------------------------------------------------------------------------------------------


def group_names(found: Times) -> Names:
    """One query for the teams."""
    keys = {by: {key for groups in kinds.values() for key in groups} for by, kinds in found.by.items()}
    teams = {team.pk: str(team) for team in Team.objects.filter(pk__in=keys[TEAM])}
    return {TEAM: teams, PRIORITY: {key: priority_word(key) for key in keys[PRIORITY]}}


def group_block(
    kind: str, by: str, groups: dict[int, Pace], names: dict[int, str], asked: Asked
) -> dict[str, Any]:
    """Groups of ten and more in the order of their names: nothing is ranked. The others are named alone."""
    ordered = sorted(groups, key=(lambda key: names.get(key, "")) if by == TEAM else (lambda key: str(key)))
    enough = [key for key in ordered if groups[key].is_enough]
    return {
        "name": GROUP_NAMES[by],
        "rows": [group_row(kind, by, key, groups[key], names[key], asked) for key in enough],
        "small": [names[key] for key in ordered if not groups[key].is_enough],
    }


def group_row(kind: str, by: str, key: int, pace: Pace, name: str, asked: Asked) -> dict[str, Any]:
    kept, waited = pace.promises, pace.waited
    return {
        "name": name,
        "kept": words.rate_words(kept.kept),
        "counts": words.counts_words(kept.kept) if kept.kept.share is not None else "",
        "missed": kept.tickets_missed,
        "url": behind(asked, behind=missed_code(kind, by, key)),
        "half": words.estimate_words(waited.working, 50, words.working_span),
        "most": words.estimate_words(waited.working, 80, words.working_span),
    }
