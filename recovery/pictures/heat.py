"""A grid of shares, darker where they are higher. Every cell says its number; the shade helps the eye."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.html import escape
from django.utils.safestring import SafeString

from recovery.pictures.paper import FONT, Labels, is_narrow, measured, n, rect, svg

_LEVELS: Final = 5
_HEAD: Final = 20.0
# The sums stand a little way off.
_APART: Final = 4.0


@dataclass(frozen=True, slots=True)
class Cell:
    """`share` is between 0 and 1, or None where there are too few to have one: it stays without a shade.

    `text` is what stands in the cell, `told` what it means in words. Without a text nothing was there.
    """

    text: str = ""
    told: str = ""
    share: float | None = None

    def __post_init__(self) -> None:
        if self.share is not None and not 0 <= self.share <= 1:
            raise ValueError("A share lies between nothing and all.")


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows of cells under heads, all of one length."""

    heads: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]

    def __post_init__(self) -> None:
        if any(len(cells) != len(self.heads) for _name, cells in self.rows):
            raise ValueError("A row of a grid has a cell for every head.")

    def turned(self, heads: Sequence[str], names: Sequence[str]) -> "Grid":
        """Rows and columns changed, under other names."""
        columns = zip(*(cells for _name, cells in self.rows), strict=True)
        return Grid(heads, list(zip(names, columns, strict=True)))


def heat_svg(grid: Grid, labels: Labels, *, width: int = 960, ident: str = "heat") -> SafeString:
    """The last row and the last column are those of all. A grid without rows draws nothing."""
    if not grid.rows:
        return SafeString()
    names = max(measured(str(name)) for name, _cells in grid.rows) + 8
    column = min(64.0, (width - names - _APART) / len(grid.heads))
    row = 26.0 if is_narrow(width) else 30.0
    parts = [_tick(names + (index + 0.5) * column, _HEAD - 7, head) for index, head in enumerate(grid.heads)]
    for number, (name, cells) in enumerate(grid.rows):
        apart = _APART if number == len(grid.rows) - 1 else 0.0
        y = _HEAD + number * row + apart
        parts.append(f'<text class="flow-label" x="0" y="{n(y + row / 2 + 4)}">{escape(name)}</text>')
        for index, cell in enumerate(cells):
            aside = _APART if index == len(cells) - 1 else 0.0
            parts.append(_cell(cell, names + index * column + aside, y, column - 2, row - 2))
    return svg("heat", width, _HEAD + len(grid.rows) * row + 6, labels, f"{ident}-{width}", parts)


def _tick(x: float, y: float, text: str) -> str:
    return f'<text class="tick-label" x="{n(x)}" y="{n(y)}" text-anchor="middle">{escape(text)}</text>'


def _cell(cell: Cell, x: float, y: float, width: float, height: float) -> str:
    if not cell.text:
        return rect("heat-none", x, y, width, height)
    kind = "heat-few" if cell.share is None else f"heat-cell heat-{level(cell.share)}"
    middle = f'x="{n(x + width / 2)}" y="{n(y + height / 2 + 4)}" text-anchor="middle" font-size="{n(FONT)}"'
    return (
        f"<g><title>{escape(cell.told)}</title>{rect(kind, x, y, width, height)}"
        f'<text class="heat-text" {middle}>{escape(cell.text)}</text></g>'
    )


def level(share: float) -> int:
    """Which fifth of the way from nothing to all, from 1 to 5."""
    return min(_LEVELS, int(share * _LEVELS) + 1)
