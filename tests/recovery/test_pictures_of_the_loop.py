"""A curve with its band, a grid of shares, and stages with what was lost: well-formed, inside their paper."""

import re
import xml.etree.ElementTree as ET

import pytest

from recovery.pictures import (
    NARROW,
    WIDE,
    Cell,
    Curve,
    Grid,
    Labels,
    Lost,
    Point,
    Stage,
    curve_svg,
    heat_svg,
    waterfall_svg,
)
from recovery.pictures.heat import level
from recovery.pictures.paper import measured
from tests.recovery.test_pictures import drawn, number, of_class, words

LABELS = Labels("What became of them", "Half were done.")
WIDTHS = pytest.mark.parametrize("width", [WIDE, NARROW])
CURVE = Curve(
    [Point(1, 0.25, 0.1, 0.4), Point(3, 0.5, 0.3, 0.7), Point(9, 1, 0.8, 1)],
    9,
    [(0, "0 h"), (3, "3 h"), (6, "6 h"), (9, "9 h")],
    [(3, 0.5, "3 h 00 (1 h 00 to 9 h 00)")],
)
GRID = Grid(
    ["9", "10", "All"],
    [
        (
            "Monday",
            [Cell("62", "Monday, 9:00", 0.62), Cell("1/3", "Monday, 10:00"), Cell("55", "Monday", 0.55)],
        ),
        ("All", [Cell("62", "9:00", 0.62), Cell(), Cell("55", "All", 0.55)]),
    ],
)
STAGES = [
    Stage("Low scores", 1200, [Lost("Still in work", 200), Lost("Merged", 1)]),
    Stage("Resolved", 999, [Lost("Not asked: there is no e-mail address", 999)]),
    Stage("Answered", 0),
]


def inside(picture: ET.Element, width: float) -> None:
    height = float(picture.get("viewBox", "").split()[3])
    for each in picture.iter("rect"):
        assert number(each, "x") >= 0
        assert number(each, "x") + number(each, "width") <= width + 0.1
        assert number(each, "y") + number(each, "height") <= height + 0.1
    for path in picture.iter("path"):
        for x in re.findall(r"[MH](-?[\d.]+)", path.get("d", "")):
            assert 0 <= float(x) <= width


class TestCurve:
    @WIDTHS
    def test_it_rises_to_its_last_share_inside_its_paper(self, width: int) -> None:
        picture = drawn(curve_svg(CURVE, LABELS, width=width))
        inside(picture, width)
        (line,) = of_class(picture, "curve-line")
        heights = [float(y) for y in re.findall(r"V([\d.]+)", line.get("d", ""))]
        assert heights == sorted(heights, reverse=True)
        assert len(heights) == 3

    @WIDTHS
    def test_the_band_holds_the_line(self, width: int) -> None:
        picture = drawn(curve_svg(CURVE, LABELS, width=width))
        (band,) = of_class(picture, "curve-band")
        (line,) = of_class(picture, "curve-line")
        ours, around = (
            [float(y) for y in re.findall(r"V([\d.]+)", each.get("d", ""))] for each in (line, band)
        )
        assert all(upper <= middle for upper, middle in zip(around[:3], ours, strict=True))
        assert max(around) > max(ours) - 1

    @WIDTHS
    def test_marks_say_their_time_where_there_is_room(self, width: int) -> None:
        picture = drawn(curve_svg(CURVE, LABELS, width=width))
        assert "3 h 00 (1 h 00 to 9 h 00)" in words(picture)
        assert len(of_class(picture, "spark-dot")) == 1

    @WIDTHS
    def test_words_at_the_end_stand_above_the_band_and_not_on_one_another(self, width: int) -> None:
        ends = Curve(CURVE.points[:2], 3, marks=[(3, 0.5, "half in 3 h 00"), (3, 0.5, "3 h 00 again")])
        picture = drawn(curve_svg(ends, LABELS, width=width))
        (band,) = of_class(picture, "curve-band")
        top = min(float(y) for y in re.findall(r"V([\d.]+)", band.get("d", "")))
        first, second = of_class(picture, "flow-label")
        assert number(first, "y") < top
        assert abs(number(first, "y") - number(second, "y")) >= 14.8

    @WIDTHS
    def test_a_goal_is_an_upright_line_that_the_axis_reaches(self, width: int) -> None:
        beyond = Curve(CURVE.points, 9, CURVE.ticks, goals=[(18, "target 18 h 00")])
        picture = drawn(curve_svg(beyond, LABELS, width=width))
        inside(picture, width)
        (line,), (goal,) = of_class(picture, "curve-line"), of_class(picture, "mark-target")
        ends = [float(x) for x in re.findall(r"H([\d.]+)", line.get("d", ""))]
        x = float(re.findall(r"M([\d.]+)", goal.get("d", ""))[0])
        assert max(ends) == pytest.approx((44 + x) / 2, abs=0.2), "the curve ends half-way to it"
        assert "target 18 h 00" in words(picture)

    def test_words_too_long_for_either_side_stay_inside(self) -> None:
        long = "target 12 h 00 or less by 30 September 2026"
        middle = Curve(CURVE.points, 9, marks=[(4, 0.5, long)], goals=[(5, long)])
        for label in of_class(drawn(curve_svg(middle, LABELS, width=NARROW)), "flow-label"):
            assert number(label, "x") >= 0
            assert number(label, "x") + measured(long) <= NARROW + 1
            assert label.get("text-anchor") is None

    def test_ticks_that_would_run_into_one_another_are_left_out(self) -> None:
        crowded = Curve(CURVE.points, 9, [(each / 10, f"{each} hours") for each in range(90)])
        shown = words(drawn(curve_svg(crowded, LABELS, width=NARROW)))
        assert 1 <= shown.count("hours") < 9

    def test_nothing_draws_nothing_and_what_cannot_be_is_refused(self) -> None:
        assert curve_svg(Curve([], 0), LABELS) == ""
        assert curve_svg(Curve([Point(0, 1, 1, 1)], 0), LABELS) == ""
        with pytest.raises(ValueError, match="left to right"):
            Curve([Point(2, 0.5, 0, 1), Point(1, 1, 0, 1)], 2)
        with pytest.raises(ValueError, match="data end"):
            Curve([Point(2, 0.5, 0, 1)], 1)


