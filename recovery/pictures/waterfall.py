"""Stages of which each is a part of the one before, and between them what was lost on the way."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from django.utils.html import escape
from django.utils.safestring import SafeString

from recovery.pictures.paper import (
    FONT,
    SPACE,
    Labels,
    fitted,
    grouped,
    is_narrow,
    measured,
    measured_bold,
    rect,
    svg,
    text,
)

_STAGE: Final = 16.0
_LOSS: Final = 8.0
_THINNEST: Final = 1.5


@dataclass(frozen=True, slots=True)
class Lost:
    label: str
    value: int
    tone: str = "silent"


@dataclass(frozen=True, slots=True)
class Stage:
    """How many came so far, and what the rest of them was lost to before the next stage."""

    label: str
    value: int
    losses: Sequence[Lost] = field(default=())
    tone: str = "accent"

    def __post_init__(self) -> None:
        if min(self.value, *(lost.value for lost in self.losses), 0) < 0:
            raise ValueError("Nobody can be fewer than nobody.")
        if sum(lost.value for lost in self.losses) > self.value:
            raise ValueError("More were lost than were there.")


@dataclass(frozen=True, slots=True)
class _Row:
    label: str
    number: str
    start: float
    length: float
    tone: str
    is_loss: bool


def waterfall_svg(
    stages: Sequence[Stage], labels: Labels, *, width: int = 960, ident: str = "stages"
) -> SafeString:
    """Each stage's bar begins at the left; a loss lies where the next bar no longer reaches.

    No stages, or an empty first one, draw nothing.
    """
    if not stages or not stages[0].value:
        return SafeString()
    narrow = is_narrow(width)
    rows = _rows(stages)
    names = 0.0 if narrow else min(width * 0.42, max(_name_width(row) for row in rows) + SPACE)
    numbers = max(measured_bold(row.number) for row in rows) + SPACE
    track = width - names - numbers
    whole = max(stage.value for stage in stages)
    parts, top = [], 0.0
    for row in rows:
        parts.append(_row_svg(row, names, width, track / whole, top))
        top += _height(row, narrow)
    return svg("waterfall", width, top + 4, labels, f"{ident}-{width}", parts)


def _rows(stages: Sequence[Stage]) -> list[_Row]:
    rows: list[_Row] = []
    for stage in stages:
        rows.append(_Row(stage.label, grouped(stage.value), 0, stage.value, stage.tone, False))
        left = stage.value - sum(lost.value for lost in stage.losses)
        for lost in stage.losses:
            rows.append(_Row(f"− {lost.label}", grouped(lost.value), left, lost.value, lost.tone, True))
            left += lost.value
    return rows


def _name_width(row: _Row) -> float:
    return measured(row.label) + (SPACE if row.is_loss else measured(row.label) * 0.12)


def _height(row: _Row, narrow: bool) -> float:
    if narrow:
        return 34.0 if row.is_loss else 42.0
    return 20.0 if row.is_loss else 28.0


def _bar(row: _Row, names: float, one: float, y: float, thickness: float) -> str:
    """However few, they can be seen."""
    return rect("bar-fill", names + row.start * one, y, max(_THINNEST, row.length * one), thickness)


def _row_svg(row: _Row, names: float, width: float, one: float, top: float) -> str:
    narrow = is_narrow(width)
    indent = SPACE if row.is_loss else 0.0
    thickness = _LOSS if row.is_loss else _STAGE
    base = top + (20 if narrow else 0)
    y = base + (0 if narrow else (20 - _LOSS) / 2 if row.is_loss else 8)
    words = y + thickness / 2 + 4
    room = (width if narrow else names - SPACE) - indent
    kind = "flow-label" if row.is_loss else "flow-value"
    told = escape(f"{row.label}: {row.number}")
    end = names + (row.start + row.length) * one
    return (
        f'<g class="tone-{escape(row.tone)}"><title>{told}</title>'
        + text(kind, indent, top + FONT + 3 if narrow else words, "start", escape(fitted(row.label, room)))
        + (_bar(row, names, one, y, thickness) if row.length else "")
        + text("flow-value", end + 6, words, "start", escape(row.number))
        + "</g>"
    )
