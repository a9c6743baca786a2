import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recovery.pictures import (
    NARROW,
    WIDE,
    Bar,
    Curve,
    Flow,
    Labels,
    Link,
    Node,
    bar_svg,
    curve_svg,
    flow_svg,
    sparkline_svg,
)
from recovery.pictures import Point as CurvePoint
from surveys.scoring import CSAT_1_5_BEST_1, NPS_0_10

LABELS = Labels("What became of 412 low scores", "287 were reached, 125 were not.")
NODES = [
    Node("low", "Low scores", 0, "detractor"),
    Node("reached", "Reached", 1),
    Node("unreached", "Not reached", 1, "silent"),
    Node("asked", "Asked again", 2),
    Node("asked_unreached", "Asked, not reached", 2),
    Node("unasked", "Not asked", 2, "silent"),
    Node("promoter", "Promoter", 3, "promoter"),
    Node("passive", "Passive", 3, "passive"),
    Node("detractor", "Still a detractor", 3, "detractor"),
    Node("silent", "No answer", 3, "silent"),
]
LINKS = [
    Link("low", "reached", 287, "neutral"),
    Link("low", "unreached", 125),
    Link("reached", "asked", 240),
    Link("reached", "unasked", 47),
    Link("unreached", "asked_unreached", 90),
    Link("unreached", "unasked", 35),
    Link("asked", "promoter", 38),
    Link("asked", "passive", 48),
    Link("asked", "detractor", 101),
    Link("asked", "silent", 53),
    Link("asked_unreached", "promoter", 6),
    Link("asked_unreached", "passive", 13),
    Link("asked_unreached", "detractor", 42),
    Link("asked_unreached", "silent", 29),
]
FLOW = Flow(NODES, LINKS)
WIDTHS = pytest.mark.parametrize("width", [WIDE, NARROW])


def drawn(svg: str) -> ET.Element:
    return ET.fromstring(svg)


def of_class(picture: ET.Element, name: str) -> list[ET.Element]:
    return [each for each in picture.iter() if name in each.get("class", "").split()]


def told(element: ET.Element) -> str:
    return element.findtext("title") or ""


def number(element: ET.Element, name: str) -> float:
    return float(element.get(name, "nan"))


def words(picture: ET.Element) -> str:
    return " ".join("".join(each.itertext()) for each in picture.iter("text"))


def thickness(ribbon: ET.Element) -> float:
    numbers = [float(each) for each in re.findall(r"[\d.]+", ribbon.get("d", ""))]
    top_left, bottom_left = numbers[1], numbers[-1]
    return bottom_left - top_left


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    columns = draw(st.lists(st.integers(1, 6), min_size=1, max_size=4))
    label = st.text(st.characters(exclude_categories=["C"]), max_size=30)
    nodes = [
        Node(f"{column}.{row}", draw(label), column, value=draw(st.integers(0, 10)))
        for column, rows in enumerate(columns)
        for row in range(rows)
    ]
    pairs = [(a.key, b.key) for a in nodes for b in nodes if b.column == a.column + 1]
    value = st.sampled_from([0, 1, 2, 17, 400, 10**9])
    return Flow(nodes, [Link(a, b, draw(value)) for a, b in pairs])


# --- flow ---------------------------------------------------------------------------------------------------


@WIDTHS
def test_it_draws_every_node_and_link_with_its_number_and_tone(width: int) -> None:
    picture = drawn(flow_svg(FLOW, LABELS, width=width))
    assert [told(node) for node in of_class(picture, "flow-node")][:3] == [
        "Low scores: 412",
        "Reached: 287",
        "Not reached: 125",
    ]
    assert len(of_class(picture, "flow-link")) == len(LINKS)
    tones = {told(link): link.get("class") for link in of_class(picture, "flow-link")}
    assert tones["Asked again → Promoter: 38"] == "flow-link tone-promoter"
    assert tones["Low scores → Reached: 287"] == "flow-link tone-neutral"


@WIDTHS
def test_it_gives_ribbons_heights_that_add_up_to_their_node(width: int) -> None:
    picture = drawn(flow_svg(FLOW, LABELS, width=width))
    heights = {told(node).split(":")[0]: number(node, "height") for node in of_class(picture, "flow-node")}
    links = of_class(picture, "flow-link")
    going = [told(link).split(" → ")[0] for link in links]
    coming = [told(link).split(" → ")[1].split(":")[0] for link in links]
    for side in (going, coming):
        for name in set(side):
            joined = sum(thickness(link) for link, end in zip(links, side, strict=True) if end == name)
            assert joined == pytest.approx(heights[name], abs=0.6)
    assert heights["Low scores"] / heights["Reached"] == pytest.approx(412 / 287, rel=0.01)


