"""The same rate by cause, team, touchpoint, tier, or how long people waited; small groups are not ranked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from recovery.insight.cohort import BANDS, RECOVERED, Story
from recovery.insight.groups import CAUSE, HOURS, TEAM, TIER, TOUCHPOINT, code_of, grouped, names_of
from recovery.insight.recovery import Group
from recovery.views import insight_words as words
from recovery.views.insight_frame import behind
from recovery.views.insight_goals import Goals
from recovery.views.insight_pictures import ranking_picture
from recovery.views.insight_slice import Asked

GROUPINGS: Final[dict[str, str | Promise]] = {
    CAUSE: _("by cause found"),
    TEAM: _("by team"),
    TOUCHPOINT: _("by touchpoint"),
    TIER: _("by tier"),
    HOURS: _("by time to first contact"),
}


@dataclass(frozen=True)
class GroupLine:
    """A group as the page shows it, with the tickets behind each of its numbers."""

    name: str
    group: Group
    rate: str
    difference: str
    size_url: str
    reached_url: str
    answered_url: str
    recovered_url: str


def groups(told: list[Story], by: str, asked: Asked, goals: Goals) -> dict[str, Any]:
    found = grouped(told, by)
    name = names_of(by, [group.key for group in found])
    ranked = [line_of(group, name(group.key), by, asked) for group in found.ranked]
    return {
        "groupings": [
            {"code": code, "name": label, "chosen": code == by} for code, label in GROUPINGS.items()
        ],
        "ranked": ranked,
        "small": [line_of(group, name(group.key), by, asked) for group in found.small],
        "group_picture": ranking_picture(
            [(line.name, line.group, line.recovered_url) for line in ranked], goals
        )
        if ranked
        else None,
        "by": by,
    }


def line_of(group: Group, name: str, by: str, asked: Asked) -> GroupLine:
    which = {"by": by, "group": code_of(group.key)}
    return GroupLine(
        name=name,
        group=group,
        rate=words.rate_words(group.recovered),
        difference=words.group_words(group),
        size_url=behind(asked, **which),
        reached_url=behind(asked, **which, reached="1"),
        answered_url=behind(asked, **which, state=",".join(BANDS)),
        recovered_url=behind(asked, **which, state=",".join(RECOVERED)),
    )
