"""A flow from left to right, such as low scores, reached or not, asked again or not, and how they ended."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from django.utils.html import escape
from django.utils.safestring import SafeString

from recovery.pictures.paper import (
    FONT,
    LINE,
    SPACE,
    WIDE,
    Labels,
    fitted,
    grouped,
    halves,
    is_narrow,
    linked,
    measured,
    measured_bold,
    n,
    svg,
    text,
)

_BAR: Final = 10.0
_THINNEST_NODE: Final = 2.0
_THINNEST_LINK: Final = 1.5


@dataclass(frozen=True, slots=True)
class Node:
    """`value` is needed only where the links do not tell it."""

    key: str
    label: str
    column: int
    tone: str = "neutral"
    value: int = 0
    href: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """It has the tone of its target, unless given its own."""

    source: str
    target: str
    value: int
    tone: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Flow:
    """Nodes stand in their column in the order given; a link leads to a later column."""

    nodes: Sequence[Node]
    links: Sequence[Link] = ()

    def __post_init__(self) -> None:
        column = {node.key: node.column for node in self.nodes}
        if len(column) < len(self.nodes):
            raise ValueError("Two nodes of a flow have the same key.")
        for link in self.links:
            if not {link.source, link.target} <= column.keys():
                raise ValueError(f"The link from {link.source} to {link.target} has an end that is no node.")
            if column[link.source] >= column[link.target]:
                raise ValueError(f"The link from {link.source} to {link.target} does not lead onwards.")
        if min((*(node.value for node in self.nodes), *(link.value for link in self.links)), default=0) < 0:
            raise ValueError("Nothing in a flow is less than nothing.")


@dataclass(slots=True)
class _Box:
    """A node on paper: x and y are the upper left corner of its bar, `room` is what its label may take."""

    node: Node
    value: int
    thickness: float = _THINNEST_NODE
    x: float = 0
    y: float = 0
    room: float = 0
    place: Literal["above", "above_at_edge", "beside"] = "above"
    label_lines: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return str(self.node.label)

    @property
    def number(self) -> str:
        return grouped(self.value)

    @property
    def told(self) -> str:
        return f"{self.name}: {self.number}"

    @property
    def one_line(self) -> float:
        return measured(self.name) + 6 + measured_bold(self.number)

    @property
    def label_height(self) -> float:
        return LINE * max(1, len(self.label_lines))

    @property
    def extent(self) -> float:
        if self.place == "beside":
            return max(self.thickness, self.label_height)
        return self.thickness + self.label_height + 3


@dataclass(slots=True)
class _Ribbon:
    link: Link
    source: _Box
    target: _Box
    thickness: float
    source_y: float = 0
    target_y: float = 0


def flow_svg(flow: Flow, labels: Labels, *, width: int = WIDE, ident: str = "flow") -> SafeString:
    """A flow from left to right. Draw it twice, WIDE and NARROW, and let the page show one by its own width.

    `ident` keeps the ids of several pictures on one page apart. A flow without nodes draws nothing.
    """
    if not flow.nodes:
        return SafeString()
    narrow = is_narrow(width)
    boxes = {node.key: _Box(node, _value_of(node, flow)) for node in flow.nodes}
    columns = _columns(boxes.values())
    ribbons = _ribbons(flow, boxes, _pixels_per_one(columns, narrow))
    _place_across(columns, width, narrow)
    height = _place_down(columns)
    _lay_ribbons(ribbons)
    parts = [
        # From left to right, as they are reached by keyboard; where they cross, the thin above the thick.
        *(_ribbon_svg(each) for each in sorted(ribbons, key=lambda each: (each.source.x, -each.thickness))),
        *(
            linked(box.node.href, box.told, _box_svg(box) + _label_svg(box))
            for column in columns
            for box in column
        ),
    ]
    return svg("flow", width, height, labels, f"{ident}-{width}", parts)


def _value_of(node: Node, flow: Flow) -> int:
    coming = sum(link.value for link in flow.links if link.target == node.key)
    going = sum(link.value for link in flow.links if link.source == node.key)
    return max(node.value, coming, going)


def _columns(boxes: Iterable[_Box]) -> list[list[_Box]]:
    columns: dict[int, list[_Box]] = {}
    for box in boxes:
        columns.setdefault(box.node.column, []).append(box)
    return [columns[number] for number in sorted(columns)]


def _pixels_per_one(columns: list[list[_Box]], narrow: bool) -> float:
    return (240 if narrow else 280) / max(1, *(sum(box.value for box in column) for column in columns))


def _ribbons(flow: Flow, boxes: dict[str, _Box], pixels: float) -> list[_Ribbon]:
    """Every link with something in it. A thin one stays visible; its nodes grow to hold what they carry."""
    ribbons = [
        _Ribbon(link, boxes[link.source], boxes[link.target], max(_THINNEST_LINK, link.value * pixels))
        for link in flow.links
        if link.value
    ]
    for box in boxes.values():
        coming = sum(ribbon.thickness for ribbon in ribbons if ribbon.target is box)
        going = sum(ribbon.thickness for ribbon in ribbons if ribbon.source is box)
        box.thickness = max(_THINNEST_NODE, box.value * pixels, coming, going)
    return ribbons


def _place_across(columns: list[list[_Box]], width: float, narrow: bool) -> None:
    if narrow:
        _place_across_by_need(columns, width)
    else:
        _place_across_evenly(columns, width)
    for box in (box for column in columns for box in column):
        box.label_lines = _label_lines(box, narrow)


def _label_lines(box: _Box, narrow: bool) -> list[str]:
    """The lines of a label that does not fit beside its number; none for one that does."""
    if not narrow and box.one_line <= box.room:
        return []
    lines = [box.name] if measured(box.name) <= box.room else halves(box.name)
    return [*(fitted(line, box.room) for line in lines), box.number]


def _place_across_evenly(columns: list[list[_Box]], width: float) -> None:
    beside = min(240.0, max(box.one_line for box in columns[-1]))
    step = (width - _BAR - 8 - beside) / max(1, len(columns) - 1)
    for index, column in enumerate(columns):
        for box in column:
            box.x, box.room = index * step, step - SPACE
            if column is columns[-1]:
                box.place, box.room = "beside", beside


def _place_across_by_need(columns: list[list[_Box]], width: float) -> None:
    """Each gap gets what the labels above it need; the last column's hang back from the right edge."""
    there = width - _BAR if len(columns) > 1 else width
    needs = [SPACE + max(_need(box, [box.name]) for box in column) for column in columns]
    if sum(needs) > there:
        needs = [SPACE + max(_need(box, halves(box.name)) for box in column) for column in columns]
    squeeze = min(1.0, there / sum(needs))
    spare = max(0.0, there - sum(needs)) / max(1, len(columns) - 1)
    x = 0.0
    for column, need in zip(columns, needs, strict=True):
        at_edge = column is columns[-1] and len(columns) > 1
        for box in column:
            box.x, box.room = (width - _BAR if at_edge else x), need * squeeze - SPACE / 2
            box.place = "above_at_edge" if at_edge else "above"
        x += need * squeeze + spare


