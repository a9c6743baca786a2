"""Rows cut into parts, such as how people began and what became of them. The area of a part is its number."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.html import escape
from django.utils.safestring import SafeString

from recovery.pictures.paper import (
    FONT,
    SPACE,
    Labels,
    grouped,
    is_narrow,
    measured,
    measured_bold,
    rect,
    svg,
    text,
)

_THINNEST_ROW: Final = 20.0
_GAP: Final = 10.0
_EDGE: Final = 4.0


@dataclass(frozen=True, slots=True)
class Part:
    label: str
    value: int
    tone: str = "neutral"

    def __post_init__(self) -> None:
        if self.value < 0:
            raise ValueError("Nothing in a row is less than nothing.")


@dataclass(frozen=True, slots=True)
class Row:
    label: str
    parts: Sequence[Part]

    @property
    def value(self) -> int:
        return sum(part.value for part in self.parts)


def matrix_svg(rows: Sequence[Row], labels: Labels, *, width: int, ident: str = "matrix") -> SafeString:
    """Each row as wide as the picture and as high as it has people; nobody in any row draws nothing.

    Drawn narrow, labels stand above their rows. A row without anybody is left out.
    """
    shown = [row for row in rows if row.value]
    if not shown:
        return SafeString()
    narrow = is_narrow(width)
    names = 0.0 if narrow else SPACE + max(_name_width(row) for row in shown)
    per_one = (150 if narrow else 200) / sum(row.value for row in shown)
    parts: list[str] = []
    y = 0.0
    for row in shown:
        height = max(_THINNEST_ROW, row.value * per_one)
        top = y + (FONT + 6 if narrow else 0)
        parts.append(_name_svg(row, y + FONT if narrow else top + height / 2 + FONT / 2 - 1))
        parts += _parts_svg(row, names, top, width - names, height)
        y = top + height + _GAP
    return svg("matrix", width, y - _GAP, labels, f"{ident}-{width}", parts)


def _name_width(row: Row) -> float:
    return measured(str(row.label)) + 6 + measured_bold(grouped(row.value))


def _name_svg(row: Row, y: float) -> str:
    number = f'<tspan class="flow-value" dx="6">{escape(grouped(row.value))}</tspan>'
    return text("flow-label", 0, y, "start", escape(str(row.label)) + number)


def _parts_svg(row: Row, x: float, y: float, room: float, height: float) -> list[str]:
    found = []
    for part in row.parts:
        if part.value:
            length = room * part.value / row.value
            found.append(_part_svg(row, part, x, y, length, height))
            x += length
    return found


def _part_svg(row: Row, part: Part, x: float, y: float, length: float, height: float) -> str:
    """The part in a light tone, its edge in the full one, and in it what fits of its number and word."""
    number = grouped(part.value)
    told = escape(f"{row.label} → {part.label}: {number}")
    shown = max(1.0, length - 1)
    return (
        f'<g class="tone-{escape(part.tone)}"><title>{told}</title>'
        + rect("flow-link", x, y, shown, height)
        + rect("flow-node", x, y, min(_EDGE, shown), height)
        + _words_svg(part, number, x + _EDGE + 5, y + height / 2 + FONT / 2 - 1, length - _EDGE - 9)
        + "</g>"
    )


def _words_svg(part: Part, number: str, x: float, y: float, room: float) -> str:
    """The number, and the word where all of it fits: a word cut short tells nothing its title does not."""
    if measured_bold(number) > room:
        return ""
    value = text("flow-value", x, y, "start", escape(number))
    if measured(str(part.label)) > room - measured_bold(number) - 6:
        return value
    return value + text("flow-label", x + measured_bold(number) + 6, y, "start", escape(str(part.label)))
