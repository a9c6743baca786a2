"""How many gave each score: one column a level, in the tone of its band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.html import escape
from django.utils.safestring import SafeString

from recovery.pictures.paper import Labels, is_narrow, measured, measured_bold, n, rect, svg, text

_HEIGHT: Final = 180.0
_HEIGHT_NARROW: Final = 160.0
_HEAD: Final = 18.0
_FOOT: Final = 20.0
_WIDEST: Final = 64.0


@dataclass(frozen=True, slots=True)
class Level:
    """A score, how many gave it, that number as people read it, and what is told on pointing at it."""

    name: str
    count: int
    text: str
    tone: str
    told: str

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ValueError("Fewer than nobody can have given a score.")


def levels_svg(levels: Sequence[Level], labels: Labels, *, width: int, ident: str = "levels") -> SafeString:
    """The columns from left to right as given. No levels, or no answers, draw nothing."""
    most = max((level.count for level in levels), default=0)
    if not most:
        return SafeString()
    height = _HEIGHT_NARROW if is_narrow(width) else _HEIGHT
    slot = width / len(levels)
    parts = [_column(level, place * slot, slot, height, most) for place, level in enumerate(levels)]
    base = f'<path class="axis" d="M0 {n(height - _FOOT)}H{n(width)}"/>'
    return svg("levels", width, height, labels, f"{ident}-{width}", [*parts, base])


def _column(level: Level, left: float, slot: float, height: float, most: int) -> str:
    room = height - _HEAD - _FOOT
    tall, wide = room * level.count / most, min(slot - 4, _WIDEST)
    top, middle = height - _FOOT - tall, left + slot / 2
    name = text("flow-label", middle - measured(level.name) / 2, height - 5, "start", escape(level.name))
    number = ""
    if measured(level.text) <= slot:
        x = max(left, middle - measured_bold(level.text) / 2)
        number = text("flow-value", x, top - 5, "start", escape(level.text))
    return (
        f'<g class="tone-{escape(level.tone)}"><title>{escape(level.told)}</title>'
        + rect("bar-fill", middle - wide / 2, top, wide, tall)
        + number
        + name
        + "</g>"
    )