class TestHeat:
    @WIDTHS
    def test_every_cell_says_its_number_and_its_meaning(self, width: int) -> None:
        picture = drawn(heat_svg(GRID, LABELS, width=width))
        inside(picture, width)
        assert [each.text for each in of_class(picture, "heat-text")] == ["62", "1/3", "55", "62", "55"]
        assert "Monday, 10:00" in [each.text for each in picture.iter("title")]
        assert (len(of_class(picture, "heat-few")), len(of_class(picture, "heat-none"))) == (1, 1)

    def test_the_shade_is_one_of_five(self) -> None:
        assert [level(share) for share in (0, 0.19, 0.2, 0.5, 0.99, 1)] == [1, 1, 2, 3, 5, 5]

    def test_all_hours_of_a_day_fit(self) -> None:
        row = [Cell("100", "", 1.0)] * 25
        grid = Grid([*map(str, range(24)), "All"], [("Wednesday", row), ("All", row)])
        inside(drawn(heat_svg(grid, LABELS, width=WIDE)), WIDE)

    def test_it_can_be_turned(self) -> None:
        turned = GRID.turned(["Mo", "All"], ["09:00", "10:00", "All"])
        assert [cells[0].text for _name, cells in turned.rows] == ["62", "1/3", "55"]

    def test_nothing_draws_nothing_and_what_cannot_be_is_refused(self) -> None:
        assert heat_svg(Grid([], []), LABELS) == ""
        with pytest.raises(ValueError, match="share"):
            Cell("120", "", 1.2)
        with pytest.raises(ValueError, match="every head"):
            Grid(["9"], [("Monday", [])])


class TestWaterfall:
    @WIDTHS
    def test_a_loss_begins_where_the_next_bar_ends(self, width: int) -> None:
        picture = drawn(waterfall_svg(STAGES, LABELS, width=width))
        inside(picture, width)
        bars = of_class(picture, "bar-fill")
        low, work, merged, resolved = bars[:4]
        ends = number(resolved, "x") + number(resolved, "width")
        assert number(work, "x") == pytest.approx(ends, abs=0.2)
        assert number(merged, "x") == pytest.approx(number(work, "x") + number(work, "width"), abs=0.2)
        assert number(low, "width") > number(resolved, "width")

    @WIDTHS
    def test_every_number_and_every_loss_is_written(self, width: int) -> None:
        said = words(drawn(waterfall_svg(STAGES, LABELS, width=width)))
        for text in ("Low scores", "1,200", "− Still in work", "− Not asked: there is no", "999"):
            assert text in said

    def test_nothing_draws_nothing_and_what_cannot_be_is_refused(self) -> None:
        assert waterfall_svg([], LABELS) == waterfall_svg([Stage("Low", 0)], LABELS) == ""
        with pytest.raises(ValueError, match="More were lost"):
            Stage("Low", 3, [Lost("gone", 4)])
        with pytest.raises(ValueError, match="fewer than nobody"):
            Stage("Low", 3, [Lost("gone", -1)])