@WIDTHS
def test_it_keeps_one_in_a_hundred_thousand_visible_and_inside_its_node(width: int) -> None:
    nodes = [Node("a", "All", 0), Node("b", "Many", 1), Node("c", "One", 1)]
    picture = drawn(flow_svg(Flow(nodes, [Link("a", "b", 99_999), Link("a", "c", 1)]), LABELS, width=width))
    links = of_class(picture, "flow-link")
    assert min(thickness(link) for link in links) >= 1.4
    whole = number(of_class(picture, "flow-node")[0], "height")
    assert sum(thickness(link) for link in links) <= whole + 0.2


@WIDTHS
def test_it_draws_no_ribbon_for_nought_but_still_names_the_node(width: int) -> None:
    picture = drawn(flow_svg(Flow(NODES, []), LABELS, width=width))
    assert of_class(picture, "flow-link") == []
    assert len(of_class(picture, "flow-node")) == len(NODES)
    assert words(picture).count("0") == len(NODES)


@WIDTHS
def test_it_draws_a_single_node(width: int) -> None:
    picture = drawn(flow_svg(Flow([Node("low", "Low scores", 0, value=7)]), LABELS, width=width))
    assert [told(node) for node in of_class(picture, "flow-node")] == ["Low scores: 7"]


def test_it_draws_nothing_for_no_nodes() -> None:
    assert flow_svg(Flow([]), LABELS) == ""


@WIDTHS
@given(flow=flows())
@settings(max_examples=60, deadline=None)
def test_it_keeps_everything_on_the_paper_and_nodes_and_labels_apart(width: int, flow: Flow) -> None:
    picture = drawn(flow_svg(flow, LABELS, width=width))
    height = float(picture.get("viewBox", "").split()[3])
    nodes, texts = of_class(picture, "flow-node"), list(picture.iter("text"))
    for node in nodes:
        assert number(node, "x") >= 0
        assert number(node, "x") + number(node, "width") <= width + 0.1
        assert number(node, "y") >= 0
        assert number(node, "y") + number(node, "height") <= height + 0.3
    for column in {number(node, "x") for node in nodes}:
        spans = sorted((number(n, "y"), number(n, "height")) for n in nodes if number(n, "x") == column)
        assert all(y + h < after for (y, h), (after, _) in pairwise(spans))
    for x in {(number(text, "x"), text.get("text-anchor")) for text in texts}:
        lines = sorted(number(t, "y") for t in texts if (number(t, "x"), t.get("text-anchor")) == x)
        assert all(below - above >= 14.8 for above, below in pairwise(lines))
        assert lines[0] >= 10
        assert lines[-1] <= height


def test_it_breaks_a_long_label_in_a_narrow_picture_and_keeps_all_of_it_in_the_tooltip() -> None:
    name = "A story whose ending nobody in the whole house wants to hear again, neither today nor tomorrow"
    flow = Flow([Node("a", "Low scores", 0), Node("b", name, 1)], [Link("a", "b", 5)])
    picture = drawn(flow_svg(flow, LABELS, width=NARROW))
    assert len(of_class(picture, "flow-label")) == 4
    assert "…" in words(picture)
    assert f"{name}: 5" in [told(node) for node in of_class(picture, "flow-node")]


def test_it_groups_the_digits_of_a_large_number() -> None:
    assert "1,234,567" in flow_svg(Flow([Node("low", "Low scores", 0, value=1_234_567)]), LABELS)


def test_it_reads_chinese_labels() -> None:
    flow = Flow([Node("a", "低分", 0), Node("b", "仍为贬损者", 1)], [Link("a", "b", 5)])
    assert "仍为贬损者" in words(drawn(flow_svg(flow, LABELS)))
    assert "仍为贬损者" in words(drawn(flow_svg(flow, LABELS, width=NARROW)))


@pytest.mark.parametrize(
    ("nodes", "links"),
    [
        ([Node("a", "A", 0), Node("a", "B", 1)], []),
        ([Node("a", "A", 0)], [Link("a", "b", 1)]),
        ([Node("a", "A", 1), Node("b", "B", 1)], [Link("a", "b", 1)]),
        ([Node("a", "A", 1), Node("b", "B", 0)], [Link("a", "b", 1)]),
        ([Node("a", "A", 0), Node("b", "B", 1)], [Link("a", "b", -1)]),
        ([Node("a", "A", 0, value=-1)], []),
    ],
    ids=["same key twice", "link to nowhere", "same column", "backwards", "negative link", "negative node"],
)
def test_it_refuses_a_flow_that_cannot_be_drawn(nodes: list[Node], links: list[Link]) -> None:
    with pytest.raises(ValueError, match=r"flow|link"):
        Flow(nodes, links)


