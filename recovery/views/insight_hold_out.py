"""The hold-outs of a period on the recovery report, each number with the tickets behind it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from recovery.insight.hold_out import (
    RECOVERED_THEN,
    SIDES,
    STEPS,
    HoldOutFigures,
    Side,
    draws_of,
    figures_of,
    hold_outs_of,
    tickets_behind,
)
from recovery.views import hold_out_words as words
from recovery.views.insight_behind import BEHIND_EACH, SAID
from recovery.views.insight_frame import behind
from recovery.views.insight_slice import Asked
from recovery.views.insight_words import rate_words

CODE: Final = "hold_out"


def shown_hold_outs(asked: Asked) -> list[dict[str, Any]]:
    found = figures_of(hold_outs_of(asked.which, asked.at), asked.seen, asked.at)
    return [shown(each, asked) for each in found]


def shown(found: HoldOutFigures, asked: Asked) -> dict[str, Any]:
    return {
        "found": found,
        "hold_out": found.hold_out,
        "verdict": words.verdict(found),
        "needed": words.needed_words(found),
        "heads": [words.STEPS[step] for step in STEPS],
        "rows": [
            row(found, asked, code, side) for code, side in zip(SIDES, (found.now, found.later), strict=True)
        ],
        "spared": [(words.spared_words(code), count) for code, count in found.spared.most_common()],
    }


def row(found: HoldOutFigures, asked: Asked, code: str, side: Side) -> dict[str, Any]:
    counts = (side.drawn, side.asked, side.answered, side.recovered)
    cells = [
        (
            rate_words(side.rate) if step == RECOVERED_THEN else f"{count:,}",
            count,
            link(found, asked, code, step),
        )
        for step, count in zip(STEPS, counts, strict=True)
    ]
    ends = side.bounds
    return {
        "name": words.SIDES[code],
        "cells": cells,
        "bounds": words.bounds_words(ends.low, ends.high, side.drawn) if ends else "–",
    }


def link(found: HoldOutFigures, asked: Asked, side: str, step: str) -> str:
    return behind(asked, behind=f"{CODE}.{found.hold_out.pk}-{side}-{step}")


# --- the tickets behind a number ------------------------------------------------------------------------


def tickets_of(asked: Asked, which: str) -> Iterable[int]:
    """`which` is hold-out, side and step, such as 3-later-answered; what does not exist counts nothing."""
    number, side, step = parts(which)
    mine = [each for each in hold_outs_of(asked.which, asked.at) if str(each.pk) == number]
    if side not in SIDES or step not in STEPS or not mine:
        return []
    return tickets_behind(draws_of(mine, asked.seen, asked.at)[mine[0].pk], side, step)


def said(which: str) -> str:
    _number, side, step = parts(which)
    if side not in words.SIDES or step not in words.STEPS:
        return ""
    return f"{words.SIDES[side]} · {words.STEPS[step]}"


def parts(which: str) -> tuple[str, str, str]:
    number, side, step = [*which.split("-"), "", ""][:3]
    return number, side, step


BEHIND_EACH[CODE] = tickets_of
SAID[CODE] = said