def _need(box: _Box, lines: list[str]) -> float:
    return max(measured_bold(box.number), *(measured(line) for line in lines))


def _place_down(columns: list[list[_Box]]) -> float:
    """Every column fills the height of the fullest one. Returns that height."""
    gap = 12.0
    heights = [sum(box.extent for box in column) + gap * (len(column) - 1) for column in columns]
    for column, needed in zip(columns, heights, strict=True):
        spare = max(heights) - needed
        top = spare / 2 if len(column) == 1 else 0.0
        for box in column:
            above = (box.extent - box.thickness) / (2 if box.place == "beside" else 1)
            box.y = top + above
            top += box.extent + gap + spare / max(1, len(column) - 1)
    return max(heights)


def _lay_ribbons(ribbons: list[_Ribbon]) -> None:
    """Side by side on the bars they join, in the order of the bars at their other end, so that few cross."""
    used: dict[tuple[str, str], float] = {}
    for ribbon in sorted(ribbons, key=lambda each: (each.target.y, each.target.x)):
        key = ("out", ribbon.source.node.key)
        ribbon.source_y = ribbon.source.y + used.get(key, 0)
        used[key] = used.get(key, 0) + ribbon.thickness
    for ribbon in sorted(ribbons, key=lambda each: (each.source.y, each.source.x)):
        key = ("in", ribbon.target.node.key)
        ribbon.target_y = ribbon.target.y + used.get(key, 0)
        used[key] = used.get(key, 0) + ribbon.thickness


def _ribbon_svg(ribbon: _Ribbon) -> str:
    left, right = ribbon.source.x + _BAR, ribbon.target.x
    middle, from_y, to_y = (left + right) / 2, ribbon.source_y, ribbon.target_y
    from_foot, to_foot = from_y + ribbon.thickness, to_y + ribbon.thickness
    path = (
        f"M{n(left)} {n(from_y)}"
        f"C{n(middle)} {n(from_y)} {n(middle)} {n(to_y)} {n(right)} {n(to_y)}"
        f"V{n(to_foot)}"
        f"C{n(middle)} {n(to_foot)} {n(middle)} {n(from_foot)} {n(left)} {n(from_foot)}Z"
    )
    tone = ribbon.link.tone or ribbon.target.node.tone
    told = f"{ribbon.source.name} → {ribbon.target.name}: {grouped(ribbon.link.value)}"
    drawn = f'<path class="flow-link tone-{escape(tone)}" d="{path}"><title>{escape(told)}</title></path>'
    return linked(ribbon.link.href, told, drawn)


def _box_svg(box: _Box) -> str:
    return (
        f'<rect class="flow-node tone-{escape(box.node.tone)}" x="{n(box.x)}" y="{n(box.y)}"'
        f' width="{n(_BAR)}" height="{n(box.thickness)}"><title>{escape(box.told)}</title></rect>'
    )


def _label_svg(box: _Box) -> str:
    if box.place == "beside":
        x, top, anchor = box.x + _BAR + 8, box.y + (box.thickness - box.label_height) / 2, "start"
    elif box.place == "above":
        x, top, anchor = box.x, box.y - box.label_height - 3, "start"
    else:
        x, top, anchor = box.x + _BAR, box.y - box.label_height - 3, "end"
    if not box.label_lines:
        number = f'<tspan class="flow-value" dx="4">{escape(box.number)}</tspan>'
        return text("flow-label", x, top + FONT, anchor, escape(box.name) + number)
    kinds = ["flow-label"] * (len(box.label_lines) - 1) + ["flow-value"]
    return "".join(
        text(kind, x, top + FONT + LINE * index, anchor, escape(line))
        for index, (kind, line) in enumerate(zip(kinds, box.label_lines, strict=True))
    )
