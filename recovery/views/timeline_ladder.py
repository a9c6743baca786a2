"""Why deadlines moved, and what a step of the ladder did besides telling somebody, for the timeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from recovery.views.words import Words, fill

KEPT: Final[dict[str, Words]] = {
    "owner_unchanged": _("It was not handed over: %(to)s owns it already"),
    "owner_full": _("It was not handed over: %(to)s has no room"),
    "owner_away": _("It was not handed over: %(to)s is away"),
}
KEPT_ANYWAY = _("It was not handed over: %(to)s cannot take it")


def ladder_lines(data: Mapping[str, Any]) -> list[str]:
    """Handed over or why not, and the priority it was raised to."""
    lines = []
    if data.get("handed"):
        lines.append(fill(_("Handed over from %(from)s to %(to)s"), data["handed"]))
    if data.get("kept"):
        lines.append(fill(KEPT.get(str(data["kept"]), KEPT_ANYWAY), data))
    if data.get("raised"):
        lines.append(fill(_("Priority P%(from)s became P%(to)s"), data["raised"]))
    return lines


CHANGED: Final[dict[str, Words]] = {
    "policy": _("The ticket is under another policy"),
    "policy_edited": _("The policy was changed"),
    "calendar": _("The team works by another calendar"),
    "calendar_edited": _("The calendar was changed"),
}


def changed_lines(data: Mapping[str, Any]) -> list[str]:
    return [str(CHANGED[code]) for code in data.get("changed", []) if code in CHANGED]
