"""How fast: promises kept, and how long people waited; of all, of each team and at each priority."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from dispatch.clock import now
from recovery.insight.definitions import DEFINITIONS
from recovery.insight.dues import TEAM
from recovery.insight.targets import HALF, KEPT, Number
from recovery.insight.times import KINDS, Times
from recovery.models.policy import FIRST_CONTACT, RESOLUTION
from recovery.views import door, insight_slice
from recovery.views import insight_words as words
from recovery.views.insight_curves import times_curve
from recovery.views.insight_frame import Line, behind, page
from recovery.views.insight_goals import Goals, goals_for, goals_told
from recovery.views.insight_goals import Row as GoalRow
from recovery.views.insight_pictures import Picture, bars_picture, rate_bar, tone_beside
from recovery.views.insight_slice import Asked
from recovery.views.insight_times_groups import (
    Names,
    allowed_words,
    group_blocks,
    group_names,
    times_for,
)


@door.staff_page()
@require_safe
def show_times(request: HttpRequest) -> HttpResponse:
    asked = insight_slice.read(request, now())
    found = times_for(asked)
    names = group_names(found)
    size = found.all[FIRST_CONTACT].waited.count
    goals = goals_for(asked, numbers_of(found)) if size else {}
    blocks = [times_block(kind, found, names, asked, goals) for kind in KINDS]
    csv_url = f"{reverse('insight-times-csv')}?{asked.query}"
    return page(request, "insight_times", asked, "insight-times", blocks=blocks, size=size, csv_url=csv_url)


KIND_NAMES: Final[dict[str, tuple[str | Promise, str | Promise]]] = {
    FIRST_CONTACT: (_("First contact"), _("Contacted in time")),
    RESOLUTION: (_("Resolution"), _("Resolved in time")),
}


def numbers_of(found: Times) -> dict[str, Number]:
    """Those of the page that can have a target."""
    kept: dict[str, Number] = {metric: found.all[kind].promises.kept for metric, kind in KEPT.items()}
    return kept | {metric: found.all[kind].waited.working for metric, kind in HALF.items()}


def goal_of(kind: str, metrics: dict[str, str], goals: Goals) -> GoalRow | None:
    return next((goals.get(metric) for metric, its_kind in metrics.items() if its_kind == kind), None)


def times_block(kind: str, found: Times, names: Names, asked: Asked, goals: Goals) -> dict[str, Any]:
    name, in_time = KIND_NAMES[kind]
    goal, half_goal = goal_of(kind, KEPT, goals), goal_of(kind, HALF, goals)
    kept, waited = found.all[kind].promises, found.all[kind].waited
    return {
        "name": name,
        "in_time": Line(
            in_time,
            words.rate_words(kept.kept),
            DEFINITIONS[f"{kind}_kept"],
            note=words.counts_words(kept.kept),
            goal=goal,
        ),
        "half_goal": half_goal,
        "kept_picture": kept_picture(kind, str(in_time), found, names, goal),
        "kept": kept,
        "allowed": allowed_words(found.all[kind].allowed),
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
        "picture": times_curve(kind, str(name), waited, half_goal),
        "groups": group_blocks(kind, found, names, asked),
    }


def kept_picture(kind: str, title: str, found: Times, names: Names, goal: GoalRow | None) -> Picture | None:
    """The share in time of all and of each team with enough; a target is a stroke across each row."""
    by_team = found.by.get(TEAM, {}).get(kind, {})
    teams = [(names[TEAM][key], pace) for key, pace in by_team.items()]
    paces = [(gettext("All"), found.all[kind])]
    paces += sorted(teams, key=lambda each: each[0]) if len(teams) > 1 else []
    shown = [(name, pace.promises.kept) for name, pace in paces if pace.promises.kept.share is not None]
    if not shown:
        return None
    tones = [tone_beside(goal)] + ["accent"] * (len(shown) - 1)
    bars = [rate_bar(name, rate, tone, goal=goal) for (name, rate), tone in zip(shown, tones, strict=True)]
    bars = [bars[0], *(replace(bar, goal="") for bar in bars[1:])]
    return bars_picture(bars, title, f"kept-{kind}", full=1, told=goals_told([goal]) if goal else "")
