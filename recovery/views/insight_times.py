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
from recovery.insight.dues import PRIORITY, TEAM
from recovery.insight.targets import HALF, KEPT, Number
from recovery.insight.times import KINDS, Pace, Times, times
from recovery.models import Team
from recovery.models.policy import FIRST_CONTACT, RESOLUTION
from recovery.views import door, insight_slice
from recovery.views import insight_words as words
from recovery.views.insight_curves import times_curve
from recovery.views.insight_frame import Line, behind, page
from recovery.views.insight_goals import Goals, goals_for, goals_told
from recovery.views.insight_goals import Row as GoalRow
from recovery.views.insight_pictures import Picture, bars_picture, rate_bar, tone_beside
from recovery.views.insight_slice import Asked
from recovery.views.insight_times_behind import missed_code
from recovery.views.words import priority_word


@door.staff_page()
@require_safe
def show_times(request: HttpRequest) -> HttpResponse:
    asked = insight_slice.read(request, now())
    found = times(asked.cohort, asked.at)
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
GROUP_NAMES: Final[dict[str, Promise]] = {TEAM: _("By team"), PRIORITY: _("By priority")}
Names = dict[str, dict[int, str]]


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
        "groups": [group_block(kind, by, found.by[by][kind], names[by], asked) for by in GROUP_NAMES],
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
