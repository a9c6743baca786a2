"""The same rate by cause, team, touchpoint, tier, or how long people waited; small groups are not ranked."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from recovery.insight.cohort import Story
from recovery.insight.recovery import Ranking, ranking, wait_of
from recovery.models import Cause, Team
from recovery.views import insight_words as words
from recovery.views.insight_pictures import ranking_picture

GROUPINGS: Final[dict[str, tuple[str | Promise, Callable[[Story], Hashable]]]] = {
    "cause": (_("by cause found"), lambda story: story.cause_found),
    "team": (_("by team"), lambda story: story.team),
    "touchpoint": (_("by touchpoint"), lambda story: story.touchpoint),
    "tier": (_("by tier"), lambda story: story.tier),
    "hours": (_("by time to first contact"), wait_of),
}


def groups(told: list[Story], by: str) -> dict[str, Any]:
    _name, key = GROUPINGS[by]
    found = ranking(told, key)
    name = naming(by, found)
    ranked = [(name(group.key), group) for group in found.ranked]
    return {
        "groupings": [
            {"code": code, "name": label, "chosen": code == by} for code, (label, _key) in GROUPINGS.items()
        ],
        "ranked": [(label, group, words.rate_words(group.recovered)) for label, group in ranked],
        "small": [(name(group.key), group) for group in found.small],
        "group_picture": ranking_picture(ranked) if ranked else None,
        "by": by,
    }


def naming(by: str, found: Ranking) -> Callable[[Hashable], str]:
    """What a group is called; one query for those that have rows."""
    keys = [group.key for group in (*found.ranked, *found.small)]
    unknown = gettext("no cause known yet") if by == "cause" else gettext("not known")
    if by == "hours":
        return lambda key: str(words.WITHIN[str(key)])
    if by in ("cause", "team"):
        model: Any = Cause if by == "cause" else Team
        named = {row.pk: str(row) for row in model.objects.filter(pk__in=[key for key in keys if key])}
        return lambda key: named.get(key, unknown)
    return lambda key: str(key) or unknown
