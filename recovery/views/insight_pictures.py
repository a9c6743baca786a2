"""The pictures of the insight pages: the loop as a flow, groups and times as points on a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
from recovery.pictures import NARROW, WIDE, Bar, Flow, Labels, Link, Node, bar_svg, flow_svg
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


@dataclass(frozen=True)
class Picture:
    """The same picture twice; the page shows the one that fits."""

    wide: SafeString
    narrow: SafeString


def flow_picture(found: Recovery) -> Picture:
    flow = flow_of(found)
    labels = Labels(_("What became of the low scores"), comparison(found))
    return Picture(
        flow_svg(flow, labels, width=WIDE, ident="loop"), flow_svg(flow, labels, width=NARROW, ident="loop")
    )


def flow_of(found: Recovery) -> Flow:
    """Low scores, reached or not, asked or not, and what they answered. Empty places are left out."""
    links = [link for link in links_of(found) if link.value]
    used = {end for link in links for end in (link.source, link.target)} | {LOW}
    return Flow([node for node in nodes(found) if node.key in used], links)


def nodes(found: Recovery) -> list[Node]:
    return [
        Node(LOW, _("Low scores"), 0, DETRACTOR, found.size),
        Node(REACHED, _("Reached"), 1, "accent"),
        Node(UNREACHED, _("Not reached"), 1, "neutral"),
        Node(asked_after(True), str(STAGES[ASKED]), 2, "accent"),
        *(Node(stage, str(STAGES[stage]), 2, tone_of(stage)) for stage in (UNPROMPTED, *STANDING)),
        Node(asked_after(False), str(STAGES[ASKED]), 2, "neutral"),
        *(Node(f"to_{state}", str(STATES[state]), 3, tone_of(state)) for state in OUTCOMES),
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
) -> Picture:
    labels = Labels(title)
    return Picture(
        bar_svg(bars, labels, width=WIDE, full=full, ident=ident),
        bar_svg(bars, labels, width=NARROW, full=full, ident=ident),
    )


def rate_bar(label: str, rate: Rate, tone: str = "accent") -> Bar:
    interval = rate.interval
    return Bar(
        label,
        rate.share or 0,
        rate_words(rate),
        tone,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
    )


def ranking_picture(groups: Sequence[tuple[str, Group]]) -> Picture:
    bars = [rate_bar(name, group.recovered) for name, group in groups]
    return bars_picture(bars, _("Recovered, of those who answered again"), "groups", full=1)


def causes_picture(found: Pareto, ident: str) -> Picture:
    bars = [
        Bar(
            str(row.cause),
            row.count,
            _("{n}, {share}").format(n=f"{row.count:,}", share=percent(row.share))
            if found.known >= MIN_ANSWERS_FOR_PERCENT
            else counts_words(Rate(row.count, found.known)),
        )
        for row in found.rows[:12]
    ]
    return bars_picture(bars, _("Causes, the commonest first"), ident)
