"""Rows cut into parts, and points on two axes: nothing is lost, collides, or leaves the paper."""

import math
import re
import xml.etree.ElementTree as ET
from random import Random

import pytest

from recovery.pictures import NARROW, WIDE, Labels
from recovery.pictures.drivers import Axis, Point, Quarters, map_svg
from recovery.pictures.matrix import Part, Row, matrix_svg
from tests.recovery.test_pictures import drawn, number, of_class, told, words

LABELS = Labels("How people began", "Six of eight moved up.")
WIDTHS = pytest.mark.parametrize("width", [WIDE, NARROW])
ROWS = [
    Row("Began as promoters", [Part("Promoter", 30, "promoter"), Part("No later answer", 10, "silent")]),
    Row("Began as passives", [Part("Promoter", 0, "promoter"), Part("Passive", 1, "passive")]),
    Row("Began as detractors", [Part("Detractor", 40, "detractor"), Part("Promoter", 1, "promoter")]),
]
ACROSS, UP = Axis("mean rating", 3.5, 0.5), Axis("importance", 0.3, 0.1)
QUARTERS = Quarters("Improve now", "Keep it up", "Low priority", "Nice to have")


class TestMatrix:
    @WIDTHS
    def test_each_part_has_the_area_of_its_number(self, width: int) -> None:
        picture = drawn(matrix_svg(ROWS, LABELS, width=width))
        areas = {
            told(group): number(part, "width") * number(part, "height")
            for group in picture.iter()
            if group.get("class", "").startswith("tone-")
            for part in group
            if part.get("class") == "flow-link"
        }
        assert len(areas) == 5, "nobody is no part"
        per_one = areas["Began as promoters → Promoter: 30"] / 30
        assert areas["Began as detractors → Detractor: 40"] / 40 == pytest.approx(per_one, rel=0.03)
        assert all(part.get("height") != "0" for part in of_class(picture, "flow-link"))

    @WIDTHS
    def test_it_stays_on_its_paper_and_names_every_row(self, width: int) -> None:
        picture = drawn(matrix_svg(ROWS, LABELS, width=width))
        height = float(picture.get("viewBox", "").split()[3])
        for part in of_class(picture, "flow-link"):
            assert number(part, "x") + number(part, "width") <= width + 0.1
            assert number(part, "y") + number(part, "height") <= height + 0.1
        said = words(picture)
        assert all(row.label in said for row in ROWS)
        assert picture.findtext("{*}title") or picture.findtext("title") == LABELS.title

    @WIDTHS
    def test_one_person_is_seen_among_thousands(self, width: int) -> None:
        rows = [Row("Many", [Part("A", 5000), Part("B", 1)]), Row("One", [Part("A", 1)])]
        picture = drawn(matrix_svg(rows, LABELS, width=width))
        assert min(number(part, "width") for part in of_class(picture, "flow-link")) >= 1
        assert min(number(part, "height") for part in of_class(picture, "flow-link")) >= 20

    def test_nobody_draws_nothing(self) -> None:
        assert matrix_svg([], LABELS, width=WIDE) == ""
        assert matrix_svg([Row("Nobody", [Part("A", 0)])], LABELS, width=WIDE) == ""
        with pytest.raises(ValueError, match="less than nothing"):
            Part("A", -1)

    @WIDTHS
    def test_a_word_that_does_not_fit_is_left_out_and_never_cut(self, width: int) -> None:
        """Its number stays, and the title tells the word."""
        parts = [Part("Promoter", 70, "promoter"), Part("Detractor", 18, "detractor"), Part("Passive", 12)]
        svg = matrix_svg([Row("Began", parts)], LABELS, width=width)
        picture = drawn(svg)
        assert "…" not in svg
        assert {"70", "18", "12"} <= {each.text for each in of_class(picture, "flow-value")}
        assert "Began → Detractor: 18" in [told(group) for group in picture.iter()]

    def test_words_from_outside_are_escaped(self) -> None:
        svg = matrix_svg([Row("<b>", [Part("</svg>", 3)])], LABELS, width=WIDE)
        assert "<b>" not in svg
        drawn(svg)