# --- for everybody who reads it -----------------------------------------------------------------------------

HOSTILE = """<script>alert("x")</script>&'"""


def every_picture(text: str) -> list[str]:
    labels = Labels(text, text)
    linked = Flow([Node("a", text, 0, text, 1, text), Node("b", text, 1)], [Link("a", "b", 1, text, text)])
    flow = Flow([Node("a", text, 0, text, 1), Node("b", text, 1, text)], [Link("a", "b", 1, text)])
    return [
        flow_svg(flow, labels, ident=text),
        flow_svg(flow, labels, width=NARROW, ident=text),
        bar_svg([Bar(text, 1, text, text), Bar(text, 1, text, text, 0, 2)], labels, ident=text),
        sparkline_svg([1, 9], NPS_0_10, text),
        flow_svg(linked, labels, ident=text),
        bar_svg([Bar(text, 1, text, text, 0, 2, 1, text, text)], labels, ident=text),
        curve_svg(Curve([CurvePoint(1, 1, 1, 1)], 1, goals=[(2, text)]), labels, ident=text),
    ]


def test_it_lets_no_markup_in() -> None:
    for svg in every_picture(HOSTILE):
        assert {each.tag for each in drawn(svg).iter()} <= {
            "svg", "title", "desc", "g", "path", "rect", "circle", "polyline", "text", "tspan", "a",
        }  # fmt: skip
        assert "<script" not in svg


def test_it_keeps_a_strict_content_policy() -> None:
    for svg in every_picture("plain"):
        names = {name for each in drawn(svg).iter() for name in each.attrib}
        assert "style" not in names
        assert not [name for name in names if name.startswith("on") or name.endswith("}href")]


def test_it_has_a_name_and_a_description_for_screen_readers() -> None:
    picture = drawn(flow_svg(FLOW, LABELS, ident="loop"))
    assert picture.get("role") == "img"
    named = {each.get("id"): each.text for each in picture if each.get("id")}
    assert named[picture.get("aria-labelledby")] == LABELS.title
    assert named[picture.get("aria-describedby")] == LABELS.description


def test_it_gives_the_two_widths_of_one_flow_different_ids() -> None:
    both = flow_svg(FLOW, LABELS) + flow_svg(FLOW, LABELS, width=NARROW)
    ids = re.findall(r' id="([^"]+)"', both)
    assert len(ids) == len(set(ids)) == 4


def test_it_marks_wide_and_narrow_pictures_so_that_a_page_can_show_one() -> None:
    kinds = [drawn(flow_svg(FLOW, LABELS, width=width)).get("class") for width in (WIDE, NARROW)]
    kinds += [drawn(bar_svg([Bar("a", 1, "1")], LABELS, width=width)).get("class") for width in (640, NARROW)]
    assert kinds == ["flow picture-wide", "flow picture-narrow", "bars picture-wide", "bars picture-narrow"]


# --- what its parts open ------------------------------------------------------------------------------------


@WIDTHS
def test_each_part_with_an_address_is_a_link_that_says_what_it_counts(width: int) -> None:
    flow = Flow(
        [Node("a", "Low", 0, href="/low"), Node("b", "Reached", 1)], [Link("a", "b", 5, href="/both")]
    )
    picture = drawn(flow_svg(flow, LABELS, width=width))
    assert picture.get("role") == "group", "the parts of an image would be hidden from a screen reader"
    links = {each.get("href"): each.get("aria-label") for each in picture.iter("a")}
    assert links == {"/both": "Low → Reached: 5", "/low": "Low: 5"}
    bars = drawn(
        bar_svg([Bar("East", 1, "1", href="/east?a=1&b=2"), Bar("West", 1, "1")], LABELS, width=width)
    )
    (link,) = bars.iter("a")
    assert (link.get("href"), link.get("aria-label")) == ("/east?a=1&b=2", "East: 1")
    assert len(of_class(link, "part-area")) == 1, "all of its row can be pressed"


def test_the_parts_of_a_flow_are_reached_from_left_to_right() -> None:
    links = [Link(link.source, link.target, link.value, href=link.source) for link in LINKS]
    picture = drawn(flow_svg(Flow(NODES, links), LABELS))
    columns = {node.key: node.column for node in NODES}
    order = [columns[each.get("href", "")] for each in picture.iter("a")]
    assert order == sorted(order)


def test_a_bar_tells_its_target_to_whoever_does_not_see_the_stroke() -> None:
    bar = Bar("East", 0.4, "40 %", mark=0.5, goal="target 50 %: at risk", href="/east")
    picture = drawn(bar_svg([bar], LABELS, full=1))
    assert next(picture.iter("a")).get("aria-label") == "East: 40 %; target 50 %: at risk"


# --- bars ---------------------------------------------------------------------------------------------------


