"""The pictures of the insight pages: the loop as a flow, groups and times as points on a line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from recovery.insight.causes import Pareto
from recovery.insight.cohort import (
    ASKED,
    BANDS,
    MERGED,
    NO_ANSWER,
    NOT_ASKED,
    STILL_IN_WORK,
    TO_BE_ASKED,
    UNPROMPTED,
    WAITING,
)
from recovery.insight.recovery import Group, Rate, Recovery
from recovery.models import Cause
from recovery.pictures import NARROW, WIDE, Bar, Flow, Labels, Link, Node, bar_svg, flow_svg
from recovery.views.insight_frame import Line
from recovery.views.insight_goals import Goals, Row, goals_told
from recovery.views.insight_words import (
    STAGES,
    STATES,
    TONES,
    comparison,
    counts_words,
    percent,
    rate_words,
)
from surveys.estimates import MIN_ANSWERS_FOR_PERCENT
from surveys.scoring import DETRACTOR

LOW, REACHED, UNREACHED = "low", "reached", "unreached"
# Where a low score may stand that has not come as far as being asked.
STANDING = (STILL_IN_WORK, TO_BE_ASKED, NOT_ASKED, MERGED)
OUTCOMES = (*BANDS, NO_ANSWER, WAITING)
# The nodes of the last column, and which state each is.
ENDS = {f"to_{state}": state for state in OUTCOMES}


@dataclass(frozen=True)
class Picture:
    """The same picture twice; the page shows the one that fits."""

    wide: SafeString
    narrow: SafeString


# Where the tickets behind a part are listed, by what an address asks of them.
Behind = Callable[[Mapping[str, str]], str]


def flow_picture(found: Recovery, behind: Behind | None = None) -> Picture:
    flow = flow_of(found, behind)
    labels = Labels(_("What became of the low scores"), comparison(found))
    return Picture(
        flow_svg(flow, labels, width=WIDE, ident="loop"), flow_svg(flow, labels, width=NARROW, ident="loop")
    )


def flow_of(found: Recovery, behind: Behind | None = None) -> Flow:
    """Low scores, reached or not, asked or not, and what they answered. Empty places are left out.

    With `behind` each part opens the tickets it counts.
    """
    links = [link for link in links_of(found) if link.value]
    used = {end for link in links for end in (link.source, link.target)} | {LOW}
    shown = [node for node in nodes(found) if node.key in used]
    if behind is None:
        return Flow(shown, links)
    return Flow(
        [replace(node, href=behind(counted_at(node.key))) for node in shown],
        [replace(link, href=behind(counted_on(link))) for link in links],
    )


def counted_at(key: str) -> dict[str, str]:
    """Whom a node counts, as the address of their list asks for them."""
    if key == LOW:
        return {}
    if key in (REACHED, UNREACHED):
        return {"reached": "1" if key == REACHED else "0"}
    if key.startswith(f"{ASKED}_"):
        return {"reached": "1" if key == asked_after(True) else "0", "stage": ASKED}
    if key in ENDS:
        # A band holds those who answered unasked as well; silence follows a question only.
        return {"state": ENDS[key]}
    return {"stage": key}


def counted_on(link: Link) -> dict[str, str]:
    """Whom a link counts: those at both its ends."""
    return counted_at(link.source) | counted_at(link.target)


def nodes(found: Recovery) -> list[Node]:
    return [
        Node(LOW, _("Low scores"), 0, DETRACTOR, found.size),
        Node(REACHED, _("Reached"), 1, "accent"),
        Node(UNREACHED, _("Not reached"), 1, "neutral"),
        Node(asked_after(True), str(STAGES[ASKED]), 2, "accent"),
        *(Node(stage, str(STAGES[stage]), 2, tone_of(stage)) for stage in (UNPROMPTED, *STANDING)),
        Node(asked_after(False), str(STAGES[ASKED]), 2, "neutral"),
        *(Node(key, str(STATES[state]), 3, tone_of(state)) for key, state in ENDS.items()),
    ]


def tone_of(state: str) -> str:
    return TONES.get(state, "neutral")


def asked_after(reached: bool) -> str:
    return f"{ASKED}_{REACHED if reached else UNREACHED}"


def links_of(found: Recovery) -> list[Link]:
    links: list[Link] = []
    for reached, side in ((True, REACHED), (False, UNREACHED)):
        links.append(Link(LOW, side, found.count(reached=reached)))
        links.append(Link(side, asked_after(reached), found.count(reached=reached, stages=[ASKED])))
        links += [
            Link(side, stage, found.count(reached=reached, stages=[stage]))
            for stage in (UNPROMPTED, *STANDING)
        ]
        for state in OUTCOMES:
            number = found.count(reached=reached, stages=[ASKED], states=[state])
            links.append(Link(asked_after(reached), f"to_{state}", number))
    links += [
        Link(UNPROMPTED, f"to_{band}", found.count(stages=[UNPROMPTED], states=[band])) for band in BANDS
    ]
    return links


def bars_picture(
    bars: Sequence[Bar],
    title: str,
    ident: str,
    *,
    full: float | None = None,
    told: str = "",
) -> Picture:
    labels = Labels(title, told)
    return Picture(
        bar_svg(bars, labels, width=WIDE, full=full, ident=ident),
        bar_svg(bars, labels, width=NARROW, full=full, ident=ident),
    )


def rate_bar(label: str, rate: Rate, tone: str = "accent", *, href: str = "", goal: Row | None = None) -> Bar:
    interval = rate.interval
    return Bar(
        label,
        rate.share or 0,
        rate_words(rate),
        tone,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        mark=goal.value / 100 if goal else None,
        goal=goal.told if goal else "",
        href=href,
    )


def figures_picture(lines: Sequence[Line]) -> Picture | None:
    """The rates of a page under each other, each with its interval and its target; None where all are few."""
    bars = [
        rate_bar(str(line.name), line.rate, tone_beside(line.goal), href=line.url, goal=line.goal)
        for line in lines
        if line.rate is not None and line.rate.share is not None
    ]
    goals = [line.goal for line in lines if line.goal]
    title = (
        _("The figures, with 95 % intervals and targets") if goals else _("The figures, with 95 % intervals")
    )
    return bars_picture(bars, title, "figures", full=1, told=goals_told(goals)) if bars else None


def tone_beside(goal: Row | None) -> str:
    return goal.tone if goal else "accent"


def ranking_picture(groups: Sequence[tuple[str, Group, str]], goals: Goals) -> Picture:
    """Each group opens those of it who recovered; the target of all of them is a stroke across each row."""
    goal = goals.get("recovered")
    bars = [
        replace(rate_bar(name, group.recovered, href=url, goal=goal), goal="") for name, group, url in groups
    ]
    told = goals_told([goal]) if goal else ""
    return bars_picture(bars, _("Recovered, of those who answered again"), "groups", full=1, told=told)


def causes_picture(found: Pareto, ident: str, url_of: Callable[[Cause], str]) -> Picture:
    """Each bar opens the tickets of its cause."""
    bars = [
        Bar(
            str(row.cause),
            row.count,
            _("{n}, {share}").format(n=f"{row.count:,}", share=percent(row.share))
            if found.known >= MIN_ANSWERS_FOR_PERCENT
            else counts_words(Rate(row.count, found.known)),
            href=url_of(row.cause),
        )
        for row in found.rows[:12]
    ]
    return bars_picture(bars, _("Causes, the commonest first"), ident)
