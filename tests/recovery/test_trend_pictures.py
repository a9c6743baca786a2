"""The figure over time, and how many gave each score, as pictures."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recovery.pictures import NARROW, WIDE, Labels, sparkline_svg
from recovery.pictures.levels import Level, levels_svg
from recovery.pictures.ranges import Range, ranges_svg
from recovery.pictures.trend import Goal, Mark, trend_svg
from surveys.scoring import CSAT_1_5

LABELS = Labels("NPS over time", "Broken where few answered.")
WIDTHS = pytest.mark.parametrize("width", [WIDE, NARROW])


def tick(value: float) -> str:
    return f"{value:+.0f}"


def mark(value: float | None, name: str = "Mar 2", **more: object) -> Mark:
    if value is None:
        return Mark(name, "few", **more)  # type: ignore[arg-type]
    low, high = max(-100.0, value - 10), min(100.0, value + 10)
    return Mark(name, f"{value}", value, low, high, **more)  # type: ignore[arg-type]


def of_class(svg: str, name: str) -> list[ET.Element]:
    return [each for each in ET.fromstring(svg).iter() if each.get("class", "") == name]


def texts(svg: str) -> list[str]:
    return ["".join(each.itertext()) for each in ET.fromstring(svg).iter() if each.tag.endswith("text")]


class TestTrend:
    @WIDTHS
    def test_it_joins_what_joins_and_leaves_gaps(self, width: int) -> None:
        marks = [mark(10), mark(20, joins=True), mark(None), mark(30), mark(20, joins=True)]
        svg = trend_svg(marks, LABELS, width=width, tick=tick)
        assert len(of_class(svg, "spark-line")) == len(of_class(svg, "spark-band")) == 2
        assert len(of_class(svg, "spark-dot")) == 4

    @WIDTHS
    def test_it_draws_one_alone_with_the_ends_of_its_interval(self, width: int) -> None:
        svg = trend_svg([mark(10), mark(None), mark(20)], LABELS, width=width, tick=tick)
        assert len(of_class(svg, "mark-ci")) == 2
        assert of_class(svg, "spark-line") == []

    @WIDTHS
    def test_it_says_where_the_scale_changed(self, width: int) -> None:
        svg = trend_svg([mark(10), mark(20, change="scale changed")], LABELS, width=width, tick=tick)
        assert "scale changed" in texts(svg)
        (line,) = of_class(svg, "trend-change")
        across = float(re.match(r"M([\d.]+)", line.get("d", ""))[1])  # type: ignore[index]
        first, second = (float(each.get("cx", "")) for each in of_class(svg, "spark-dot"))
        assert first < across < second

    def test_it_draws_nothing_where_there_is_nothing(self) -> None:
        assert trend_svg([], LABELS, width=WIDE, tick=tick) == ""
        assert trend_svg([mark(None)], LABELS, width=WIDE, tick=tick) == ""

    def test_it_escapes_what_came_from_outside(self) -> None:
        svg = trend_svg([mark(1, name="<b>"), mark(2, change="<i>")], LABELS, width=WIDE, tick=tick)
        assert "<b>" not in svg
        assert "<i>" not in svg

    def test_two_pictures_of_one_page_share_no_id(self) -> None:
        wide, narrow = (trend_svg([mark(1)], LABELS, width=width, tick=tick) for width in (WIDE, NARROW))
        ids = re.findall(r' id="([^"]+)"', wide + narrow)
        assert len(ids) == len(set(ids)) == 4

    @settings(max_examples=80, deadline=None)
    @given(
        st.lists(st.one_of(st.none(), st.floats(-100, 100)), min_size=1, max_size=120),
        st.sampled_from([WIDE, NARROW]),
    )
    def test_it_keeps_everything_on_the_paper_and_higher_is_higher(
        self, values: list[float | None], width: int
    ) -> None:
        svg = trend_svg([mark(value) for value in values], LABELS, width=width, tick=tick)
        if all(value is None for value in values):
            assert svg == ""
            return
        height = float(ET.fromstring(svg).get("viewBox", "").split()[3])
        dots = [(float(each.get("cx", "")), float(each.get("cy", ""))) for each in of_class(svg, "spark-dot")]
        assert all(0 <= x <= width and 0 <= y <= height for x, y in dots)
        known = [value for value in values if value is not None]
        ordered = sorted(zip(known, dots, strict=True))
        assert all(a[1][1] >= b[1][1] - 0.11 for a, b in pairwise(ordered))
        labels = [each for each in ET.fromstring(svg).iter() if each.get("class") == "tick-label"]
        assert all(float(each.get("x", "")) >= 0 for each in labels)
        assert len(of_class(svg, "grid-line") + of_class(svg, "axis")) <= 7

    def test_its_axis_never_leaves_the_range_of_the_figure(self) -> None:
        svg = trend_svg([mark(-100), mark(100)], LABELS, width=WIDE, tick=tick)
        assert {"-100", "+100"} <= set(texts(svg))
        assert not any("150" in each for each in texts(svg))
        share = trend_svg([Mark("a", "", 3, 0, 9)], LABELS, width=WIDE, tick=tick, floor=0)
        assert not any(each.startswith("-") for each in texts(share))


def level(score: int, count: int, tone: str = "promoter") -> Level:
    return Level(str(score), count, f"{count} %", tone, f"{score}: {count} answers")


class TestLevels:
    @WIDTHS
    def test_the_tallest_is_the_one_most_gave(self, width: int) -> None:
        svg = levels_svg([level(score, score) for score in range(11)], LABELS, width=width)
        heights = [float(each.get("height", "")) for each in of_class(svg, "bar-fill")]
        assert heights == sorted(heights)
        assert heights[0] == 0
        assert [each for each in texts(svg) if "%" not in each] == [str(score) for score in range(11)]

    def test_a_number_without_room_is_left_to_the_table(self) -> None:
        levels = [Level(str(score), 5, "a long text", "passive", "") for score in range(11)]
        assert "a long text" not in texts(levels_svg(levels, LABELS, width=NARROW))
        assert "a long text" in texts(levels_svg(levels[:3], LABELS, width=NARROW))

    def test_it_draws_nothing_where_nobody_answered(self) -> None:
        assert levels_svg([], LABELS, width=WIDE) == ""
        assert levels_svg([level(1, 0)], LABELS, width=WIDE) == ""

    def test_fewer_than_nobody_is_refused(self) -> None:
        with pytest.raises(ValueError, match="Fewer than nobody"):
            level(1, -1)

    def test_it_escapes_what_came_from_outside(self) -> None:
        svg = levels_svg([Level("<b>", 1, "<i>", '"><s>', "<u>")], LABELS, width=WIDE)
        assert not any(each in svg for each in ("<b>", "<i>", "<s>", "<u>"))


class TestRanges:
    RANGES = (Range("Branch 1", 60, 40, 80, "+60 (+40 to +80)"), Range("Branch 4", -40, -60, -10, "−40"))

    @WIDTHS
    def test_what_is_higher_stands_further_to_the_right(self, width: int) -> None:
        svg = ranges_svg(self.RANGES, LABELS, width=width, tick=tick, middle=10)
        first, second = (float(each.get("cx", "")) for each in of_class(svg, "spark-dot"))
        (line,) = of_class(svg, "trend-change")
        across = float(re.match(r"M([\d.]+)", line.get("d", ""))[1])  # type: ignore[index]
        assert 0 < second < across < first < width
        assert {"Branch 1", "Branch 4", "+60 (+40 to +80)"} <= set(texts(svg))

    def test_it_draws_nothing_where_there_is_nothing(self) -> None:
        assert ranges_svg([], LABELS, width=WIDE, tick=tick) == ""

    def test_a_goal_is_a_broken_line_on_its_axis_with_its_words(self) -> None:
        goal = Goal(500, "target +500")
        svg = ranges_svg(self.RANGES, LABELS, width=WIDE, tick=tick, goal=goal, ceiling=1000)
        assert svg.count('class="mark-target"') == 1
        assert "target +500" in svg
        assert "+500<" in svg.replace("target +500", ""), "the axis reaches it"

    def test_it_escapes_what_came_from_outside(self) -> None:
        svg = ranges_svg([Range("<b>", 1, 0, 2, "<i>", '"><s>')], LABELS, width=WIDE, tick=tick)
        assert not any(each in svg for each in ("<b>", "<i>", "<s>"))

    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(st.tuples(st.floats(-100, 100), st.floats(0, 60)), min_size=1, max_size=20),
        st.sampled_from([WIDE, NARROW]),
    )
    def test_it_keeps_every_interval_on_the_paper(
        self, figures: list[tuple[float, float]], width: int
    ) -> None:
        ranges = [
            Range("A branch", value, max(-100, value - margin), min(100, value + margin), f"{value:+.0f}")
            for value, margin in figures
        ]
        svg = ranges_svg(ranges, LABELS, width=width, tick=tick)
        for each in of_class(svg, "mark-ci"):
            low, high = re.match(r"M([\d.]+) [\d.]+H([\d.]+)", each.get("d", "")).groups()  # type: ignore[union-attr]
            assert 0 <= float(low) <= float(high) <= width


def test_a_customers_tiny_line_leaves_out_scores_that_its_scale_does_not_have() -> None:
    svg = sparkline_svg([9, 2, 5], CSAT_1_5)
    assert len([each for each in ET.fromstring(svg).iter() if each.tag.endswith("circle")]) == 2
    assert sparkline_svg([9], CSAT_1_5) == ""


def test_a_goal_is_a_broken_line_across_even_beyond_the_figures() -> None:
    for width in (WIDE, NARROW):
        svg = trend_svg(
            [mark(10), mark(20)], LABELS, width=width, tick=tick, goal=Goal(80, "target <80> by 31 Dec")
        )
        assert svg.count("mark-target") == 1
        assert "target &lt;80&gt; by 31 Dec" in svg
        assert f">{tick(80)}<" in svg  # the axis reaches it
    assert "mark-target" not in trend_svg([mark(10), mark(20)], LABELS, width=WIDE, tick=tick)
