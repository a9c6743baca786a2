"""By what the low scores are grouped, and what each group is called."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from recovery.insight.cohort import Story
from recovery.insight.recovery import LATER, NEVER, WAITS, Ranking, ranking, wait_of
from recovery.insight.told import WAIT, Told, Wanted
from recovery.models import Cause, Team

CAUSE, TEAM, TOUCHPOINT, TIER, HOURS = "cause", "team", "touchpoint", "tier", "hours"

KEYS: Final[dict[str, Callable[[Story], Hashable]]] = {
    CAUSE: lambda story: story.cause_found,
    TEAM: lambda story: story.team,
    TOUCHPOINT: lambda story: story.touchpoint,
    TIER: lambda story: story.tier,
    HOURS: wait_of,
}
# What of a story says its group.
FIELDS: Final = {CAUSE: "cause_found", TEAM: "team", TOUCHPOINT: "touchpoint", TIER: "tier", HOURS: WAIT}
WAIT_NAMES: Final[dict[str, Promise]] = {
    "4h": _("within 4 hours"),
    "24h": _("4 to 24 hours"),
    "3d": _("1 to 3 days"),
    LATER: _("later than 3 days"),
    NEVER: _("not reached"),
}


def grouped(told: Iterable[Story], by: str) -> Ranking:
    """The groups, the best first; those by waiting from the shortest wait to none that ended."""
    found = ranking(told, KEYS[by])
    if by == HOURS:
        for groups in (found.ranked, found.small):
            groups.sort(key=lambda group: (*WAITS, NEVER).index(str(group.key)))
    return found


def groups_of(kept: Told, by: str) -> Ranking:
    """The same, counted by this alone: by several at once there may be as many groups as low scores."""
    return grouped(kept.counted(FIELDS[by]), by)


def code_of(key: Hashable) -> str:
    """A group in an address; that of whatever is not known is empty."""
    return "" if key is None else str(key)


def in_group(by: str, code: str) -> Wanted:
    """The low scores of the group an address names; an empty code is what is not known. A group that is not
    there has none.
    """
    if by not in FIELDS:
        return ("ticket", [])
    if by not in (CAUSE, TEAM):
        return (FIELDS[by], [code])
    is_id = code.isascii() and code.isdigit() and len(code) < 10
    return (FIELDS[by], [int(code) if is_id else 0 if code else None])


def names_of(by: str, keys: Iterable[Hashable]) -> Callable[[Hashable], str]:
    """What each group is called; one query for those that have rows of their own."""
    if by == HOURS:
        return lambda key: str(WAIT_NAMES[str(key)]) if key in WAIT_NAMES else str(key)
    unknown = gettext("no cause known yet") if by == CAUSE else gettext("not known")
    if by in (CAUSE, TEAM):
        model: Any = Cause if by == CAUSE else Team
        named = {row.pk: str(row) for row in model.objects.filter(pk__in=[key for key in keys if key])}
        return lambda key: named.get(key, unknown)
    return lambda key: str(key) or unknown
