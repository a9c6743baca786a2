"""How fast, group by group: teams and priorities by name, and people ranked where they have enough."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from recovery.insight.dues import OWNER, PRIORITY, TEAM
from recovery.insight.times import Allowed, Pace, Times, times
from recovery.models import Team
from recovery.views import insight_words as words
from recovery.views.insight_frame import behind
from recovery.views.insight_loop_names import names_of
from recovery.views.insight_slice import Asked
from recovery.views.insight_times_behind import missed_code
from recovery.views.words import priority_word
from surveys.estimates import MIN_ANSWERS_FOR_PERCENT, MIN_ANSWERS_FOR_RANKING

GROUP_NAMES: Final[dict[str, Promise]] = {
    TEAM: _("By team"),
    PRIORITY: _("By priority"),
    OWNER: _("By owner"),
}
FEW: Final = _("Fewer than ten deadlines each: counts only")
Names = dict[str, dict[int, str]]
Row = dict[str, Any]


class Part(NamedTuple):
    """Rows of a table under a heading of their own, or none."""

    head: str | Promise
    rows: list[Row]


def times_for(asked: Asked) -> Times:
    """People are compared before those only who answer for them."""
    by = (TEAM, PRIORITY) if asked.people_of == frozenset() else (TEAM, PRIORITY, OWNER)
    return times(asked.kept.tickets(), asked.at, by, asked.people_of)


def group_names(found: Times) -> Names:
    """One query for the teams, one for the people where they are compared."""
    keys = {by: {key for groups in kinds.values() for key in groups} for by, kinds in found.by.items()}
    names = {
        TEAM: {team.pk: str(team) for team in Team.objects.filter(pk__in=keys[TEAM])},
        PRIORITY: {key: priority_word(key) for key in keys[PRIORITY]},
    }
    if OWNER in keys:
        names[OWNER] = {key: name for key, name in names_of(keys[OWNER]).items() if key is not None}
    return names


def allowed_words(allowed: Allowed | None) -> str:
    """4 h 00; 1 h 00 to 4 h 00 where the policies differ."""
    if allowed is None:
        return "–"
    least, most = words.working_span(allowed.least), words.working_span(allowed.most)
    return least if least == most else gettext("{low} to {high}").format(low=least, high=most)


def group_blocks(kind: str, found: Times, names: Names, asked: Asked) -> list[Row]:
    return [
        owner_block(kind, found.by[by][kind], names[by], asked)
        if by == OWNER
        else group_block(kind, by, found.by[by][kind], names[by], asked)
        for by in found.by
    ]


def group_block(kind: str, by: str, groups: dict[int, Pace], names: dict[int, str], asked: Asked) -> Row:
    """Groups of ten and more in the order of their names: nothing is ranked. Of the others the counts."""
    ordered = sorted(groups, key=(lambda key: names.get(key, "")) if by == TEAM else (lambda key: str(key)))
    rows = {key: group_row(kind, by, key, groups[key], names[key], asked) for key in ordered}
    parts = [
        Part("", [rows[key] for key in ordered if groups[key].is_enough]),
        Part(FEW, [rows[key] for key in ordered if not groups[key].is_enough]),
    ]
    return block_of(by, parts)


def owner_block(kind: str, people: dict[int, Pace], names: dict[int, str], asked: Asked) -> Row:
    """From thirty deadlines the best first; from ten by name; the counts of whoever has fewer."""
    ordered = sorted(people, key=lambda key: names[key])
    of = {key: people[key].promises.kept for key in ordered}
    ranked = [key for key in ordered if of[key].n >= MIN_ANSWERS_FOR_RANKING]
    ranked.sort(key=lambda key: -(of[key].share or 0))
    listed = [key for key in ordered if MIN_ANSWERS_FOR_PERCENT <= of[key].n < MIN_ANSWERS_FOR_RANKING]
    few = [key for key in ordered if of[key].n < MIN_ANSWERS_FOR_PERCENT]

    def rows(keys: list[int]) -> list[Row]:
        return [group_row(kind, OWNER, key, people[key], names[key], asked) for key in keys]

    parts = [
        Part("", rows(ranked)),
        Part(gettext("Fewer than thirty deadlines each: listed by name, not ranked"), rows(listed)),
        Part(FEW, rows(few)),
    ]
    return block_of(OWNER, parts, is_of_people=True)


def block_of(by: str, parts: list[Part], **more: object) -> Row:
    return {"name": GROUP_NAMES[by], "parts": parts, "has_rows": any(part.rows for part in parts), **more}


def group_row(kind: str, by: str, key: int, pace: Pace, name: str, asked: Asked) -> Row:
    kept, waited = pace.promises, pace.waited
    return {
        "name": name,
        "allowed": allowed_words(pace.allowed),
        "kept": words.rate_words(kept.kept),
        "counts": words.counts_words(kept.kept) if kept.kept.share is not None else "",
        "missed": kept.tickets_missed,
        "url": behind(asked, behind=missed_code(kind, by, key)),
        "half": words.estimate_words(waited.working, 50, words.working_span),
        "most": words.estimate_words(waited.working, 80, words.working_span),
    }