@WIDTHS
def test_it_draws_bars_as_long_as_their_values(width: int) -> None:
    bars = [Bar("Late delivery", 80, "80"), Bar("发票错误", 20, "20"), Bar("Other", 0, "0")]
    picture = drawn(bar_svg(bars, LABELS, width=width))
    lengths = [number(bar, "width") for bar in of_class(picture, "bar-fill")]
    tracks = [number(bar, "width") for bar in of_class(picture, "bar-track")]
    assert lengths == pytest.approx([tracks[0], tracks[0] / 4, 0], abs=0.1)
    assert [told(group) for group in picture.iter("g")] == ["Late delivery: 80", "发票错误: 20", "Other: 0"]


def test_it_draws_a_number_with_an_interval_as_a_point_on_a_line() -> None:
    picture = drawn(bar_svg([Bar("East", 0.5, "50 %", "promoter", 0.25, 0.75)], LABELS, full=1))
    assert of_class(picture, "bar-fill") == []
    track, point, line = (of_class(picture, name)[0] for name in ("bar-track", "spark-dot", "mark-ci"))
    middle = number(track, "x") + number(track, "width") / 2
    assert number(point, "cx") == pytest.approx(middle, abs=0.1)
    ends = re.match(r"M(\S+) \S+H([\d.]+)M", line.get("d", ""))
    assert ends is not None
    assert (float(ends[1]) + float(ends[2])) / 2 == pytest.approx(middle, abs=0.1)


def test_it_strokes_where_a_number_should_be_and_nothing_where_nobody_said_so() -> None:
    bars = [Bar("East", 0.4, "40 %", "late", 0.3, 0.5, mark=0.5), Bar("West", 0.4, "40 %", "met", 0.3, 0.5)]
    picture = drawn(bar_svg(bars, LABELS, full=1))
    (stroke,) = of_class(picture, "mark-target")
    track = of_class(picture, "bar-track")[0]
    x = float(re.match(r"M([\d.]+) ", stroke.get("d", ""))[1])  # type: ignore[index]
    assert x == pytest.approx(number(track, "x") + number(track, "width") / 2, abs=0.1)
    with pytest.raises(ValueError, match="longer"):
        bar_svg([Bar("East", 0.4, "40 %", mark=1.1)], LABELS, full=1)


def test_it_draws_only_noughts_as_empty_tracks_and_no_bars_as_nothing() -> None:
    picture = drawn(bar_svg([Bar("Late", 0, "0"), Bar("Other", 0, "0")], LABELS))
    assert [number(bar, "width") for bar in of_class(picture, "bar-fill")] == [0, 0]
    assert bar_svg([], LABELS) == ""


def test_it_refuses_bars_below_nothing_or_beyond_their_track() -> None:
    with pytest.raises(ValueError, match="negative"):
        Bar("Late", -1, "-1")
    with pytest.raises(ValueError, match="longer"):
        bar_svg([Bar("Late", 1.2, "120 %")], LABELS, full=1)


# --- sparkline ----------------------------------------------------------------------------------------------


def test_it_draws_a_history_with_the_best_on_top_and_each_band_in_its_tone() -> None:
    picture = drawn(sparkline_svg([9, 7, 2], NPS_0_10))
    dots = of_class(picture, "spark-dot")
    assert [dot.get("class", "").split()[1] for dot in dots] == [
        "tone-promoter",
        "tone-passive",
        "tone-detractor",
    ]
    heights = [number(dot, "cy") for dot in dots]
    assert heights == sorted(heights)
    assert [number(dot, "r") for dot in dots] == [2, 2, 3]
    assert picture.get("aria-label") == "9 7 2"


def test_it_turns_a_scale_whose_best_is_the_lowest() -> None:
    worst, best = of_class(drawn(sparkline_svg([5, 1], CSAT_1_5_BEST_1)), "spark-dot")
    assert number(worst, "cy") > number(best, "cy")
    assert best.get("class") == "spark-dot tone-promoter"


def test_it_draws_one_score_as_a_dot_and_none_as_nothing() -> None:
    picture = drawn(sparkline_svg([0], NPS_0_10))
    assert len(of_class(picture, "spark-dot")) == 1
    assert of_class(picture, "spark-line") == []
    assert sparkline_svg([], NPS_0_10) == ""


def test_it_shows_the_last_twelve_scores_inside_its_box() -> None:
    picture = drawn(sparkline_svg([0] * 20 + [10], NPS_0_10))
    dots = of_class(picture, "spark-dot")
    assert len(dots) == 12
    assert dots[-1].get("class") == "spark-dot tone-promoter"
    assert all(3 <= number(dot, "cx") <= 93 and 3 <= number(dot, "cy") <= 17 for dot in dots)