def badges(picture: ET.Element) -> list[tuple[float, float]]:
    return [(number(each, "cx"), number(each, "cy")) for each in of_class(picture, "badge-disc")]


def drivers(seed: int, n: int) -> list[Point]:
    rng = Random(seed)
    return [Point(rng.gauss(4, 0.12), rng.gauss(0.4, 0.03), f"driver {each}") for each in range(n)]


class TestMap:
    @WIDTHS
    @pytest.mark.parametrize("seed", range(6))
    def test_no_number_lies_on_another_or_on_a_dot(self, width: int, seed: int) -> None:
        picture = drawn(map_svg(drivers(seed, 8), ACROSS, UP, QUARTERS, LABELS, width=width))
        found = badges(picture)
        dots = [(number(each, "cx"), number(each, "cy")) for each in of_class(picture, "spark-dot")]
        assert len(found) == len(dots) == 8
        for place, badge in enumerate(found):
            assert all(math.dist(badge, other) >= 18 for other in found[:place])
            assert all(math.dist(badge, dot) >= 12 for dot in dots)

    @WIDTHS
    def test_all_of_it_stays_on_the_paper(self, width: int) -> None:
        points = [Point(1, -0.4, "worst"), Point(5, 1, "best"), *drivers(1, 3)]
        picture = drawn(map_svg(points, ACROSS, UP, QUARTERS, LABELS, width=width))
        height = float(picture.get("viewBox", "").split()[3])
        for name in ("spark-dot", "badge-disc"):
            for each in of_class(picture, name):
                assert 0 <= number(each, "cx") <= width
                assert 0 <= number(each, "cy") <= height
        said = words(picture)
        for name in ("mean rating", "importance"):
            assert name in said

    @WIDTHS
    def test_a_number_stands_nearest_to_its_own_dot(self, width: int) -> None:
        """Four drivers close together, as in a survey whose ratings all go with its score."""
        near = [(4.0, 0.6), (4.04, 0.59), (3.9, 0.56), (3.94, 0.53)]
        points = [Point(x, y, f"driver {place}") for place, (x, y) in enumerate(near)]
        across, up = Axis("mean rating", 3.97, 0.5), Axis("importance", 0.575, 0.1)
        picture = drawn(map_svg(points, across, up, QUARTERS, LABELS, width=width))
        dots = [(number(each, "cx"), number(each, "cy")) for each in of_class(picture, "spark-dot")]
        for own, badge in enumerate(badges(picture)):
            nearest, second = sorted(math.dist(badge, dot) for dot in dots)[:2]
            assert math.dist(badge, dots[own]) == nearest
            assert second - nearest > 7

    def test_better_is_further_right_and_more_important_further_up(self) -> None:
        points = [Point(2, 0.1, "low"), Point(4, 0.6, "high")]
        picture = drawn(map_svg(points, ACROSS, UP, QUARTERS, LABELS, width=WIDE))
        low, high = ((number(each, "cx"), number(each, "cy")) for each in of_class(picture, "spark-dot"))
        assert low[0] < high[0]
        assert low[1] > high[1]
        assert [told(group)[:6] for group in picture.iter() if told(group)][1:] == ["1 low", "2 high"]
        assert all(name in words(picture) for name in ("Improve now", "Keep it up", "Low priority"))

    def test_drivers_that_are_all_the_same_are_still_drawn(self) -> None:
        points = [Point(3.5, 0.3, "one"), Point(3.5, 0.3, "two")]
        picture = drawn(map_svg(points, ACROSS, UP, QUARTERS, LABELS, width=NARROW))
        first, second = badges(picture)
        assert math.dist(first, second) >= 18
        assert not re.search("nan|inf", map_svg(points, ACROSS, UP, QUARTERS, LABELS, width=NARROW))

    def test_no_points_draw_nothing(self) -> None:
        assert map_svg([], ACROSS, UP, QUARTERS, LABELS, width=WIDE) == ""
